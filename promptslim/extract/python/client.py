"""What the constructor of a client settles: timeouts, attempts, base URL, caps."""

from __future__ import annotations

from promptslim.core.call import ClientFacts
from promptslim.core.values import ABSENT, Absent, Field, Known, Unknown, unknown
from promptslim.core.values import Value as CoreValue
from promptslim.extract.python.abstract import Const, Record
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame, is_real
from promptslim.extract.python.lookup import Found, Missing, at_path, field_of, integer, record_of, string
from promptslim.extract.python.recognise import Recognised

NOTHING = ClientFacts(None, None, unknown(), unknown(), unknown())


def client_facts(site: Recognised, evaluator: Evaluator) -> ClientFacts:
    """The settings of the client behind a call; all Unknown where it is not visible."""
    client, instance = site.client, site.instance
    if client is None or instance is None or not is_real(instance.call):
        return NOTHING
    record = record_of(evaluator, instance, instance.frame)
    if record is None:
        return NOTHING
    module = instance.frame.module
    return ClientFacts(
        constructor=instance.name,
        location=module.locate(instance.call),
        read_timeout=_seconds(evaluator, record, client.read_timeout, instance.frame),
        attempts=_first(evaluator, record, client.attempts, instance.frame),
        base_url=_url(evaluator, record, client.base_url, instance.frame),
    )


def _seconds(evaluator: Evaluator, record: Record, path: str | None, frame: Frame) -> Field[float]:
    if path is None:
        return unknown()
    cases: list[tuple[str | None, CoreValue[float]]] = []
    for condition, outcome in at_path(evaluator, record, path, frame):
        value: CoreValue[float]
        match outcome:
            case Missing():
                value = Absent()
            case Found(value=Const(value=int() | float() as number), location=location):
                value = Known(float(number), location)
            case _:
                value = Unknown("timeout")
        cases.append((condition, value))
    return field_of(cases)


def _first(evaluator: Evaluator, record: Record, paths: tuple[str, ...], frame: Frame) -> Field[int]:
    for path in paths:
        cases = [(c, integer(o)) for c, o in at_path(evaluator, record, path, frame)]
        if not all(isinstance(value, Absent) for _, value in cases):
            return field_of(cases)
    return ABSENT


def _url(evaluator: Evaluator, record: Record, paths: tuple[str, ...], frame: Frame) -> Field[str]:
    for path in paths:
        cases = [(c, string(o)) for c, o in at_path(evaluator, record, path, frame)]
        if not all(isinstance(value, Absent) for _, value in cases):
            return field_of(cases)
    return ABSENT
