"""Work in two processes gives what one gives, and errors as one raises them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.pipeline import two_processes
from promptslim.pipeline.two_processes import in_two

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


@pytest.fixture(autouse=True, scope="module")
def _forks() -> Iterator[None]:
    """Other tests have started threads in this process; what is forked here takes no lock of theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(two_processes, "_can_fork", lambda: True)
        yield


@given(st.lists(st.tuples(st.integers(), st.integers(0, 100)), max_size=20))
def test_results_come_in_order(items: list[tuple[int, int]]) -> None:
    assert in_two(items, lambda some: [item * 2 for item in some]) == [item * 2 for item, _ in items]


def test_both_processes_work() -> None:
    pids = in_two([(number, 1) for number in range(10)], lambda some: [os.getpid() for _ in some])
    assert pids[:5] == [os.getpid()] * 5
    assert len(set(pids)) == 2


def test_large_answers_pass_through_the_pipe() -> None:
    texts = in_two([("x", 1)] * 4, lambda some: [item * 3_000_000 for item in some])
    assert [len(text) for text in texts] == [3_000_000] * 4


def test_an_error_in_the_copy_is_raised_here() -> None:
    def work(some: Sequence[int]) -> list[int]:
        if 3 in some:
            raise ValueError("three")
        return list(some)

    with pytest.raises(ValueError, match="three"):
        in_two([(number, 1) for number in range(4)], work)


def test_a_copy_that_dies_costs_only_time() -> None:
    here = os.getpid()

    def work(some: Sequence[int]) -> list[int]:
        if os.getpid() != here:
            os._exit(9)
        return list(some)

    assert in_two([(number, 1) for number in range(4)], work) == [0, 1, 2, 3]


def test_an_answer_that_cannot_be_pickled_costs_only_time() -> None:
    made = in_two([(number, 1) for number in range(2)], lambda some: [lambda number=item: number for item in some])
    assert [one() for one in made] == [0, 1]


def test_an_error_here_ends_the_copy() -> None:
    here = os.getpid()

    def work(some: Sequence[int]) -> list[int]:
        if os.getpid() == here:
            raise KeyboardInterrupt
        import time

        time.sleep(60)
        return list(some)

    with pytest.raises(KeyboardInterrupt):
        in_two([(number, 1) for number in range(2)], work)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_no_copy_is_made_of_a_process_with_threads() -> None:
    code = (
        "import threading, time; from promptslim.pipeline.two_processes import _can_fork; print(_can_fork());"
        "threading.Thread(target=time.sleep, args=(1,), daemon=True).start(); print(_can_fork())"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    alone = sys.platform == "linux" and (os.cpu_count() or 1) > 1
    assert done.stdout.split() == [str(alone), "False"]
