"""Files that hold no application code of the project's own, left out unless they are asked for."""

from __future__ import annotations

import re

TEST = "test"
VENDORED = "vendored"
GENERATED = "generated"

_TEST_FOLDERS = frozenset({"test", "tests", "__tests__"})
_VENDOR_FOLDERS = frozenset(
    {"_vendor", "_vendored", "third-party", "third_party", "thirdparty", "vendor", "vendored", "vendors"}
)
_GENERATED_NAMES = ("_pb2.py", "_pb2_grpc.py")
_HEADER_BYTES = 2_048
_MINIFIED_BYTES = 20_000
_MINIFIED_LINE = 1_000

# In the leading comment or docstring only: a prompt that says "do not edit" is no generated file.
_LEADING = re.compile(rb"(?:\s*+(?:\xef\xbb\xbf)?(?:#[^\n]*+|[rR]?(?:\"\"\"|''')[^\n]*+))++")
_GENERATED = re.compile(
    rb"@generated|\bdo not edit\b|\bauto-?generated (?:by|from)\b|\b(?:code|file) (?:was |is )?generated (?:by|from)\b",
    re.IGNORECASE,
)


def folder_reason(name: str) -> str | None:
    """Why the files of a folder of this name are left out, None where they are not."""
    if name in _TEST_FOLDERS:
        return TEST
    return VENDORED if name in _VENDOR_FOLDERS else None


def name_reason(name: str) -> str | None:
    """Why a file of this name is left out, None where it is not."""
    if name.startswith("test_") or name == "conftest.py" or name.endswith(("_test.py", "_tests.py")):
        return TEST
    return GENERATED if name.endswith(_GENERATED_NAMES) else None


def is_generated(data: bytes) -> bool:
    """Whether a Python file says in its leading comments or the first line of its docstring that a program
    wrote it, or has been minified (lines of 1,000 bytes on average)."""
    leading = _LEADING.match(data, 0, _HEADER_BYTES)
    if leading is not None and _GENERATED.search(leading[0]):
        return True
    return len(data) > _MINIFIED_BYTES and data.count(b"\n") * _MINIFIED_LINE < len(data)
