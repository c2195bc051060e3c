"""Values whose length a program looks at before it sends them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from promptslim.core.prompt import Hole


def is_measured(hole: Hole) -> bool:
    """True where the program compares the length of the value with something: it has its own limit."""
    names = {hole.expression}
    text = hole.location.document.text if hole.location is not None else ""
    if hole.source is not None:
        line, _ = hole.source.start
        names.add(hole.source.document.line(line).partition("=")[0].strip())
        text = f"{text}\n{hole.source.document.text}"
    return any(
        name.isidentifier() and re.search(rf"\blen\({name}\)\s*[<>]|[<>]=?\s*len\({name}\)", text) for name in names
    )
