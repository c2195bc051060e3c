"""Blank space that can go: no word changes, and layout that means something stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.core.prompt import Hole, Literal
from promptslim.structure.blank_space import blank_space, tightened
from promptslim.structure.build import structure

TEXTS = st.text(alphabet=st.sampled_from("ab .,:|`\n\n  \t-=#{}x"), max_size=300)


def tight(text: str) -> str:
    return tightened(text, blank_space(structure((Literal(text),)), templated=False))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("One.  \nTwo.\t\nThree.", "One.\nTwo.\nThree."),
        ("One.\n    Two.\n    Three.", "One.\nTwo.\nThree."),
        ("\n    One.\n      Two.\n    ", "\nOne.\n  Two.\n"),
        ("Give    the name.", "Give the name."),
        ("One.\n" + "-" * 40 + "\nTwo.", "One.\n---\nTwo."),
    ],
)
def test_blank_space_goes(text: str, result: str) -> None:
    assert tight(text) == result


@pytest.mark.parametrize(
    "text",
    [
        "Do this:\n```\n    x  =  1  \n```",
        "| a    | b   |\n| c    | d   |",
        "name      price     stock\napple     1         4",
        "- one\n    - two\n- three",
        "One.\n\n\n\nTwo.\n---\nThree.",
        "<example>\nA    b  \n</example>",
        "Explain.\n    def f():\n        return 1",
        "core/script.py\n1:\n2:def say_hello(name):\n3:    print(name)\n4:",
        "$ kill %1\n[1]+  Terminated              python3 app.py > server.log 2>&1\n$ ls",
        "core/script.py\n1:def say_hello(name):\n2:  print(name)",
        'Say:\n"Stepping back..."      → when synthesizing\n   here..."                  recognition is at work',
        "total =   price;\nnext",
        "NeuralSQL: SELECT (SELECT  time FROM w WHERE `year set` = 2009)",
        'NeuralSQL: QA("ans@who?"; SELECT title FROM w;  Bert Lahr)',
        "/* 3 example rows: <p><strong>Enter the    page</strong></p>   and more */",
        "Rows: https://a.example/1   and https://a.example/2   and so on",
    ],
)
def test_layout_stays(text: str) -> None:
    assert tight(text) == text


def test_what_is_left_of_lines_that_a_program_continues_goes() -> None:
    words = [
        "You sort the letters of a library.",
        "Answer each of them in one sentence,",
        "and be kind to readers who wait.",
    ]
    assert tight("      ".join(words)) == " ".join(words)


def test_lines_with_placeholders_of_templates_stay() -> None:
    parts = (Literal("Name:    "), Hole("name"), Literal("   \nAge.   "))
    found = structure(parts)
    text = found.flat.text
    assert tightened(text, blank_space(found, templated=True)) == text.rstrip()


@given(TEXTS)
def test_no_word_changes(text: str) -> None:
    words = "".join(text.split()).replace("-", "").replace("=", "").replace("#", "")
    result = tight(text)
    assert "".join(result.split()).replace("-", "").replace("=", "").replace("#", "") == words
    assert len(result) <= len(text)
