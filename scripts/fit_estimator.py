"""Fit the weights in rules/tokens/estimator.json to texts with known token counts. Needs numpy.

    python scripts/fit_estimator.py SAMPLES.jsonl            write weights and errors into the data file
    python scripts/fit_estimator.py SAMPLES.jsonl --report   only print the errors, by kind of text

A sample is one line: {"text": ..., "counts": {"<family>": tokens ...}, "split": "train" or "held", "kind": ...,
"weight": 1}. Weights of at least 0 minimise the squared relative error on the train samples. The errors in the
data file are the medians and 95th percentiles of |estimate / count - 1| on the held samples alone, so the two
parts must not share sources (repositories, languages). The word lists, scripts and blocks of the data file are
input: they define the features, and promptslim/tokens/estimate.py computes them.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from promptslim.tokens.estimate import TEXT_FEATURES, features  # noqa: E402

DATA = ROOT / "rules" / "tokens" / "estimator.json"
LEAST_UNFAMILIAR_ERROR = 0.4
"""Languages of one script differ by so much, and most have no sample."""
Samples = list[dict]  # type: ignore[type-arg]


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Non-negative least squares of x / y against 1 (the relative error), by coordinate descent."""
    a = x / y[:, None] * weight[:, None]
    h, g = a.T @ a + 1e-6 * np.eye(a.shape[1]), a.T @ weight
    w = np.maximum(np.linalg.lstsq(a, weight, rcond=None)[0], 0)
    for _ in range(3000):
        for j in range(len(w)):
            w[j] = max(0.0, w[j] + (g[j] - h[j] @ w) / h[j, j])
    return w


def error(ratio: np.ndarray, part: np.ndarray) -> dict[str, float]:
    off = np.abs(ratio[part] - 1)
    return {
        "texts": int(part.sum()),
        "median": round(float(np.median(off)), 3),
        "p95": round(float(np.quantile(off, 0.95)), 3),
        "max": round(float(off.max()), 3),
        "bias": round(float(np.median(ratio[part]) - 1), 3),
    }


def laid_out(data: dict[str, object]) -> str:
    """JSON with one line per entry and family, so that a change shows in a diff."""
    lines = []
    for key, value in data.items():
        if key != "families":
            lines.append(f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    families = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in data["families"].items()]  # type: ignore[attr-defined]
    lines.append(' "families": {\n' + ",\n".join(families) + "\n }")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path)
    parser.add_argument("--report", action="store_true", help="write nothing; print the errors by kind of text")
    options = parser.parse_args(arguments)
    samples: Samples = [json.loads(line) for line in options.samples.read_text(encoding="utf-8").splitlines()]
    data = json.loads(DATA.read_text(encoding="utf-8"))
    names = [*TEXT_FEATURES, *data["scripts"]]
    seen = [features(sample["text"]) for sample in samples]
    x = np.array([found.values for found in seen])
    familiar = np.array([found.familiar for found in seen])
    held = np.array([sample["split"] == "held" for sample in samples])
    weight = np.array([float(sample.get("weight", 1)) for sample in samples])
    kinds = np.array([sample["kind"] for sample in samples])
    missing = [name for i, name in enumerate(names) if not x[~held, i].any()]
    if missing:
        raise SystemExit(f"no train sample has any of: {', '.join(missing)}")
    data["families"] = {}
    for family in samples[0]["counts"]:
        y = np.array([float(sample["counts"][family]) for sample in samples])
        w = fit(x[~held], y[~held], weight[~held])
        ratio = x @ w / y
        measured = {"familiar": error(ratio, held & familiar), "unfamiliar": error(ratio, held & ~familiar)}
        data["families"][family] = {
            "weights": {name: round(float(v), 4) for name, v in zip(names, w, strict=True) if v > 0},
            "error": {
                "familiar": measured["familiar"]["p95"],
                "unfamiliar": max(measured["unfamiliar"]["p95"], LEAST_UNFAMILIAR_ERROR),
            },
            "held_back": measured,
        }
        print(family, *(f"{kind} {found}" for kind, found in measured.items()), sep="\n  ")
        if options.report:
            for kind in dict.fromkeys(kinds[held]):
                for name, mask in (("familiar", familiar), ("unfamiliar", ~familiar)):
                    if (part := held & mask & (kinds == kind)).any():
                        print(f"    {kind} {name} {error(ratio, part)}")
    if not options.report:
        DATA.write_text(laid_out(data), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
