"""The key of a request in journals and recordings."""

from __future__ import annotations

from promptslim.verify.request import Request, request_digest


def key_of(request: Request) -> str:
    """Its id and the hash of its content: another prompt under the same id is another request."""
    return f"{request.id} {request_digest(request)[:16]}"
