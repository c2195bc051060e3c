"""An edit that does more than it says is noticed."""

from __future__ import annotations

import pytest

from promptslim.core.prompt import Literal, Prompt
from promptslim.core.text import Document, Edit, Location, Span
from promptslim.edits.apply import edited
from promptslim.edits.checked import is_text, problem, touches


def edit(path: str, source: str, old: str, new: str) -> Edit:
    start = source.index(old)
    return Edit(Location(Document(path, source), Span(start, start + len(old))), new)


CASES = [
    ("a.py", "x = 'a b'\ny = 1\n", "a b", "a", None),
    ("a.py", "x = 'a b'\ny = 1\n", "b", "'", "would not parse"),
    ("a.py", "x = 'a b'; y = 'c'\n", "b", "' + '", "more than the text"),
    ("a.py", "x = f'a {y} b'\n", "a", "{z}", "more than the text"),
    ("a.py", "x = f'a {y} b'\n", "a ", "", None),
    ("a.py", "x = f'{y:>3} b'\n", " b", "", None),
    ("a.py", "x = f'{y} b'\n", "b", "{y}", "more than the text"),
    ("a.py", "broken = (\nx = 'a'\n", "a", "''", None),
    ("a.yaml", "a: one two\nb: 1\n", " two", "", None),
    ("a.yaml", "a: one two\nb: 1\n", "two", "two\nc: 1", "more than the text"),
    ("a.yaml", "a: one two\nb: 1\n", "one two", '"', "would not be valid"),
    ("a.toml", "a = 'one two'\n", "two", "'", "would not be valid"),
    ("a.toml", "a = 'one two'\n", "two", "", None),
    ("a.json", '{"a": "one two", "b": 1}', "two", '","c":"', "more than the text"),
    ("a.json", '{"a": "one two", "b": 1}', "two", '"', "would not be valid"),
    ("a.j2", "a {% if x %}b{% endif %}", "b", "{% endif", "broken Jinja template"),
    ("a.j2", "a {% if x %}b{% endif %}", "b", "", None),
    ("a.md", "anything", "any", "{% {{", None),
]


@pytest.mark.parametrize(("path", "source", "old", "new", "wanted"), CASES)
def test_problem(path: str, source: str, old: str, new: str, wanted: str | None) -> None:
    one = edit(path, source, old, new)
    found = problem(path, source, edited(source, [one]), [one])
    if wanted is None:
        assert found is None
    else:
        assert found is not None
        assert wanted in found


def test_code_may_change_its_tree() -> None:
    source = "call(a)\n"
    one = edit("a.py", source, ")", ", b=1)")
    assert not is_text(one)
    assert problem("a.py", source, edited(source, [one]), [one]) is None
    assert is_text(edit("a.py", "x = 'a b'  # a\n", "b", ""))
    assert not is_text(edit("a.py", "x = 'a b'  # c\n", "c", ""))
    assert not is_text(edit("a.py", "x = 'a b'\n", "b'", ""))


def test_touches() -> None:
    source = "x = 'a b'\ny = 1\n"
    place = Location(Document("a.py", source), Span(4, 9))
    prompt = Prompt("p", "system", (Literal("a b", place, range(5, 9)),), place, place)
    assert touches(prompt, [edit("a.py", source, "b", "")])
    assert not touches(prompt, [edit("a.py", source, "y", "z")])
    assert not touches(prompt, [edit("b.py", source, "b", "")])
