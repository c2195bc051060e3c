"""The settings of the project's calls, for the requests of a run: a proof is worth most of what is really sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promptslim.core.call import LlmCall
from promptslim.core.values import Field, Known

SENT = ("temperature", "top_p", "stop_sequences")
"""Settings that a request has a field for, by their names in a suite."""
_EXTRA = "additionalModelRequestFields"


def code_parameters(calls: Sequence[LlmCall], own: bool) -> dict[str, Any]:
    """The parameters that the calls agree on and that are certain, by their names in a suite. ``own``: the model that
    is run is that of the calls, so that its own fields (thinking among them) fit too."""
    found: dict[str, Any] = {}
    cap = agreed([call.max_tokens for call in calls])
    if cap is not None:
        found["max_tokens"] = cap
    for name in SENT:
        value = _setting(calls, name)
        if value is not None:
            found[name] = value
    extra = _setting(calls, "extra_fields")
    fields = dict(extra) if isinstance(extra, Mapping) else {}
    thinking = agreed([call.thinking for call in calls])
    if isinstance(thinking, Mapping) and "type" in thinking:
        fields.setdefault("thinking", thinking)
    if own and fields:
        found[_EXTRA] = fields
    return found


def not_sent(calls: Sequence[LlmCall], parameters: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each setting of the calls that the requests of a run lack or have otherwise."""
    for name in dict.fromkeys(name for call in calls for name, _ in call.settings):
        values = _certain(calls, name)
        if not values:
            continue
        if name in SENT:
            asked = parameters.get(name)
            if asked is not None and any(_plain(value) != _plain(asked) for value in values):
                yield f"the code sends {name} {_listed(values)}, the suite {asked!r:.60}"
            elif asked is None:
                yield f"the code sends {name} {_listed(values)}, not the same everywhere; the requests go without it"
        elif name != "extra_fields" or _EXTRA not in parameters:
            yield f"the code sets {name}; the requests go without it"
    if _EXTRA not in parameters and any(isinstance(call.thinking.only, Known) for call in calls):
        yield f"the code sets thinking; the requests go without it: add it to {_EXTRA} under parameters of the suite"


def agreed(fields: Sequence[Field[Any]]) -> Any:  # noqa: ANN401 (the value of any setting)
    """The one value that all of the fields certainly have, None where they differ or it is not certain."""
    values = [field.only for field in fields]
    if not values or not all(isinstance(value, Known) for value in values):
        return None
    known = [value.value for value in values if isinstance(value, Known)]
    return known[0] if all(one == known[0] for one in known) else None


def _setting(calls: Sequence[LlmCall], name: str) -> Any:  # noqa: ANN401 (the value of any setting)
    return agreed([value for call in calls for known, value in call.settings if known == name])


def _certain(calls: Sequence[LlmCall], name: str) -> list[Any]:
    found = [
        case.value.value
        for call in calls
        for known, value in call.settings
        if known == name
        for case in value
        if isinstance(case.value, Known)
    ]
    return [one for number, one in enumerate(found) if one not in found[:number]]


def _plain(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _listed(values: Sequence[object]) -> str:
    return ", ".join(f"{value!r:.60}" for value in values[:3])
