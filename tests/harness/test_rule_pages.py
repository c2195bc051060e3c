"""Every rule page is complete, has its function, and every one of its examples holds."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rule_page_cases import CASES, HEADINGS, Case, Page, PageError, Place, read_page

import promptslim
from promptslim.catalog import load as load_catalog
from promptslim.check import loader
from promptslim.check.engine import Outcome
from promptslim.core.result import CheckResult
from promptslim.core.text import Applicability
from promptslim.pipeline import run as pipeline
from promptslim.pipeline.fixing import fix_findings
from promptslim.pipeline.run import Run
from promptslim.report.check.json import render
from promptslim.report.formats import View

RULES = Path(__file__).parents[2] / "rules"
PAGES = [read_page(path) for path in sorted(RULES.glob("*/*.md")) if path.stem != "README"]
CASE_LIST = [case for page in PAGES for case in page.cases]


def by_stem(page: Page) -> str:
    return page.path.stem


@pytest.mark.parametrize("case", CASE_LIST, ids=lambda case: case.id)
def test_example_holds(case: Case, tmp_path: Path) -> None:
    case.lay_out(tmp_path)
    result = run(case, tmp_path)
    found = [finding for finding in result.findings if finding.name == case.page.stem]
    places = [(f.primary.path, f.primary.cell, f.primary.start[0], f.message) for f in found]
    missing = list(case.errors)
    surplus = []
    for path, cell, line, message in places:
        match = next((e for e in missing if (e.path, e.cell, e.line) == (path, cell, line) and e.text in message), None)
        if match is None:
            surplus.append(f"{path}:{'' if cell is None else f'cell {cell}:'}{line}: {message}")
        else:
            missing.remove(match)
    where = f"{case.page.relative_to(RULES.parent)}:{case.line} ({case.section})"
    assert not missing, f"{where}: not found: {[show(e) for e in missing]}; found {places}"
    assert not surplus, f"{where}: found too: {surplus}"
    for ok in case.silent:
        touching = [f for f in found if touches(f.primary, ok)]
        assert not touching, f"{where}: {show(ok)} is not silent: {touching[0].message}"
    again = run(case, tmp_path)
    assert "".join(render(result, View())) == "".join(render(again, View())), f"{where}: a second run differs"


@pytest.mark.parametrize("case", [case for case in CASE_LIST if case.fixed], ids=lambda case: case.id)
def test_fixes_give_the_fixed_block_and_then_nothing(case: Case, tmp_path: Path) -> None:
    case.lay_out(tmp_path)
    level = Applicability[case.fix_level.upper()]
    fix_files(case, tmp_path, level)
    for path, text in case.fixed.items():
        assert (tmp_path / path).read_text("utf-8") == text
    rest = [f for f in run(case, tmp_path).findings if f.name == case.page.stem]
    assert not [f for f in rest if any(fix.applicability >= level for fix in f.fixes)]


@pytest.mark.parametrize("page", PAGES, ids=by_stem)
def test_page_is_complete(page: Page) -> None:
    assert page.headings in (HEADINGS, (*HEADINGS, CASES))
    for title in ("Example", "Better"):
        assert page.blocks.get(title, 0) <= 4, f"{title} is for readers; put more cases under {CASES}"
    examples = [case for case in page.cases if case.section == "Example"]
    assert any(case.errors for case in examples), "Example has no error"
    assert not [c for c in page.cases if c.section == "Better" and c.errors], "Better has an error"
    for title in HEADINGS:
        assert page.sections[title].strip(), f"{title} is empty"


@pytest.mark.parametrize("page", PAGES, ids=by_stem)
def test_options_are_documented(page: Page) -> None:
    meta = load_catalog().rule(page.path.stem)
    assert meta is not None
    text = page.sections["Options"]
    if not meta.options:
        assert text.strip() == "None."
    for option, default in meta.options.items():
        assert f"`{option}`" in text, f"option {option} is not under Options"
        assert default is not None


@pytest.mark.parametrize("page", PAGES, ids=by_stem)
def test_rule_that_declares_a_fix_shows_it(page: Page) -> None:
    meta = load_catalog().rule(page.path.stem)
    assert meta is not None
    if meta.fix in ("safe", "unsafe"):
        assert any(case.fixed for case in page.cases), "a rule that declares a fix has a fixed block"
    else:
        assert not any(case.fixed for case in page.cases), "fixed block of a rule that declares no fix"


def test_pages_and_functions_are_paired() -> None:
    pages = {(page.path.parent.name, page.path.stem) for page in PAGES}
    assert pages == set(loader.modules())


def test_codes_and_names_are_unique() -> None:
    metas = load_catalog().rules
    assert len({meta.code for meta in metas}) == len({meta.name for meta in metas}) == len(metas) == len(PAGES)


@pytest.mark.parametrize("module", sorted(loader.modules().values()))
def test_module_has_one_public_function(module: str) -> None:
    loaded = importlib.import_module(module)
    public = [
        name
        for name, value in vars(loaded).items()
        if inspect.isfunction(value) and value.__module__ == module and not name.startswith("_")
    ]
    assert public == [module.rpartition(".")[2]]


def test_every_function_subscribes_to_a_subject() -> None:
    rules = loader.load(load_catalog().rules)
    assert {rule.meta.code for rule in rules} == {meta.code for meta in load_catalog().rules}
    assert {rule.subject for rule in rules} <= set(loader.SUBJECTS)


def test_format_errors_name_the_line(tmp_path: Path) -> None:
    page = tmp_path / "some-rule.md"
    page.write_text("---\ncode: PS999\n---\n\n# some-rule\n\n## Example\n\n```python flie=a.py\nx\n```\n", "utf-8")
    with pytest.raises(PageError, match=r"some-rule\.md:9: unknown word \['flie'\]"):
        read_page(page)
    page.write_text("---\ncode: PS999\n---\n\n## Example\n\n```python\nx  # error: [other-rule]\n```\n", "utf-8")
    with pytest.raises(PageError, match=r"some-rule\.md:8: \[other-rule\] is not the rule"):
        read_page(page)


def run(case: Case, folder: Path) -> CheckResult:
    return promptslim.check(case.paths, cwd=folder, today=case.today, extend_select=[case.page.stem], cache=False)


def touches(primary: object, place: Place) -> bool:
    return (primary.path, primary.cell) == (place.path, place.cell) and (
        primary.start[0] <= place.line <= primary.end[0]
    )


def show(place: Place) -> str:
    cell = "" if place.cell is None else f"cell {place.cell}:"
    return f'{place.path}:{cell}{place.line}: "{place.text}"'


def fix_files(case: Case, folder: Path, level: Applicability) -> None:
    """As ``check --fix`` does it, for the findings of one rule."""
    paths = list(case.paths)
    keywords = {"extend_select": [case.page.stem], "cache": False}
    place = pipeline.place_of(folder, False, keywords)

    def analyse(instead: Mapping[str, bytes], some: Sequence[str] | None) -> Run:
        return pipeline.analyse(paths if some is None else some, place, case.today, instead=instead)

    def judge(run: Run) -> Outcome:
        outcome = pipeline.check(run)
        found = tuple(finding for finding in outcome.result.findings if finding.name == case.page.stem)
        return replace(outcome, result=replace(outcome.result, findings=found))

    first = pipeline.analyse(paths, place, case.today)
    result = fix_findings(first, judge(first), level, analyse, judge)
    assert not [one.reason for one in result.not_applied]
    for change in result.changes:
        (folder / change.path).write_bytes(change.after)
