"""What the names of roles in messages mean."""

from __future__ import annotations

from promptslim.core.prompt import Role

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}
"""Name of a role in a message -> role."""
