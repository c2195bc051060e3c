"""Shorter prompts that say the same: trimmers that propose, and the protection that every proposal has to pass."""
