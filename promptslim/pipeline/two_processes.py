"""Work on independent items in two processes, where the system can fork."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_two(items: Sequence[tuple[T, int]], work: Callable[[Sequence[T]], list[R]]) -> list[R]:
    """``work`` of all items (each with its weight), in their order: the first half of the weight in this
    process, the rest in a copy of it.

    ``work`` gives one result for each item, which can be pickled and depends on nothing else. Whatever goes
    wrong in the copy (or where there is none), this process does the rest too, so that errors are raised
    here.
    """
    here, there = _halves(items)
    if not there or not _can_fork():
        return work([*here, *there])
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(reader, writer, there, work)
    os.close(writer)
    try:
        done = work(here)
        with os.fdopen(reader, "rb") as pipe:
            answer = pipe.read()
    except BaseException:
        import signal

        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    _, status = os.waitpid(child, 0)
    rest: list[R] | None = _unpickled(answer) if status == 0 else None
    return [*done, *(work(there) if rest is None else rest)]


def _halves(items: Sequence[tuple[T, int]]) -> tuple[list[T], list[T]]:
    half = sum(weight for _, weight in items) / 2
    here: list[T] = []
    total = 0
    for item, weight in items:
        if here and total + weight / 2 > half:
            break
        here.append(item)
        total += weight
    return here, [item for item, _ in items[len(here) :]]


def _can_fork() -> bool:
    """Only on Linux, and only where there is one thread: a lock that another thread holds at that moment stays
    locked in the copy for ever. Threads of compiled libraries count too, which ``threading`` does not know."""
    if sys.platform != "linux" or (os.cpu_count() or 1) < 2:
        return False
    try:
        with os.scandir("/proc/self/task") as threads:
            return sum(1 for _ in threads) == 1
    except OSError:
        return False


def _answer(reader: int, writer: int, items: Sequence[T], work: Callable[[Sequence[T]], list[R]]) -> None:
    """The whole life of the copy: it leaves by ``_exit``, past everything that the original has set up."""
    code = 1
    try:
        import pickle

        os.close(reader)
        answer = pickle.dumps(work(items), protocol=5)
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(answer)
        code = 0
    finally:
        os._exit(code)


def _unpickled(answer: bytes) -> list[R] | None:
    import pickle

    try:
        results: list[R] = pickle.loads(answer)  # noqa: S301 (written by our own copy a moment ago)
    except Exception:  # noqa: BLE001 (whatever it is, the work is done again)
        return None
    return results
