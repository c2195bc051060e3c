"""The project around a suite: its files, its lock, the two prompts, the model."""

# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from promptslim.core.record import replace
from promptslim.pipeline.run import Place, Run, analyse, catalog_of
from promptslim.proof.lock import LOCK_NAME, Lock, read_lock
from promptslim.verify.code_settings import code_parameters
from promptslim.verify.compared import Chosen, Compared, Prompts
from promptslim.verify.suite import Model, Suite, SuiteError, read_suite

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.verify.proving import Prepared


class Project:
    """A project, seen from the folder of its lock, which is the working directory of ``place``; ``path`` is that of
    the suite from there, empty where there is none."""

    def __init__(self, place: Place, path: str = "") -> None:
        self.place = place
        self.run: Run = analyse(["."], place)
        self.catalog = catalog_of(place)
        self.path = path

    def read(self, path: str) -> bytes | None:
        """The bytes of a file by its path from the folder of the lock; None where there is none, or it lies outside."""
        full = os.path.normpath(os.path.join(self.place.cwd, path))
        if not full.startswith(self.place.cwd.rstrip(os.sep) + os.sep):
            return None
        try:
            with open(full, "rb") as file:
                return file.read()
        except (OSError, ValueError):
            return None

    def suite(self) -> Suite:
        """The suite. Raises SuiteError."""
        return read_suite(self.path, self.read)

    def lock(self) -> Lock:
        """The lock as it is, empty where there is none. Raises ProofFileError for a broken one."""
        data = self.read(LOCK_NAME)
        return Lock() if data is None else read_lock(data.decode("utf-8-sig", "replace"))

    def alone(self, suite: Suite, chosen: Chosen) -> Compared:
        """The original in the place of both prompts, to plan with. Raises SuiteError."""
        return Prompts(suite, self.read, self.run).alone(chosen)

    def compared(self, suite: Suite, chosen: Chosen, base: str | None = None) -> Compared:
        """The two prompts; ``base``: the commit that has the original one. Raises SuiteError, and NoShorterPromptError
        where there is none yet."""
        from promptslim.verify.candidate import trimmed

        earlier = None
        if base is not None:
            from promptslim.discover.git_changes import changes_since

            earlier = analyse(["."], self.place, instead=changes_since(base, self.place.cwd).before)
        prompts = Prompts(suite, self.read, self.run, earlier)
        found = prompts.compared(chosen, lambda prompt: trimmed(prompt, suite, self.run))
        if not found.changed:
            raise SuiteError(suite.path, None, f"{found.id}: both prompts are the same; there is nothing to prove")
        return found

    def model(self, suite: Suite, compared: Compared, named: str | None = None) -> Model:
        """The model with the parameters of the requests: those of the suite, and what it leaves out those of the code.
        ``named``: a model id instead of that of the suite or the code. Raises SuiteError where none says which."""
        known = [one for call in compared.calls for one in call.model.known()]
        listed = suite.models
        chosen = next((one for one in listed if named in (None, one.id)), None)
        if chosen is None:
            name = named or next(iter(dict.fromkeys(known)), None)
            if name is None:
                message = "which model is not said; add model: to the suite, or give --model"
                raise SuiteError(suite.path, None, message)
            chosen = Model(name, parameters=listed[0].parameters if listed else suite.parameters)
        own = self.catalog.base_of(chosen.id) in {self.catalog.base_of(one) for one in known}
        return replace(chosen, parameters={**code_parameters(compared.calls, own), **chosen.parameters})

    def facts(self, model: str, route: str | None = None) -> ModelFacts | None:
        """What is known of a model."""
        return self.catalog.model(model, route=route)

    def prepared(self, suite: Suite, compared: Compared, model: Model, lock: Lock, searched: int = 0) -> Prepared:
        """The run. ``searched``: how many candidates a search has tried on the other items. Raises SuiteError."""
        from promptslim.verify.proving import prepared

        return prepared(suite, compared, model, self.catalog.base_of, lock, self.read, searched=searched)
