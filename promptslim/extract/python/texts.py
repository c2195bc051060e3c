"""What operators and string methods do to abstract texts: parts are cut, filled and joined, and keep their places."""

from __future__ import annotations

import re
from collections.abc import Callable

from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import Hole, Literal, Part, Transform, TransformKind
from promptslim.core.record import replace
from promptslim.core.text import Location, Span
from promptslim.extract.python.abstract import (
    MOST_PARTS,
    UNKNOWN,
    Configured,
    Const,
    External,
    Json,
    Opaque,
    Record,
    Sequence,
    Text,
    Union,
    Value,
    as_parts,
    text_of,
    union,
)

LONG = 100
"""Characters from which a text that some branches add to is kept as one text; shorter ones stay alternatives."""

FORMAT_FIELD = pattern(r"\{\{|\}\}|\{([^{}]*)\}")
PERCENT_FIELD = pattern(r"%(?:\((\w+)\))?[-#0 +]*(?:\*|\d+)?(?:\.\d+)?([%a-zA-Z])")
TEMPLATE_FIELD = pattern(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


def concatenate(left: Value, right: Value, *, in_place: bool = False) -> Value:
    """``left + right`` for texts, lists and numbers. ``in_place``: written ``+=``, so that what ends with the very
    pieces that are added has been through this place before, in an earlier round of a loop."""
    if isinstance(left, Sequence) and isinstance(right, Sequence):
        items = left.items + right.items
        opened = left.open or right.open or len(items) > MOST_PARTS
        order = left.disorder or right.disorder
        return Sequence(items[:MOST_PARTS], opened, left.kind, left.location, order)
    if isinstance(left, Sequence):
        return replace(left, items=(*left.items, right if isinstance(right, Opaque) else UNKNOWN), open=True)
    if isinstance(right, Sequence):
        return replace(right, items=(left if isinstance(left, Opaque) else UNKNOWN, *right.items), open=True)
    if isinstance(left, Const) and isinstance(right, Const):
        if isinstance(left.value, (int, float)) and isinstance(right.value, (int, float)):
            return Const(left.value + right.value, left.location)
        return UNKNOWN
    if isinstance(left, Union):
        return union([(c, concatenate(v, right, in_place=in_place)) for c, v in left.cases])
    if isinstance(right, Union):
        if _size(left) >= LONG:
            return concatenate(left, chosen(right), in_place=in_place)
        return union([(c, concatenate(left, v, in_place=in_place)) for c, v in right.cases])
    if isinstance(left, Text) or isinstance(right, (Text, Json)) or isinstance(left, Json):
        location = left.location if isinstance(left, Text) else right.location if isinstance(right, Text) else None
        before, added = as_parts(left), as_parts(right)
        return text_of(before if _again(before, added, in_place) else (*before, *added), location)
    return left if isinstance(left, Opaque) else right if isinstance(right, Opaque) else UNKNOWN


def _size(value: Value) -> int:
    return sum(len(part.text) for part in value.parts if isinstance(part, Literal)) if isinstance(value, Text) else 0


def chosen(value: Union) -> Value:
    """The alternative that says most, for all: its text is maybe sent."""
    members = [member for _, member in value.cases]
    texts = [member for member in members if isinstance(member, Text) and member.parts]
    holes = [part for member in members for part in as_parts(member) if isinstance(part, Hole)]
    if not texts:
        return Text((_main(holes),)) if holes else UNKNOWN
    best = max(texts, key=lambda text: (_size(text), len(text.parts)))
    if not any(isinstance(part, Hole) for part in best.parts) and holes and _size(best) < LONG:
        return Text((_main(holes),))
    return replace(best, parts=tuple(replace(p, maybe=True) if isinstance(p, Literal) else p for p in best.parts))


def _again(before: tuple[Part, ...], added: tuple[Part, ...], in_place: bool) -> bool:
    """True where a later round of a loop adds once more what the round before has added."""
    last = before[-len(added) :] if added else ()
    texts = [part for part in last if isinstance(part, Literal)]
    if not last or not (in_place or all(part.maybe for part in texts)):
        return False
    return all(
        old == new or (isinstance(old, Literal) and isinstance(new, Literal) and replace(new, maybe=True) == old)
        for old, new in zip(last, added, strict=False)
    ) and len(last) == len(added)


def text_from(values: list[Value], location: Location | None) -> Value:
    """Values one after the other as one text. A short text with alternatives is one text for each way through; in
    a long one the alternatives stand for one another."""
    result: Value = Text((), location)
    pending: list[Part] = []
    values = [_without_none(value) for value in values]
    if sum(_size(value) for value in values) >= LONG:
        values = [chosen(value) if isinstance(value, Union) else value for value in values]
    for value in values:
        if isinstance(value, Union):
            result = concatenate(concatenate(result, text_of(tuple(pending))), value)
            pending = []
        else:
            pending.extend(as_parts(value))
    return concatenate(result, text_of(tuple(pending), location))


def _without_none(value: Value) -> Value:
    """A None among alternatives is the way out of a function that failed: nobody writes it into a text."""
    if not isinstance(value, Union):
        return value
    kept = [(c, v) for c, v in value.cases if not (isinstance(v, Const) and v.value is None)]
    return union(kept) if kept and len(kept) < len(value.cases) else value


def subscript(value: Value, key: str | int | None, unknown: Opaque) -> Value:
    """``value[key]``."""
    match value:
        case Record():
            entry = value.entry(str(key)) if key is not None else None
            if entry is not None:
                return entry.value if not entry.maybe else union([(None, entry.value), (None, unknown)])
            return unknown
        case Sequence(items=items, open=opened) if isinstance(key, int):
            if not opened and -len(items) <= key < len(items):
                return items[key]
            return items[key] if opened and 0 <= key < len(items) else unknown
        case Union():
            return union([(c, subscript(v, key, unknown)) for c, v in value.cases])
        case Configured(origin=origin):
            return Configured(origin, None, unknown.location)
        case External(name="os.environ"):
            return Configured("environment", None, unknown.location)
        case Opaque():
            item = () if isinstance(key, str) else (Transform("item", unknown.location),)
            return derived(value, unknown.expression, unknown.location, *item)
        case Text():
            return cut_off(value, unknown, None)
        case _:
            return unknown


def derived(value: Opaque, expression: str, place: Location | None, *transforms: Transform) -> Opaque:
    """What is taken out of or made of an unknown value: of the same origin, and from the same place."""
    known = value.origin != "unknown" and value.location is not None
    return Opaque(
        value.origin,
        expression,
        value.location if known else place,
        (*value.transforms, *transforms),
        value.bound if not transforms else None,
    )


def sliced(value: Value, start: Value | None, stop: Value | None, whole: Opaque) -> Value:
    """``value[start:stop]``; ``whole`` is the expression itself as an unknown value."""
    match value:
        case Union():
            return union([(c, sliced(v, start, stop, whole)) for c, v in value.cases])
        case Opaque():
            made = derived(value, whole.expression, whole.location, Transform("slice", whole.location))
            return replace(made, bound=_length(start, stop))
        case Text():
            return cut_off(value, whole, _length(start, stop))
        case Sequence(items=items, open=False) if _plain(start) and _plain(stop):
            return replace(value, items=items[_number(start) : _number(stop)])
        case Sequence():
            return replace(value, open=True)
        case _:
            return replace(whole, transforms=(Transform("slice", whole.location),))


def _plain(bound: Value | None) -> bool:
    return bound is None or _number(bound) is not None


def _number(bound: Value | None) -> int | None:
    return bound.value if isinstance(bound, Const) and isinstance(bound.value, int) else None


def _length(start: Value | None, stop: Value | None) -> int | None:
    """Length of a slice with the bounds ``start`` and ``stop``, None where it is not limited by them."""
    first = 0 if start is None else _number(start)
    last = _number(stop)
    if first is not None and last is not None and 0 <= first <= last:
        return last - first
    return -first if first is not None and first < 0 and stop is None else None


def cut_off(text: Text, whole: Opaque, bound: int | None, kind: TransformKind = "slice") -> Text:
    """A text of which only a part is left, or which is encoded: one hole with the origin of the first in it."""
    hole = next((part for part in text.parts if isinstance(part, Hole)), None)
    made = Hole(
        whole.expression,
        hole.origin if hole is not None else "unknown",
        transforms=(*(hole.transforms if hole is not None else ()), Transform(kind, whole.location)),
        bound=bound,
        source=hole.source if hole is not None else whole.location,
    )
    return Text((made,), whole.location)


def percent_format(template: Text, arguments: Value) -> Value:
    """``template % arguments``."""
    named = arguments if isinstance(arguments, Record) else None
    values = list(arguments.items) if isinstance(arguments, Sequence) else [arguments]

    def fill(match: re.Match[str]) -> Value:
        if match[2] == "%":
            return Text((Literal("%"),))
        if match[1] is not None and named is not None:
            entry = named.entry(match[1])
            return entry.value if entry is not None else placeholder(match[1])
        return values.pop(0) if values else placeholder(match[0])

    return substituted(template, PERCENT_FIELD, fill)


def placeholder(name: str) -> Value:
    """A placeholder that is not filled where the template is looked at."""
    return Text((Hole(name, name=name),))


def substituted(template: Text, pattern: re.Pattern[str], fill: Callable[[re.Match[str]], Value]) -> Text:
    """The template with every match in its literal parts replaced by a value."""
    parts: list[Part] = []
    for part in template.parts:
        if not isinstance(part, Literal):
            parts.append(part)
            continue
        position = 0
        for match in pattern.finditer(part.text):
            if match.start() > position:
                parts.append(cut(part, position, match.start()))
            name = next((group for group in match.groups() if group), match[0])
            parts.extend(placed(as_parts(fill(match)), part_place(part, match.start(), match.end()), name))
            position = match.end()
            if len(parts) > MOST_PARTS:
                return text_of(tuple(parts), template.location)
        if position < len(part.text):
            parts.append(cut(part, position, len(part.text)))
    return text_of(tuple(parts), template.location)


def part_place(part: Literal, start: int, end: int) -> Location | None:
    """Where a range of a literal is written, None where that cannot be followed."""
    if part.source_map is None or part.location is None:
        return None
    return Location(part.location.document, Span(part.source_map[start], part.source_map[end]))


def placed(parts: tuple[Part, ...], place: Location | None, name: str) -> tuple[Part, ...]:
    """Parts put in for a placeholder: a hole among them stands at the placeholder and has its name."""
    if len(parts) != 1 or not isinstance(parts[0], Hole):
        return parts
    hole = parts[0]
    return (replace(hole, expression=hole.expression or name, location=place, name=hole.name or name),)


def cut(part: Literal, start: int, end: int) -> Literal:
    """A range of a literal, with its range of the source map."""
    mapped = part.source_map[start : end + 1] if part.source_map is not None else None
    return Literal(part.text[start:end], part.location, mapped, part.maybe)


def str_format(template: Text, positional: list[Value], named: Record) -> Text:
    """``template.format(...)``; a field that is not given stays a hole."""
    counter = iter(range(len(positional)))

    def fill(match: re.Match[str]) -> Value:
        if match[1] is None:
            return Text((Literal(match[0][0]),))
        name = re.split(r"[.\[!:]", match[1], maxsplit=1)[0]
        plain = name == match[1]
        if name == "" or name.isdigit():
            index = int(name) if name else next(counter, -1)
            value: Value | None = positional[index] if 0 <= index < len(positional) else None
        else:
            entry = named.entry(name)
            value = entry.value if entry is not None else None
        if value is None:
            return placeholder(match[1] or match[0])
        return value if plain else formatted_hole(value, match[1])

    return substituted(template, FORMAT_FIELD, fill)


def formatted_hole(value: Value, expression: str, place: Location | None = None) -> Text:
    """A value in a field with an attribute, a conversion or a format of its own: a hole of the value's origin."""
    hole = next((part for part in as_parts(value) if isinstance(part, Hole)), Hole(expression))
    transforms = (*hole.transforms, Transform("formatted", place))
    return Text((replace(hole, expression=expression, location=place, transforms=transforms),))


def stripped(text: Text, how: Callable[..., str]) -> Text:
    """``strip``, ``lstrip`` or ``rstrip`` without arguments."""
    parts = list(text.parts)
    if how is not str.rstrip:
        while parts and isinstance(parts[0], Literal):
            first = parts[0]
            kept = first.text.lstrip()
            if kept:
                parts[0] = cut(first, len(first.text) - len(kept), len(first.text))
                break
            parts.pop(0)
    if how is not str.lstrip:
        while parts and isinstance(parts[-1], Literal):
            last = parts[-1]
            kept = last.text.rstrip()
            if kept:
                parts[-1] = cut(last, 0, len(kept))
                break
            parts.pop()
    return Text(tuple(parts), text.location)


def dedented(text: Text) -> Text:
    """``textwrap.dedent``: the common margin is that of the whole text, holes taken as one character."""
    from textwrap import dedent  # with its patterns it takes longer to load than this module

    whole = "".join(part.text if isinstance(part, Literal) else "\x00" for part in text.parts)
    result = dedent(whole)
    if result == whole:
        return text
    margin = _margin(whole, result)
    parts: list[Part] = []
    at_start = True
    for part in text.parts:
        if not isinstance(part, Literal):
            parts.append(part)
            at_start = False
            continue
        kept: list[int] = []
        line_start = at_start
        column = 0
        for index, character in enumerate(part.text):
            if line_start:
                column = 0
                line_start = False
            end = part.text.find("\n", index)
            blank = column == 0 and not part.text[index : end if end >= 0 else None].strip(" \t") and end >= 0
            skip = column < margin and character in " \t" and (at_start or index > 0 or column > 0)
            if character == "\n":
                kept.append(index)
                line_start = True
                at_start = True
                column = 0
                continue
            if not (skip and (at_start or blank)):
                kept.append(index)
                if column >= margin or character not in " \t":
                    at_start = False
            column += 1
        mapped = None
        if part.source_map is not None:
            mapped = (*(part.source_map[i] for i in kept), part.source_map[len(part.text)])
        parts.append(Literal("".join(part.text[i] for i in kept), part.location, mapped))
    joined = "".join(part.text if isinstance(part, Literal) else "\x00" for part in parts)
    if joined == result:
        return Text(tuple(parts), text.location)
    return _without_maps(text, result)


def _margin(before: str, after: str) -> int:
    for old, new in zip(before.split("\n"), after.split("\n"), strict=False):
        if old.strip():
            return len(old) - len(new)
    return 0


def remapped(text: Text, change: Callable[[str], str]) -> Text:
    """A text after a change of its blank space; where the pieces stand is not known any more."""
    return _without_maps(text, change("".join(p.text if isinstance(p, Literal) else "\x00" for p in text.parts)))


def _without_maps(text: Text, result: str) -> Text:
    """The text cut anew at its holes, where a transformation cannot be mapped."""
    holes = iter([part for part in text.parts if isinstance(part, Hole)])
    pieces = result.split("\x00")
    parts: list[Part] = []
    for index, piece in enumerate(pieces):
        if index:
            parts.append(next(holes, Hole("")))
        if piece:
            parts.append(Literal(piece, text.location))
    return Text(tuple(parts), text.location)


def replaced(text: Text, old: str, new: Value) -> Text:
    """``text.replace(old, new)`` in the literal parts."""
    return substituted(text, re.compile(re.escape(old)), lambda _: new) if old else text


def joined(separator: Text, items: Value) -> Value:
    """``separator.join(items)``."""
    place = separator.location
    if not isinstance(items, Sequence):
        parts = as_parts(items)
        hole = parts[0] if len(parts) == 1 and isinstance(parts[0], Hole) else Hole("join")
        return Text((_gathered(hole, place),), place)
    order = (items.disorder,) if items.disorder is not None else ()
    if items.open and len(items.items) == 1:
        holes = [part for part in as_parts(items.items[0]) if isinstance(part, Hole)]
        first = _main(holes) if holes else Hole("join", "loop", source=items.location)
        more = tuple(one for one in order if one not in first.transforms)
        return Text((_gathered(replace(first, location=None), place, *more),), place)
    pieces: list[Value] = []
    for index, item in enumerate(items.items):
        if index:
            pieces.append(separator)
        pieces.append(item if isinstance(item, (Text, Union)) else Text(as_parts(item)))
    if items.open:
        pieces.append(Text((Hole("join", "loop", transforms=(Transform("join", place), *order)),)))
    elif order and len(items.items) > 1:
        return Text((Hole("set", "unknown", transforms=order, source=items.location),), place)
    return text_from(pieces, place)


def _main(holes: list[Hole]) -> Hole:
    """The hole that says most of what is gathered: the first one with a document or retrieved text, else the first."""
    return next((hole for hole in holes if hole.origin in ("document", "retrieval", "history")), holes[0])


def taken_from(text: Text, name: str) -> Opaque:
    """What is taken out of a text with holes, under a name: of the origin of what the text mostly holds."""
    holes = [part for part in text.parts if isinstance(part, Hole)]
    if not holes:
        return Opaque(expression=name)
    main = _main(holes)
    return Opaque(main.origin, name, main.source, main.transforms)


def _gathered(hole: Hole, place: Location | None, *more: Transform) -> Hole:
    """A hole for all items of what ``hole`` is one item of."""
    kept = tuple(one for one in hole.transforms if one.kind != "item")
    return replace(hole, transforms=(*kept, Transform("join", place), *more))


def accumulated(value: Value) -> Value:
    """What a loop appends in every round, as it is after the loop: no longer one item but all of them."""
    if isinstance(value, Opaque) and any(one.kind == "item" for one in value.transforms):
        kept = tuple(one for one in value.transforms if one.kind != "item")
        return replace(value, transforms=(*kept, Transform("join", value.location)))
    if not isinstance(value, Text):
        return value
    return replace(
        value,
        parts=tuple(
            _gathered(part, part.location) if isinstance(part, Hole) and part.transform("item") else part
            for part in value.parts
        ),
    )


def grown(cases: list[tuple[str | None, Value]]) -> Text | None:
    """Texts of several paths as one, where each continues the one before: what some paths add is maybe sent."""
    texts = [value for _, value in cases if isinstance(value, Text)]
    if len(texts) != len(cases) or len(texts) < 2:
        return None
    texts.sort(key=lambda text: len(text.parts))
    longest = texts[-1]
    if sum(len(part.text) for part in longest.parts if isinstance(part, Literal)) < LONG:
        return None
    size = len(texts[0].parts)
    if not all(text.parts == longest.parts[: len(text.parts)] for text in texts[:-1]):
        return None
    added = tuple(replace(part, maybe=True) if isinstance(part, Literal) else part for part in longest.parts[size:])
    return replace(longest, parts=(*longest.parts[:size], *added))


def template_field(named: Record) -> Callable[[re.Match[str]], Value]:
    """Fills the fields of ``string.Template``."""

    def fill(match: re.Match[str]) -> Value:
        if match[1]:
            return Text((Literal("$"),))
        entry = named.entry(match[2] or match[3])
        return entry.value if entry is not None else placeholder(match[2] or match[3])

    return fill
