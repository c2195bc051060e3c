"""Rules on what flows into prompts."""
