"""What the catalog says of a model id, in every form in which code writes ids."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.catalog import load

ROOT = Path(__file__).parents[2]
SNAPSHOT = json.loads((ROOT / "scripts/facts/prices_snapshot.json").read_text("utf-8"))["models"]
HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
# No model, and the free one of two rows for the same id.
NOT_HERE = {"openai/container", "gemini/gemini-exp-1206"}
GEOS = ["us", "eu", "apac", "jp", "au", "ca", "in", "us-gov", "global"]
TABLES = [tomllib.loads(path.read_text("utf-8")) for path in (ROOT / "rules/models").glob("*.toml")]
MODELS = [model for table in TABLES for model in table.get("model", ())]
BEDROCK = sorted(model["id"] for model in MODELS if model.get("route") == "bedrock" and "." in model["id"])
DIRECT = sorted(model["id"] for model in MODELS if model.get("route") in ("openai", "anthropic", "google"))


def rates(model_id, **keywords):
    return load().model(model_id, **keywords).rates


@pytest.mark.parametrize("model_id", sorted(SNAPSHOT.keys() - NOT_HERE))
def test_every_id_of_the_price_map_resolves_with_its_limits_and_prices(model_id):
    row = SNAPSHOT[model_id]
    facts = load().model(model_id)
    assert facts is not None
    assert facts.vendor != "unknown"
    if "max_out" in row:
        assert facts.max_output >= row["max_out"]
        assert facts.context >= row["ctx"]
    if row.get("in") and row.get("out"):
        # A bare Claude id on Bedrock has the price of a geo profile.
        if not (facts.vendor == "anthropic" and facts.rates.region == "in-Region"):
            assert facts.rates.input == Decimal(str(row["in"]))
            assert facts.rates.output == Decimal(str(row["out"]))
        assert facts.rates.source == "litellm price map 1.109.1"
        assert facts.rates.as_of == date(2026, 11, 23)
    else:
        assert facts.rates is None


def test_the_fields_of_a_bedrock_model():
    facts = load().model(f"us.{HAIKU}")
    assert (facts.route, facts.geo, facts.base) == ("bedrock", "us", HAIKU)
    assert (facts.vendor, facts.family, facts.kind, facts.tier) == ("anthropic", "claude-haiku-4-5", "chat", "small")
    assert (facts.context, facts.max_output, facts.tokenizer, facts.body) == (200_000, 64_000, "claude-3", "anthropic")
    assert (facts.cache.min_possible, facts.cache.min_certain, facts.cache.max_points) == (4096, 4096, 4)
    assert facts.burndown == (1, 5)
    assert facts.lifecycle is None
    assert facts.rates.region == "us profile"
    assert (facts.rates.input, facts.global_rates.input) == (Decimal("1.1"), Decimal("1.0"))


@pytest.mark.parametrize(
    "written",
    [
        "bedrock/us.{}",
        "bedrock/converse/us.{}",
        "bedrock/invoke/us.{}",
        "bedrock/us-east-1/us.{}",
        "bedrock:us.{}",
        "bedrock:converse:us.{}",
        "bedrock_converse:us.{}",
        "litellm/bedrock/us.{}",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{}",
        "bedrock/arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.{}",
        "bedrock/converse/arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.{}",
    ],
)
def test_a_prefix_or_arn_changes_nothing_but_the_id(written):
    plain, wrapped = load().model(f"us.{HAIKU}"), load().model(written.format(HAIKU))
    assert wrapped.id == written.format(HAIKU)
    assert (wrapped.base, wrapped.geo, wrapped.rates, wrapped.family) == (HAIKU, "us", plain.rates, plain.family)


@settings(max_examples=150, deadline=None)
@given(base=st.sampled_from(BEDROCK), geo=st.sampled_from(GEOS), region=st.sampled_from(["us-east-1", "eu-central-1"]))
def test_geo_and_arn_wrap_any_bedrock_id(base, geo, region):
    bare = load().model(base)
    profile = load().model(f"arn:aws:bedrock:{region}:123456789012:inference-profile/{geo}.{base}")
    model = load().model(f"arn:aws:bedrock:{region}::foundation-model/{base}")
    for facts in (profile, model, load().model(f"{geo}.{base}")):
        assert (facts.base, facts.family, facts.max_output) == (base, bare.family, bare.max_output)
    assert profile.geo == geo
    assert model.geo is None
    assert load().model(f"{geo}.{geo}.{base}") is None


@settings(max_examples=80, deadline=None)
@given(base=st.sampled_from(DIRECT), data=st.data())
def test_a_direct_id_is_matched_whole_and_in_its_case(base, data):
    facts = load().model(base)
    assert facts.base == base
    assert load().model(f"litellm/{base}").max_output == facts.max_output
    assert load().model(f"a model called {base}") is None
    assert load().model(f"x{base}") is None
    assert load().model(base.upper()) is None
    cut = data.draw(st.integers(1, len(base) - 1))
    shorter = load().model(base[:cut])
    assert shorter is None or shorter.base == base[:cut]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text("abcdeimrstu./:@-0123456789", max_size=60))
def test_any_text_is_answered(text):
    facts = load().model(text)
    assert facts is None or (facts.id == text and facts.vendor)


@pytest.mark.parametrize(
    "opaque",
    [
        "a small model called premium",
        "premium",
        "",
        "MODEL_ID",
        "us.premium.x",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123",
        "arn:aws:bedrock:us-east-1:123456789012:prompt/PROMPT12345:1",
        "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc",
        "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc",
        "arn:aws:bedrock:us-east-1:123456789012:default-prompt-router/anthropic.claude:1",
        "arn:aws:sagemaker:us-east-1:123456789012:endpoint/jumpstart-dft-llama",
        "bedrock/arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123",
        "azure/my-deployment",
        "ollama/llama3.1:latest",
        "openrouter/auto",
        "US.ANTHROPIC.CLAUDE-HAIKU-4-5-20251001-V1:0",
    ],
)
def test_an_id_that_hides_its_model_gives_nothing(opaque):
    assert load().model(opaque) is None


def test_the_user_names_what_is_opaque():
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
    catalog = load().with_user({arn: f"us.{HAIKU}", "xyz789": "us.amazon.nova-pro-v1:0", "house-model": "house-2"})
    assert catalog.model(arn).family == "claude-haiku-4-5"
    assert catalog.model(arn).id == arn
    assert catalog.model(f"bedrock/converse/{arn}").rates == rates(f"us.{HAIKU}")
    assert catalog.model(arn.replace("abc123", "xyz789")).family == "nova-pro"
    assert catalog.model("house-model") is None
    assert catalog.with_user({"house-2": "gpt-4o"}).model("house-model").family == "gpt-4o"
    assert catalog.with_user({"a": "b", "b": "a"}).model("a") is None
    assert load().model(arn) is None


@pytest.mark.parametrize(
    ("unknown", "family"),
    [
        ("anthropic.claude-haiku-4-5-20261231-v1:0", "claude-haiku-4-5"),
        ("vertex_ai/claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet"),
        ("gpt-3.5-turbo-0613", "gpt-3.5-turbo"),
        ("gemini-1.5-pro-001", "gemini-1.5-pro"),
        ("openrouter/anthropic/claude-3.5-sonnet", "claude-3-5-sonnet"),
        ("us.anthropic.claude-opus-4-8:1m", "claude-opus-4-8"),
        ("us.amazon.nova-2-lite-v1:0:flex", "nova-2-lite"),
        ("anthropic.claude-v2", "claude-2"),
        ("ca.anthropic.claude-opus-9-20300101-v1:0", "claude-opus-9"),
    ],
)
def test_an_unknown_version_has_a_family_and_no_figures(unknown, family):
    facts = load().model(unknown)
    assert facts.family == family
    assert (facts.rates, facts.global_rates, facts.lifecycle) == (None, None, None)
    assert (facts.context, facts.max_output) == (None, None)


@pytest.mark.parametrize(
    ("variant", "same"),
    [
        ("anthropic.claude-3-5-haiku-20241022-v1", "anthropic.claude-3-5-haiku-20241022-v1:0"),
        ("anthropic.claude-3-5-haiku-20241022", "anthropic.claude-3-5-haiku-20241022-v1:0"),
        ("anthropic.claude-haiku-4-5@20251001", HAIKU),
        ("anthropic.claude-opus-4-6-v1:0", "anthropic.claude-opus-4-6-v1"),
        ("amazon.nova-pro-v1:0:300k", "amazon.nova-pro-v1:0"),
        ("openai.gpt-oss-20b-1", "openai.gpt-oss-20b-1:0"),
        ("claude-opus-4-6-20260205", "claude-opus-4-6"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("google-gla:gemini-2.5-pro", "gemini-2.5-pro"),
        ("google_genai:gemini-2.5-pro", "gemini-2.5-pro"),
        ("anthropic:claude-opus-5-5", "claude-opus-5-5"),
        ("openai:chat:gpt-4o", "gpt-4o"),
        ("openai/gpt-4.1-mini", "gpt-4.1-mini"),
        ("ft:gpt-4o-2024-08-06:acme::abc123", "ft:gpt-4o-2024-08-06"),
    ],
)
def test_variants_of_an_id(variant, same):
    assert rates(variant) is not None
    assert rates(variant) == rates(same)
    assert load().model(variant).max_output == load().model(same).max_output


@pytest.mark.parametrize(
    ("model_id", "key"),
    [
        ("anthropic.claude-instant-v1", "anthropic.claude-instant"),
        ("claude-3-opus-20240229", "claude-3"),
        ("claude-sonnet-4-20250514", "claude-3"),
        ("us.anthropic.claude-opus-4-6-v1", "claude-3"),
        (HAIKU, "claude-3"),
        ("us.anthropic.claude-opus-4-7", "claude-4.7"),
        ("global.anthropic.claude-sonnet-5", "claude-4.7"),
        ("claude-haiku-5-5", "claude-4.7"),
        ("claude-fable-5-2", "claude-4.7"),
        ("claude-mythos-5", "claude-4.7"),
        ("gpt-3.5-turbo", "cl100k"),
        ("gpt-4-turbo", "cl100k"),
        ("gpt-4o-mini", "o200k"),
        ("gpt-4.1", "o200k"),
        ("o3-mini", "o200k"),
        ("openai.gpt-oss-120b-1:0", "o200k"),
        ("gpt-6-sol", "openai.gpt-6-sol"),
        ("meta.llama3-1-8b-instruct-v1:0", "llama3"),
        ("meta.llama4-scout-17b-instruct-v1:0", "llama4"),
        ("mistral.mixtral-8x7b-instruct-v0:1", "mistral"),
        ("mistral.ministral-3-8b-instruct", "tekken"),
        ("us.deepseek.r1-v1:0", "deepseek"),
        ("qwen.qwen3-32b-v1:0", "qwen"),
        ("us.amazon.nova-pro-v1:0", "amazon.nova-pro"),
    ],
)
def test_the_vocabulary_follows_the_generation(model_id, key):
    assert load().model(model_id).tokenizer == key


@pytest.mark.parametrize(
    ("model_id", "kind"),
    [
        ("amazon.titan-embed-text-v2:0", "embedding"),
        ("amazon.titan-e1t-medium", "embedding"),
        ("cohere.embed-english-v3", "embedding"),
        ("text-embedding-3-small", "embedding"),
        ("stability.stable-diffusion-xl-v1", "image"),
        ("amazon.titan-image-generator-v2:0", "image"),
        ("us.amazon.nova-canvas-v1:0", "image"),
        ("dall-e-3", "image"),
        ("gemini-3-pro-image-preview", "image"),
        ("amazon.nova-reel-v1:1", "video"),
        ("amazon.nova-sonic-v1:0", "audio"),
        ("whisper-1", "audio"),
        ("cohere.rerank-v3-5:0", "rerank"),
        ("amazon.rerank-v1:0", "rerank"),
        ("us.amazon.nova-pro-v1:0", "chat"),
        ("gpt-4o", "chat"),
    ],
)
def test_what_a_model_makes(model_id, kind):
    assert load().model(model_id).kind == kind


@pytest.mark.parametrize(
    ("model_id", "reasoning", "thinks", "off"),
    [
        ("gpt-4o", False, False, False),
        ("o1", True, True, False),
        ("o4-mini", True, True, False),
        ("gpt-5", True, True, True),
        ("gpt-5-mini-2025-08-07", True, True, True),
        ("gpt-5.1", True, False, False),
        ("gpt-5-chat-latest", False, False, False),
        ("us.openai.gpt-5.6-sol", True, False, False),
        ("global.openai.gpt-6-luna", True, False, False),
        ("openai.gpt-oss-120b-1:0", False, False, False),
        ("claude-opus-5-5", False, True, False),
        ("us.anthropic.claude-sonnet-5-5", False, True, False),
        ("us.anthropic.claude-haiku-5-5", False, False, False),
        ("gemini-2.5-pro", False, True, False),
        ("gemini-2.5-flash", False, True, True),
        ("gemini-2.5-flash-lite", False, False, False),
    ],
)
def test_thinking_and_reasoning(model_id, reasoning, thinks, off):
    facts = load().model(model_id)
    assert (facts.reasoning, facts.thinks, bool(facts.thinks_off)) == (reasoning, thinks, off)


def test_end_of_life_follows_the_route_and_the_better_source():
    sonnet = load().model("us.anthropic.claude-sonnet-4-5-20250929-v1:0").lifecycle
    assert (sonnet.end, sonnet.extended) == (date(2027, 4, 8), date(2027, 1, 8))
    assert sonnet.source == "AWS user guide, model-lifecycle page (after 2026-10-08), 2026-11-23"
    assert load().model("claude-sonnet-4-5").lifecycle.end == date(2026, 11, 30)
    # One table alone ends eu. Haiku 4.5 on 2026-10-15; nothing confirms it.
    assert load().model(f"eu.{HAIKU}").lifecycle is None
    assert load().model("meta.llama3-2-1b-instruct-v1:0").lifecycle.end == date(2026, 7, 7)
    haiku3 = load().model("anthropic.claude-3-haiku-20240307-v1:0")
    assert (haiku3.lifecycle.end, haiku3.lifecycle.successor) == (date(2026, 9, 10), "claude-haiku-5-5")
    assert haiku3.rates is None
    old = load().model("claude-3-5-sonnet-20240620")
    assert (old.family, old.lifecycle.end, old.max_output) == ("claude-3-5-sonnet", date(2025, 10, 28), None)
    assert load().model("vertex_ai/claude-3-5-sonnet@20240620").lifecycle is None, "Vertex has dates of its own"
    assert load().model("gemini-2.5-pro").lifecycle.end == date(2026, 12, 1)
    assert load().model("gemini-2.5-pro").rates is not None


def test_prices_by_profile_and_region():
    opus = "anthropic.claude-opus-5"
    assert [rates(f"{geo}.{opus}").input for geo in ("global", "us", "us-gov")] == [
        Decimal("5"),
        Decimal("5.5"),
        Decimal("6"),
    ]
    assert rates(opus).input == Decimal("5.5"), "a bare Claude id is billed like a geo profile"
    assert rates(f"bedrock/us-gov-west-1/{opus}").input == Decimal("6")
    assert rates(f"in.{opus}") is None, "no price is made up for a profile that the tables lack"
    assert rates("bedrock/us-gov-west-1/anthropic.claude-opus-4-7") is None
    assert rates("bedrock/eu-west-2/qwen.qwen3-coder-next").input == Decimal("0.78")
    assert rates("bedrock_mantle/openai.gpt-5.6-sol").input == Decimal("4.4")
    assert rates("anthropic.claude-opus-5-5", route="bedrock_mantle").region == "in-Region"
    tokyo = load().with_user({}, region="ap-northeast-1")
    assert tokyo.model("qwen.qwen3-coder-next").rates.input == Decimal("0.6")
    assert tokyo.model("us.amazon.nova-pro-v1:0").rates == rates("us.amazon.nova-pro-v1:0")


@pytest.mark.parametrize("route", ["azure", "other", "local"])
def test_an_endpoint_with_prices_of_its_own_has_none_here(route):
    facts = load().model("gpt-4o", route=route)
    assert facts.route == route
    assert facts.rates is None
    assert facts.tokenizer == "o200k"
    assert (facts.max_output is None) == (route != "other")


@pytest.mark.parametrize("model_id", ["azure/gpt-4o", "openrouter/openai/gpt-4o", "google-vertex:gemini-2.5-pro"])
def test_a_gateway_has_no_price_here(model_id):
    assert load().model(model_id).rates is None


def test_cliffs_apply_only_where_the_window_reaches_them():
    above = rates("us.anthropic.claude-haiku-5-5").above
    assert above == ((100_000, Decimal("0.55"), Decimal("2.75")),)
    assert rates("us.anthropic.claude-haiku-5-5").above_cached == ((100_000, Decimal("0.055"), Decimal("0.6875")),)
    assert rates("us.anthropic.claude-sonnet-4-5-20250929-v1:0").above == ()


def test_cache_rules_follow_the_route():
    bedrock, direct = load().model("us.anthropic.claude-opus-4-7").cache, load().model("claude-opus-4-7").cache
    assert (bedrock.min_possible, bedrock.min_certain) == (2048, 4096)
    assert (direct.min_possible, direct.min_certain) == (2048, 2048)
    nova = load().model("us.amazon.nova-lite-v1:0").cache
    assert (nova.fields, nova.ttl, nova.max_tokens) == (("system", "messages"), ("5m",), 20_000)
    assert load().model("gpt-4o").cache.fields == ()
    assert load().model("us.meta.llama3-3-70b-instruct-v1:0").cache is None
    assert load().model("us.anthropic.claude-3-5-sonnet-20240620-v1:0").cache is None


def test_every_table_names_source_and_date():
    for facts in load().models():
        for table in (facts.rates, facts.global_rates):
            assert table is None or (table.source and table.as_of and table.region and table.input >= 0)
        for source in (facts.cache and facts.cache.source, facts.lifecycle and facts.lifecycle.source):
            assert source is None or re.search(r"\d{4}-\d\d-\d\d$", source)


def test_the_list_of_models_answers_with_itself():
    models = load().models()
    assert len(models) > 600
    assert len({facts.id for facts in models}) == len(models)
    assert all(load().model(facts.id) == facts for facts in models)
