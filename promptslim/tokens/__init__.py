"""Token counts: estimated, reconstructed, or by a vocabulary file; and their cache."""
