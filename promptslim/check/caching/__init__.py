"""Rules on prompt caching."""
