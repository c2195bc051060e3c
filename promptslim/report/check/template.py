"""Findings through a template of the user's own (Jinja, in a sandbox).

A template sees the names of the JSON contract (``version``, ``findings``, ``errors``, ``summary``) and ``dearest``,
the findings with the dearest first. Strings reach it on one line, with nothing in them that a terminal acts on.
A name that ends in ``.html``, ``.htm``, ``.xhtml``, ``.xml`` or ``.svg`` (before an optional ``.j2``, ``.jinja`` or
``.jinja2``) has its values escaped for markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from promptslim.core.record import replace
from promptslim.core.result import CheckResult
from promptslim.report.check.json import contract
from promptslim.report.escape import one_line
from promptslim.report.formats import RenderError, Template, View
from promptslim.report.impact_order import by_impact

if TYPE_CHECKING:
    import jinja2

_TEMPLATE_SUFFIXES = (".j2", ".jinja", ".jinja2")
_MARKUP_SUFFIXES = (".html", ".htm", ".xhtml", ".xml", ".svg")


def render(result: CheckResult, view: View) -> Iterator[str]:
    """The whole text at once, so that a template that fails writes nothing. Raises RenderError."""
    if view.template is None:
        raise RenderError("the format template needs a template; add --template FILE")
    dearest = contract(replace(result, findings=tuple(by_impact(result.findings))))["findings"]
    given = _plain({**contract(result), "dearest": dearest})
    yield _filled(view.template, given)


def _filled(template: Template, values: object) -> str:
    import jinja2

    try:
        text = _environment(template.path).from_string(template.text).render(values)
    except jinja2.TemplateSyntaxError as error:
        raise RenderError(f"{_at(template, error.lineno)}: {_one(error.message or error)}; correct it") from None
    except Exception as error:  # noqa: BLE001 (a template can raise whatever an expression raises)
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise RenderError(f"{_at(template, _line(error))}: {_one(what)}; correct it") from None
    return text if text.endswith("\n") or not text else text + "\n"


def _environment(path: str) -> jinja2.Environment:
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    name = path.lower()
    for suffix in _TEMPLATE_SUFFIXES:
        name = name.removesuffix(suffix)
    return ImmutableSandboxedEnvironment(
        autoescape=name.endswith(_MARKUP_SUFFIXES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _plain(value: object) -> object:
    match value:
        case str():
            return one_line(value)
        case Mapping():
            return {key: _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case _:
            return value


def _line(error: Exception) -> int | None:
    """The line of the template at which an expression failed."""
    trace, line = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _at(template: Template, line: int | None) -> str:
    return one_line(template.path) + ("" if line is None else f":{line}")


def _one(what: object) -> str:
    return one_line(" ".join(str(what).split())).rstrip(".")
