"""Reading the head of a rule page: front matter, title and first paragraph.

Only the compile step comes here; PyYAML is imported nowhere else for the catalog.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from promptslim.catalog.errors import CatalogError
from promptslim.core.finding import CONFIDENCES, SEVERITIES

FIXES = ("safe", "unsafe", "display", "no")
_CHOICES = {"severity": SEVERITIES, "confidence": CONFIDENCES, "fix": FIXES}
_CODE = re.compile(r"PS\d{3}")
_TEXT = ("code", "name", "family", "severity", "confidence", "since", "fix")
_KEYS = (*_TEXT, "pedantic", "inputs", "options")


def read_rule_page(text: str, path: str, family: str, stem: str) -> dict[str, Any]:
    """The fields of ``RuleMeta`` as plain data.

    ``path`` is for messages; ``family`` and ``stem`` are the folder and file name, which the front matter
    has to repeat. Raises CatalogError with file and line.
    """
    lines = text.split("\n")
    if not lines or lines[0].rstrip() != "---":
        raise CatalogError(path, 1, 'a rule page starts with "---" and its front matter')
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        raise CatalogError(path, 1, 'the front matter has no closing "---"')
    fields, places = _front_matter("\n".join(lines[1:end]), path)
    _check(fields, places, path)
    for key, wanted in (("family", family), ("name", stem)):
        if fields[key] != wanted:
            raise CatalogError(path, places[key], f'{key} is "{fields[key]}", but the file says "{wanted}"')
    options = fields.get("options") or {}
    return {
        **{key: fields[key] for key in _TEXT},
        "pedantic": fields.get("pedantic", False),
        "inputs": fields["inputs"],
        "options": {name: given["default"] for name, given in options.items()},
        "option_descriptions": {name: given["description"] for name, given in options.items()},
        "summary": _summary(lines, end + 1, path),
    }


def _front_matter(text: str, path: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The mapping, and the 1-based line of each key in the file."""
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        fields = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise CatalogError(path, line, f"the front matter is not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise CatalogError(path, 1, f"the front matter is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(fields, dict) or not isinstance(node, yaml.MappingNode):
        raise CatalogError(path, 2, "the front matter has to be a mapping (code: PS101 ...)")
    places = {key.value: key.start_mark.line + 2 for key, _ in node.value if isinstance(key, yaml.ScalarNode)}
    return fields, places


def _check(fields: Mapping[str, Any], places: Mapping[str, int], path: str) -> None:
    for key in fields:
        if key not in _KEYS:
            raise CatalogError(path, places.get(str(key)), f'unknown key "{key}"; known are {", ".join(_KEYS)}')
    for key in (*_TEXT, "inputs"):
        if key not in fields:
            raise CatalogError(path, 1, f'the front matter lacks "{key}"')
    for key in _TEXT:
        # YAML reads `fix: no` as false; the word is meant.
        if key == "fix" and fields[key] is False:
            continue
        if not isinstance(fields[key], str):
            raise CatalogError(path, places[key], f"{key} has to be text: put {fields[key]!r} in quotes")
    if not _CODE.fullmatch(fields["code"]):
        raise CatalogError(path, places["code"], f'code "{fields["code"]}" is not PS and three digits')
    for key, values in _CHOICES.items():
        if fields[key] not in values and fields[key] is not False:
            raise CatalogError(path, places[key], f'{key} "{fields[key]}" is not one of {", ".join(values)}')
    if not isinstance(fields.get("pedantic", False), bool):
        raise CatalogError(path, places["pedantic"], "pedantic has to be true or false")
    _check_lists(fields, places, path)


def _check_lists(fields: Mapping[str, Any], places: Mapping[str, int], path: str) -> None:
    inputs = fields["inputs"]
    if not isinstance(inputs, list) or not inputs or not all(isinstance(kind, str) for kind in inputs):
        raise CatalogError(path, places["inputs"], "inputs has to be a list such as [python, notebook]")
    options = fields.get("options") or {}
    if not isinstance(options, dict):
        raise CatalogError(path, places["options"], "options has to be a mapping from name to default and description")
    for name, given in options.items():
        if not isinstance(given, dict) or set(given) != {"default", "description"}:
            raise CatalogError(path, places["options"], f'option "{name}" needs exactly default and description')


def _summary(lines: list[str], start: int, path: str) -> str:
    """The first paragraph under the title, as one line."""
    title = next((number for number in range(start, len(lines)) if lines[number].startswith("# ")), None)
    if title is None:
        raise CatalogError(path, start + 1, "the page has no title (# name)")
    paragraph: list[str] = []
    for line in lines[title + 1 :]:
        if line.strip() and not line.startswith("#"):
            paragraph.append(line.strip())
        elif paragraph or line.startswith("#"):
            break
    if not paragraph:
        raise CatalogError(path, title + 1, "the title needs a paragraph under it that sums the rule up")
    return " ".join(paragraph)
