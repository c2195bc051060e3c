"""Terminal colours."""

from __future__ import annotations

_CODES = {
    "bold": "1",
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "dim": "2",
    "blue": "1;34",
    "green": "32",
    "red": "31",
}


def paint(text: str, style: str, colour: bool) -> str:
    """``text`` in a style (a key of the table above), or as it is."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if colour and text else text


def wanted(choice: str, environment: dict[str, str], terminal: bool) -> bool:
    """Colour or not: the option, then ``NO_COLOR``, then ``FORCE_COLOR``, then whether a terminal reads."""
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return terminal and environment.get("TERM") != "dumb"
