"""What is ignored is what git ignores."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from promptslim.config.patterns import IgnorePatterns
from promptslim.discover.walk import TAKEN, Rules, walk

ALL_FILES = frozenset({".py"})
NAMES = ("a", "b", "ab", "build", "x.y", "[z]")


def taken(start: Path) -> set[str]:
    rules = Rules(str(start), IgnorePatterns([".git"]), None, ALL_FILES, frozenset(), gitignore=True, tests=True)
    return {path for what, path, _ in walk(str(start), rules) if what == TAKEN}


def not_ignored_by_git(start: Path) -> set[str]:
    command = ["git", "-c", "core.excludesFile=/dev/null", "ls-files", "-co", "--exclude-standard", "-z", "."]
    listing = subprocess.run(command, cwd=start, capture_output=True, check=True).stdout
    return {name for name in listing.decode().split("\0") if name.endswith(".py")}


def repository(folder: Path) -> Path:
    (folder / ".git" / "info").mkdir(parents=True)
    (folder / ".git" / "objects").mkdir()
    (folder / ".git" / "refs").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    return folder


def lay(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


PIECES = st.sampled_from(["a", "b", "ab", "build", "x.y", "*", "?", "**", "[ab]", "[!a]", "\\[z]", "x*", "*.y", "b*"])
PATTERNS = st.builds(
    lambda negation, lead, body, tail: negation + lead + "/".join(body) + tail,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/", "**/"]),
    st.lists(st.builds("".join, st.lists(PIECES, min_size=1, max_size=2)), min_size=1, max_size=3),
    st.sampled_from(["", "", ".py", "/", "/**", "/*", " ", "\\ ", "\r"]),
)
ODD = st.sampled_from(
    ["", "#a", "\\#a", "\\!a", "/", "!", "*.py[co]", "*.p?", "***", "a**b", "[", "a[", " a", "a/**/b.py"]
)
IGNORE_FILES = st.lists(PATTERNS | ODD, max_size=6).map("\n".join)
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(lambda parts: "/".join(parts) + ".py")


@given(
    st.sets(PATHS, min_size=3, max_size=12),
    st.dictionaries(st.sampled_from(["", "a/", "b/", "a/b/", "build/"]), IGNORE_FILES, min_size=1, max_size=3),
    IGNORE_FILES,
)
@example({"a/b.py", "a/a/b.py", "b.py"}, {"": "a/**/b.py\n!/a/b.py"}, "")
@example({"build/a.py", "build/b.py"}, {"": "build/\n!build/a.py"}, "")
@example({"build/a.py", "build/b.py"}, {"": "build/**\n!build/a.py"}, "")
@example({"a/a.py", "a/b/a.py"}, {"": "*\n!*/\n!a.py", "a/": "!b"}, "a.py")
@example({"a/a.py", "b/a/a.py", "a.py"}, {"": ""}, "a\n!/b**")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_walk_takes_what_git_lists(paths: set[str], ignores: dict[str, str], excluded: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        top = repository(Path(name))
        lay(top, dict.fromkeys(paths, ""))
        for folder, text in ignores.items():
            if (top / folder).is_dir():
                lay(top, {folder + ".gitignore": text})
        lay(top, {".git/info/exclude": excluded})
        assert taken(top) == not_ignored_by_git(top)


@given(st.sets(PATHS, min_size=4, max_size=12), IGNORE_FILES, IGNORE_FILES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_walk_from_below_agrees_with_one_from_the_top(paths: set[str], above: str, inner: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        top = repository(Path(name))
        lay(top, {**dict.fromkeys(paths, ""), "a/b/a.py": "", ".gitignore": above, "a/.gitignore": inner})
        from_top = taken(top)
        # A folder that is ignored itself is walked when it is named; git is not asked then.
        if not any(path.startswith("a/") for path in from_top):
            return
        assert {f"a/{path}" for path in taken(top / "a")} == {path for path in from_top if path.startswith("a/")}


def test_a_named_folder_is_walked_though_it_is_ignored(tmp_path: Path) -> None:
    top = repository(tmp_path)
    lay(top, {".gitignore": "build/\nbuild\n/build/\n*.log.py", "build/a.py": "", "build/b.log.py": ""})
    assert taken(top) == set()
    assert taken(top / "build") == {"a.py"}


def test_ignore_files_above_the_repository_do_not_count(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    lay(tmp_path, {".gitignore": "*.py"})
    repository(top)
    lay(top, {"a.py": "", "inner/.git/HEAD": "", "inner/b.py": "", ".gitignore": "b.py\n"})
    assert taken(top) == {"a.py", "inner/b.py"}, "a repository inside a repository does not inherit"


def test_without_a_repository_only_the_ignore_files_inside_count(tmp_path: Path) -> None:
    lay(
        tmp_path,
        {".gitignore": "a.py", "below/.gitignore": "b.py", "below/a.py": "", "below/b.py": "", "below/c.py": ""},
    )
    assert taken(tmp_path / "below") == {"a.py", "c.py"}


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_worktree_shares_the_exclude_file_of_its_repository(tmp_path: Path) -> None:
    main, tree = tmp_path / "main", tmp_path / "tree"
    identity = ["-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run(["git", "init", "-q", str(main)], check=True)
    subprocess.run(["git", *identity, "commit", "-q", "--allow-empty", "-m", "x"], cwd=main, check=True)
    subprocess.run(["git", "worktree", "add", "-q", str(tree)], cwd=main, check=True, capture_output=True)
    lay(main, {".git/info/exclude": "hidden.py\n"})
    lay(tree, {"hidden.py": "", "seen.py": "", "below/hidden.py": ""})
    assert taken(tree) == not_ignored_by_git(tree) == {"seen.py"}
    assert taken(tree / "below") == set()


def test_names_and_ignore_files_that_are_not_utf8(tmp_path: Path) -> None:
    top = repository(tmp_path)
    (top / ".gitignore").write_bytes(b"\xef\xbb\xbfa.py\nb\xff.py\n")
    for name in (b"a.py", b"b\xff.py", b"c\xff.py"):
        (tmp_path / name.decode("utf-8", "surrogateescape")).touch()
    assert taken(top) == {"c\udcff.py"}


PATH_PATTERNS = st.lists(PATTERNS.filter(lambda pattern: not pattern.endswith("\r")), max_size=4)


@given(PATH_PATTERNS, st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join))
def test_covers_looks_at_the_folders_above_too(patterns: list[str], path: str) -> None:
    ignore = IgnorePatterns(patterns)
    parts = path.split("/")
    steps = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    expected = any(ignore.verdict(step, step.split("/")[-1], step != path) for step in steps)
    assert ignore.covers(path) == expected
