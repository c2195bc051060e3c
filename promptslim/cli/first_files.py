"""The files that a project starts with: configuration, pre-commit hook and workflow, as additions to what is there."""

from __future__ import annotations

import re

from promptslim.cli.installed_from import Source
from promptslim.core.record import record

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
SETUP_PYTHON = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0"

HOOK_FILE = ".pre-commit-config.yaml"
WORKFLOW_FILE = ".github/workflows/promptslim.yml"

_OPTIONS = """\
# What makes the exit code 1: "info", "warning" or "error". `promptslim config` shows every setting,
# `promptslim rules` every rule.
fail-on = "warning"
"""
_LOCAL_HOOK = """\
- repo: local
  hooks:
    - id: promptslim
      name: promptslim check
      entry: promptslim check --force-exclude
      language: system
      types: [text]
      files: \\.(py|ipynb|prompt|prompty|j2|jinja2?|md|txt|ya?ml|toml|json)$
      require_serial: true
"""


@record
class Addition:
    """What is to become of a file: its whole ``text`` (None: it stays as it is) and why."""

    path: str
    before: str | None
    text: str | None
    why: str


def configuration(own: str | None, project: str | None) -> Addition:
    """Settings in pyproject.toml where there is one, else in promptslim.toml, given the text of both."""
    import tomllib

    if own is not None:
        return Addition("promptslim.toml", own, None, "it is there already")
    if project is None:
        return Addition("promptslim.toml", None, _OPTIONS, "settings")
    try:
        there = tomllib.loads(project)
    except tomllib.TOMLDecodeError as error:
        return Addition("pyproject.toml", project, None, f"it is not valid TOML ({error}); correct it first")
    if "promptslim" in there.get("tool", {}):
        return Addition("pyproject.toml", project, None, "it has [tool.promptslim] already")
    text = _with(project, f"\n[tool.promptslim]\n{_OPTIONS}")
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return Addition("pyproject.toml", project, None, "its [tool] cannot be added to; add [tool.promptslim] by hand")
    return Addition("pyproject.toml", project, text, "settings")


def hook(before: str | None, source: Source | None) -> Addition:
    """The pre-commit hook: from the repository that this installation comes from, else the installed command."""
    import yaml

    entry = _LOCAL_HOOK if source is None else _repository_hook(source)
    if before is None:
        return Addition(HOOK_FILE, None, "repos:\n" + _indented(entry, "  "), "the pre-commit hook")
    try:
        there = yaml.safe_load(before) or {}
    except yaml.YAMLError:
        return Addition(HOOK_FILE, before, None, "it is not valid YAML; correct it first")
    repositories = there.get("repos") if isinstance(there, dict) else None
    if not isinstance(repositories, list):
        return Addition(HOOK_FILE, before, None, f"it has no list of repos; add this to it:\n{entry}")
    if any(_has_hook(one) for one in repositories):
        return Addition(HOOK_FILE, before, None, "it has the hook already")
    items = re.findall(r"^( *)- +repo:", before, re.MULTILINE)
    text = _with(before, _indented(entry, items[-1] if items else "  "))
    try:
        after = yaml.safe_load(text)
    except yaml.YAMLError:
        after = None
    if after != {**there, "repos": [*repositories, *yaml.safe_load(entry)]}:
        return Addition(HOOK_FILE, before, None, f"its list of repos is not at its end; add this to it:\n{entry}")
    return Addition(HOOK_FILE, before, text, "the pre-commit hook")


def workflow(before: str | None, source: Source | None) -> Addition:
    """A workflow for pull requests: annotations and a job summary, with read access to the code and nothing else."""
    if before is not None:
        return Addition(WORKFLOW_FILE, before, None, "it is there already")
    if source is None:
        why = "it has to name where promptslim comes from; run again with --source URL@REVISION"
        return Addition(WORKFLOW_FILE, None, None, why)
    return Addition(
        WORKFLOW_FILE, None, _WORKFLOW + _indented(_steps(source), "      "), "a workflow for pull requests"
    )


_WORKFLOW = f"""\
name: promptslim

on:
  pull_request:

permissions: {{}}

concurrency:
  group: ${{{{ github.workflow }}}}-${{{{ github.ref }}}}
  cancel-in-progress: true

jobs:
  promptslim:
    name: promptslim
    runs-on: ubuntu-latest
    permissions:
      contents: read # to check out the code
    steps:
      - uses: {CHECKOUT}
        with:
          fetch-depth: 0 # findings are compared with the branch that this one left
          persist-credentials: false
"""


def _steps(source: Source) -> str:
    if source.on_github:
        return f"""\
- uses: {source.on_github}@{source.revision}
  with:
    changed-since: origin/${{{{ github.base_ref }}}}
"""
    return f"""\
- uses: {SETUP_PYTHON}
  with:
    python-version: "3.13"
- run: python -m pip install "{source.requirement}"
- run: promptslim check --output-format github --changed-since "origin/$BASE"
  env:
    BASE: ${{{{ github.base_ref }}}}
"""


def _repository_hook(source: Source) -> str:
    return f"- repo: {source.url}\n  rev: {source.revision}\n  hooks:\n    - id: promptslim\n"


def _has_hook(repository: object) -> bool:
    hooks = repository.get("hooks") if isinstance(repository, dict) else None
    return isinstance(hooks, list) and any(isinstance(one, dict) and one.get("id") == "promptslim" for one in hooks)


def _indented(text: str, indent: str) -> str:
    return "".join(indent + line for line in text.splitlines(keepends=True))


def _with(text: str, more: str) -> str:
    """Lines added at the end of a text, with the line ends that it has."""
    end = "\r\n" if "\r\n" in text else "\n"
    return text + ("" if text.endswith("\n") or not text else end) + more.replace("\n", end)
