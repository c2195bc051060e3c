"""What is known of one model, as the rules and prices need it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from promptslim.core.record import record


@record
class Rates:
    """US dollars per million tokens. None: the table gives no such price (never zero).

    ``above`` holds dearer rates (tokens, input, output) for the whole request once its input exceeds a
    number of tokens, ``above_cached`` those of cached tokens (tokens, read, 5m write) in the same bands.
    ``source``, ``as_of`` and ``region`` say where the figures come from; ``region`` is a profile, a
    region, or ``list price``.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None
    cache_write_5m: Decimal | None
    cache_write_1h: Decimal | None
    batch_input: Decimal | None
    batch_output: Decimal | None
    above: tuple[tuple[int, Decimal, Decimal], ...]
    source: str
    as_of: date
    region: str
    flex_input: Decimal | None = None
    flex_output: Decimal | None = None
    priority_input: Decimal | None = None
    priority_output: Decimal | None = None
    above_cached: tuple[tuple[int, Decimal | None, Decimal | None], ...] = ()


@record
class CacheRules:
    """Prompt caching of a model: ``min_possible`` and ``min_certain`` in tokens (sources disagree between
    them), ``fields`` that take a marker, ``max_points`` checkpoints, supported ``ttl``."""

    min_possible: int
    min_certain: int
    max_points: int | None
    fields: tuple[str, ...]
    ttl: tuple[str, ...]
    max_tokens: int | None
    source: str


@record
class Lifecycle:
    """``end`` of life, ``extended`` = start of dearer extended access; None where not announced."""

    end: date | None
    extended: date | None
    successor: str | None
    source: str


@record
class ModelFacts:
    """One model id. ``id`` is as the user wrote it; ``base`` without provider prefix, geo prefix and ARN.

    ``route``: bedrock, bedrock_mantle, anthropic, openai, google, azure, other. ``geo``: us, eu, global ...
    or None. ``vendor``: anthropic, amazon, meta, mistral, cohere, deepseek, openai, qwen, ai21, google ...
    ``family``: the model without date, version and geo (``claude-haiku-4-5``, ``nova-pro``, ``gpt-4o``).
    ``tier``: premium, top, mid, small, tiny or None. ``tokenizer``: key for tokens/ (claude-3, claude-4.7,
    o200k, cl100k, llama3, llama4, mistral, tekken, deepseek, qwen), or ``<vendor>.<family>`` where it is not known:
    a model whose tokenizer is not known shares it with no other. ``body``: invoke_model body
    family (anthropic, nova, titan, llama, mistral_text, mistral_chat, cohere, deepseek, openai, qwen, jamba,
    openai_like) or None. ``kind``: chat, embedding, image, audio, rerank, video, other.
    ``thinks``: thinks before it answers, so that the cap is spent on thinking first; ``thinks_off`` names
    the request settings that change that (empty: nothing does, it always thinks).
    ``reasoning``: takes reasoning settings and rejects ``max_tokens`` in OpenAI chat completions.
    ``burndown``: quota tokens that one output token costs on bedrock-runtime, lowest and highest source.
    """

    id: str
    base: str
    route: str
    geo: str | None
    vendor: str
    family: str
    kind: str
    tier: str | None
    cheaper: str | None
    context: int | None
    max_output: int | None
    thinks: bool
    reasoning: bool
    tokenizer: str
    body: str | None
    cache: CacheRules | None
    lifecycle: Lifecycle | None
    rates: Rates | None
    global_rates: Rates | None
    thinks_off: tuple[str, ...] = ()
    burndown: tuple[int, int] | None = None
