"""What counts as a window on a list of messages, and by which name a list is known."""

from __future__ import annotations

import ast

import pytest

from promptslim.extract.python.list_uses import is_window, key_of


def _expression(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


@pytest.mark.parametrize("source", ["m[-6:]", "m[:6]", "m[-k:]", "m[n:]", "m[len(m) - 4 :]", "m[2:8]"])
def test_a_slice_that_leaves_turns_out_is_a_window(source: str) -> None:
    node = _expression(source)
    assert isinstance(node, ast.Subscript)
    assert isinstance(node.slice, ast.Slice)
    assert is_window(node.slice)


@pytest.mark.parametrize("source", ["m[:]", "m[1:]", "m[:-1]", "m[::-1]", "m[-1:]"])
def test_a_slice_that_keeps_the_growth_is_none(source: str) -> None:
    node = _expression(source)
    assert isinstance(node, ast.Subscript)
    assert isinstance(node.slice, ast.Slice)
    assert not is_window(node.slice)


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("turns", "turns"),
        ("self.turns", "self.turns"),
        ("st.session_state['turns']", "st.session_state.turns"),
        ("st.session_state.get('turns', [])", "st.session_state.turns"),
        ("turns[0]", None),
        ("made()", None),
    ],
)
def test_a_list_is_known_by_its_name(source: str, key: str | None) -> None:
    assert key_of(_expression(source)) == key
