"""The modules of a project: imports resolved to files, callers found, each module parsed once."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator
from functools import lru_cache

from promptslim.core.files import ProjectFiles
from promptslim.core.text import Document
from promptslim.extract.python.module import Module, parse_module
from promptslim.extract.python.scopes import FunctionNode

MOST_CALLERS = 12
"""Call sites looked at for one parameter; a function with more is a library function: nothing is claimed."""
MOST_CALLER_FILES = 12
SOURCE_ROOTS = ("", "src", "lib", "python", "app", "backend")


class Workspace:
    """Parsed modules of one run, by path. All reading goes through ``files``."""

    def __init__(self, files: ProjectFiles, outside: frozenset[str] = frozenset()) -> None:
        """``outside`` are packages that stay external even where the project holds them: the SDKs themselves."""
        self.files = files
        self.outside = outside
        self._modules: dict[str, Module | None] = {}
        self._documents: dict[str, Document | None] = {}
        self._callers: dict[tuple[str, str], tuple[tuple[Module, ast.Call], ...]] = {}
        self._resolved: dict[tuple[str, str, int], str | None] = {}

    def module(self, path: str) -> Module | None:
        """The module in a file; None where it cannot be read or parsed."""
        if path not in self._modules:
            self._modules[path] = None  # an import cycle meets a module that is not there yet
            text = self.files.text(path)
            if text is not None:
                module = module_of(path, text)
                self._modules[path] = None if module.errors and not module.notebook else module
        return self._modules[path]

    def loaded(self, path: str) -> Module | None:
        """The module of a path where an import has already parsed it."""
        return self._modules.get(path)

    def add(self, module: Module) -> None:
        """Makes an already parsed module the one that imports of its path get."""
        self._modules[module.path] = module

    def resolve(self, importer: str, dotted: str, level: int) -> str | None:
        """The project file that ``from <level dots><dotted> import`` in ``importer`` means, or None."""
        if not level and dotted.split(".", 1)[0] in self.outside:
            return None
        key = (posixpath.dirname(importer), dotted, level)
        if key not in self._resolved:
            self._resolved[key] = self._resolve(*key)
        return self._resolved[key]

    def _resolve(self, folder: str, dotted: str, level: int) -> str | None:
        tail = dotted.replace(".", "/")
        if level:
            base = posixpath.normpath(posixpath.join(folder or ".", "../" * (level - 1), tail))
            return self._file(base)
        for base in dict.fromkeys((*self._upwards(folder), *self._source_roots())):
            found = self._file(posixpath.normpath(posixpath.join(base, tail)))
            if found is not None:
                return found
        return None

    def _upwards(self, folder: str) -> Iterator[str]:
        """The folder of a file and those above it, up to the project's root."""
        root = posixpath.normpath(self.files.root)
        current = posixpath.normpath(folder or ".")
        for _ in range(64):
            yield current
            if current == root:
                return
            current = posixpath.normpath(posixpath.join(current, ".."))

    def _source_roots(self) -> Iterator[str]:
        for source_root in SOURCE_ROOTS:
            yield posixpath.join(self.files.root, source_root)

    def _file(self, base: str) -> str | None:
        if base in (".", "..") or base.endswith("/.."):
            candidates: tuple[str, ...] = (posixpath.normpath(base + "/__init__.py"),)
        else:
            candidates = (base + ".py", base + "/__init__.py")
        for candidate in candidates:
            if self.files.exists(candidate):
                return candidate
        return None

    def document(self, reader: str, path: str, anchored: bool, most: int) -> Document | None:
        """The text file that code in ``reader`` means by a path, None where the project has none. An anchored path
        is taken as it is; any other may be meant from the project's root, the file's folder or one between."""
        bases = ("",) if anchored else (*dict.fromkeys((self.files.root, *self._upwards(posixpath.dirname(reader)))),)
        for base in bases:
            candidate = posixpath.normpath(posixpath.join(base, path))
            if candidate in self._documents or self.files.exists(candidate):
                if candidate not in self._documents:
                    text = self.files.text(candidate)
                    usable = text is not None and len(text) <= most
                    self._documents[candidate] = Document(candidate, text) if usable and text is not None else None
                return self._documents[candidate]
        return None

    def callers(self, module: Module, name: str) -> tuple[tuple[Module, ast.Call], ...] | None:
        """Call sites of something named ``name``: in its own module, else anywhere in the project.

        None where there are too many to look at. The caller still has to check what each one calls.
        """
        key = (module.path, name)
        if key not in self._callers:
            found = [(module, call) for call in module.index.calls.get(name, ())]
            paths = [path for path in self.files.callers(name) if path != module.path and self._imports(path, module)]
            if len(paths) <= MOST_CALLER_FILES:
                for path in paths:
                    other = self.module(path)
                    if other is not None:
                        found.extend((other, call) for call in other.index.calls.get(name, ()))
            found.sort(key=lambda item: (item[0] is not module, item[0].path, item[1].lineno, item[1].col_offset))
            self._callers[key] = tuple(found)
        found_calls = self._callers[key]
        return found_calls if len(found_calls) <= MOST_CALLERS * 4 else None

    def _imports(self, path: str, module: Module) -> bool:
        """True where the text of a file names a module or its package: only then can it import from it."""
        if path not in self._modules:
            text = self.files.text(path)
            if text is None:
                return False
            folder, _, file = module.path.rpartition("/")
            stem = file.partition(".")[0]
            names = (
                {folder.rpartition("/")[2] or stem} if stem == "__init__" else {stem, folder.rpartition("/")[2] or stem}
            )
            return any(name in text for name in names)
        return True


def module_of(path: str, text: str) -> Module:
    """Parses the text of a Python file or notebook."""
    if path.endswith(".ipynb"):
        from promptslim.extract.notebook import notebook_module

        return notebook_module(path, text)
    return parse_module(path, (Document(path, text),), text, (0,), notebook=False)


@lru_cache(maxsize=4096)
def returns_of(function: FunctionNode) -> list[ast.expr] | None:
    """The expressions a function returns; None for a generator. A bare ``return`` gives no entry."""
    if isinstance(function, ast.Lambda):
        return [function.body]
    found: list[ast.expr] = []
    stack: list[ast.AST] = list(reversed(function.body))
    while stack:
        node = stack.pop()
        match node:
            case ast.Yield() | ast.YieldFrom():
                return None
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() | ast.ClassDef():
                continue
            case ast.Return(value=value):
                if value is not None:
                    found.append(value)
                    if any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in ast.walk(value)):
                        return None
                continue
            case _:
                pass
        stack.extend(reversed(list(ast.iter_child_nodes(node))))
    return found
