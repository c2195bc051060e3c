"""The count cache: what it keeps, and what it survives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.config.cache_folder import cache_folder
from promptslim.tokens.cache import FILE_NAME, CountCache

ROOT = Path(__file__).resolve().parents[2]


def stored(path: Path, **counts: int) -> CountCache:
    cache = CountCache(str(path))
    for text, n in counts.items():
        cache.put(text, "claude-3", "1", n)
    cache.save()
    return cache


def test_a_count_comes_back_in_another_run(tmp_path):
    stored(tmp_path / "new" / "folder" / "c.bin", hello=3)
    again = CountCache(str(tmp_path / "new" / "folder" / "c.bin"))
    assert again.get("hello", "claude-3", "1") == 3


def test_text_tokenizer_and_version_all_count(tmp_path):
    cache = stored(tmp_path / "c.bin", hello=3)
    assert cache.get("hello ", "claude-3", "1") is None
    assert cache.get("hello", "claude-4.7", "1") is None
    assert cache.get("hello", "claude-3", "2") is None


def test_default_place_is_the_cache_folder():
    assert CountCache().path == str(Path(cache_folder(), FILE_NAME))


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_file_is_taken_for_empty(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "c.bin"
    stored(path, one=1, two=2, three=3)
    good = path.read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "insert"]))
    bad = {"flip": good[:at] + bytes([good[at] ^ 0x41]) + good[at + 1 :], "cut": good[:at]}.get(
        kind, good[:at] + b"?" + good[at:]
    )
    path.write_bytes(bad)
    cache = CountCache(str(path))
    assert cache.get("one", "claude-3", "1") is None
    cache.put("four", "claude-3", "1", 4)
    cache.save()
    assert CountCache(str(path)).get("four", "claude-3", "1") == 4


@given(st.binary(max_size=200))
@settings(max_examples=30)
def test_a_foreign_file_is_taken_for_empty(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("foreign") / "c.bin"
    path.write_bytes(content)
    assert CountCache(str(path)).get("one", "claude-3", "1") is None


def test_the_oldest_entries_go_first(tmp_path):
    path = tmp_path / "c.bin"
    for n in range(5):
        cache = CountCache(str(path), limit=3)
        cache.get("0", "k", "1")
        cache.put(str(n), "k", "1", n)
        cache.save()
    kept = CountCache(str(path))
    assert [kept.get(str(n), "k", "1") for n in range(5)] == [0, None, None, 3, 4]
    assert path.stat().st_size == CountCacheSize.of(3)


class CountCacheSize:
    @staticmethod
    def of(entries: int) -> int:
        return len(b"promptslim token counts 1\n") + 4 + 20 * entries


def test_two_users_of_one_file_keep_each_others_counts(tmp_path):
    path = tmp_path / "c.bin"
    first, second = CountCache(str(path)), CountCache(path)
    assert first.get("a", "k", "1") is None
    assert second.get("b", "k", "1") is None
    first.put("a", "k", "1", 1)
    second.put("b", "k", "1", 2)
    first.save()
    second.save()
    both = CountCache(str(path))
    assert (both.get("a", "k", "1"), both.get("b", "k", "1")) == (1, 2)


def test_processes_at_once_leave_a_whole_file(tmp_path):
    path = tmp_path / "c.bin"
    code = (
        "import sys; from pathlib import Path; from promptslim.tokens.cache import CountCache\n"
        "for i in range(30):\n"
        "    c = CountCache(sys.argv[1]); c.put(f'{sys.argv[2]}-{i}', 'k', '1', i); c.save()\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), name], cwd=ROOT) for name in "abc"]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert [file.name for file in tmp_path.iterdir()] == ["c.bin"]
    kept = CountCache(str(path))
    assert any(kept.get(f"{name}-29", "k", "1") == 29 for name in "abc")


def test_nothing_new_writes_nothing(tmp_path):
    stored(tmp_path / "c.bin", one=1)
    before = (tmp_path / "c.bin").stat().st_mtime_ns
    cache = CountCache(str(tmp_path / "c.bin"))
    assert cache.get("one", "claude-3", "1") == 1
    cache.save()
    assert (tmp_path / "c.bin").stat().st_mtime_ns == before


def test_a_place_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = stored(tmp_path / "file" / "c.bin", one=1)
    assert cache.get("one", "claude-3", "1") == 1


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "c.bin"
    stored(path, one=1)

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        stored(path, two=2)
    assert [file.name for file in tmp_path.iterdir()] == ["c.bin"]
    assert CountCache(str(path)).get("one", "claude-3", "1") == 1


@pytest.mark.parametrize("n", [-1, 2**32])
def test_a_count_that_does_not_fit_is_not_kept(tmp_path, n):
    assert stored(tmp_path / "c.bin", one=n).get("one", "claude-3", "1") is None
