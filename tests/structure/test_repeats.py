"""What a text says twice: properties of the blocks, and the rules that only look alike."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.core.prompt import Hole, Literal
from promptslim.structure.build import structure
from promptslim.structure.repeats import blocks, key_of, may_repeat, shared, words_of

HARMLESS = frozenset({"please", "very", "a", "the", "make", "sure"})
SENTENCES = st.sampled_from(
    [
        "Answer in the language of the customer.",
        "Please answer in the language of the customer!",
        "Never answer in the language of the customer.",
        "Name the page of the manual that you used.",
        "Be brief.",
        "- Keep the answer under 100 words and cite every source.",
        "- Keep the answer under 200 words and cite every source.",
        "## Style",
    ]
)


def found_in(*texts):
    parts = []
    for text in texts:
        parts += [Literal(text), Hole("data", "document")]
    return structure(parts[:-1]), blocks(structure(parts[:-1]), HARMLESS, 4, 75)


@given(st.lists(SENTENCES, max_size=20))
@settings(max_examples=200, deadline=None)
def test_blocks_say_what_their_first_copy_says(sentences):
    found, repeated = found_in("\n".join(sentences))
    ends = 0
    for block in repeated:
        assert block.first < block.first_end <= block.start < block.end
        assert block.start >= ends
        ends = block.end
        for left, right in zip(range(block.first, block.first_end), range(block.start, block.end), strict=True):
            first, second = (key_of(found.text(found.segments[at]), HARMLESS) for at in (left, right))
            assert first == second
    keys = [key_of(sentence, HARMLESS) for sentence in sentences if sentence != "## Style"]
    long = [key for key in keys if len(key) >= 4]
    assert bool(repeated) == (len(long) != len(set(long)))


@given(st.lists(SENTENCES, max_size=20))
@settings(max_examples=200, deadline=None)
def test_the_quick_look_overlooks_nothing(sentences):
    text = "\n".join(sentences)
    if found_in(text)[1]:
        assert may_repeat(text, HARMLESS, 4)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Always show the price of a product.", "Never show the price of a product."),
        ("Write at most 3 sentences on the topic.", "Write at most 5 sentences on the topic."),
        ("Use source_kind for the kind of entity.", "Use target_kind for the kind of entity."),
        ("Return rows with a score > 5 in the list.", "Return rows with a score < 5 in the list."),
        ("Cut the value 1.5 to its integer part.", "Cut the value 15 to its integer part."),
        ("Shift the offset by -1 before you print.", "Shift the offset by 1 before you print."),
        ("Ask for an invoice before you open the ticket.", "Ask for an invoice after you open the ticket."),
        ("Put the name before the address in the list.", "Put the address before the name in the list."),
        ("You must not name the customer in the answer.", "You must name the customer in the answer."),
        ("Don't use the cached value of the field.", "Do use the cached value of the field."),
    ],
)
def test_rules_that_only_look_alike(first, second):
    assert key_of(first, HARMLESS) != key_of(second, HARMLESS)
    assert found_in(f"{first}\n{second}\n")[1] == ()


@pytest.mark.parametrize(
    "second",
    [
        "ANSWER IN THE LANGUAGE OF THE CUSTOMER.",
        "- **Answer** in the language of the customer.",
        "3. Please make sure: answer in the language of the customer!",
    ],
)
def test_the_same_in_other_clothes(second):
    (block,) = found_in(f"Answer in the language of the customer.\nBe brief.\n{second}\n")[1]
    assert block.same_side


def test_sides_are_told_apart():
    goal = "Answer in the language of the customer.\n"
    (block,) = found_in(f"{goal}Data:\n", f"\n{goal}")[1]
    assert not block.same_side
    (block,) = found_in(f"{goal}Be brief.\n{goal}Data:\n", "\nGo.")[1]
    assert block.same_side


def test_holes_count_by_what_fills_them():
    def lines(first, second):
        return structure(
            [
                Literal("Read the guide of "),
                Hole(first),
                Literal(" and name its page.\nRead the guide of "),
                Hole(second),
                Literal(" and name its page.\n"),
            ]
        )

    assert blocks(lines("a", "b"), HARMLESS, 4, 75) == ()
    assert len(blocks(lines("a", "a"), HARMLESS, 4, 75)) == 1


def test_shared_stands_before_the_data_of_the_second():
    goal = "Answer in the language of the customer.\n"
    above = structure([Literal(f"{goal}Be brief.\n")])
    before = structure([Literal(f"{goal}Text:\n"), Hole("text", "document")])
    after = structure([Literal("Text:\n"), Hole("text", "document"), Literal(f"\n{goal}")])
    assert [before.text(second).strip() for _, second in shared(above, before, HARMLESS, 4)] == [goal.strip()]
    assert list(shared(above, after, HARMLESS, 4)) == []


def test_words_keep_numbers_signs_and_the_parts_of_names():
    assert words_of("- Use `source_kind`, not 1.5 or -3 %.") == (
        "use",
        "source",
        "_",
        "kind",
        "not",
        "1",
        ".",
        "5",
        "or",
        "-",
        "3",
        "%",
    )


def test_a_copy_in_a_list_is_the_same_letter_for_letter():
    sentence = "Name the page of the manual in the first line of details."
    (block,) = found_in(f"- {sentence}\n\nBe brief.\n\n{sentence} Then stop.\n")[1]
    assert block.exact
    (block,) = found_in(f"- {sentence}\n\nBe brief.\n\n{sentence.replace('page', 'Page')} Then stop.\n")[1]
    assert not block.exact


def test_titles_on_how_to_use_tools_define_none():
    found = structure([Literal("# Tool Use Guidelines\n\nName the page.\n\n# Tools\n\nName the page.\n")])
    assert [one.tool for one in found.segments if one.kind == "sentence"] == [False, True]
