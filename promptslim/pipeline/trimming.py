"""Prompts to shorter prompts, in memory: offers of the trimmers as fixes, checked and read again."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from promptslim.check.cache_trap import by_id, place_of, traps
from promptslim.check.engine import Outcome
from promptslim.check.prompt_cost import model_of, priced_uses
from promptslim.check.prompt_text import is_material
from promptslim.check.rule_context import RuleContext, RunContext
from promptslim.core.finding import Finding
from promptslim.core.record import record, replace
from promptslim.core.result import CheckResult, Summary
from promptslim.core.text import Applicability, Fix
from promptslim.core.trimming import LEVELS, LeftOut, Level, Made, NewText, Trap, TrimmedPrompt, TrimResult
from promptslim.extract.definitions import definitions
from promptslim.pipeline.counting import Counting
from promptslim.pipeline.fixing import PROVED, Analyse, Fixing, fix_findings
from promptslim.pipeline.keeping_caches import usage_of
from promptslim.pipeline.proved_steps import is_proved_step, why_not_applied
from promptslim.structure.flat import flatten
from promptslim.trim.offers import Offer, Wanted, offers
from promptslim.trim.protection import protection
from promptslim.trim.saving import Scale, scale_for, shown
from promptslim.trim.tool_edits import same_but_for_wording

if TYPE_CHECKING:
    from promptslim.core.prompt import Prompt
    from promptslim.core.text import Location
    from promptslim.pipeline.run import Run

MOST_TRIES = 6
"""Passes, each without the prompts that may not be trimmed; a prompt drops out once per reason, with ``proved`` once
per level."""

PROVED_TITLE = "apply the text that is proved"

PROMPT_RULE = "wasted-whitespace"
"""Under whose name the trim looks up models and prices: it has none of its own."""


@record
class TrimRequest:
    """What is asked for. ``prompts``: ids, None for all. ``target``: stop at so many tokens per prompt.
    ``accept_cache_loss``: trim also where that makes a cached call dearer. ``proved_only``: edits that need a proof
    are made only where ``promptslim.lock`` has one for the very result. ``proved``: nothing else is made either."""

    level: Level = "safe"
    prompts: tuple[str, ...] | None = None
    target: int | None = None
    accept_cache_loss: bool = False
    proved_only: bool = False
    proved: bool = False


@record
class Trimming:
    """What trimming comes to, with the changed files as they are to be written. Nothing is written yet."""

    fixing: Fixing
    result: TrimResult


def trim(run: Run, request: TrimRequest, analyse: Analyse) -> Trimming:
    """Trim the prompts of a run, in memory."""
    return _Trimmer(run, request, analyse).result()


class _Trimmer:
    """One trim."""

    def __init__(self, run: Run, request: TrimRequest, analyse: Analyse) -> None:
        self.run, self.request, self.again = run, request, analyse
        self.counting = Counting(run.place.settings, run.place.cwd, precise=True)
        self.usage = usage_of(run)
        self.levels: dict[str, Level | None] = {}
        self.unlocked: set[tuple[str, int | None, int]] = set()
        self.offered: dict[int, tuple[Finding, str, Offer]] = {}
        self.scales: dict[str, Scale] = {}
        self.done: set[tuple[str, Level, str]] = set()

    def result(self) -> Trimming:
        """Try, and leave out what may not be."""
        found: tuple[Trap, ...] = ()
        held: list[Prompt] = []
        unproved: list[Prompt] = []
        for left in range(MOST_TRIES, 0, -1):
            if left == 1:  # prompts that share text keep each other from being trimmed
                self.levels = dict.fromkeys(prompt.id for prompt in definitions(self.run.facts))
            fixing = self.attempt()
            pairs = list(_pairs(definitions(self.run.facts), definitions(fixing.run.facts)))
            barred = {before.id for before, after in pairs if not self.unharmed(before, after)}
            trapped = self.traps(fixing)
            found = found or trapped
            if not self.request.accept_cache_loss:
                places = {place for trap in trapped if trap.refused for place in trap.prompts}
                barred |= {before.id for before, after in pairs if before != after and place_of(before) in places}
            self.levels |= dict.fromkeys(barred)
            made = self.made(fixing)
            lowered = [
                before
                for before, after in pairs
                if before.id not in barred and self.lacks_proof(before, after, made.get(before.id, ()))
            ]
            self.levels |= {before.id: self.milder(before) for before in lowered}
            held += [before for before in lowered if place_of(before) in self.unlocked]
            unproved += [before for before in lowered if place_of(before) not in self.unlocked]
            if not barred and not lowered:
                break
        self.counting.save()
        trimmed = tuple(
            self.trimmed(before, after, made.get(before.id, ()))
            for before, after in pairs
            if shown(before.parts) != shown(after.parts)
        )
        target = self.request.target
        return Trimming(
            fixing,
            TrimResult(
                prompts=trimmed,
                files=tuple(NewText(one.path, one.text_before, one.text_after) for one in fixing.changes),
                proved=self.held_back(fixing, held, trimmed),
                unproved=tuple({one.id: one for one in unproved}.values()),
                traps=found,
                left_out=(
                    *(
                        LeftOut(one.finding.primary, one.fix.title, one.reason)
                        for one in fixing.not_applied
                        if one.reason != PROVED
                    ),
                    *(self.proofs_not_applied(trimmed) if self.request.proved else ()),
                ),
                over_target=tuple(self.over(target, pairs, trimmed)) if target is not None else (),
                errors=tuple(error for file in self.run.facts for error in file.errors),
            ),
        )

    def held_back(self, fixing: Fixing, held: Iterable[Prompt], trimmed: Iterable[TrimmedPrompt]) -> tuple[Prompt, ...]:
        """The prompts that a proof holds as they are; what ``proved`` leaves is told with its reason instead."""
        if self.request.proved:
            return ()
        done = {place_of(one.before) for one in trimmed}
        found = (*_proved_prompts(fixing, definitions(self.run.facts)), *held)
        return tuple({place_of(one): one for one in found if place_of(one) not in done}.values())

    def over(
        self, target: int, pairs: Iterable[tuple[Prompt, Prompt]], trimmed: Sequence[TrimmedPrompt]
    ) -> Iterator[tuple[str, int]]:
        """Prompts that were to be trimmed and are still over the target."""
        left = {place_of(one.before): one.tokens_after for one in trimmed}
        for before, _ in pairs:
            scale = self.scales.get(before.id)
            if scale is None or (self.request.prompts is not None and before.id not in self.request.prompts):
                continue
            tokens = left.get(place_of(before), scale.count([shown(before.parts)])[0])
            if tokens > target:
                yield before.id, tokens

    def attempt(self) -> Fixing:
        """All offers that are allowed so far, applied in memory."""
        self.offered = {}
        run = self.without_proofs(self.run)
        return fix_findings(
            run,
            self.judge(run),
            Applicability.DISPLAY,
            lambda instead, paths: self.without_proofs(self.again(instead, paths)),
            self.judge,
        )

    def judge(self, run: Run) -> Outcome:
        """The offers for the prompts of a run, each as a finding with one fix."""
        rule = self.rule(run)
        findings: list[Finding] = []
        for prompt in definitions(run.facts):
            level = self.level_of(prompt)
            if level is None or prompt.role in ("assistant", "tool") or is_material(prompt):
                continue
            text = prompt.id, level, shown(prompt.parts)
            if text in self.done:
                continue
            model = model_of(prompt, rule)
            scale = scale_for(self.counting.counter(), model.tokenizer if model else None)
            self.scales[prompt.id] = scale
            wanted = Wanted(level, run.place.settings.keep)
            chosen = self.up_to_target(prompt, offers(prompt, run.catalog.phrases, wanted, scale.count), scale)
            if not chosen:
                self.done.add(text)
            for one in chosen:
                fix = Fix(one.title, one.edits, Applicability.DISPLAY, one.saves)
                found = rule.finding(one.title, prompt.primary, evidence=one.before, prompt=prompt, fixes=(fix,))
                self.offered[id(found)] = found, prompt.id, one
                findings.append(found)
        return Outcome(CheckResult(tuple(findings), (), Summary(0, 0, len(findings), 0, 0)), None, frozenset())

    def level_of(self, prompt: Prompt) -> Level | None:
        """How far a prompt may be trimmed, None: not at all."""
        if not self.asked(prompt) or (self.request.proved and _place(prompt.primary) not in self.proved_places()):
            return None
        return self.levels.get(prompt.id, self.request.level)

    def asked(self, prompt: Prompt) -> bool:
        """Whether a prompt is among those to be trimmed."""
        return self.request.prompts is None or prompt.id in self.request.prompts

    def up_to_target(self, prompt: Prompt, found: Sequence[Offer], scale: Scale) -> Sequence[Offer]:
        """As many offers as bring a prompt down to the target: the mildest first, of one level the largest."""
        target = self.request.target
        if target is None:
            return found
        left = scale.count([shown(prompt.parts)])[0]
        chosen: list[Offer] = []
        for one in sorted(found, key=lambda one: (("safe", "unsafe", "proof").index(one.level), -one.saves)):
            if left <= target:
                break
            chosen.append(one)
            left -= one.saves
        return chosen

    def unharmed(self, before: Prompt, after: Prompt) -> bool:
        """Whether a prompt as it is read from the changed files keeps everything protected; copies that are dropped
        were looked at one by one."""
        if self.level_of(before) == "proof" or shown(before.parts) == shown(after.parts):
            return True
        if before.shape == "tools":
            return same_but_for_wording(flatten(before.parts).text, flatten(after.parts).text)
        settings = self.run.place.settings
        guard = protection(before.shape, self.run.catalog.phrases, settings.keep)
        return guard.unharmed(before.parts, after.parts)

    def traps(self, fixing: Fixing) -> tuple[Trap, ...]:
        """The calls that the trim makes dearer."""
        calls = (call for file in self.run.facts for call in file.calls)
        now = (call for file in fixing.run.facts for call in file.calls)
        return traps(by_id(calls), by_id(now), self.rule(self.run), self.usage.hit_rate if self.usage else None)

    def made(self, fixing: Fixing) -> dict[str, list[Offer]]:
        """The offers that went in, by prompt."""
        found: dict[str, list[Offer]] = {}
        for one in fixing.fixed:
            _, prompt_id, offer = self.offered[id(one)]
            found.setdefault(prompt_id, []).append(offer)
        return found

    def lacks_proof(self, before: Prompt, after: Prompt, made: Iterable[Offer]) -> bool:
        """Whether a prompt would be changed beyond what a proof covers: by edits that need one, or away from the text
        that has one."""
        if shown(before.parts) == shown(after.parts):
            return False
        if place_of(before) in self.unlocked:
            return not is_proved_step(self.run, before, after)
        return self.request.proved_only and any(one.level == "proof" for one in made)

    def milder(self, before: Prompt) -> Level | None:
        """The next level to try where a result is not proved. Of a prompt with a proof nothing else may be made."""
        level = self.level_of(before) or "safe"
        if place_of(before) in self.unlocked:
            return LEVELS[LEVELS.index(level) - 1] if level != "safe" else None
        return "unsafe"

    def without_proofs(self, run: Run) -> Run:
        """A run in which no proof holds a prompt whose result may be the proved one."""
        if self.request.level != "proof":
            return run
        waiting = self.proved_places()
        unlocked = [
            prompt
            for prompt in definitions(self.run.facts)
            if _place(prompt.primary) in waiting and self.level_of(prompt) is not None
        ]
        self.unlocked = {place_of(prompt) for prompt in unlocked}
        free = {_place(prompt.primary) for prompt in unlocked}
        kept = tuple(one for one in run.proofs if one.prompt is None or _place(one.prompt) not in free)
        return replace(run, proofs=kept)

    def proved_places(self) -> set[tuple[str, int | None, int]]:
        """Where the prompts stand that have a valid proof."""
        return {_place(one.prompt) for one in self.run.proofs if one.status == "VALID" and one.prompt is not None}

    def proofs_not_applied(self, trimmed: Iterable[TrimmedPrompt]) -> Iterator[LeftOut]:
        """The proofs of the lock that were not applied, each with the reason."""
        done = {_place(one.before.primary) for one in trimmed}
        prompts = {_place(prompt.primary): prompt for prompt in definitions(self.run.facts)}
        for proof in self.run.proofs:
            place = _place(proof.prompt) if proof.prompt is not None else None
            prompt = prompts.get(place) if place is not None else None
            if place in done or (prompt is not None and not self.asked(prompt)):
                continue
            reason = (
                f"the proof of {proof.id} is {proof.status.lower()}: {proof.message}"
                if proof.status != "VALID" or prompt is None
                else why_not_applied(self.run, prompt)
            )
            if reason is not None:
                yield LeftOut(proof.prompt or proof.entry, PROVED_TITLE, reason)

    def rule(self, run: Run) -> RuleContext:
        """What looks up models and prices of prompts."""
        meta = run.catalog.rule(PROMPT_RULE)
        if meta is None:
            raise LookupError(PROMPT_RULE)
        calls = by_id(call for file in run.facts for call in file.calls)
        context = RunContext(run.catalog, run.place.settings, run.today, self.counting.counter, calls)
        return RuleContext(meta, {}, context)

    def trimmed(self, before: Prompt, after: Prompt, made: Sequence[Offer]) -> TrimmedPrompt:
        """The figures of a prompt."""
        from promptslim.pricing.cost import usd_per_1k
        from promptslim.pricing.rates import provenance

        rule = self.rule(self.run)
        scale = self.scales[before.id]
        counted = self.counting.counter().count(before.static_text, scale.key, precise=True).n
        model = model_of(before, rule)
        if scale.basis == "estimated":
            counted = rule.count(before.static_text, model).n
        left = max(counted - scale.saved(before.parts, after.parts), 0)
        priced = next(iter(priced_uses(before, rule)), None)
        rates = priced.model.rates if priced else None
        return TrimmedPrompt(
            before=before,
            after=after,
            tokens_before=counted,
            tokens_after=left,
            basis=scale.basis,
            model=priced.model.family if priced else model.family if model else None,
            usd_before=usd_per_1k(counted, rates) if rates else None,
            usd_after=usd_per_1k(left, rates) if rates else None,
            source=provenance(rates) if rates else None,
            made=tuple(_made(made)),
        )


def _made(done: Sequence[Offer]) -> Iterator[Made]:
    for name in dict.fromkeys(one.trimmer for one in done):
        own = [one for one in done if one.trimmer == name]
        yield Made(name, own[0].title, own[0].level, len(own), sum(one.saves for one in own))


def _pairs(before: Iterable[Prompt], after: Iterable[Prompt]) -> Iterator[tuple[Prompt, Prompt]]:
    """Prompts of the same name and role, in order among those of one name."""
    now = dict(_numbered(after))
    for key, prompt in _numbered(before):
        if key in now:
            yield prompt, now[key]


def _numbered(prompts: Iterable[Prompt]) -> Iterator[tuple[tuple[str, str, int], Prompt]]:
    seen: Tally[tuple[str, str]] = Tally()
    for prompt in prompts:
        key = (prompt.id, prompt.role)
        seen[key] += 1
        yield (*key, seen[key]), prompt


def _proved_prompts(fixing: Fixing, prompts: Iterable[Prompt]) -> Iterator[Prompt]:
    places = {_place(one.finding.primary) for one in fixing.not_applied if one.reason == PROVED}
    return (prompt for prompt in prompts if _place(prompt.primary) in places)


def _place(location: Location) -> tuple[str, int | None, int]:
    return location.path, location.cell, location.span.start
