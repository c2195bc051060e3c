"""The output cap of a call: what is written, where, and whether thinking is spent from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from promptslim.core.finding import Related
from promptslim.core.values import Absent, Case, Known

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.core.call import LlmCall
    from promptslim.core.text import Location

OFF = ("none", "off", "disabled", "minimal")


def written_caps(call: LlmCall) -> Iterator[tuple[Case[int], int]]:
    """Each branch whose cap is a number written in the program, with the number."""
    for case in call.max_tokens:
        if isinstance(case.value, Known) and isinstance(case.value.value, int):
            yield case, case.value.value


def place(call: LlmCall, case: Case[int]) -> tuple[Location, tuple[Related, ...]]:
    """Where to report a cap: on the number where it stands inside the call, else on the call, with the
    number's place as a related one."""
    at = case.value.location if isinstance(case.value, Known) else None
    if at is None:
        return call.primary, ()
    span, around = at.span, call.location.span
    same = (at.path, at.cell) == (call.location.path, call.location.cell)
    if same and around.start <= span.start and span.end <= around.end:
        return at, ()
    return call.primary, (Related(at, "the cap is set here"),)


def waits_for_whole_answer(call: LlmCall) -> bool:
    """True where the call provably does not stream."""
    if "stream" in call.operation:
        return False
    match call.stream.only:
        case Absent() | Known(value=False):
            return True
        case _:
            return False


def thinking_budget(call: LlmCall) -> int | None:
    """The tokens that the call sets aside for thinking, where that number is written."""
    value = call.thinking.only
    if not isinstance(value, Known) or not isinstance(value.value, Mapping) or not _on(value.value):
        return None
    budget = value.value.get("budget_tokens", value.value.get("budgetTokens"))
    return budget if isinstance(budget, int) else None


def thinking_is_on(call: LlmCall) -> bool:
    """True where the call provably asks the model to think first."""
    value = call.thinking.only
    return isinstance(value, Known) and _on(value.value)


def may_think(call: LlmCall, models: tuple[ModelFacts, ...]) -> bool:
    """True unless the cap provably holds the answer alone: no thinking is asked for, nor the model's habit."""
    if any(model.thinks or model.reasoning for model in models):
        return True
    for case in call.thinking:
        match case.value:
            case Absent():
                continue
            case Known(value=setting) if not _on(setting):
                continue
            case _:
                return True
    return False


def _on(setting: object) -> bool:
    match setting:
        case Mapping():
            kind = setting.get("type", setting.get("effort", "enabled"))
            return not (isinstance(kind, str) and kind.lower() in OFF)
        case str():
            return setting.lower() not in OFF
        case _:
            return setting not in (None, False, 0)
