"""Files to facts: the calls, prompts and comments of a file, with what can be resolved of them."""

from __future__ import annotations

from promptslim.extract.analysis import Analyser

__all__ = ["Analyser"]
