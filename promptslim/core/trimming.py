"""What a trim comes to."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal as Choice

from promptslim.core.call import LlmCall
from promptslim.core.levels import Basis
from promptslim.core.prompt import Prompt
from promptslim.core.record import record
from promptslim.core.result import FileError
from promptslim.core.text import Location

Level = Choice["safe", "unsafe", "proof"]
"""safe: the text differs only in trailing or repeated blank space outside code. unsafe: words, signs or layout differ.
proof: what goes may carry weight, so that only a proof unlocks it."""

LEVELS: tuple[Level, ...] = ("safe", "unsafe", "proof")


@record
class Made:
    """What one trimmer did to a prompt: its name, level, number of edits, and the tokens that they save."""

    trimmer: str
    title: str
    level: Level
    edits: int
    saves: int


@record
class TrimmedPrompt:
    """A prompt before and after. Tokens are of its fixed text, by ``basis``; dollars are per 1,000 uncached calls to
    ``model``, the dearest one with a price (None without), from ``source``."""

    before: Prompt
    after: Prompt
    tokens_before: int
    tokens_after: int
    basis: Basis
    model: str | None
    usd_before: Decimal | None
    usd_after: Decimal | None
    source: str | None
    made: tuple[Made, ...]


@record
class Trap:
    """A call whose cached prefix of ``before`` tokens shrinks to ``after``, under the ``minimum`` of its ``model``.

    The trim costs more than it saves from a share of cache hits of ``hit_rate`` on. ``visible`` is false where the
    prefix holds parts of unknown size, so that it may stay over the minimum; ``basis``: of the tokens. ``usd_hit`` is
    what 1,000 calls pay for the prefix today where all of them hit the cache, ``usd_after`` what they pay after the
    trim, both None without prices; ``prompts`` are the places (path, cell, offset) of the prompts in the prefix.
    ``observed`` is the share of hits that the usage file gives, ``usd_now`` what 1,000 calls pay for the prefix at it.
    """

    call: LlmCall
    model: str
    before: int
    after: int
    minimum: int
    hit_rate: Decimal
    visible: bool
    basis: Basis
    usd_hit: Decimal | None
    usd_after: Decimal | None
    source: str
    prompts: frozenset[tuple[str, int | None, int]]
    observed: Decimal | None = None
    usd_now: Decimal | None = None

    @property
    def certain(self) -> bool:
        """Whether the prefix surely falls under the minimum: all of it is seen, and its tokens are counted."""
        return self.visible and self.basis == "counted"

    @property
    def refused(self) -> bool:
        """Whether the trim is not to be made unless the loss is accepted: for all that is known it may make the call
        dearer. With parts of unknown size nothing is known, which is told and no more."""
        return self.visible and not self.pays

    @property
    def pays(self) -> bool:
        """Whether the usage file says that hits are so rare that the trim makes the call cheaper all the same."""
        return self.observed is not None and self.observed <= self.hit_rate


@record
class LeftOut:
    """An edit that was wanted and not made, and why."""

    place: Location
    title: str
    reason: str


@record
class NewText:
    """A file before and after, without byte order mark and with ``\\n`` line ends (a notebook: its JSON)."""

    path: str
    before: str
    after: str


@record
class TrimResult:
    """``prompts`` are those that get shorter, ``files`` the files that change. ``proved``: prompts that a proof holds
    as they are; ``unproved``: prompts with edits that need a proof and have none; ``traps``: calls whose
    cached prefix falls under the minimum, whose prompts are left as they are where ``refused``, unless the loss was
    accepted. ``over_target``: ids and
    tokens of prompts that stay over the target. ``errors``: files that could not be read."""

    prompts: tuple[TrimmedPrompt, ...]
    files: tuple[NewText, ...]
    proved: tuple[Prompt, ...] = ()
    unproved: tuple[Prompt, ...] = ()
    traps: tuple[Trap, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    over_target: tuple[tuple[str, int], ...] = ()
    errors: tuple[FileError, ...] = ()
