"""One trimmer per file; see ``promptslim.trim.proposals``."""
