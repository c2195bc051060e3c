"""What a data file says, whatever its formatting: for eval sets that were reformatted since a proof."""

from __future__ import annotations

import json

from promptslim.proof.canonical import data_hash


def data_meaning(path: str, data: bytes) -> str | None:
    """The hash of the values of a YAML, JSON, JSON Lines or TOML file; None for other files and for broken ones."""
    try:
        text = data.decode("utf-8-sig")
        match path.rpartition(".")[2].lower():
            case "yaml" | "yml":
                import yaml

                loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
                return data_hash(list(yaml.load_all(text, Loader=loader)))
            case "json":
                return data_hash(json.loads(text))
            case "jsonl":
                return data_hash([json.loads(line) for line in text.splitlines() if line.strip()])
            case "toml":
                import tomllib

                return data_hash(tomllib.loads(text))
            case _:
                return None
    except (ValueError, TypeError, RecursionError):
        return None
    except Exception as error:
        # PyYAML is only loaded for YAML, so its error class cannot be named above.
        if type(error).__module__.startswith("yaml"):
            return None
        raise
