"""List known models, or show one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Argument, Given, Option, Parameters
from promptslim.cli.session import write
from promptslim.cli.settings_flags import CONFIGURATION, configured

if TYPE_CHECKING:
    from promptslim.catalog.model_facts import ModelFacts, Rates

PARAMETERS: Parameters = (
    Argument("ids", "Model ids as code writes them; without any, all models.", many=True),
    Option(("--output-format",), "Format of the list.", "value", choices=("text", "json")),
    *CONFIGURATION,
)


def run(given: Given) -> int:
    """List the models in the tables: id, tier, context, output limit, prices per million tokens.

    With IDS, show what is known of each, with the source and date of every price.
    """
    from promptslim.pipeline import run as pipeline

    place, _ = configured(given)
    catalog = pipeline.catalog_of(place)
    ids = given.listed("ids")
    models = catalog.models() if ids is None else tuple(_found(catalog.model(one), one) for one in ids)
    if given.value("output_format") == "json":
        write([_json(models)])
    elif ids is None:
        write(_table(models))
    else:
        write(line for model in models for line in _details(model))
    return 0


def _found(model: ModelFacts | None, asked: str) -> ModelFacts:
    if model is None:
        raise UsageError(
            f"nothing is known of the model {asked!r}; `promptslim models` lists the known ones, "
            "[tool.promptslim.models] names yours"
        )
    return model


def _json(models: tuple[ModelFacts, ...]) -> str:
    import json
    from dataclasses import asdict

    return json.dumps({"version": 1, "models": [asdict(model) for model in models]}, indent=1, default=str) + "\n"


def _table(models: tuple[ModelFacts, ...]) -> list[str]:
    head = ("id", "route", "tier", "context", "max output", "$ in / M", "$ out / M", "as of")
    rows = [head, *(_row(model) for model in models)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    right = {3, 4, 5, 6}
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        + "\n"
        for row in rows
    ]


def _row(model: ModelFacts) -> tuple[str, ...]:
    rates = model.rates
    return (
        model.id,
        model.route,
        model.tier or "-",
        _number(model.context),
        _number(model.max_output),
        f"{rates.input:f}" if rates else "-",
        f"{rates.output:f}" if rates else "-",
        rates.as_of.isoformat() if rates else "-",
    )


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _details(model: ModelFacts) -> list[str]:
    from promptslim.report.escape import one_line

    facts: list[tuple[str, str]] = [
        ("vendor", model.vendor),
        ("family", model.family),
        ("kind", model.kind),
        ("route", model.route + (f", {model.geo} profile" if model.geo else "")),
        ("tier", model.tier or "not known"),
        ("context", f"{_number(model.context)} tokens" if model.context else "not known"),
        ("output limit", f"{_number(model.max_output)} tokens" if model.max_output else "not known"),
        ("tokens", "estimated" if model.tokenizer.startswith(f"{model.vendor}.") else f"counted as {model.tokenizer}"),
    ]
    if model.cache is not None:
        least = f"{model.cache.min_possible:,} to {model.cache.min_certain:,}"
        facts.append(("caching", f"from {least} tokens on ({model.cache.source})"))
    if model.lifecycle is not None and model.lifecycle.end is not None:
        facts.append(("end of life", f"{model.lifecycle.end.isoformat()} ({model.lifecycle.source})"))
    facts += _prices("price", model.rates)
    if model.global_rates is not None:
        facts += _prices("global price", model.global_rates)
    return [f"{one_line(model.id)}\n", *(f"  {name:<13} {one_line(value)}\n" for name, value in facts), "\n"]


def _prices(name: str, rates: Rates | None) -> list[tuple[str, str]]:
    if rates is None:
        return [(name, "not known")]
    from promptslim.pricing.rates import provenance

    parts = [f"${rates.input:f} in", f"${rates.output:f} out"]
    parts += [
        f"${price:f} {what}"
        for price, what in (
            (rates.cache_read, "cache read"),
            (rates.cache_write_5m, "cache write"),
            (rates.cache_write_1h, "cache write for 1h"),
            (rates.batch_input, "batch in"),
            (rates.batch_output, "batch out"),
        )
        if price is not None
    ]
    return [(name, f"{', '.join(parts)} per million tokens ({provenance(rates)})")]
