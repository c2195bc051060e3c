"""Reading the files of a project: decoding, refusals, the record, roots, and callers."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from promptslim.config.configuration import merge
from promptslim.config.options import Options
from promptslim.config.settings import Settings, configure, resolve
from promptslim.core.files import ProjectFiles
from promptslim.discover import reading
from promptslim.discover.copies import originals
from promptslim.discover.decode import DecodeError, decode
from promptslim.discover.project import DiskFiles, by_root, open_project, root_of


def defaults(folder: Path) -> Settings:
    return resolve(merge(None, [], Options(), str(folder)))


def project(folder: Path) -> DiskFiles:
    files = open_project(str(folder), defaults(folder), str(folder))
    as_protocol: ProjectFiles = files
    assert as_protocol.root == "."
    return files


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"x = 1\n", "x = 1\n"),
        (b"", ""),
        ("é = '\u2028'\n".encode(), "é = '\u2028'\n"),
        (b"\xef\xbb\xbfx = 1\r\ny = 2\r\n", "x = 1\ny = 2\n"),
        (b"x = 1\ry = 2\r\nz = 3\n", "x = 1\ny = 2\nz = 3\n"),
        ("# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"), "# -*- coding: latin-1 -*-\nx = 'é'\n"),
        ("#!x\n# vim: fileencoding=cp1252\nx = '€'\n".encode("cp1252"), "#!x\n# vim: fileencoding=cp1252\nx = '€'\n"),
        ("x = 1\n\n# coding: latin-1\ny = 'é'\n".encode(), "x = 1\n\n# coding: latin-1\ny = 'é'\n"),
        (b"\xef\xbb\xbf# coding: utf-8\n", "# coding: utf-8\n"),
    ],
)  # fmt: skip
def test_python_source_is_decoded_as_python_does(tmp_path: Path, data: bytes, text: str) -> None:
    (tmp_path / "a.py").write_bytes(data)
    assert project(tmp_path).text("a.py") == text
    assert ast.dump(ast.parse(data)) == ast.dump(ast.parse(text.replace("coding", "______")))


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"x = 1\ny = '\xff'\n", 2, "byte 0xff is not valid UTF-8"),
        (b"x = 1\n\n\0", 3, "null byte in the file; it is binary or damaged"),
        ("x = 1".encode("utf-16"), 1, "UTF-16 text; save it as UTF-8"),
        (b"# coding: klingon\n", 1, "unknown encoding: klingon"),
        (b"\xef\xbb\xbf# coding: latin-1\n", 1, "encoding iso-8859-1 is not supported here"),
        (b"# coding: punycode\nx", 1, "encoding punycode is not supported here"),
        (b"# coding: rot13\nx", 1, "cannot be decoded as rot13"),
        (b"# coding: hex\nx", 1, "cannot be decoded as hex"),
        (b"# coding: ascii\nx = '\xe9'", 2, "byte 0xe9 is not valid ASCII"),
    ],
)
def test_what_is_no_text_has_a_reason(tmp_path: Path, data: bytes, line: int, message: str) -> None:
    (tmp_path / "a.py").write_bytes(data)
    files = project(tmp_path)
    assert files.text("a.py") is None
    why = files.why("a.py")
    assert why is not None
    assert (why.path, why.line, why.message) == ("a.py", line, message)


@given(st.binary(max_size=60), st.sampled_from([b"", b"# coding: ", b"\xef\xbb\xbf"]), st.booleans())
@example(b"utf-7\n+2AAAAA-", b"# coding: ", True)
@example(b"unicode_escape\n\\ud800\\x00", b"# coding: ", True)
def test_any_bytes_decode_or_have_a_reason(data: bytes, head: bytes, python: bool) -> None:
    try:
        decoded = decode(head + data, python)
    except DecodeError:
        return
    decoded.text.encode()
    assert "\r" not in decoded.text
    assert "\0" not in decoded.text


@given(st.text(alphabet="aé\n", max_size=12), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_an_unedited_text_encodes_to_the_same_bytes(text: str, newline: str, bom: bool) -> None:
    data = (b"\xef\xbb\xbf" if bom else b"") + text.replace("\n", newline).encode()
    decoded = decode(data, python=True)
    assert decoded.text == text
    assert decoded.encoded(decoded.text) == data


def test_mixed_line_ends_are_not_written_back() -> None:
    with pytest.raises(ValueError, match="mixed line ends"):
        decode(b"a\r\nb\n", python=True).encoded("x")


def test_missing_unreadable_large_and_outside(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "folder.py").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("x")
    os.mkfifo(root / "pipe.py")
    with (root / "big.py").open("wb") as file:
        file.truncate(reading.MAX_BYTES + 1)
    (root / "small.ipynb").write_bytes(b" " * (reading.MAX_BYTES + 1))
    files = project(root)
    reasons = {
        "gone.py": "cannot be read: No such file or directory",
        "folder.py": "cannot be read: not a regular file",
        "pipe.py": "cannot be read: not a regular file",
        "big.py": "larger than 5 MB; not analysed",
        "../secret.txt": "outside the project",
        str(tmp_path / "secret.txt"): "outside the project",
        "a\0b": "cannot be read: embedded null byte",
    }
    for path, message in reasons.items():
        assert files.text(path) is None
        why = files.why(path)
        assert why is not None
        assert why.message == message
    assert files.text("small.ipynb") is not None
    assert files.why("small.ipynb") is None
    assert [files.exists(path) for path in ("big.py", "folder.py", "pipe.py", "../secret.txt", "a\0b", "gone.py")] == [
        True, False, False, False, False, False
    ]  # fmt: skip


def test_a_file_handed_over_is_taken_as_it_is(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.py").write_text("disk")
    files = project(root)
    files.hold("a.py", b"editor")
    files.hold("../other/b.py", b"elsewhere")
    assert (files.text("a.py"), files.text("./a.py"), files.text("../other/b.py")) == ("editor", "editor", "elsewhere")
    assert files.exists("../other/b.py")


def test_every_question_is_on_record_also_when_answered_from_memory(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("f(1)")
    files = project(tmp_path)
    first = files.observe()
    files.text("a.py")
    files.exists("x/../b.py")
    assert (first.reads, first.misses, first.callers) == ({"a.py"}, {"b.py"}, {})
    (tmp_path / "a.py").write_text("f(1)  # changed during the run")
    second = files.observe()
    assert files.text("a.py") == "f(1)"
    assert files.callers("f") == ("a.py",)
    assert (second.reads, second.misses, second.callers) == ({"a.py"}, set(), {"f": ("a.py",)})
    assert first.callers == {}


def test_callers_leave_out_tests_and_are_relative_to_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("hidden.py\n")
    notebook = {"cells": [{"cell_type": "code", "source": ["x = 1\n", 'y = ask("q")\n']}]}
    flat = {"cells": [{"cell_type": "code", "source": 'x = 1\nask("q")'}]}
    for name, text in {
        "src/a.py": "ask(1)",
        "src/b.py": "obj.ask (1)",
        "src/c.py": "task(1); ask",
        "lib/hidden.py": "ask(1)",
        "tests/test_a.py": "ask(1)",
        "vendor/v.py": "ask(1)",
        "nb.ipynb": json.dumps(notebook),
        "flat.ipynb": json.dumps(flat),
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    cwd = tmp_path / "src"
    files = open_project(str(tmp_path), defaults(cwd), str(cwd))
    assert files.callers("ask") == ("../flat.ipynb", "../nb.ipynb", "a.py", "b.py")
    assert files.callers("nothing") == ()


def test_roots(tmp_path: Path) -> None:
    for folder in ("repo/.git", "repo/sub/deep", "other/.git", "other/x", "plain"):
        (tmp_path / folder).mkdir(parents=True)
    repo, other = str(tmp_path / "repo"), str(tmp_path / "other")
    cwd = tmp_path / "repo" / "sub"
    bare = defaults(cwd)
    assert root_of(str(cwd), bare, str(cwd)) == repo
    assert root_of(f"{other}/x", bare, str(cwd)) == other
    assert root_of(str(tmp_path / "plain"), bare, str(cwd)) == str(tmp_path / "plain")
    (cwd / "promptslim.toml").touch()
    near = resolve(configure(str(cwd)))
    assert root_of(str(cwd / "deep"), near, str(cwd)) == str(cwd)
    assert root_of(repo, near, str(cwd)) == repo
    (tmp_path / "promptslim.toml").touch()
    (cwd / "promptslim.toml").unlink()
    assert root_of(str(cwd), resolve(configure(str(cwd))), str(cwd)) == repo, "not the whole home folder"
    assert by_root(["a.py", "deep/b.py", "../../other/x/c.py", "../../plain/d.py", "e.py"], bare, str(cwd)) == {
        repo: ["a.py", "deep/b.py", "e.py"],
        other: ["../../other/x/c.py"],
        str(tmp_path / "plain"): ["../../plain/d.py"],
    }


def test_copies_map_to_the_first() -> None:
    files = [("a", b"x"), ("b", b"y"), ("c", b"x"), ("d", b"x"), ("e", b"")]
    assert originals(files) == {"a": "a", "b": "b", "c": "a", "d": "a", "e": "e"}
