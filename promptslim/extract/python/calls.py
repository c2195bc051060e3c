"""Recognised call sites to ``LlmCall``: every field with what is known of it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from promptslim.core.call import CapKey, LlmCall
from promptslim.core.prompt import Prompt
from promptslim.core.record import record
from promptslim.core.text import Location, Span
from promptslim.core.values import ABSENT, Absent, Case, Default, Field, Known, Present, Unknown, known, unknown
from promptslim.core.values import Value as CoreValue
from promptslim.extract.python.abstract import (
    Const,
    External,
    Instance,
    Json,
    Object,
    Record,
    Value,
    alternatives,
)
from promptslim.extract.python.client import client_facts
from promptslim.extract.python.control import control_facts
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame, is_real
from promptslim.extract.python.lookup import (
    Found,
    Hidden,
    Missing,
    Outcome,
    anything,
    at_path,
    field_of,
    integer,
    record_of,
    request_of,
    string,
)
from promptslim.extract.python.module import Module
from promptslim.extract.python.prompts import markers_in, messages_of, prompt_of
from promptslim.extract.python.recognise import Recognised, named
from promptslim.extract.python.signatures import CAP_KEYS, Body, Operation, Signatures
from promptslim.extract.python.signatures import Default as SdkDefault

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts

ModelOf = Callable[[str], "ModelFacts | None"]
_Bodies = tuple[tuple[Body | None, Record], ...]
"""The requests that may be sent, with the body family of each (None: the arguments are the request)."""

CALL_KINDS: dict[str, Literal["request", "model", "agent"]] = {"request": "request", "model": "model", "agent": "agent"}
TEXT_KINDS = frozenset({"chat", "other"})


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
        model = self.model(operation, request, site)
        if any(f is not None and f.kind not in TEXT_KINDS for f in map(self.model_of, _model_names(model))):
            return None
        bodies: _Bodies = ((None, request),)
        hidden = request.open
        if operation.body is not None:
            found = self._body(operation.body, request, model, frame)
            if found is None:
                return None
            bodies, body_hidden = found
            hidden = hidden or body_hidden
        body, content = bodies[0]
        paths = body.arguments if body is not None else operation.arguments
        location = module.locate(site.node)
        keys = tuple(self._cap_keys(content, "", 0)) if len(bodies) == 1 else ()
        carried = self._carried(operation, request, frame) if operation.cap_on_model else None
        cap = _joined(
            [
                self._cap(operation, one, record, site, model, hidden if len(bodies) == 1 else record.open, carried)
                for one, record in bodies
            ]
        )
        if carried is not None and not any(isinstance(c.value, Known) for c in model):
            model = carried[0]
        system_field, system_markers = self._prompt(paths.get("system", ()), content, site, "system", label)
        messages_field, message_markers = self._messages(paths.get("messages", ()), content, site, label)
        if not paths.get("system"):
            system_field = _system_of(messages_field, system_field)
        tools_field, tool_markers = self._prompt(paths.get("tools", ()), content, site, "tools", label)
        function = module.enclosing_function(site.node)
        return LlmCall(
            id=label,
            sdk=self._sdk(operation, site),
            operation=site.name,
            kind=CALL_KINDS[operation.kind],
            callee=" ".join(module.source(site.node.func).split()),
            scope=scope,
            scope_span=_scope_span(module, function, location),
            location=location,
            primary=self._primary(site.node),
            model=model,
            max_tokens=cap,
            cap_keys=keys,
            system=system_field,
            messages=messages_field,
            tools=tools_field,
            cache_points=_points([system_markers, message_markers, tool_markers], hidden),
            metadata=self._any(operation.paths("metadata"), request, frame),
            thinking=self._any((*paths.get("thinking", ()), *operation.paths("thinking")), content, frame),
            stream=self._stream(operation, request, site),
            client=client_facts(site, self.evaluator),
            control=control_facts(module, site.node, self.evaluator),
            opaque=hidden is not None,
        )

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

    # Model

    def model(self, operation: Operation, request: Record, site: Recognised) -> Field[str]:
        """The model id, from the call or from the client it is made on."""
        field = self._strings(operation.paths("model"), request, site.frame)
        if not isinstance(field.only, Absent) or site.instance is None or not operation.model_on_client:
            return field
        call = site.instance.call
        if not is_real(call):
            return unknown("client")
        for place in operation.model_on_client:
            if isinstance(place, int) and place < len(call.args):
                value = self.evaluator.evaluate(call.args[place], site.instance.frame)
                return field_of([(c, string(Found(v, None))) for c, v in alternatives(value)])
            if isinstance(place, str):
                given = [k for k in call.keywords if k.arg == place]
                if given:
                    value = self.evaluator.evaluate(given[0].value, site.instance.frame)
                    return field_of([(c, string(Found(v, None))) for c, v in alternatives(value)])
        return unknown("client")

    def _strings(self, paths: tuple[str, ...], content: Record, frame: Frame) -> Field[str]:
        for path in paths:
            outcomes = at_path(self.evaluator, content, path, frame)
            if not all(isinstance(outcome, Missing) for _, outcome in outcomes):
                return field_of([(condition, string(outcome)) for condition, outcome in outcomes])
        return ABSENT

    def _carried(self, operation: Operation, request: Record, frame: Frame) -> tuple[Field[str], Field[int]] | None:
        """Model id and cap of the model object that an agent is given; None where it is no visible object."""
        for path in operation.paths("model"):
            for _, outcome in at_path(self.evaluator, request, path, frame):
                if not isinstance(outcome, Found):
                    continue
                if isinstance(outcome.value, (Instance, Object)):
                    return self._of_model_object(outcome.value)
        return None

    def _of_model_object(self, value: Instance | Object) -> tuple[Field[str], Field[int]]:
        if isinstance(value, Instance) and is_real(value.call):
            for operation in self.tables.called.get(value.name.rsplit(".", 1)[-1], ()):
                if operation.kind == "model" and named(value.name, operation.constructors):
                    request = request_of(self.evaluator, value.call, operation.positional, value.frame)
                    model = self._strings(operation.paths("model"), request, value.frame)
                    site = Recognised(value.call, value.frame, operation, value.name, None, value)
                    cap = self._cap(operation, None, request, site, model, request.open, None)
                    return model, cap
        return unknown("model object"), unknown("model object")

    # Cap

    def _cap(
        self,
        operation: Operation,
        body: Body | None,
        content: Record,
        site: Recognised,
        model: Field[str],
        hidden: str | None,
        carried: tuple[Field[str], Field[int]] | None,
    ) -> Field[int]:
        paths = body.arguments["max_tokens"] if body is not None else operation.paths("max_tokens")
        field = self._integers(paths, content, site.frame)
        if body is None and operation.body is None and any(isinstance(case.value, Absent) for case in field):
            field = self._nested_caps(operation, content, site.frame, field)
        if isinstance(field.only, Absent) and site.instance is not None and operation.kind == "request":
            wrapper = self.tables.clients.get("instructor")
            wrapped = wrapper is not None and named(site.instance.name, wrapper.factories)
            on_client = operation.cap_on_client or (wrapper.caps if wrapper is not None and wrapped else ())
            if on_client:
                field = self._cap_on_client(on_client, site)
        if isinstance(field.only, Absent) and carried is not None:
            # An absent cap belongs to the model object, which is a call site of its own.
            return Field(tuple(_elsewhere(case) for case in carried[1]))
        if hidden is not None and any(isinstance(case.value, Absent) for case in field):
            return unknown(hidden)
        cases = tuple(
            Case(self._default(operation, model), case.condition) if isinstance(case.value, Absent) else case
            for case in field
        )
        if any(isinstance(case.value, Absent) for case in cases) and self._never_absent(operation, body, model):
            cases = tuple(
                Case(Unknown("set elsewhere"), c.condition) if isinstance(c.value, Absent) else c for c in cases
            )
        return Field(cases)

    def _never_absent(self, operation: Operation, body: Body | None, model: Field[str]) -> bool:
        if operation.cap_opaque:
            return True
        if operation.kind == "agent" and any(isinstance(case.value, (Unknown, Present)) for case in model):
            return True
        return operation.cap_required and body is None

    def _integers(self, paths: tuple[str, ...], content: Record, frame: Frame) -> Field[int]:
        """The cap over all paths that may hold it: a later one counts where the earlier are absent."""
        result: list[tuple[str | None, CoreValue[int]]] = [(None, Absent())]
        for path in paths:
            cases = _sure_caps(at_path(self.evaluator, content, path, frame))
            merged: list[tuple[str | None, CoreValue[int]]] = []
            for condition, value in result:
                if isinstance(value, Absent):
                    merged.extend((c or condition, v) for c, v in cases)
                else:
                    merged.append((condition, value))
            result = merged
            if not any(isinstance(value, Absent) for _, value in result):
                break
        return field_of(result)

    def _nested_caps(self, operation: Operation, content: Record, frame: Frame, field: Field[int]) -> Field[int]:
        """A cap that a nested settings dict carries, or may carry, where the usual place has none."""
        for scope in operation.paths("cap_scopes"):
            for _, outcome in at_path(self.evaluator, content, scope, frame):
                nested = self._nested_cap(scope, outcome, frame)
                if nested is not None:
                    cases = (Case(nested, c.condition) if isinstance(c.value, Absent) else c for c in field)
                    return Field(tuple(cases))
        return field

    def _nested_cap(self, scope: str, outcome: Outcome, frame: Frame) -> CoreValue[int] | None:
        """What a settings dict says of the cap; None where it provably holds none."""
        match outcome:
            case Hidden(why=why):
                return Unknown(why)
            case Found(value=Const(value=None)) | Missing():
                return None
            case Found(value=value):
                record = record_of(self.evaluator, value, frame)
                if record is None:
                    return Unknown(scope)
                for entry in record.entries:
                    if entry.key in CAP_KEYS and scope.startswith("additional"):
                        return integer(Found(entry.value, entry.location, entry.maybe))
        return None

    def _cap_on_client(self, paths: tuple[str, ...], site: Recognised) -> Field[int]:
        assert site.instance is not None  # noqa: S101
        if not is_real(site.instance.call):
            return unknown("client")
        record = record_of(self.evaluator, site.instance, site.instance.frame)
        return self._integers(paths, record, site.instance.frame) if record is not None else unknown("client")

    def _default(self, operation: Operation, model: Field[str]) -> CoreValue[int]:
        """What an absent cap means: the SDK's own value, or nothing."""
        for when in operation.cap_when:
            applies = self._applies(when, model)
            if applies is None:
                return Unknown("the SDK's default depends on the model")
            if applies:
                return Default(when.value, when.version, when.note)
        if operation.cap_default is not None:
            default = operation.cap_default
            return Default(default.value, default.version, default.note)
        return Absent()

    def _applies(self, when: SdkDefault, model: Field[str]) -> bool | None:
        for case in model:
            name = getattr(case.value, "value", None) or getattr(case.value, "fallback", None)
            if not isinstance(name, str):
                return None
            if any(name.startswith(prefix) for prefix in when.prefixes):
                return True
            facts = self.model_of(name)
            if when.vendors and facts is not None and facts.vendor in when.vendors:
                return True
            if when.vendors and facts is None:
                return any(vendor in name for vendor in when.vendors)
        return False

    def _cap_keys(self, value: Value, path: str, depth: int) -> Iterator[CapKey]:
        """Every cap-like key that is written in the request, settings dicts included."""
        if depth > 3:
            return
        for _, member in alternatives(value):
            record = member if isinstance(member, Record) else None
            if isinstance(member, Instance) and is_real(member.call) and depth:
                record = record_of(self.evaluator, member, member.frame)
            if record is None:
                continue
            for entry in record.entries:
                full = f"{path}.{entry.key}" if path else entry.key
                if entry.key in CAP_KEYS and entry.location is not None:
                    content = entry.value.value if isinstance(entry.value, Const) else None
                    yield CapKey(full, content, entry.location)
                elif entry.key not in ("messages", "system", "tools", "toolConfig", "input", "contents"):
                    yield from self._cap_keys(entry.value, full, depth + 1)

    # invoke_model bodies

    def _body(self, key: str, request: Record, model: Field[str], frame: Frame) -> tuple[_Bodies, str | None] | None:
        """Families and contents of the bodies that may be sent, and what hides more; None where the model
        writes no text."""
        facts = [f for v in _model_names(model) if (f := self.model_of(v)) is not None]
        family = next((f.body for f in facts if f.body), None)
        records = self._records(key, request, frame)
        if not records:
            return ((self.tables.bodies.get(family or ""), Record(open=key)),), key
        chat = any(f.kind == "chat" for f in facts)
        texts = [record for record in records if chat or not _not_text(record, self.tables)]
        if family is not None and len(texts) > 1:
            texts = [r for r in texts if (g := self._guessed(r)) is None or g.family == family] or texts
        found = [self._with_family(record, family if len(texts) == 1 else None) for record in texts]
        bodies = tuple(pair for pair in found if pair is not None)
        if not bodies:
            return None
        return bodies, next((record.open for _, record in bodies if record.open is not None), None)

    def _records(self, key: str, request: Record, frame: Frame) -> list[Record]:
        """The bodies that the request may carry."""
        found: list[Record] = []
        for _, outcome in at_path(self.evaluator, request, key, frame):
            if not isinstance(outcome, Found):
                continue
            inner = outcome.value.value if isinstance(outcome.value, Json) else outcome.value
            for _, member in alternatives(inner):
                record = record_of(self.evaluator, member, frame)
                if record is not None:
                    found.append(record)
        return found

    def _with_family(self, record: Record, family: str | None) -> tuple[Body | None, Record] | None:
        body = self.tables.bodies.get(family or "") or self._guessed(record)
        keys = {entry.key for entry in record.entries}
        if body is not None:
            return None if keys & body.skip else (body, record)
        if not keys & {"messages", "prompt", "inputText", "message"} and record.open is None:
            return None
        return _any_body(record), replace(record, open=record.open or "model family")

    def _guessed(self, record: Record) -> Body | None:
        """The family that the keys of a body belong to, where only one has them."""
        keys = {entry.key for entry in record.entries}
        for body in self.tables.bodies.values():
            if keys & set(body.marks):
                return body
        return None

    # Texts

    def _prompt(
        self, paths: tuple[str, ...], content: Record, site: Recognised, role: Literal["system", "tools"], label: str
    ) -> tuple[Field[Prompt], tuple[int, bool]]:
        for path in paths:
            outcomes = at_path(self.evaluator, content, path, site.frame)
            if all(isinstance(outcome, Missing) for _, outcome in outcomes):
                continue
            cases: list[tuple[str | None, CoreValue[Prompt]]] = []
            count, hidden_marker = 0, False
            for condition, outcome in outcomes:
                value, markers = self._prompt_case(outcome, site, role, label)
                cases.append((condition, value))
                count = max(count, markers[0])
                hidden_marker = hidden_marker or markers[1]
            return Field(tuple(Case(value, condition) for condition, value in cases)), (count, hidden_marker)
        return ABSENT, (0, False)

    def _prompt_case(
        self, outcome: Outcome, site: Recognised, role: Literal["system", "tools"], label: str
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
                where = location or self.module.locate(site.node.func)
                prompt, _ = prompt_of(self.evaluator, value, site.frame, role, where, label)
                markers = markers_in(value)
                if not prompt.static_text:
                    return Present(type(value).__name__.lower(), None, where), markers
                return Known(prompt, where), markers
        raise AssertionError(outcome)

    def _messages(
        self, paths: tuple[str, ...], content: Record, site: Recognised, label: str
    ) -> tuple[Field[tuple[Prompt, ...]], tuple[int, bool]]:
        for path in paths:
            outcomes = at_path(self.evaluator, content, path, site.frame)
            if all(isinstance(outcome, Missing) for _, outcome in outcomes):
                continue
            cases: list[Case[tuple[Prompt, ...]]] = []
            count, hidden_marker = 0, False
            for condition, outcome in outcomes:
                if not isinstance(outcome, Found):
                    cases.append(Case(Absent() if isinstance(outcome, Missing) else Unknown(path), condition))
                    hidden_marker = hidden_marker or isinstance(outcome, Hidden)
                    continue
                where = outcome.location or self.module.locate(site.node.func)
                messages = messages_of(self.evaluator, outcome.value, site.frame, where, label)
                cases.append(Case(Known(messages.prompts, where) if messages.prompts else Unknown(path), condition))
                markers = markers_in(outcome.value)
                count = max(count, markers[0])
                hidden_marker = hidden_marker or markers[1]
            return Field(tuple(cases)), (count, hidden_marker)
        return ABSENT, (0, False)

    # Other fields

    def _any(self, paths: tuple[str, ...], content: Record, frame: Frame) -> Field[object]:
        hidden: Field[object] | None = None
        for path in paths:
            cases = [(c, anything(o)) for c, o in at_path(self.evaluator, content, path, frame)]
            if any(isinstance(value, (Known, Present)) for _, value in cases):
                return field_of(cases)
            if any(isinstance(value, Unknown) for _, value in cases):
                hidden = field_of(cases)
        return hidden if hidden is not None else ABSENT

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


def _sure_caps(outcomes: list[tuple[str | None, Outcome]]) -> list[tuple[str | None, CoreValue[int]]]:
    """The caps at a path. None as one of several values may be what a check around it excludes: not absent."""
    cases = [(condition, integer(outcome)) for condition, outcome in outcomes]
    unset = [isinstance(o, Found) and isinstance(v, Absent) for (_, o), (_, v) in zip(outcomes, cases, strict=True)]
    if all(unset) or not any(unset):
        return cases
    return [(c, Unknown("may be None") if none else v) for (c, v), none in zip(cases, unset, strict=True)]


def _elsewhere(case: Case[int]) -> Case[int]:
    """An absent cap of a model object is reported where that object is made, a call site of its own."""
    return Case(Unknown("model object"), case.condition) if isinstance(case.value, Absent) else case


def _joined(fields: list[Field[int]]) -> Field[int]:
    """The cases of several possible requests as one field."""
    return fields[0] if len(fields) == 1 else field_of([(case.condition, case.value) for f in fields for case in f])


def _model_names(model: Field[str]) -> list[str]:
    names: list[str] = []
    for case in model:
        match case.value:
            case Known(value=name):
                names.append(name)
            case Present(fallback=str() as name):
                names.append(name)
    return names


def _not_text(record: Record, tables: Signatures) -> bool:
    """True for a body of an embedding, image or rerank model."""
    keys = {entry.key for entry in record.entries}
    if keys & {"messages", "max_tokens", "max_tokens_to_sample", "max_gen_len", "textGenerationConfig", "prompt"} - {
        "prompt"
    }:
        return False
    if keys & tables.not_text:
        return True
    return keys == {"inputText"} and record.open is None


def _any_body(record: Record) -> Body:
    """Where nothing says which family a body belongs to: every cap key that it has counts."""
    caps = [e.key for e in record.entries if e.key in CAP_KEYS]
    for entry in record.entries:
        if isinstance(entry.value, Record):
            caps.extend(f"{entry.key}.{inner.key}" for inner in entry.value.entries if inner.key in CAP_KEYS)
    texts = [e.key for e in record.entries if e.key in ("messages", "prompt", "inputText", "message")]
    return Body(
        "unknown", (), {"max_tokens": tuple(caps), "system": ("system",), "messages": tuple(texts)}, False, frozenset()
    )


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


def _points(markers: list[tuple[int, bool]], hidden: str | None) -> Field[int]:
    count = sum(n for n, _ in markers)
    if count == 0 and (hidden is not None or any(h for _, h in markers)):
        return unknown("markers may be set elsewhere")
    return known(count)


def _scope_span(module: Module, function: ast.AST | None, location: Location) -> Span | None:
    if function is None:
        return None
    place = module.locate(function)
    return place.span if place.document is location.document else None
