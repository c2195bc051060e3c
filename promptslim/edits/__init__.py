"""Changes of files: a change of prompt text written down for where it stands, checked, and applied."""
