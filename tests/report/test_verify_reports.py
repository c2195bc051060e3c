"""Reports of comparisons: what they say where something is missing, how they fit a terminal, hostile, large texts."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from promptslim.core.record import replace
from promptslim.core.verification import ChangedItem, SideFigures, Spend, Verification
from promptslim.report.verify import html, text
from promptslim.report.verify import json as data

EVIL = '<script>alert("1")</script> \x1b[31mred \u202eback | a | b |\r\n# head `x` &amp; \x07'
OLD = SideFigures(0.97, 0.9, 0.99, 120.0, 5.0, Decimal("0.0084"), Decimal("0.00000865"))
NEW = SideFigures(0.94, 0.86, 0.98, 80.0, 5.0, Decimal("0.0060"), Decimal("0.00000636"))
REPORT = Verification(
    decision="INCONCLUSIVE",
    reason="a loss of 5 points is neither shown nor ruled out",
    prompt="app.py::SYSTEM",
    suite="suite.yaml",
    model="amazon.nova-lite-v1:0",
    resolved="amazon.nova-lite-v1:0",
    method="pass-fail",
    margin=0.05,
    alpha=0.05,
    level=0.05,
    look=1,
    looks=1,
    declared=100,
    items=100,
    units=100,
    regressions=3,
    improvements=0,
    ungraded=0,
    loss=0.03,
    lower=-0.01,
    upper=0.08,
    more=120,
    early=False,
    before=OLD,
    after=NEW,
    before_text="Please be kind.",
    after_text="Be kind.",
    critical=(),
    noise=(),
    changed=(ChangedItem("t1", "regression", 1.0, 0.0, "not equal", "yes", "no"),),
    spend=Spend(220, Decimal("0.01")),
    price="a price list, 2026-11-23",
)


def shown(report: Verification, width: int | None = None) -> str:
    return "".join(text.render(report, width=width))


def test_what_the_terminal_shows() -> None:
    found = shown(REPORT)
    assert "per 1,000 calls                      $0.00840               $0.00600      -28.6 %" in found
    assert "per successful task" in found
    assert "needs     about 220 new independent tests in place of these, whose declared looks are spent" in found
    assert "with looks: 2 in the suite" in found
    assert "needs     about 120 more independent tests" in shown(replace(REPORT, looks=2))
    assert "-Please be kind.\n  +Be kind.\n" in found, "that a prompt ends no line is no news"
    assert "regression t1 (1 to 0): not equal\n    @@ -1 +1 @@\n    -yes\n    +no\n" in found


def test_a_narrow_terminal_gets_lines_that_fit() -> None:
    found = shown(replace(REPORT, changed=(), notes=("a note that is much too long for one line " * 4,)), 60)
    facts = found.partition("  loss")[2].partition("\n\n")[0]
    assert max(map(len, facts.splitlines())) <= 60
    assert " ".join(facts.split()).count("a note that is much too long for one line") == 4
    assert shown(REPORT, 400) == shown(REPORT)


def test_nothing_is_said_of_what_is_not_known() -> None:
    bare = SideFigures(0.0, None, None, None, None, None, None)
    found = shown(replace(REPORT, items=0, units=0, before=bare, after=bare, changed=(), lower=None, upper=None))
    assert "score         -        -" in found
    assert "no tokens were reported, so that no cost is known" in found
    assert "measured" not in found
    assert "needs" not in found


def test_missing_grades_are_told_and_are_no_groups() -> None:
    lost = ChangedItem("t2", "ungraded", None, 1.0, "the function failed", "boom", "yes")
    found = shown(replace(REPORT, declared=101, ungraded=2, units=98, more=None, changed=(lost,)))
    assert (
        "100 of 101 tests: 3 got worse, 0 better, 2 without a grade; 1 are left out, for the original has no gr"
        in found
    )
    assert "independent groups" not in found
    assert "more tests like these would not settle it" in found
    assert "ungraded t2 (no grade to 1): the function failed" in found


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def hostile() -> Verification:
    item = ChangedItem(EVIL, "regression", 1.0, 0.0, EVIL, EVIL, f"{EVIL} no")
    return replace(
        REPORT, prompt=EVIL, suite=EVIL, model=EVIL, reason=EVIL, notes=(EVIL,), before_text=EVIL, changed=(item,)
    )


def test_hostile_texts_do_nothing() -> None:
    page = "".join(html.render(hostile()))
    tags = Tags()
    tags.feed(page)
    known = "html head meta title style body h1 h2 span p svg line circle g text table tr th td ul li pre del ins"
    assert {tag for tag, _ in tags.found} <= {*known.split(), "details", "summary"}
    assert not [value for _, attributes in tags.found for name, value in attributes.items() if name.startswith("on")]
    assert not [name for _, attributes in tags.found for name in attributes if name in ("src", "href")]
    for output in (page, shown(hostile()), "".join(data.render(hostile()))):
        assert not set(output) & {"\x1b", "\x07", "\r", "\u202e"}
    assert json.loads("".join(data.render(hostile())))["changed"][0]["texts"] == [EVIL, f"{EVIL} no"]


@pytest.mark.parametrize("words", [("x", "x"), ("x", "y"), ("a b", "b a")])
def test_long_answers_of_few_words_are_compared_quickly(words: Any) -> None:
    old, new = "x " * 900, f"{words[0]} {words[1]} " * 450
    start = time.monotonic()
    page = "".join(html.render(replace(REPORT, changed=(ChangedItem("t", "regression", 1.0, 0.0, "", old, new),))))
    assert time.monotonic() - start < 2
    assert "<summary>regression: t (1 to 0)</summary>" in page
