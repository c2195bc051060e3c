"""Calls and prompts built by hand, for tests of the stages behind extraction."""

from __future__ import annotations

from promptslim.core.call import ClientFacts, ControlFacts, LlmCall
from promptslim.core.facts import Comment, FileFacts
from promptslim.core.prompt import Hole, Literal, Prompt
from promptslim.core.text import Document, Location, Span
from promptslim.core.values import ABSENT, known, unknown

SOURCE = "def run():\n    return client.converse(modelId=M)\n"


def at(document: Document, text: str, occurrence: int = 0) -> Location:
    """The place of the n-th occurrence of a text."""
    start = -1
    for _ in range(occurrence + 1):
        start = document.text.index(text, start + 1)
    return Location(document, Span(start, start + len(text)))


def call(document: Document, occurrence: int = 0, **fields: object) -> LlmCall:
    """A Converse call without a cap, at ``client.converse`` in the document."""
    primary = at(document, "client.converse", occurrence)
    client = ClientFacts(None, None, unknown(), unknown(), unknown())
    values: dict[str, object] = {
        "id": f"{document.path}::run:converse",
        "sdk": "boto3.converse",
        "operation": "converse",
        "kind": "request",
        "callee": "client.converse",
        "scope": "run",
        "scope_span": Span(0, len(document.text)),
        "location": Location(document, Span(primary.span.start, len(document.text) - 1)),
        "primary": primary,
        "model": known("amazon.nova-lite-v1:0"),
        "max_tokens": ABSENT,
        "cap_keys": (),
        "system": ABSENT,
        "messages": unknown(),
        "tools": ABSENT,
        "cache_points": known(0),
        "metadata": ABSENT,
        "thinking": ABSENT,
        "stream": known(False),
        "client": client,
        "control": ControlFacts(),
        "opaque": False,
    }
    return LlmCall(**{**values, **fields})


def prompt(document: Document, text: str = "You are", id: str = "src/app.py::SYSTEM") -> Prompt:
    place = Location(document, Span(0, 3))
    return Prompt(id, "system", (Literal(text), Hole("name")), place, place, used_by=("b", "a"))


def comments(document: Document) -> tuple[Comment, ...]:
    """Every ``# promptslim:`` comment, each with its own line as the statement."""
    found = []
    for number in range(1, len(document.line_starts()) + 1):
        line = document.line(number)
        if "# promptslim:" in line:
            start = document.line_starts()[number - 1]
            at_ = line.index("# promptslim:")
            text = line[at_ + len("# promptslim:") :].strip()
            statement = Location(document, Span(start, start + len(line)))
            found.append(Comment(text, Location(document, Span(start + at_, start + len(line))), statement))
    return tuple(found)


def facts(path: str, source: str, calls: int | None = None) -> FileFacts:
    """A file with one call for each ``client.converse`` in it, and its comments."""
    document = Document(path, source)
    count = source.count("client.converse") if calls is None else calls
    return FileFacts(path, (document,), tuple(call(document, n) for n in range(count)), comments=comments(document))
