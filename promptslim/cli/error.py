"""Errors of the command line itself."""

from __future__ import annotations


class UsageError(Exception):
    """A command line that cannot be carried out. The message is one line: what, where, what to do next."""
