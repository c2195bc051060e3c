"""What kinds of files there are, by suffix."""

from __future__ import annotations

from collections.abc import Mapping

PYTHON = "python"
NOTEBOOK = "notebook"

KINDS: Mapping[str, str] = {
    ".py": PYTHON,
    ".ipynb": NOTEBOOK,
    ".j2": "jinja",
    ".jinja": "jinja",
    ".jinja2": "jinja",
    ".json": "json",
    ".md": "markdown",
    ".prompt": "prompty",
    ".prompty": "prompty",
    ".toml": "toml",
    ".txt": "text",
    ".yaml": "yaml",
    ".yml": "yaml",
}
"""Suffix in lower case -> kind of file."""

CODE_SUFFIXES = frozenset({".py", ".ipynb"})

UNREAD_SUFFIXES = frozenset(
    {".cs", ".go", ".java", ".js", ".jsx", ".kt", ".mjs", ".php", ".rb", ".rs", ".scala", ".swift", ".ts", ".tsx"}
)
"""Source in languages that are not analysed, but may call a model."""


def suffix_of(name: str) -> str:
    """The suffix of a file name in lower case with its dot, empty where there is none."""
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def kind_of(path: str) -> str | None:
    """The kind of a file by its suffix, None for any other."""
    return KINDS.get(suffix_of(path[path.rfind("/") + 1 :]))
