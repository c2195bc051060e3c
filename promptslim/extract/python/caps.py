"""The output cap of a call: where it may stand, and what its absence means."""

from __future__ import annotations

from collections.abc import Iterator

from promptslim.core.call import CapKey
from promptslim.core.record import record
from promptslim.core.values import Absent, Case, Default, Field, Present, Unknown, unknown
from promptslim.core.values import Value as CoreValue
from promptslim.extract.python.abstract import Const, Instance, Object, Record, Value, alternatives
from promptslim.extract.python.dotted import named
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame, is_real
from promptslim.extract.python.lookup import (
    Found,
    Hidden,
    Missing,
    Outcome,
    at_path,
    field_of,
    integer,
    record_of,
    request_of,
)
from promptslim.extract.python.model_id import ModelOf, strings_at
from promptslim.extract.python.recognise import Recognised
from promptslim.extract.python.signatures import CAP_KEYS, Body, Operation, Signatures
from promptslim.extract.python.signatures import Default as SdkDefault


@record
class Caps:
    """Reads the caps of calls."""

    evaluator: Evaluator
    tables: Signatures
    model_of: ModelOf

    def cap(
        self,
        operation: Operation,
        body: Body | None,
        content: Record,
        site: Recognised,
        model: Field[str],
        hidden: str | None,
        carried: tuple[Field[str], Field[int]] | None,
    ) -> Field[int]:
        """The cap of one request: its cases, with what an absent one means.

        ``hidden`` is what may set more than can be seen, ``carried`` what the model object of an agent sets.
        """
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

    def carried(self, operation: Operation, request: Record, frame: Frame) -> tuple[Field[str], Field[int]] | None:
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
                    model = strings_at(self.evaluator, operation.paths("model"), request, value.frame)
                    site = Recognised(value.call, value.frame, operation, value.name, None, value)
                    cap = self.cap(operation, None, request, site, model, request.open, None)
                    return model, cap
        return unknown("model object"), unknown("model object")

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


def cap_keys(evaluator: Evaluator, value: Value, path: str = "", depth: int = 0) -> Iterator[CapKey]:
    """Every cap-like key that is written in the request, settings dicts included."""
    if depth > 3:
        return
    for _, member in alternatives(value):
        record = member if isinstance(member, Record) else None
        if isinstance(member, Instance) and is_real(member.call) and depth:
            record = record_of(evaluator, member, member.frame)
        if record is None:
            continue
        for entry in record.entries:
            full = f"{path}.{entry.key}" if path else entry.key
            if entry.key in CAP_KEYS and entry.location is not None:
                content = entry.value.value if isinstance(entry.value, Const) else None
                yield CapKey(full, content, entry.location)
            elif entry.key not in ("messages", "system", "tools", "toolConfig", "input", "contents"):
                yield from cap_keys(evaluator, entry.value, full, depth + 1)


def joined(fields: list[Field[int]]) -> Field[int]:
    """The cases of several possible requests as one field."""
    return fields[0] if len(fields) == 1 else field_of([(case.condition, case.value) for f in fields for case in f])


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
