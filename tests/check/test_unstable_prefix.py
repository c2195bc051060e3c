"""What makes the order of a cached system prompt differ, as programs write it, and what settles it."""

from __future__ import annotations

from pathlib import Path

import pytest

import promptslim

CODE = """
import json
import random

import anthropic

client = anthropic.Anthropic()
RULES = "Never quote an hour of arrival, only a date range taken from the table. " * 200


def answer(question, names, other, table, generator, hints: set[str], ranks: set[int], count: int):
{body}
    return client.messages.create(
        model="claude-sonnet-4-5",
        max_tokens=300,
        system=[{"type": "text", "text": f"{text}\\n{RULES}", "cache_control": {"type": "ephemeral"}}],
        messages=[{"role": "user", "content": question}],
    )
"""


def messages(folder: Path, body: str) -> list[str]:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    (folder / "app.py").write_text(CODE.replace("{body}", lines), "utf-8")
    found = promptslim.check([str(folder / "app.py")], isolated=True, select=["PS304"], cache=False).findings
    return [finding.message for finding in found]


SETS = [
    'text = ", ".join(set(names))',
    'text = ", ".join(hints)',
    'text = ", ".join(hints - set(names))',
    'text = ", ".join(set(names).union(other))',
    'text = ", ".join(table.keys() - names)',
    'text = "\\n".join(map(str, frozenset(names)))',
    'text = "\\n".join(f"{i}. {name}" for i, name in enumerate({name.strip() for name in names}))',
    'text = "\\n".join(["always", *set(names)])',
    'text = "\\n".join(["always"] + list(set(names)))',
    "text = str(set(names))",
    "text = list(hints)",
    'text = json.dumps({"names": list(set(names))})',
    "text = json.dumps(dict.fromkeys(set(names), 0))",
    "text = json.dumps({name: table[name] for name in hints})",
    'text = ""\nfor name in hints:\n    text += f"- {name}\\n"',
    'lines = []\nfor name in hints:\n    lines.append(table[name])\ntext = "\\n".join(lines)',
    'kept = set()\nfor name in names:\n    kept.add(name.lower())\ntext = ", ".join(kept)',
    'kept = set(names)\nkept |= set(other)\ntext = ", ".join(kept)',
]

SETTLED = [
    'text = ", ".join(sorted(set(names)))',
    'text = ", ".join(sorted(hints - set(names)))',
    'text = ", ".join(dict.fromkeys(names))',
    'text = ", ".join(name for name in names if name in set(other))',
    'kept = list(set(names))\nkept.sort()\ntext = ", ".join(kept)',
    'kept = list(set(names))\nkept = sorted(kept, key=str.lower)\ntext = ", ".join(kept)',
    "text = json.dumps({name: 1 for name in hints}, sort_keys=True)",
    'text = f"{len(set(names))} names"',
    "text = max(set(names), key=len)",
    'text = ", ".join(str(rank) for rank in ranks)',
    'text = ", ".join(str(grade) for grade in {1, 2, 3})',
    'text = ", ".join({"only"})',
    'text = f"{count | 1}"',
    'seen = set()\nfor name in names:\n    seen.add(name)\ntext = ", ".join(names)',
    'text = ""\nfor name in sorted(hints):\n    text += f"- {name}\\n"',
]

RANDOM = [
    'text = "\\n".join(random.sample(names, 5))',
    'text = "\\n".join(f"{i}. {name}" for i, name in enumerate(random.sample(names, 5)))',
    'random.shuffle(names)\ntext = "\\n".join(names)',
    'text = ""\nfor name in random.sample(names, 5):\n    text += f"- {name}\\n"',
]

DRAWN = [
    'text = "\\n".join(random.Random(7).sample(names, 5))',
    'generator.shuffle(names)\ntext = "\\n".join(names)',
    'random.seed(7)\nrandom.shuffle(names)\ntext = "\\n".join(names)',
    'copy = list(names)\nif other:\n    random.shuffle(copy)\ntext = "\\n".join(copy)',
]


@pytest.mark.parametrize("body", SETS)
def test_the_order_of_a_set_is_found(body: str, tmp_path: Path) -> None:
    (message,) = messages(tmp_path, body)
    assert message.startswith("the order of a set in the system prompt differs from process to process")


@pytest.mark.parametrize("body", RANDOM)
def test_a_random_order_is_found(body: str, tmp_path: Path) -> None:
    (message,) = messages(tmp_path, body)
    assert message.startswith("the order of what stands in the system prompt is random")


@pytest.mark.parametrize("body", [*SETTLED, *DRAWN])
def test_what_is_settled_is_left_alone(body: str, tmp_path: Path) -> None:
    assert messages(tmp_path, body) == []
