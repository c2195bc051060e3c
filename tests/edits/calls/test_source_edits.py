"""Edits of calls, dicts and lists: what is written, what is refused, and that nothing else changes."""

from __future__ import annotations

import ast
import io
import tokenize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.core.text import Document, Location, Span
from promptslim.edits.calls.additions import insert_item, insert_key, insert_keyword, remove_key
from promptslim.edits.calls.change import Change, checked
from promptslim.edits.calls.places import Gap, Set, argument, is_text, json_body, list_display
from promptslim.edits.calls.replacements import move_item, rename_key, rename_keyword, replace_value, wrap
from promptslim.edits.calls.source import Source, read


def source_of(text: str, path: str = "app.py", cell: int | None = None) -> Source:
    found = read(Document(path, text, cell))
    assert found is not None
    return found


def first(source: Source, kind: type[ast.AST]) -> ast.AST:
    return next(node for node in ast.walk(source.tree) if isinstance(node, kind))


def applied(source: Source, *changes: Change | None) -> str | None:
    edits = checked(source, changes)
    if edits is None:
        return None
    text = source.document.text
    for edit in reversed(edits):
        span = edit.location.span
        text = text[: span.start] + edit.text + text[span.end :]
    return text


def with_keyword(text: str) -> str | None:
    source = source_of(text)
    call = first(source, ast.Call)
    assert isinstance(call, ast.Call)
    return applied(source, insert_keyword(source, call, "cap", "9"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", "f(cap=9)"),
        ("f( )", "f(cap=9 )"),
        ("f(a)", "f(a, cap=9)"),
        ("f(a,)", "f(a, cap=9,)"),
        ("f((a))", "f((a), cap=9)"),
        ("(f)(a)", "(f)(a, cap=9)"),
        ("f(a=(\n    1\n))", "f(a=(\n    1\n), cap=9)"),
        ("f(a, *rest)", "f(a, *rest, cap=9)"),
        ("f(a=1, **rest)", "f(a=1, cap=9, **rest)"),
        ("f(**rest)", "f(**rest, cap=9)"),
        ("f(\n    a=1,\n)", "f(\n    a=1,\n    cap=9,\n)"),
        ("f(\n    a=1\n)", "f(\n    a=1,\n    cap=9\n)"),
        ("f(\n\ta=1)", "f(\n\ta=1,\n\tcap=9)"),
        ("f(\n    a=1,  # one\n)", "f(\n    a=1,  # one\n    cap=9,\n)"),
        ("f(\n    a=1  # one\n)", "f(\n    a=1,  # one\n    cap=9\n)"),
        ("f(\n    a=1,\n    # the rest\n    **rest,\n)", "f(\n    a=1,\n    cap=9,\n    # the rest\n    **rest,\n)"),
        ("f(\n    a=1, b=2\n)", "f(\n    a=1, b=2, cap=9\n)"),
        ("f(a, [\n    1,\n])", "f(a, [\n    1,\n], cap=9)"),
        ("f('Grüße 世界 😀')", "f('Grüße 世界 😀', cap=9)"),
        ("f('(', \"#\", a=')')", "f('(', \"#\", a=')', cap=9)"),
        ("f(a=1,\n  b=2)", "f(a=1,\n  b=2,\n  cap=9)"),
        ("f(  # why\n)", "f(cap=9  # why\n)"),
    ],
)
def test_a_keyword_stands_as_the_others_do(before: str, after: str) -> None:
    assert with_keyword(before) == after


@pytest.mark.parametrize("text", ["f(x for x in y)", "f(cap=1)", 'f"{g(1)!r:>{w}}"; f(cap=2)'])
def test_a_keyword_is_refused(text: str) -> None:
    source = source_of(text)
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call) and source.code(node).startswith("f")]
    assert applied(source, insert_keyword(source, calls[0], "cap", "9")) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{"k": 1}'),
        ("{'a': 1}", "{'a': 1, 'k': 1}"),
        ("{'a': (1), **b}", "{'a': (1), **b, 'k': 1}"),
        ('{\n    "a": [1],\n}', '{\n    "a": [1],\n    "k": 1,\n}'),
        ('{\n    "a": 1  # one\n}', '{\n    "a": 1,  # one\n    "k": 1\n}'),
    ],
)
def test_a_key_stands_as_the_others_do(before: str, after: str) -> None:
    source = source_of(before)
    display = first(source, ast.Dict)
    assert isinstance(display, ast.Dict)
    assert applied(source, insert_key(source, display, "k", "1")) == after
    again = source_of(after)
    grown = first(again, ast.Dict)
    assert isinstance(grown, ast.Dict)
    assert insert_key(again, grown, "k", "1") is None


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ('{"a": 1}', 0, "{}"),
        ('{"a": 1,}', 0, "{}"),
        ('{"a": 1, "b": 2}', 0, '{"b": 2}'),
        ('{"a": 1, "b": 2}', 1, '{"a": 1}'),
        ('{\n    "a": 1,\n    "b": 2,\n    "c": 3,\n}', 1, '{\n    "a": 1,\n    "c": 3,\n}'),
        ('{\n    "a": 1,\n    "b": 2\n}', 1, '{\n    "a": 1,\n}'),
        ('{\n    "a": 1,  # one\n    "b": 2,\n}', 0, None),
        ('{"a": 1, **b}', 0, None),
    ],
)
def test_a_key_is_taken_out(before: str, key: int, after: str | None) -> None:
    source = source_of(before)
    display = first(source, ast.Dict)
    assert isinstance(display, ast.Dict)
    name = display.keys[key]
    assert name is not None
    assert applied(source, remove_key(source, display, name)) == after


@pytest.mark.parametrize(
    ("before", "place", "after"),
    [
        ("[a, b]", 1, "[a, new, b]"),
        ("[a, b]", 2, "[a, b, new]"),
        ("[]", 0, "[new]"),
        ("[\n    a,  # one\n    b,\n]", 1, "[\n    a,  # one\n    new,\n    b,\n]"),
    ],
)
def test_an_item_stands_as_the_others_do(before: str, place: int, after: str) -> None:
    source = source_of(before)
    display = first(source, ast.List)
    assert isinstance(display, ast.List)
    assert applied(source, insert_item(source, display, place, "new")) == after


def test_an_item_moves_behind_the_last_one() -> None:
    source = source_of("x = [\n    {'a': 1},\n    (b),\n    c,\n]\n")
    display = first(source, ast.List)
    assert isinstance(display, ast.List)
    assert applied(source, move_item(source, display, 0)) == "x = [\n    (b),\n    c,\n    {'a': 1},\n]\n"
    assert move_item(source, display, 2) is None
    noted = source_of("x = [a,  # first\n     b]")
    other = first(noted, ast.List)
    assert isinstance(other, ast.List)
    assert move_item(noted, other, 0) is None


def test_names_and_values_change_in_their_place() -> None:
    source = source_of('f(old = 1, other={\'key\': 2, "b": u"3"})')
    call, display = first(source, ast.Call), first(source, ast.Dict)
    assert isinstance(call, ast.Call)
    assert isinstance(display, ast.Dict)
    key = display.keys[0]
    assert key is not None
    changes = (
        rename_keyword(source, call.keywords[0], "new"),
        rename_key(source, key, "name"),
        replace_value(source, display.values[1], "[4]"),
    )
    assert applied(source, *changes) == "f(new = 1, other={'name': 2, \"b\": [4]})"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(a=x)", "f(a=[x])"),
        ("f(a=(x))", "f(a=[(x)])"),
        ("f(a = (  # why\n  x\n  ), b=1)", "f(a = [(  # why\n  x\n  )], b=1)"),
        ("f(a='''\n)\n''')", "f(a=['''\n)\n'''])"),
        ("f(a=yes if no else never)", "f(a=[yes if no else never])"),
    ],
)
def test_a_value_is_wrapped_with_its_parentheses(before: str, after: str) -> None:
    source = source_of(before)
    call = first(source, ast.Call)
    assert isinstance(call, ast.Call)
    keyword = call.keywords[0]
    low = source.span(keyword).start + len(keyword.arg or "")
    assert applied(source, wrap(source, keyword.value, low, source.span(call).end - 1, "[", "]")) == after


def test_an_edit_that_says_something_else_is_refused() -> None:
    source = source_of("x = f(a)\ny = 2\n")
    call = first(source, ast.Call)
    honest = insert_keyword(source, call, "cap", "9")  # type: ignore[arg-type]
    assert honest is not None
    assert checked(source, [honest]) is not None
    assert checked(source, [honest, None]) is None
    assert checked(source, []) is None
    for text in (", cap=8", ", cap=9)+g(", ", cap=9", ", b, cap=9", ", cap=9)\nz = (3"):
        lying = Change((source.edit(7, 7, text),), honest.swaps)
        assert (checked(source, [lying]) is None) == (text != ", cap=9")
    unsaid = Change((*honest.edits, source.edit(len("x = f(a)\ny = "), len("x = f(a)\ny = 2"), "3")), honest.swaps)
    assert checked(source, [unsaid]) is None


@pytest.mark.filterwarnings("error")
def test_odd_escapes_of_the_source_say_nothing() -> None:
    assert with_keyword("f('\\d', a='\\(')") == "f('\\d', a='\\(', cap=9)"


def test_a_notebook_cell_with_magics_is_edited_in_place() -> None:
    text = "%pip install boto3\n!ls\nanswer = ask(\n    x\n)\n"
    source = source_of(text, "n.ipynb", 3)
    call = first(source, ast.Call)
    assert isinstance(call, ast.Call)
    assert applied(source, insert_keyword(source, call, "cap", "9")) == text.replace("    x\n", "    x,\n    cap=9\n")


def test_what_is_no_python_has_no_source() -> None:
    assert read(Document("a.md", "f()")) is None
    assert read(Document("a.py", "f(")) is None


PLACES = """
import json
CONFIG = {"t": 0}
LATER = {"t": 0}
LATER["config"] = {"cap": 1}
GROWS = {"t": 0}
GROWS.update(other)
if x:
    TWICE = {}
else:
    TWICE = {"cap": 1}
BLOCKS = [{"text": TEXT}]
TEXT = "a" * 9

class Client:
    def __init__(self):
        self.settings = dict(t=0)
    def ask(self, given):
        body = {"messages": given}
        payload = json.dumps(body).encode()
        f(a=CONFIG, b=LATER, c=GROWS, d=TWICE, e=given, f=self.settings, g={**CONFIG}, h=payload, i=BLOCKS, j=TEXT)
"""


def test_arguments_are_followed_through_names_that_are_bound_once() -> None:
    source = source_of(PLACES)
    call = next(one for one in ast.walk(source.tree) if isinstance(one, ast.Call) and source.code(one.func) == "f")
    values = {keyword.arg: keyword.value for keyword in call.keywords}

    def at(*path: str) -> str | None:
        found = argument(source, call, path)
        match found:
            case Gap(owner=owner, path=rest):
                return f"{source.code(owner)} lacks {'.'.join(rest)}"
            case Set(value=value):
                return source.code(value)
            case _:
                return None

    assert at("a", "cap") == '{"t": 0} lacks cap'
    assert at("a", "t") == "0"
    assert at("b", "config", "cap") == "1"
    assert at("c", "cap") is None
    assert at("d", "cap") is None
    assert at("e", "cap") is None
    assert at("f", "cap") == "dict(t=0) lacks cap"
    assert at("g", "t") == "0"
    assert at("z", "cap", "x") is not None
    body = json_body(source, values["h"])
    assert body is not None
    assert source.code(body) == "body"
    blocks = list_display(source, values["i"])
    assert blocks is not None
    assert source.code(blocks) == '[{"text": TEXT}]'
    assert is_text(source, values["j"])
    assert not is_text(source, values["i"])
    assert not is_text(source, values["e"])


NAMES = st.sampled_from(["a", "b_", "größe"])
VALUES = st.sampled_from(
    ["1", "'x, # ('", '"""a\n)"""', "(y)", "(\n  z  # (\n)", "[1,\n 2]", "g(h)", "{'k': 'ü'}", "not w"]
)
GAPS = st.sampled_from(["", " ", "\n    ", "  # note, (\n    ", " \\\n  "])


@st.composite
def calls(draw: st.DrawFn) -> str:
    text = "call("
    names = draw(st.lists(NAMES, unique=True, max_size=3))
    for index, name in enumerate(names):
        text += draw(GAPS) + f"{name}={draw(VALUES)}" + draw(GAPS)
        if index + 1 < len(names) or draw(st.booleans()):
            text += ","
    return "x = 1\n" + text + draw(GAPS) + ")\ny = 2\n"


def tokens(text: str) -> list[str]:
    return [one.string for one in tokenize.generate_tokens(io.StringIO(text).readline) if one.string.strip()]


@given(calls())
def test_a_keyword_more_leaves_every_other_token(text: str) -> None:
    changed = with_keyword(text)
    assert changed is not None
    before, after = ast.parse(text), ast.parse(changed)
    calls = [next(node for node in ast.walk(tree) if isinstance(node, ast.Call)) for tree in (before, after)]
    assert [one.arg for one in calls[1].keywords] == [*(one.arg for one in calls[0].keywords), "cap"]
    rest = iter(tokens(changed))
    assert all(token in rest for token in tokens(text))
    added = len(tokens(changed)) - len(tokens(text))
    assert added in (3, 4)
    assert with_keyword(changed) is None


@given(calls())
def test_locations_lead_back_to_their_nodes(text: str) -> None:
    source = source_of(text)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            span = source.span(node)
            location = Location(source.document, Span(span.start, span.end))
            assert source.node(location, ast.Call) is node
            assert ast.dump(ast.parse(location.text, mode="eval").body) == ast.dump(node)
