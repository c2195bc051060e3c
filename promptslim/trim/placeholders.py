"""What is a placeholder, by the syntax that a text is written in."""

from __future__ import annotations

from promptslim.core.prompt import Shape

_PYTHON = r"\{\{|\}\}|\{[^{}\n]{0,200}\}|%\(\w{1,60}\)[-#0 +]*[\d.*]*[a-zA-Z]|%[-#0 +]*[\d.]*[sdifrgxec](?!\w)|%%"
_DOLLAR = r"\$\$|\$\{[^{}\n]{1,120}\}|\$[A-Za-z_]\w{0,60}\$?"
_JINJA = (
    r"\{%[-+]?\s*raw\s*[-+]?%\}.{0,5000}?\{%[-+]?\s*endraw\s*[-+]?%\}"
    r"|\s{0,20}\{\{-[^{}]{0,300}\}\}\s{0,20}|\s{0,20}\{[%#]-(?:[^%#]|[%#](?!\})){0,300}[%#]\}\s{0,20}"
    r"|\{\{[^{}]{0,300}\}\}|\{%(?:[^%]|%(?!\})){0,300}%\}|\{#(?:[^#]|#(?!\})){0,300}#\}"
)
_MUSTACHE = r"\{\{\{[^{}]{0,200}\}\}\}|\{\{[^{}]{0,200}\}\}"
_ERB = r"<%.{0,200}?%>"
_HOME_MADE = (
    r"\[\[[^\[\]\n]{1,60}\]\]|\[[A-Z][A-Z0-9_ ]{1,60}\]|<<[A-Za-z_/][\w ]{0,40}>>|__[A-Z][A-Z0-9_]*__"
    r"|%[A-Z][A-Z0-9_]*%|@@\w{1,40}@@|\[/?INST\]|<\|[^|\n]{1,60}\|>|\n\n(?:Human|Assistant):"
)

_ALL = "|".join((_JINJA, _ERB, _MUSTACHE, _PYTHON, _DOLLAR, _HOME_MADE))
_BY_SHAPE: dict[Shape, str] = {
    "format": f"{_PYTHON}|{_HOME_MADE}",
    "jinja": f"{_JINJA}|{_HOME_MADE}",
    "mustache": f"{_MUSTACHE}|{_HOME_MADE}",
}


def placeholder_pattern(shape: Shape) -> str:
    """A regular expression (``re.DOTALL``, no groups) for the placeholders of a text, chat and model marks among
    them. Where the syntax is not known, as in a literal of a program or a text file, it is the union of all."""
    return _BY_SHAPE.get(shape, _ALL)
