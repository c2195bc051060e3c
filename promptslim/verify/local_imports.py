"""The modules that a grader's Python file imports from its own folder, so that a proof rests on them too."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator

from promptslim.verify.suite import Read


def local_imports(path: str, read: Read) -> tuple[str, ...]:
    """The paths of the modules beside ``path`` that it imports, and that those import, in order; what cannot be parsed
    imports nothing. Imports by name at run time are not seen."""
    folder = posixpath.dirname(path)
    found: dict[str, None] = {}
    waiting = [path]
    while waiting:
        for name in _imported(read(waiting.pop()) or b""):
            for module in _files(folder, name):
                if module != path and module not in found and read(module) is not None:
                    found[module] = None
                    waiting.append(module)
    return tuple(sorted(found))


def _imported(data: bytes) -> Iterator[str]:
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(module=str() as module, names=names, level=0):
                yield module
                yield from (f"{module}.{one.name}" for one in names)


def _files(folder: str, name: str) -> Iterator[str]:
    """Where a module and the packages around it may stand."""
    steps = name.split(".")
    for count in range(1, len(steps) + 1):
        place = posixpath.join(folder, *steps[:count])
        yield from (f"{place}.py", f"{place}/__init__.py")
