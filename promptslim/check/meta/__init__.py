"""Rules on this tool's own working."""
