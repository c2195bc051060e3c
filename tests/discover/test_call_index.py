"""The call index: a superset of the callers, right after any edit, and only ever a way to save time."""

from __future__ import annotations

import ast
import json
import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.discover import call_index, file_state
from promptslim.discover.call_index import EMPTY, called_names, project_index, refreshed, store_of

NAMES = ("ask", "task", "run", "Client", "_x1", "é")
EXPRESSIONS = st.recursive(
    st.sampled_from(["1", "ask", "'run(1)'", "(2)", "[]"]),
    lambda inner: st.one_of(
        st.builds("{}({})".format, st.sampled_from(NAMES), inner),
        st.builds("{} ({})".format, st.sampled_from(NAMES), inner),
        st.builds("obj.{}({})".format, st.sampled_from(NAMES), inner),
        st.builds("f'{{{}}}'".format, st.sampled_from(["ask(1)", "run(2)"])),
        st.builds("({} if 1 else {})".format, inner, inner),
        st.builds("(\n  {},\n\t{}\n)".format, inner, inner),
    ),
    max_leaves=6,
)
SOURCES = st.lists(EXPRESSIONS, max_size=4).map("\n".join)


def names_called(source: str) -> set[str]:
    """Names and attributes that are called, as Python's parser sees them."""
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return {f.id if isinstance(f, ast.Name) else f.attr for f in calls if isinstance(f, ast.Name | ast.Attribute)}


@given(SOURCES)
def test_every_called_name_is_found(source: str) -> None:
    found = called_names(source.encode(), notebook=False)
    assert {name.encode() for name in names_called(source)} <= found


@given(st.lists(SOURCES, min_size=1, max_size=3), st.booleans(), st.booleans())
def test_every_called_name_is_found_in_a_notebook(cells: list[str], lines: bool, compact: bool) -> None:
    sources = [cell.splitlines(keepends=True) if lines else cell for cell in cells]
    text = json.dumps({"cells": [{"source": s} for s in sources]}, ensure_ascii=False, indent=None if compact else 1)
    expected = {name.encode() for cell in cells for name in names_called(cell)}
    assert expected <= called_names(text.encode(), notebook=True)


def settled(path: Path) -> None:
    """Move the modification time out of the window in which a stamp is not trusted."""
    past = time.time_ns() - 3_600_000_000_000
    os.utime(path, ns=(past, past))


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["a.py", "b.py", "d/c.py"]),
        st.none() | st.lists(st.sampled_from(["ask(1)", "run(2)", "bee(3)", "x = 1"]), max_size=3).map("\n".join),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@given(EDITS)
@settings(deadline=None, max_examples=60)
def test_after_any_edits_it_equals_an_index_made_anew(edits: list[tuple[str, str | None, bool]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "root"
        (root / "d").mkdir(parents=True)
        store = str(Path(name) / "cache" / "index")
        for target, text, save in edits:
            path = root / target
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.write_text(text)
            present = [str(p.relative_to(root)) for p in root.rglob("*.py")]
            kept = project_index(str(root), present, store if save else None)
            anew = project_index(str(root), present, None)
            for word in ("ask", "run", "bee", "x"):
                expected = sorted(p for p in present if f"{word}(" in (root / p).read_text())
                assert list(kept.callers(word)) == list(anew.callers(word)) == expected


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(file_state, "UNSETTLED_NS", -10_000_000_000)
    root = tmp_path / "root"
    root.mkdir()
    for name, text in (("a.py", "ask(1)"), ("b.py", "run(1)"), ("c.py", "")):
        (root / name).write_text(text)
    return root


def test_unchanged_files_are_not_read_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(str(project), str(project.parent / "cache"))
    paths = ["a.py", "b.py", "c.py"]
    project_index(str(project), paths, store)
    read: list[str] = []
    real = call_index._hashes
    monkeypatch.setattr(call_index, "_hashes", lambda path: read.append(Path(path).name) or real(path))
    written = Path(store).stat().st_mtime_ns
    assert project_index(str(project), paths, store).callers("ask") == ("a.py",)
    assert read == []
    assert Path(store).stat().st_mtime_ns == written, "nothing new, nothing written"
    (project / "b.py").write_text("ask(2)")
    assert project_index(str(project), paths, store).callers("ask") == ("a.py", "b.py")
    assert read == ["b.py"]
    assert project_index(str(project), ["b.py"], store).callers("ask") == ("b.py",)
    assert read == ["b.py"]


def test_an_edit_of_the_same_size_and_time_is_seen_by_its_change_time(project: Path) -> None:
    before = refreshed(EMPTY, str(project), ["a.py"])
    times = (project / "a.py").stat()
    (project / "a.py").write_text("run(1)")
    os.utime(project / "a.py", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert refreshed(before, str(project), ["a.py"]).callers("run") == ("a.py",)


def test_a_file_that_was_just_written_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("ask(1)")
    index = refreshed(EMPTY, str(tmp_path), ["a.py"])
    assert list(index.stamps) == [-1, -1, -1]
    assert index.callers("ask") == ("a.py",)


def test_a_damaged_store_is_passed_over(project: Path) -> None:
    store = store_of(str(project), str(project.parent / "cache"))
    paths = ["a.py", "b.py", "c.py"]
    project_index(str(project), paths, store)
    good = Path(store).read_bytes()
    for bad in [
        b"",
        b"\0" * 40,
        good[:-1],
        good + b"x",
        good[: len(good) // 2],
        *(flipped(good, n) for n in range(len(good))),
    ]:
        Path(store).write_bytes(bad)
        assert project_index(str(project), paths, store).callers("run") == ("b.py",)


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :]


def test_a_store_of_another_project_is_passed_over(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.py").write_text("run(1)")
    store = str(tmp_path / "one")
    project_index(str(project), ["a.py"], store)
    assert project_index(str(other), ["a.py"], store).callers("ask") == ()


def test_a_store_that_cannot_be_written_is_no_error(project: Path) -> None:
    (project.parent / "file").touch()
    store = str(project.parent / "file" / "calls" / "x")
    assert project_index(str(project), ["a.py"], store).callers("ask") == ("a.py",)
    folder = project.parent / "folder"
    folder.mkdir()
    assert project_index(str(project), ["a.py"], str(folder)).callers("ask") == ("a.py",)
    assert sorted(path.name for path in project.parent.iterdir()) == ["file", "folder", "root"], "no partial file left"


def test_files_that_vanish_have_no_calls(project: Path) -> None:
    index = project_index(str(project), ["a.py", "gone.py"], None)
    assert index.callers("ask") == ("a.py",)


def test_names_that_are_not_utf8(project: Path) -> None:
    name = b"z\xff.py".decode("utf-8", "surrogateescape")
    (project / name).write_text("ask(1)")
    store = str(project.parent / "store")
    for _ in range(2):
        assert project_index(str(project), ["a.py", name], store).callers("ask") == ("a.py", name)


def test_long_runs_of_name_characters_take_linear_time() -> None:
    started = time.perf_counter()
    assert called_names(b"a" * 5_000_000 + b"(", notebook=True) == {b"a" * 5_000_000}
    called_names(b"(" * 2_000_000, notebook=False)
    assert time.perf_counter() - started < 5
