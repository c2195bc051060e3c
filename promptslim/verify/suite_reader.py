"""Reading a suite: the tree of a data file to ``Suite``, with errors that name file, line and nearest key."""

from __future__ import annotations

from collections.abc import Sequence

from promptslim.config.error import suggestion
from promptslim.extract.files.data import DataMap, DataText
from promptslim.verify.graders.python_file import load_anew
from promptslim.verify.suite import Item, Read, Suite, SuiteError
from promptslim.verify.suite_files import SuiteFiles
from promptslim.verify.suite_judge import check_judge, judge_of
from promptslim.verify.suite_models import models_of, parameters_of
from promptslim.verify.suite_nodes import error, known, mapping, share, text, texts, whole
from promptslim.verify.suite_prompts import prompts_of
from promptslim.verify.suite_tests import TestReader

SUITE_KEYS = (
    "$schema", "alpha", "assertionTemplates", "critical", "defaultTest", "description", "evaluateOptions", "judge",
    "looks", "margin", "model", "parameters", "prompt", "prompts", "providers", "repeat", "scenarios", "targets",
    "tests",
)  # fmt: skip
RUN_KEYS = ("cache", "delay", "maxConcurrency", "repeat", "showProgressBar")
PASSED_OVER = (
    "commandLineOptions derivedMetrics env evaluateOptions.showProgressBar metadata outputPath outputs sharing tags "
    "tracing writeLatestResults"
)
FOREIGN = {
    "extensions": "hooks could change the tests; write them as they are to be run",
    "nunjucksFilters": "filters in JavaScript are not run; write the variables as they are to be filled in",
    "options": "options stand under defaultTest",
    "redteam": "attacks are made anew in every run, and prompts are compared on the same tests",
}


class Reader:
    """Reads one suite. ``read`` gives the bytes of a file by its path, None where there is none."""

    def __init__(self, path: str, read: Read) -> None:
        self.path = path
        self._files = SuiteFiles(path, read)

    def suite(self) -> Suite:
        """The whole suite. Raises SuiteError."""
        load_anew()
        files = self._files
        top = files.top()
        if not isinstance(top, DataMap):
            raise SuiteError(self.path, 1, "a suite is a mapping with prompts and tests")
        files.passed_over(known(top, SUITE_KEYS, "a suite", FOREIGN, PASSED_OVER))
        text(top, "$schema")
        for name, one in mapping(top, "assertionTemplates").items():
            if not isinstance(one, dict):
                raise error(top.get("assertionTemplates") or top, f"the assertion {name!r} has to be a mapping")
        prompts = prompts_of(top, files)
        models, parameters = models_of(top, files), parameters_of(top)
        items = TestReader(top, files).items()
        if not items:
            raise error(top, "has no tests")
        critical = texts(top, "critical")
        _check_slices(top, critical, items)
        judge = judge_of(top, files)
        check_judge(top, judge, items)
        looks = top.get("looks")
        any_number = isinstance(looks, DataText) and looks.text == "any"
        return Suite(
            path=self.path,
            prompts=prompts,
            models=models,
            items=items,
            margin=share(top, "margin"),
            alpha=share(top, "alpha") or 0.05,
            looks=None if any_number else whole(top, "looks", 1),
            critical=critical,
            repeat=_repeat(top),
            description=text(top, "description"),
            files=tuple(dict.fromkeys(files.paths)),
            judge=judge,
            parameters=parameters,
            notes=tuple(files.notes),
        )


def _repeat(top: DataMap) -> int:
    mapping(top, "evaluateOptions")
    options = top.get("evaluateOptions")
    if isinstance(options, DataMap):
        known(options, RUN_KEYS, "evaluateOptions", {}, "maxEvalTimeMs timeoutMs generateSuggestions")
        return whole(top, "repeat", whole(options, "repeat", 1))
    return whole(top, "repeat", 1)


def _check_slices(top: DataMap, critical: Sequence[str], items: Sequence[Item]) -> None:
    slices = {name for item in items for name in item.slices}
    for name in critical:
        if name not in slices:
            hint = suggestion(name, slices, "no test is in any slice" if not slices else f"known: {sorted(slices)}")
            raise error(top.get("critical") or top, f"no test is in the critical slice {name!r}; {hint}")
