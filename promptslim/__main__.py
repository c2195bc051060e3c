"""``python -m promptslim``."""

import sys

from promptslim.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
