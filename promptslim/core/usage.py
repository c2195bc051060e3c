"""Cost arithmetic in the user's own code."""

from __future__ import annotations

from promptslim.core.record import record
from promptslim.core.text import Location, Span


@record
class UsageArithmetic:
    """An expression that turns reported token counts into money.

    ``fields`` are the usage keys that take part (``inputTokens``, ``output_tokens`` ...), ``cached`` is
    true where a cached-token key is read anywhere in the same function or class, ``inclusive`` where the
    input key already includes cached tokens (OpenAI's ``prompt_tokens``), ``caching`` where the same file
    sets a cache marker.
    """

    location: Location
    scope: str
    scope_span: Span | None
    fields: tuple[str, ...]
    provider: str
    cached: bool
    inclusive: bool
    caching: bool
