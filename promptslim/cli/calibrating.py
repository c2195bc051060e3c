"""``count --calibrate``: the factor that brings the estimates of a tokenizer to the counts of Amazon Bedrock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from promptslim.cli.error import UsageError

if TYPE_CHECKING:
    from promptslim.pipeline.run import Place
    from promptslim.tokens.calibration import Calibration

Texts = Sequence[tuple[str, str]]
"""Names and texts."""


def calibrated(texts: Texts, models: Sequence[str], place: Place, as_json: bool) -> str:
    """The counts, the factor and the lines of the configuration that keep it. Raises UsageError."""
    from promptslim.aws.clients import Account
    from promptslim.aws.runtime import count_text
    from promptslim.core.call_fault import CannotCallError
    from promptslim.pipeline.run import catalog_of
    from promptslim.tokens.calibration import LETTER, TooLittleTextError, calibration

    if len(models) != 1:
        raise UsageError("--calibrate needs one model: give --model once, with the id of a model on Amazon Bedrock")
    model = models[0]
    facts = catalog_of(place).model(model)
    if facts is None:
        raise UsageError(f"nothing is known of the model {model!r}")
    different = {text: name for name, text in reversed(texts) if text.strip()}
    known = [(name, text) for text, name in reversed(different.items())]
    if not known:
        raise UsageError("no text to calibrate by: name files, or run it in a folder whose code has prompts")
    try:
        asked = [LETTER, *(text for _, text in known)]
        one, *counted = count_text(asked, model, Account(place.settings.region), facts.base)
        found = calibration([text for _, text in known], counted, one, facts.tokenizer)
    except (CannotCallError, TooLittleTextError) as error:
        raise UsageError(str(error)) from None
    names = [name for name, _ in known]
    return _json(names, model, facts.tokenizer, found) if as_json else "".join(_lines(names, facts.tokenizer, found))


def prompts_in(place: Place) -> Texts:
    """Ids and static texts of the prompts in the working directory."""
    from promptslim.extract.definitions import definitions
    from promptslim.pipeline.run import analyse

    return [(prompt.id, prompt.static_text) for prompt in definitions(analyse(["."], place).facts)]


def _lines(names: Sequence[str], family: str, found: Calibration) -> Iterator[str]:
    from promptslim.report.escape import path

    for name, rough, true in zip(names, found.estimated, found.counted, strict=True):
        yield f"{path(name)}: {rough:,} tokens estimated, {true:,} counted by Amazon Bedrock ({true / rough:.3f})\n"
    yield (
        f"{family}: factor {found.factor:g} over {sum(found.counted):,} tokens, single texts from {found.lowest:.3f} "
        f"to {found.highest:.3f}; the {found.frame} tokens of a message around each text are left out\n"
        "\nTo use it, put this into pyproject.toml (in promptslim.toml the table is [calibration]):\n\n"
        f"[tool.promptslim.calibration]\n{json.dumps(family)} = {found.factor:g}\n"
    )


def _json(names: Sequence[str], model: str, family: str, found: Calibration) -> str:
    rows = [
        {"path": name, "estimated": rough, "counted": true}
        for name, rough, true in zip(names, found.estimated, found.counted, strict=True)
    ]
    data = {
        "version": 1,
        "model": model,
        "family": family,
        "factor": found.factor,
        "lowest": found.lowest,
        "highest": found.highest,
        "frame": found.frame,
        "texts": rows,
    }
    return json.dumps(data, indent=1) + "\n"
