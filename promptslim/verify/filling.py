"""A prompt and the call that sends it, filled with the variables of an item: what the model is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from promptslim.config.error import suggestion
from promptslim.core.prompt import BlockEnd, CachePoint, Hole, Literal, Prompt
from promptslim.core.record import record
from promptslim.core.values import Absent, Known
from promptslim.verify.request import Message, Tool

if TYPE_CHECKING:
    from promptslim.core.call import LlmCall

INPUTS = ("input", "prompt", "question", "query", "message", "text")
"""Variables that are taken as what the user says, first found first, where no call shows it."""

_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_CODE = (".py", ".ipynb")
_MISSING = object()


class FillingError(Exception):
    """A prompt that cannot be filled. The message is one line, without the place."""


@record
class Sent:
    """The texts of a request."""

    system: str
    messages: tuple[Message, ...]


def sent(prompt: Prompt, original: Prompt, call: LlmCall | None, variables: Mapping[str, Any]) -> Sent:
    """What a model is sent for one item: the call's texts with ``prompt`` in the place of ``original``.

    A system prompt whose call is not known goes with the variable that holds the user's words (see ``INPUTS``; or
    ``messages``, a conversation); any other prompt is the user's message itself. Raises FillingError.
    """
    if call is None and is_conversation(prompt):
        return _told_as_data(prompt, variables)
    own = filled_prompt(prompt, variables)
    system = _known(call, "system")
    messages = _known(call, "messages")
    if original.role == "system" or (system is not None and _same(system, original)):
        if messages is None or not messages:
            return Sent(own, _conversation(variables))
        return Sent(own, _turns(messages, {}, variables))
    if messages is not None and any(_same(one, original) for one in messages):
        beside = filled_prompt(system, variables) if isinstance(system, Prompt) else ""
        turns = _turns(messages, {_place(original): own}, variables)
        return Sent(beside, turns)
    return Sent("", (Message("user", own),))


def is_conversation(prompt: Prompt) -> bool:
    """Whether the text of a prompt is a conversation in JSON, as promptfoo takes it: a list of role and content."""
    text = prompt.static_text
    return text.lstrip().startswith("[") and '"role"' in text and '"content"' in text


def _told_as_data(prompt: Prompt, variables: Mapping[str, Any]) -> Sent:
    """A conversation in JSON with the variables filled in as they go into texts of JSON."""
    try:
        turns = json.loads(filled_prompt(prompt, _in_json(variables)))
    except (ValueError, RecursionError):
        raise FillingError(f"{prompt.id} looks like a conversation, and is not JSON when it is filled") from None
    system: list[str] = []
    messages: list[Message] = []
    for turn in turns:
        match turn:
            case {"role": "system" | "developer", "content": str() | list() as content}:
                system.append(_plain_text(prompt, content))
            case {"role": "user" | "assistant" as role, "content": str() | list() as content}:
                messages.append(Message(role, _plain_text(prompt, content)))
            case _:
                raise FillingError(f"{prompt.id} has a turn that is no text of system, user or assistant")
    if not messages:
        messages = list(_conversation(variables))
    return Sent("\n\n".join(system), tuple(messages))


def _plain_text(prompt: Prompt, content: str | list[Any]) -> str:
    if isinstance(content, str):
        return content
    if not all(isinstance(one, dict) and isinstance(one.get("text"), str) for one in content):
        raise FillingError(f"{prompt.id} has content that is no text")
    return "".join(one["text"] for one in content)


def _in_json(value: Any) -> Any:  # noqa: ANN401 (a variable of any type)
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)[1:-1]
        case dict():
            return {key: _in_json(one) for key, one in value.items()}
        case list():
            return [_in_json(one) for one in value]
        case _:
            return value


def filled_prompt(prompt: Prompt, variables: Mapping[str, Any]) -> str:
    """The text of a prompt with its holes filled. Raises FillingError for a hole that no variable fills."""
    if _is_template(prompt):
        return _jinja(prompt.location.text, variables)
    pieces: list[str] = []
    for part in prompt.parts:
        match part:
            case Literal(maybe=True):
                raise FillingError(
                    f"{prompt.id} has conditions that only its own program can follow; put it in a .j2 file"
                )
            case Literal(text=text):
                pieces.append(text)
            case Hole():
                pieces.append(_text(_value(part, prompt, variables)))
            case BlockEnd():
                pieces.append("\n")
    return (
        "".join(pieces).removesuffix("\n")
        if any(isinstance(one, BlockEnd) for one in prompt.parts)
        else "".join(pieces)
    )


def _is_template(prompt: Prompt) -> bool:
    return prompt.shape == "jinja" and not prompt.location.document.path.lower().endswith(_CODE)


def holes_of(prompt: Prompt) -> tuple[str, ...]:
    """The names by which variables fill a prompt, in order."""
    return tuple(dict.fromkeys(name_of(hole) for hole in prompt.holes))


def name_of(hole: Hole) -> str:
    """The shortest name by which a variable fills a hole."""
    return _names(hole)[-1]


def needed(prompt: Prompt, call: LlmCall | None) -> tuple[str, ...]:
    """The variables that an item needs for a prompt and what is sent beside it."""
    names = list(holes_of(prompt))
    messages = _known(call, "messages") or ()
    system = _known(call, "system")
    for other in (*([system] if isinstance(system, Prompt) else []), *messages):
        if not _same(other, prompt):
            names += holes_of(other)
    if prompt.role == "system" and not messages:
        names.append(INPUTS[0])
    return tuple(dict.fromkeys(names))


def places(prompt: Prompt, names: Sequence[str]) -> dict[str, Any]:
    """Variables with ``...`` for each of the names; those of a template in the form that it takes them."""
    tree = _tree(prompt.location.text) if _is_template(prompt) else None
    if tree is None:
        return dict.fromkeys(names, "...")
    from jinja2 import meta, nodes

    free = meta.find_undeclared_variables(tree)
    looped = {}
    for loop in tree.find_all(nodes.For):
        if isinstance(loop.iter, nodes.Name) and loop.iter.name in free and isinstance(loop.target, nodes.Name):
            looped[loop.target.name] = loop.iter.name
    found: dict[str, Any] = {}
    entries: dict[str, Any] = {}
    for path in _read(tree):
        if path[0] in looped:
            _put(entries, path)
        elif path[0] in free:
            _put(found, path)
    for target, name in looped.items():
        found[name] = [entries.get(target, "...")]
    seen = {step for path in _read(tree) for step in path}
    return {**found, **{name: "..." for name in names if name not in seen}}


def _put(into: dict[str, Any], path: Sequence[str]) -> None:
    """Make a place for a dotted name."""
    for step in path[:-1]:
        inner = into.get(step)
        into[step] = into = inner if isinstance(inner, dict) else {}
    into.setdefault(path[-1], "...")


def _tree(template: str) -> Any:  # noqa: ANN401 (a jinja2 template)
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    try:
        return ImmutableSandboxedEnvironment().parse(template)
    except (TemplateError, RecursionError):
        return None


def _read(tree: Any) -> list[tuple[str, ...]]:  # noqa: ANN401 (a jinja2 template)
    """The dotted names that a template reads, longest forms only, in the order of its lines."""
    from jinja2 import nodes

    inner = {id(one.node) for one in tree.find_all(nodes.Getattr)}
    found = []
    for one in tree.find_all((nodes.Getattr, nodes.Name)):
        path: list[str] = []
        step = one
        while isinstance(step, nodes.Getattr):
            path.insert(0, step.attr)
            step = step.node
        if id(one) not in inner and isinstance(step, nodes.Name) and step.ctx == "load":
            found.append((one.lineno, (step.name, *path)))
    return [path for _, path in sorted(found, key=lambda entry: entry[0])]


def tools_of(call: LlmCall | None) -> tuple[tuple[Tool, ...], bool]:
    """The tools that a call sends, and whether they are known whole."""
    if call is None:
        return (), True
    match call.tools.only:
        case Absent():
            return (), True
        case Known(value=Prompt() as prompt) if not prompt.holes:
            try:
                found = json.loads(prompt.static_text)
            except ValueError:
                return (), False
            tools = [_tool(one) for one in (found if isinstance(found, list) else [found])]
            known = [one for one in tools if one is not None]
            return (tuple(known), True) if len(known) == len(tools) else ((), False)
        case _:
            return (), False


def cached_for(call: LlmCall | None) -> str:
    """The lifetime of the cache point that a call sets in its system prompt or tools; empty where it sets none."""
    if call is None:
        return ""
    prompts = [
        case.value.value for field in (call.system, call.tools) for case in field if isinstance(case.value, Known)
    ]
    points = [part for prompt in prompts for part in prompt.parts if isinstance(part, CachePoint) and part.known]
    if not points:
        return ""
    return "1h" if any(point.ttl == "1h" for point in points) else "5m"


def _tool(one: Any) -> Tool | None:  # noqa: ANN401 (parsed JSON)
    match one:
        case {"toolSpec": {"name": str() as name, "inputSchema": {"json": dict() as schema}, **rest}}:
            return Tool(name, schema, str(rest.get("description", "")))
        case {"name": str() as name, "input_schema": dict() as schema, **rest}:
            return Tool(name, schema, str(rest.get("description", "")))
        case {"function": {"name": str() as name, "parameters": dict() as schema, **rest}}:
            return Tool(name, schema, str(rest.get("description", "")))
        case {"name": str() as name, "parameters": dict() as schema, **rest}:
            return Tool(name, schema, str(rest.get("description", "")))
    return None


def _known(call: LlmCall | None, name: str) -> Any:  # noqa: ANN401 (a prompt, or several)
    """The value of a field of a call where it is certain, else None."""
    if call is None:
        return None
    field = call.system if name == "system" else call.messages
    value: Any = field.only
    return value.value if isinstance(value, Known) else None


def _place(prompt: Prompt) -> tuple[str, int | None, int]:
    return prompt.location.path, prompt.location.cell, prompt.location.span.start


def _same(one: Prompt, other: Prompt) -> bool:
    return _place(one) == _place(other)


def _turns(
    messages: tuple[Prompt, ...], instead: Mapping[tuple[str, int | None, int], str], variables: Mapping[str, Any]
) -> tuple[Message, ...]:
    found: list[Message] = []
    for one in messages:
        given = None if _place(one) in instead else _given_turns(one, variables)
        role = "assistant" if one.role == "assistant" else "user"
        found += given or [Message(role, instead.get(_place(one)) or filled_prompt(one, variables))]
    return tuple(found)


def _given_turns(message: Prompt, variables: Mapping[str, Any]) -> list[Message] | None:
    """The turns of a test where all that is known of the messages is the variable that they come in."""
    name = lone_hole(message)
    found = next((variables[one] for one in (_names(name) if name else ()) if one in variables), None)
    match found:
        case [{"role": _, "content": _}, *_]:
            return list(_conversation({"messages": found}))
    return None


def lone_hole(prompt: Prompt) -> Hole | None:
    """The hole that a prompt consists of; None where there is anything else."""
    match [part for part in prompt.parts if not isinstance(part, BlockEnd)]:
        case [Hole() as hole]:
            return hole
    return None


def _conversation(variables: Mapping[str, Any]) -> tuple[Message, ...]:
    """The turns that an item brings with it."""
    match variables.get("messages"):
        case [*turns] if turns:
            found = [
                Message(str(turn["role"]), turn["content"])
                for turn in turns
                if isinstance(turn, Mapping)
                and turn.get("role") in ("user", "assistant")
                and isinstance(turn.get("content"), str)
            ]
            if found:
                return tuple(found)
    for name in INPUTS:
        if name in variables:
            return (Message("user", _text(variables[name])),)
    raise FillingError(f"what the user says is not known: give the test a variable {INPUTS[0]!r}")


def _names(hole: Hole) -> tuple[str, ...]:
    """What a hole can be called by: its expression, its name, the last name of a dotted expression."""
    expression = " ".join(hole.expression.split())
    last = expression.rpartition(".")[2] if _NAME.fullmatch(expression) else expression
    return tuple(dict.fromkeys(name for name in (expression, hole.name or last, last) if name))


def _value(hole: Hole, prompt: Prompt, variables: Mapping[str, Any]) -> Any:  # noqa: ANN401 (of any type)
    names = _names(hole)
    for name in names:
        if name in variables:
            return variables[name]
    found: Any = variables
    for step in names[0].split("."):
        if not isinstance(found, Mapping) or step not in found:
            hint = suggestion(names[-1], variables, f"it has {', '.join(sorted(variables)) or 'none'}")
            raise FillingError(f"{prompt.id} has the hole {names[-1]!r}, which no variable of the test fills; {hint}")
        found = found[step]
    return found


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _jinja(text: str, variables: Mapping[str, Any]) -> str:
    """A template, without access to anything but the variables."""
    from jinja2 import StrictUndefined, TemplateError, meta
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    try:
        others = sorted(name or "another file" for name in meta.find_referenced_templates(environment.parse(text)))
        if others:
            raise FillingError(
                f"the template takes in {others[0]}, which a proof would not follow; put its text into the template"
            )
        return environment.from_string(text).render(**variables)
    except (TemplateError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise FillingError(f"the template cannot be filled: {' '.join(str(error).split())}") from None
