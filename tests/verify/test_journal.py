"""The journal: what it keeps, torn lines, other runs, full disks."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.pricing.cost import Usage
from promptslim.verify.answer import Answer, ToolCall
from promptslim.verify.answer_data import from_data, to_data
from promptslim.verify.journal import BatchJob, Journal, JournalError

ANSWER = Answer("text", "end_turn", (ToolCall("f", {"a": [1]}),), 1.5, Decimal("0.01"), Usage(3, 4, 5, 6, 7), 2)


def write(path: Path) -> None:
    with Journal(str(path), "run") as journal:
        journal.begin("a", Decimal("0.10"))
        journal.fail("a", "timeout", "no answer", Decimal("0.10"))
        journal.begin("a", Decimal("0.10"))
        journal.done("a", ANSWER, Decimal("0.01"))
        journal.begin("b", Decimal("0.20"))
        journal.begin("c", None)
        journal.job("job-1", "m", ["x", "y"])
        journal.started("job-1", "arn:1")
        journal.took("x", ANSWER, Decimal(0))
        journal.job("job-2", "m", ["z"])
        journal.ended("job-2", "Failed")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write(tmp_path / "j")
    with Journal(str(tmp_path / "j"), "run") as journal:
        earlier = journal.earlier
    assert dict(earlier.answers) == {"a": ANSWER, "x": ANSWER}
    assert (earlier.calls, earlier.usd, earlier.unpriced, earlier.lost) == (5, Decimal("0.31"), 1, 2)
    assert dict(earlier.attempts) == {"a": 2, "b": 1, "c": 1, "x": 1}
    assert earlier.jobs == (BatchJob("job-1", "m", ("x", "y"), "arn:1", frozenset(["x"])),)


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1))
def test_a_journal_cut_anywhere_is_read_to_its_last_whole_line(
    share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "j"
    write(path)
    whole = path.read_bytes()
    cut = whole[: int(share * len(whole))]
    path.write_bytes(cut)
    with Journal(str(path), "run") as journal:
        earlier = journal.earlier
        journal.begin("d", Decimal(1))
    lines = cut.count(b"\n")
    assert ("a" in earlier.answers) == (lines >= 5)
    assert earlier.calls == sum(lines > before for before in (1, 3, 5, 6, 9))
    with Journal(str(path), "run") as journal:
        assert journal.earlier.attempts["d"] == 1


@given(
    answer=st.builds(
        Answer,
        st.text(),
        st.text(),
        st.lists(st.builds(ToolCall, st.text(), st.dictionaries(st.text(), st.integers()))).map(tuple),
        st.none() | st.floats(0, 1e6),
        st.none() | st.decimals(0, 100, places=9),
        st.none() | st.builds(Usage, *[st.integers(0, 10**9)] * 5),
        st.integers(1, 9),
    )
)
def test_any_answer_survives_as_data(answer: Answer) -> None:
    assert from_data(to_data(answer)) == answer


def test_journals_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "j"
    write(path)
    with pytest.raises(JournalError, match="of another run"):
        Journal(str(path), "other")
    with Journal(str(path), "run"), pytest.raises(JournalError, match="another process is writing it"):
        Journal(str(path), "run")
    lines = path.read_bytes().splitlines(keepends=True)
    for bad in (
        b"nonsense\n",
        b'{"done": "x"}\n',
        b'{"fail": "never begun", "usd": null}\n',
        b"[1]\n",
        b'{"begin": 1}\n',
    ):
        path.write_bytes(b"".join([lines[0], bad, *lines[1:]]))
        with pytest.raises(JournalError, match=":2: not a line of a journal; delete the file to start anew"):
            Journal(str(path), "run")
    path.write_bytes(b'{"a": 1}\n')
    with pytest.raises(JournalError, match=":1: not a journal"):
        Journal(str(path), "run")
    for text in (b"notes of mine", b"one line\n"):
        path.write_bytes(text)
        with pytest.raises(JournalError, match=":1: not a"):
            Journal(str(path), "run")
        assert path.read_bytes() == text, "a file of another kind is left as it is"
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(str(tmp_path), "run")


FULL = """
import resource, sys
from decimal import Decimal
from promptslim.verify.journal import BatchJob, Journal, JournalError
with Journal(sys.argv[1], "run") as journal:
    journal.begin("a", Decimal(1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (140, 140))
    for _ in range(2):
        try:
            journal.begin("b" * 200, Decimal(1))
        except JournalError as error:
            print(error)
"""


def test_a_disk_without_room_is_told_in_one_line_and_the_torn_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "j"
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, timeout=60)
    lines = done.stdout.splitlines()
    assert lines == [f"{path}: cannot be written: File too large; make room, then run again to go on"] * 2, done.stderr
    assert not path.read_bytes().endswith(b"\n")
    with Journal(str(path), "run") as journal:
        assert journal.earlier.attempts == {"a": 1}
        journal.begin("c", None)
    with Journal(str(path), "run") as journal:
        assert journal.earlier.attempts == {"a": 1, "c": 1}
