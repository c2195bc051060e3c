"""``python -m promptslim``."""

from promptslim.cli.main import entry

if __name__ == "__main__":
    entry()
