"""An outcome as plain lists and strings, for JSON, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from promptslim.core.record import items

if TYPE_CHECKING:
    from promptslim.check.engine import Outcome
    from promptslim.core.text import Document

_CLASSES = {
    "promptslim.check.baseline": ("Comparison", "Entry", "Identity"),
    "promptslim.check.engine": ("Outcome",),
    "promptslim.core.finding": ("Finding", "Impact", "Related"),
    "promptslim.core.result": ("CheckResult", "FileError", "Summary"),
    "promptslim.core.text": ("Document", "Edit", "Fix", "Location", "Span"),
}
"""The records that an outcome is made of, by module: an outcome without findings loads few of them."""


def plain(outcome: Outcome) -> list[Any]:
    """``outcome`` as values that JSON keeps; ``outcome_of`` reads them. The comparison with a baseline is included.

    Raises KeyError where it holds what no outcome is made of.
    """
    documents: dict[int, tuple[int, Document]] = {}
    body = _plain(outcome, documents)
    texts = [[one.path, one.text, one.cell, list(one.raw_lines)] for _, one in documents.values()]
    return [texts, body]


def outcome_of(form: list[Any]) -> Outcome:
    """The outcome that ``plain`` was given. Any other form raises LookupError, TypeError or ValueError."""
    texts, body = form
    documents = [_class("Document")(path, text, cell, tuple(raw_lines)) for path, text, cell, raw_lines in texts]
    found: Outcome = _value(body, documents)
    if type(found) is not _class("Outcome"):
        raise TypeError("not an outcome")
    return found


def _plain(value: Any, documents: dict[int, tuple[int, Document]]) -> Any:  # noqa: ANN401
    match type(value).__name__:
        case "NoneType" | "bool" | "int" | "str":
            return value
        case "tuple":
            return ["tuple", *(_plain(one, documents) for one in value)]
        case "frozenset":
            return ["frozenset", *sorted(value)]
        case "Decimal":
            return ["Decimal", str(value)]
        case "Applicability":
            return ["Applicability", int(value)]
        case "Document":
            return ["Document", documents.setdefault(id(value), (len(documents), value))[0]]
        case name:
            _class(name)
            return [name, *(_plain(getattr(value, item.name), documents) for item in items(value))]


def _value(form: Any, documents: list[Document]) -> Any:  # noqa: ANN401
    if not isinstance(form, list):
        return form
    match form:
        case ["Applicability", number]:
            from promptslim.core.text import Applicability

            return Applicability(number)
        case ["Decimal", text]:
            from decimal import Decimal

            return Decimal(text)
        case ["tuple", *rest]:
            return tuple([_value(one, documents) for one in rest])
        case ["frozenset", *rest]:
            return frozenset(rest)
        case ["Document", number]:
            return documents[number]
        case [name, *rest]:
            return _class(name)(*[_value(one, documents) for one in rest])
        case _:
            raise ValueError("an empty list")


def _class(name: str) -> Any:  # noqa: ANN401
    """A record by name. Raises KeyError for any other class."""
    from importlib import import_module

    for module, names in _CLASSES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise KeyError(name)
