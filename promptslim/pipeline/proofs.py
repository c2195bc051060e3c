"""Reading ``promptslim.lock`` and the files that its proofs rest on."""

# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from promptslim.check.data_meaning import data_meaning
from promptslim.check.proof_states import Looked, proof_states
from promptslim.config.error import ConfigError
from promptslim.core.text import Document
from promptslim.discover.shown_path import shown_path
from promptslim.pipeline.run import LOCK
from promptslim.proof.lock import Entry
from promptslim.proof.recompute import Demands, Surroundings

if TYPE_CHECKING:
    from promptslim.catalog import Catalog
    from promptslim.core.facts import FileFacts
    from promptslim.core.proof_state import ProofState
    from promptslim.discover.project import Instead, Observation
    from promptslim.pipeline.run import Place

RULE = ("invalid-proof", "PS702")
KEYS = "signing-keys"


def lock_path(place: Place) -> str:
    """The absolute path of the lock: beside the config file, else in the working directory."""
    return os.path.join(place.settings.base, LOCK)


def proofs_of(
    place: Place,
    facts: Sequence[FileFacts],
    paths: Collection[str],
    whole: bool,
    catalog: Catalog,
    today: date,
    asked: Observation,
    instead: Instead | None = None,
) -> tuple[ProofState, ...]:
    """The state of the proofs of a project. ``asked`` takes down what is read for it, and what is missing. ``instead``
    gives files another content than they have on disk. Raises ConfigError for signing keys that cannot be used."""
    base, cwd = place.settings.base, place.cwd
    earlier = instead or {}

    def content(full: str) -> bytes | None:
        path = shown_path(full, cwd)
        if path in earlier:
            return earlier[path]
        asked.misses.add(path)
        with open(full, "rb") as file:
            data = file.read()
        asked.misses.discard(path)
        asked.reads.add(path)
        return data

    shown = shown_path(lock_path(place), cwd)
    try:
        data = content(lock_path(place))
    except OSError as error:
        data = f"cannot be read: {error.strerror}".encode()
    if data is None:
        return ()
    text = data.decode("utf-8-sig", "replace")

    def covers(path: str) -> bool:
        full = os.path.normpath(os.path.join(base, path))
        shown = shown_path(full, cwd)
        there = os.path.lexists(full)
        (asked.reads if there else asked.misses).add(shown)
        return shown in paths or not there

    def label(name: str) -> str:
        path, mark, rest = name.partition("::")
        return shown_path(os.path.normpath(os.path.join(cwd, path)), base) + mark + rest if base != cwd else name

    looked = Looked(facts, whole, covers, label)
    return proof_states(
        Document(shown, text),
        looked,
        _surroundings(base, content, catalog, today),
        Demands(verify=_verifier(place, asked)),
    )


def _surroundings(base: str, content: Callable[[str], bytes | None], catalog: Catalog, today: date) -> Surroundings:
    def read(path: str) -> bytes | None:
        full = os.path.normpath(os.path.join(base, path))
        if not full.startswith(base.rstrip(os.sep) + os.sep):
            return None
        try:
            return content(full)
        except (OSError, ValueError):
            return None

    def ends(model: str) -> date | None:
        facts = catalog.model(model)
        return facts.lifecycle.end if facts and facts.lifecycle else None

    return Surroundings(today, read, catalog.base_of, data_meaning, ends)


def _verifier(place: Place, asked: Observation) -> Callable[[Entry], bool] | None:
    """What checks the signature of an entry, where the project names keys."""
    rules: Mapping[str, Mapping[str, Any]] = place.settings.rules
    names: Sequence[object] = next((rules[rule][KEYS] for rule in RULE if KEYS in rules.get(rule, {})), [])
    if not names:
        return None
    from promptslim.proof.signature import SignatureError, is_signed

    keys = []
    for name in names:
        path = os.path.join(place.settings.base, str(name))
        asked.reads.add(shown_path(path, place.cwd))
        try:
            with open(path, "rb") as file:
                keys.append(file.read())
        except OSError as error:
            raise ConfigError(f"[rules.{RULE[0]}]: the key {name!r} cannot be read: {error.strerror}") from None

    def verify(entry: Entry) -> bool:
        try:
            return is_signed(entry, keys)
        except SignatureError as error:
            raise ConfigError(f"[rules.{RULE[0]}]: {KEYS!r}: {error}") from None

    return verify
