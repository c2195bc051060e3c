"""Edits of notebook cells: the JSON changes in the lines of source that are edited and nowhere else."""

from __future__ import annotations

import ast
import json
from difflib import SequenceMatcher

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.core.text import Document, Edit, Location, Span
from promptslim.edits.apply import OutdatedError, apply_edits
from promptslim.edits.checked import problem
from promptslim.extract.notebook import notebook_module

SOURCES = st.text(st.sampled_from('ab\n"\\é😀/\t '), max_size=20)
OUTPUT = {"output_type": "stream", "name": "stdout", "text": ["source\n", "\u00e9", '"cells"']}


def book_of(sources: list[str], listed: bool, extra: str) -> dict[str, object]:
    cells = []
    for source in sources:
        cells.append({"cell_type": "markdown", "source": ["# t\n"], "metadata": {}})
        lines = source.splitlines(keepends=True) if "\x0c" not in source else [source]
        cells.append(
            {
                "outputs": [OUTPUT],
                "cell_type": "code",
                "source": lines if listed else source,
                "metadata": {"source": extra, "z": 1.50},
                "execution_count": None,
            }
        )
    return {"metadata": {"b": extra, "a": 1}, "cells": cells, "nbformat": 4, "nbformat_minor": 5}


def dumped(book: dict[str, object], indent: int | None, ascii_only: bool, end: str) -> str:
    return json.dumps(book, indent=indent, ensure_ascii=ascii_only) + end


def code_of(source: str) -> str:
    """The syntax of a source, its texts left out."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(SOURCES, min_size=1, max_size=3),
    st.booleans(),
    st.sampled_from([None, 1, 4]),
    st.booleans(),
    st.sampled_from(["", "\n"]),
    st.data(),
)
def test_only_the_source_changes(
    sources: list[str], listed: bool, indent: int | None, ascii_only: bool, end: str, data: st.DataObject
) -> None:
    text = dumped(book_of(sources, listed, "é"), indent, ascii_only, end)
    number = data.draw(st.integers(0, len(sources) - 1))
    source = sources[number]
    if not source:
        return
    document = Document("n.ipynb", source, 2 * number + 1)
    spans = data.draw(st.lists(st.tuples(st.integers(0, len(source)), st.integers(0, 5), SOURCES), max_size=3))
    edits: list[Edit] = []
    position = -1
    for start, size, content in sorted(spans):
        stop = min(start + size, len(source))
        if start > position:
            edits.append(Edit(Location(document, Span(start, stop)), content))
            position = stop
    wanted = source
    for one in reversed(edits):
        wanted = wanted[: one.location.span.start] + one.text + wanted[one.location.span.end :]
    changed = apply_edits("n.ipynb", text, edits)
    expected = list(sources)
    expected[number] = wanted
    book = json.loads(changed)
    found = ["".join(cell["source"]) for cell in book["cells"][1::2]]
    assert found == expected
    for cell in book["cells"]:
        cell["source"] = ""
    original = json.loads(text)
    for cell in original["cells"]:
        cell["source"] = ""
    assert list(map(str, book["cells"])) == list(map(str, original["cells"]))
    if listed and indent and wanted:
        # As the usual writer of notebooks would have written it.
        assert changed == dumped(book_of(expected, listed, "é"), indent, ascii_only, end)
    if edits:
        reason = problem("n.ipynb", text, changed, edits)
        if reason is not None and "more than the text would change" in reason:
            # What was drawn closed a quote: the code around the strings is really another one.
            assert code_of(source) != code_of(wanted)
        else:
            assert reason is None or "would not parse" in reason


RAW = """{
 "cells": [
  {
   "cell_type": "code",
   "metadata": {},
   "outputs": [ {"text": "a\\/b"} ],
   "source": [
    "# caf\\u00e9 \\/ \\u003c\\n",
    "x = 'one two'\\n",
    "\\n",
    "y = 1"
   ]
  }
 ],
 "metadata": { },   "nbformat": 4
}
"""


def cell_of(raw: str) -> Document:
    return notebook_module("n.ipynb", raw).parts[0][1]


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        ("two", "2", "one two", "one 2"),
        ("\n\ny", "\ny", '    "\\n",\n', ""),
        ("x = 'one two'\n", "", "    \"x = 'one two'\\n\",\n", ""),
        ("y = 1", "y = 1\nz = 2", '"y = 1"', '"y = 1\\n",\n    "z = 2"'),
        ("\n\ny = 1", "", 'two\'\\n",\n    "\\n",\n    "y = 1"', "two'\""),
    ],
)
def test_lines_that_stay_keep_their_bytes(old: str, new: str, before: str, after: str) -> None:
    document = cell_of(RAW)
    start = document.text.index(old)
    edits = [Edit(Location(document, Span(start, start + len(old))), new)]
    assert apply_edits("n.ipynb", RAW, edits) == RAW.replace(before, after)


def test_text_of_another_cell_is_refused() -> None:
    document = Document("n.ipynb", "x = 1", 0)
    with pytest.raises(OutdatedError, match="cell 0 has changed"):
        apply_edits("n.ipynb", RAW, [Edit(Location(document, Span(0, 1)), "")])
    with pytest.raises(OutdatedError, match="cell 7"):
        apply_edits("n.ipynb", RAW, [Edit(Location(Document("n.ipynb", "x", 7), Span(0, 1)), "")])


def test_characters_outside_the_edit_match() -> None:
    document = cell_of(RAW)
    start = document.text.index("one")
    changed = apply_edits("n.ipynb", RAW, [Edit(Location(document, Span(start, start + 4)), "")])
    kept = sum(size for *_, size in SequenceMatcher(None, RAW, changed, autojunk=False).get_matching_blocks())
    assert kept == len(changed) == len(RAW) - 4
