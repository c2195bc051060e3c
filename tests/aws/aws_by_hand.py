"""What the environment says of AWS. It is read when tests are collected: afterwards it is scrubbed."""

from __future__ import annotations

import os

ENVIRONMENT = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "PROMPTSLIM_TEST_AWS"))}
CHOSEN = bool(ENVIRONMENT.get("PROMPTSLIM_TEST_AWS"))
