"""Fixed text in later messages of the same request counts too, where it could be cached by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

import promptslim

CODE = '''
from datetime import datetime

import anthropic

client = anthropic.Anthropic()
GUIDE = """{guide}"""


def answer(ticket):
    return client.messages.create(
        model="claude-sonnet-4-5",
        max_tokens=300,
        system={system},
        messages=[{messages}],
    )
'''
SENTENCE = "Parcels leave on working day {} and islands wait for three more days after that. "
USER = '{"role": "user", "content": f"{GUIDE}\\n{ticket}"}'
TIMED = 'f"You sell shoes. It is {datetime.now().isoformat()}."'


def lines(folder: Path, *, sentences: int, system: str = TIMED, messages: str = USER) -> list[int]:
    guide = "".join(SENTENCE.format(number) for number in range(sentences))
    text = CODE.replace("{guide}", guide).replace("{system}", system).replace("{messages}", messages)
    (folder / "app.py").write_text(text, "utf-8")
    found = promptslim.check([str(folder / "app.py")], isolated=True, select=["PS302"], cache=False).findings
    return [finding.primary.start[0] for finding in found]


@pytest.mark.parametrize(("sentences", "expected"), [(100, [14]), (20, [])])
def test_a_changing_system_prompt_before_a_long_message(tmp_path: Path, sentences: int, expected: list[int]) -> None:
    assert lines(tmp_path, sentences=sentences) == expected


def test_nothing_changes_before_the_guide(tmp_path: Path) -> None:
    assert lines(tmp_path, sentences=100, system='"You sell shoes."') == []


def test_a_date_is_no_reason_to_move_a_message(tmp_path: Path) -> None:
    assert lines(tmp_path, sentences=100, system='f"You sell shoes. It is {datetime.now():%Y-%m-%d}."') == []


def test_text_behind_a_conversation_is_new_in_every_turn(tmp_path: Path) -> None:
    messages = '*ticket["turns"], {"role": "user", "content": GUIDE}'
    assert lines(tmp_path, sentences=100, system='"You sell shoes."', messages=messages) == []
