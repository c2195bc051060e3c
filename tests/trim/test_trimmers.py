"""Each trimmer on prompts of its own, and all of them on texts made by chance."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from independent_check import damage, only_blanks_differ

import promptslim
from promptslim.core.prompt import Literal, Prompt
from promptslim.core.text import Document, Location, Span
from promptslim.core.trimming import Level
from promptslim.trim.change import only_blank_space
from promptslim.trim.loader import trimmers
from promptslim.trim.offers import Offer, Wanted, offers, trimmed

PHRASES = tomllib.loads((Path(__file__).parents[2] / "rules" / "phrases.toml").read_text("utf-8"))


def prompt_of(text: str) -> Prompt:
    place = Location(Document("prompts/a.txt", text), Span(0, len(text)))
    return Prompt("prompts/a.txt", "system", (Literal(text, place, range(len(text) + 1)),), place, place, shape="plain")


def characters(texts: Sequence[str]) -> list[int]:
    """Every byte is a token: what is shorter saves."""
    return [len(text.encode()) for text in texts]


def offered(text: str, level: Level = "proof", *only: str, keep: tuple[str, ...] = ()) -> tuple[Offer, ...]:
    return offers(prompt_of(text), PHRASES, Wanted(level, keep, only or None), characters)


def result(text: str, level: Level = "proof", *only: str, keep: tuple[str, ...] = ()) -> str:
    prompt = prompt_of(text)
    return "".join(part.text for part in trimmed(prompt, offered(text, level, *only, keep=keep)))


CITE = "Always cite the number of the page in brackets."
TOLD_TWICE = f"{CITE}\n\nBe brief in each answer.\n\n{CITE}\n"
SHOWN = "Example:\nInput: The sky over the sea\nOutput: weather\n\n"


RUN = "Instruction:  \nplease buy a chair \n[Search]  \n\nAction: search[chair] \nObservation: \n[Back to Search]  "
RUNS = f"{RUN}\n\nAction: click[a] \nObservation: You have clicked a. \n"


@pytest.mark.parametrize(
    ("trimmer", "before", "after"),
    [
        ("blank-space", "Read it.  \nThen   answer.\nNow.\t\nEnd.", "Read it.\nThen answer.\nNow.\nEnd."),
        ("blank-space", "One.\n\n\n\n\nTwo.\n\n\n", "One.\n\nTwo.\n"),
        ("blank-space", "    One.\n      Two.\n    Three.\n", "One.\n  Two.\nThree.\n"),
        ("blank-space", "Answer:   ", "Answer: "),
        ("decoration", "Title\n" + "-" * 30 + "\nText", "Title\n---\nText"),
        ("decoration", "The user’s text\u00a0is\u200b long", "The user's text is long"),  # noqa: RUF001
        ("wording", "Sort them in order to find it.", "Sort them to find it."),
        ("wording", "In the event that it rains, please stay.", "If it rains, stay."),
        ("wording", "Please answer. Thank you!", "Answer."),
        ("announcing", "Please note that only cats may enter.", "Only cats may enter."),
        ("announcing", "- Make sure to cite pages", "- Cite pages"),
        (
            "json-layout",
            'Records:\n{\n  "limit": 1.50,\n  "limit": [1e3, "x  y"]\n}\nEnd',
            'Records:\n{"limit":1.50,"limit":[1e3,"x  y"]}\nEnd',
        ),
        ("json-layout", '{\n  "a": {\n    "b": {}\n  }\n}', '{"a":{"b":{} } }'),
        ("markdown-marks", "You **must** cite **all** pages.", "You must cite all pages."),
        ("duplicate-instructions", TOLD_TWICE, f"{CITE}\n\nBe brief in each answer.\n"),
        ("duplicate-examples", f"Sort.\n\n{SHOWN}{SHOWN}Now sort this.", f"Sort.\n\n{SHOWN}Now sort this."),
    ],
)
def test_trimmer_makes_its_edit(trimmer: str, before: str, after: str) -> None:
    assert result(before, "proof", trimmer) == after


@pytest.mark.parametrize(
    "text",
    [
        "Prefer primary reports rather than rumours, and put totals on the right-hand side.",
        'RIGHT: "42". Never say "additional information" or "in order to".',
        "x = 3.0410 in schema-2024-03-07 and bedrock-2023-05-31.",
        "You SHOULD NOT reply in French. The bot is not allowed to book flights beyond those listed.",
        "Say what `sort  -k2` prints. Read the first 2 lines; return the whole file.",
        "1. First line: title\n2. Then the text, see rule 1",
        "Sum up for a lawyer.\n{documents}\nSum up for a lawyer.",
        "Lower the case of the words in source_kind.\nLower the case of the words in target_kind.",
        '```json\n{\n  "a":   1\n}\n```',
        'Reply with {{"ok": true}} and a {{"b": 1}}',
        "| a    | b   |\n| c    | d   |",
        "name      price     stock\napple     1         4",
        "## Output format\nPlease note that **bold** names come first in order to help.",
        "Never disclose the password in order to help.\nNever disclose the password in order to help.",
        "Title\n" + "#" * 30 + "\nName: " + "_" * 20,
        "- The page is as long as it is, such that it fits in terms of size.",
    ],
)
def test_nothing_is_offered(text: str) -> None:
    assert [(one.trimmer, one.before, one.after) for one in offered(text)] == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Also note that cats sleep. However, remember that dogs bark.", "Also cats sleep. However, dogs bark."),
        ("**Note**: keep in mind that cats sleep.", "**Note**: cats sleep."),
        ("(Note that a well written paper helps.)", "(A well written paper helps.)"),
        ("When in doubt, make sure you cite pages.", "When in doubt, cite pages."),
        ("- 1. Make sure that you use the tools.", "- 1. Use the tools."),
        ("You need to make sure to cite pages.", "You need to cite pages."),
        ("Kindly provide the pages.", "Provide the pages."),
        ("By making use of tools you help.", "By using tools you help."),
        ("Help, taking into account the page.", "Help, considering the page."),
        ("The tool has the ability to search.", "The tool can search."),
        ("You have the ability to search.", "You can search."),
        ("Make a decision on the loan.", "Decide on the loan."),
        ("First and foremost, cite pages.", "First, cite pages."),
    ],
)
def test_what_is_left_of_a_sentence_reads_well(before: str, after: str) -> None:
    assert result(before, "unsafe") == after


@pytest.mark.parametrize(
    "text",
    [
        "You should note that prices differ.",
        "When writing your review, please keep in mind that after a decision it is public.",
        "What I want you to do is write a poem.",
        "If I want you to stop, I say so.",
        "Check twice to make sure you answered all.",
        "Try to please the user.",
        "You are given a ticket, and please write a clean answer.",
        "Respond kindly to users. Speak kindly and warmly.",
        "The system must have the ability to search.",
        "It does not have the ability to search.",
        "You are first and foremost a doctor.",
        "It does not reflect the changes in relation to the code.",
        "Write a thank you.",
        "Be certain that you are right.",
    ],
)
def test_phrases_that_carry_their_sentence_stay(text: str) -> None:
    assert result(text, "unsafe") == text


@pytest.mark.parametrize("level", ["safe", "unsafe", "proof"])
def test_shown_runs_of_an_agent_look_as_they_do_when_it_runs(level: Level) -> None:
    head, tail = "You are a shop.  \nBe brief.\n\n", "\nAction: the action  \nObservation: its result  \n"
    assert result(f"{head}{RUNS}\nNow begin.  \nGo.", level) == f"{head.replace('  ', '')}{RUNS}\nNow begin.\nGo."
    assert result(RUNS, level) == RUNS
    assert result(f"Use this form.  {tail}", "safe") == f"Use this form.{tail.replace('  ', '')}"


def test_what_the_user_keeps_is_left_alone() -> None:
    text = "Sort them in order to find it."
    assert offered(text, "unsafe")
    assert offered(text, "unsafe", keep=("in order to",)) == ()


def test_an_edit_that_saves_nothing_is_not_offered() -> None:
    prompt = prompt_of("Read it.  \nThen   answer.")
    assert offers(prompt, PHRASES, Wanted("proof"), lambda texts: [7] * len(texts)) == ()


def test_levels_hold() -> None:
    text = f"Sort it in order to see.  \n{TOLD_TWICE}You must **see** it."
    for level, expected in (("safe", {"safe"}), ("unsafe", {"safe", "unsafe"}), ("proof", {"safe", "unsafe", "proof"})):
        assert {one.level for one in offered(text, level)} == expected  # type: ignore[arg-type]


def test_edits_are_of_the_file() -> None:
    (offer,) = offered("Sort it in order to see.", "unsafe")
    assert [(edit.location.text, edit.text) for edit in offer.edits] == [("in order ", "")]
    assert offer.saves == len("in order ")


def test_each_trimmer_says_what_it_is() -> None:
    assert [one.name for one in trimmers()] == sorted({one.name for one in trimmers()})
    assert {one.level for one in trimmers()} == {"safe", "unsafe", "proof"}
    assert all(one.title for one in trimmers())


TEXTS = st.lists(
    st.sampled_from(
        (
            "Please note that ", "in order to ", "Make sure to ", "please ", "due to the fact that ", "prior to ",
            "the page",            " not", " 3", " {name}", " `a  b`", '"in order to"', "**must**", "<tag>",
            "  ", "\n", "\n\n\n", "- ", "1. ",
            "```\n", "-" * 12, "\u00a0", "\u2019s ", '{\n "a": 1\n}', " | ", ".  ", ". ", "# ", "user_id ", "NOT ",
            "Example: ",            f"{CITE} ", "https://x.org/a ",
        )
    ),
    max_size=30,
).map("".join)  # fmt: skip


@settings(max_examples=80)
@given(TEXTS)
def test_no_text_is_damaged(text: str) -> None:
    safe = result(text, "safe")
    assert damage(text, safe) == []
    assert only_blanks_differ(text, safe)
    assert damage(text, result(text, "unsafe")) == []


@settings(max_examples=40)
@given(TEXTS)
def test_trimming_twice_changes_nothing_more(text: str) -> None:
    once = result(result(text, "safe"), "safe")
    assert result(once, "safe") == once


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("a  \n\n\n\nb   c", "a\n\nb c", True),
        ("- a\n  - b\n- c", "- a\n- b\n- c", False),
        ("a\nb", "a b", False),
        ("a\n\nb", "a\nb", False),
        ("ab", "a b", False),
    ],
)
def test_blank_space_that_counts(before: str, after: str, same: bool) -> None:
    assert only_blank_space(before, after) is same


TOOLS = """import anthropic

TOOLS = [
    {
        "name": "book",
        "description": "Books a table.",
        "input_schema": {
            "type": "object",
            "properties": {
                "guest_name": {"type": "string", "title": "Guest Name", "description": "The guest name"},
                # how many
                "guests": {"type": "integer", "description": "At most 8 guests"},
                "area": {"enum": ["bar", "spa", "roof"], "description": "Where. One of: bar, spa, roof."},
                "title": {"type": "string", "description": "Required title"},
            },
            "required": ["guest_name"],
        },
    },
]
anthropic.Anthropic().messages.create(model="claude-haiku-4-5", max_tokens=9, tools=TOOLS, messages=turns)
"""


LAID_OUT = '''import anthropic

HEAD = "\\n\\nHuman:"
QUESTION = """
What is it?   """
HINT = """Analyse the table:
    CSV files: load them by spark.read.csv(name, header=True), e.g.,  at once
try:
    with open(name) as file:
        json.dump(output, file)
"""
SYSTEM = f"""
    Answer in one word.
    {QUESTION}
    """
TOOLS = [{"name": "run", "description": HINT, "input_schema": {"type": "object"}}]
client = anthropic.Anthropic()
turns = [{"role": "user", "content": f"{HEAD} {QUESTION}"}, {"role": "assistant", "content": "It is    {"}]
client.messages.create(model="claude-haiku-4-5", max_tokens=9, system=SYSTEM, tools=TOOLS, messages=turns)
'''


@pytest.mark.parametrize("level", ["safe", "unsafe"])
def test_the_layout_of_tools_answers_and_ends_of_literals_stays(tmp_path: Path, level: Level) -> None:
    """Line breaks in JSON are no line breaks, what follows a literal may stand elsewhere, and answers are shown."""
    (tmp_path / "app.py").write_text(LAID_OUT)
    assert promptslim.trim(["app.py"], cwd=tmp_path, level=level, isolated=True, cache=False).files == ()


def test_tool_definitions_lose_what_only_repeats_a_name(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(TOOLS)
    (file,) = promptslim.trim(["app.py"], cwd=tmp_path, level="unsafe", isolated=True, cache=False).files
    assert file.after == TOOLS.replace(', "title": "Guest Name", "description": "The guest name"', "").replace(
        "Where. One of: bar, spa, roof.", "Where"
    )
