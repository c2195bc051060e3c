"""Rules on output caps."""
