"""Where the requests of a client go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptslim.core.values import Absent, Known

if TYPE_CHECKING:
    from promptslim.core.call import LlmCall


def at_openai_endpoint(call: LlmCall) -> bool:
    """True where the client provably speaks to OpenAI's own service or Azure's: other servers of the same API take
    other arguments."""
    match call.client.base_url.only:
        case Absent():
            return True
        case Known(value=str(url)):
            return "openai.com" in url or "openai.azure.com" in url
        case _:
            return False
