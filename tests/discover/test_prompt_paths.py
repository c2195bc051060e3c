"""Which files are prompts, told by their paths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from promptslim.config.configuration import merge
from promptslim.config.options import Options
from promptslim.config.settings import resolve
from promptslim.discover.paths import Discovered, discover
from promptslim.discover.walk import rules_of

PROMPTS = (
    "agent.prompt", "docs/x.prompty", "prompts/a.txt", "src/app/prompt/answer.md", "prompts/deep/er/b.md",
    "system_prompts/c.txt", "prompt_templates/d.jinja2", "prompts/data.yaml", "prompts/README.txt.j2", "prompts/e.json",
    "system_prompt.md", "review-prompt.md", "SystemPrompt.md", "prompt.txt", "prompt_template_claude.txt",
    "summarise.prompt.md", "settings/pr_reviewer_prompts.toml", "chat.prompt.yml", "prompts.yaml",
    "promptfooconfig.yaml",
    "templates/issue_prompt.j2", "agent/system.j2", "agent/system_message.jinja", "patterns/x/system.md",
    "patterns/x/user.md", "prompt_v2.md", "prompt-en.md", "PROMPTS/UPPER.TXT",
)  # fmt: skip
OTHERS = (
    "README.md", "notes.txt", "config.yaml", "system.yaml", "prompts/README.md", "prompts/CHANGELOG.md",
    "docs/prompts.md",
    "docs/prompts/a.md", "docs/en/prompt/b.md", "prompts.md", "prompts.txt", "prompt-engineering.md",
    "prompt_guide.txt",
    "how-to-prompt.md", "about_prompts.txt", "prompt-caching/nova/notes.md", "prompting/a.md", "prompt-library/x.md",
    "user.md", "api/user.txt", "roles/web/templates/system.j2", "templates/user.j2", "nginx.conf.j2", "index.html.j2",
    "package.json", "pyproject.toml", "CLAUDE.md", "AGENTS.md", "promptly.txt", "prompts/script.sh", "prompts/logo.png",
)  # fmt: skip


def lay(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(folder: Path, *paths: str, force_exclude: bool = False, **options: tuple[str, ...]) -> Discovered:
    settings = resolve(merge(None, [], Options(), str(folder)))
    return discover(paths, rules_of(replace(settings, **options), prompts=True), str(folder), force_exclude)


def test_conventions(tmp_path: Path) -> None:
    lay(tmp_path, *PROMPTS, *OTHERS, "app.py")
    seen = found(tmp_path, ".")
    assert sorted(seen.prompts) == sorted(PROMPTS)
    assert sorted(seen.files) == sorted((*PROMPTS, "app.py"))


@pytest.mark.parametrize("start", ["prompts", "prompts/deep", "src/app/prompt"])
def test_a_file_is_a_prompt_from_whatever_folder_one_looks(tmp_path: Path, start: str) -> None:
    lay(tmp_path, *PROMPTS, *OTHERS)
    seen = found(tmp_path, start).prompts
    assert seen == {path for path in PROMPTS if path.startswith(start + "/")}


def test_the_folders_up_to_the_top_of_the_repository_count(tmp_path: Path) -> None:
    lay(tmp_path, ".git/HEAD", "prompts/rules/a.md")
    assert found(tmp_path / "prompts" / "rules", ".").prompts == {"a.md"}
    assert found(tmp_path / "prompts" / "rules", "a.md", "b/../a.md", force_exclude=True).prompts == {"a.md"}


def test_patterns_add_and_take_out(tmp_path: Path) -> None:
    lay(tmp_path, "texts/a.tmpl", "texts/old/b.md", "prompts/c.md", "prompts/archive/d.md", "texts/e.py", "texts/f.md")
    seen = found(tmp_path, ".", prompts=("texts/*.tmpl", "texts/old/", "!prompts/archive/*", "texts/*.py"))
    assert seen.prompts == {"texts/a.tmpl", "texts/old/b.md", "prompts/c.md"}
    assert "texts/e.py" in seen.files


def test_what_is_left_out_of_a_walk_holds_for_prompts(tmp_path: Path) -> None:
    lay(tmp_path, "tests/prompts/a.md", "node_modules/prompts/b.md", "vendor/c.prompt", "prompts/d.md", "prompts/e.md")
    seen = found(tmp_path, ".", exclude=("node_modules", "prompts/e.md"))
    assert seen.prompts == {"prompts/d.md"}
    assert dict(seen.skipped) == {"test": 1, "vendored": 1, "excluded": 1, "folder": 1}


def test_a_named_file(tmp_path: Path) -> None:
    lay(tmp_path, "README.md", "notes.txt", "prompts/a.md", "style.css")
    assert found(tmp_path, "notes.txt").prompts == {"notes.txt"}
    assert found(tmp_path, "README.md", force_exclude=True).files == ()
    several = found(tmp_path, "README.md", "notes.txt", "prompts/a.md")
    assert several.prompts == set(several.files) == {"prompts/a.md"}
    assert dict(several.skipped) == {"other kind": 2}
    assert found(tmp_path, "style.css").files == ()
