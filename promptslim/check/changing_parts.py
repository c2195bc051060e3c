"""Which parts of a prompt differ from one call to the next, and how surely.

A hole is judged by where its value comes from. Where that cannot be seen, or is a parameter, only a name that
says what it holds counts (``{question}``, ``{context_data}``): a parameter may well be a constant of the
program. The words are data, ``rules/phrases.toml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from promptslim.check.enclosing_code import enclosing
from promptslim.core.finding import Confidence
from promptslim.core.lazy_pattern import pattern
from promptslim.core.record import record

if TYPE_CHECKING:
    import ast

    from promptslim.core.call import LlmCall
    from promptslim.core.prompt import Hole
    from promptslim.core.text import Location

_WORD = pattern(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_DAY = pattern(r"(?<!datetime\.)\bdate\.today\(|datetime\.date\.today\(|\.date\(\)")
_TIME = pattern(r"%-?[HIMSfcXTRpsr]|\btime\.(?:time|perf_counter|monotonic)|timestamp\(|isoformat\(|hour|minute")
_DATE_PARTS = pattern(r"strftime|%-?[YyBbmdjAa]|\.(?:year|month|day|weekday)\b")


@record
class Change:
    """Why a hole differs from call to call. ``what`` says it for a message ("the time", "the question").

    ``confidence``: high where the value itself is seen to change, medium where its name says so, low where it
    changes at most once a day or once per process; ``pace`` says which ("once a day"), None for every call.
    ``named``: its name is all that says so.
    """

    what: str
    confidence: Confidence
    pace: str | None = None
    named: bool = False


def change(hole: Hole, calls: tuple[LlmCall, ...], phrases: Mapping[str, Any]) -> Change | None:
    """How a hole of a prompt that ``calls`` send differs between them, None where nothing says that it does."""
    table = phrases["changing"]
    match hole.origin:
        case "clock":
            return _clock(hole, table)
        case "random":
            return _once("a random value", hole)
        case "identifier":
            return _once("a new identifier", hole)
        case "retrieval":
            return Change("what was retrieved", "high")
        case "history":
            return Change("the conversation", "high")
        case "loop" if varies_in_loop(hole, calls):
            return Change("the item of the loop", "high")
        case "environment":
            return None
        case _:
            return _by_name(hole, table)


def name_of(hole: Hole) -> str:
    """The name that says what a hole holds: of its placeholder, else the last one in its expression ("" where
    that is no plain name)."""
    if hole.name:
        return hole.name
    if hole.expression.isidentifier():
        return hole.expression
    import ast

    try:
        return _name_in(ast.parse(hole.expression.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def _name_in(node: ast.expr) -> str:
    import ast

    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Await(value=inner):
            return _name_in(inner)
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key
        case ast.Subscript(value=inner):
            return _name_in(inner)
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(key)), *_]):
            return key
        case ast.Call(func=ast.Attribute(value=inner, attr="strip" | "lstrip" | "rstrip" | "lower" | "upper")):
            return _name_in(inner)
        case ast.Call(func=ast.Name(id="str") | ast.Attribute(attr="dumps" | "join"), args=[inner, *_]):
            return _name_in(inner)
        case ast.Call(func=function):
            return _name_in(function)
        case _:
            return ""


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _by_name(hole: Hole, table: Mapping[str, Any]) -> Change | None:
    words = [word for word in _words(name_of(hole)) if word not in table["empty"]]
    if not words or any(word in table["fixed"] for word in words):
        return None
    if words[-1] in table["dates"]:
        return Change("the date", "low", "once a day", named=True)
    for kind in table["kind"]:
        if words[-1] in kind["words"] or "_".join(words[-2:]) in kind["words"]:
            return Change(kind["name"], "medium", named=True)
    return None


def _clock(hole: Hole, table: Mapping[str, Any]) -> Change:
    text = "\n".join(_written(hole))
    named = [words[-1] for name in (hole.name or "", name_of(hole)) if (words := _words(name))]
    if _DAY.search(text) or (not _TIME.search(text) and _DATE_PARTS.search(text)):
        return Change("the date", "low", "once a day")
    if not _TIME.search(text) and any(word in table["dates"] for word in named):
        return Change("the date", "low", "once a day")
    return _once("the time", hole)


def _once(what: str, hole: Hole) -> Change:
    places = [place for place in (hole.source, hole.location) if place is not None]
    if any(_runs_once(place) for place in places):
        return Change(what, "low", "once per process")
    return Change(what, "high")


def _written(hole: Hole) -> Iterator[str]:
    """What the program writes of a hole's value: its expression, its place in the f-string (with the format),
    the line on which it is made, and what happens to it."""
    yield hole.expression
    if hole.location is not None:
        yield hole.location.text
    if hole.source is not None:
        yield _line(hole.source)
    for transform in hole.transforms:
        if transform.location is not None:
            yield transform.location.text


def _line(place: Location) -> str:
    text, span = place.document.text, place.span
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end)
    return text[start : end if end >= 0 else len(text)]


def _runs_once(place: Location) -> bool:
    """True where Python code stands at the top level of a module, outside every function and loop."""
    return place.path.endswith(".py") and enclosing(place) == ()


def made_before(source: Location, loop: Location) -> bool:
    """True where a value is made in the function of a loop, in front of the loop, so that it stays in every round."""
    if source.document != loop.document or source.span.start >= loop.span.start:
        return False
    functions, around = enclosing(source), enclosing(loop)
    return functions is not None and around is not None and around[: len(functions)] == functions


def varies_in_loop(hole: Hole, calls: tuple[LlmCall, ...]) -> bool:
    """True where a loop around a call assigns the name from which the hole is filled."""
    root = re.match(r"\w+", hole.expression.strip())
    if root is None or hole.origin != "loop":
        return False
    for call in calls:
        loop = call.control.loop
        if loop is not None and loop.kind != "while":
            targets = re.split(r"\bin\b", loop.location.text, maxsplit=1)[0]
            if re.search(rf"\b{root[0]}\b", targets):
                return True
    return False
