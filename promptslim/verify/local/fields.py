"""Reading fields of a request body, with the service's answer where they are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from promptslim.verify.local.exchange import Segment, invalid


def known(body: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Raises Refused where the body has other keys: most families reject them."""
    for key in body:
        if key not in keys:
            raise invalid(f"Malformed input request: #: extraneous key [{key}] is not permitted")


def text(body: Mapping[str, Any], key: str) -> str:
    """A text that has to be there."""
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise invalid(f"Malformed input request: #: required key [{key}] not found, or not a text")
    return value


def whole(body: Mapping[str, Any], key: str) -> int | None:
    """A whole number from 1, or None."""
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise invalid(f"Malformed input request: #/{key}: {value!r} is not greater or equal to 1")
    return value


def number(body: Mapping[str, Any], key: str) -> float | None:
    """A number, or None."""
    value = body.get(key)
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise invalid(f"Malformed input request: #/{key}: expected type: Number, found: {type(value).__name__}")
    return value


def texts(value: object) -> tuple[str, ...]:
    """A list of texts, or one."""
    if isinstance(value, str):
        return (value,)
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def joined(segments: Sequence[Segment], section: str) -> str:
    """The texts of a section, one per line."""
    return "\n".join(segment.text for segment in segments if segment.section == section)


def pieces(whole_text: str) -> list[str]:
    """A text as a stream delivers it, in a few words at a time."""
    words = whole_text.split(" ")
    spaced = [word if number == 0 else f" {word}" for number, word in enumerate(words)]
    return ["".join(spaced[start : start + 3]) for start in range(0, len(spaced), 3)] if whole_text else []
