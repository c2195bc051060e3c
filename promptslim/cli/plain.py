"""The parser of ordinary command lines: loading typer takes longer than checking a file.

It reads only what is beyond doubt; for anything else (help, errors, unusual forms) it gives None, and
typer decides from the same table.
"""

from __future__ import annotations

from collections.abc import Sequence

from promptslim.cli.parameters import Argument, Given, Option, Parameters, normalised


def parse(arguments: Sequence[str], parameters: Parameters) -> Given | None:
    """The values of a command line, or None where typer has to look at it."""
    options = {flag: item for item in parameters if isinstance(item, Option) for flag in item.flags}
    values: dict[str, object] = {}
    positional: list[str] = []
    rest = list(reversed(arguments))
    while rest:
        word = rest.pop()
        if not word.startswith("-") or word == "-":
            positional.append(word)
            continue
        flag, equals, text = word.partition("=") if word.startswith("--") else (word, "", "")
        option = options.get(flag)
        if option is None:
            if not _short_counts(word, options, values):
                return None
        elif option.kind in ("flag", "count"):
            if equals:
                return None
            _count(option, values)
        else:
            if not equals:
                if not rest or rest[-1].startswith("-"):
                    return None
                text = rest.pop()
            if option.choices and text not in option.choices:
                return None
            _store(option, text, values)
    return normalised(parameters, values) if _place(positional, parameters, values) else None


def _short_counts(word: str, options: dict[str, Option], values: dict[str, object]) -> bool:
    """``-qq``: short flags joined. False where the word is anything else."""
    letters = [options.get(f"-{letter}") for letter in word[1:]]
    if word.startswith("--") or not letters or any(o is None or o.kind not in ("flag", "count") for o in letters):
        return False
    for option in letters:
        if option is not None:
            _count(option, values)
    return True


def _count(option: Option, values: dict[str, object]) -> None:
    earlier = values.get(option.name, 0)
    values[option.name] = True if option.kind == "flag" else (earlier if isinstance(earlier, int) else 0) + 1


def _store(option: Option, text: str, values: dict[str, object]) -> None:
    if option.kind == "list":
        earlier = values.get(option.name)
        values[option.name] = [*(earlier if isinstance(earlier, list) else []), text]
    else:
        values[option.name] = text


def _place(positional: list[str], parameters: Parameters, values: dict[str, object]) -> bool:
    """Give the positional words to the arguments in order. False where their number does not fit."""
    left = list(positional)
    for argument in parameters:
        if isinstance(argument, Argument):
            if argument.required and not left:
                return False
            if argument.many:
                values[argument.name], left = left, []
            elif left:
                values[argument.name] = left.pop(0)
    return not left
