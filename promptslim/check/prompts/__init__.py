"""Rules on prompt text."""
