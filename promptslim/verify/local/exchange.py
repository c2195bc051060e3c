"""What is asked and answered, whatever the format of the request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from promptslim.core.record import field, record
from promptslim.pricing.cost import Usage


@record
class Segment:
    """A block of a request, in the order that caching goes by: tools, system, messages. ``ttl`` of the cache point
    after it: None where there is none."""

    section: str
    text: str
    ttl: str | None = None


@record
class Chat:
    """A request: ``turns`` are (role, text) pairs; ``cap`` is the output limit, None where the request has none."""

    model: str
    turns: tuple[tuple[str, str], ...]
    system: str = ""
    cap: int | None = None
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()

    @property
    def last(self) -> str:
        """The text of the last turn."""
        return self.turns[-1][1] if self.turns else ""

    @property
    def prompt(self) -> str:
        """System text, a blank line, the turns: what a model that completes texts is given."""
        turns = "\n".join(text for _, text in self.turns)
        return f"{self.system}\n\n{turns}" if self.system else turns


@record
class Completion:
    """What a source of answers gives. ``stop`` in Converse's words, empty where the server is to find it. Tokens are
    given by a source that counts its own; None: the server counts."""

    text: str
    stop: str = ""
    tools: tuple[Mapping[str, Any], ...] = ()
    input_tokens: int | None = None
    output_tokens: int | None = None


@record
class Reply:
    """An answer with everything that the formats need. ``stop`` is in Converse's words. ``tools`` have ``id``,
    ``name`` and ``input``."""

    id: str
    model: str
    text: str
    stop: str
    usage: Usage
    tools: tuple[Mapping[str, Any], ...] = ()
    milliseconds: int = 1
    cache_details: tuple[Mapping[str, Any], ...] = field(default_factory=tuple)


Source = Callable[[Chat], Completion]
"""Gives the answers. May be called by several threads at once."""


class Refused(Exception):  # noqa: N818 (it is what the service does)
    """A request that the service answers with an exception of its model."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def invalid(message: str) -> Refused:
    """A ValidationException."""
    return Refused("ValidationException", message)
