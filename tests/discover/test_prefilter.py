"""The byte prefilter."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.discover import prefilter as module
from promptslim.discover.prefilter import Prefilter, count_unread

WORDS = st.sampled_from([b"ab", b"ba", b"abc", b"c", b"aab"])
CONTENTS = st.lists(st.sampled_from([b"a", b"b", b"c", b"\n", b"\0"]), max_size=12).map(b"".join)


@given(st.lists(WORDS, max_size=3), st.lists(st.lists(WORDS, min_size=1, max_size=3), max_size=3), CONTENTS)
def test_any_marker_and_any_shape(markers: list[bytes], shapes: list[list[bytes]], data: bytes) -> None:
    expected = any(marker in data for marker in markers) and (
        not shapes or any(all(word in data for word in shape) for shape in shapes)
    )
    assert Prefilter(markers, shapes).may_call(data) == expected


@given(
    st.lists(WORDS, max_size=3),
    st.lists(st.lists(WORDS, min_size=1, max_size=2), max_size=2),
    st.lists(CONTENTS, max_size=8),
    st.integers(1, 20),
)
def test_many_files_at_once_give_the_same_as_one_by_one(
    markers: list[bytes], shapes: list[list[bytes]], contents: list[bytes], batch: int
) -> None:
    prefilter = Prefilter(markers, shapes)
    files = [(str(index), data) for index, data in enumerate(contents)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BATCH_BYTES", batch)
        assert list(prefilter.passing(files)) == [item for item in files if prefilter.may_call(item[1])]


def test_unread_languages_are_counted_by_suffix(tmp_path: Path) -> None:
    for name, text in (("a.ts", "anthropic"), ("b.TS", "x anthropic"), ("c.ts", "none"), ("d.go", "anthropic")):
        (tmp_path / name).write_text(text)
    paths = [str(tmp_path / name) for name in ("a.ts", "b.TS", "c.ts", "d.go", "gone.ts")]
    assert count_unread(paths, Prefilter([b"anthropic"], [[b"never there"]])) == ((".go", 1), (".ts", 2))


def test_the_cost_of_unread_languages_is_bounded() -> None:
    asked: list[int] = []

    def read(path: str, limit: int) -> bytes:
        asked.append(limit)
        return b"x" * limit

    assert count_unread((f"{n}.ts" for n in range(10_000)), Prefilter([b"anthropic"]), read) == ()
    assert sum(asked) <= 101_000_000
