"""Llama: the chat template of Llama 3 or 4 written out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptslim.core.call_fault import CannotCallError
from promptslim.pricing.cost import Usage
from promptslim.verify.answer import Answer
from promptslim.verify.request import Request

BODIES = ("llama",)
_STOPS = {"stop": "end_turn", "length": "max_tokens"}


def write(request: Request) -> dict[str, Any]:
    """A prompt in Meta's template (model-parameters page for Llama, AWS user guide, 2026). Raises CannotCallError for
    what this body has no place for."""
    if request.stop or request.tools:
        raise CannotCallError(f"{request.model}: InvokeModel takes no stop_sequences and no tools; use Converse")
    mark = ("<|header_start|>", "<|header_end|>", "<|eot|>")
    if "llama3" in request.model:
        mark = ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
    turns = [("system", request.system)] if request.system else []
    turns += [(one.role, one.text) for one in request.messages]
    text = "".join(f"{mark[0]}{role}{mark[1]}\n\n{said}{mark[2]}" for role, said in turns)
    body = {
        "prompt": f"<|begin_of_text|>{text}{mark[0]}assistant{mark[1]}\n\n",
        "max_gen_len": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
    }
    return {key: value for key, value in body.items() if value is not None}


def read(body: Mapping[str, Any], headers: Mapping[str, str], seconds: float) -> Answer:
    """The generation and its counts."""
    del headers
    reason = body["stop_reason"]
    usage = Usage(body["prompt_token_count"], body["generation_token_count"])
    return Answer(body["generation"], _STOPS.get(reason, reason), (), seconds, None, usage)
