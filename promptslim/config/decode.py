"""A parsed TOML table -> options, with errors that name file, line, key and the nearest valid key."""

from __future__ import annotations

from collections.abc import Mapping

from promptslim.config.error import ConfigError, suggestion
from promptslim.config.key_line import key_line
from promptslim.config.options import READERS, Options
from promptslim.config.readers import MismatchError, describe
from promptslim.core.record import record


@record
class Source:
    """Where a table was read: ``name`` for messages, the whole ``text``, and the keys that lead from its top
    to the table."""

    name: str
    text: str
    table: tuple[str, ...] = ()

    def place(self, path: tuple[str, ...]) -> str:
        """``pyproject.toml:12`` for a key path below the table, without the line where it cannot be told."""
        line = key_line(self.text, (*self.table, *path))
        return self.name if line is None else f"{self.name}:{line}"


def decode_options(table: Mapping[str, object], source: Source) -> Options:
    """The options of a table. Raises ConfigError on an unknown key or a value of the wrong type."""
    values: dict[str, object] = {}
    for key, value in table.items():
        read = READERS.get(key)
        if read is None:
            where = f" in [{'.'.join(source.table)}]" if source.table else ""
            hint = suggestion(key, READERS, f"valid keys: {', '.join(sorted(READERS))}")
            raise ConfigError(f"{source.place((key,))}: unknown key {key!r}{where}; {hint}")
        try:
            values[key.replace("-", "_")] = read(value)
        except MismatchError as error:
            path = (key, *error.inner)
            raise ConfigError(
                f"{source.place(path)}: {'.'.join(path)!r} must be {error.expected}, not {describe(error.found)}"
            ) from None
    return Options(**values)  # type: ignore[arg-type]
