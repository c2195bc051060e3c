"""What a trimmer is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptslim.core.prompt import Prompt
from promptslim.core.record import record
from promptslim.structure.segment import Structure

_PROGRAMS = (".py", ".pyi", ".ipynb")


@record
class Subject:
    """A prompt with its structure; ``phrases`` is ``rules/phrases.toml``."""

    prompt: Prompt
    structure: Structure
    phrases: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The flat text, to which the offsets of changes refer."""
        return self.structure.flat.text

    @property
    def templated(self) -> bool:
        """Whether a template engine decides on blank space around placeholders."""
        return self.prompt.shape in ("jinja", "mustache")

    @property
    def in_program(self) -> bool:
        """Whether the text stands in the source of a program, whose layout is its author's."""
        return self.prompt.location.path.endswith(_PROGRAMS)

    def shown(self, offset: int) -> bool:
        """Whether a place stands in an example, which shows a form and does not tell one."""
        return any(one.start <= offset < one.end for one in self.structure.examples) or any(
            one.example for one in self.structure.inside(offset, offset + 1)
        )
