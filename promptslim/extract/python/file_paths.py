"""Paths that a program builds, and the files of the project that it reads through them.

A text file of the project that code reads is text like a literal: its characters keep their places in the file.
A YAML, TOML or JSON file gives its data. What lies outside the project, or is named at run time only, is a document
of unknown content.
"""

from __future__ import annotations

import ast
import posixpath
from typing import TYPE_CHECKING

from promptslim.core.prompt import Literal
from promptslim.core.record import replace
from promptslim.core.text import Document, Location, Span
from promptslim.extract.python.abstract import (
    UNKNOWN,
    Const,
    Entry,
    External,
    FilePath,
    Opaque,
    ProjectModule,
    Record,
    Sequence,
    Text,
    Value,
)
from promptslim.extract.python.frames import short

if TYPE_CHECKING:
    from promptslim.extract.files.data import DataNode
    from promptslim.extract.python.evaluate import Evaluator
    from promptslim.extract.python.frames import Frame

TEXT_SUFFIXES = frozenset({
    ".txt", ".md", ".markdown", ".prompt", ".prompty", ".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".template",
    ".mustache", ".hbs", ".xml", ".rst", "",
})  # fmt: skip
"""Suffixes of files whose text is taken for what is sent; others (code, tables, pages) are documents."""
DATA_SUFFIXES = frozenset({".yaml", ".yml", ".toml", ".json"})
MOST_TEXT = 2_000_000
MOST_ITEMS = 5_000

JOINS = frozenset({"os.path.join", "posixpath.join"})
SAME = frozenset({"os.path.abspath", "os.path.realpath", "os.path.normpath", "os.path.expanduser", "os.fspath"})
HERE = frozenset({"os.getcwd", "pathlib.Path.cwd"})
KEEPS = frozenset({"resolve", "absolute", "expanduser", "as_posix", "__enter__", "__fspath__"})
READS = frozenset({"read", "read_text", "read_bytes", "readlines", "decode"})
LOADS = frozenset({
    "yaml.safe_load", "yaml.full_load", "yaml.load", "tomllib.load", "tomllib.loads", "tomli.load", "tomli.loads",
    "toml.load", "toml.loads", "json.load", "json.loads", "orjson.loads",
})  # fmt: skip


def path_call(evaluator: Evaluator, name: str, node: ast.Call, frame: Frame) -> Value | None:
    """The value of a call that builds, opens or loads a file; None for any other call."""
    if name in ("pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath") or name in JOINS:
        return joined_path([evaluator.evaluate(argument, frame) for argument in node.args])
    if name in SAME or name == "os.path.dirname":
        made = path_of(evaluator.evaluate(node.args[0], frame)) if node.args else None
        if made is None:
            return None
        return _parent(made) if name == "os.path.dirname" else made
    if name in HERE:
        return FilePath(".")
    if name in ("builtins.open", "io.open", "codecs.open", "aiofiles.open"):
        made = path_of(evaluator.evaluate(node.args[0], frame)) if node.args else None
        return replace(made or FilePath(None), opened=True)
    if name in ("importlib.resources.files", "importlib_resources.files"):
        return _package(evaluator, node, frame)
    if name in ("importlib.resources.read_text", "importlib_resources.read_text", "pkgutil.get_data"):
        folder = _package(evaluator, node, frame)
        named = evaluator.evaluate(node.args[1], frame) if len(node.args) > 1 else UNKNOWN
        return read(evaluator, joined_path([folder, named]), node, frame)
    if name in LOADS and node.args:
        return _loaded(evaluator, evaluator.evaluate(node.args[0], frame), node, frame)
    return None


def path_of(value: Value) -> FilePath | None:
    """A value as a path."""
    match value:
        case FilePath():
            return value
        case Text() if value.exact is not None:
            return FilePath(value.exact)
        case _:
            return None


def joined_path(values: list[Value]) -> FilePath:
    """Path segments joined; a path that is not known from one of them on is not known."""
    made = FilePath(".")
    for index, value in enumerate(values):
        part = path_of(value)
        if part is None or part.path is None:
            return FilePath(None)
        whole = index == 0 or part.anchored or part.path.startswith("/")
        made = part if whole else FilePath(posixpath.join(made.path or ".", part.path), made.anchored)
    return made


def path_attribute(path: FilePath, name: str, node: ast.expr, frame: Frame) -> Value | None:
    """``path.parent`` and ``path.parents``; None for other attributes."""
    match name:
        case "parent":
            return _parent(path)
        case "parents":
            above: list[Value] = []
            current = path
            for _ in range(8):
                current = _parent(current)
                above.append(current)
            return Sequence(tuple(above))
        case "name" | "stem" | "suffix":
            return Opaque("unknown", short(frame.module, node), frame.module.locate(node))
        case _:
            return None


def path_method(evaluator: Evaluator, path: FilePath, name: str, node: ast.Call, frame: Frame) -> Value:
    """A method of a path or of an open file."""
    if name in READS:
        return read(evaluator, path, node, frame)
    if name in KEEPS:
        return path
    if name == "open":
        return replace(path, opened=True)
    if name in ("joinpath", "with_name", "with_suffix"):
        others = [evaluator.evaluate(argument, frame) for argument in node.args]
        if name == "joinpath":
            return joined_path([path, *others])
        return joined_path([_parent(path), *others]) if name == "with_name" else FilePath(None)
    return Opaque("unknown", short(frame.module, node), frame.module.locate(node))


def read(evaluator: Evaluator, path: FilePath, node: ast.Call, frame: Frame) -> Value:
    """The content of a file: its text where the project holds it and it is text, else a document."""
    document = document_of(evaluator, path, frame)
    if document is None:
        return Opaque("document", short(frame.module, node), frame.module.locate(node), file=path)
    place = Location(document, Span(0, len(document.text)))
    text = document.text
    return Text((Literal(text, place, range(len(text) + 1)),) if text else (), place)


def document_of(
    evaluator: Evaluator, path: FilePath, frame: Frame, suffixes: frozenset[str] = TEXT_SUFFIXES
) -> Document | None:
    """The file of the project that a path leads to, None where there is none of the right kind."""
    if path.path is None or posixpath.splitext(path.path)[1].lower() not in suffixes:
        return None
    return evaluator.workspace.document(frame.module.path, path.path, path.anchored, MOST_TEXT)


def _parent(path: FilePath) -> FilePath:
    if path.path is None:
        return path
    if path.anchored and not posixpath.dirname(path.path):
        above = posixpath.normpath(posixpath.join(path.path, ".."))
        return FilePath(above if path.path in (".", "..") or path.path.startswith("..") else ".", True)
    return FilePath(posixpath.dirname(path.path) or ".", path.anchored)


def _package(evaluator: Evaluator, node: ast.Call, frame: Frame) -> FilePath:
    """The folder of a package."""
    value = evaluator.evaluate(node.args[0], frame) if node.args else UNKNOWN
    match value:
        case ProjectModule(module=module):
            return FilePath(posixpath.dirname(module.path) or ".", True)
        case Opaque(expression="__package__" | "__name__"):
            return FilePath(posixpath.dirname(frame.module.path) or ".", True)
        case Text() if value.exact:
            dotted = value.exact
        case External(name=dotted):
            pass
        case _:
            return FilePath(None)
    found = evaluator.workspace.resolve(frame.module.path, dotted, 0)
    return FilePath(posixpath.dirname(found) or "." if found else None, True)


def _loaded(evaluator: Evaluator, given: Value, node: ast.Call, frame: Frame) -> Value | None:
    """What a YAML, TOML or JSON loader makes of an open file or of the text of one."""
    path = given if isinstance(given, FilePath) else _file_behind(given)
    if path is None:
        return (
            Opaque("unknown", short(frame.module, node), frame.module.locate(node))
            if isinstance(given, Opaque)
            else None
        )
    document = document_of(evaluator, path, frame, DATA_SUFFIXES)
    if document is not None:
        from promptslim.extract.files.data import data_of

        tree = data_of(document)
        if tree is not None:
            return _value(tree, 0)
    return Opaque("unknown", short(frame.module, node), frame.module.locate(node))


def _file_behind(given: Value) -> FilePath | None:
    """The file that a document of unknown content was read from, where the reading names it."""
    return given.file if isinstance(given, Opaque) else None


def _value(node: DataNode, depth: int) -> Value:
    from promptslim.extract.files.data import DataList, DataMap, DataText

    if depth > 20:
        return UNKNOWN
    match node:
        case DataText(text=text, source_map=source_map, location=location):
            return Text((Literal(text, location, source_map),) if text else (), location)
        case DataMap(entries=entries, location=location):
            if len(entries) > MOST_ITEMS:
                return Record(open="large file", location=location)
            made = {
                str(entry.key): Entry(str(entry.key), _value(entry.value, depth + 1), entry.place) for entry in entries
            }
            return Record(tuple(made.values()), None, location)
        case DataList(items=items, location=location):
            kept = tuple(_value(item, depth + 1) for item in items[:MOST_ITEMS])
            return Sequence(kept, len(items) > MOST_ITEMS, location=location)
        case _:
            return Const(node.value, node.location)
