"""``prices update``: two formats, checked, compared, written whole; and the file in force."""

from __future__ import annotations

import json
import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.catalog import load
from promptslim.config.settings import configure, resolve
from promptslim.pricing.price_file import PriceFileError, read_prices, written_prices
from promptslim.pricing.update import price_update, update_prices, user_prices
from promptslim.pricing.user_catalog import user_catalog

ROOT = Path(__file__).parents[2]
TODAY = date(2027, 1, 15)
LITELLM = {
    "sample_spec": {"litellm_provider": "one of the list", "mode": "chat", "input_cost_per_token": 0},
    "us.amazon.nova-pro-v1:0": {
        "litellm_provider": "bedrock_converse",
        "mode": "chat",
        "input_cost_per_token": 9e-07,
        "output_cost_per_token": 3.6e-06,
        "cache_read_input_token_cost": 2.25e-07,
        "input_cost_per_token_batches": 4.5e-07,
        "output_cost_per_token_batches": 1.8e-06,
        "max_input_tokens": 300000,
        "max_output_tokens": 10000,
    },
    "claude-haiku-5-5": {
        "litellm_provider": "anthropic",
        "mode": "chat",
        "input_cost_per_token": 1e-07,
        "output_cost_per_token": 5e-07,
        "cache_read_input_token_cost": 1e-08,
        "cache_creation_input_token_cost": 1.25e-07,
        "cache_creation_input_token_cost_above_1hr": 2e-07,
        "input_cost_per_token_batches": 5e-08,
        "output_cost_per_token_batches": 2.5e-07,
        "input_cost_per_token_above_100k_tokens": 5e-07,
        "output_cost_per_token_above_100k_tokens": 2.5e-06,
        "cache_read_input_token_cost_above_100k_tokens": 5e-08,
        "cache_creation_input_token_cost_above_100k_tokens": 6.25e-07,
        "max_input_tokens": 1000000,
        "max_output_tokens": 128000,
    },
    "amazon.titan-embed-text-v2:0": {"litellm_provider": "bedrock", "mode": "embedding", "input_cost_per_token": 2e-08},
    "global.anthropic.claude-opus-6": {
        "litellm_provider": "bedrock_converse",
        "mode": "chat",
        "input_cost_per_token": 4e-06,
        "output_cost_per_token": 2e-05,
        "max_output_tokens": 256000,
        "max_input_tokens": 2000000,
    },
    "azure/gpt-4o": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 2.5e-06},
}


@pytest.fixture
def litellm(tmp_path):
    path = tmp_path / "model_prices.json"
    path.write_text(json.dumps(LITELLM), "utf-8")
    os.utime(path, (1_799_971_200, 1_799_971_200))
    return path


def settings(tmp_path, **prices):
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in prices.items())
    (tmp_path / "promptslim.toml").write_text(lines, "utf-8")
    return resolve(configure(str(tmp_path)))


def test_a_litellm_map_is_taken_over(litellm, tmp_path):
    update = update_prices(load(), litellm, tmp_path / "new" / "prices.json")
    assert update.added == ("global.anthropic.claude-opus-6",)
    assert update.changed == ("us.amazon.nova-pro-v1:0",)
    assert (update.removed, update.unchanged, update.skipped) == ((), 1, 3)
    catalog = user_catalog(load(), settings(tmp_path, prices="new/prices.json"), str(tmp_path))
    nova = catalog.model("us.amazon.nova-pro-v1:0").rates
    assert (nova.input, nova.batch_output, nova.cache_write_5m) == (Decimal("0.9"), Decimal("1.8"), Decimal("0.9"))
    assert (nova.source, nova.as_of) == ("litellm price map, model_prices.json", date(2027, 1, 15))
    assert catalog.as_of == date(2027, 1, 15)
    opus = catalog.model("global.anthropic.claude-opus-6")
    assert (opus.max_output, opus.rates.output, opus.body) == (256_000, Decimal(20), "anthropic")
    assert catalog.model("gpt-4o") == load().model("gpt-4o")
    haiku = catalog.model("claude-haiku-5-5").rates
    shipped = load().model("claude-haiku-5-5").rates
    assert (haiku.above, haiku.above_cached, haiku.cache_write_1h) == (
        shipped.above,
        shipped.above_cached,
        shipped.cache_write_1h,
    )


def test_a_second_update_compares_with_the_first(litellm, tmp_path):
    target = tmp_path / "prices.json"
    update_prices(load(), litellm, target)
    changed = {**LITELLM, "us.amazon.nova-pro-v1:0": {**LITELLM["us.amazon.nova-pro-v1:0"]}}
    changed["us.amazon.nova-pro-v1:0"]["output_cost_per_token"] = 4e-06
    del changed["claude-haiku-5-5"]
    litellm.write_text(json.dumps(changed), "utf-8")
    update = update_prices(load(), litellm, target)
    assert (update.added, update.changed) == ((), ("us.amazon.nova-pro-v1:0",))
    assert (update.removed, update.unchanged) == (("claude-haiku-5-5",), 1)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("prices")] == ["prices.json"]


def test_the_written_file_reads_as_itself(litellm, tmp_path):
    target = tmp_path / "prices.json"
    written = update_prices(load(), litellm, target).prices
    again = read_prices(target.read_text("utf-8"), "prices.json", TODAY)
    assert (again.models, again.source, again.as_of) == (written.models, written.source, written.as_of)
    update = update_prices(load(), target, target)
    assert (update.added, update.changed, update.removed) == ((), (), ())


def test_our_own_snapshot_changes_nothing():
    text = (ROOT / "scripts/facts/prices_snapshot.json").read_text("utf-8")
    snapshot = {key: value for key, value in json.loads(text).items() if key != "_fields"}
    snapshot["models"].pop("openai/container")
    update = price_update(load(), None, read_prices(json.dumps(snapshot), "snapshot.json", TODAY))
    assert (update.added, update.changed, update.removed) == ((), (), ())


def test_without_a_file_the_shipped_prices_hold(tmp_path, monkeypatch):
    monkeypatch.setenv("PROMPTSLIM_CACHE_DIR", str(tmp_path / "cache"))
    assert user_prices(None) is None
    assert user_catalog(load(), settings(tmp_path)).model("gpt-4o") == load().model("gpt-4o")


def test_the_default_file_wins_once_it_is_there(litellm, tmp_path, monkeypatch):
    monkeypatch.setenv("PROMPTSLIM_CACHE_DIR", str(tmp_path / "cache"))
    update_prices(load(), litellm, tmp_path / "cache" / "prices.json")
    catalog = user_catalog(load(), settings(tmp_path))
    assert catalog.model("us.amazon.nova-pro-v1:0").rates.input == Decimal("0.9")


def test_models_and_tables_of_the_settings(tmp_path):
    (tmp_path / "own.toml").write_text('[[model]]\nid = "gpt-4o"\nmax_output = 1\n', "utf-8")
    chosen = settings(tmp_path, catalog=["own.toml"], region="eu-west-2")
    catalog = user_catalog(load(), chosen, str(tmp_path))
    assert catalog.model("gpt-4o").max_output == 1
    assert catalog.model("qwen.qwen3-coder-next").rates.input == Decimal("0.78")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "prices.json:1: not JSON: "),
        ("[]", "prices.json: a price file is an object of model ids; this is a list"),
        ("{}", "no model with a price that is known here"),
        ('{"a": 3}', "prices.json: a: neither a litellm price map nor a promptslim price file"),
        ('{"_as_of": "2026", "_source": "x", "models": {}}', "\"_as_of\" is '2026', not a date"),
        ('{"models": {}}', 'needs "_source" and "_as_of"'),
        ('{"_as_of": "2026-11-23", "_source": "x", "models": {"m": {"in": 1}}}', 'm: needs a "provider"'),
        (
            '{"_as_of": "2026-11-23", "_source": "x", "models": {"m": {"provider": "openai", "in": "1"}}}',
            "m: in is '1', not a price",
        ),
        (
            '{"_as_of": "2026-11-23", "_source": "x", "models": {"m": {"provider": "openai", "above": {"x": {}}}}}',
            'm: "above" has to map token counts to prices',
        ),
        (
            '{"gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": 2.5}}',
            "gpt-4o: input_cost_per_token is 2.5 dollars per token: a wrong unit?",
        ),
        ('{"gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": -1}}', "a wrong unit?"),
        ('{"gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": NaN}}', "NaN is not a price"),
        ('{"gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": true}}', "is True, not a price"),
        ('{"gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": 1e99999999}}', "a wrong unit?"),
        ('{"a\\u001b[2J": {"litellm_provider": "openai", "input_cost_per_token": "x"}}', "'a\\x1b[2J': input_cost"),
        ('{"gpt-4o": {"litellm_provider": ["openai"], "input_cost_per_token": 1}}', "no model with a price"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_wrong_file_is_one_line_and_changes_nothing(tmp_path, text, message):
    source, target = tmp_path / "prices.json", tmp_path / "target.json"
    source.write_text(text, "utf-8")
    with pytest.raises(PriceFileError) as caught:
        update_prices(load(), source, target)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not target.exists()


def test_a_file_that_cannot_be_read_or_written(litellm, tmp_path):
    with pytest.raises(PriceFileError, match=r"none\.json: cannot be read: No such file or directory"):
        update_prices(load(), tmp_path / "none.json", tmp_path / "x.json")
    with pytest.raises(PriceFileError, match="cannot be read"):
        user_catalog(load(), settings(tmp_path, prices="none.json"), str(tmp_path))
    (tmp_path / "file").write_text("")
    with pytest.raises(PriceFileError, match=r"prices\.json: cannot be written: .*choose another place"):
        update_prices(load(), litellm, tmp_path / "file" / "prices.json")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["models", "_as_of", "_source", "gpt-4o", "in", "above", "200000"]), inner)
    ),
    max_leaves=8,
)


@given(_JSON, st.sampled_from(["openai", "bedrock", "none"]))
def test_any_json_is_read_or_refused_in_one_line(value, provider):
    entry = {"litellm_provider": provider, "provider": provider, "input_cost_per_token": value, "in": value}
    for data in (value, {"gpt-4o": entry}, {"_source": "x", "_as_of": "2026-11-23", "models": {"gpt-4o": entry}}):
        complaint, prices = "", None
        try:
            prices = read_prices(json.dumps(data), "prices.json", TODAY)
        except PriceFileError as error:
            complaint = str(error)
        assert "\n" not in complaint
        assert prices is None or read_prices(written_prices(prices), "prices.json", TODAY).models == prices.models
