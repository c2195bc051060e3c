"""The journal of a run: what was sent and what came back, so that a run that was killed goes on where it was.

A JSON Lines file. Each line is on the disk before what follows it happens: a line before a request is sent, one after
its answer has come. After a kill at most the requests in flight are sent again, and the journal tells how many those
are and what they may have cost. The first line names the run; another run's journal is refused.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

from promptslim.core.record import record, replace
from promptslim.verify.answer import Answer
from promptslim.verify.answer_data import from_data, to_data
from promptslim.verify.budget import Budget

VERSION = 2
_HEAD = b'{"promptslim_journal": '


class JournalError(Exception):
    """A journal that cannot be used. The message is one line: file, line, what is wrong, what to do."""


@record
class BatchJob:
    """A batch job that has not been taken to its end: the keys of its records in their order, its ARN (empty: it may
    not have been started), and the keys whose answers are here."""

    name: str
    model: str
    keys: tuple[str, ...]
    arn: str = ""
    taken: frozenset[str] = frozenset()


@record
class Earlier:
    """What a journal says of the run so far. ``answers`` by key; ``attempts`` that were made, by key; ``calls`` are all
    attempts, ``usd`` what they cost (those of unknown outcome taken at the most they can), ``unpriced`` how many have
    no known price; ``lost`` how many were in flight at a kill. ``jobs``: batch jobs whose answers are not all here."""

    answers: Mapping[str, Answer]
    attempts: Mapping[str, int]
    calls: int
    usd: Decimal
    unpriced: int
    lost: int
    jobs: tuple[BatchJob, ...]


class Journal:
    """An open journal. For several threads of one process; a second process is refused."""

    def __init__(self, path: str, run: str) -> None:
        """Open or make the journal at ``path`` of the run named ``run``. Raises JournalError."""
        self.path = path
        self._lock = threading.Lock()
        self._failed: str | None = None
        self._counted = False
        try:
            os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)  # noqa: PTH100, PTH103, PTH120
            self._file: BinaryIO = open(path, "a+b")  # noqa: PTH123, SIM115 (closed by close)
        except OSError as error:
            raise JournalError(
                f"{path}: cannot be opened: {error.strerror}; name another file for the journal"
            ) from None
        try:
            _lock_file(self._file, path)
            lines = self._lines()
            if lines:
                self._check_head(lines[0], run)
            else:
                self._write({"promptslim_journal": VERSION, "run": run})
            self.earlier = _read(lines[1:], path)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        # Every line was flushed, or has failed and was told: what is left in the buffer is that line.
        with suppress(OSError):
            self._file.close()

    def count_into(self, budget: Budget) -> None:
        """Add what earlier parts of the run did to a budget, the first time that this is asked for."""
        if not self._counted:
            self._counted = True
            budget.take_over(self.earlier.calls, self.earlier.usd, self.earlier.unpriced)

    def begin(self, key: str, most: Decimal | None) -> None:
        """An attempt is about to be sent that can cost ``most``. Raises JournalError."""
        self._write({"begin": key, "most": None if most is None else str(most)})

    def fail(self, key: str, kind: str, message: str, usd: Decimal | None) -> None:
        """An attempt has failed, and is taken to cost ``usd``. Raises JournalError."""
        self._write({"fail": key, "kind": kind, "message": message, "usd": None if usd is None else str(usd)})

    def done(self, key: str, answer: Answer, usd: Decimal | None) -> None:
        """An attempt, which cost ``usd``, gave an answer. Raises JournalError."""
        self._write({"done": key, "usd": None if usd is None else str(usd), "answer": to_data(answer)})

    def took(self, key: str, answer: Answer, usd: Decimal | None) -> None:
        """A batch job, not an attempt of its own, gave an answer. Raises JournalError."""
        self._write({"took": key, "usd": None if usd is None else str(usd), "answer": to_data(answer)})

    def missed(self, key: str, kind: str, message: str) -> None:
        """A batch job gave no answer. Raises JournalError."""
        self._write({"missed": key, "kind": kind, "message": message})

    def job(self, name: str, model: str, keys: Sequence[str]) -> None:
        """A batch job of that name is about to be started. Raises JournalError."""
        self._write({"job": name, "model": model, "keys": list(keys)})

    def started(self, name: str, arn: str) -> None:
        """The batch job runs. Raises JournalError."""
        self._write({"started": name, "arn": arn})

    def ended(self, name: str, status: str) -> None:
        """The batch job has ended, and its answers are here. Raises JournalError."""
        self._write({"ended": name, "status": status})

    def _write(self, line: Mapping[str, Any]) -> None:
        data = json.dumps(line, ensure_ascii=True).encode() + b"\n"
        with self._lock:
            if self._failed:
                raise JournalError(self._failed)
            try:
                self._file.write(data)
                self._file.flush()
                os.fsync(self._file.fileno())
            except (OSError, ValueError) as error:
                # A torn line stays in the file; it is cut off when the journal is opened again.
                reason = getattr(error, "strerror", None) or error
                self._failed = f"{self.path}: cannot be written: {reason}; make room, then run again to go on"
                raise JournalError(self._failed) from None

    def _lines(self) -> list[Any]:
        self._file.seek(0)
        data = self._file.read()
        whole, _, torn = data.rpartition(b"\n")
        if torn and not whole and not _HEAD.startswith(torn[: len(_HEAD)]):
            raise JournalError(f"{self.path}:1: not a journal; choose another file")
        if torn:
            # A kill or a full disk in the middle of a line: what it was about counts as not written.
            self._file.truncate(len(data) - len(torn))
        found = []
        for number, line in enumerate(whole.split(b"\n") if whole else (), 1):
            try:
                value = json.loads(line)
            except ValueError:
                value = None
            if not isinstance(value, dict):
                raise JournalError(f"{self.path}:{number}: not a line of a journal; delete the file to start anew")
            found.append(value)
        return found

    def _check_head(self, head: Mapping[str, Any], run: str) -> None:
        if head.get("promptslim_journal") != VERSION:
            raise JournalError(
                f"{self.path}:1: not a journal that this version reads; delete it or choose another file"
            )
        if head.get("run") != run:
            raise JournalError(
                f"{self.path}: the journal of another run (prompts, model, parameters or backend have changed); "
                "delete it or choose another file"
            )


def _lock_file(file: BinaryIO, path: str) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: the user has to see to it
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise JournalError(f"{path}: another process is writing it; wait for it to end") from None


def _read(lines: list[Any], path: str) -> Earlier:
    answers: dict[str, Answer] = {}
    attempts: Counter[str] = Counter()
    open_most: dict[str, list[Decimal | None]] = {}
    costs: list[Decimal | None] = []
    jobs: dict[str, BatchJob] = {}
    taken: set[str] = set()  # since the job of the key was started
    for number, line in enumerate(lines, 2):
        try:
            match line:
                case {"begin": str() as key, "most": most}:
                    attempts[key] += 1
                    open_most.setdefault(key, []).append(_usd(most))
                case {"fail": str() as key, "usd": usd}:
                    open_most[key].pop()
                    costs.append(_usd(usd))
                case {"done": str() as key, "usd": usd, "answer": dict() as answer}:
                    open_most[key].pop()
                    costs.append(_usd(usd))
                    answers[key] = from_data(answer)
                case {"took": str() as key, "usd": usd, "answer": dict() as answer}:
                    attempts[key] += 1
                    costs.append(_usd(usd))
                    answers[key] = from_data(answer)
                    taken.add(key)
                case {"missed": str() as key, "kind": str() as kind}:
                    attempts[key] += 1
                    costs.append(Decimal(0))
                    answers[key] = Answer("", error=kind)
                    taken.add(key)
                case {"job": str() as name, "model": str() as model, "keys": list() as keys}:
                    jobs[name] = BatchJob(name, model, tuple(map(str, keys)))
                    taken.difference_update(keys)
                case {"started": str() as name, "arn": str() as arn}:
                    jobs[name] = replace(jobs[name], arn=arn)
                case {"ended": str() as name}:
                    del jobs[name]
                case _:
                    raise KeyError
        except (KeyError, IndexError, TypeError, ValueError, ArithmeticError, AttributeError):
            raise JournalError(f"{path}:{number}: not a line of a journal; delete the file to start anew") from None
    lost = [most for left in open_most.values() for most in left]
    known = [usd for usd in (*costs, *lost) if usd is not None]
    unpriced = len(costs) + len(lost) - len(known)
    calls = sum(attempts.values())
    open_jobs = tuple(replace(one, taken=frozenset(taken.intersection(one.keys))) for one in jobs.values())
    return Earlier(answers, attempts, calls, sum(known, Decimal(0)), unpriced, len(lost), open_jobs)


def _usd(value: object) -> Decimal | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError("usd")
    found = Decimal(value)
    if not found.is_finite() or found < 0:
        raise InvalidOperation
    return found
