"""Prompts of a file whose request is not a call site of its own: sent through a model object, or named as prompts
and handed to something that cannot be followed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from promptslim.core.facts import FileFacts
    from promptslim.core.prompt import Prompt


def sent_unseen(file: FileFacts) -> Iterator[Prompt]:
    """The prompts that no request of the file sends, answers of the model and tool definitions left out."""
    requests = {call.id for call in file.calls if call.kind == "request"}
    for prompt in file.prompts:
        if prompt.role not in ("assistant", "tool", "tools") and requests.isdisjoint(prompt.used_by):
            yield prompt
