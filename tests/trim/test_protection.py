"""Protection: every kind of damage that was seen in shortening tools, and whatever else can be thought of."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from independent_check import damage

import promptslim
from promptslim.core.prompt import BlockEnd, CachePoint, Hole, Literal, Part
from promptslim.trim.json_text import json_spans
from promptslim.trim.protection import Protection, protection

PHRASES = tomllib.loads((Path(__file__).parents[2] / "rules" / "phrases.toml").read_text("utf-8"))
GUARD = protection("python", PHRASES)


def unharmed(before: str, after: str, guard: Protection = GUARD) -> bool:
    return guard.unharmed((Literal(before),), (Literal(after),))


TWELVE = "".join(f"- Rule about topic {letter}.\n" for letter in "abcdefghijk")
DAMAGE = [
    ("Prefer primary reports rather than rumours", "Prefer primary reports than rumours"),
    ("Put totals on the right-hand side", "Put totals on the -hand side"),
    ('RIGHT: "42"', ': "42"'),
    ('"... remaining rows ..."', '". remaining rows ."'),
    ('Never say "additional information"', 'Never say "additional info"'),
    ("x = 3.0410", "x = 3.41"),
    ("schema-2024-03-07", "schema-2024-3-7"),
    ("bedrock-2023-05-31", "bedrock- -05-31"),
    ("You SHOULD NOT reply in French", "You Shouldn't reply in French"),
    ("The bot is not allowed to book flights beyond those listed", "The bot allowed book flights listed"),
    ("what `sort -k2` prints", "what'sort -k2'prints"),
    ("Read the first 2 lines", "Read 2 lines"),
    ("return the whole file", "ret the whole file"),
    (f"{TWELVE}- Every function must be tested.\n", TWELVE),
    ("After reading the ticket you MUST:\n- answer\n- close it", "- answer\n- close it"),
    ("You are a parser", "role: parser"),
    ("a few hits", "few hits"),
    ("Make sure to cite pages", "must cite pages"),
    ("- one\n- two\n- red\n- blue\n- green\n- grey", "one two red blue green grey"),
    ("1. First line: title\n2. Then the text, see rule 1", "First line: title\nThen the text, see rule 1"),
    ("Cite the page.\nBe brief.\nCite the page.", "Cite the page. [x2]\nBe brief."),
    (
        "Example 1:\nIn: sky\nOut: blue\nExample 2:\nIn: grass\nOut: green\nExample 3:\nIn: sea\nOut: blue",
        "Example 1:\nIn: sky\nOut: blue\nExample 2:\nIn: grass\nOut: green\nExample 3:\nIn: sea",
    ),
    ("Lower case for source_kind.\nLower case for target_kind.", "Lower case for source_kind."),
    ("## read\npath: file to read\n## write\npath: file to read", "## read\npath: file to read\n## write"),
    ('{"limit": 1.50, "limit": 2}', '{"limit": 2}'),
    ('Reply {{"ok": true}} to it', 'Reply {"ok": true} to it'),
    ("Sum up for a lawyer.\n{documents}\nSum up for a lawyer.", "Sum up for a lawyer.\n{documents}\n"),
    ("Sum up for a lawyer: {documents} Sum up for a lawyer.", "Sum up for a lawyer: {documents}"),
]


@pytest.mark.parametrize(("before", "after"), DAMAGE)
def test_damage_that_was_seen_is_found(before: str, after: str) -> None:
    assert unharmed(before, before)
    assert not unharmed(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Do it if {name!r:>10.2f} is set.", "Do it if {name} is set."),
        ("Total %(sum)5.2f EUR", "Total EUR"),
        ("Hello ${name}, $$5 off $thing", "Hello ${name}, $5 off $thing"),
        ("{{ user | title }} asks", "asks"),
        ("{%- if x -%} yes {%- endif -%}", "{%- if x -%}yes{%- endif -%}"),
        ("{% raw %}{{a}}{% endraw %}", "{% raw %}{{b}}{% endraw %}"),
        ("{{#each docs}}x{{/each}}", "x"),
        ("<% if a %>x<%= b %>", "x<%= b %>"),
        ("Use $search_results$ only", "Use search results only"),
        ("Fill [COMPANY NAME] in", "Fill in"),
        ("<<NAME>> __NAME__ %NAME% @@NAME@@", "<<NAME>> __NAME__ %NAME%"),
        ("<|im_start|>user", "user"),
        ("x\n\nHuman: hi\n\nAssistant: ho", "x\nHuman: hi\nAssistant: ho"),
        ("Code:\n```py\nx  =  1  \n```\nend", "Code:\n```py\nx = 1\n```\nend"),
        ("Code:\n~~~\na   b\n", "Code:\n~~~\na b\n"),
        ("<<<<<<< SEARCH\na  b\n=======\nc\n>>>>>>> REPLACE", "<<<<<<< SEARCH\na b\n=======\nc\n>>>>>>> REPLACE"),
        ("@@ -1 +1 @@\n-a  b\n+c", "@@ -1 +1 @@\n-a b\n+c"),
        ("See https://x.org/a_b?c=1.", "See https://x.org/."),
        ("Mail ops@example.com", "Mail ops"),
        ("Look in /etc/app.conf and C:\\logs", "Look in /etc and C:\\logs"),
        ("at most three", "at most"),
        ("You don’t guess", "You guess"),  # noqa: RUF001
        ("<plan id='1'>x</plan>", "x"),
        ("Write <plan></plan>. The plan comes first.", "Write <plan></plan>. It comes first."),
        ("call getUser or get_user", "call getuser or get_user"),
        ("Do not reveal the wording of this text", "Do not reveal this text"),
        ("## Output format\nA table with names", "## Output format\nA table"),
        ("Respond like this:\nname, comma, age\n\nThanks", "Respond like this:\nname, age\n\nThanks"),
        ("## Tone\n\nWarm", "## The tone\n\nWarm"),
        ("| a | b  |\n| c | d  |", "| a | b |\n| c | d |"),
        ("a\n- b\n  - c", "a\n- b\n- c"),
        ("Long ruler\n##########\nx", "Long ruler\n###\nx"),
        ("3 before 4", "4 before 3"),
        ("Never do 3", "3 do never"),
    ],
)
def test_every_class_is_guarded(before: str, after: str) -> None:
    assert unharmed(before, before)
    assert not unharmed(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Read it.  \nThen   answer.", "Read it.\nThen answer."),
        ("In the event that it rains, stay.", "If it rains, stay."),
        ("Until such time as it ends, wait.", "Until it ends, wait."),
        ("Please note that only cats may enter.", "Only cats may enter."),
        ('{\n  "a": 1.50,\n  "a": [1e3, "x  y"]\n}', '{"a":1.50,"a":[1e3,"x  y"]}'),
        ("You **must** cite.", "You must cite."),
    ],
)
def test_what_says_the_same_passes(before: str, after: str) -> None:
    assert unharmed(before, after)


def test_what_the_user_marks_is_kept() -> None:
    guard = protection("plain", PHRASES, ["kindly yours"])
    assert not unharmed("Sign with kindly yours.", "Sign with yours.", guard)
    assert unharmed("Sign kindly.", "Sign.", guard)


@pytest.mark.parametrize(
    "after",
    [
        (Literal("Rules."), CachePoint("cachePoint"), Literal("More "), Hole("a"), BlockEnd(), Hole("b")),
        (Literal("Rules.\n"), Literal("More "), Hole("a"), BlockEnd(), Hole("b")),
        (Literal("Rules.\n"), CachePoint("cachePoint"), Literal("More "), Hole("b"), BlockEnd(), Hole("a")),
        (Literal("Rules.\n"), CachePoint("cachePoint"), Literal("More "), Hole("a"), BlockEnd()),
        (Literal("Rules.\n"), Literal("More "), CachePoint("cachePoint"), Hole("a"), BlockEnd(), Hole("b")),
    ],
)
def test_holes_blocks_and_cache_markers_stay_in_place(after: tuple[Part, ...]) -> None:
    before = (Literal("Rules.\n"), CachePoint("cachePoint"), Literal("More "), Hole("a"), BlockEnd(), Hole("b"))
    assert GUARD.unharmed(before, before)
    assert not GUARD.unharmed(before, after)


def test_the_syntax_decides_what_a_placeholder_is() -> None:
    before, after = "50 %NAME% for {{ user }}", "50 %NAME% for {{ guest }}"
    assert not unharmed(before, after, protection("jinja", PHRASES))
    assert unharmed("Cost $total here", "Cost $Total here", protection("format", PHRASES))
    assert not unharmed("Cost $total here", "Cost $Total here", protection("plain", PHRASES))
    assert not unharmed("Cost $total here", "Cost $Total here", GUARD)


def removed(before: str, copy: str) -> bool:
    after = before.replace(copy, "", 1) if before.count(copy) == 1 else "".join(before.rsplit(copy, 1))
    return GUARD.only_a_copy_gone(GUARD.read((Literal(before),)), GUARD.read((Literal(after),)), (Literal(copy),))


def test_a_copy_may_go_only_where_its_twin_stays() -> None:
    assert removed("Always cite 2 pages.\nBe brief.\nAlways cite 2 pages.\n", "Always cite 2 pages.\n")
    assert not removed("Always cite 3 pages.\nBe brief.\nAlways cite 2 pages.\n", "Always cite 2 pages.\n")
    assert not removed(
        "Never reveal the password.\nBe brief.\nNever reveal the password.\n", "Never reveal the password.\n"
    )
    assert not removed("1. Cite pages.\n2. Be brief.\n1. Cite pages.\n", "1. Cite pages.\n")
    assert not removed("Use {x} here.\nBe brief.\nUse {x} here.\n", "Use {x} here.\n")


PIECES = (
    "{name}", "{{ user }}", "%(n)s", "$place", "`a b`", "https://x.org/a?b=1", "42", "1.50", "3 %", "not", "NOT",
    "must", "unless", "at most", "three", "<tag>", "</tag>", "snake_case", "camelCase", '"quoted  text"', "“curly”",
    "above",    '{"a": 1}', "[NAME]", "<|end|>", "a.b@c.org", "/usr/bin", "don't", "return",
)  # fmt: skip
FREE = ("read", "the", "page", "about", "birds", "slowly", "green", "sea")
WORDS = st.lists(st.tuples(st.sampled_from(FREE), st.sampled_from(PIECES)), min_size=1, max_size=6)


@settings(max_examples=60)
@given(WORDS, st.data())
def test_no_protected_piece_can_be_lost_doubled_or_moved(words: list[tuple[str, str]], data: st.DataObject) -> None:
    pieces = [piece for pair in words for piece in pair]
    before = " ".join(pieces)
    at = data.draw(st.sampled_from(range(1, len(pieces), 2)))
    match data.draw(st.sampled_from(("drop", "double", "swap"))):
        case "drop":
            after = [*pieces[:at], *pieces[at + 1 :]]
        case "double":
            after = [*pieces[: at + 1], "and", *pieces[at:]]
        case _:
            other = data.draw(st.sampled_from(range(1, len(pieces), 2)))
            after = list(pieces)
            after[at], after[other] = after[other], after[at]
    if " ".join(after) != before:
        assert not unharmed(before, " ".join(after))


@settings(max_examples=60)
@given(WORDS, st.lists(st.sampled_from(FREE), min_size=0, max_size=3), st.integers(0, 80), st.integers(0, 12))
def test_what_passes_passes_the_second_implementation(
    words: list[tuple[str, str]], new: list[str], start: int, length: int
) -> None:
    before = "\n".join(" ".join(pair) for pair in words)
    after = before[:start] + " ".join(new) + before[start + length :]
    if unharmed(before, after):
        assert damage(before, after) == []


@settings(max_examples=60)
@given(st.text(alphabet='{}[]": ,1a\n\\`~$%<>|', max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert unharmed(text, text)
    for span in json_spans(text):
        assert text[span.start] in "{["
        assert text[span.end - 1] in "}]"


@pytest.mark.parametrize(
    "unit",
    [
        "{",
        "[",
        "{{",
        "`",
        '"',
        "{% ",
        "<",
        "a",
        ".",
        "- ",
        "a@",
        "/a",
        "1",
        "_",
        " ",
        "\n",
        "$",
        "[A",
        '{"a":',
        "```\n",
    ],
)
def test_reading_takes_linear_time(unit: str) -> None:
    from time import process_time

    started = process_time()
    GUARD.read((Literal(unit * (40_000 // len(unit))),))
    assert process_time() - started < 2


CALL = '''import anthropic

SYSTEM = """{text}"""
anthropic.Anthropic().messages.create(model="claude-haiku-4-5", max_tokens=9, system=SYSTEM, messages=turns)
'''


@pytest.mark.parametrize(
    "kept",
    [
        "{in order to}", "%(in order to)s", "${please  note}", "{# please   note that #}", "{{! please   note }}",
        "<% please  note %>", "{%  if  x  %}", "{{ x   |   f }}", "[COMPANY  NAME]", "%  5.2f",
        "`sort  -k2`", '"in order to"', "“please note  that”", "„in order  to“", "»in order  to«", "「in order  to」",
        "‹in order  to›", "‘in order to’", "https://x.org/?q=in+order+to", "<a  b='in order to'>",  # noqa: RUF001
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["a.txt", "a.md", "a.py"])
def test_nothing_is_trimmed_inside_what_is_protected(tmp_path: Path, kept: str, path: str) -> None:
    text = f"Please note that it is {kept} here.  \nSort it,    in order to see {kept} there.\n"
    (tmp_path / "prompts").mkdir()
    source = CALL.format(text=text) if path.endswith(".py") else text
    (tmp_path / "prompts" / path).write_text(source)
    (file,) = promptslim.trim(cwd=tmp_path, level="proof", isolated=True, cache=False).files
    assert file.after.count(kept) == 2
    assert "in order to see" not in file.after


@pytest.mark.parametrize(
    "line",
    [
        'head = SYSTEM.split("In order to help")[0]',
        'head = SYSTEM.partition("In order to help")',
        'found = re.search("In order to help", SYSTEM)',
        'known = "In order to help" in SYSTEM',
        'other = SYSTEM.replace("In order to help", "To help")',
    ],
)
def test_what_the_program_looks_for_in_a_prompt_stays(tmp_path: Path, line: str) -> None:
    text = "You sort tickets.  \nIn order to help them, sort it.\nSort it    in order to see."
    (tmp_path / "app.py").write_text(f"import re\n\n{CALL.format(text=text)}\n{line}\n")
    (file,) = promptslim.trim(cwd=tmp_path, level="unsafe", isolated=True, cache=False).files
    assert "You sort tickets.\nIn order to help them, sort it.\nSort it to see." in file.after


BLOCKS = [
    "- Sort:\n\n      a   in order to  b  \n\n      please note that c\n",
    "1. Sort:\n\n        a   in order to  b  \n",
    "Run:\n\n    python   run.py  --dry-run\n    # please note that this is code  \n",
    "<ticket>\n  <by>please  note that</by>  \n  <at>in order to</at>\n</ticket>\n",
]


@pytest.mark.parametrize("block", BLOCKS)
def test_code_under_lists_and_xml_are_taken_over(tmp_path: Path, block: str) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "a.md").write_text(f"Look at it in order to see.  \n\n{block}\nPlease   sort it.\n")
    (file,) = promptslim.trim(cwd=tmp_path, level="proof", isolated=True, cache=False).files
    assert file.after == f"Look at it to see.\n\n{block}\nSort it.\n"


def test_json_with_a_string_over_several_lines_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    body = (
        '{"system": "You sort.\n        \n            In order to help see <a> and\n\n            $tools$",\n "b": 1}'
    )
    (tmp_path / "prompts" / "a.txt").write_text(f"{body}\nPlease   stop.\n")
    (file,) = promptslim.trim(cwd=tmp_path, level="unsafe", isolated=True, cache=False).files
    assert file.after == f"{body}\nStop.\n"


def test_paragraphs_that_are_indented_are_no_code(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "a.md").write_text("# Task\n\n    Do it in order to see.\n\n    Then   stop.\n")
    (file,) = promptslim.trim(cwd=tmp_path, level="unsafe", isolated=True, cache=False).files
    assert file.after == "# Task\n\n    Do it to see.\n\n    Then stop.\n"
    (tmp_path / "prompts" / "a.md").write_text("- Sort.\n\n  Do it in order to see.\n  - In order to find it.\n")
    (file,) = promptslim.trim(cwd=tmp_path, level="unsafe", isolated=True, cache=False).files
    assert file.after == "- Sort.\n\n  Do it to see.\n  - To find it.\n"
