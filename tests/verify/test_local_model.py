"""The small model in this process, through the backend."""

from __future__ import annotations

from pathlib import Path

import pytest
from asking_by_hand import asking, request

from promptslim.core.call_fault import CannotCallError
from promptslim.verify.backend import Options, open_backend
from promptslim.verify.tariff import Tariff


@pytest.mark.slow
def test_the_model_answers_freely_and_the_same_again(tmp_path: Path) -> None:
    try:
        backend = open_backend("local", Options())
    except CannotCallError as error:
        pytest.skip(str(error))
    shots = "Q: What colour is the sky?\nA: blue\n\nQ: What colour is grass?\nA: green\n"
    asked = [request(f"r{number}", "Q: What colour is snow?\nA:", system=shots, stop=("\n",)) for number in range(2)]
    with asking(tmp_path / "journal", backend, prices=Tariff(None, free=True)) as run:
        found = run.ask(asked)
    first, second = found.answers["r0"], found.answers["r1"]
    assert first.text.strip() == "white"
    assert first.text == second.text
    assert first.usage == second.usage
    assert found.usd == 0


def test_weights_that_are_not_there_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(CannotCallError, match=r"none\.gguf: there is no such file"):
        open_backend("local", Options(weights=str(tmp_path / "none.gguf")))
