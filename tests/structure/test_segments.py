"""The segments of a prompt: they cover its text once and in order, and every place leads back to the source."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.core.prompt import BlockEnd, CachePoint, Hole, Literal, Prompt
from promptslim.core.text import Document, Location, Span
from promptslim.structure.build import structure, structure_of
from promptslim.structure.flat import flatten

FRAGMENTS = st.sampled_from(
    [
        "# Rules\n",
        "## read_file\n",
        "---Goal---\n",
        "**Output**\n",
        "RULES:\n",
        "<example>\n",
        "</example>\n",
        "<rules>",
        "</rules>\n",
        "- Answer in one word. Never guess.\n",
        "1. Read the text\n   and think.\n",
        "| a | b |\n|---|---|\n",
        "```json\n{}\n",
        "```\n",
        '{"a": 1,\n "b": [2]}\n',
        "Example 2: a\n",
        "For example:\n",
        "Q: What?\nA: That.\n\n",
        "Input: {text}\n",
        "{{ x }}",
        "{% if y %}",
        "\n\n",
        "  ",
        "\r\n",
        "Dr. Who asks e.g. this. Then that! And?\n",
        "---\n",
        "name: (required) the name\n",
        "\ufffc",
    ]
)
TEXTS = st.lists(FRAGMENTS | st.text(max_size=12), max_size=12).map("".join)


@st.composite
def prompts(draw):
    """Parts whose literals stand in one document, each behind some other text, with exact source maps."""
    kinds = draw(st.lists(st.sampled_from(["text", "text", "hole", "end", "point"]), max_size=8))
    pieces = []
    source = ""
    for kind in kinds:
        source += draw(st.sampled_from(["", "x = ", "\n"]))
        text = draw(TEXTS) if kind == "text" else "{v}"
        pieces.append((kind, text, len(source)))
        source += text
    document = Document("a.py", source)
    parts = []
    for kind, text, start in pieces:
        place = Location(document, Span(start, start + len(text)))
        match kind:
            case "text":
                parts.append(Literal(text, place, range(start, start + len(text) + 1)))
            case "hole":
                parts.append(Hole("v", draw(st.sampled_from(["document", "clock", "argument"])), place))
            case "end":
                parts.append(BlockEnd())
            case _:
                parts.append(CachePoint("cachePoint", place))
    return tuple(parts)


@given(prompts())
@settings(max_examples=300, deadline=None)
def test_segments_cover_the_text_once_and_in_order(parts):
    found = structure(parts)
    assert "".join(found.text(segment) for segment in found.segments) == found.flat.text
    ends = [0, *(segment.end for segment in found.segments)]
    assert [segment.start for segment in found.segments] == ends[:-1]
    assert all(segment.end > segment.start for segment in found.segments)


@given(prompts())
@settings(max_examples=300, deadline=None)
def test_places_lead_back_to_the_characters(parts):
    found = structure(parts)
    for segment in found.segments:
        place = found.flat.location(segment.start, segment.end)
        first = found.flat.piece(segment.start)
        last = found.flat.piece(segment.end - 1)
        if isinstance(first.part, Literal) and first is last:
            assert place.text == found.text(segment)
        elif isinstance(first.part, Literal):
            assert place.text.startswith(found.flat.text[segment.start : first.end])


@given(prompts())
@settings(max_examples=200, deadline=None)
def test_sections_are_nested_and_hold_their_segments(parts):
    found = structure(parts)
    assert found.sections[0].parent is None
    for index, section in enumerate(found.sections[1:], 1):
        around = found.sections[section.parent]
        assert section.parent < index
        assert around.start <= section.start <= section.end <= around.end
    for segment in found.segments:
        section = found.sections[segment.section]
        text = found.text(segment)
        assert section.start <= segment.start + len(text) - len(text.lstrip())
        assert segment.start < section.end or segment.start == section.start


@given(prompts())
@settings(max_examples=200, deadline=None)
def test_examples_stand_in_order_and_on_one_side_of_the_data(parts):
    found = structure(parts)
    ends = 0
    for example in found.examples:
        assert ends <= example.start < example.end <= len(found.flat.text)
        ends = example.end
        assert found.flat.side(example.start - 1) == found.flat.side(example.end - 1)


@given(st.text(alphabet="ab .\n#<>/`-|:{}%$\"'*1E", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_taken_apart(text):
    found = structure([Literal(text)])
    assert "".join(found.text(segment) for segment in found.segments) == text


def of(text):
    return structure([Literal(text)])


def kinds(text):
    found = of(text)
    return [(segment.kind, found.text(segment).strip()) for segment in found.segments]


def test_kinds_of_segments():
    assert kinds(
        "# Title\nOne. Two!\n\n- item one\n- item two\n\n| a | b |\n\n```py\nx = 1\n```\n<b>\n</b>\n---\n"
    ) == [
        ("heading", "# Title"),
        ("sentence", "One."),
        ("sentence", "Two!"),
        ("sentence", "- item one"),
        ("sentence", "- item two"),
        ("row", "| a | b |"),
        ("code", "```py\nx = 1\n```"),
        ("tag", "<b>"),
        ("tag", "</b>"),
        ("rule", "---"),
    ]


def test_a_wrapped_sentence_is_one_segment():
    assert kinds("Answer in the language\nof the customer.\nNever guess.") == [
        ("sentence", "Answer in the language\nof the customer."),
        ("sentence", "Never guess."),
    ]


def test_short_forms_end_no_sentence():
    assert len(of("Use e.g. Markdown and ask Dr. Smith, i.e. The boss. Then stop.").segments) == 2


def test_json_lines_are_one_segment():
    assert [kind for kind, _ in kinds('Return:\n{\n  "a": 1,\n  "b": [2]\n}\nNothing else.')] == [
        "sentence",
        "data",
        "sentence",
    ]


def test_an_unclosed_fence_holds_nothing():
    assert ("heading", "# Rules") in kinds("```\ncode\n# Rules\n")


def test_sections_by_titles_tags_and_named_rules():
    found = of("intro\n# A\ntext\n## B\ntext\n<c>\n# D\ninner\n</c>\nmore\n# E\n---Goal---\nend\n")
    paths = {found.text(segment).strip(): found.path(segment) for segment in found.segments}
    assert paths["inner"] == ("A", "B", "c", "D")
    assert paths["more"] == ("A", "B")
    assert paths["end"] == ("Goal",)
    assert paths["intro"] == ()


def test_items_are_numbered_with_their_continuation():
    found = of("- one\n  goes on\n- two\n\ntext\n")
    assert [segment.item for segment in found.segments] == [1, 2, None]


@pytest.mark.parametrize(
    ("text", "examples"),
    [
        ("<example>\nfoo\n</example>\n<example>bar</example>", 2),
        ("<examples>\n<example>\nfoo\n</example>\n</examples>", 1),
        ("## Example 1\nfoo\n## Example 2\nbar\n# Rules\nbaz", 2),
        ("Example 1: foo\nExample 2: bar\n\nNow answer.", 2),
        ("Q: a b\nA: c\n\nQ: d e\nA: f\n\nQ: {question}\nA:", 2),
        ("Input: a b\nOutput: c\n", 0),
        ("- User: the person who asks\n- Assistant: you", 0),
        ("Follow the examples of good style that the user gives you below.", 0),
    ],
)
def test_examples(text, examples):
    assert len(of(text).examples) == examples


def test_what_follows_an_example_is_no_example():
    found = of("Example 1: foo\nExample 2: bar\n\nNow answer the question.\n")
    assert {found.text(segment).strip(): segment.example for segment in found.segments}[
        "Now answer the question."
    ] is False


def test_sides_of_the_data():
    parts = (
        Literal("Goal. Use at most "),
        Hole("limit", "argument"),
        Literal(" words.\n\nText:\n"),
        Hole("text", "document"),
        Literal("\n\nGoal.\n"),
    )
    found = structure(parts)
    assert [segment.side for segment in found.segments if found.text(segment).startswith("Goal.")] == [0, 1]
    assert len(found.flat.data) == 1


@pytest.mark.parametrize(
    "hole", ["{context}", "{{ context }}", "{{{context}}}", "${context}", "$question$", "<<CONTEXT>>"]
)
def test_placeholders_of_any_syntax_are_data(hole):
    assert len(flatten([Literal(f"Data:\n{hole}\nAnswer.")]).data) == 1


def test_braces_of_json_and_parameters_are_no_data():
    text = 'Return {"a": 1} or {{"b": 2}}.\nWrite at most {limit} words on the subject.\n'
    assert flatten([Literal(text)]).data == ()


def test_tools_and_parameters():
    found = of("# Rules\nBe brief.\n# Tools\n## read_file\nReads it.\n# Style\n- path: (required) a path\n")
    assert [found.text(s).strip() for s in found.segments if s.tool] == [
        "# Tools",
        "## read_file",
        "Reads it.",
        "- path: (required) a path",
    ]
    place = Location(Document("a", ""), Span(0, 0))
    tools = Prompt("t", "tools", (Literal("Any text."),), place, place, shape="tools")
    assert all(segment.tool for segment in structure_of(tools).segments)


def test_text_of_a_branch_is_not_certain():
    found = structure([Literal("Always.\n"), Literal("Sometimes.\n", maybe=True)])
    assert [segment.certain for segment in found.segments] == [True, False]


@pytest.mark.parametrize(
    "unit",
    [
        "<a>\n",
        "# x\n",
        "}",
        "{x}\n",
        "<example>",
        "For example:\n",
        " ",
        "\n",
        "`",
        "Q: a\nA: b\n",
        ". A",
        "{% ",
        "- x\n",
        "|",
    ],
)
def test_time_grows_with_the_length(unit):
    """Doubling a hostile text of 60,000 characters must not take four times as long , with room for noise."""

    def seconds(length):
        start = time.process_time()
        structure([Literal(unit * (length // len(unit)))])
        return time.process_time() - start

    small = min(seconds(30_000) for _ in range(2))
    assert seconds(120_000) < 10 * small + 0.05
