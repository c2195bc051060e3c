"""Jinja templates: the text that is always sent, the text of branches and loops, and the holes, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from promptslim.core.prompt import Hole, Literal, Origin, Part, Transform, TransformKind
from promptslim.core.record import replace
from promptslim.core.text import Document, Location, Span
from promptslim.extract.files.jinja_tokens import Piece, Tag, TemplateError, Text, Word, check_syntax, pieces
from promptslim.extract.files.mapped import Mapped, mapped

Include = Callable[[str], Document | None]

MOST_INCLUDES = 8
"""Templates within templates that are followed."""
MOST_PARTS = 2_000
"""Parts of one template; what follows is left as a hole."""

_CLOCKS = frozenset({"now", "today", "utcnow", "strftime_now", "current_date", "datetime"})
_FILTERS: Mapping[str, TransformKind] = {
    "join": "join",
    "truncate": "slice",
    "b64encode": "base64",
    "shuffle": "random order",
    "random": "random order",
}
_OPTIONAL = frozenset({"if", "for", "call"})
_TRANSPARENT = frozenset({"block", "with", "autoescape", "trans", "filter", "generation"})


def no_include(name: str) -> Document | None:  # noqa: ARG001
    """For templates whose includes are not looked up."""
    return None


def jinja_parts(
    document: Document,
    span: Span | None = None,
    include: Include = no_include,
    syntax: Mapping[str, object] | None = None,
) -> tuple[Part, ...]:
    """The parts of a template: a file, or with ``span`` a template that stands in a part of a document.

    ``include`` gives the document of a template name (``{% include %}``, ``{% extends %}``), None where there is
    none. ``syntax`` are the keyword arguments of ``jinja2.Environment`` that change how templates are read
    (delimiters, ``trim_blocks``, ``lstrip_blocks``). A broken template is one hole.
    """
    return template_parts(mapped(document, span), include, syntax)


def template_parts(
    source: Mapped, include: Include = no_include, syntax: Mapping[str, object] | None = None
) -> tuple[Part, ...]:
    """As ``jinja_parts``, for a template that is the value of a string."""
    try:
        return read_template(source, include, syntax)
    except TemplateError:
        return (Hole("template", "unknown", source.at(0, len(source.text))),) if source.text else ()


def read_template(
    source: Mapped, include: Include = no_include, syntax: Mapping[str, object] | None = None
) -> tuple[Part, ...]:
    """As ``template_parts``; raises TemplateError for a broken template."""
    check_syntax(source.text, syntax or {})
    return tuple(_Template(source, include, syntax or {}, {}, 0).read())


class _Template:
    """Reads one template. ``blocks`` are those that templates extending this one have filled."""

    def __init__(
        self,
        source: Mapped,
        include: Include,
        syntax: Mapping[str, object],
        blocks: dict[str, list[Part]],
        depth: int,
    ) -> None:
        self.source = source
        self.include = include
        self.syntax = syntax
        self.blocks = blocks
        self.depth = depth
        self.pieces: Sequence[Piece] = ()
        self.position = 0
        self.loops: dict[str, Tag] = {}
        self.defined: dict[str, list[Part]] = {}
        """Parts of macros and of variables set by a block, by their name."""
        self.extended: str | None = None

    def read(self) -> list[Part]:
        self.pieces = tuple(pieces(self.source.text, self.syntax))
        found = self.body((), maybe=False)
        if self.position < len(self.pieces):
            found.append(Hole("...", "unknown"))
        if self.extended is None:
            return found
        parent = self.template(self.extended)
        if parent is not None:
            return parent.read()
        return [Hole(f"extends {self.extended}", "unknown"), *found]

    def template(self, expression: str) -> _Template | None:
        """The template that a quoted name stands for, where it is in reach."""
        if self.depth >= MOST_INCLUDES or expression[:1] not in "'\"" or "," in expression:
            return None
        document = self.include(expression.strip("'\""))
        if document is None:
            return None
        return _Template(mapped(document), self.include, self.syntax, self.blocks, self.depth + 1)

    def body(self, ends: tuple[str, ...], maybe: bool) -> list[Part]:
        """The parts up to one of the tags ``ends``, which is taken too."""
        found: list[Part] = []
        while self.position < len(self.pieces) and len(found) < MOST_PARTS:
            piece = self.pieces[self.position]
            self.position += 1
            match piece:
                case Text(start=start, end=end):
                    if end > start:
                        found.append(self.source.literal(start, end, maybe))
                case Tag(block=False):
                    found.extend(self.printed(piece, maybe))
                case Tag(name=name) if name in ends:
                    break
                case Tag():
                    found.extend(self.statement(piece, maybe))
        return found

    def statement(self, tag: Tag, maybe: bool) -> list[Part]:
        """What a block tag and all up to its end prints."""
        name = tag.name
        ends = (f"end{name}",)
        match name:
            case "for":
                return self.loop(tag)
            case "set":
                if not any(word.text == "=" for word in tag.words):
                    self.defined[_word(tag, 1)] = self.body(ends, maybe)
            case "macro":
                self.defined[_word(tag, 1)] = self.body(ends, maybe=True)
            case "block":
                block = _word(tag, 1)
                inner = self.body(ends, maybe)
                return self.blocks.setdefault(block, inner)
            case "include":
                return self.included(tag, maybe)
            case "extends":
                self.extended = self.expression(tag.words[1:])
            case _ if name in _OPTIONAL:
                return self.body(ends, maybe=True)
            case "filter":
                return [_unmapped(part) for part in self.body(ends, maybe)]
            case _ if name in _TRANSPARENT:
                return self.body(ends, maybe)
        return []

    def loop(self, tag: Tag) -> list[Part]:
        names = []
        for word in tag.words[1:]:
            if word.text == "in":
                break
            if word.kind == "name":
                names.append(word.text)
        outer = {name: self.loops.get(name) for name in names}
        self.loops.update(dict.fromkeys(names, tag))
        found = self.body(("endfor",), maybe=True)
        for name, before in outer.items():
            if before is None:
                self.loops.pop(name, None)
            else:
                self.loops[name] = before
        return found

    def included(self, tag: Tag, maybe: bool) -> list[Part]:
        expression = self.expression(tag.words[1:])
        template = self.template(expression)
        if template is None:
            return [Hole(f"include {expression}", "unknown", self.place(tag))]
        template.blocks = {}
        try:
            parts = template.read()
        except TemplateError:
            return [Hole(f"include {expression}", "unknown", self.place(tag))]
        return [_optional(part) for part in parts] if maybe else parts

    def printed(self, tag: Tag, maybe: bool) -> list[Part]:
        """What ``{{ ... }}`` prints."""
        words = tag.words
        if not words:
            return []
        first = words[0]
        if len(words) == 1 and first.kind == "string":
            return [self.quoted(first, maybe)]
        called = len(words) > 1 and words[1].text == "("
        if first.kind == "name" and first.text in self.defined and (len(words) == 1 or called):
            return [_optional(part) for part in self.defined[first.text]] if maybe else self.defined[first.text]
        if first.text == "super" and called:
            return []
        return [self.hole(tag)]

    def quoted(self, word: Word, maybe: bool) -> Literal:
        text = word.text[1:-1]
        if "\\" not in text:
            return self.source.literal(word.start + 1, word.end - 1, maybe)
        value = text.encode("ascii", "backslashreplace").decode("unicode-escape")
        return Literal(value, self.source.at(word.start, word.end), None, maybe)

    def hole(self, tag: Tag) -> Hole:
        first = tag.words[0]
        root = first.text if first.kind == "name" else None
        loop = self.loops.get(root) if root else None
        called = len(tag.words) > 1 and tag.words[1].text == "("
        origin: Origin = "unknown"
        name = root
        source: Location | None = None
        if root in _CLOCKS and (called or any(word.text == "(" for word in tag.words)):
            origin = "clock"
        elif loop is not None:
            origin = "loop"
            name = _iterated(loop)
            source = self.place(loop)
        elif called:
            origin, name = "call", None
        elif root is not None:
            origin = "argument"
        expression = self.expression(tag.words)
        return Hole(expression, origin, self.place(tag), self.transforms(tag.words), _bound(tag.words), source, name)

    def transforms(self, words: Sequence[Word]) -> tuple[Transform, ...]:
        """What filters and subscripts do to a value, in order."""
        found: list[Transform] = []
        for index, word in enumerate(words):
            before = words[index - 1].text if index else ""
            if word.kind == "name" and before == "|":
                if word.text == "tojson" and any(one.text == "indent" for one in words[index + 1 : index + 4]):
                    found.append(Transform("indent", self.place(word)))
                elif word.text in _FILTERS:
                    found.append(Transform(_FILTERS[word.text], self.place(word)))
            elif word.text == ":" and any(one.text == "[" for one in words[:index]):
                found.append(Transform("slice", self.place(word)))
        return tuple(found)

    def expression(self, words: Sequence[Word]) -> str:
        return self.source.text[words[0].start : words[-1].end] if words else ""

    def place(self, of: Tag | Word) -> Location:
        return self.source.at(of.start, of.end)


def _word(tag: Tag, index: int) -> str:
    return tag.words[index].text if index < len(tag.words) else ""


def _iterated(loop: Tag) -> str | None:
    """The name over whose value a loop goes."""
    texts = [word.text for word in loop.words]
    after = loop.words[texts.index("in") + 1 :] if "in" in texts else ()
    return next((word.text for word in after if word.kind == "name"), None)


def _bound(words: Sequence[Word]) -> int | None:
    """An upper bound in characters: ``x[:500]``, ``x | truncate(500)``."""
    texts = [word.text for word in words]
    for index, text in enumerate(texts[:-2]):
        number = texts[index + 2]
        if number.isascii() and number.isdigit() and len(number) < 10:
            if text == "[" and texts[index + 1] == ":" and texts[index + 3 : index + 4] == ["]"]:
                return int(number)
            if text == "truncate" and texts[index + 1] == "(" and index and texts[index - 1] == "|":
                return int(number)
    return None


def _optional(part: Part) -> Part:
    return replace(part, maybe=True) if isinstance(part, Literal) else part


def _unmapped(part: Part) -> Part:
    return replace(part, source_map=None) if isinstance(part, Literal) else part
