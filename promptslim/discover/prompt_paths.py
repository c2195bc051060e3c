"""Which files are prompts, told by their paths.

| suffix | is a prompt file |
|---|---|
| `.prompt` `.prompty` | always |
| `.j2` `.jinja` `.jinja2` | in a prompt folder, with `prompt` in its name, or named for a role (`system.j2`) |
| `.txt` | in a prompt folder, with `prompt` in its name, or named for a role |
| `.md` | in a prompt folder, with a name that ends in `prompt` (`review_prompt.md`), or named for a role |
| `.yaml` `.yml` `.toml` `.json` | in a prompt folder, with `prompt` in its name, or a promptfoo configuration |

The prompts of a data file are the texts in known shapes and under known keys; many have none. A prompt folder is
named `prompt` or `prompts`, at any depth, or with such a last word (`system_prompts`, `prompt_templates`). Named for
a role is `system`; `user` and `assistant` only beside a `system` file. Below a folder for documentation, and for
README, LICENSE and their like, none of this holds; `.prompt` and `.prompty` are prompts everywhere. Patterns of the
`prompts` setting add files of any suffix that is not code, and with `!` take files out.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

from promptslim.config.patterns import IgnorePatterns
from promptslim.core.record import record
from promptslim.discover.ignore_files import repository_of
from promptslim.discover.kinds import CODE_SUFFIXES, KINDS, suffix_of
from promptslim.discover.shown_path import shown_path

ALWAYS = frozenset({".prompt", ".prompty"})
PROMPT_SUFFIXES = frozenset(KINDS) - CODE_SUFFIXES
"""Suffixes of files that may be prompts."""

_TEMPLATES = frozenset({".j2", ".jinja", ".jinja2"})
_DATA = frozenset({".json", ".toml", ".yaml", ".yml"})
_WORD = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_PROMPT = frozenset({"prompt", "prompts"})
_TEMPLATE = frozenset({"template", "templates"})
_ROLES = frozenset({"system", "user", "assistant"})
_TEMPLATE_STEMS = frozenset({"instructions", "system_message", "user_message", "system_instructions"})
_DOCUMENTATION = frozenset({"doc", "docs", "documentation", "wiki", "website"})
_INFRASTRUCTURE = frozenset({"ansible", "playbooks", "roles", "salt", "puppet", "nginx", "systemd", "helm", "charts"})
"""Folders in which a template named ``system`` or ``user`` is about machines."""
_PAPERS = frozenset(
    {
        "authors", "changelog", "changes", "claude", "code_of_conduct", "codeowners", "contributing", "contributors",
        "copying", "history", "index", "license", "licence", "maintainers", "news", "notice", "readme", "release_notes",
        "requirements", "robots", "roadmap", "security", "skill", "support", "todo", "agents",
    }
)  # fmt: skip
"""Names of text files that people read, or that are prompts for other tools."""
_ABOUT = frozenset(
    {
        "about", "cache", "caching", "docs", "engineering", "example", "examples", "faq", "flow", "guide", "guides",
        "how", "howto", "injection", "injections", "intro", "library", "log", "logs", "notes", "output", "outputs",
        "overview", "response", "responses", "result", "results", "tips", "tuning", "tutorial",
    }
)  # fmt: skip
"""Words that make a file name speak about prompts."""
_QUALIFIERS = frozenset(
    {"system", "user", "assistant", "template", "text", "base", "default", "final", "short", "long"}
)


@record
class PromptPaths:
    """The conventions above, and the patterns of the settings.

    ``patterns`` see paths with ``from_base`` before them (``a/b/``), the conventions with ``from_top``: the folders
    between the top of the repository and the paths that are asked about.
    """

    patterns: IgnorePatterns
    from_base: str
    from_top: str

    @classmethod
    def of(cls, start: str, base: str, patterns: IgnorePatterns) -> PromptPaths:
        """For paths relative to the absolute folder ``start``; ``base`` is that of the patterns."""
        top = repository_of(start) or base
        inside = shown_path(start, top)
        return cls(
            patterns,
            "" if start == base else shown_path(start, base) + "/",
            "" if inside == "." or inside.startswith("..") else inside + "/",
        )

    def takes(self, path: str, full: str) -> bool:
        """Whether a file is a prompt file, ``full`` being its absolute path."""
        name = path[path.rfind("/") + 1 :]
        suffix = suffix_of(name)
        if self.patterns and suffix not in CODE_SUFFIXES:
            verdict = self.patterns.verdict(self.from_base + path, name, False)
            if verdict is None and self.patterns.covers(self.from_base + path):
                verdict = True
            if verdict is not None:
                return verdict
        if suffix in ALWAYS:
            return True
        if suffix not in PROMPT_SUFFIXES:
            return False
        return _by_convention(self.from_top + path, name, suffix, full)


def _by_convention(path: str, name: str, suffix: str, full: str) -> bool:
    stem = name[: -len(suffix)].lower()
    folders = path[: -len(name)].lower()
    if "prompt" not in folders and "prompt" not in stem and stem not in _ROLES and stem not in _TEMPLATE_STEMS:
        return False
    above = folders.split("/")
    if not _DOCUMENTATION.isdisjoint(above) or stem.replace("-", "_") in _PAPERS:
        return False
    if any(map(_is_prompt_folder, above)):
        return True
    if suffix in _DATA:
        return stem.startswith("promptfooconfig") or not _PROMPT.isdisjoint(_words(name[: -len(suffix)]))
    if stem in _ROLES:
        return _INFRASTRUCTURE.isdisjoint(above) and (stem == "system" or _has_system(full))
    if suffix in _TEMPLATES and stem in _TEMPLATE_STEMS:
        return _INFRASTRUCTURE.isdisjoint(above)
    return _is_prompt_name(_words(name[: -len(suffix)]), suffix)


@lru_cache(maxsize=4096)
def _is_prompt_folder(name: str) -> bool:
    if "prompt" not in name:
        return False
    words = _words(name)
    return bool(words) and (
        words[-1] in _PROMPT or (len(words) > 1 and words[-1] in _TEMPLATE and words[-2] in _PROMPT)
    )


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(_CAMEL.sub("_", name))]


def _is_prompt_name(words: list[str], suffix: str) -> bool:
    """Whether the words of a file name say that it is a prompt, not that it is about prompts."""
    places = [index for index, word in enumerate(words) if word in _PROMPT]
    if not places or not _ABOUT.isdisjoint(words) or words == ["prompts"]:
        return False
    if suffix in _TEMPLATES or suffix == ".txt":
        return True
    after = words[places[-1] + 1 :]
    return all(word in _QUALIFIERS or word.isdigit() or len(word) <= 2 for word in after)


def _has_system(full: str) -> bool:
    """Whether a file named ``system`` with the same suffix stands beside a file."""
    folder, name = os.path.split(full)
    return os.path.isfile(os.path.join(folder, "system" + suffix_of(name)))  # noqa: PTH113, PTH118
