"""Reading a suite: the tree of a data file to ``Suite``, with errors that name file, line and nearest key."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from promptslim.config.error import suggestion
from promptslim.core.record import record, replace
from promptslim.core.text import Document
from promptslim.extract.files.data import DataList, DataMap, DataNode, DataScalar, DataText, read_data
from promptslim.proof.canonical import data_hash
from promptslim.verify.answer import Check
from promptslim.verify.grading import asks_judge, compares_answers, grader_modules, problem
from promptslim.verify.item_files import FileItem, items_of
from promptslim.verify.suite import Item, Judge, Label, Model, Read, Suite, SuiteError, filled, unfilled

SUITE_KEYS = (
    "$schema", "alpha", "critical", "defaultTest", "description", "evaluateOptions", "judge", "looks", "margin",
    "model", "parameters", "prompt", "prompts", "providers", "repeat", "tests",
)  # fmt: skip
TEST_KEYS = ("assert", "cluster", "description", "id", "metadata", "slices", "threshold", "vars")
CHECK_KEYS = ("exact", "metric", "n", "threshold", "tolerance", "type", "value", "weight")
OPTIONS = ("exact", "n", "tolerance")
PROVIDER_KEYS = ("config", "id", "label")
JUDGE_KEYS = ("labels", "model", "parameters")
LABEL_KEYS = ("original", "output", "pass", "test")
RUN_KEYS = ("cache", "delay", "maxConcurrency", "repeat", "showProgressBar")
PARAMETERS = {"maxTokens": "max_tokens", "topP": "top_p", "stopSequences": "stop_sequences"}
_FILE = "file://"


@record
class _Default:
    """What ``defaultTest`` gives every test."""

    variables: Mapping[str, Any]
    checks: tuple[DataNode, ...]
    threshold: float | None


class Reader:
    """Reads one suite. ``read`` gives the bytes of a file by its path, None where there is none."""

    def __init__(self, path: str, read: Read) -> None:
        self.path = path
        self.folder = posixpath.dirname(path) or "."
        self._read = read
        self.files: list[str] = [path]

    def suite(self) -> Suite:
        """The whole suite. Raises SuiteError."""
        top = self._tree(self.path, None)
        if not isinstance(top, DataMap):
            raise SuiteError(self.path, 1, "a suite is a mapping with prompts and tests")
        self._known(top, SUITE_KEYS, "a suite")
        prompts = (*self._texts(top, "prompts"), *self._texts(top, "prompt"))
        if not prompts:
            raise _error(top, "names no prompts: put ids of prompts in the code, file:// paths or texts under prompts")
        default = self._default(top.get("defaultTest"))
        items = _distinct([self._item(test, default) for test in self._tests(top)])
        if not items:
            raise _error(top, "has no tests")
        critical = self._texts(top, "critical")
        self._check_slices(top, critical, items)
        judge = self._judge(top)
        self._check_judge(top, judge, items)
        looks = top.get("looks")
        any_number = isinstance(looks, DataText) and looks.text == "any"
        return Suite(
            path=self.path,
            prompts=prompts,
            models=self._models(top),
            items=items,
            margin=self._share(top, "margin"),
            alpha=self._share(top, "alpha") or 0.05,
            looks=None if any_number else self._whole(top, "looks", 1),
            critical=critical,
            repeat=self._repeat(top),
            description=" ".join(self._texts(top, "description")),
            files=tuple(dict.fromkeys(self.files)),
            judge=judge,
            parameters=self._parameters(top),
        )

    def _name(self, node: DataMap, key: str, message: str) -> str:
        """The one text that has to stand at a key."""
        found = self._texts(node, key)
        if len(found) != 1:
            raise _error(node, message)
        return found[0]

    def _known(self, node: DataMap, keys: Sequence[str], what: str) -> None:
        for entry in node.entries:
            if entry.key not in keys:
                hint = suggestion(str(entry.key), keys, f"{what} has {', '.join(keys)}")
                message = f"unknown key {str(entry.key)!r}; {hint}"
                raise SuiteError(entry.place.path, entry.place.start[0], message)

    def _bytes(self, path: str, at: DataNode | None) -> bytes:
        full = path if at is None else posixpath.normpath(posixpath.join(self.folder, path))
        data = self._read(full)
        if data is None:
            message = f"there is no file {path!r}" if at is not None else "there is no such file"
            raise SuiteError(
                at.location.path if at is not None else path, at.location.start[0] if at is not None else None, message
            )
        self.files.append(full)
        return data

    def _text(self, path: str, at: DataNode | None) -> str:
        try:
            return self._bytes(path, at).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise SuiteError(path, None, "the file is not UTF-8") from None

    def _tree(self, path: str, at: DataNode | None) -> DataNode | None:
        trees, errors = read_data(Document(path, self._text(path, at)))
        if errors:
            raise SuiteError(errors[0].path, errors[0].line, errors[0].message)
        return trees[0] if trees else None

    def _texts(self, node: DataMap, key: str) -> tuple[str, ...]:
        """A text or a list of texts."""
        match node.get(key):
            case None | DataScalar(value=None):
                return ()
            case DataText(text=text):
                return (text,)
            case DataList(items=items):
                for item in items:
                    if not isinstance(item, DataText):
                        raise _error(item, f"{key} takes texts")
                return tuple(item.text for item in items if isinstance(item, DataText))
            case found:
                raise _error(found, f"{key} takes a text or a list of texts")

    def _number(self, node: DataMap, key: str) -> float | None:
        match node.get(key):
            case None | DataScalar(value=None):
                return None
            case DataScalar(value=int() | float() as value) if not isinstance(value, bool):
                return float(value)
            case found:
                raise _error(found, f"{key} has to be a number")

    def _share(self, node: DataMap, key: str) -> float | None:
        value = self._number(node, key)
        found = node.get(key)
        if value is not None and found is not None and not 0 < value < 1:
            raise _error(found, f"{key} has to lie between 0 and 1 (0.05 is 5 points)")
        return value

    def _whole(self, node: DataMap, key: str, default: int) -> int:
        value = self._number(node, key)
        found = node.get(key)
        if value is None or found is None:
            return default
        if not value.is_integer() or value < 1:
            raise _error(found, f"{key} has to be a whole number from 1")
        return int(value)

    def _repeat(self, top: DataMap) -> int:
        options = top.get("evaluateOptions")
        if isinstance(options, DataMap):
            self._known(options, RUN_KEYS, "evaluateOptions")
            return self._whole(top, "repeat", self._whole(options, "repeat", 1))
        return self._whole(top, "repeat", 1)

    def _parameters(self, top: DataMap) -> Mapping[str, Any]:
        shared = _plain(top.get("parameters")) or {}
        if not isinstance(shared, dict):
            raise _error(top, "parameters have to be a mapping")
        return {PARAMETERS.get(str(name), str(name)): value for name, value in shared.items()}

    def _models(self, top: DataMap) -> tuple[Model, ...]:
        shared = self._parameters(top)
        found = [Model(name, parameters=shared) for name in self._texts(top, "model")]
        providers = top.get("providers")
        for one in providers.items if isinstance(providers, DataList) else [providers] if providers else []:
            match one:
                case DataText(text=text):
                    found.append(_model(text, shared))
                case DataMap():
                    self._known(one, PROVIDER_KEYS, "a provider")
                    config = _plain(one.get("config")) or {}
                    name = self._name(one, "id", "a provider needs an id")
                    if not isinstance(config, dict):
                        raise _error(one, "config has to be a mapping")
                    found.append(_model(name, {**shared, **config}))
                case _:
                    raise _error(one, "a provider is a text or a mapping with id and config")
        return tuple(found)

    def _default(self, node: DataNode | None) -> _Default:
        match node:
            case None | DataScalar(value=None):
                return _Default({}, (), None)
            case DataMap():
                self._known(node, TEST_KEYS, "defaultTest")
                return _Default(self._variables(node), self._asserts(node), self._number(node, "threshold"))
            case _:
                raise _error(node, "defaultTest has to be a mapping")

    def _variables(self, node: DataMap) -> dict[str, Any]:
        match node.get("vars"):
            case None | DataScalar(value=None):
                return {}
            case DataMap() as found:
                return {str(entry.key): self._variable(entry.value) for entry in found.entries}
            case found:
                raise _error(found, "vars have to be a mapping")

    def _variable(self, node: DataNode) -> Any:  # noqa: ANN401 (data of any form)
        if isinstance(node, DataText) and node.text.startswith(_FILE):
            return self._text(node.text.removeprefix(_FILE), node)
        return _plain(node)

    def _asserts(self, node: DataMap) -> tuple[DataNode, ...]:
        match node.get("assert"):
            case None | DataScalar(value=None):
                return ()
            case DataList(items=items):
                return items
            case found:
                raise _error(found, "assert has to be a list")

    def _tests(self, top: DataMap) -> Iterable[DataMap | FileItem]:
        tests = top.get("tests")
        match tests:
            case None | DataScalar(value=None):
                return
            case DataList(items=items):
                nodes: Sequence[DataNode] = items
            case _:
                nodes = (tests,)
        for node in nodes:
            match node:
                case DataMap():
                    yield node
                case DataText(text=text):
                    yield from self._tests_in(text.removeprefix(_FILE), node)
                case _:
                    raise _error(node, "a test is a mapping with vars and assert, or the path of a file with tests")

    def _tests_in(self, path: str, at: DataNode) -> Iterable[DataMap | FileItem]:
        full = posixpath.normpath(posixpath.join(self.folder, path))
        if path.endswith((".csv", ".jsonl")):
            yield from items_of(full, self._text(path, at))
            return
        if not path.endswith((".yaml", ".yml", ".json")):
            raise _error(at, f"tests in {path!r} cannot be read; known are .yaml, .json, .jsonl and .csv")
        trees, errors = read_data(Document(full, self._text(path, at)))
        if errors:
            raise SuiteError(full, errors[0].line, errors[0].message)
        tree = trees[0] if trees else None
        for node in tree.items if isinstance(tree, DataList) else ():
            if not isinstance(node, DataMap):
                raise _error(node, "a test is a mapping with vars and assert")
            yield node

    def _item(self, test: DataMap | FileItem, default: _Default) -> Item:
        if isinstance(test, FileItem):
            variables = {**default.variables, **test.variables}
            shared = [self._check(node, variables) for node in default.checks]
            own = [replace(check, variables=variables, folder=self.folder) for check in test.checks]
            for check in own:
                if check.kind not in grader_modules():
                    raise SuiteError(test.path, test.line, _unknown_kind(check.kind))
                wrong = problem(check)
                if wrong:
                    raise SuiteError(test.path, test.line, f"{check.kind} {wrong}")
            name = test.id or _content_id(test.variables, [[one.kind, one.value] for one in own])
            return self._made(name, variables, (*shared, *own), f"{test.path}:{test.line}", default.threshold)
        self._known(test, TEST_KEYS, "a test")
        variables = {**default.variables, **self._variables(test)}
        nodes = self._asserts(test)
        checks = tuple(self._check(node, variables) for node in (*default.checks, *nodes))
        names = self._texts(test, "id")
        name = names[0] if names else _content_id(self._variables(test), [_plain(node) for node in nodes])
        threshold = self._number(test, "threshold")
        place = f"{test.location.path}:{test.location.start[0]}"
        item = self._made(name, variables, checks, place, default.threshold if threshold is None else threshold)
        cluster = _plain(test.get("cluster"))
        return replace(item, cluster="" if cluster is None else str(cluster), slices=self._texts(test, "slices"))

    def _made(
        self, name: str, variables: Mapping[str, Any], checks: tuple[Check, ...], place: str, threshold: float | None
    ) -> Item:
        if not any(check.weight > 0 for check in checks):
            path, _, line = place.rpartition(":")
            raise SuiteError(path, int(line), "the test has nothing to be graded by; give it an assert with a weight")
        return Item(name, variables, checks, place, threshold)

    def _check(self, node: DataNode, variables: Mapping[str, Any]) -> Check:
        if not isinstance(node, DataMap):
            raise _error(node, "an assertion is a mapping with type and value")
        self._known(node, CHECK_KEYS, "an assertion")
        written = self._name(node, "type", "an assertion needs a type")
        kind = written.removeprefix("not-")
        if kind not in grader_modules():
            raise _error(node, _unknown_kind(kind))
        raw = _plain(node.get("value"))
        value = node.get("value")
        if isinstance(value, DataText) and value.text.startswith(_FILE):
            raw = self._value_of(value, kind)
        weight = self._number(node, "weight")
        check = Check(
            kind=kind,
            value=filled(raw, variables),
            threshold=self._number(node, "threshold"),
            weight=1.0 if weight is None else weight,
            negated=written != kind,
            options={name: _plain(option) for name in OPTIONS if (option := node.get(name)) is not None},
            variables=variables,
            folder=self.folder,
        )
        missing = unfilled(str(raw), variables) if raw is not None else ()
        if missing:
            raise _error(node, f"the value names {missing[0]!r}, which is no variable of the test")
        if check.weight < 0:
            raise _error(node, "a weight is 0 or more")
        wrong = problem(check)
        if wrong:
            raise _error(node, f"{kind} {wrong}")
        return check

    def _value_of(self, node: DataText, kind: str) -> Any:  # noqa: ANN401 (data of any form)
        """A value that stands in a file; a Python file stays a path."""
        path = node.text.removeprefix(_FILE)
        if kind == "python":
            return node.text
        if path.endswith((".json", ".yaml", ".yml")):
            trees, errors = read_data(Document(path, self._text(path, node)))
            if errors:
                raise SuiteError(errors[0].path, errors[0].line, errors[0].message)
            return _plain(trees[0]) if trees else None
        return self._text(path, node)

    def _judge(self, top: DataMap) -> Judge | None:
        match top.get("judge"):
            case None | DataScalar(value=None):
                return None
            case DataMap() as node:
                self._known(node, JUDGE_KEYS, "judge")
                parameters = _plain(node.get("parameters")) or {}
                if not isinstance(parameters, dict):
                    raise _error(node, "parameters have to be a mapping")
                model = _model(self._name(node, "model", "a judge needs a model"), parameters)
                return Judge(model, tuple(self._labels(node.get("labels"))))
            case node:
                raise _error(node, "judge is a mapping with model and labels")

    def _labels(self, node: DataNode | None) -> Iterable[Label]:
        match node:
            case None | DataScalar(value=None):
                return
            case DataText(text=text) if text.startswith(_FILE):
                path = text.removeprefix(_FILE)
                for number, line in enumerate(self._text(path, node).split("\n"), 1):
                    if line.strip():
                        try:
                            yield _label(json.loads(line))
                        except (ValueError, RecursionError):
                            raise SuiteError(path, number, _NO_LABEL) from None
            case DataList(items=items):
                for item in items:
                    try:
                        yield _label(_plain(item))
                    except ValueError:
                        raise _error(item, _NO_LABEL) from None
            case _:
                raise _error(node, "labels are a list, or the path of a .jsonl file after file://")

    def _check_judge(self, top: DataMap, judge: Judge | None, items: Sequence[Item]) -> None:
        """Whatever a judge has to grade is graded by one whose errors are known."""
        judged = {
            item.id: [one for one in item.checks if one.weight > 0 and (asks_judge(one) or compares_answers(one))]
            for item in items
        }
        kinds = sorted({check.kind for checks in judged.values() for check in checks})
        at = top.get("judge") or top
        if kinds and (judge is None or not judge.labels):
            raise _error(
                at,
                f"{kinds[0]} is graded by a model, whose errors have to be known: "
                "add judge: {model: ..., labels: file://labels.jsonl} with judged answers",
            )
        for label in judge.labels if judge is not None else ():
            checks = judged.get(label.test)
            if not checks:
                raise _error(at, f"a label is for the test {label.test!r}, which there is not or no judge grades")
            if label.original is None and any(compares_answers(check) for check in checks):
                raise _error(at, f"the label for {label.test!r} needs original: the answer that it is compared with")

    def _check_slices(self, top: DataMap, critical: Sequence[str], items: Sequence[Item]) -> None:
        known = {name for item in items for name in item.slices}
        for name in critical:
            if name not in known:
                hint = suggestion(name, known, "no test is in any slice" if not known else f"known: {sorted(known)}")
                raise _error(top.get("critical") or top, f"no test is in the critical slice {name!r}; {hint}")


_NO_LABEL = "a label has test (the id of a test), output (an answer) and pass (true or false)"


def _label(value: Any) -> Label:  # noqa: ANN401 (data of any form)
    """A label. Raises ValueError where it is none."""
    match value:
        case {"test": str() as test, "output": str() as output, "pass": bool() as passed, **rest} if not (
            set(rest) - set(LABEL_KEYS)
        ):
            original = rest.get("original")
            if original is None or isinstance(original, str):
                return Label(test, output, passed, original)
    raise ValueError


def _error(node: DataNode, message: str) -> SuiteError:
    return SuiteError(node.location.path, node.location.start[0], message)


def _unknown_kind(kind: str) -> str:
    known = sorted(grader_modules())
    return f"unknown assertion type {kind!r}; {suggestion(kind, known, 'known are ' + ', '.join(known))}"


def _content_id(variables: Mapping[str, Any], checks: object) -> str:
    return data_hash([dict(variables), checks])[:12]


def _distinct(items: Sequence[Item]) -> tuple[Item, ...]:
    """Items with ids of their own: equal tests are counted, ids that were given twice are an error."""
    seen: dict[str, int] = {}
    found = []
    for item in items:
        count = seen[item.id] = seen.get(item.id, 0) + 1
        if count > 1 and not _is_content_id(item.id):
            path, _, line = item.place.rpartition(":")
            raise SuiteError(path, int(line), f"a second test with the id {item.id!r}")
        found.append(item if count == 1 else replace(item, id=f"{item.id}-{count}"))
    return tuple(found)


def _is_content_id(name: str) -> bool:
    return len(name) == 12 and all(char in "0123456789abcdef" for char in name)


def _model(written: str, config: Mapping[str, Any]) -> Model:
    """A provider in promptfoo's words: ``bedrock:[converse:]MODEL`` or ``openai:[chat:]MODEL``."""
    parameters = {PARAMETERS.get(name, name): value for name, value in config.items()}
    name, route = written, "converse"
    if written.startswith("bedrock:"):
        name = written.removeprefix("bedrock:")
        route = "converse" if name.startswith("converse:") else "invoke_model"
        name = name.removeprefix("converse:")
    elif written.startswith("openai:"):
        name, route = written.removeprefix("openai:").removeprefix("chat:"), "openai"
    return Model(name, route, parameters)


def _plain(node: DataNode | None) -> Any:  # noqa: ANN401 (data of any form)
    match node:
        case None:
            return None
        case DataText(text=text):
            return text
        case DataScalar(value=value):
            return value
        case DataList(items=items):
            return [_plain(item) for item in items]
        case DataMap(entries=entries):
            return {str(entry.key): _plain(entry.value) for entry in entries}
