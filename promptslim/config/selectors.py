"""Which rules run: the algebra of selectors.

A selector is a code (``PS101``), the start of codes (``PS1``), a name (``missing-max-tokens``) or ``ALL``.
For each rule the most specific selector that matches it decides (ALL, then prefixes by length, then code
or name); where select and ignore name it equally, it is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from promptslim.config.error import ConfigError, suggestion

ALL = "ALL"
_SEE = "'promptslim rules' lists them"


class Rule(Protocol):
    """What selection needs of a rule."""

    @property
    def code(self) -> str:
        """``PS101``."""
        ...

    @property
    def name(self) -> str:
        """``missing-max-tokens``."""
        ...

    @property
    def pedantic(self) -> bool:
        """True where the rule runs only on request."""
        ...


def selected(
    rules: Iterable[Rule],
    select: Sequence[str] | None,
    ignore: Sequence[str] = (),
    extend_select: Sequence[str] = (),
) -> frozenset[str]:
    """The codes of the rules that run.

    Without ``select`` these are all rules that are not pedantic; a pedantic rule runs where any selector
    that is written down selects it, be it ``ALL``. Raises ConfigError on a selector that names no rule.
    """
    known = tuple(rules)
    check_selectors((*(select or ()), *ignore, *extend_select), known)
    return frozenset(rule.code for rule in known if _runs(rule, select, ignore, extend_select))


def matching(selectors: Iterable[str], rules: Iterable[Rule]) -> frozenset[str]:
    """The codes of the rules that at least one selector names. Raises ConfigError on one that names none."""
    wanted, known = tuple(selectors), tuple(rules)
    check_selectors(wanted, known)
    return frozenset(rule.code for rule in known if _weight(wanted, rule) >= 0)


def check_selectors(selectors: Iterable[str], rules: Sequence[Rule]) -> None:
    """Raise ConfigError on the first selector that names no rule."""
    for selector in selectors:
        if not any(_specificity(selector, rule) >= 0 for rule in rules) and selector != ALL:
            words = {ALL, *(rule.code for rule in rules), *(rule.name for rule in rules)}
            raise ConfigError(f"unknown rule {selector!r}; {suggestion(selector, words, _SEE)}")


def _runs(rule: Rule, select: Sequence[str] | None, ignore: Sequence[str], extend_select: Sequence[str]) -> bool:
    by_default = 0 if select is None and not rule.pedantic else -1
    wanted = max(by_default, _weight((*(select or ()), *extend_select), rule))
    return wanted > _weight(ignore, rule)


def _weight(selectors: Iterable[str], rule: Rule) -> int:
    """The specificity of the most specific selector that names the rule, -1 where none does."""
    return max((_specificity(selector, rule) for selector in selectors), default=-1)


def _specificity(selector: str, rule: Rule) -> int:
    if selector == ALL:
        return 0
    if selector == rule.name:
        return len(rule.code)
    return len(selector) if selector and rule.code.startswith(selector) else -1
