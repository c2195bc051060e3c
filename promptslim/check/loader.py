"""Rule functions, found by walking the family folders beside this module."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from promptslim.catalog.rule_meta import RuleMeta
from promptslim.core.finding import Finding
from promptslim.core.record import record

SUBJECTS = ("LlmCall", "Prompt", "UsageArithmetic", "RetrySite", "FileFacts", "Project", "ProofState", "Suppression")
"""Types that a rule may take first; the annotation subscribes the rule to every value of that type."""

PACKAGE = "promptslim.check"

RuleFunction = Callable[[Any, Any], Iterator[Finding]]


@record
class Rule:
    """A rule that can run: its page's facts, its function, and the name of the type that it takes."""

    meta: RuleMeta
    function: RuleFunction
    subject: str


def modules() -> dict[tuple[str, str], str]:
    """Every rule module: (family, rule name) to dotted module name."""
    here = os.path.dirname(__file__)  # noqa: PTH120 (pathlib would be loaded for this alone)
    found: dict[tuple[str, str], str] = {}
    with os.scandir(here) as families:
        for family in sorted(entry.name for entry in families if entry.is_dir() and not entry.name.startswith("_")):
            with os.scandir(f"{here}/{family}") as entries:
                for stem in sorted(entry.name[:-3] for entry in entries if entry.name.endswith(".py")):
                    if not stem.startswith("_"):
                        found[family, stem.replace("_", "-")] = f"{PACKAGE}.{family}.{stem}"
    return found


def load(metas: Iterable[RuleMeta]) -> tuple[Rule, ...]:
    """The functions of the given rules, by code. A page without a module has no function and is left out.

    Raises TypeError where a module breaks the convention: one function named as the module, whose first
    parameter is annotated with a type of ``SUBJECTS``.
    """
    at = modules()
    return tuple(
        _rule(meta, at[meta.family, meta.name])
        for meta in sorted(metas, key=lambda meta: meta.code)
        if (meta.family, meta.name) in at
    )


def _rule(meta: RuleMeta, module_name: str) -> Rule:
    module = importlib.import_module(module_name)
    function = getattr(module, module_name.rpartition(".")[2], None)
    if not callable(function):
        raise TypeError(f"{module.__file__}: no function named as the module")
    return Rule(meta, function, _subject(function, str(module.__file__)))


def _subject(function: Callable[..., object], file: str) -> str:
    """The annotation is compared as text: resolving it would import what it names."""
    code = function.__code__
    first = code.co_varnames[0] if code.co_argcount else ""
    annotation = function.__annotations__.get(first)
    subject = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    if subject not in SUBJECTS:
        raise TypeError(f"{file}: the first parameter must be annotated with one of {', '.join(SUBJECTS)}")
    return subject
