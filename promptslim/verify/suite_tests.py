"""The tests of a suite: listed, in other files, by default, in scenarios, and for every value of a variable."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from promptslim.core.record import field, record, replace
from promptslim.core.text import Document
from promptslim.extract.files.data import DataList, DataMap, DataNode, DataScalar, DataText
from promptslim.proof.canonical import data_hash
from promptslim.verify.answer import Check
from promptslim.verify.item_files import tests_of
from promptslim.verify.suite import HOLE, Item, SuiteError
from promptslim.verify.suite_checks import Written, check_of, written_in
from promptslim.verify.suite_files import DATA, FILE, PROGRAMS, SuiteFiles
from promptslim.verify.suite_nodes import error, known, listed, mapping, number, plain, text, texts

TEST_KEYS = ("assert", "cluster", "description", "id", "metadata", "options", "slices", "threshold", "vars")
DEFAULT_KEYS = ("assert", "description", "metadata", "options", "threshold", "vars")
SCENARIO_KEYS = ("config", "description", "tests")
OPTIONS = ("disableVarExpansion",)
MOST_TESTS = 100_000
_FOREIGN = {
    "assertScoringFunction": "the score of a test is the weighted mean of its assertions",
    "prompts": "every test is run with both prompts; put other tests into a suite of their own",
    "provider": "every test is run with the one model of the suite",
    "providerOutput": "answers are recorded with --backend replay",
    "providers": "every test is run with the one model of the suite",
}
_OPTIONS_PASSED_OVER = "delay factuality includeMetrics provider providers repeat rubricPrompt"
_FOREIGN_OPTIONS = {
    **dict.fromkeys(
        ("postprocess", "transform"),
        "answers are graded as they come; grade with {type: python, value: file://grade.py}",
    ),
    **dict.fromkeys(("prefix", "suffix"), "write it into the prompts"),
    **dict.fromkeys(("runSerially", "storeOutputAs"), "a test cannot use the answer of another"),
    "transformVars": "write the variables as they are to be filled in",
}
_ENDS = (".csv", ".json", ".jsonl", ".yaml", ".yml")


@record
class _Test:
    """What a test, or ``defaultTest``, says; ``own`` are its variables without those by default, which its id follows
    from. ``whole``: lists are values, and not one test for each of their entries."""

    variables: Mapping[str, Any]
    written: tuple[Written, ...]
    threshold: float | None = None
    own: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False


class TestReader:
    """Reads the tests of one suite."""

    def __init__(self, top: DataMap, files: SuiteFiles) -> None:
        self._top, self._files = top, files
        self._templates = top.get("assertionTemplates")

    def items(self) -> tuple[Item, ...]:
        """The tests. Raises SuiteError."""
        default = self._default(self._top.get("defaultTest"))
        found: list[Item] = []
        for node in self._tests(self._top.get("tests")):
            found += self._items(node, default)
        scenarios = self._top.get("scenarios")
        if isinstance(scenarios, DataMap | DataText):
            raise error(scenarios, "scenarios have to be a list")
        for scenario in listed(scenarios):
            for base, node in self._of_scenario(scenario, default):
                found += self._items(node, base)
        if len(found) > MOST_TESTS:
            raise error(self._top, f"more than {MOST_TESTS:,} tests")
        return _distinct(self._graded(found))

    def _graded(self, items: Sequence[Item]) -> Sequence[Item]:
        """Without the tests that nothing grades: promptfoo passes them, and they would make every loss look smaller.
        Raises SuiteError where no other is left."""
        graded = [item for item in items if any(_counts(check) for check in item.checks)]
        left = [item for item in items if not any(_counts(check) for check in item.checks)]
        if left and not graded:
            path, _, line = left[0].place.rpartition(":")
            raise SuiteError(path, int(line), "the test has nothing to be graded by; give it an assert with a weight")
        if left:
            self._files.note(
                f"{len(left)} tests have nothing to be graded by, and are left out: {left[0].place} is one"
            )
        return graded

    def _default(self, node: DataNode | None) -> _Test:
        match node:
            case None | DataScalar(value=None):
                return _Test({}, ())
            case DataText(text=path) if path.startswith(FILE):
                return self._default(self._files.tree(path, node))
            case DataMap():
                return replace(self._said(node, _Test({}, ()), "defaultTest"), own={})
            case _:
                raise error(node, "defaultTest has to be a mapping, or a file:// path of one")

    def _said(self, node: DataMap, default: _Test, what: str, keys: Sequence[str] = DEFAULT_KEYS) -> _Test:
        self._files.passed_over(known(node, keys, what, _FOREIGN, "type"))
        grouped = [key for key in ("cluster", "slices") if key in mapping(node, "metadata")]
        for key in grouped:
            self._files.note(f"{key} under metadata is not read: it stands beside vars in a test")
        text(node, "description")
        threshold = number(node, "threshold")
        own = self._variables(node)
        return _Test(
            {**default.variables, **own},
            (*default.written, *written_in(node, self._files, self._templates)),
            default.threshold if threshold is None else threshold,
            own,
            default.whole or self._whole(node),
        )

    def _whole(self, node: DataMap) -> bool:
        options = node.get("options")
        match options:
            case None | DataScalar(value=None):
                return False
            case DataMap():
                found = known(options, OPTIONS, "options", _FOREIGN_OPTIONS, _OPTIONS_PASSED_OVER)
                self._files.passed_over([f"options.{one}" for one in found])
                whole = plain(options.get("disableVarExpansion"))
                if not isinstance(whole, bool | None):
                    raise error(options, "disableVarExpansion is true or false")
                return whole is True
            case _:
                raise error(options, "options have to be a mapping")

    def _variables(self, node: DataMap) -> dict[str, Any]:
        found: dict[str, Any] = {}
        written = node.get("vars")
        for one in [written] if isinstance(written, DataMap) else listed(written):
            match one:
                case DataText(text=path) if path.startswith(FILE) and path.endswith(DATA):
                    tree = self._files.tree(path, one)
                    if not isinstance(tree, DataMap):
                        raise error(one, f"{path!r} has to be a mapping of variables")
                    found |= self._named(tree)
                case DataMap():
                    found |= self._named(one)
                case _:
                    raise error(one, "vars have to be a mapping, or the file:// path of one in YAML or JSON")
        return found

    def _named(self, node: DataMap) -> dict[str, Any]:
        return {str(entry.key): self._variable(entry.value) for entry in node.entries}

    def _variable(self, node: DataNode) -> Any:  # noqa: ANN401 (data of any form)
        match node:
            case DataText(text=path) if path.startswith(FILE):
                if path.endswith(PROGRAMS):
                    raise error(node, f"the variable is filled by the program {path!r}, which is not run here")
                if path.endswith((".yaml", ".yml")):
                    data = plain(self._files.tree(path, node))
                    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str)
                return self._files.text(path, node)
            case DataList(items=items):
                return [self._variable(item) for item in items]
            case _:
                return plain(node)

    def _tests(self, node: DataNode | None) -> Iterator[DataMap]:
        for one in listed(node):
            match one:
                case DataMap() if one.get("path") is not None:
                    raise error(
                        one, f"the tests are made by the program {plain(one.get('path'))!r}: write them as data"
                    )
                case DataMap():
                    yield one
                case DataText(text=path):
                    yield from self._tests_in(path, one)
                case _:
                    raise error(one, "a test is a mapping with vars and assert, or the path of a file with tests")

    def _tests_in(self, written: str, at: DataNode) -> Iterator[DataMap]:
        path = written.removeprefix(FILE)
        if path.rpartition(":")[0].endswith(PROGRAMS) or path.endswith(PROGRAMS):
            raise error(at, f"the tests are made by the program {path!r}: write them as data")
        if "://" in path:
            raise error(at, f"tests are not fetched from {path!r}: save them in a file of the project")
        if not path.endswith(_ENDS) and not any(char in path for char in "*?["):
            raise error(at, f"tests in {path!r} cannot be read; known are .yaml, .json, .jsonl and .csv")
        if path.endswith((".csv", ".jsonl")):
            yield from tests_of(Document(self._files.full(path), self._files.text(path, at)))
            return
        tree = self._files.tree(path, at)
        nodes = tree.get("tests") if isinstance(tree, DataMap) and tree.get("tests") is not None else tree
        for node in listed(nodes):
            if not isinstance(node, DataMap):
                raise error(node, "a test is a mapping with vars and assert")
            yield node

    def _of_scenario(self, node: DataNode, default: _Test) -> Iterator[tuple[_Test, DataMap]]:
        """Each test of a scenario with each of its configurations."""
        if isinstance(node, DataText):
            for one in listed(self._files.tree(node.text, node)):
                yield from self._of_scenario(one, default)
            return
        if not isinstance(node, DataMap):
            raise error(node, "a scenario is a mapping with config and tests")
        known(node, SCENARIO_KEYS, "a scenario")
        for key in ("config", "tests"):
            if node.get(key) is None:
                raise error(node, f"a scenario has config and tests; this one lacks {key}")
        text(node, "description")
        tests = list(self._tests(node.get("tests")))
        for config in self._tests(node.get("config")):
            base = self._said(config, default, "a configuration of a scenario")
            for test in tests:
                yield base, test

    def _items(self, node: DataMap, default: _Test) -> Iterator[Item]:
        said = self._said(node, default, "a test", TEST_KEYS)
        own = {**default.own, **said.own}
        name = text(node, "id")
        cluster = _cluster(node)
        place = f"{node.location.path}:{node.location.start[0]}"
        nodes = [plain(one.node) for one in said.written[len(default.written) :]]
        for name_of, value in said.variables.items():
            if value == [] and not said.whole:
                raise error(node, f"the variable {name_of!r} is an empty list, which gives no test")
        for variables in _expanded(said):
            checks = tuple(check_of(one, variables, self._files) for one in said.written)
            self._tell_nested(variables)
            item = Item(
                name or _content_id({name: variables[name] for name in own}, nodes),
                variables,
                checks,
                place,
                said.threshold,
            )
            yield replace(item, cluster=cluster, slices=texts(node, "slices"))

    def _tell_nested(self, variables: Mapping[str, Any]) -> None:
        for name, value in variables.items():
            if isinstance(value, str) and any(found[1] in variables for found in HOLE.finditer(value)):
                self._files.note(
                    f"the variable {name} has braces in it that name a variable; they are sent as they are"
                )


def _cluster(node: DataMap) -> str:
    match node.get("cluster"):
        case None | DataScalar(value=None):
            return ""
        case DataText(text=name):
            return name
        case DataScalar(value=int() as number) if not isinstance(number, bool):
            return str(number)
        case found:
            raise error(found, "cluster takes a text or a whole number")


def _counts(check: Check) -> bool:
    return check.weight > 0 and (check.group is None or check.group.weight > 0)


def _expanded(said: _Test) -> Iterator[dict[str, Any]]:
    """The variables of each test: as promptfoo does, one for every combination of the entries of lists. A conversation
    stays a list."""
    names = [
        name
        for name, value in said.variables.items()
        if isinstance(value, list) and not said.whole and not is_conversation(value)
    ]
    for chosen in product(*(said.variables[name] for name in names)):
        yield {**said.variables, **dict(zip(names, chosen, strict=True))}


def is_conversation(value: Sequence[Any]) -> bool:
    """Whether a list is the turns of a conversation."""
    return bool(value) and all(isinstance(one, dict) and {"role", "content"} <= set(one) for one in value)


def _content_id(variables: Mapping[str, Any], checks: object) -> str:
    return data_hash([dict(variables), checks])[:12]


def _distinct(items: Sequence[Item]) -> tuple[Item, ...]:
    """Items with ids of their own: equal tests and the values of one test are counted, ids that were given to two
    tests are an error."""
    seen: dict[str, int] = {}
    places: dict[str, str] = {}
    found = []
    for item in items:
        count = seen[item.id] = seen.get(item.id, 0) + 1
        if count > 1 and not _is_content_id(item.id) and places[item.id] != item.place:
            path, _, line = item.place.rpartition(":")
            raise SuiteError(path, int(line), f"a second test with the id {item.id!r}")
        places[item.id] = item.place
        found.append(item if count == 1 else replace(item, id=f"{item.id}-{count}"))
    return tuple(found)


def _is_content_id(name: str) -> bool:
    return len(name) == 12 and all(char in "0123456789abcdef" for char in name)
