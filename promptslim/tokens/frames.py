"""What the envelope of a request adds to the tokens of its content."""

from __future__ import annotations

import os
from functools import cache

from promptslim.config.data_folder import data_folder


def frame_tokens(key: str, messages: int = 1, names: int = 0) -> int | None:
    """Tokens that ``messages`` (at least 1) messages add around their content, None where it is not known.

    ``names`` is how many of them carry a name. A system prompt adds only its content. Tools, images and
    documents are not covered. rules/tokens/frames.toml gives the source of each figure.
    """
    frame = _frames().get(key)
    if frame is None or messages < 1:
        return None
    match frame:
        case {"messages": dict(known)}:
            found = known.get(str(messages))
            return found if isinstance(found, int) and not names else None
        case {"per_message": int(each), "per_name": int(named), "once": int(once)}:
            return each * messages + named * names + once
    return None


@cache
def _frames() -> dict[str, dict[str, object]]:
    import tomllib

    with open(os.path.join(data_folder(), "tokens", "frames.toml"), "rb") as file:  # noqa: PTH118, PTH123
        return tomllib.load(file)
