"""Values of assertions with the variables of their test filled in, as promptfoo does with Nunjucks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from promptslim.config.error import suggestion
from promptslim.verify.suite import HOLE, filled, unfilled


class TemplateValueError(Exception):
    """A value that cannot be filled. The message is one line, without the place."""


def filled_in(value: Any, variables: Mapping[str, Any]) -> Any:  # noqa: ANN401 (data of any form)
    """Data with ``{{name}}`` filled in every text of it; a text with filters or tags is rendered whole, without access
    to anything but the variables. Raises TemplateValueError for a name that no variable has."""
    match value:
        case str() if "{{" in value or "{%" in value:
            missing = unfilled(value, variables)
            if missing:
                hint = suggestion(missing[0], variables, "it has " + (", ".join(variables) or "none"))
                raise TemplateValueError(f"the value names {missing[0]!r}, which is no variable of the test; {hint}")
            return _rendered(value, variables) if _has_more(value) else filled(value, variables)
        case list():
            return [filled_in(one, variables) for one in value]
        case dict():
            return {key: filled_in(one, variables) for key, one in value.items()}
        case _:
            return value


def _has_more(text: str) -> bool:
    """Whether something stands in braces that is no name of a variable."""
    rest = HOLE.sub("", text)
    return "{{" in rest or "{%" in rest


def _rendered(text: str, variables: Mapping[str, Any]) -> str:
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    environment.filters["dump"] = lambda one: json.dumps(one, ensure_ascii=False)
    try:
        return environment.from_string(text).render(**variables)
    except (TemplateError, TypeError, ValueError, ArithmeticError, RecursionError, OverflowError) as error:
        raise TemplateValueError(f"the value cannot be filled: {' '.join(str(error).split())}") from None
