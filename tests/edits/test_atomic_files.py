"""Files are replaced whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from promptslim.edits.atomic_files import WriteError, replace_file, replace_files

OLD, NEW = b"old " * 3000, b"new! " * 3000
SCRIPT = """
import sys
from promptslim.edits.atomic_files import replace_files
folder, count = sys.argv[1], int(sys.argv[2])
old, new = b"old " * 3000, b"new! " * 3000
print("ready", flush=True)
replace_files({f"{folder}/{n}.py": (old, new) for n in range(count)})
"""


def lay_out(folder: Path, count: int) -> None:
    for number in range(count):
        (folder / f"{number}.py").write_bytes(OLD)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_are_written(tmp_path: Path) -> None:
    lay_out(tmp_path, 3)
    written, lines = replace_files({str(tmp_path / f"{n}.py"): (OLD, NEW) for n in range(3)})
    assert (len(written), lines) == (3, ())
    assert set(contents(tmp_path).values()) == {NEW}


@pytest.mark.parametrize("failing", ["fsync", "write", "chmod"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, at: int) -> None:
    lay_out(tmp_path, 3)
    calls = 0
    real = {"fsync": os.fsync, "chmod": os.chmod, "write": open}[failing]

    class Full:
        def __init__(self, file: object) -> None:
            self.file = file

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *exit: object) -> None:
            self.file.close()

        def write(self, data: bytes) -> int:
            self.file.write(data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")

    def fails(*arguments: object, **more: object) -> object:
        nonlocal calls
        if failing == "write" and (len(arguments) < 2 or arguments[1] != "wb"):
            return real(*arguments, **more)
        calls += 1
        if calls == at + 1:
            if failing == "write":
                return Full(real(*arguments, **more))
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments, **more)

    if failing == "write":
        monkeypatch.setattr("builtins.open", fails)
    else:
        monkeypatch.setattr(os, failing, fails)
    with pytest.raises(WriteError, match=r"No space left on device; no file was changed") as caught:
        replace_files({str(tmp_path / f"{n}.py"): (OLD, NEW) for n in range(3)})
    monkeypatch.undo()
    assert f"{at}.py" in str(caught.value)
    assert contents(tmp_path) == {f"{n}.py": OLD for n in range(3)}


def test_files_that_belong_together(tmp_path: Path) -> None:
    lay_out(tmp_path, 4)
    names = [str(tmp_path / f"{n}.py") for n in range(4)]
    (tmp_path / "0.py").unlink()
    groups = (frozenset(names[1:3]), frozenset(names[:2]))
    written, lines = replace_files(dict.fromkeys(names, (OLD, NEW)), groups)
    assert written == (names[3],)
    assert len(lines) == 3
    assert contents(tmp_path) == {"1.py": OLD, "2.py": OLD, "3.py": NEW}


def test_failing_replacement_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path, 3)
    real = os.replace

    def fails(source: str, target: str) -> None:
        if target.endswith("1.py"):
            raise OSError(errno.EIO, "Input/output error")
        real(source, target)

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(WriteError, match="1 of 3 files were written before"):
        replace_files({str(tmp_path / f"{n}.py"): (OLD, NEW) for n in range(3)})
    assert contents(tmp_path) == {"0.py": NEW, "1.py": OLD, "2.py": OLD}


def test_new_file(tmp_path: Path) -> None:
    replace_file(str(tmp_path / "a.toml"), "x = 'é'\n")
    assert (tmp_path / "a.toml").read_bytes() == "x = 'é'\n".encode()
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "a.toml").stat().st_mode & 0o777 == 0o666 & ~mask
    with pytest.raises(WriteError, match="choose another place"):
        replace_file(str(tmp_path / "no" / "a.toml"), "")


def test_one_file_stays_as_it_is_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    replace_file(str(path), b"old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space"):
        replace_file(str(path), b"new")
    assert contents(tmp_path) == {"file": b"old"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_killed_at_any_moment(tmp_path: Path, number: signal.Signals) -> None:
    chance = random.Random(number)
    count = 25
    partly = 0
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        lay_out(folder, count)
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(folder), str(count)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.03))
        process.send_signal(number)
        process.communicate(timeout=30)
        found = contents(folder)
        files = {name: data for name, data in found.items() if not name.startswith(".")}
        assert len(files) == count
        assert set(files.values()) <= {OLD, NEW}
        partly += set(files.values()) != {OLD}
        if number is not signal.SIGKILL:
            # A request to stop waits for the files: all or none, and nothing is left behind.
            assert len(found) == count
            assert len(set(files.values())) == 1
    assert partly <= 5


@pytest.mark.slow
def test_command_killed_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(7)
    call = 'client.converse(modelId="amazon.nova-lite-v1:0", messages=[], inferenceConfig={"maxTokens": 300})'
    before = f'import boto3\n\nclient = boto3.client("bedrock-runtime")\n{call}  # promptslim: ignore[PS101]\n'
    after = before.replace("  # promptslim: ignore[PS101]", "")
    for attempt in range(12):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        for number in range(20):
            (folder / f"{number}.py").write_text(before)
        process = subprocess.Popen(
            [sys.executable, "-m", "promptslim", "check", "--fix", "--no-cache"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.1, 1.0))
        process.send_signal(chance.choice([signal.SIGKILL, signal.SIGINT, signal.SIGTERM]))
        process.wait(timeout=60)
        files = {path.name: path.read_text() for path in folder.glob("*.py")}
        assert len(files) == 20
        assert set(files.values()) <= {before, after}
