"""The same commands through typer: help, completion of what is missing, and errors."""

from __future__ import annotations

import enum
import inspect
import keyword
from collections.abc import Callable, Sequence
from typing import Any

import typer

from promptslim.cli import folder
from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Argument, Given, Option, Parameters, normalised
from promptslim.core.record import record

SUMMARY = "Finds wasted tokens in LLM code and prompts, and prices them."

# typer brings its own copy of click in some versions and uses the installed one in others.
_CLICK_ERROR = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


@record
class Chosen:
    """A command with its values. It runs outside of typer, which would treat its exceptions as its own."""

    run: Callable[[Given], int]
    given: Given


def run(arguments: Sequence[str]) -> int:
    """Parse the whole command line with typer, then run the command. Raises UsageError."""
    command = typer.main.get_command(application())
    try:
        chosen = command.main(args=list(arguments), prog_name="promptslim", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:
        if isinstance(error, _CLICK_ERROR):
            raise _usage_error(error) from None
        raise
    return chosen.run(chosen.given) if isinstance(chosen, Chosen) else 0


def _usage_error(error: Any) -> UsageError:  # noqa: ANN401 (a class that depends on the version of typer)
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "promptslim"
    message = " ".join(error.format_message().split()).rstrip(".")
    end = "" if message.endswith("?") else ";"
    return UsageError(f"{message[:1].lower()}{message[1:].replace('. Did', ', did')}{end} see `{path} --help`")


def application() -> typer.Typer:
    """Every command of the folder, with its help."""
    return _group(folder.COMMANDS, SUMMARY)


def _group(path: str, summary: str) -> typer.Typer:
    app = typer.Typer(
        help=summary,
        add_completion=path == folder.COMMANDS,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    if path == folder.COMMANDS:
        app.callback()(_with_version)
    for name, item in folder.entries(path).items():
        if item.group:
            app.add_typer(_group(item.module, item.load().__doc__ or ""), name=name)
        else:
            module = item.load()
            app.command(name, help=inspect.getdoc(module.run), short_help=module.__doc__)(
                callback(module.PARAMETERS, module.run)
            )
    return app


def _with_version(
    version: bool = typer.Option(False, "--version", help="Show the version and exit.", is_eager=True),
) -> None:
    if version:
        from promptslim import __version__

        typer.echo(f"promptslim {__version__}")
        raise typer.Exit


def callback(parameters: Parameters, run: Callable[[Given], int]) -> Callable[..., Chosen]:
    """A function with the signature that typer reads a command from."""

    def call(**values: object) -> Chosen:
        plain = {
            name.removesuffix("_"): value.value if isinstance(value, enum.Enum) else value
            for name, value in values.items()
        }
        return Chosen(run, normalised(parameters, plain))

    declared = [
        inspect.Parameter(
            _identifier(item), inspect.Parameter.KEYWORD_ONLY, default=_default(item), annotation=_type(item)
        )
        for item in parameters
    ]
    call.__signature__ = inspect.Signature(declared)  # type: ignore[attr-defined]
    call.__annotations__ = {item.name: item.annotation for item in declared}
    return call


def _identifier(item: Option | Argument) -> str:
    return f"{item.name}_" if keyword.iskeyword(item.name) else item.name


def _type(item: Any) -> Any:  # noqa: ANN401 (typer takes types as values)
    if isinstance(item, Option):
        value: Any = enum.Enum(item.name, [(choice, choice) for choice in item.choices]) if item.choices else str
        return {"flag": bool, "count": int, "value": value | None, "list": list[str] | None}[item.kind]
    if item.many:
        return list[str] if item.required else list[str] | None
    return str if item.required else str | None


def _default(item: Any) -> Any:  # noqa: ANN401 (typer takes its declarations as default values)
    shared: dict[str, Any] = {"help": item.help, "show_default": False}
    if item.rules:
        shared["autocompletion"] = completed
    if not isinstance(item, Option):
        return typer.Argument(... if item.required else None, **shared)
    if item.kind in ("flag", "count"):
        return typer.Option(0 if item.kind == "count" else False, *item.flags, count=item.kind == "count", **shared)
    return typer.Option(None, *item.flags, metavar="|".join(item.choices) or item.metavar, **shared)


def completed(incomplete: str) -> list[tuple[str, str]]:
    """Codes and names of rules that start with the last word of a list joined by commas, with what they find."""
    from promptslim.catalog import load

    before, comma, start = incomplete.rpartition(",")
    rules = load().rules
    words = [(rule.name, rule.summary) for rule in rules] + [(rule.code, rule.summary) for rule in rules]
    return [(before + comma + word, summary) for word, summary in words if word.startswith(start)]
