"""The assertions of a suite: as they are written, and with the variables of a test filled in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from promptslim.config.error import suggestion
from promptslim.core.record import record
from promptslim.extract.files.data import DataMap, DataNode, DataScalar, DataText
from promptslim.verify.answer import Check, CheckSet
from promptslim.verify.grading import grader_modules, problem
from promptslim.verify.suite_files import DATA, FILE, SuiteFiles
from promptslim.verify.suite_nodes import error, known, listed, number, one_text, plain, text
from promptslim.verify.suite_templates import TemplateValueError, filled_in

CHECK_KEYS = ("config", "exact", "metric", "n", "threshold", "tolerance", "type", "value", "weight")
SET_KEYS = ("assert", "metric", "threshold", "type", "weight")
OPTIONS = {"config": "python", "exact": "tool-call", "n": "rouge-n", "tolerance": "number"}
"""Option -> the type of assertion that has it."""
_PASSED_OVER = "provider rubricPrompt"
_FOREIGN = {
    "contextTransform": "context assertions are not",
    "transform": "answers are graded as they come; grade with {type: python, value: file://grade.py}",
}
_BY_MODEL = (
    "agent-rubric answer-relevance classifier context-faithfulness context-recall context-relevance "
    "conversation-relevance factuality g-eval model-graded-closedqa model-graded-factuality moderation pi search-rubric"
)
_BY_PROGRAM = (
    "javascript ruby webhook bleu contains-html contains-sql contains-xml ends-with gleu guardrails is-html "
    "is-refusal is-sql is-xml meteor perplexity perplexity-score rouge-s word-count"
)
_OF_TOOLS = "is-valid-function-call is-valid-openai-function-call is-valid-openai-tools-call tool-call-f1"
_OF_TRACES = "trace-error-spans trace-span-count trace-span-duration trajectory skill-used"
_FOREIGN_KINDS = {
    **dict.fromkeys(_BY_PROGRAM.split(), "write it as {type: python, value: file://grade.py}"),
    **dict.fromkeys(_BY_MODEL.split(), "ask the judge with llm-rubric"),
    **dict.fromkeys(_OF_TOOLS.split(), "calls of tools are graded with tool-call"),
    **dict.fromkeys(_OF_TRACES.split(), "only the answer of one call is graded"),
    **dict.fromkeys(("human", "max-score", "select-best"), "two answers are compared with pairwise"),
    **dict.fromkeys(
        ("bertscore", "similar"), "no embeddings are asked for; similarity compares characters, rouge-l words"
    ),
}


@record
class Written:
    """One assertion as it is written: its mapping, and the set that it stands in."""

    node: DataMap
    group: CheckSet | None = None


def written_in(node: DataMap, files: SuiteFiles, templates: DataNode | None) -> tuple[Written, ...]:
    """The assertions under ``assert``, those of an assert-set one by one. ``templates``: promptfoo's
    assertionTemplates, which ``$ref`` names. Raises SuiteError."""
    found = node.get("assert")
    match found:
        case None | DataScalar(value=None):
            return ()
        case DataMap() | DataText() | DataScalar():
            raise error(found, "assert has to be a list")
    return tuple(_flat(listed(found), files, templates))


def _flat(nodes: Iterable[DataNode], files: SuiteFiles, templates: DataNode | None) -> Iterator[Written]:
    for node in nodes:
        one = _resolved(node, templates)
        if plain(one.get("type")) != "assert-set":
            yield Written(one)
            continue
        known(one, SET_KEYS, "an assert-set")
        group = CheckSet(_place(one), number(one, "threshold"), _weight(one))
        members = one.get("assert")
        for inner in _flat(listed(members), files, templates):
            if inner.group is not None:
                raise error(one, "an assert-set in an assert-set is not known here")
            yield Written(inner.node, group)


def _resolved(node: DataNode, templates: DataNode | None) -> DataMap:
    if not isinstance(node, DataMap):
        raise error(node, "an assertion is a mapping with type and value")
    reference = plain(node.get("$ref"))
    if reference is None:
        return node
    name = str(reference).removeprefix("#/assertionTemplates/")
    found = templates.get(name) if isinstance(templates, DataMap) else None
    if not isinstance(found, DataMap) or found.get("$ref") is not None:
        names = [str(entry.key) for entry in templates.entries] if isinstance(templates, DataMap) else []
        hint = suggestion(name, names, "assertionTemplates has " + (", ".join(names) or "none"))
        raise error(node, f"there is no assertion {reference!r}; {hint}")
    return found


def _place(node: DataNode) -> str:
    return f"{node.location.path}:{node.location.span.start}"


def _weight(node: DataMap) -> float:
    found = number(node, "weight")
    if found is not None and found < 0:
        raise error(node, "a weight is 0 or more")
    return 1.0 if found is None else found


def check_of(written: Written, variables: Mapping[str, Any], files: SuiteFiles) -> Check:
    """The assertion with the variables of a test. Raises SuiteError."""
    node = written.node
    kind, negated = _kind(node)
    files.passed_over([f"{one} of {kind}" for one in known(node, CHECK_KEYS, "an assertion", _FOREIGN, _PASSED_OVER)])
    raw = plain(node.get("value"))
    value = node.get("value")
    if isinstance(value, DataText) and value.text.startswith(FILE):
        raw = _value_of(value, kind, files)
    try:
        shown = raw if kind == "python" or isinstance(value, DataScalar) else filled_in(raw, variables)
    except TemplateValueError as wrong:
        raise error(node, str(wrong)) from None
    _check_options(node, kind)
    check = Check(
        kind=kind,
        value=shown,
        threshold=number(node, "threshold"),
        weight=_weight(node),
        negated=negated,
        options={name: plain(option) for name in OPTIONS if plain(option := node.get(name)) is not None},
        variables=variables,
        folder=files.folder,
        group=written.group,
    )
    wrong_value = problem(check)
    if wrong_value:
        raise error(node, f"{kind} {wrong_value}")
    return check


def _check_options(node: DataMap, kind: str) -> None:
    text(node, "metric")
    for name, owner in OPTIONS.items():
        option = node.get(name)
        if option is None or plain(option) is None:
            continue
        if kind != owner:
            raise error(option, f"{name} belongs to {owner}, and means nothing for {kind}")
        if name == "exact" and not isinstance(plain(option), bool):
            raise error(option, "exact is true or false")


def _kind(node: DataMap) -> tuple[str, bool]:
    written = one_text(node, "type", "an assertion needs a type")
    kind = written.removeprefix("not-")
    if kind in grader_modules():
        return kind, written != kind
    if kind in _FOREIGN_KINDS:
        raise error(node, f"promptfoo's {written} is not known here: {_FOREIGN_KINDS[kind]}")
    choices = sorted(grader_modules())
    raise error(
        node, f"unknown assertion type {kind!r}; {suggestion(kind, choices, 'known are ' + ', '.join(choices))}"
    )


def _value_of(node: DataText, kind: str, files: SuiteFiles) -> Any:  # noqa: ANN401 (data of any form)
    """A value that stands in a file; a Python file stays a path."""
    path = node.text.removeprefix(FILE)
    if kind == "python":
        return node.text
    if path.endswith(DATA):
        return plain(files.tree(path, node))
    return files.text(path, node)


def is_type(written: str) -> bool:
    """Whether a word names a type of assertion: of ours, or of promptfoo's."""
    kind = written.removeprefix("not-")
    return kind in grader_modules() or kind in _FOREIGN_KINDS
