"""The engine, suppressions and baseline, and one rule per module in the folders, one folder per family."""
