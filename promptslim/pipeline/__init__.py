"""The stages put together: paths to facts, and facts to findings, an inventory or counts."""
