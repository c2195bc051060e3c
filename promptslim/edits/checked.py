"""Before and after: whether edits of a file, and of the prompts in it, did what they say and nothing else."""

from __future__ import annotations

import ast
import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

from promptslim.core.prompt import Hole, Literal, Prompt
from promptslim.core.text import Document, Edit, Fix, Span
from promptslim.edits.apply import Where, after, new_places, where_of
from promptslim.extract.python.module import parse

_CODE = (".py", ".pyi", ".ipynb")
_DATA = (".json", ".toml", ".yaml", ".yml")
_TEMPLATES = (".j2", ".jinja", ".jinja2")
_NEW_LINE = re.compile(r"\n[ \t]+")


def is_text(edit: Edit) -> bool:
    """Whether an edit changes text inside one string (or in a file that is no code), not code; the expression in a
    field of an f-string is code."""
    document, span = edit.location.document, edit.location.span
    if document.cell is None and _suffix(document.path) not in _CODE:
        return True
    from promptslim.edits.source.python import string_holder

    holder = string_holder(document, span.start)
    if holder is None or not (holder.start <= span.start and span.end <= holder.end):
        return False
    return not any(start <= span.start and span.end <= end for start, end in holder.expressions())


def problem(path: str, before: str, changed: str, edits: Sequence[Edit]) -> str | None:
    """What is wrong with the new text of a file (a notebook: its JSON); None where nothing is.

    Source still parses, and where only text in strings was edited, nothing else in its tree differs. Data files hold
    the same data but for the strings that were edited, templates are still templates, and of a notebook only the
    source of the edited cells differs. A file that did not parse before need not parse afterwards.
    """
    suffix = _suffix(path)
    if suffix == ".ipynb":
        return _notebook_problem(before, changed, edits)
    if suffix in _CODE:
        return _source_problem(before, changed, edits)
    if suffix in _DATA:
        return _data_problem(Document(path, before), Document(path, changed), edits)
    return _template_problem(before, changed) if suffix in _TEMPLATES else None


def _suffix(path: str) -> str:
    return posixpath.splitext(path)[1].lower()


def _source_problem(before: str, changed: str, edits: Sequence[Edit]) -> str | None:
    old, _ = parse(before)
    if old is None:
        return None
    new, (line, message) = parse(changed)
    if new is None:
        return f"the file would not parse any more (line {line}: {message})"
    if all(map(is_text, edits)) and not _Trees(before, edits).same(old, new, touched=False):
        return "more than the text would change"
    return None


class _Trees:
    """Compares trees of a source before and after edits inside its strings."""

    def __init__(self, before: str, edits: Sequence[Edit]) -> None:
        self.document = Document("", before)
        self.spans = [edit.location.span for edit in edits]

    def same(self, old: object, new: object, *, touched: bool) -> bool:
        """Whether two nodes are equal but for the text of edited strings; ``touched``: they stand in such a one."""
        if isinstance(old, ast.JoinedStr) and isinstance(new, ast.JoinedStr):
            touched = touched or self._edited(old)
            return (touched and self._same_fields(old, new)) or self._equal(old, new, touched=False)
        if isinstance(old, ast.Constant) and isinstance(new, ast.Constant):
            if isinstance(old.value, str) and isinstance(new.value, str):
                return old.value == new.value or touched or self._edited(old)
            return repr(old.value) == repr(new.value)
        return self._equal(old, new, touched=touched)

    def _equal(self, old: object, new: object, *, touched: bool) -> bool:
        if type(old) is not type(new):
            return False
        if isinstance(old, ast.AST):
            names = (name for name in old._fields if name != "kind")
            return all(self.same(getattr(old, name, None), getattr(new, name, None), touched=touched) for name in names)
        if isinstance(old, list) and isinstance(new, list):
            return len(old) == len(new) and all(
                self.same(one, other, touched=touched) for one, other in zip(old, new, strict=True)
            )
        return repr(old) == repr(new)

    def _same_fields(self, old: ast.JoinedStr, new: ast.JoinedStr) -> bool:
        """Whether the fields of two f-strings are the same; texts between them may come and go."""
        pairs = zip_longest(
            (value for value in old.values if not isinstance(value, ast.Constant)),
            (value for value in new.values if not isinstance(value, ast.Constant)),
        )
        return all(self.same(one, other, touched=True) for one, other in pairs)

    def _edited(self, node: ast.expr) -> bool:
        start = self._offset(node.lineno, node.col_offset)
        end = self._offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
        return any(start <= span.start and span.end <= end for span in self.spans)

    def _offset(self, line: int, column: int) -> int:
        start = self.document.line_starts()[line - 1]
        return start + len(self.document.line(line).encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))


def _notebook_problem(before: str, changed: str, edits: Sequence[Edit]) -> str | None:
    by_cell: dict[int, list[Edit]] = {}
    for edit in edits:
        by_cell.setdefault(-1 if edit.location.cell is None else edit.location.cell, []).append(edit)
    try:
        old, new = json.loads(before), json.loads(changed)
        cells = [book["cells"] if "cells" in book else book["worksheets"][0]["cells"] for book in (old, new)]
        for number, wanted in by_cell.items():
            key = "source" if "source" in cells[0][number] else "input"
            document = wanted[0].location.document
            source = _joined(cells[1][number].pop(key))
            if _joined(cells[0][number].pop(key)) != document.text or source != after(document, wanted).text:
                return f"cell {number} would not read what it should"
            if message := _cell_problem(document.text, source, wanted):
                return f"cell {number}: {message}"
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return "the notebook would not be valid any more"
    return None if old == new else "more than the edited cells would change"


def _joined(source: object) -> str:
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _cell_problem(before: str, changed: str, edits: Sequence[Edit]) -> str | None:
    from promptslim.extract.notebook import without_magics

    return _source_problem(without_magics(before), without_magics(changed), edits)


def _data_problem(before: Document, changed: Document, edits: Sequence[Edit]) -> str | None:
    from promptslim.edits.source.data import contents, text_at

    old = contents(before)
    if old is None:
        return None
    new = contents(changed)
    if new is None:
        return "the file would not be valid any more"
    held = [text_at(before, edit.location.span.start) for edit in edits]
    inside = [
        value is not None and edit.location.span.end <= value.location.span.end
        for edit, value in zip(edits, held, strict=True)
    ]
    if not all(inside):
        return None  # the file is sent as it is: its text is the prompt
    places = {value.location.span.start for value in held if value is not None}
    one = [(path, None if place in places else value) for path, value, place in old]
    other = [
        (path, None if place in places else value) for (path, value, _), (_, _, place) in zip(new, old, strict=False)
    ]
    return None if one == other and len(old) == len(new) else "more than the text would change"


def _template_problem(before: str, changed: str) -> str | None:
    from promptslim.extract.files.jinja_tokens import TemplateError, check_syntax

    try:
        check_syntax(before, {})
    except TemplateError:
        return None
    try:
        check_syntax(changed, {})
    except TemplateError as error:
        return str(error)
    return None


def touches(prompt: Prompt, edits: Iterable[Edit]) -> bool:
    """Whether one of the edits changes text that a prompt sends (blank space in its source included)."""
    places = [(where_of(edit), edit.location.span) for edit in edits]
    for part in prompt.parts:
        if not isinstance(part, Literal) or part.location is None or not part.source_map:
            continue
        where = part.location.path, part.location.cell
        first, last = part.source_map[0], part.source_map[-1]
        for place, span in places:
            if place == where and span.start <= last and span.end >= first:
                inside = span.start == span.end or any(span.start <= n < span.end for n in part.source_map[:-1])
                if inside:
                    return True
    return False


def changed_otherwise(before: Sequence[Prompt], now: Sequence[Prompt], fixes: Iterable[Fix]) -> list[Prompt]:
    """Prompts of ``before`` that do not read, ``now``, as edits inside strings alone should make them read. Of a prompt
    that is sent in several versions one has to.

    Blank space at the beginning and end of a prompt, and at the beginning of inserted lines, is not compared: code
    may strip or dedent the text.
    """
    edits = {(where_of(edit), edit.location.span, edit.text): edit for fix in fixes for edit in fix.edits}
    inserted = _Inserted(list(edits.values()))
    later: dict[tuple[Where, int], list[Prompt]] = {}
    for prompt in now:
        later.setdefault((_where(prompt), prompt.location.span.start), []).append(prompt)
    found: list[Prompt] = []
    for prompt in before:
        place = _where(prompt), inserted.place(_where(prompt), prompt.location.span.start)
        if not any(_agrees(prompt, version, inserted) for version in later.get(place, ())):
            found.append(prompt)
    return found


def _where(prompt: Prompt) -> Where:
    return prompt.location.path, prompt.location.cell


def _agrees(before: Prompt, now: Prompt, inserted: _Inserted) -> bool:
    found = _flat(now)
    untouched = _flat(before)
    wanted = "".join(inserted.read(part) if isinstance(part, Literal) else _sign(part) for part in before.parts)
    candidates = (
        (wanted, wanted.replace("{{", "{").replace("}}", "}").replace("%%", "%")) if inserted.signs else (wanted,)
    )
    if wanted == untouched:
        return found == untouched
    return _loose(found) in map(_loose, candidates)


def _flat(prompt: Prompt) -> str:
    return "".join(part.text if isinstance(part, Literal) else _sign(part) for part in prompt.parts)


def _sign(part: object) -> str:
    return f"\0{part.expression}\0" if isinstance(part, Hole) else ""


def _loose(text: str) -> str:
    return _NEW_LINE.sub("\n", text.strip())


class _Inserted:
    """The edits of a round by document, with the texts that are read where they stand afterwards."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self.signs = any(char in edit.text for edit in edits for char in "{}%")
        self._edits: dict[Where, list[tuple[int, int, str]]] = {}
        self._shifts: dict[Where, list[tuple[Span, int]]] = {}
        by_document: dict[Where, list[Edit]] = {}
        for edit in edits:
            by_document.setdefault(where_of(edit), []).append(edit)
        for where, some in by_document.items():
            some.sort(key=lambda edit: edit.location.span)
            changed = after(some[0].location.document, some)
            self._edits[where] = [
                (edit.location.span.start, edit.location.span.end, read_between(changed, *place))
                for edit, place in zip(some, new_places(some), strict=True)
            ]

            self._shifts[where] = [(edit.location.span, len(edit.text)) for edit in some]

    def place(self, where: Where, offset: int) -> int:
        """Where what stood at an offset, apart from the edits, stands afterwards."""
        shifts = self._shifts.get(where, ())
        return offset + sum(size - (span.end - span.start) for span, size in shifts if span.start < offset >= span.end)

    def read(self, part: Literal) -> str:
        """The text of a literal after the edits."""
        places = part.source_map
        edits = self._edits.get((part.location.path, part.location.cell), ()) if part.location is not None else ()
        if places is None or not edits or not part.text:
            return part.text
        found: list[str] = []
        index = 0
        for start, end, content in edits:
            if end < places[0] or start > places[-1]:
                continue
            while index < len(part.text) and places[index] < start:
                found.append(part.text[index])
                index += 1
            if places[0] <= start and (index < len(part.text) or start <= places[-1]):
                found.append(content)
            while index < len(part.text) and places[index] < end:
                index += 1
        return "".join((*found, part.text[index:]))


def read_between(document: Document, start: int, end: int) -> str:
    """The characters that are read from ``start``..``end`` of a document, where a string stands there."""
    if start == end:
        return ""
    if document.cell is not None or _suffix(document.path) in _CODE:
        from promptslim.edits.source.python import string_holder

        holder = string_holder(document, start)
        pairs: Iterator[tuple[int, str]] = iter(holder.characters()) if holder is not None else iter(())
    elif _suffix(document.path) in _DATA:
        from promptslim.edits.source.data import text_at

        value = text_at(document, start)
        if value is None or value.source_map is None:
            return document.text[start:end]
        pairs = zip(value.source_map, value.text, strict=False)
    else:
        return document.text[start:end]
    return "".join(char for place, char in pairs if start <= place < end)


def mapping_of(fixes: Iterable[Fix]) -> Mapping[str, list[Edit]]:
    """The edits of fixes by path."""
    found: dict[str, list[Edit]] = {}
    for fix in fixes:
        for edit in fix.edits:
            found.setdefault(edit.location.path, []).append(edit)
    return found
