"""The algebra of selectors, against a direct statement of its rules."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.config.configuration import merge
from promptslim.config.decode import Source, decode_options
from promptslim.config.error import ConfigError
from promptslim.config.file_ignores import FileIgnores
from promptslim.config.options import Options
from promptslim.config.selectors import matching, selected
from promptslim.config.settings import resolve


@dataclass(frozen=True)
class Rule:
    code: str
    name: str
    pedantic: bool = False


RULES = (
    Rule("PS101", "missing-max-tokens"),
    Rule("PS102", "oversized-max-tokens"),
    Rule("PS201", "oversized-system-prompt"),
    Rule("PS204", "filler-wording", pedantic=True),
    Rule("PS301", "uncached-stable-prefix"),
)
CODES = frozenset(rule.code for rule in RULES)
NAMED = {rule.name: rule.code for rule in RULES}
SELECTORS = st.lists(st.sampled_from(["ALL", "P", "PS", "PS1", "PS2", "PS20", *CODES, *NAMED]), max_size=4)


def test_pedantic_rules_run_on_request_only() -> None:
    assert selected(RULES, None) == CODES - {"PS204"}
    assert selected(RULES, None, extend_select=["filler-wording"]) == CODES
    for selector in ("ALL", "PS2", "PS204", "filler-wording"):
        assert "PS204" in selected(RULES, [selector])
    assert selected(RULES, []) == frozenset()


def test_the_longest_selector_wins_and_ties_are_ignored() -> None:
    assert selected(RULES, ["ALL"], ["PS1"]) == CODES - {"PS101", "PS102"}
    assert selected(RULES, ["PS101"], ["PS1"]) == {"PS101"}
    assert selected(RULES, ["PS1"], ["PS1"]) == frozenset()
    assert selected(RULES, ["missing-max-tokens"], ["PS101"]) == frozenset()
    assert selected(RULES, None, ["ALL"], ["PS3"]) == {"PS301"}


@given(st.none() | SELECTORS, SELECTORS, SELECTORS)
def test_the_algebra(select: list[str] | None, ignore: list[str], extend: list[str]) -> None:
    chosen = selected(RULES, select, ignore, extend)
    for rule in RULES:

        def longest(selectors: list[str], rule: Rule = rule) -> int:
            lengths = [0 if s == "ALL" else 5 if s == rule.name else len(s) for s in selectors if hits(s, rule)]
            return max(lengths, default=-1)

        wanted = longest([*(select or []), *extend])
        if select is None and not rule.pedantic:
            wanted = max(wanted, 0)
        assert (rule.code in chosen) == (wanted > longest(ignore))


def hits(selector: str, rule: Rule) -> bool:
    return selector in ("ALL", rule.name) or rule.code.startswith(selector)


@given(SELECTORS, SELECTORS, SELECTORS)
def test_order_and_repetition_do_not_matter(select: list[str], ignore: list[str], extend: list[str]) -> None:
    chosen = selected(RULES, select, ignore, extend)
    assert chosen == selected(RULES[::-1], select[::-1] * 2, ignore[::-1] * 2, extend[::-1] * 2)
    assert chosen == selected(RULES, [*select, *extend], ignore)
    assert chosen <= selected(RULES, select, [], extend)
    assert chosen.isdisjoint(matching([s for s in ignore if s in CODES or s in NAMED], RULES))


@given(SELECTORS)
def test_matching_is_a_union(selectors: list[str]) -> None:
    expected = {rule.code for rule in RULES if any(hits(selector, rule) for selector in selectors)}
    assert matching(selectors, RULES) == expected


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        ("missing-max-token", "did you mean 'missing-max-tokens'?"),
        ("ps101", "did you mean 'PS101'?"),
        ("missing_max_tokens", "did you mean 'missing-max-tokens'?"),
        ("", "'promptslim rules' lists them"),
        ("\x1b[31m", "'promptslim rules' lists them"),
    ],
)
def test_an_unknown_selector_is_an_error_with_the_nearest(selector: str, hint: str) -> None:
    for arguments in ([selector], None, None), (None, [selector], None), (None, None, [selector]):
        with pytest.raises(ConfigError) as caught:
            selected(RULES, arguments[0], arguments[1] or [], arguments[2] or [])
        assert str(caught.value) == f"unknown rule {selector!r}; {hint}"
        assert str(caught.value).isprintable()


def file_ignores(table: dict[str, list[str]], cwd: str = "/p") -> FileIgnores:
    options = decode_options({"per-file-ignores": table}, Source("t", ""))
    return FileIgnores(resolve(merge(None, [], options, cwd)), RULES, cwd)


def test_per_file_ignores() -> None:
    ignores = file_ignores(
        {"scripts/": ["PS1"], "*.ipynb": ["filler-wording"], "!src/": ["PS301"], "a/*.py": ["PS201"]}
    )
    assert ignores.codes("src/app.py") == frozenset()
    assert ignores.codes("src/scripts/x.ipynb") == {"PS101", "PS102", "PS204"}
    assert ignores.codes("a/x.py") == {"PS201", "PS301"}
    assert ignores.codes("a/b/x.py") == {"PS301"}
    assert FileIgnores(resolve(merge(None, [], Options(), "/p")), RULES, "/p").codes("x.py") == frozenset()


def test_per_file_ignores_with_an_unknown_rule() -> None:
    with pytest.raises(ConfigError, match="unknown rule 'PS9'"):
        file_ignores({"x": ["PS9"]})
