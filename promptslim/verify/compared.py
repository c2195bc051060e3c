"""The two prompts that a run compares: the original, and the shorter one that shall take its place."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import TYPE_CHECKING

from promptslim.config.error import suggestion
from promptslim.core.prompt import Prompt
from promptslim.core.record import record, replace
from promptslim.extract.definitions import definitions
from promptslim.extract.files.prompt_files import analyse_prompt_file
from promptslim.proof.canonical import prompt_hash
from promptslim.proof.code_inputs import CodeInputs, code_inputs
from promptslim.proof.lock import LOCK_NAME
from promptslim.verify.filling import is_conversation
from promptslim.verify.suite import NoShorterPromptError, Read, Suite, SuiteError
from promptslim.verify.suite_files import PROGRAMS

if TYPE_CHECKING:
    from promptslim.core.call import LlmCall
    from promptslim.pipeline.run import Run

FILE = "file://"
Trim = Callable[[Prompt], Prompt]
"""The shorter form of a prompt of the project."""


@record
class Compared:
    """``id`` is the label of the proof and ``path`` the file of the prompt, relative to the lock. ``calls`` are the
    calls of the project that send it, ``code`` what they say (None for a prompt that is not in the project)."""

    id: str
    path: str
    before: Prompt
    after: Prompt
    calls: tuple[LlmCall, ...] = ()
    code: CodeInputs | None = None

    @property
    def changed(self) -> bool:
        """Whether the prompts differ in anything that a model reads."""
        return prompt_hash(self.before) != prompt_hash(self.after)


@record
class Chosen:
    """What the command line says of the prompts: names as in a suite, None where it says nothing."""

    before: str | None = None
    after: str | None = None


class _NoFiles:
    """Templates that are compared stand for themselves: nothing is included."""

    root = "."

    def text(self, path: str) -> str | None:  # noqa: ARG002 (the form of ProjectFiles)
        return None

    def exists(self, path: str) -> bool:  # noqa: ARG002
        return False

    def callers(self, name: str) -> tuple[str, ...]:  # noqa: ARG002
        return ()


class Prompts:
    """The prompts that a suite can name. Paths are relative to the folder of the lock."""

    def __init__(self, suite: Suite, read: Read, run: Run, earlier: Run | None = None) -> None:
        """``run`` is the project, ``earlier`` the project as it was."""
        self._suite, self._read = suite, read
        self._known = {one.id: one for one in definitions(run.facts)}
        self._earlier = None if earlier is None else {one.id: one for one in definitions(earlier.facts)}
        self._calls = {call.id: call for file in run.facts for call in file.calls}

    def compared(self, chosen: Chosen, trim: Trim) -> Compared:
        """The two prompts: those on the command line, else the first and second of the suite. With one prompt alone
        the original is that of the earlier project where there is one, and else the shorter one is what trimming
        gives. Raises SuiteError."""
        names = self._suite.prompts
        first = chosen.before or names[0]
        second = chosen.after or (names[1] if len(names) == 2 and chosen.before is None else None)
        if len(names) > 2 and (chosen.before is None or second is None):
            raise self._error(f"names {len(names)} prompts, and a proof compares two; choose with --before and --after")
        prompt = self.named(first, 1)
        if second is not None:
            return self._made(first, prompt, self.named(second, 2))
        if self._earlier is not None:
            before = self._earlier.get(prompt.id)
            if before is None:
                raise self._error(f"there was no prompt {prompt.id!r} in the commit; name the original with --before")
            return self._made(first, before, prompt)
        if prompt.id not in self._known:
            message = "names one prompt; add the shorter one under prompts, or name it with --after"
            raise NoShorterPromptError(self._suite.path, None, message)
        return self._made(first, prompt, trim(prompt))

    def alone(self, chosen: Chosen) -> Compared:
        """The original in the place of both prompts, to plan with while there is no shorter one."""
        first = chosen.before or self._suite.prompts[0]
        prompt = self.named(first, 1)
        return self._made(first, prompt, prompt)

    def call_of(self, prompt: Prompt) -> LlmCall | None:
        """The first call of the project that sends a prompt."""
        return next((self._calls[user] for user in prompt.used_by if user in self._calls), None)

    def known(self, name: str) -> Prompt:
        """A prompt of the project by its id, or of a file. Raises SuiteError for anything else."""
        if name in self._known or name.startswith(FILE):
            return self.named(name, 1)
        if self._read(posixpath.normpath(name)) is not None:
            return self.named(posixpath.normpath(name), 1)
        raise self._error(f"there is no prompt {name!r}; {suggestion(name, self._known, 'see promptslim inventory')}")

    def named(self, name: str, number: int) -> Prompt:
        """A prompt by its id in the project, its ``file://`` path, or its text. Raises SuiteError."""
        if name in self._known:
            return self._known[name]
        if name.startswith(FILE):
            return self._of_file(posixpath.normpath(posixpath.join(self._folder, name.removeprefix(FILE))), name)
        if "::" in name and not any(char.isspace() for char in name):
            hint = suggestion(name, self._known, "see promptslim inventory")
            raise self._error(f"there is no prompt {name!r} in the project; {hint}")
        if name == posixpath.normpath(name) and self._read(name) is not None:
            return self._of_file(name, name)
        found = analyse_prompt_file(f"{self._suite.path}::{number}.txt", name, _NoFiles()).prompts
        if not found:
            raise self._error(f"prompt {number} is empty")
        return replace(found[0], id=f"prompt {number} of {self._suite.path}")

    @property
    def _folder(self) -> str:
        return posixpath.dirname(self._suite.path) or "."

    def _of_file(self, path: str, name: str) -> Prompt:
        path, _, key = path.partition("::")
        if path.endswith(PROGRAMS) and not key:
            return self._of_program(path, name)
        data = self._read(path)
        if data is None:
            raise self._error(f"there is no file {name!r}")
        try:
            text = data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError:
            raise self._error(f"the prompt file {name!r} is not UTF-8") from None
        facts = analyse_prompt_file(path, text, _NoFiles())
        if facts.errors:
            raise SuiteError(path, facts.errors[0].line, facts.errors[0].message)
        found = [one for one in facts.prompts if not key or one.id.endswith(f"::{key}")]
        if len(found) != 1:
            ids = ", ".join(repr(one.id) for one in facts.prompts[:5]) or "none"
            raise self._error(f"{name!r} has to be one prompt; the file has {ids}")
        return self._known.get(found[0].id, found[0])

    def _of_program(self, path: str, name: str) -> Prompt:
        """The one prompt of a file of code. Raises SuiteError."""
        own = [one for one in self._known.values() if one.location.path == path]
        if len(own) == 1:
            return own[0]
        shown = ", ".join(one.id for one in own[:5]) + (", ..." if len(own) > 5 else "")
        has = f"with the prompts {shown}: name one of them" if own else "with no prompt that can be read"
        raise self._error(f"{name!r} is a program {has}")

    def _made(self, name: str, before: Prompt, after: Prompt) -> Compared:
        """The label is that of the prompt in the project, so that its proof is found again."""
        in_project = next((self._known[one.id] for one in (after, before) if one.id in self._known), None)
        label = before if in_project is None else in_project
        calls = tuple(self._calls[user] for user in label.used_by if user in self._calls)
        code = None if in_project is None else code_inputs(label, calls)
        text = in_project is None and not name.startswith(FILE) and self._read(name) is None
        path = self._suite.path if text else label.location.path
        if text and is_conversation(label):
            # No file has it as a prompt: it is made of one, which counts as part of the suite.
            path = LOCK_NAME
        return Compared(self._suite.path if text else label.id, path, before, after, calls, code)

    def _error(self, message: str) -> SuiteError:
        return SuiteError(self._suite.path, None, message)
