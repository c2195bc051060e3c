"""A Jinja template cut into text and tags with their places, by the lexer of jinja2.

The lexer drops the blank space that ``{%-`` takes away, and counts lines only; here each piece is found again
in the source, so that offsets stay exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from promptslim.core.record import record

if TYPE_CHECKING:
    from jinja2 import Environment

EXTENSIONS = ("jinja2.ext.do", "jinja2.ext.loopcontrols", "jinja2.ext.i18n")


class TemplateError(ValueError):
    """A template that Jinja refuses. ``line`` is 1-based within the template."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@record
class Word:
    """A token inside a tag: its kind as jinja2 names it (``name``, ``string``, ``operator`` ...)."""

    kind: str
    text: str
    start: int
    end: int


@record
class Text:
    """Text that is printed as it is, ``source[start:end]``."""

    start: int
    end: int


@record
class Tag:
    """``{{ ... }}`` (``block`` false) or ``{% ... %}``, with the tokens inside."""

    block: bool
    words: tuple[Word, ...]
    start: int
    end: int

    @property
    def name(self) -> str:
        """The name of a block tag (``if``, ``endfor`` ...)."""
        return self.words[0].text if self.words and self.words[0].kind == "name" else ""


Piece = Text | Tag


def environment(syntax: Mapping[str, object]) -> Environment:
    """A jinja2 environment, used to read templates and never to run them. ``syntax`` are keyword arguments of
    ``jinja2.Environment`` for delimiters and blank space."""
    return _environment(tuple(sorted(syntax.items())))


@lru_cache(maxsize=16)
def _environment(syntax: tuple[tuple[str, object], ...]) -> Environment:
    from jinja2 import Environment

    return Environment(extensions=EXTENSIONS, **dict(syntax))  # type: ignore[arg-type]  # noqa: S701


def check_syntax(source: str, syntax: Mapping[str, object]) -> None:
    """Raise TemplateError where Jinja refuses the template; a tag of an extension that is not known is none."""
    from jinja2 import TemplateSyntaxError

    try:
        environment(syntax).parse(source)
    except TemplateSyntaxError as error:
        message = " ".join((error.message or "syntax error").split())
        if "unknown tag" not in message or "tag 'end" in message:
            raise TemplateError(f"broken Jinja template: {message}", error.lineno) from None
    except RecursionError:
        raise TemplateError("template nested too deeply", 1) from None


def pieces(source: str, syntax: Mapping[str, object]) -> Iterator[Piece]:
    """The pieces of a template in order. Raises TemplateError where the lexer stops."""
    from jinja2 import TemplateSyntaxError

    try:
        yield from _pieces(source, syntax)
    except TemplateSyntaxError as error:
        message = " ".join((error.message or "syntax error").split())
        raise TemplateError(f"broken Jinja template: {message}", error.lineno) from None


def _pieces(source: str, syntax: Mapping[str, object]) -> Iterator[Piece]:
    position = 0
    opened = 0
    words: list[Word] = []
    source = source.replace("\r", " ")  # the lexer would turn it into a line break
    for _, kind, value in environment(syntax).lexer.tokeniter(source, None):
        # Only blank space, and line ends that the lexer normalises, can lie between two tokens.
        start = position if source.startswith(value, position) else source.find(value, position)
        if start < 0:
            raise TemplateError("template cannot be read", source.count("\n", 0, position) + 1)
        position = end = start + len(value)
        match kind:
            case "data":
                yield Text(start, end)
            case "variable_begin" | "block_begin" | "linestatement_begin":
                opened, words = start, []
            case "variable_end" | "block_end" | "linestatement_end":
                yield Tag(kind != "variable_end", tuple(words), opened, end)
            case "whitespace" | "raw_begin" | "raw_end" | "comment_begin" | "comment" | "comment_end":
                pass
            case "linecomment_begin" | "linecomment" | "linecomment_end":
                pass
            case _:
                words.append(Word(kind, value, start, end))
