"""From paths to files: what is taken, what is left out and counted, and what is an error."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from promptslim.config.configuration import merge
from promptslim.config.options import Options
from promptslim.config.settings import Settings, resolve
from promptslim.discover.kinds import UNREAD_SUFFIXES, kind_of
from promptslim.discover.left_out import is_generated
from promptslim.discover.paths import Discovered, PathError, discover
from promptslim.discover.walk import rules_of


def lay(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def defaults(folder: Path) -> Settings:
    return resolve(merge(None, [], Options(), str(folder)))


def found(folder: Path, *paths: str, chosen: Settings | None = None, force_exclude: bool = False) -> Discovered:
    rules = rules_of(chosen or defaults(folder), unread=UNREAD_SUFFIXES)
    return discover(paths, rules, str(folder), force_exclude)


@contextmanager
def denied(path: Path) -> Iterator[None]:
    """No permission for ``path``, also for root (as whom the file system asks nothing)."""
    path.chmod(0)
    as_root = sys.platform != "win32" and os.geteuid() == 0
    if as_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if as_root:
            os.seteuid(0)
        path.chmod(0o755)


def test_a_folder_gives_python_and_notebooks_and_counts_the_rest(tmp_path: Path) -> None:
    lay(
        tmp_path,
        *("app.py", "b/nb.ipynb", "b/UPPER.PY", "readme.md", ".hidden.py", ".github/script.py", "py", ".py"),
        *("tests/a.py", "b/test/deep/c.py", "test_x.py", "x_test.py", "conftest.py", "b/attest.py"),
        *("vendor/v.py", "b/_vendor/w.py", "third_party/x.py", "a_pb2.py", "a_pb2_grpc.py"),
        *("node_modules/m.py", ".venv/l.py", "build/l.py", "env/pyvenv.cfg", "env/lib/x.py"),
        *("web/a.ts", "web/b.JS", "tests/c.ts", "node_modules/d.ts", "d.go"),
    )
    result = found(tmp_path, ".")
    assert result.files == (".github/script.py", ".hidden.py", "app.py", "b/UPPER.PY", "b/attest.py", "b/nb.ipynb")
    assert dict(result.skipped) == {"test": 5, "vendored": 3, "generated": 2, "folder": 4}
    assert result.unread == ("d.go", "web/a.ts", "web/b.JS")
    assert result.whole
    assert not result.given
    assert found(tmp_path, str(tmp_path)) == result
    tests = found(tmp_path, ".", chosen=replace(defaults(tmp_path), include_tests=True))
    assert set(tests.files) - set(result.files) == {
        "tests/a.py", "b/test/deep/c.py", "test_x.py", "x_test.py", "conftest.py"
    }  # fmt: skip


def test_what_is_named_is_taken(tmp_path: Path) -> None:
    lay(tmp_path, "tests/test_a.py", "vendor/b.py", "a_pb2.py", "build/c.py", "notes.txt")
    names = ("tests/test_a.py", "./vendor/b.py", "a_pb2.py", str(tmp_path / "build" / "c.py"), "notes.txt")
    result = found(tmp_path, *names, "a_pb2.py")
    assert result.files == ("a_pb2.py", "build/c.py", "tests/test_a.py", "vendor/b.py")
    assert result.given == frozenset(result.files)
    assert result.skipped == (("other kind", 1),)
    assert not result.whole
    forced = found(tmp_path, *names, force_exclude=True)
    assert forced.files == ()
    assert dict(forced.skipped) == {"excluded": 1, "generated": 1, "other kind": 1, "test": 1, "vendored": 1}


def test_a_named_folder_is_judged_by_what_lies_in_it(tmp_path: Path) -> None:
    lay(tmp_path, "tests/app/a.py", "tests/app/test_b.py", "build/c.py")
    assert found(tmp_path, "tests/app").files == ("tests/app/a.py",)
    assert found(tmp_path, "tests").files == ("tests/app/a.py",)
    assert found(tmp_path, "build").files == ("build/c.py",)


def test_paths_outside_of_the_working_directory_are_shown_from_it(tmp_path: Path) -> None:
    lay(tmp_path, "here/a.py", "there/b.py")
    assert found(tmp_path / "here", "../there", ".", "../here/a.py").files == ("../there/b.py", "a.py")


def test_include_and_exclude_patterns(tmp_path: Path) -> None:
    lay(tmp_path, "src/a.py", "src/gen/b.py", "src/gen/keep.py", "lib/c.py", "lib/src/d.py")
    chosen = replace(defaults(tmp_path), include=("/src/",), exclude=("**/gen/*", "!keep.py"))
    result = found(tmp_path, ".", chosen=chosen)
    assert result.files == ("src/a.py", "src/gen/keep.py")
    assert dict(result.skipped) == {"excluded": 3}
    assert found(tmp_path, "src", chosen=chosen).files == result.files
    assert found(tmp_path / "src", ".", chosen=chosen).files == ("a.py", "gen/keep.py")


def test_globs_are_expanded_and_a_name_with_brackets_is_no_glob(tmp_path: Path) -> None:
    lay(tmp_path, "a/x.py", "a/b/y.py", "[id].py", "i.py")
    assert found(tmp_path, "a/**/*.py").files == ("a/b/y.py", "a/x.py")
    assert found(tmp_path, "[id].py").files == ("[id].py",)
    with pytest.raises(PathError, match=r"^no file matches 'c/\*\.py'$"):
        found(tmp_path, "c/*.py")


def test_standard_input(tmp_path: Path) -> None:
    assert found(tmp_path, "-") == Discovered((), frozenset(), (), (), (), whole=False, stdin=True)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("srcc/app.py", "no such file or folder: srcc/app.py"),
        ("ap.py", "no such file or folder: ap.py; did you mean 'app.py'?"),
        ("app.py/x", "no such file or folder: app.py/x"),
        ("a\0b", r"no such file or folder: a\x00b"),
        ("\x1b", r"no such file or folder: \x1b"),
        ("\x1b[2J", r"no file matches '\x1b[2J'"),
        ("pipe", "neither a file nor a folder: pipe"),
        ("loop", "cannot open loop: Too many levels of symbolic links"),
        ("x" * 300, f"cannot open {'x' * 300}: File name too long"),
    ],
)
def test_a_path_that_cannot_be_used_is_an_error(tmp_path: Path, path: str, message: str) -> None:
    lay(tmp_path, "app.py")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(PathError) as caught:
        found(tmp_path, "app.py", path)
    assert str(caught.value) == message
    assert str(caught.value).isprintable()


def test_links_are_not_followed_and_pipes_not_opened(tmp_path: Path) -> None:
    lay(tmp_path, "a/b/x.py")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "link.py").symlink_to(tmp_path / "a" / "b" / "x.py")
    (tmp_path / "a" / "gone.py").symlink_to("nowhere")
    os.mkfifo(tmp_path / "a" / "pipe.py")
    result = found(tmp_path, ".")
    assert result.files == ("a/b/x.py",)
    assert result.skipped == (("link", 2),)
    assert found(tmp_path, "a/link.py").files == ("a/link.py",), "a link that is named is taken"
    assert found(tmp_path, "a/b/up/a").files == ("a/b/up/a/b/x.py",)


def test_a_folder_that_cannot_be_read_is_an_error_of_that_folder(tmp_path: Path) -> None:
    lay(tmp_path, "a/x.py", "b/y.py")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(0o755)
        if folder == Path("/tmp"):
            break
    chosen = defaults(tmp_path)
    with denied(tmp_path / "a"):
        result = found(tmp_path, ".", chosen=chosen)
    assert result.files == ("b/y.py",)
    assert [(e.path, e.line, e.message) for e in result.errors] == [
        ("a", None, "cannot read the folder: Permission denied")
    ]


@pytest.mark.parametrize(
    ("source", "generated"),
    [
        ("# Generated by protoc. DO NOT EDIT!\nx = 1\n", True),
        (
            '#!/usr/bin/env python\n# coding: utf-8\n\n"""Code generated by Speakeasy (https://x). DO NOT EDIT."""\n',
            True,
        ),
        ("# File generated from our OpenAPI spec by Stainless.\nfrom x import y\n", True),
        ("\ufeff# @generated\n", True),
        ('PROMPT = """Do not edit files."""\n', False),
        ('"""Sends prompts."""\nPROMPT = "DO NOT EDIT"\n', False),
        ("x = 1\n# @generated\n", False),
        ("# Tells whether a summary was generated by a model\n", False),
        ("x=1;" * 6_000, True),
        ("x = 1\n" * 6_000, False),
        ("", False),
    ],
)
def test_generated_files_say_so_in_their_head(source: str, generated: bool) -> None:
    assert is_generated(source.encode()) == generated


def test_kinds() -> None:
    assert [kind_of(path) for path in ("a/b.py", "x.IPYNB", "p.j2", "a.b/c", ".py", "x.rst")] == [
        "python", "notebook", "jinja", None, None, None
    ]  # fmt: skip


def test_a_walk_without_odd_patterns_imports_nothing_heavy(tmp_path: Path) -> None:
    lay(tmp_path, "app.py", ".git/HEAD")
    (tmp_path / ".gitignore").write_text("*.py[cod]\nbuild/\n/dist\n**/cache/\nlogs*\n!keep\n")
    code = (
        "import os, sys\n"
        "from promptslim.config.settings import configure, resolve\n"
        "from promptslim.discover.paths import discover\n"
        "from promptslim.discover.walk import rules_of\n"
        "from promptslim.discover.prefilter import Prefilter\n"
        "from promptslim.discover.project import open_project\n"
        "settings = resolve(configure(os.getcwd()))\n"
        "assert discover(['.'], rules_of(settings), os.getcwd()).files == ('app.py',)\n"
        "assert open_project(os.getcwd(), settings, os.getcwd()).text('app.py') == ''\n"
        "heavy = {'pathspec', 'pathlib', 'tomllib', 'hashlib', 'rapidfuzz', 'json', 'glob', 'shutil'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
