"""String literals against the interpreter: the same text, and every character where it is written."""

from __future__ import annotations

import ast
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.extract.python.literals import Field, Fixed, string_pieces

pytestmark = pytest.mark.filterwarnings("ignore:invalid:DeprecationWarning", "ignore:invalid:SyntaxWarning")

QUOTES = ("'", '"', "'''", '"""')
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00") | st.sampled_from("\n\\'\"{}aN\t")
SIMPLE = {"\n": "\\n", "\t": "\\t", "\\": "\\\\", "'": "\\'", '"': '\\"', "\a": "\\a", "\x0b": "\\v"}
EXPRESSIONS = ("name", "a.b", "rows[0]", "f(x, y=1)", "d['k']", "(1 if a else 2)", "a != b", "a <= b", "{1, 2}", " x ")


def escapes(character: str) -> list[str]:
    """Ways to write a character with an escape."""
    code = ord(character)
    ways = [f"\\U{code:08x}"]
    if character in SIMPLE:
        ways.append(SIMPLE[character])
    if code < 256:
        ways += [f"\\x{code:02x}", f"\\{code:03o}"]
    if code < 65536:
        ways.append(f"\\u{code:04X}")
    name = unicodedata.name(character, "")
    return [*ways, f"\\N{{{name}}}"] if name else ways


@st.composite
def written(draw: st.DrawFn, quote: str, *, formatted: bool) -> tuple[str, list[int]]:
    """The inside of a literal, and where each character of its value starts in it."""
    source = ""
    starts: list[int] = []
    for character in draw(st.text(CHARACTERS, max_size=12)):
        if draw(st.integers(0, 19)) == 0:
            source += "\\\n"
        plain = character not in "\\\"'" and (character != "\n" or len(quote) == 3)
        starts.append(len(source))
        if plain and draw(st.booleans()):
            source += character * 2 if formatted and character in "{}" else character
        else:
            source += draw(st.sampled_from(escapes(character)))
    return source, starts


@st.composite
def tokens(draw: st.DrawFn) -> tuple[str, list[int | None]]:
    """Several string tokens one after the other, with the place of every character (None: a field)."""
    source = draw(st.sampled_from(["", "  "]))
    places: list[int | None] = []
    for _ in range(draw(st.integers(1, 4))):
        prefix = draw(st.sampled_from(["", "u", "U", "f", "F"]))
        quote = draw(st.sampled_from(QUOTES))
        source += prefix + quote
        for piece in range(draw(st.integers(1, 3))):
            if piece and prefix in ("f", "F"):
                places.append(None)
                inside = draw(st.sampled_from([e for e in EXPRESSIONS if "'" not in e or quote[0] == '"']))
                # A brace at the start of the expression would be read as an escaped one.
                inside = f" {inside}" if inside.startswith("{") else inside
                source += "{" + inside + draw(st.sampled_from(["", "!r", ":>4", "!s:{w}"])) + "}"
            body, starts = draw(written(quote, formatted=prefix in ("f", "F")))
            places += [len(source) + start for start in starts]
            source += body
        source += quote + draw(st.sampled_from([" ", "\n", " # 'note'\n", " \\\n"]))
    return source, places


def parts_of(node: ast.expr) -> list[str | None]:
    """Texts of the value as the interpreter has it, None for a field."""
    if isinstance(node, ast.Constant):
        return [str(node.value)] if node.value else []
    assert isinstance(node, ast.JoinedStr)
    return [str(value.value) if isinstance(value, ast.Constant) else None for value in node.values]


@settings(max_examples=400, deadline=None)
@given(tokens())
def test_text_and_places_are_those_of_the_interpreter(case: tuple[str, list[int | None]]) -> None:
    source, places = case
    tree = ast.parse(f"(\n{source}\n)", mode="eval").body
    pieces = string_pieces(source, 0, len(source))
    assert pieces is not None
    texts = [piece.text if isinstance(piece, Fixed) else None for piece in pieces]
    assert [text for text in texts if text != ""] == [text for text in parts_of(tree) if text != ""]
    found: list[int | None] = []
    for piece in pieces:
        if isinstance(piece, Fixed):
            assert len(piece.source_map) == len(piece.text) + 1
            found += piece.source_map[: len(piece.text)]
        else:
            assert source[piece.start] == "{"
            assert source[piece.end - 1] == "}"
            found.append(None)
    assert found == places


@settings(max_examples=200, deadline=None)
@given(
    st.text(CHARACTERS.filter(lambda c: c != "\n"), max_size=12), st.sampled_from(["r", "R", "rb", "b", "fr", "Rf", ""])
)
def test_any_literal_that_parses_is_read_right_or_not_at_all(body: str, prefix: str) -> None:
    source = f'{prefix}"{body}"'
    try:
        tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError):
        string_pieces(source, 0, len(source))
        return
    if not isinstance(tree, (ast.Constant, ast.JoinedStr)):
        return
    pieces = string_pieces(source, 0, len(source))
    if isinstance(tree, ast.Constant) and isinstance(tree.value, bytes):
        assert pieces is None
        return
    assert pieces is not None
    debug = any(isinstance(piece, Field) and piece.debug for piece in pieces)
    texts = [piece.text for piece in pieces if isinstance(piece, Fixed) and piece.text]
    assert debug or texts == [text for text in parts_of(tree) if text]


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("'\"{}\\fN=!:x#\n()[] "), max_size=30))
def test_no_text_breaks_the_reader(source: str) -> None:
    pieces = string_pieces(source, 0, len(source))
    for piece in pieces or ():
        if isinstance(piece, Fixed):
            assert len(piece.source_map) == len(piece.text) + 1


def test_a_hundred_thousand_tokens_are_one_text() -> None:
    source = "'ab\\n' " * 100_000
    (piece,) = string_pieces(source, 0, len(source)) or ()
    assert isinstance(piece, Fixed)
    assert piece.text == "ab\n" * 100_000
    assert piece.source_map[3] == 8


def test_the_name_of_the_field_is_where_it_is_written() -> None:
    source = 'f"Hi {user.name!r:>{width}} and {other}"'
    first, second = [piece for piece in string_pieces(source, 0, len(source)) or () if isinstance(piece, Field)]
    assert source[first.expression_start : first.expression_end] == "user.name"
    assert [source[f.expression_start : f.expression_end] for f in first.spec if isinstance(f, Field)] == ["width"]
    assert source[second.start : second.end] == "{other}"
