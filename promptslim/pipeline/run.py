"""The stages put together: paths to facts, and facts to findings or an inventory.

Both the command line and the Python API come through here.
"""

# pathlib costs more start-up time than everything in this module.
# ruff: noqa: PTH100, PTH118

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from promptslim.core.record import field, record, replace
from promptslim.core.result import FileError
from promptslim.pipeline.gate import OTHER_LANGUAGES, gate

if TYPE_CHECKING:
    from datetime import date
    from os import PathLike

    from promptslim.catalog import Catalog
    from promptslim.check.baseline import Entry
    from promptslim.check.engine import Outcome, Plan
    from promptslim.check.rule_context import RunContext
    from promptslim.config.settings import Settings
    from promptslim.core.facts import FileFacts
    from promptslim.core.proof_state import ProofState
    from promptslim.core.result import Inventory, TokenCount
    from promptslim.core.text import Location
    from promptslim.discover.paths import Discovered
    from promptslim.discover.project import Instead, Observation

STDIN_NAME = "stdin.py"
LOCK = "promptslim.lock"
"""As in ``proof.lock``, which is not loaded where there is no such file."""

PROOFS = "proofs"
"""Stands for a root, which is absolute, in what was asked for."""

Progress = Callable[[int, int], None]


@record
class Place:
    """Settings and the absolute folder to which paths are relative."""

    cwd: str
    settings: Settings


@record
class Stdin:
    """A file that comes from standard input: the path that it stands for, and its bytes."""

    path: str
    data: bytes


@record
class Run:
    """What was found in the files of a run. ``copies`` maps a path to the first with the same content, where
    there is one and the user did not name the path; ``unread`` and ``skipped`` as in ``Summary``. ``analysed``: how
    many files had something to analyse. ``asked``: what was asked of each project for them, by its root, and PROOFS.
    ``stdin``: the file that came from standard input."""

    place: Place
    catalog: Catalog
    today: date
    discovered: Discovered
    paths: frozenset[str]
    facts: tuple[FileFacts, ...]
    copies: Mapping[str, str]
    unread: tuple[tuple[str, int], ...]
    skipped: tuple[tuple[str, int], ...]
    proofs: tuple[ProofState, ...] = ()
    analysed: int = 0
    asked: Mapping[str, Observation] = field(default_factory=dict)
    stdin: Stdin | None = None


def place_of(cwd: str | PathLike[str] | None, isolated: bool, values: Mapping[str, object]) -> Place:
    """Settings for the Python API: the configuration around ``cwd`` under keyword ``values``.

    Raises ConfigError, also for an unknown key or a value of the wrong kind.
    """
    from promptslim.config.decode import Source, decode_options
    from promptslim.config.options import key_of
    from promptslim.config.settings import configure, resolve

    plain = {key_of(name): list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    folder = os.path.abspath(os.fspath(cwd) if cwd is not None else os.curdir)
    options = decode_options(plain, Source("keyword arguments", ""))
    return Place(folder, resolve(configure(folder, (), options, isolated)))


def discovered(paths: Sequence[str], place: Place) -> Discovered:
    """The files that the paths lead to. Raises PathError."""
    from promptslim.discover.kinds import CODE_SUFFIXES, UNREAD_SUFFIXES
    from promptslim.discover.paths import discover
    from promptslim.discover.walk import rules_of

    rules = rules_of(place.settings, CODE_SUFFIXES, UNREAD_SUFFIXES, prompts=True)
    return discover(paths or ["."], rules, place.cwd, place.settings.force_exclude)


def analyse(
    paths: Sequence[str],
    place: Place,
    today: date | None = None,
    stdin: Stdin | None = None,
    progress: Progress = lambda done, total: None,  # noqa: ARG005
    instead: Instead | None = None,
    found: Discovered | None = None,
) -> Run:
    """Find the files, and extract calls and prompts from those that may hold any.

    ``progress`` is called after each of these with how many are done and how many there are. ``instead`` gives
    files another content than they have on disk: that of an earlier commit. ``found``: the files, where they have
    been found already.
    Raises PathError for a path that does not exist and CatalogError for a broken data table. A file that
    cannot be read or parsed is no failure: its facts say so in ``errors``.
    """
    from promptslim.catalog import load
    from promptslim.discover.copies import originals
    from promptslim.discover.prefilter import Prefilter, count_unread

    catalog = load()
    found = found or discovered(paths, place)
    if instead:
        from promptslim.pipeline.earlier import files_of

        found = files_of(found, instead, place)
    reading = _Reading(found, place.cwd, instead or {})
    words = gate(catalog.sdks, place.settings.wrappers)
    survivors = dict(words.passing(reading))
    survivors.update(reading.suspicious(survivors))
    survivors.update(reading.prompts)
    if stdin is not None:
        survivors[stdin.path] = stdin.data
    facts = [unread(error) for error in reading.errors]
    asked: dict[str, Observation] = {}
    if survivors:
        from promptslim.pipeline.extracting import extract

        catalog = catalog_of(place)
        extracted, asked = extract(survivors, catalog, place.settings, place.cwd, progress, instead)
        facts += extracted
    copies = originals(survivors.items())
    skipped = dict(found.skipped)
    if reading.generated:
        skipped["generated"] = skipped.get("generated", 0) + len(reading.generated)
    unread = (os.path.join(place.cwd, path) for path in found.unread)
    paths_read = frozenset((*found.files, *survivors)) - reading.generated
    today = today or date_of_today()
    proofs: tuple[ProofState, ...] = ()
    if os.path.lexists(os.path.join(place.settings.base, LOCK)):
        from promptslim.discover.project import Observation
        from promptslim.pipeline.proofs import proofs_of

        read = Observation()
        proofs = proofs_of(place, facts, paths_read, found.whole, catalog, today, read, instead)
        asked[PROOFS] = read
    return Run(
        place=place,
        catalog=catalog,
        today=today,
        discovered=found,
        paths=paths_read,
        facts=tuple(sorted(facts, key=lambda one: one.path)),
        copies={path: first for path, first in copies.items() if path != first and path not in found.given},
        unread=count_unread(unread, Prefilter(OTHER_LANGUAGES)),
        skipped=tuple(sorted(skipped.items())),
        proofs=proofs,
        analysed=len(facts),
        asked=asked,
        stdin=stdin,
    )


def unread(error: FileError) -> FileFacts:
    """What is known of a file that could not be read."""
    from promptslim.core.facts import FileFacts
    from promptslim.core.text import Document

    return FileFacts(error.path, (Document(error.path, ""),), errors=(error,))


def date_of_today() -> date:
    """The date by the system's clock."""
    from datetime import date

    return date.today()


def catalog_of(place: Place) -> Catalog:
    """The catalog with the user's models, tables and prices in it. Raises CatalogError and PriceFileError."""
    from promptslim.catalog import load
    from promptslim.pricing.user_catalog import user_catalog

    return user_catalog(load(), place.settings, place.cwd)


class _Reading:
    """Reads files one after the other; keeps what went wrong, what turned out to be generated, and the prompt files,
    which no word has to speak for."""

    def __init__(self, found: Discovered, cwd: str, instead: Instead) -> None:
        self._found = found
        self._instead = instead
        self._cwd = cwd
        self._plain: dict[str, bytes] = {}
        self.errors = list(found.errors)
        self.generated: set[str] = set()
        self.prompts: dict[str, bytes] = {}

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        from promptslim.discover.reading import limit_of, read_bytes

        given = self._found.given
        for path in self._found.files:
            try:
                data = self._instead.get(path)
                if data is None:
                    data = read_bytes(f"{self._cwd}/{path}", limit_of(path))
            except OSError as error:
                self.errors.append(FileError(path, None, f"cannot be read: {error.strerror or error}"))
                continue
            if path in self._found.prompts:
                self.prompts[path] = data
                continue
            if path in given or data.startswith((b"\xff\xfe", b"\xfe\xff")):
                self._plain[path] = data
            yield path, data

    def suspicious(self, survivors: dict[str, bytes]) -> dict[str, bytes]:
        """Drop generated files from ``survivors``, and give the files that are to be looked at although no word
        speaks for it: those in UTF-16, and those named by the user that do not parse."""
        from promptslim.discover.left_out import is_generated

        for path, data in list(survivors.items()):
            if path.endswith(".py") and path not in self._found.given and is_generated(data):
                self.generated.add(path)
                del survivors[path]
        return {path: data for path, data in self._plain.items() if path not in survivors and not _parses(path, data)}


def _parses(path: str, data: bytes) -> bool:
    """Whether a file is Python source without an error. 0x400 asks for the syntax tree, without ``ast``."""
    if not path.endswith(".py"):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, path, "exec", flags=0x400, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def check(run: Run, baseline: tuple[Entry, ...] | None = None) -> Outcome:
    """Run the selected rules over the facts of a run. Raises ConfigError for a rule that does not exist."""
    from promptslim.check import engine
    from promptslim.pipeline.counting import Counting

    counting = Counting(run.place.settings, run.place.cwd, precise=False)

    def context() -> RunContext:
        from promptslim.check.rule_context import RunContext

        return RunContext(run.catalog, run.place.settings, run.today, counting.counter)

    outcome = engine.check(run.facts, run.paths, context, _plan(run, baseline))
    counting.save()
    summary = replace(outcome.result.summary, unread=run.unread, skipped=run.skipped)
    return replace(outcome, result=replace(outcome.result, summary=summary))


def _plan(run: Run, baseline: tuple[Entry, ...] | None) -> Plan:
    from promptslim.check.engine import Plan
    from promptslim.check.rule_options import rule_options
    from promptslim.config.file_ignores import FileIgnores
    from promptslim.config.selectors import selected

    place, rules, settings = run.place, run.catalog.rules, run.place.settings
    active = selected(rules, settings.select, settings.ignore, settings.extend_select)
    options = rule_options(rules, settings.rules)
    ignores = FileIgnores(settings, rules, place.cwd)
    return Plan(
        rules=tuple(rule for rule in rules if rule.code in active),
        codes={key: rule.code for rule in rules for key in (rule.code, rule.name)},
        options=lambda rule: options[rule.code],
        ignored_in=ignores.codes,
        min_confidence=settings.min_confidence,
        whole=run.discovered.whole,
        baseline=baseline,
        proofs=run.proofs,
        gone=lambda path: not os.path.lexists(f"{place.cwd}/{path}"),
    )


def inventory(run: Run) -> Inventory:
    """Every call and prompt of a run, with their sizes."""
    from promptslim.core.result import Inventory
    from promptslim.extract.definitions import definitions
    from promptslim.pipeline.counting import Counting
    from promptslim.pipeline.sizes import call_size, prompt_size

    calls = sorted((call for file in run.facts for call in file.calls), key=lambda call: _order(call.location))
    prompts = definitions(run.facts)
    by_id = {call.id: call for call in calls}
    users = [[by_id[user] for user in prompt.used_by if user in by_id] for prompt in prompts]
    counting = Counting(run.place.settings, run.place.cwd, precise=True)
    found = Inventory(
        calls=tuple(calls),
        prompts=prompts,
        errors=tuple(error for file in run.facts for error in file.errors),
        call_sizes=tuple(call_size(call, run.catalog, counting.counter) for call in calls),
        prompt_sizes=tuple(
            prompt_size(prompt, using, run.catalog, counting.counter)
            for prompt, using in zip(prompts, users, strict=True)
        ),
    )
    counting.save()
    return found


def count(text: str, model: str | None, place: Place) -> TokenCount:
    """Tokens of a text for a model id; an id that is not known counts as none."""
    from promptslim.pipeline.counting import Counting
    from promptslim.pipeline.sizes import UNKNOWN_TOKENIZER

    facts = catalog_of(place).model(model) if model else None
    counting = Counting(place.settings, place.cwd, precise=True)
    counted = counting.counter().count(text, facts.tokenizer if facts else UNKNOWN_TOKENIZER)
    counting.save()
    return counted


def _order(location: Location) -> tuple[str, int, int]:
    return location.path, -1 if location.cell is None else location.cell, location.span.start
