"""tool-call: the model asked for the tool, with the arguments.

The value is the name of a tool, or a mapping of ``name`` and ``arguments``; arguments that it does not name may have
any value, unless ``exact: true`` stands beside it.
"""

from __future__ import annotations

from typing import Any

from promptslim.verify.answer import Answer, Check, Grade, ToolCall, verdict

KINDS = ("tool-call",)
GRADED = False


def check(check: Check) -> str | None:
    """A name, or a mapping with one."""
    match check.value:
        case str() | {"name": str()}:
            return None
    return "needs the name of a tool, or a mapping of name and arguments, as its value"


def grade(answer: Answer, check: Check) -> Grade:
    """Whether one of the calls is the wanted one."""
    wanted = {"name": check.value} if isinstance(check.value, str) else check.value
    if not answer.tool_calls:
        return verdict(False, "no tool was called")
    fits = any(_fits(call, wanted, check.options.get("exact") is True) for call in answer.tool_calls)
    names = ", ".join(call.name for call in answer.tool_calls)
    return verdict(fits, f"called {names}" if fits else f"called {names}, or with other arguments")


def _fits(call: ToolCall, wanted: dict[str, Any], exact: bool) -> bool:
    if call.name != wanted["name"]:
        return False
    arguments = wanted.get("arguments", {})
    if exact and set(call.arguments) != set(arguments):
        return False
    return all(name in call.arguments and call.arguments[name] == value for name, value in arguments.items())
