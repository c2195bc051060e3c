"""Recognised call sites to ``LlmCall``: every field with what is known of it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from promptslim.core.call import LlmCall
from promptslim.core.prompt import Prompt
from promptslim.core.record import record, replace
from promptslim.core.text import Location, Span
from promptslim.core.values import ABSENT, Absent, Case, Field, Known, Present, Unknown, known, unknown
from promptslim.core.values import Value as CoreValue
from promptslim.extract.python.abstract import (
    Const,
    External,
    Record,
)
from promptslim.extract.python.bodies import Bodies, BodyReader
from promptslim.extract.python.cache_markers import automatic_point, caching_of
from promptslim.extract.python.caps import Caps, cap_keys, joined
from promptslim.extract.python.client import client_facts
from promptslim.extract.python.control import control_facts, loops_around
from promptslim.extract.python.disorder import disorder
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame
from promptslim.extract.python.history import sent_history
from promptslim.extract.python.lookup import (
    Found,
    Hidden,
    Missing,
    Outcome,
    anything,
    at_path,
    field_of,
    request_of,
)
from promptslim.extract.python.model_id import ModelOf, model_field, model_names
from promptslim.extract.python.module import Module
from promptslim.extract.python.prompts import markers_in, messages_of, prompt_of
from promptslim.extract.python.recognise import Recognised
from promptslim.extract.python.signatures import Operation, Signatures
from promptslim.extract.python.tools import tools_of

CALL_KINDS: dict[str, Literal["request", "model", "agent"]] = {"request": "request", "model": "model", "agent": "agent"}
TEXT_KINDS = frozenset({"chat", "other"})


@record
class Sent:
    """The texts of one request. ``points`` is the number of cache markers in them; ``hidden``: something among them
    cannot be seen, and may hold more."""

    system: Field[Prompt]
    messages: Field[tuple[Prompt, ...]]
    tools: Field[Prompt]
    points: int
    hidden: bool


@record
class Builder:
    """Builds the calls of one module."""

    module: Module
    evaluator: Evaluator
    tables: Signatures
    model_of: ModelOf

    def calls(self, sites: Iterable[Recognised]) -> Iterator[LlmCall]:
        """The calls at the given sites, with ids that are unique in the file."""
        seen: Counter[str] = Counter()
        for site in sites:
            call = self.call(site)
            if call is None:
                continue
            seen[call.id] += 1
            yield call if seen[call.id] == 1 else replace(call, id=f"{call.id}#{seen[call.id]}")

    def call(self, site: Recognised) -> LlmCall | None:
        """One call; None where it turns out to be no text generation (embeddings, images)."""
        operation, frame, module = site.operation, site.frame, self.module
        self.evaluator.begin()
        request = request_of(self.evaluator, site.node, operation.positional, frame)
        scope = module.qualname(site.node)
        label = f"{module.path}::{scope}:{site.name}"
        model = model_field(self.evaluator, operation, request, site)
        if any(f is not None and f.kind not in TEXT_KINDS for f in map(self.model_of, model_names(model))):
            return None
        bodies: Bodies = ((None, request),)
        hidden = request.open
        if operation.body is not None:
            found = BodyReader(self.evaluator, self.tables, self.model_of).read(operation.body, request, model, frame)
            if found is None:
                return None
            bodies, body_hidden = found
            hidden = hidden or body_hidden
        body, content = bodies[0]
        paths = body.arguments if body is not None else operation.arguments
        location = module.locate(site.node)
        keys = tuple(cap_keys(self.evaluator, content)) if len(bodies) == 1 else ()
        caps = Caps(self.evaluator, self.tables, self.model_of)
        carried = caps.carried(operation, request, frame) if operation.cap_on_model else None
        cap = joined(
            [
                caps.cap(operation, one, record, site, model, hidden if len(bodies) == 1 else record.open, carried)
                for one, record in bodies
            ]
        )
        if carried is not None and not any(isinstance(c.value, Known) for c in model):
            model = carried[0]
        sent = self.sent(paths, content, frame, module.locate(site.node.func), label)
        function = module.enclosing_function(site.node)
        return LlmCall(
            id=label,
            sdk=self._sdk(operation, site),
            operation=site.name,
            kind=CALL_KINDS[operation.kind],
            callee=" ".join(module.source(site.node.func).split()),
            scope=scope,
            scope_span=scope_span(module, function, location),
            location=location,
            primary=self._primary(site.node),
            model=model,
            max_tokens=cap,
            cap_keys=keys,
            system=sent.system,
            messages=sent.messages,
            tools=sent.tools,
            cache_points=_points(sent, hidden),
            metadata=self._any(operation.paths("metadata"), request, frame),
            thinking=self._any((*paths.get("thinking", ()), *operation.paths("thinking")), content, frame),
            stream=self._stream(operation, request, site),
            client=client_facts(site, self.evaluator),
            control=control_facts(module, site.node, self.evaluator),
            opaque=hidden is not None,
            history=sent_history(module, site.node, self.evaluator),
            caching=caching_of(site, request, module, self.evaluator, self.tables),
            disorder=disorder(
                self.evaluator, paths.get("tools", ()), content, site.node, frame, list(loops_around(module, site.node))
            ),
            settings=self._settings(operation, paths, content, frame),
            automatic=automatic_point(operation.paths("caching"), request, frame, self.evaluator, sent.hidden),
        )

    def sent(
        self, paths: Mapping[str, tuple[str, ...]], content: Record, frame: Frame, where: Location, label: str
    ) -> Sent:
        """The texts of a request. ``paths`` says where they stand in ``content``; ``where`` is the place of what has
        none of its own."""
        system, system_marks = self._prompt(paths.get("system", ()), content, frame, where, "system", label)
        messages, message_marks = self._messages(paths.get("messages", ()), content, frame, where, label)
        if not paths.get("system"):
            system = _system_of(messages, system)
        tools, tool_marks = self._prompt(paths.get("tools", ()), content, frame, where, "tools", label)
        marks = (system_marks, message_marks, tool_marks)
        return Sent(system, messages, tools, sum(n for n, _ in marks), any(hidden for _, hidden in marks))

    def _sdk(self, operation: Operation, site: Recognised) -> str:
        if not operation.sdk.endswith(".*"):
            return operation.sdk
        name = site.instance.name if site.instance is not None else site.name
        return operation.sdk[:-1] + name.rsplit(".", 1)[-1]

    def _primary(self, node: ast.Call) -> Location:
        """The callee, or its last line where it spans several."""
        span = self.module.span(node.func)
        start = self.module.text.rfind("\n", span.start, span.end) + 1
        text_start = start + len(self.module.text[start : span.end]) - len(self.module.text[start : span.end].lstrip())
        return self.module.place(max(span.start, text_start), span.end)

    def _prompt(
        self,
        paths: tuple[str, ...],
        content: Record,
        frame: Frame,
        where: Location,
        role: Literal["system", "tools"],
        label: str,
    ) -> tuple[Field[Prompt], tuple[int, bool]]:
        for path in paths:
            outcomes = at_path(self.evaluator, content, path, frame)
            if all(isinstance(outcome, Missing) for _, outcome in outcomes):
                continue
            cases: list[tuple[str | None, CoreValue[Prompt]]] = []
            count, hidden_marker = 0, False
            for condition, outcome in outcomes:
                value, markers = self._prompt_case(outcome, frame, where, role, label)
                cases.append((condition, value))
                count = max(count, markers[0])
                hidden_marker = hidden_marker or markers[1]
            return Field(tuple(Case(value, condition) for condition, value in cases)), (count, hidden_marker)
        return ABSENT, (0, False)

    def _prompt_case(
        self, outcome: Outcome, frame: Frame, where: Location, role: Literal["system", "tools"], label: str
    ) -> tuple[CoreValue[Prompt], tuple[int, bool]]:
        match outcome:
            case Missing():
                return Absent(), (0, False)
            case Hidden(why=why):
                return Unknown(why), (0, True)
            case Found(value=value, location=location):
                if isinstance(value, Const) and value.value is None:
                    return Absent(), (0, False)
                if isinstance(value, External):
                    return Unknown(value.name), (0, True)
                place = location or where
                if role == "tools":
                    prompt = tools_of(self.evaluator, value, frame, place, label)
                else:
                    prompt = prompt_of(self.evaluator, value, frame, role, place, label)
                markers = markers_in(value)
                if not prompt.static_text:
                    return Present(type(value).__name__.lower(), None, place), markers
                return Known(prompt, place), markers
        raise AssertionError(outcome)

    def _messages(
        self, paths: tuple[str, ...], content: Record, frame: Frame, where: Location, label: str
    ) -> tuple[Field[tuple[Prompt, ...]], tuple[int, bool]]:
        for path in paths:
            outcomes = at_path(self.evaluator, content, path, frame)
            if all(isinstance(outcome, Missing) for _, outcome in outcomes):
                continue
            cases: list[Case[tuple[Prompt, ...]]] = []
            count, hidden_marker = 0, False
            for condition, outcome in outcomes:
                if not isinstance(outcome, Found):
                    cases.append(Case(Absent() if isinstance(outcome, Missing) else Unknown(path), condition))
                    hidden_marker = hidden_marker or isinstance(outcome, Hidden)
                    continue
                place = outcome.location or where
                messages = messages_of(self.evaluator, outcome.value, frame, place, label)
                cases.append(Case(Known(messages.prompts, place) if messages.prompts else Unknown(path), condition))
                markers = markers_in(outcome.value)
                count = max(count, markers[0])
                hidden_marker = hidden_marker or markers[1]
            return Field(tuple(cases)), (count, hidden_marker)
        return ABSENT, (0, False)

    def _any(self, paths: tuple[str, ...], content: Record, frame: Frame) -> Field[object]:
        hidden: Field[object] | None = None
        for path in paths:
            cases = [(c, anything(o)) for c, o in at_path(self.evaluator, content, path, frame)]
            if any(isinstance(value, (Known, Present)) for _, value in cases):
                return field_of(cases)
            if any(isinstance(value, Unknown) for _, value in cases):
                hidden = field_of(cases)
        return hidden if hidden is not None else ABSENT

    def _settings(
        self, operation: Operation, paths: Mapping[str, tuple[str, ...]], content: Record, frame: Frame
    ) -> tuple[tuple[str, Field[object]], ...]:
        caps = paths.get("max_tokens", ())
        scopes = dict.fromkeys(["", *(path.rpartition(".")[0] for path in caps), *operation.paths("cap_scopes")])
        return tuple(
            (
                name,
                self._any(
                    tuple(f"{scope}.{key}" if scope else key for key in keys for scope in scopes), content, frame
                ),
            )
            for name, keys in self.tables.settings.items()
        )

    def _stream(self, operation: Operation, request: Record, site: Recognised) -> Field[bool]:
        if any(path.rsplit(".", 1)[-1] == site.name for path in operation.streaming):
            return known(True)
        field = self._any(operation.paths("stream"), request, site.frame)
        cases: list[Case[bool]] = []
        for case in field:
            match case.value:
                case Known(value=bool() as flag, location=location):
                    cases.append(Case(Known(flag, location), case.condition))
                case Absent():
                    cases.append(Case(Known(False), case.condition))
                case _:
                    cases.append(Case(Unknown("stream"), case.condition))
        return Field(tuple(cases))


def _system_of(messages: Field[tuple[Prompt, ...]], otherwise: Field[Prompt]) -> Field[Prompt]:
    """The system message of a message list, for APIs without a system argument."""
    value = messages.only
    if isinstance(value, Known):
        for prompt in value.value:
            if prompt.role == "system":
                if prompt.static_text:
                    return known(prompt, value.location)
                return Field((Case(Present("system message", None, prompt.location)),))
        return otherwise
    return unknown("messages") if isinstance(value, Unknown) or value is None else otherwise


def _points(sent: Sent, hidden: str | None) -> Field[int]:
    if sent.points == 0 and (hidden is not None or sent.hidden):
        return unknown("markers may be set elsewhere")
    return known(sent.points)


def scope_span(module: Module, function: ast.AST | None, location: Location) -> Span | None:
    """``LlmCall.scope_span``: the function around a call, where it stands in the same document."""
    if function is None:
        return None
    place = module.locate(function)
    return place.span if place.document is location.document else None
