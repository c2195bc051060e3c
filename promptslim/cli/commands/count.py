"""Count tokens."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from promptslim.cli.error import UsageError
from promptslim.cli.parameters import Argument, Given, Option, Parameters
from promptslim.cli.session import write
from promptslim.cli.settings_flags import CONFIGURATION, configured

if TYPE_CHECKING:
    from collections.abc import Callable

    from promptslim.core.result import TokenCount

PARAMETERS: Parameters = (
    Argument("files", "Text files; - or nothing reads standard input.", many=True),
    Option(("--model",), "Count as this model does; may be given several times.", "list", "ID"),
    Option(("--exact",), "Ask Amazon Bedrock, free of charge: each text is sent there as one message."),
    Option(
        ("--calibrate",),
        "Ask Amazon Bedrock the same, of the files or of the prompts found here, and give the factor for estimates.",
    ),
    Option(("--tokenizer",), "Count with this tokenizer.json, all but Claude.", "value", "FILE"),
    Option(("--output-format",), "Format of the counts.", "value", choices=("text", "json")),
    *CONFIGURATION,
)


def run(given: Given) -> int:
    """Count the tokens of text files, each as a whole, with the method and the band of the count.

    Without a model the count is an estimate whose band covers the known families. Nothing is sent anywhere, unless
    --exact or --calibrate asks for it.
    """
    from promptslim.pipeline import run as pipeline

    place, _ = configured(given)
    catalog = pipeline.catalog_of(place)
    models = given.listed("model") or (None,)
    for model in models:
        if model is not None and catalog.model(model) is None:
            raise UsageError(
                f"nothing is known of the model {model!r}; `promptslim models` lists the known ones, "
                "[tool.promptslim.models] names yours"
            )
    as_json = given.value("output_format") == "json"
    if given.flag("calibrate"):
        from promptslim.cli.calibrating import calibrated, prompts_in

        if given.flag("exact"):
            raise UsageError("--calibrate shows the counts of --exact as well; leave --exact out")
        named = [(name, _text(name, place.cwd)) for name in given.listed("files") or ()]
        write([calibrated(named or prompts_in(place), given.listed("model") or (), place, as_json)])
        return 0
    texts = [(name, _text(name, place.cwd)) for name in given.listed("files") or ("-",)]
    if given.flag("exact"):
        rows = _asked(texts, given.listed("model") or (), place.settings.region, catalog.base_of)
    else:
        rows = [(name, model, pipeline.count(text, model, place)) for name, text in texts for model in models]
    write([_json(rows)] if as_json else _lines(rows))
    return 0


def _asked(
    texts: list[tuple[str, str]], models: tuple[str, ...], region: str | None, base_of: Callable[[str], str]
) -> list[tuple[str, str | None, TokenCount]]:
    """The counts of the service, with the frame of the message in them."""
    from promptslim.aws.clients import Account
    from promptslim.aws.runtime import count_text
    from promptslim.core.call_fault import CannotCallError
    from promptslim.core.result import TokenCount

    if not models:
        raise UsageError("--exact needs a model: add --model with the id of a model on Amazon Bedrock")
    try:
        only = [text for _, text in texts]
        counts = {model: count_text(only, model, Account(region), base_of(model)) for model in models}
    except CannotCallError as error:
        raise UsageError(f"{error}; without --exact the count is made here") from None
    return [
        (name, model, TokenCount(n, n, n, "api"))
        for number, (name, _) in enumerate(texts)
        for model in models
        for n in (counts[model][number],)
    ]


def _text(name: str, cwd: str) -> str:
    from promptslim.discover.decode import DecodeError, decode
    from promptslim.discover.reading import MAX_NOTEBOOK_BYTES, read_bytes

    try:
        data = sys.stdin.buffer.read() if name == "-" else read_bytes(os.path.join(cwd, name))  # noqa: PTH118
        if len(data) > MAX_NOTEBOOK_BYTES:
            raise UsageError(f"{name}: larger than {MAX_NOTEBOOK_BYTES // 1_000_000} MB; count a part of it")
        return decode(data, python=False).text
    except DecodeError as error:
        raise UsageError(f"{name}: {error}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _lines(rows: list[tuple[str, str | None, TokenCount]]) -> list[str]:
    from promptslim.report.escape import one_line, path
    from promptslim.report.quantity import tokens

    return [
        f"{path(name)}: {tokens(count)}" + (f" for {one_line(model)}" if model else "") + "\n"
        for name, model, count in rows
    ]


def _json(rows: list[tuple[str, str | None, TokenCount]]) -> str:
    import json

    counts = [
        {
            "path": name,
            "model": model,
            "tokens": count.n,
            "low": count.low,
            "high": count.high,
            "method": count.method,
            "calibrated": count.calibrated,
            "factor": count.factor,
        }
        for name, model, count in rows
    ]
    return json.dumps({"version": 1, "counts": counts}, indent=1) + "\n"
