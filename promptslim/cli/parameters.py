"""What a command takes, as one table that feeds the plain parser, typer and the help text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from promptslim.core.record import record

Kind = Literal["flag", "count", "value", "list"]
"""flag: given or not; count: how often; value: the last one given; list: all that are given, each of which
may be several joined by commas where the option says so."""


@record
class Option:
    """``flags``: long form first (``--quiet``, ``-q``). ``choices`` bounds the values of a value.
    ``commas``: every value is a list joined by commas. ``rules``: the values name rules, for completion."""

    flags: tuple[str, ...]
    help: str
    kind: Kind = "flag"
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    commas: bool = False
    rules: bool = False

    @property
    def name(self) -> str:
        """The long form as an identifier: ``--min-confidence`` is ``min_confidence``."""
        return self.flags[0].removeprefix("--").replace("-", "_")


@record
class Argument:
    """A positional argument. ``many``: any number of values, at least one where it is ``required``. ``rules`` as
    for options."""

    name: str
    help: str
    many: bool = False
    required: bool = False
    rules: bool = False


Parameters = tuple[Option | Argument, ...]


@record
class Given:
    """The values of one command line: bool, int, str or a tuple of str by parameter name."""

    values: Mapping[str, bool | int | str | tuple[str, ...]]

    def flag(self, name: str) -> bool:
        """True where the flag was given."""
        return self.values.get(name) is True

    def count(self, name: str) -> int:
        """How often the option was given."""
        value = self.values.get(name, 0)
        return value if isinstance(value, int) else 0

    def value(self, name: str) -> str | None:
        """The value given, None where there is none."""
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    def listed(self, name: str) -> tuple[str, ...] | None:
        """All values given, None where there is none."""
        value = self.values.get(name)
        return value if isinstance(value, tuple) else None


def normalised(parameters: Parameters, values: Mapping[str, object]) -> Given:
    """Raw values as both parsers find them: what was not given is dropped, lists are split at commas."""
    taken: dict[str, bool | int | str | tuple[str, ...]] = {}
    for parameter in parameters:
        match values.get(parameter.name):
            case True:
                taken[parameter.name] = True
            case int() as times if times > 0:
                taken[parameter.name] = times
            case str() as text:
                taken[parameter.name] = text
            case [*items] if items:
                commas = isinstance(parameter, Option) and parameter.commas
                texts = [str(item) for item in items]
                parts = [part.strip() for text in texts for part in text.split(",")] if commas else texts
                taken[parameter.name] = tuple(filter(None, parts)) if commas else tuple(parts)
    return Given(taken)
