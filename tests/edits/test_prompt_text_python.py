"""An edit of prompt text in Python source changes exactly the intended characters."""

from __future__ import annotations

import ast
import textwrap

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from promptslim.core.prompt import Hole, Literal, Prompt
from promptslim.core.text import Document, Location, Span
from promptslim.edits.prompt_text import source_edits
from promptslim.extract.python.literals import Field, string_pieces

CHARACTERS = st.text(st.sampled_from("abc \n\t\"'\\{}%é€😀N0189x#"), max_size=12)
PREFIXES = st.sampled_from(["", "r", "R", "u", "f", "F", "rf", "fR"])
QUOTES = st.sampled_from(['"', "'", '"""', "'''"])


@st.composite
def tokens(draw: st.DrawFn) -> str:
    """A valid string token of any prefix and quote style, fields of f-strings included."""
    prefix, quote = draw(PREFIXES), draw(QUOTES)
    pieces = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["text", "escape", "field", "continuation"]))
        if kind == "text":
            pieces.append(draw(CHARACTERS))
        elif kind == "escape":
            pieces.append(
                draw(st.sampled_from(["\\n", "\\x41", "\\u20ac", "\\101", "\\N{DASH}", "\\\\", "\\'", "\\d"]))
            )
        elif kind == "field" and "f" in prefix.lower():
            pieces.append(draw(st.sampled_from(["{a}", "{a!r:>10}", "{ a + b }", "{{", "}}"])))
        elif len(quote) == 3:
            pieces.append("\\\n")
    token = prefix + quote + "".join(pieces) + quote
    try:
        tree = ast.parse(token, mode="eval").body
    except (SyntaxError, ValueError):
        return f'{prefix}"plain {draw(st.text("abc d", max_size=9))}"'
    return token if isinstance(tree, (ast.Constant, ast.JoinedStr)) else '"plain"'


@st.composite
def sources(draw: st.DrawFn) -> str:
    """One or more string tokens beside one another."""
    joints = st.sampled_from(["\n    ", " ", "  # a 'comment'\n    "])
    found = draw(st.lists(tokens(), min_size=1, max_size=3))
    text = found[0]
    for token in found[1:]:
        text += draw(joints) + token
    return f"x = [1, '{{']\nPROMPT = (\n    {text}\n)\ny = f'{{x}}'  # it's\n"


def prompt_of(source: str, cell: int | None = None) -> Prompt:
    document = Document("app.py" if cell is None else "a.ipynb", source, cell)
    start, end = source.index("PROMPT = (") + 10, source.rindex(")\ny")
    pieces = string_pieces(source, start, end)
    assert pieces is not None
    whole = Location(document, Span(start, end))
    parts = tuple(
        Hole("h", location=Location(document, Span(piece.start, piece.end)))
        if isinstance(piece, Field)
        else Literal(piece.text, whole, piece.source_map)
        for piece in pieces
    )
    return Prompt("app.py::PROMPT", "system", parts, whole, whole)


def shape(source: str) -> str:
    """The value of the prompt: its text with the trees of its fields."""
    value = ast.parse(source).body[1].value
    if isinstance(value, ast.Constant):
        return value.value
    return "".join(v.value if isinstance(v, ast.Constant) else f"<{ast.dump(v)}>" for v in value.values)


def applied(source: str, edits: tuple) -> str:
    for edit in sorted(edits, key=lambda one: one.location.span, reverse=True):
        source = source[: edit.location.span.start] + edit.text + source[edit.location.span.end :]
    return source


@settings(max_examples=500, deadline=None)
@given(sources(), st.data())
def test_edit_changes_the_intended_characters(source: str, data: st.DataObject) -> None:
    prompt = prompt_of(source)
    numbers = [n for n, part in enumerate(prompt.parts) if isinstance(part, Literal)]
    if not numbers:
        return
    number = data.draw(st.sampled_from(numbers))
    text = prompt.parts[number].text
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    replacement = data.draw(CHARACTERS)
    edits = source_edits(prompt, number, start, end, replacement)
    if edits is None:
        return
    changed = applied(source, edits)
    before, after = shape(source), shape(changed)
    offset = sum(
        len(part.text) if isinstance(part, Literal) else len(field)
        for part, field in zip(prompt.parts[:number], fields_of(source), strict=False)
    )
    assert before[offset : offset + len(text)] == text
    assert after == before[: offset + start] + replacement + before[offset + end :]
    assert ast.dump(ast.parse(changed).body[0]) == ast.dump(ast.parse(source).body[0])


def fields_of(source: str) -> list[str]:
    """For each part of the prompt what ``shape`` writes for it (the texts are not used)."""
    value = ast.parse(source).body[1].value
    if isinstance(value, ast.Constant):
        return [""]
    return ["" if isinstance(v, ast.Constant) else f"<{ast.dump(v)}>" for v in value.values]


@settings(max_examples=300, deadline=None)
@given(tokens(), st.data())
def test_deleting_plain_words_is_always_possible(token: str, data: st.DataObject) -> None:
    source = f"x = [1, '{{']\nPROMPT = (\n    {token} 'one two three'\n)\ny = 1\n"
    prompt = prompt_of(source)
    number = len(prompt.parts) - 1
    last = prompt.parts[number]
    # What is drawn may turn the rest of the line into a comment.
    assume(isinstance(last, Literal) and "two " in last.text)
    text = last.text
    at = text.rindex("two ")
    edits = source_edits(prompt, number, at, at + 4, "")
    assert edits is not None
    assert applied(source, edits) == source.replace("one two three'\n)", "one three'\n)")


DEDENTED = '''import textwrap
def run():
    text = textwrap.dedent("""\\
        First line.

        Please do this.
          - an item
        Last line. \\
        Goes on.
        """)
    return text
'''


def dedented_prompt() -> Prompt:
    from promptslim.extract.python.abstract import Text
    from promptslim.extract.python.texts import dedented

    document = Document("app.py", DEDENTED)
    start = DEDENTED.index('"""')
    end = DEDENTED.index('"""', start + 3) + 3
    (piece,) = string_pieces(DEDENTED, start, end)
    place = Location(document, Span(start, end))
    text = dedented(Text((Literal(piece.text, place, piece.source_map),), place))
    return Prompt("app.py::text", "system", text.parts, place, place)


def evaluated(source: str) -> str:
    space: dict[str, object] = {}
    exec(source, space)
    return space["run"]()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_edits_of_a_dedented_text(data: st.DataObject) -> None:
    prompt = dedented_prompt()
    text = prompt.parts[0].text
    assert text == evaluated(DEDENTED)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    replacement = data.draw(st.text("ab \n", max_size=6))
    edits = source_edits(prompt, 0, start, end, replacement)
    if edits is None:
        return
    wanted = text[:start] + replacement + text[end:]
    found = evaluated(applied(DEDENTED, edits))
    # dedent itself changes a text whose lines all begin with blanks, or that has lines of blanks only.
    if textwrap.dedent(wanted) == wanted:
        assert found == wanted


def test_whole_lines_of_a_dedented_text_go_with_their_indentation() -> None:
    prompt = dedented_prompt()
    text = prompt.parts[0].text
    start = text.index("Please")
    edits = source_edits(prompt, 0, start, text.index("  - an"), "")
    assert applied(DEDENTED, edits) == DEDENTED.replace("        Please do this.\n", "")


@pytest.mark.parametrize(
    ("source", "old", "new", "wanted"),
    [
        ("'abc' 'def'", "cd", "", "'ab' 'ef'"),
        ("'abc' 'def'", "cd", "X", "'abX' 'ef'"),
        ("'''a\\n\\\nb'''", "b", "c", "'''a\\n\\\nc'''"),
        ("'a\\u20acb'", "a€", "A", "'Ab'"),
        ("f'{x} a'", "a", "{}", "f'{x} {{}}'"),
        ("'it'", "it", "it's", "'it\\'s'"),
        ('"""say it"""', "it", '"', None),
        ("r'a b'", "b", "'", None),
        ("'a b'", "b", "{b}", None),
        ("'a  b'", "a  b", "a b", "'a b'"),
    ],
)
def test_written_form(source: str, old: str, new: str, wanted: str | None) -> None:
    module = f"x = 1\nPROMPT = (\n{source}\n)\ny = 1\n"
    prompt = prompt_of(module)
    number = next(n for n, part in enumerate(prompt.parts) if isinstance(part, Literal) and old in part.text)
    at = prompt.parts[number].text.index(old)
    edits = source_edits(prompt, number, at, at + len(old), new)
    if wanted is None:
        assert edits is None or shape(applied(module, edits)).endswith(new)
    else:
        assert applied(module, edits) == module.replace(source, wanted)


@example("!echo it's\nx = '")
@given(st.text("'\"#\n!% abf{}\\", max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_searched_for_tokens(source: str) -> None:
    from promptslim.edits.source.python import string_holders

    for holder in string_holders(Document("a.ipynb", source, 0)):
        assert holder.token.start < holder.start <= holder.end < holder.token.end


def test_text_that_is_sent_twice_is_not_edited() -> None:
    prompt = prompt_of("x = 1\nPROMPT = (\n'a b'\n)\ny = 1\n")
    (literal,) = prompt.parts
    twice = Prompt("p", "system", (literal, literal), prompt.location, prompt.primary)
    assert source_edits(twice, 0, 0, 1, "") is None
