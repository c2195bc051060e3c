"""What the verify commands share: the folder of the lock, the suite, the prompts, the model, the backend."""

# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH100, PTH109, PTH113, PTH118

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Argument, Given, Option, Parameters
from promptslim.cli.session import Session
from promptslim.cli.settings_flags import CONFIGURATION, OUTPUT, configured

if TYPE_CHECKING:
    from promptslim.pipeline.run import Run
    from promptslim.proof.lock import Lock
    from promptslim.verify.compared import Compared
    from promptslim.verify.proving import Prepared
    from promptslim.verify.suite import Model, Suite

SUITE = Argument("suite", "The eval suite: YAML, JSON or TOML in promptfoo's words.", required=True)

PROMPTS: Parameters = (
    Option(("--before",), "The original prompt: its id in the code, file:// and a path, or a text.", "value", "PROMPT"),
    Option(("--after",), "The shorter prompt, named likewise; default: what promptslim trim gives.", "value", "PROMPT"),
    Option(("--base",), "Take the original prompt from this commit, the shorter one from the code.", "value", "REF"),
    Option(("--model",), "Model id, instead of that of the suite or the code.", "value", "MODEL"),
    Option(
        ("--searched",), "Candidates that a search has tried on the search items of this suite.", "value", metavar="N"
    ),
)

BACKEND: Parameters = (
    Option(
        ("--backend",),
        "Where answers come from: converse, converse_stream, invoke_model, openai, local, replay.",
        "value",
        "NAME",
    ),
    Option(("--region",), "AWS region, instead of that of the environment.", "value", "REGION"),
    Option(("--profile",), "AWS profile.", "value", "NAME"),
    Option(("--endpoint",), "URL of an OpenAI-compatible API.", "value", "URL"),
    Option(("--recording",), "Recorded answers for the backend replay.", "value", "FILE"),
    Option(("--weights",), "GGUF file of the local model.", "value", "FILE"),
    Option(("--batch",), "Ask by Bedrock batch inference, at batch prices; needs --role and --folder."),
    Option(("--role",), "ARN of the role that Bedrock takes for batch inference.", "value", "ARN"),
    Option(("--folder",), "Where batch inference reads and writes: s3://BUCKET/PREFIX.", "value", "S3URL"),
    Option(("--workers",), "Calls at a time (default 4).", "value", "N"),
)

SHARED: Parameters = (*CONFIGURATION, *OUTPUT)


class Project:
    """The project around a suite, with what the command line says of it."""

    def __init__(self, given: Given, suite_path: str | None) -> None:
        """Raises UsageError and ConfigError."""
        from promptslim.verify.project import Project as Verified

        self.given = given
        self.session = Session(given)
        gc.enable()  # a run of hours makes garbage that a check does not
        self.place = self.session.place
        self.inner = Verified(self.place, suite_path or "")
        self.run: Run = self.inner.run
        self.read, self.suite, self.lock, self.facts = (
            self.inner.read,
            self.inner.suite,
            self.inner.lock,
            self.inner.facts,
        )

    def compared(self, suite: Suite) -> Compared:
        """The two prompts. Raises SuiteError."""
        from promptslim.verify.compared import Chosen

        chosen = Chosen(self.given.value("before"), self.given.value("after"))
        return self.inner.compared(suite, chosen, self.given.value("base"))

    def to_plan(self, suite: Suite) -> Compared:
        """The two prompts, or the original in the place of both while there is no shorter one. Raises SuiteError."""
        from promptslim.verify.compared import Chosen
        from promptslim.verify.suite import NoShorterPromptError

        try:
            return self.compared(suite)
        except NoShorterPromptError:
            return self.inner.alone(suite, Chosen(self.given.value("before")))

    def model(self, suite: Suite, compared: Compared) -> Model:
        """The model with the parameters of the requests. Raises SuiteError."""
        return self.inner.model(suite, compared, self.given.value("model"))

    def prepared(self, suite: Suite, compared: Compared, model: Model, lock: Lock) -> Prepared:
        """The run. Raises SuiteError and UsageError."""
        return self.inner.prepared(suite, compared, model, lock, searched(self.given))


def searched(given: Given) -> int:
    """How many candidates a search has tried. Raises UsageError."""
    written = given.value("searched")
    return 0 if written is None else whole(written, "--searched")


@contextmanager
def project_of(given: Given, *paths: str) -> Iterator[tuple[Project, tuple[str, ...]]]:
    """The project, and the paths of the command line from the folder of its lock, which is the working directory
    meanwhile. What is wrong with suites, proofs and calls is raised as UsageError."""
    place, _ = configured(given)
    base, cwd = place.settings.base, os.getcwd()
    inside = tuple(_inside(os.path.join(cwd, path), base) for path in paths)
    config = given.listed("config")
    if config is not None:
        moved = tuple(os.path.abspath(one) if os.path.isfile(one) else one for one in config)
        given = Given({**given.values, "config": moved})
    os.chdir(base)
    try:
        yield _opened(given, inside), inside
    except _expected() as error:
        raise UsageError(str(error)) from None
    finally:
        os.chdir(cwd)


def _opened(given: Given, paths: tuple[str, ...]) -> Project:
    return Project(given, paths[0] if paths else None)


def _inside(full: str, base: str) -> str:
    path = os.path.relpath(os.path.realpath(full), os.path.realpath(base)).replace(os.sep, "/")
    if path.startswith("../"):
        raise UsageError(f"{full} lies outside of {base}, where promptslim.lock stands; move it inside")
    return path


def _expected() -> tuple[type[Exception], ...]:
    from promptslim.core.call_fault import CannotCallError
    from promptslim.proof.errors import ProofFileError
    from promptslim.proof.signature import SignatureError
    from promptslim.verify.budget import LimitReachedError, UnboundedCostError
    from promptslim.verify.filling import FillingError
    from promptslim.verify.journal import JournalError
    from promptslim.verify.request import ParameterError
    from promptslim.verify.suite import SuiteError
    from promptslim.verify.verification import KeyFileError

    return (
        CannotCallError,
        FillingError,
        JournalError,
        KeyFileError,
        LimitReachedError,
        ParameterError,
        ProofFileError,
        SignatureError,
        SuiteError,
        UnboundedCostError,
    )


def whole(text: str, flag: str) -> int:
    """A whole number from 1. Raises UsageError."""
    if not text.isdecimal() or not int(text):
        raise UsageError(f"{flag} {text!r} is not a whole number from 1")
    return int(text)


def absolute(given: Given, name: str) -> str | None:
    """A path of the command line, made before the working directory changes."""
    value = given.value(name)
    return None if value is None else os.path.abspath(value)


Told = Callable[[str], None]


STEP = 0.1
"""Seconds between two updates of the progress."""


class Live:
    """One line on a terminal's standard error that is written over and over."""

    def __init__(self, shown: bool) -> None:
        from time import monotonic

        self._shown = shown
        self._dirty = False
        self._clock = monotonic
        self._next = 0.0

    def __call__(self, text: str) -> None:
        """Show a text in place of the last, unless that is too new."""
        now = self._clock()
        if self._shown and now >= self._next:
            import sys

            self._dirty, self._next = True, now + STEP
            print(f"\r\x1b[Kpromptslim: {text}", end="", file=sys.stderr, flush=True)  # noqa: T201

    def clear(self) -> None:
        """Take the line away."""
        if self._dirty:
            import sys

            self._dirty = False
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)  # noqa: T201
