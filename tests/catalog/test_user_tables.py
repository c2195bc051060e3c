"""Model tables of the user: the layout of rules/models, later wins key by key."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from promptslim.catalog import CatalogError, load

TABLE = """\
vendor = "acme"
source = "contract of 2026-10"
as_of = 2026-10-01

[[family]]
name = "acme-chat"
tier = "small"
tokenizer = "o200k"

[[model]]
id = "acme-chat-2"
family = "acme-chat"
max_output = 4000

[[model.rates]]
input = 0.3
output = 1

[[model]]
id = "us.amazon.nova-pro-v1:0"

[[model.rates]]
input = 0.71
output = 3.1
above = [{ tokens = 100000, input = 1.5, output = 6 }]

[[model]]
id = "gpt-4o"
max_output = 9000
lifecycle = { end = 2027-06-01 }
"""


def added(tmp_path, text):
    path = tmp_path / "models.toml"
    path.write_text(text, "utf-8")
    return load().with_user({}, [load().read_table(path)])


def test_a_new_model_and_changed_ones(tmp_path):
    catalog = added(tmp_path, TABLE)
    acme = catalog.model("acme-chat-2")
    assert (acme.vendor, acme.family, acme.tier, acme.tokenizer, acme.max_output) == (
        "acme",
        "acme-chat",
        "small",
        "o200k",
        4000,
    )
    assert (acme.route, acme.rates.input, acme.rates.region) == ("other", Decimal("0.3"), "list price")
    assert catalog.model("acme-chat-2", route="other").rates == acme.rates
    assert catalog.model("acme-chat-2", route="azure").rates is None
    nova = catalog.model("us.amazon.nova-pro-v1:0")
    assert (nova.rates.input, nova.rates.source) == (Decimal("0.71"), "contract of 2026-10")
    assert nova.rates.above == ((100_000, Decimal("1.5"), Decimal(6)),)
    assert nova.max_output == load().model("amazon.nova-pro-v1:0").max_output
    assert catalog.model("eu.amazon.nova-pro-v1:0") == load().model("eu.amazon.nova-pro-v1:0")
    gpt = catalog.model("gpt-4o")
    assert (gpt.max_output, gpt.lifecycle.end) == (9000, date(2027, 6, 1))
    assert gpt.rates == load().model("gpt-4o").rates
    assert load().model("acme-chat-2") is None


def test_the_last_table_wins(tmp_path):
    first, second = (load().read_table(_written(tmp_path / f"{n}.toml", n)) for n in (100, 200))
    assert load().with_user({}, [first, second]).model("gpt-4o").max_output == 200
    assert load().with_user({}, [first]).with_user({}, [second]).model("gpt-4o").max_output == 200
    assert load().with_user({}).model("gpt-4o").max_output == 16_384


def _written(path, limit):
    path.write_text(f'[[model]]\nid = "gpt-4o"\nmax_output = {limit}\n', "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[model]]\nid = 3\n", "models.toml:1: id has to be text in quotes, not 3"),
        ("x = 1\n", "models.toml: unknown key 'x'"),
        ('[[model]]\nid = "gpt-4o"\n\n[[model]]\nmax_output = 3\n', "models.toml:4: the key 'id' is missing"),
        ('[[model]]\nid = "gpt-4o"\nmax_output = -3\n', "models.toml:1: max_output has to be a whole number, not -3"),
        ('[[model]]\nid = "gpt-4o"\naliases = "x"\n', "models.toml:1: aliases has to be a list of texts, not 'x'"),
        ('[[model]]\nid = "my-model"\n', "models.toml:1: model 'my-model' names no vendor"),
        ('[[model]]\nid = "gpt-4o"\nrates = [3]\n', "models.toml:1: this has to be a table"),
        ('[[model]]\nid = "gpt-4o"\n[[model.rates]]\ninput = 1.0\n', "models.toml:1: the key 'output' is missing"),
        ('[[model]]\nid = "gpt-4o"\n[[model.rates]]\ninput = 1\noutput = 2\n', "prices need a source and a date"),
        ('[[model]]\nid = "gpt-4o"\n[[model.rates]]\ninput = nan\noutput = 2\n', "input has to be a price of zero"),
        ('[[family]]\nname = "x"\n', "models.toml:1: family 'x' names no vendor"),
        ("a = \n", "models.toml:1: not TOML: Invalid value"),
        ('a = "', "models.toml:1: not TOML: "),
    ],
)
def test_a_wrong_table_is_one_line_with_its_place(tmp_path, text, message):
    with pytest.raises(CatalogError) as caught:
        added(tmp_path, text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(CatalogError, match="cannot be read: No such file or directory"):
        load().read_table(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfea")
    with pytest.raises(CatalogError, match=r"bad\.toml: not UTF-8 \(byte 0\)"):
        load().read_table(tmp_path / "bad.toml")
