"""Values of literals, displays and operators."""

from __future__ import annotations

import ast
from collections.abc import Sequence as Offsets
from typing import TYPE_CHECKING

from promptslim.core.prompt import Hole, Literal, Origin, Transform
from promptslim.core.record import replace
from promptslim.core.text import Location
from promptslim.extract.python.abstract import (
    UNKNOWN,
    Chain,
    Const,
    Entry,
    FilePath,
    Instance,
    Opaque,
    Record,
    Sequence,
    Template,
    Text,
    Union,
    Value,
    as_parts,
    union,
)
from promptslim.extract.python.file_paths import joined_path
from promptslim.extract.python.frames import Frame, opaque_at, short
from promptslim.extract.python.literals import Field, Fixed, string_pieces
from promptslim.extract.python.orders import SET_OPERATORS, is_view, order_of, order_over
from promptslim.extract.python.records import either, spread
from promptslim.extract.python.texts import concatenate, formatted_hole, percent_format, sliced, text_from

if TYPE_CHECKING:
    from promptslim.extract.python.evaluate import Evaluator


def constant(node: ast.Constant, frame: Frame) -> Value:
    """A literal, with the place of each character of a plain string."""
    module = frame.module
    if not isinstance(node.value, str):
        return Const(node.value, module.locate(node))
    span = module.span(node)
    location = module.place(span.start, span.end)
    base = location.span.start - span.start
    pieces = string_pieces(module.text, span.start, span.end)
    mapped = None
    if pieces is not None and len(pieces) == 1 and isinstance(pieces[0], Fixed) and pieces[0].text == node.value:
        mapped = _shifted(pieces[0], base)
    return Text((Literal(node.value, location, mapped),) if node.value else (), location)


def formatted(evaluator: Evaluator, node: ast.JoinedStr, frame: Frame) -> Value:
    """An f-string: its literal pieces and the values of its fields."""
    module = frame.module
    span = module.span(node)
    location = module.place(span.start, span.end)
    base = location.span.start - span.start
    pieces = string_pieces(module.text, span.start, span.end)
    fixed = iter([p for p in pieces or () if isinstance(p, Fixed) and p.text])
    fields = [p for p in pieces or () if isinstance(p, Field)]
    usable = pieces is not None and len(fields) == sum(isinstance(v, ast.FormattedValue) for v in node.values)
    usable = usable and not any(f.debug for f in fields)
    numbered = iter(fields)
    values: list[Value] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            piece = next(fixed, None) if usable else None
            mapped = _shifted(piece, base) if piece is not None and piece.text == part.value else None
            values.append(Text((Literal(str(part.value), location, mapped),), location))
        elif isinstance(part, ast.FormattedValue):
            slot = next(numbered, None) if usable else None
            place = module.place(slot.start, slot.end) if slot is not None else location
            values.append(_field(evaluator, part, frame, place))
    return text_from(values, location)


def _field(evaluator: Evaluator, node: ast.FormattedValue, frame: Frame, place: Location) -> Value:
    inner = evaluator.evaluate(node.value, frame)
    expression = short(frame.module, node.value)
    if node.conversion not in (-1, ord("s")) or node.format_spec is not None:
        return formatted_hole(inner, expression, place)
    if isinstance(inner, (Text, Const, Union)):
        return inner
    parts = as_parts(inner)
    if len(parts) == 1 and isinstance(parts[0], Hole):
        parts = (replace(parts[0], location=place, expression=expression or parts[0].expression),)
    return Text(parts)


def dictionary(evaluator: Evaluator, node: ast.Dict, frame: Frame) -> Value:
    """A dict display as a record, open where a key or a ``**`` argument is not known."""
    record = Record(location=frame.module.locate(node))
    written: dict[str, Entry] = {}
    opened: str | None = None
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            before = replace(record, entries=tuple(written.values()), open=opened)
            after = spread(before, evaluator.evaluate(value, frame), short(frame.module, value))
            written, opened = {entry.key: entry for entry in after.entries}, after.open
            continue
        name = key_of(evaluator, key, frame)
        if isinstance(name, (str, int)):
            written[str(name)] = Entry(str(name), evaluator.evaluate(value, frame), frame.module.locate(key))
        else:
            opened = opened or f"key {short(frame.module, key)}"
    return replace(record, entries=tuple(written.values()), open=opened)


def key_of(evaluator: Evaluator, node: ast.expr, frame: Frame) -> str | int | None:
    """A subscript or dict key as text or number; None where it is not known."""
    value = evaluator.evaluate(node, frame)
    if isinstance(value, Text):
        return value.exact
    if isinstance(value, Const) and isinstance(value.value, int):
        return value.value
    return None


def sequence(evaluator: Evaluator, node: ast.List | ast.Tuple | ast.Set, frame: Frame) -> Value:
    """A list, tuple or set display."""
    items: list[Value] = []
    unclear = False
    order: Transform | None = None
    for element in node.elts:
        value = evaluator.evaluate(element, frame)
        if isinstance(element, ast.Starred):
            if isinstance(value, Sequence):
                items.extend(value.items)
                unclear = unclear or value.open
                order = order or order_of(value, frame.module.locate(element))
            else:
                items.append(value if isinstance(value, Opaque) else UNKNOWN)
                unclear = True
        else:
            items.append(value)
    return Sequence(tuple(items), unclear, type(node).__name__.lower(), frame.module.locate(node), order)


def comprehension(evaluator: Evaluator, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, frame: Frame) -> Value:
    """A comprehension: one element, repeated an unknown number of times."""
    inner = evaluator.inner_frame(node, frame)
    element = evaluator.evaluate(node.elt, inner)
    kind = "set" if isinstance(node, ast.SetComp) else "list"
    order = _order_through(evaluator, node, frame)
    return Sequence((element,), open=True, kind=kind, location=frame.module.locate(node), order=order)


def dict_comprehension(evaluator: Evaluator, node: ast.DictComp, frame: Frame) -> Value:
    """A dict with keys that are not known."""
    order = _order_through(evaluator, node, frame)
    return Record(open="dict comprehension", location=frame.module.locate(node), order=order)


def _order_through(
    evaluator: Evaluator, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, frame: Frame
) -> Transform | None:
    """What changes the order in which a comprehension goes through what it is made of."""
    inner = evaluator.inner_frame(node, frame)
    frames = [frame, *(inner for _ in node.generators[1:])]
    orders = (order_over(evaluator, one.iter, at) for one, at in zip(node.generators, frames, strict=True))
    return next((order for order in orders if order is not None), None)


def binary(evaluator: Evaluator, node: ast.BinOp, frame: Frame) -> Value:
    """A binary operation on texts, records or numbers."""
    left = evaluator.evaluate(node.left, frame)
    if isinstance(node.op, ast.Mod) and isinstance(left, Text):
        return percent_format(left, evaluator.evaluate(node.right, frame))
    right = evaluator.evaluate(node.right, frame)
    if isinstance(node.op, ast.Add):
        return concatenate(left, right)
    if isinstance(node.op, SET_OPERATORS) and (_is_set(left) or _is_set(right) or is_view(node.left)):
        return Sequence((), True, "set", frame.module.locate(node))
    if isinstance(left, FilePath) and isinstance(node.op, ast.Div):
        return joined_path([left, right])
    if isinstance(node.op, ast.BitOr) and _is_step(right) and not isinstance(left, Const):
        return Chain((*(left.items if isinstance(left, Chain) else (left,)), right))
    if isinstance(node.op, ast.BitOr) and isinstance(left, Chain):
        return Chain((*left.items, right))
    if isinstance(node.op, ast.BitOr) and isinstance(left, Record):
        return spread(left, right, short(frame.module, node.right))
    if isinstance(left, Const) and isinstance(right, Const):
        return computed(node.op, left, right)
    if isinstance(left, Text) and isinstance(right, Const) and isinstance(node.op, ast.Mult):
        count = right.value
        if left.exact is not None and isinstance(count, int) and 0 <= count * len(left.exact) <= 1_000_000:
            return Text((Literal(left.exact * count, left.location),), left.location)
    return opaque_at(node, frame, _origin(left) if not isinstance(left, Const) else _origin(right))


def _is_set(value: Value) -> bool:
    return isinstance(value, Sequence) and value.kind == "set"


def _is_step(value: Value) -> bool:
    """A prompt template, or an object of LangChain's."""
    match value:
        case Template() | Sequence(kind="chat") | Chain():
            return True
        case Instance(name=name):
            return name.startswith("langchain")
        case _:
            return False


def cut_range(evaluator: Evaluator, node: ast.Subscript, frame: Frame) -> Value:
    """``value[start:stop]``."""
    assert isinstance(node.slice, ast.Slice)  # noqa: S101
    whole = opaque_at(node, frame)
    start, stop = (
        evaluator.evaluate(b, frame) if b is not None else None for b in (node.slice.lower, node.slice.upper)
    )
    value = evaluator.evaluate(node.value, frame)
    if start is None and stop is None:
        return value
    return sliced(value, start, stop, whole)


def boolean(evaluator: Evaluator, node: ast.BoolOp, frame: Frame) -> Value:
    """``a and b``, ``a or b``."""
    values = [evaluator.evaluate(value, frame) for value in node.values]
    if isinstance(node.op, ast.And):
        return union([(None, value) for value in values]) if len(values) == 2 else opaque_at(node, frame)
    result = values[0]
    for other in values[1:]:
        result = either(result, other, short(frame.module, node.values[0]))
    return result


def computed(operator: ast.operator, left: Const, right: Const) -> Value:
    """The result of arithmetic on two known numbers; UNKNOWN for anything else."""
    a, b = left.value, right.value
    if not isinstance(a, (int, float)) or not isinstance(b, (int, float)):
        return UNKNOWN
    try:
        match operator:
            case ast.Sub():
                return Const(a - b, left.location)
            case ast.Mult():
                return Const(a * b, left.location)
            case ast.Div():
                return Const(a / b, left.location)
            case ast.FloorDiv():
                return Const(a // b, left.location)
            case ast.Pow() if abs(a) < 1 << 20 and 0 <= b < 64:
                return Const(a**b, left.location)
            case _:
                return UNKNOWN
    except (ArithmeticError, ValueError):
        return UNKNOWN


def _origin(value: Value) -> Origin:
    parts = as_parts(value)
    hole = next((part for part in parts if isinstance(part, Hole)), None)
    return hole.origin if hole is not None else "unknown"


def _shifted(piece: Fixed, base: int) -> Offsets[int]:
    if isinstance(piece.source_map, range):
        return range(piece.source_map.start + base, piece.source_map.stop + base)
    return tuple(offset + base for offset in piece.source_map)
