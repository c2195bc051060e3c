"""Prove on an eval set that a shorter prompt is not worse."""
