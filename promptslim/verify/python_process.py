"""Functions of Python files that a suite names, run in a process of their own."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

SECONDS = 60.0
"""Time for one answer: functions that need more hang."""


class PythonProcess:
    """Calls functions, one at a time, in the working directory. A function that hangs, or that ends its process, costs
    that process alone."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._folder = ""
        self._lock = threading.Lock()

    def ask(self, path: str, name: str, call: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a function gives: ``value``, ``other`` (the name of a type that is no grade) or ``error`` (what it
        raised). ``call`` has the answer's ``text`` and the ``context``; None: the function is loaded only."""
        with self._lock:
            request = json.dumps({"path": path, "name": name, **(call or {})}) + "\n"
            process = self._running()
            late = threading.Event()

            def stop() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(SECONDS, stop)
            timer.daemon = True
            timer.start()
            try:
                line = _exchange(process, request)
            finally:
                timer.cancel()
            if line:
                found: dict[str, Any] = json.loads(line)
                return found
            self.end()
            return {"error": f"took more than {SECONDS:g} seconds" if late.is_set() else "ended its process"}

    def _running(self) -> subprocess.Popen[str]:
        folder = os.getcwd()  # noqa: PTH109
        if folder != self._folder:
            self.end()
        if self._process is None or self._process.poll() is not None:
            self._folder = folder
            self._process = subprocess.Popen(
                [sys.executable, "-B", "-P", "-m", "promptslim.verify.python_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
            )
            atexit.register(self.end)
        return self._process

    def end(self) -> None:
        """End the process: what is called next is loaded anew."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()
        atexit.unregister(self.end)


def _exchange(process: subprocess.Popen[str], request: str) -> str:
    if process.stdin is None or process.stdout is None:
        return ""
    try:
        process.stdin.write(request)
        process.stdin.flush()
        return process.stdout.readline()
    except (OSError, ValueError):
        return ""


PROCESS = PythonProcess()
"""The one that graders share."""
