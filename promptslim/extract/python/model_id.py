"""The model that a call names: in its request, or on the client it is made on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from promptslim.core.values import ABSENT, Absent, Field, Known, Present, unknown
from promptslim.extract.python.abstract import Record, alternatives
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame, is_real
from promptslim.extract.python.lookup import Found, Missing, at_path, field_of, string
from promptslim.extract.python.recognise import Recognised
from promptslim.extract.python.signatures import Operation

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts

ModelOf = Callable[[str], "ModelFacts | None"]
"""Facts of a model by its id, None for an id that the catalogue does not know."""


def model_field(evaluator: Evaluator, operation: Operation, request: Record, site: Recognised) -> Field[str]:
    """The model id, from the call or from the client it is made on."""
    field = strings_at(evaluator, operation.paths("model"), request, site.frame)
    if not isinstance(field.only, Absent) or site.instance is None or not operation.model_on_client:
        return field
    call = site.instance.call
    if not is_real(call):
        return unknown("client")
    for place in operation.model_on_client:
        if isinstance(place, int) and place < len(call.args):
            value = evaluator.evaluate(call.args[place], site.instance.frame)
            return field_of([(c, string(Found(v, None))) for c, v in alternatives(value)])
        if isinstance(place, str):
            given = [k for k in call.keywords if k.arg == place]
            if given:
                value = evaluator.evaluate(given[0].value, site.instance.frame)
                return field_of([(c, string(Found(v, None))) for c, v in alternatives(value)])
    return unknown("client")


def strings_at(evaluator: Evaluator, paths: tuple[str, ...], content: Record, frame: Frame) -> Field[str]:
    """The text at the first of several paths that is there."""
    for path in paths:
        outcomes = at_path(evaluator, content, path, frame)
        if not all(isinstance(outcome, Missing) for _, outcome in outcomes):
            return field_of([(condition, string(outcome)) for condition, outcome in outcomes])
    return ABSENT


def model_names(model: Field[str]) -> list[str]:
    """The model ids that a call may use, as far as they are known."""
    names: list[str] = []
    for case in model:
        match case.value:
            case Known(value=name):
                names.append(name)
            case Present(fallback=str() as name):
                names.append(name)
    return names
