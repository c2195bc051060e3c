"""What goes wrong with calls of models and services."""

from __future__ import annotations


class CallFault(Exception):  # noqa: N818 (a fault of one call, which another attempt may not have)
    """One attempt that gave no usable answer. The message is one line.

    ``kind`` is the service's name for it, or ``timeout``, ``connection``, ``malformed``, ``missing``. ``again``:
    another attempt may succeed. ``billed``: the tokens may be on the bill all the same. ``throttled``: there is too
    much traffic. ``wait``: seconds that the service asks for, None where it says nothing.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        again: bool,
        billed: bool,
        throttled: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.again = again
        self.billed = billed
        self.throttled = throttled
        self.wait = wait


class CannotCallError(Exception):
    """No attempt will help, nor will any call like this: credentials, rights, an invalid request. The message is one
    line: what, where, what to do next."""
