"""The text output of check: frames, carets, cuts, folding, summary, and nothing that a terminal acts on."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.core.finding import Finding, Impact, Related
from promptslim.core.result import CheckResult, Summary
from promptslim.core.text import Applicability, Document, Fix, Location, Span
from promptslim.report.check.text import render
from promptslim.report.formats import View
from promptslim.report.quantity import dollars

SOURCE = """\
import boto3

client = boto3.client("bedrock-runtime")
reply = client.converse(
    modelId=MODEL,
    messages=turns,
)
"""
HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\x1b\x9b\x07\r\n\t\u202e\u2066\u200b\u2028\ud800\U000e0041::#[")),
    max_size=60,
)


def finding(document: Document, start: int, end: int, **fields: object) -> Finding:
    values = {
        "code": "PS101",
        "name": "missing-max-tokens",
        "severity": "warning",
        "confidence": "high",
        "message": "no output cap is set",
        "evidence": "converse",
    }
    return Finding(primary=Location(document, Span(start, end)), **{**values, **fields})


def shown(*findings: Finding, summary: Summary | None = None, **view: object) -> str:
    count = len(findings)
    result = CheckResult(findings, (), summary or Summary(1, 1, count, 0, 0))
    return "".join(render(result, View(**{"summary": summary is not None, **view})))


def test_frame() -> None:
    document = Document("src/app.py", SOURCE)
    start = SOURCE.index("client.converse")
    prompt = Document("src/prompts.py", 'SYSTEM = "You are"\n')
    text = shown(
        finding(
            document,
            start,
            start + len("client.converse"),
            impact=Impact(812, None, Decimal("1.304"), "estimated", "price list 2026-11-23"),
            related=(Related(Location(prompt, Span(9, 18)), "the prompt"),),
            fixes=(Fix("Set a cap", (), Applicability.UNSAFE),),
        )
    )
    assert text == (
        "src/app.py:4:9: PS101 missing-max-tokens no output cap is set\n"
        "  |\n"
        '3 | client = boto3.client("bedrock-runtime")\n'
        "4 | reply = client.converse(\n"
        "  |         ^^^^^^^^^^^^^^^\n"
        "5 |     modelId=MODEL,\n"
        "6 |     messages=turns,\n"
        "  |\n"
        "  = impact: 812 input tokens per call, $1.30 per 1,000 calls (estimated; price list 2026-11-23)\n"
        "  = see: src/prompts.py:1:10: the prompt\n"
        "  = help: Set a cap\n"
        "\n"
    )


def test_blank_lines_stay_between_shown_lines_and_go_at_the_ends() -> None:
    source = "\n\nx = 1\n\ncall()\n\ny = 2\n\n"
    text = shown(finding(Document("a.py", source), source.index("call"), source.index("call") + 4))
    assert "  |\n3 | x = 1\n4 |\n5 | call()\n  | ^^^^\n6 |\n7 | y = 2\n  |\n" in text
    text = shown(finding(Document("a.py", "\n\n" + "call()\n\n\n"), 2, 6))
    assert "  |\n3 | call()\n  | ^^^^\n  |\n" in text


def test_place_of_several_lines_is_marked_line_by_line() -> None:
    document = Document("a.py", SOURCE)
    text = shown(finding(document, SOURCE.index("client.converse"), SOURCE.rindex(")") + 1))
    assert (
        "4 | reply = client.converse(\n  |         ^^^^^^^^^^^^^^^^\n5 |     modelId=MODEL,\n  |     ^^^^^^^^^^^^^^\n"
        in text
    )
    assert "7 | )\n  | ^\n" in text


def test_long_place_is_cut_after_four_lines() -> None:
    source = "".join(f"line{number}\n" for number in range(1, 10))
    text = shown(finding(Document("a.py", source), 0, len(source)))
    assert "4 | line4" in text
    assert "line5" not in text


def test_notebook_place_names_the_cell() -> None:
    text = shown(finding(Document("nb.ipynb", "x = call()\n", cell=3), 4, 8))
    assert text.startswith("nb.ipynb:cell 3:1:5: PS101 missing-max-tokens ")


@pytest.mark.parametrize(
    ("line", "mark", "expected", "carets"),
    [
        ("\tcall()", "call", "    call()", "    ^^^^"),
        ("x\tcall()", "call", "x   call()", "    ^^^^"),
        ('s = "日本" + call()', "call", 's = "日本" + call()', " " * 13 + "^^^^"),
        ('s = "e\u0301" + call()', "call", 's = "e\u0301" + call()', " " * 10 + "^^^^"),
        ('s = "\x1b[2J" + call()', "call", 's = "\\x1b[2J" + call()', " " * 16 + "^^^^"),
        ("日本", "日本", "日本", "^^^^"),
    ],
)
def test_carets_stand_under_the_place(line: str, mark: str, expected: str, carets: str) -> None:
    start = line.index(mark)
    text = shown(finding(Document("a.py", line), start, start + len(mark)))
    assert f"1 | {expected}\n  | {carets}\n" in text


def test_very_long_line_is_cut_around_the_place() -> None:
    line = "a" * 5000 + "MARK" + "b" * 5_000_000
    rows = shown(finding(Document("a.py", line), 5000, 5004)).split("\n")
    source, carets = rows[2], rows[3]
    assert len(source) < 210
    assert source[4] == source[-1] == "…"
    assert source[carets.index("^") : carets.rindex("^") + 1] == "MARK"


def test_empty_place_at_the_end_has_one_caret() -> None:
    assert "1 | ab\n  |   ^\n" in shown(finding(Document("a.py", "ab"), 2, 2))


def test_finding_without_text_has_no_frame() -> None:
    assert shown(finding(Document("a.py", ""), 0, 0)) == "a.py:1:1: PS101 missing-max-tokens no output cap is set\n\n"


def test_findings_of_copies_are_folded() -> None:
    def one(path: str) -> Finding:
        return finding(Document(path, SOURCE), 0, 6)

    text = shown(one("a.py"), one("b.py"), one("c.py"), copies={"b.py": "a.py"})
    assert text.count("PS101") == 2
    assert "a.py:1:1" in text
    assert "= note: the same in the identical b.py" in text
    assert "c.py:1:1" in text


def test_summary_counts_everything_that_is_not_shown() -> None:
    summary = Summary(14, 1, 2, 3, 4, fixed_in_baseline=5, unread=((".go", 1), (".ts", 40)))
    assert shown(summary=summary) == (
        "2 findings in 14 files with 1 LLM call; 3 suppressed, 4 in the baseline, "
        "5 of the baseline fixed (drop with --prune-baseline)\n"
        "Not read: 1 .go, 40 .ts files with LLM markers\n"
    )
    assert shown(summary=Summary(1, 0, 0, 0, 0)) == "No findings in 1 file with 0 LLM calls\n"


def test_colour_changes_nothing_but_colour() -> None:
    import re

    one = finding(Document("a.py", SOURCE), 0, 6)
    coloured = shown(one, summary=Summary(1, 1, 1, 0, 0), colour=True)
    assert "\x1b[1;33mPS101\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == shown(one, summary=Summary(1, 1, 1, 0, 0))


@given(source=HOSTILE, path=HOSTILE, message=HOSTILE, data=st.data())
def test_hostile_text_reaches_no_terminal(source: str, path: str, message: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, len(source)))
    document = Document(path, source)
    text = shown(
        finding(
            document,
            start,
            end,
            message=message,
            related=(Related(Location(document, Span(start, end)), message),),
            fixes=(Fix(message, (), Applicability.SAFE),),
        ),
        summary=Summary(1, 1, 1, 0, 0, unread=((path, 1),)),
        copies={"x": path},
    )
    assert all(char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in text)
    assert not any(line.startswith(("::", "##[")) for line in text.split("\n"))
    text.encode("utf-8")


@pytest.mark.parametrize(
    ("amount", "text"),
    [("12.3", "$12.30"), ("1234.567", "$1,234.57"), ("0.004123", "$0.00412"), ("0", "$0.00"), ("-3", "-$3.00")],
)
def test_dollars(amount: str, text: str) -> None:
    assert dollars(Decimal(amount)) == text
