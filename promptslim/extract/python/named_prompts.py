"""Prompts that a program names as such: constants, variables, functions and arguments whose name says prompt.

Many programs define their prompts in modules of their own and send them through wrappers that cannot be followed.
The name is what then tells a prompt from any other long string; docstrings, pages and samples have other names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import Hole, Literal, Part, Prompt, Role, Shape
from promptslim.core.record import replace
from promptslim.core.text import Location
from promptslim.extract.python.abstract import Record, Sequence, Template, Text, Union, Value
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.module import Module
from promptslim.extract.python.prompts import definition_place, first_line
from promptslim.extract.python.texts import cut, part_place
from promptslim.extract.python.workspace import returns_of

NAME = pattern(r"(?:^|_)(?:prompts?|instructions?|sysprompt|system_message)(?:_|\d|$)|[a-z]Prompt$", re.IGNORECASE)
OTHER = pattern(
    r"(?:^|_)(?:negative|path|file|name|id|ids|tokens?|url|version|hash|key|css|html|help|desc|image|shell)(?:_|$)",
    re.IGNORECASE,
)
SYSTEM = pattern(r"sys|instruction|persona|guardrail", re.IGNORECASE)
PLACEHOLDER = pattern(r"(?<!\{)\{([A-Za-z_]\w*)\}(?!\})")
DOUBLE = pattern(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
BLOCK = pattern(r"\{%-?\s*\w+")

LEAST_TEXT = 200
"""Characters of a text without holes that count as a prompt: shorter ones may be a question to a person."""
LEAST_WITH_HOLES = 30
MOST_PROMPTS = 2_000


def named_prompts(module: Module, evaluator: Evaluator, sent: Iterable[Prompt]) -> Iterator[Prompt]:
    """The prompts that the names of a module tell, without those whose text is already among ``sent``."""
    known = {_key(place) for prompt in sent for place in _places(prompt.parts)}
    for name, value, node in _candidates(module, evaluator):
        for label, text in _texts(name, value):
            prompt = _prompt(module, label, text, node)
            if prompt is None:
                continue
            places = {_key(place) for place in _places(prompt.parts)}
            if places and not places <= known:
                known |= places
                yield prompt


def template_shape(parts: Iterable[Part]) -> Shape:
    """How the placeholders of a text are written that is not filled where it is defined."""
    parts = tuple(parts)
    text = "".join(part.text for part in parts if isinstance(part, Literal))
    if any(isinstance(part, Hole) for part in parts):
        return "python"
    if PLACEHOLDER.search(text):
        return "format"
    if BLOCK.search(text):
        return "jinja"
    return "mustache" if DOUBLE.search(text) else "python"


def _candidates(module: Module, evaluator: Evaluator) -> Iterator[tuple[str, Value, ast.AST]]:
    """Names with their values, in the order of the text."""
    found = [named for node in _statements(module.tree) for named in _named(node)]
    found += _arguments(module)
    found.sort(key=lambda named: (named[1].lineno, named[1].col_offset))
    evaluator.begin()
    for name, expression in found[:MOST_PROMPTS]:
        yield name, evaluator.evaluate(expression, evaluator.frame_of(module, expression)), expression


def _named(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
            name = _target(target)
            if name is not None and _says_prompt(name) and _makes_text(value):
                yield name, value
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if _says_prompt(name):
            for value in returns_of(node) or ():
                if _makes_text(value):
                    yield f"{name}()", value
        case _:
            pass


def _makes_text(node: ast.expr) -> bool:
    """True for an expression in which a text is written or put together: names alone lead to what was seen before."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, str)
        case ast.JoinedStr():
            return True
        case ast.BinOp(left=left, right=right):
            return _makes_text(left) or _makes_text(right)
        case ast.Dict(values=items) | ast.List(elts=items) | ast.Tuple(elts=items):
            return any(_makes_text(item) for item in items)
        case ast.IfExp(body=body, orelse=other):
            return _makes_text(body) or _makes_text(other)
        case ast.Call(func=function, args=arguments, keywords=named):
            maker = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            inner = function.value if isinstance(function, ast.Attribute) else None
            given = [*arguments, *(keyword.value for keyword in named)]
            return (
                maker in TEXT_MAKERS
                or (inner is not None and _makes_text(inner))
                or any(_makes_text(argument) and not _is_short(argument) for argument in given)
            )
        case _:
            return False


TEXT_MAKERS = frozenset({
    "format", "join", "dedent", "cleandoc", "substitute", "safe_substitute", "render", "read_text", "read",
    "from_template", "from_messages", "PromptTemplate", "ChatPromptTemplate", "Template", "replace", "strip",
    "format_map",
})  # fmt: skip
SHORT = 30


def _is_short(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < SHORT


def _arguments(module: Module) -> Iterator[tuple[str, ast.expr]]:
    """Keyword arguments of the calls of a module."""
    for calls in module.index.calls.values():
        for call in calls:
            for keyword in call.keywords:
                written = isinstance(keyword.value, (ast.Constant, ast.JoinedStr, ast.BinOp))
                if written and keyword.arg is not None and _says_prompt(keyword.arg):
                    yield keyword.arg, keyword.value


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    stack: list[ast.stmt] = list(reversed(tree.body))
    while stack:
        node = stack.pop()
        yield node
        inner: list[ast.stmt] = []
        for field in ("body", "orelse", "finalbody"):
            inner += [child for child in getattr(node, field, ()) if isinstance(child, ast.stmt)]
        for handler in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            inner += handler.body
        stack.extend(reversed(inner))


def _target(target: ast.expr) -> str | None:
    match target:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name, value=ast.Name(id="self" | "cls")):
            return name
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)):
            return f'{name}["{key}"]'
        case _:
            return None


def _says_prompt(name: str) -> bool:
    bare = name.partition("[")[0]
    return NAME.search(bare) is not None and OTHER.search(bare) is None


def _texts(name: str, value: Value) -> Iterator[tuple[str, Text | Template]]:
    match value:
        case Text() | Template():
            yield name, value
        case Record(entries=entries) if {"role", "content"} <= {entry.key for entry in entries}:
            yield from _texts(name, next(entry.value for entry in entries if entry.key == "content"))
        case Record(entries=entries):
            for entry in entries:
                if isinstance(entry.value, (Text, Template)):
                    yield f'{name}["{entry.key}"]', entry.value
        case Sequence(items=items):
            for index, item in enumerate(items):
                if isinstance(item, (Text, Template, Record)):
                    yield from _texts(f"{name}[{index}]", item)
        case Union(cases=cases):
            for _, member in cases:
                yield from _texts(name, member)
        case _:
            pass


def _prompt(module: Module, label: str, text: Text | Template, node: ast.AST) -> Prompt | None:
    size = sum(len(part.text) for part in text.parts if isinstance(part, Literal))
    holes = any(isinstance(part, Hole) for part in text.parts)
    place = definition_place(text, text.parts)
    if size < (LEAST_WITH_HOLES if holes else LEAST_TEXT) or place is None:
        return None
    shape = template_shape(text.parts)
    parts = text.parts if shape == "python" else tuple(_with_holes(text.parts, shape))
    scope = module.qualname(node)
    scope = "" if scope == "<module>" else scope
    qualified = f"{scope}.{label}" if scope and not label.endswith("()") else label
    role: Role = "system" if SYSTEM.search(label) else "unknown"
    where = f"{place.path}::{qualified}" if place.path == module.path else place.path
    return Prompt(where, role, parts, place, first_line(place), scope, shape=shape)


def _with_holes(parts: Iterable[Part], shape: Shape) -> Iterator[Part]:
    """Literals cut at the placeholders that are written in them."""
    pattern = PLACEHOLDER if shape == "format" else DOUBLE
    for part in parts:
        if not isinstance(part, Literal):
            yield part
            continue
        if shape == "jinja" and part.location is not None:
            from promptslim.extract.files.jinja import template_parts
            from promptslim.extract.files.mapped import Mapped

            place = part.location
            yield from template_parts(Mapped(part.text, place.document, part.source_map, place.span))
            continue
        position = 0
        for match in pattern.finditer(part.text):
            if match.start() > position:
                yield _unescaped(cut(part, position, match.start()), shape)
            yield Hole(match[1], "argument", part_place(part, match.start(), match.end()), name=match[1])
            position = match.end()
        if position < len(part.text):
            yield _unescaped(cut(part, position, len(part.text)), shape)


def _unescaped(part: Literal, shape: Shape) -> Literal:
    """``{{`` and ``}}`` of a format template as the one brace that is sent."""
    if shape != "format" or ("{{" not in part.text and "}}" not in part.text):
        return part
    kept: list[int] = []
    index = 0
    while index < len(part.text):
        kept.append(index)
        index += 2 if part.text[index : index + 2] in ("{{", "}}") else 1
    mapped = None if part.source_map is None else (*(part.source_map[i] for i in kept), part.source_map[len(part.text)])
    return replace(part, text="".join(part.text[i] for i in kept), source_map=mapped)


def _places(parts: Iterable[Part]) -> Iterator[Location]:
    for part in parts:
        if isinstance(part, Literal) and part.location is not None and len(part.text) > 1:
            yield part.location


def _key(place: Location) -> tuple[str, int | None, int]:
    return place.path, place.cell, place.span.start
