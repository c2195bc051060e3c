"""What a rule function is given besides its subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from promptslim.core.finding import Confidence, Finding, Impact, Related, Severity
from promptslim.core.record import field, record
from promptslim.core.values import Known

if TYPE_CHECKING:
    from datetime import date

    from promptslim.catalog import Catalog
    from promptslim.catalog.model_facts import ModelFacts
    from promptslim.catalog.rule_meta import RuleMeta
    from promptslim.config.settings import Settings
    from promptslim.core.call import LlmCall
    from promptslim.core.prompt import Prompt
    from promptslim.core.result import TokenCount
    from promptslim.core.text import Fix, Location
    from promptslim.tokens.counter import Counter

UNKNOWN_TOKENIZER = "unknown"


@record
class RunContext:
    """What all rules of a run share. ``counter`` is called on the first count only: loading vocabularies
    is dear, and most runs need none. ``today`` is passed in, so that a run is a function of its input.
    ``calls`` are the calls of all files of the run by id."""

    catalog: Catalog
    settings: Settings
    today: date
    counter: Callable[[], Counter]
    calls: Mapping[str, LlmCall] = field(default_factory=dict)


@record
class RuleContext:
    """One rule in one run: its page's facts, its options (page defaults under the user's values), and
    what it needs to look things up and to speak."""

    meta: RuleMeta
    options: Mapping[str, object]
    run: RunContext

    @property
    def catalog(self) -> Catalog:
        """Models, thresholds, phrases and signatures."""
        return self.run.catalog

    @property
    def settings(self) -> Settings:
        """The resolved configuration of the run."""
        return self.run.settings

    @property
    def today(self) -> date:
        """The date that the run takes for today."""
        return self.run.today

    def model(self, model_id: str | None) -> ModelFacts | None:
        """Facts of a model id as written; None for an id that the tables do not hold, or for no id."""
        return None if model_id is None else self.run.catalog.model(model_id)

    def users(self, prompt: Prompt) -> tuple[LlmCall, ...]:
        """The calls that send a prompt, as far as they are among the files of the run."""
        return tuple(self.run.calls[user] for user in prompt.used_by if user in self.run.calls)

    def count(self, text: str, model: ModelFacts | None) -> TokenCount:
        """Tokens of ``text``; without a model, an estimate whose band covers the known families."""
        return self.run.counter().count(text, model.tokenizer if model else UNKNOWN_TOKENIZER)

    def over(self, text: str, model: ModelFacts | None, threshold: int) -> bool:
        """True where the whole band of the count lies above ``threshold`` tokens."""
        return self.run.counter().over(text, model.tokenizer if model else UNKNOWN_TOKENIZER, threshold)

    def finding(
        self,
        message: str,
        primary: Location,
        *,
        evidence: str,
        call: LlmCall | None = None,
        prompt: Prompt | None = None,
        confidence: Confidence | None = None,
        severity: Severity | None = None,
        related: Iterable[Related] = (),
        impact: Impact | None = None,
        fixes: Iterable[Fix] = (),
        size: int | None = None,
    ) -> Finding:
        """A finding of this rule. Scope, SDK and model come from ``call`` (scope from ``prompt`` where no
        call is given); severity and confidence are the page's unless stated. ``evidence`` enters the
        fingerprint: qualified scope and callee, or the offending sentence, never a line number. ``size``
        in tokens is what a baseline holds the finding to, where that is not its impact."""
        subject = call or prompt
        model = call.model.only if call else None
        return Finding(
            code=self.meta.code,
            name=self.meta.name,
            severity=severity or self.meta.severity,
            confidence=confidence or self.meta.confidence,
            message=message,
            primary=primary,
            evidence=evidence,
            scope=(subject.scope or None) if subject else None,
            scope_location=_scope_location(call),
            sdk=call.sdk if call else None,
            model=model.value if isinstance(model, Known) else None,
            related=tuple(related),
            impact=impact or Impact(),
            fixes=tuple(fixes),
            content=_content(self.meta, prompt),
            size=size,
        )


def _content(meta: RuleMeta, prompt: Prompt | None) -> str:
    if prompt is None:
        return ""
    from promptslim.check.fingerprint import digest, normalised

    return digest(meta.code, normalised(prompt.static_text))


def _scope_location(call: LlmCall | None) -> Location | None:
    if call is None or call.scope_span is None:
        return None
    return type(call.location)(call.location.document, call.scope_span)
