"""What the server does with a request once it is read: limits, quota, cache, answer, counts."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from promptslim.catalog import Catalog, load
from promptslim.catalog.model_facts import ModelFacts
from promptslim.core.record import record, replace
from promptslim.tokens.counter import Counter
from promptslim.tokens.frames import frame_tokens
from promptslim.verify.local.checks import check_length, check_model
from promptslim.verify.local.exchange import Chat, Completion, Reply, Source, invalid
from promptslim.verify.local.faults import Faults
from promptslim.verify.local.prompt_cache import PromptCache
from promptslim.verify.local.quota import Quota

UNSET_CAP = 4096
"""Output limit where a request has none: observed for Claude through Converse (litellm issue 41529, 2026)."""


@record
class Received:
    """A request that arrived: operation, model id, the pairs of its metadata, and the tier that it asks for."""

    operation: str
    model: str
    metadata: Mapping[str, str]
    tier: str = "default"


class Service:
    """Answers chats. Safe for several threads."""

    def __init__(
        self,
        source: Source,
        *,
        faults: Iterable[str] = (),
        quota: Quota | None = None,
        catalog: Catalog | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` in seconds is what cached prefixes age by. Raises ValueError for an unknown fault."""
        self.faults = Faults(faults)
        self.received: list[Received] = []
        self._source = source
        self._quota = quota or Quota()
        self._catalog = catalog or load()
        self._cache = PromptCache(clock)
        self._counter = Counter("exact")
        self._counting = threading.Lock()
        self._numbers = itertools.count(1)

    def model(self, model_id: str) -> ModelFacts | None:
        """What is known of a model. None for an ARN that does not say which model it is. Raises Refused for an id
        that is none."""
        facts = self._catalog.model(model_id, route=None)
        if facts is None and not model_id.startswith("arn:"):
            raise invalid("The provided model identifier is invalid.")
        return facts

    def answer(self, chat: Chat, *, batch: bool = False) -> Reply:
        """The reply to a chat. A batch neither caches nor counts for the quota. Raises Refused."""
        facts = self.model(chat.model)
        check_model(chat, facts)
        limit = facts.max_output if facts else None
        if chat.cap is not None and limit is not None and chat.cap > limit:
            raise invalid(
                f"The maximum tokens you requested exceeds the model limit of {limit}. "
                "Try again with a maximum tokens value that is lower."
            )
        cap = chat.cap or min(UNSET_CAP, limit or UNSET_CAP)
        tokens, frame = self._segment_tokens(chat, facts)
        check_length(sum(tokens) + frame, chat.cap, facts)
        reserved = sum(tokens) + frame + (chat.cap or limit or UNSET_CAP)
        if not batch:
            self._quota.reserve(reserved)
        plain = replace(chat, segments=tuple(replace(one, ttl=None) for one in chat.segments)) if batch else chat
        started = time.monotonic()
        said = self._source(replace(chat, cap=cap))
        if said.input_tokens is not None:
            tokens, frame = _scaled(tokens, said.input_tokens), 0
        usage = self._cache.usage(plain, tokens, facts.cache if facts else None)
        text, stop, output = self._ended(said, chat, cap, facts)
        usage = replace(usage, fresh=usage.fresh + frame, output=output)
        if not batch:
            self._quota.settle(reserved, usage, facts.burndown[1] if facts and facts.burndown else 1)
        number = next(self._numbers)
        tools = tuple({"id": f"tooluse_{number}_{index}", **one} for index, one in enumerate(said.tools))
        milliseconds = max(1, round(1000 * (time.monotonic() - started)))
        return Reply(f"{number:08d}", chat.model, text, stop, usage, tools, milliseconds)

    def check_counted(self, model_id: str) -> None:
        """Raises Refused for a model that CountTokens does not count for: an inference profile (pydantic-ai pull
        request 3367 and agentcore-public-stack pull request 430, live), a Claude that is offered through profiles only,
        and Nova 2 (AWS user guide, count-tokens page, and model cards, 2026). What holds for others is not told
        anywhere; they are counted."""
        facts = self.model(model_id)
        profile = facts is None or facts.geo is not None or "inference-profile" in model_id
        only_by_profile = facts is not None and facts.vendor == "anthropic" and facts.tokenizer == "claude-4.7"
        if profile or only_by_profile or (facts is not None and facts.family.startswith("nova-2")):
            raise invalid("The provided model doesn't support counting tokens.")

    def input_tokens(self, chat: Chat) -> int:
        """All input tokens of a chat."""
        tokens, frame = self._segment_tokens(chat, self.model(chat.model))
        return sum(tokens) + frame

    def _segment_tokens(self, chat: Chat, facts: ModelFacts | None) -> tuple[tuple[int, ...], int]:
        """Tokens of each segment, and of the frame."""
        key = facts.tokenizer if facts else "unknown"
        with self._counting:
            counts = [one.n for one in self._counter.count_many([one.text for one in chat.segments], key)]
            return tuple(counts), frame_tokens(key, max(1, len(chat.turns))) or 0

    def _ended(self, said: Completion, chat: Chat, cap: int, facts: ModelFacts | None) -> tuple[str, str, int]:
        """Text, stop reason and output tokens after stop sequences and the output limit."""
        text = said.text
        found = [place for mark in chat.stop if mark and (place := text.find(mark)) >= 0]
        if found:
            text = text[: min(found)]
        if said.output_tokens is not None:
            return text, "stop_sequence" if found else said.stop or "end_turn", said.output_tokens
        count = self._output_tokens(text, said.tools, facts)
        if count <= cap:
            ended = "tool_use" if said.tools else "end_turn"
            return text, "stop_sequence" if found else said.stop or ended, count
        while text and count > cap:
            text = text[: min(len(text) - 1, len(text) * cap // count)]
            count = self._output_tokens(text, (), facts)
        return text, "max_tokens", min(count, cap)

    def _output_tokens(self, text: str, tools: tuple[Mapping[str, Any], ...], facts: ModelFacts | None) -> int:
        whole = text + "".join(str(tool) for tool in tools)
        with self._counting:
            return max(1, self._counter.count(whole, facts.tokenizer if facts else "unknown").n)


def _scaled(tokens: tuple[int, ...], total: int) -> tuple[int, ...]:
    """The counts of the segments, made to sum to ``total``."""
    whole = max(1, sum(tokens))
    scaled = [one * total // whole for one in tokens]
    scaled[-1] += total - sum(scaled)
    return tuple(scaled)
