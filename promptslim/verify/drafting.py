"""Drafting a suite: from the variables of a prompt, and from logged requests."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from promptslim.core.call import LlmCall
from promptslim.core.prompt import Prompt
from promptslim.core.record import record
from promptslim.core.values import Known
from promptslim.proof.canonical import data_hash
from promptslim.proof.looks import level_of
from promptslim.proof.power import ASSUMED_DISCORDANCE, items_needed_exact, smallest_margin
from promptslim.verify.claims import MOST_MARGIN
from promptslim.verify.filling import lone_hole, name_of, needed, places
from promptslim.verify.logged_requests import Logged, variables_of
from promptslim.verify.suite_tests import is_conversation

LOOKS = 2
"""Looks that a draft declares: most suites grow after the first."""

LABEL = 40
"""Characters up to which an answer can be one of a set of labels."""

MOST_LABELS = 0.25
"""Share of the answers that may differ for them to be labels."""

GOAL = 0.05

_BRACES = re.compile(r"\{[{%#]")


@record
class Draft:
    """A suite as YAML: ``tests`` many; ``margin`` is the smallest that they can prove (None: nothing of sense);
    ``repeated`` requests were the same as another, ``foreign`` ones did not come from this prompt, ``unanswered`` had
    no answer."""

    text: str
    tests: int
    margin: float | None
    repeated: int = 0
    foreign: int = 0
    unanswered: int = 0


def drafted(prompt: Prompt, call: LlmCall | None, model: str | None, requests: Sequence[Logged]) -> Draft:
    """A draft for a prompt. Without requests it has one test with a place for every variable."""
    names = needed(prompt, call)
    if not requests:
        variables = places(prompt, names)
        tests = [_test(variables, [{"type": "icontains", "value": "..."}])]
        return Draft(_yaml(prompt, model, tests, None, _first_note(list(variables))), 1, None)
    texts = _sent(prompt, call)
    seen: dict[str, dict[str, Any]] = {}
    answers: dict[str, str] = {}
    counts = {"repeated": 0, "foreign": 0, "unanswered": 0}
    for request in requests:
        found = variables_of(texts, request)
        if found is not None:
            found = _with_turns(found, texts, request)
        if found is not None and not _knows(found, names):
            found = _with_input(found, texts, request, names)
        if found is None:
            counts["foreign"] += 1
        elif (key := data_hash(found)) in seen:
            counts["repeated"] += 1
        elif request.answer is None or not request.answer.strip():
            counts["unanswered"] += 1
        else:
            seen[key], answers[key] = found, request.answer.strip()
    kind = _kind(list(answers.values()))
    tests = [_test(seen[key], [_assertion(kind, answers[key])]) for key in seen]
    margin = _margin(len(tests))
    return Draft(_yaml(prompt, model, tests, margin, _note(kind)), len(tests), margin, **counts)


def _sent(prompt: Prompt, call: LlmCall | None) -> tuple[Prompt, ...]:
    """The prompt and the turns that its call sends with it, those that can be read."""
    found = [prompt]
    match call.messages.only if call is not None else None:
        case Known(value=tuple() as messages):
            found += [one for one in messages if one.location != prompt.location and one.role != "assistant"]
    return tuple(found)


def _knows(found: dict[str, Any], names: Sequence[str]) -> bool:
    return all(name in found for name in names)


def _with_turns(found: dict[str, Any], texts: Sequence[Prompt], request: Logged) -> dict[str, Any]:
    """With all turns of a conversation, where the program hands them on in one variable."""
    hole = lone_hole(texts[-1]) if len(texts) == 2 else None
    if hole is None or len(request.turns) < 2:
        return found
    return {**found, name_of(hole): [{"role": role, "content": text} for role, text in request.turns]}


def _with_input(
    found: dict[str, Any], texts: Sequence[Prompt], request: Logged, names: Sequence[str]
) -> dict[str, Any] | None:
    """With what the user said, where the prompt is a system prompt and no call shows the turns."""
    missing = [name for name in names if name not in found]
    if len(missing) != 1 or len(texts) != 1 or len(request.texts) < 2:
        return None
    turns = [{"role": role, "content": text} for role, text in request.turns]
    # One turn is the input; of a conversation all turns belong to the test.
    return {**found, missing[0]: request.texts[-1], **({"messages": turns} if len(turns) > 1 else {})}


def _kind(answers: Sequence[str]) -> str:
    """What the answers look like: ``label``, ``json`` or ``text``."""
    if not answers:
        return "text"
    if all(map(_is_json, answers)):
        return "json"
    labels = all(len(one) <= LABEL for one in answers) and len(set(answers)) <= max(2, MOST_LABELS * len(answers))
    return "label" if labels else "text"


def _is_json(answer: str) -> bool:
    try:
        return isinstance(json.loads(answer), dict | list)
    except (ValueError, RecursionError):
        return False


def _assertion(kind: str, answer: str) -> dict[str, Any]:
    match kind:
        case "label":
            return {"type": "equals", "value": _escaped(answer)}
        case "json":
            return {"type": "f-score", "value": _escaped(json.loads(answer)), "threshold": 1}
        case _:
            likeness = "similarity" if find_spec("rouge_score") is None else "rouge-l"
            return {"type": likeness, "value": _escaped(answer), "threshold": 0.5}


def _escaped(value: Any) -> Any:  # noqa: ANN401 (data of any form)
    """A value whose braces name no variable."""
    match value:
        case str():
            return _BRACES.sub(lambda mark: f"{{{{ '{mark[0]}' }}}}", value)
        case list():
            return [_escaped(one) for one in value]
        case dict():
            return {name: _escaped(one) for name, one in value.items()}
        case _:
            return value


def _test(variables: dict[str, Any], checks: list[dict[str, Any]]) -> dict[str, Any]:
    lists = any(isinstance(value, list) and not is_conversation(value) for value in variables.values())
    return {"vars": variables, **({"options": {"disableVarExpansion": True}} if lists else {}), "assert": checks}


def _margin(tests: int) -> float | None:
    found = smallest_margin(tests, level=level_of(0.05, 1, LOOKS))
    return None if not tests or found > MOST_MARGIN else found


def _note(kind: str) -> str:
    match kind:
        case "label":
            return "Each answer in the log is taken as the right one: look through them before you rely on it."
        case "json":
            return "Each value of a logged answer is taken as right: look through them, and loosen what may differ."
        case _:
            shared = "characters" if find_spec("rouge_score") is None else "words, in order,"
            return f"An answer has to share half of its {shared} with the logged one: replace it by what matters."


def _tests(count: int) -> str:
    return "1 test" if count == 1 else f"{count} tests"


def _first_note(names: Sequence[str]) -> str:
    filled = ", ".join(names) or "none"
    return (
        f"Fill in tests (variables: {filled}) and what a good answer has, or draft them from a log: --from-logs FILE."
    )


def _yaml(prompt: Prompt, model: str | None, tests: Sequence[dict[str, Any]], margin: float | None, note: str) -> str:
    import yaml

    level = level_of(0.05, 1, LOOKS)
    goal = items_needed_exact(ASSUMED_DISCORDANCE, GOAL, level=level)
    lines = [f"# {note}"]
    if margin is None:
        lines.append(
            f"# {_tests(len(tests))} can prove nothing yet; a margin of {100 * GOAL:g} points takes about {goal}."
        )
    else:
        lines.append(
            f"# {_tests(len(tests))} can prove a margin of {100 * margin:.1f} points (80 % power, prompts that differ "
            f"on {100 * ASSUMED_DISCORDANCE:g} % of them); {100 * GOAL:g} points take about {goal}."
        )
    head: dict[str, Any] = {"prompts": [prompt.id]}
    if model is not None:
        head["model"] = model
    if margin is not None:
        head["margin"] = margin
    head["looks"] = LOOKS
    body = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=110)
    body += yaml.safe_dump({"tests": list(tests)}, sort_keys=False, allow_unicode=True, width=110)
    return "\n".join(lines) + "\n" + body
