"""Prompt caching as Bedrock does it.

A checkpoint caches everything before it, in the order tools, system, messages, where that is as long as the model's
minimum; shorter ones are ignored without a word. A hit starts the lifetime anew. A lifetime of an hour has to stand
before one of five minutes. Source: AWS Bedrock user guide, prompt-caching page, 2026. Where sources disagree about
the minimum, the lowest one counts here.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Callable

from promptslim.catalog.model_facts import CacheRules
from promptslim.pricing.cost import Usage
from promptslim.verify.local.exchange import Chat, Segment, invalid

_LIFETIMES = {"5m": 300, "1h": 3600}
_LOOK_BACK = 20
"""Blocks before a checkpoint in which an earlier one is found."""


class PromptCache:
    """The prefixes that are cached, per model."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[bytes, float] = {}
        self._lifetimes: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def usage(self, chat: Chat, tokens: tuple[int, ...], rules: CacheRules | None) -> Usage:
        """How the input of a request is billed: ``tokens`` are those of its segments. Raises Refused where the
        checkpoints break the model's rules; a model without rules takes none."""
        points = [segment for segment in chat.segments if segment.ttl is not None]
        if points and rules is None:
            raise invalid("This model does not support prompt caching. Remove the cache points from the request.")
        if not points or rules is None:
            return Usage(sum(tokens))
        _check(points, rules)
        prefixes, lengths = _prefixes(chat, tokens)
        limit = rules.max_tokens
        marks = [
            (number, segment.ttl)
            for number, segment in enumerate(chat.segments)
            if segment.ttl is not None
            and lengths[number] >= rules.min_possible
            and (limit is None or lengths[number] <= limit)
        ]
        written = dict.fromkeys(_LIFETIMES, 0)
        with self._lock:
            now = self._clock()
            near = {one for mark, _ in marks for one in range(max(0, mark - _LOOK_BACK), mark + 1)}
            hit = max((one for one in near if self._until.get(prefixes[one], 0) > now), default=None)
            read = end = 0 if hit is None else lengths[hit]
            if hit is not None:
                self._until[prefixes[hit]] = now + self._lifetimes[prefixes[hit]]
            for mark, ttl in marks:
                self._lifetimes[prefixes[mark]] = _LIFETIMES[ttl]
                self._until[prefixes[mark]] = now + _LIFETIMES[ttl]
                if lengths[mark] > end:
                    written[ttl] += lengths[mark] - end
                    end = lengths[mark]
        return Usage(sum(tokens) - end, read=read, write_5m=written["5m"], write_1h=written["1h"])


def _prefixes(chat: Chat, tokens: tuple[int, ...]) -> tuple[list[bytes], list[int]]:
    """Digest and length in tokens of the request up to and with each segment."""
    digest = hashlib.sha256(chat.model.encode())
    prefixes = []
    for segment in chat.segments:
        digest.update(f"\0{segment.section}\0{segment.text}".encode("utf-8", "surrogatepass"))
        prefixes.append(digest.digest())
    return prefixes, list(itertools.accumulate(tokens))


def _check(points: list[Segment], rules: CacheRules) -> None:
    if rules.max_points is not None and len(points) > rules.max_points:
        raise invalid(f"A maximum of {rules.max_points} cache points may be given. Found {len(points)}.")
    shorter = False
    for point in points:
        if rules.ttl and point.ttl not in rules.ttl:
            raise invalid(f"The ttl {point.ttl} is not supported by this model.")
        if point.section not in rules.fields:
            raise invalid(f"Cache points are not supported in {point.section} by this model.")
        if point.ttl == "1h" and shorter:
            raise invalid(
                "A ttl of 1h must not come after a ttl of 5m. Blocks are processed as tools, system, messages."
            )
        shorter = shorter or point.ttl == "5m"
