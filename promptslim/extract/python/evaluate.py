"""On-demand evaluation of expressions to abstract values.

Nothing is run. A value that cannot be derived is Opaque with its origin; the evaluator never guesses.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence as Offsets
from dataclasses import dataclass, field, replace

from promptslim.core.prompt import Hole, Literal, Origin
from promptslim.extract.python.abstract import (
    UNKNOWN,
    Class,
    Configured,
    Const,
    Entry,
    External,
    Function,
    Instance,
    Json,
    Member,
    Object,
    Opaque,
    ProjectModule,
    Record,
    Sequence,
    Text,
    Union,
    Value,
    alternatives,
    as_parts,
    union,
)
from promptslim.extract.python.literals import Field, Fixed, string_pieces
from promptslim.extract.python.module import Module
from promptslim.extract.python.operations import (
    call_external,
    call_method,
    concatenate,
    percent_format,
    subscript,
    text_from,
)
from promptslim.extract.python.scopes import (
    UNBOUND,
    Bind,
    FunctionNode,
    Join,
    Mutate,
    Scope,
    State,
    Unbound,
    root_of,
    start_of,
)
from promptslim.extract.python.workspace import MOST_CALLERS, Workspace, returns_of

DEEPEST = 60
"""Steps of indirection followed for one value."""
DEEPEST_CALLS = 6
MOST_STEPS = 20_000
"""Expressions evaluated for one question; what lies beyond is not known."""
MOST_RETURNS = 8
BUILTINS = frozenset(dir(builtins))
IMMEDIATE = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda, ast.ClassDef)
TRANSPARENT_DECORATORS = frozenset({"property", "cached_property", "computed_field"})


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Where an expression is evaluated: a module, a scope, and the arguments of the call that led there.

    ``call`` is None for a function looked at from outside: its parameters are then resolved through its
    callers. ``caller`` is the frame in which the arguments stand.
    """

    module: Module
    scope: Scope
    call: ast.Call | None = None
    caller: Frame | None = None
    receiver: Value | None = None
    outer: Frame | None = None
    depth: int = 0


@dataclass(slots=True)
class Evaluator:
    """Evaluates expressions of a workspace; results are kept per expression and frame."""

    workspace: Workspace
    _frames: dict[tuple[int, int], Frame] = field(default_factory=dict)
    _memo: dict[tuple[int, int], tuple[ast.AST, Frame, Value]] = field(default_factory=dict)
    _busy: set[tuple[int, int]] = field(default_factory=set)
    _seeds: dict[int, Value] = field(default_factory=dict)
    _calls: dict[tuple[int, int, int], tuple[object, Value]] = field(default_factory=dict)
    _states: dict[tuple[int, int], tuple[State, Frame, Value]] = field(default_factory=dict)
    _provisional: dict[tuple[int, int], Value] = field(default_factory=dict)
    _depth: int = 0
    _steps: int = 0
    _cut: bool = False

    def begin(self) -> None:
        """Starts a new question: values cut short by a cycle are forgotten, the budget is full again."""
        self._provisional.clear()
        self._steps = 0

    def frame_of(self, module: Module, node: ast.AST) -> Frame:
        """The frame of the scope that a node stands in, with nothing known of its caller."""
        scope_node = module.enclosing_scope(node) or module.tree
        return self.root_frame(module, module.scope(scope_node))

    def root_frame(self, module: Module, scope: Scope) -> Frame:
        """The frame of a scope with nothing known of its caller; one for each scope."""
        key = (id(module), id(scope))
        if key not in self._frames:
            outer = self.root_frame(module, scope.parent) if scope.parent is not None else None
            self._frames[key] = Frame(module, scope, outer=outer)
        return self._frames[key]

    def evaluate(self, node: ast.expr, frame: Frame) -> Value:
        """The abstract value of an expression at its place in a frame."""
        key = (id(node), id(frame))
        known = self._memo.get(key)
        if known is not None:
            return known[2]
        if key in self._provisional:
            self._cut = True
            return self._provisional[key]
        self._steps += 1
        if key in self._busy or self._depth > DEEPEST or self._steps > MOST_STEPS:
            self._cut = True
            return Opaque(expression=_short(frame.module, node))
        self._busy.add(key)
        self._depth += 1
        outer_cut, self._cut = self._cut, False
        try:
            value = self._expression(node, frame)
        except RecursionError:
            value = UNKNOWN
        finally:
            self._busy.discard(key)
            self._depth -= 1
        # A value that was cut short by a cycle or a limit depends on the way here: it serves this question only.
        if self._cut:
            self._provisional[key] = value
        else:
            self._memo[key] = (node, frame, value)
        self._cut = self._cut or outer_cut
        return value

    def _expression(self, node: ast.expr, frame: Frame) -> Value:  # noqa: C901
        match node:
            case ast.Constant():
                return self._constant(node, frame)
            case ast.JoinedStr():
                return self._formatted(node, frame)
            case ast.Name():
                return self._name(node, frame)
            case ast.Attribute():
                return self.attribute(self.evaluate(node.value, frame), node.attr, node, frame)
            case ast.Call():
                return self._call(node, frame)
            case ast.Dict():
                return self._dict(node, frame)
            case ast.List() | ast.Tuple() | ast.Set():
                return self._sequence(node, frame)
            case ast.Subscript():
                return subscript(
                    self.evaluate(node.value, frame), self._key(node.slice, frame), self._opaque(node, frame)
                )
            case ast.BinOp():
                return self._binary(node, frame)
            case ast.BoolOp():
                return self._boolean(node, frame)
            case ast.IfExp():
                test = _short(frame.module, node.test)
                return union(
                    [(test, self.evaluate(node.body, frame)), (f"not ({test})", self.evaluate(node.orelse, frame))]
                )
            case ast.UnaryOp(op=ast.USub()):
                operand = self.evaluate(node.operand, frame)
                if isinstance(operand, Const) and isinstance(operand.value, (int, float)):
                    return Const(-operand.value, operand.location)
                return UNKNOWN
            case ast.Await() | ast.NamedExpr() | ast.Starred():
                return self.evaluate(node.value, frame)
            case ast.Lambda():
                return Function(frame.module, node, frame)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self._comprehension(node, frame)
            case ast.DictComp():
                return Record(open="dict comprehension", location=frame.module.locate(node))
            case _:
                return self._opaque(node, frame)

    def _opaque(self, node: ast.expr, frame: Frame, origin: Origin = "unknown") -> Opaque:
        return Opaque(origin, _short(frame.module, node), frame.module.locate(node))

    def _constant(self, node: ast.Constant, frame: Frame) -> Value:
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

    def _formatted(self, node: ast.JoinedStr, frame: Frame) -> Value:
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
                values.append(self._field(part, frame, place))
        return text_from(values, location)

    def _field(self, node: ast.FormattedValue, frame: Frame, place: object) -> Value:
        inner = self.evaluate(node.value, frame)
        plain = node.conversion == -1 and node.format_spec is None
        if plain and isinstance(inner, (Text, Const, Json, Union)):
            return inner
        parts = as_parts(inner) if plain else (Hole(_short(frame.module, node.value), _origin(inner)),)
        if len(parts) == 1 and isinstance(parts[0], Hole):
            expression = _short(frame.module, node.value)
            parts = (replace(parts[0], location=place, expression=expression or parts[0].expression),)  # type: ignore[arg-type]
        return Text(parts)

    def _dict(self, node: ast.Dict, frame: Frame) -> Value:
        record = Record(location=frame.module.locate(node))
        written: dict[str, Entry] = {}
        opened: str | None = None
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                before = replace(record, entries=tuple(written.values()), open=opened)
                after = spread(before, self.evaluate(value, frame), _short(frame.module, value))
                written, opened = {entry.key: entry for entry in after.entries}, after.open
                continue
            name = self._key(key, frame)
            if isinstance(name, (str, int)):
                written[str(name)] = Entry(str(name), self.evaluate(value, frame), frame.module.locate(key))
            else:
                opened = opened or f"key {_short(frame.module, key)}"
        return replace(record, entries=tuple(written.values()), open=opened)

    def _key(self, node: ast.expr, frame: Frame) -> str | int | None:
        value = self.evaluate(node, frame)
        if isinstance(value, Text):
            return value.exact
        if isinstance(value, Const) and isinstance(value.value, int):
            return value.value
        return None

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set, frame: Frame) -> Value:
        items: list[Value] = []
        unclear = False
        for element in node.elts:
            value = self.evaluate(element, frame)
            if isinstance(element, ast.Starred):
                if isinstance(value, Sequence):
                    items.extend(value.items)
                    unclear = unclear or value.open
                else:
                    items.append(value if isinstance(value, Opaque) else UNKNOWN)
                    unclear = True
            else:
                items.append(value)
        return Sequence(tuple(items), unclear, type(node).__name__.lower(), frame.module.locate(node))

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, frame: Frame) -> Value:
        inner = self.inner_frame(node, frame)
        element = self.evaluate(node.elt, inner)
        kind = "set" if isinstance(node, ast.SetComp) else "list"
        return Sequence((element,), open=True, kind=kind, location=frame.module.locate(node))

    def inner_frame(self, node: ast.AST, frame: Frame) -> Frame:
        """The frame of a comprehension, lambda or class body that stands in ``frame``."""
        key = (id(node), id(frame))
        if key not in self._frames:
            scope = frame.module.scope(node)  # type: ignore[arg-type]
            self._frames[key] = Frame(frame.module, scope, outer=frame, depth=frame.depth)
        return self._frames[key]

    def _binary(self, node: ast.BinOp, frame: Frame) -> Value:
        left = self.evaluate(node.left, frame)
        if isinstance(node.op, ast.Mod) and isinstance(left, Text):
            return percent_format(left, self.evaluate(node.right, frame))
        right = self.evaluate(node.right, frame)
        if isinstance(node.op, ast.Add):
            return concatenate(left, right)
        if isinstance(node.op, ast.BitOr) and isinstance(left, Record):
            return spread(left, right, _short(frame.module, node.right))
        if isinstance(left, Const) and isinstance(right, Const):
            return _arithmetic(node.op, left, right)
        if isinstance(left, Text) and isinstance(right, Const) and isinstance(node.op, ast.Mult):
            count = right.value
            if left.exact is not None and isinstance(count, int) and 0 <= count * len(left.exact) <= 1_000_000:
                return Text((Literal(left.exact * count, left.location),), left.location)
        return self._opaque(node, frame, _origin(left) if not isinstance(left, Const) else _origin(right))

    def _boolean(self, node: ast.BoolOp, frame: Frame) -> Value:
        values = [self.evaluate(value, frame) for value in node.values]
        if isinstance(node.op, ast.And):
            return union([(None, value) for value in values]) if len(values) == 2 else self._opaque(node, frame)
        result = values[0]
        for other in values[1:]:
            result = _either(result, other, _short(frame.module, node.values[0]))
        return result

    # Names

    def _name(self, node: ast.Name, frame: Frame) -> Value:
        return self.name(node.id, frame, start_of(node), node)

    def name(self, name: str, frame: Frame, position: int, node: ast.expr | None = None) -> Value:
        """The value of a name used at a position of a frame."""
        current: Frame | None = frame
        immediate = True
        while current is not None:
            scope = current.scope
            skipped = isinstance(scope.node, ast.ClassDef) and current is not frame
            if not skipped and scope.binds(name):
                state = scope.at(name, position) if immediate else self._deferred(current, name, frame)
                if state is not None and not isinstance(state, Unbound):
                    return self.state(state, current, name)
                if isinstance(scope.node, ast.Module) or not immediate:
                    break
                return Opaque(expression=name)
            immediate = immediate and isinstance(scope.node, IMMEDIATE)
            current = current.outer
        return self._global(name, frame, node)

    def _deferred(self, current: Frame, name: str, user: Frame) -> State | None:
        """The binding a nested function sees: the last one, or in a notebook the nearest before it."""
        scope = current.scope
        if not (current.module.notebook and isinstance(scope.node, ast.Module)):
            return scope.final.get(name) or scope.at(name, 1 << 62)
        positions, states = scope.versions[name]
        if len(states) == 1:
            return states[0]
        function: Scope | None = user.scope
        while function is not None and function.parent is not None and function.parent is not scope:
            function = function.parent
        nearest = scope.at(name, start_of(function.node)) if function is not None else None
        if nearest is not None and not isinstance(nearest, Unbound):
            return nearest
        return states[0] if positions else None

    def _global(self, name: str, frame: Frame, node: ast.expr | None) -> Value:
        module = frame.module
        scope = module.scope(module.tree)
        if name in scope.final and frame.scope is not scope and name in frame.scope.outer_names:
            return self.state(scope.final[name], self.root_frame(module, scope), name)
        for star in scope.star_imports:
            found = self._imported(module, star, name)
            if not isinstance(found, (Opaque, External)):
                return found
        if name in BUILTINS:
            return External(f"builtins.{name}")
        if scope.star_imports:
            outside = [
                s for s in scope.star_imports if self.workspace.resolve(module.path, s.module or "", s.level) is None
            ]
            if len(outside) == 1 and outside[0].module:
                return External(f"{outside[0].module}.{name}")
        return Opaque(expression=name, location=module.locate(node) if node is not None else None)

    def state(self, state: State, frame: Frame, name: str) -> Value:
        """The value of a name in a state."""
        key = (id(state), id(frame))
        known = self._states.get(key)
        if known is not None:
            return known[2]
        if key in self._provisional:
            self._cut = True
            return self._provisional[key]
        outer_cut, self._cut = self._cut, False
        value = self._state(state, frame, name)
        if self._cut:
            if id(state) not in self._seeds:
                self._provisional[key] = value
        elif not isinstance(state, Unbound):
            self._states[key] = (state, frame, value)
        self._cut = self._cut or outer_cut
        return value

    def _state(self, state: State, frame: Frame, name: str) -> Value:
        match state:
            case Bind():
                return self._bound(state, frame, name)
            case Mutate():
                from promptslim.extract.python.mutation import mutated

                return mutated(self, self.state(state.before, frame, name), state, frame)
            case Join():
                return self._joined(state, frame, name)
            case _:
                return Opaque(expression=name)

    def _joined(self, state: Join, frame: Frame, name: str) -> Value:
        if id(state) in self._seeds:
            self._cut = True
            return self._seeds[id(state)]
        cases: list[tuple[str | None, Value]] = []
        bases = [member for _, _, member in state.members]
        try:
            for test, truth, member in state.members:
                if isinstance(member, Unbound):
                    continue
                condition = None
                if test is not None:
                    text = _short(frame.module, test)
                    condition = text if truth else f"not ({text})"
                value = self.state(member, frame, name)
                cases.append((condition, value))
                self._seeds[id(state)] = union(cases)
        finally:
            self._seeds.pop(id(state), None)
        if _derived(bases) and all(isinstance(value, Record) for _, value in cases):
            return merged([value for _, value in cases if isinstance(value, Record)])
        if _derived(bases) and all(isinstance(value, Sequence) for _, value in cases):
            longest = max((v for _, v in cases if isinstance(v, Sequence)), key=lambda v: len(v.items))
            return replace(longest, open=True)
        return union(cases)

    def _bound(self, state: Bind, frame: Frame, name: str) -> Value:
        module = frame.module
        match state.how:
            case "assign" if state.value is not None:
                return self._assigned(state, frame)
            case "item" if state.value is not None:
                value = self.evaluate(state.value, frame)
                for step in state.path:
                    value = subscript(value, step if isinstance(step, int) else None, Opaque(expression=name))
                return value
            case "for" if state.value is not None:
                return self._element(state, frame, name)
            case "with" if state.value is not None:
                return self.evaluate(state.value, frame)
            case "import":
                return self._import(module, state.node)
            case "from":
                return self._imported(module, state.node, str(state.path[0]))
            case "def":
                return Function(module, state.node, frame)  # type: ignore[arg-type]
            case "class":
                return Class(module, state.node)  # type: ignore[arg-type]
            case "parameter":
                return self._parameter(state.node, frame)  # type: ignore[arg-type]
            case "augment" if state.value is not None:
                return self._augmented(state, frame, name)
            case "for item":
                return Opaque("loop", name)
            case "except":
                return Opaque("call", name)
            case _:
                return Opaque(expression=name)

    def _assigned(self, state: Bind, frame: Frame) -> Value:
        assert state.value is not None  # noqa: S101
        value = self.evaluate(state.value, frame)
        if isinstance(state.node, ast.AnnAssign) and isinstance(value, Opaque):
            typed = self.typed(state.node.annotation, frame)
            return typed if typed is not None else value
        return value

    def _element(self, state: Bind, frame: Frame, name: str) -> Value:
        iterated = self.evaluate(state.value, frame)  # type: ignore[arg-type]
        if isinstance(iterated, Sequence) and not iterated.open and iterated.items:
            return union([(None, item) for item in iterated.items])
        if isinstance(iterated, Sequence) and iterated.open and len(iterated.items) == 1:
            return iterated.items[0]
        return Opaque("loop", name)

    def _augmented(self, state: Bind, frame: Frame, name: str) -> Value:
        before = self.state(state.before or UNBOUND, frame, name)
        node = state.node
        added = self.evaluate(state.value, frame)  # type: ignore[arg-type]
        if isinstance(node, ast.AugAssign):
            if isinstance(node.op, ast.Add):
                return concatenate(before, added)
            if isinstance(node.op, ast.BitOr) and isinstance(before, Record):
                return spread(before, added, name)
            if isinstance(before, Const) and isinstance(added, Const):
                return _arithmetic(node.op, before, added)
        return Opaque(expression=name)

    # Imports

    def _import(self, module: Module, alias: ast.AST) -> Value:
        assert isinstance(alias, ast.alias)  # noqa: S101
        dotted = alias.name if alias.asname else alias.name.split(".")[0]
        path = self.workspace.resolve(module.path, dotted, 0)
        if path is not None and path != module.path:
            other = self.workspace.module(path)
            if other is not None:
                return ProjectModule(other)
        return External(dotted)

    def _imported(self, module: Module, node: ast.AST, name: str) -> Value:
        assert isinstance(node, ast.ImportFrom)  # noqa: S101
        dotted = node.module or ""
        path = self.workspace.resolve(module.path, dotted, node.level)
        if path is not None and path != module.path:
            other = self.workspace.module(path)
            if other is not None:
                return self.member_of_module(other, name)
            return Opaque(expression=name)
        submodule = self.workspace.resolve(module.path, f"{dotted}.{name}" if dotted else name, node.level)
        if submodule is not None and submodule != module.path:
            other = self.workspace.module(submodule)
            if other is not None:
                return ProjectModule(other)
        if node.level:
            return Opaque(expression=name)
        return External(f"{dotted}.{name}")

    def member_of_module(self, module: Module, name: str) -> Value:
        """A module's attribute as an importer sees it."""
        key = (id(module), hash(name))
        if key in self._busy:
            self._cut = True
            return Opaque(expression=name)
        self._busy.add(key)
        try:
            scope = module.scope(module.tree)
            state = scope.final.get(name)
            if state is not None and not isinstance(state, Unbound):
                return self.state(state, self.root_frame(module, scope), name)
            submodule = self.workspace.resolve(module.path, name, 1)
            if submodule is not None:
                other = self.workspace.module(submodule)
                if other is not None and other is not module:
                    return ProjectModule(other)
            for star in scope.star_imports:
                found = self._imported(module, star, name)
                if not isinstance(found, Opaque):
                    return found
            return Opaque(expression=name)
        finally:
            self._busy.discard(key)

    # Attributes and classes

    def attribute(self, value: Value, name: str, node: ast.expr, frame: Frame) -> Value:
        """``value.name``."""
        match value:
            case External(name=dotted):
                if dotted == "os.environ":
                    return Member(value, name)
                return External(f"{dotted}.{name}")
            case ProjectModule(module=module):
                return self.member_of_module(module, name)
            case Class():
                return self.class_member(value, name, value)
            case Object():
                return self.object_member(value, name, node, frame)
            case Instance() | Member() | Text() | Record() | Sequence() | Json():
                return Member(value, name)
            case Union():
                return union([(c, self.attribute(v, name, node, frame)) for c, v in value.cases])
            case Opaque(origin=origin):
                return Opaque(origin, _short(frame.module, node), frame.module.locate(node))
            case Configured(origin=origin):
                return Configured(origin, None, frame.module.locate(node))
            case _:
                return self._opaque(node, frame)

    def class_member(self, owner: Class, name: str, receiver: Value) -> Value:
        """A class attribute or method, looked up through the bases that are visible."""
        found = self._class_member(owner, name, receiver, 0)
        return found if found is not None else Opaque(expression=f"{owner.node.name}.{name}")

    def _class_member(self, owner: Class, name: str, receiver: Value, depth: int) -> Value | None:
        scope = owner.module.scope(owner.node)
        frame = self.root_frame(owner.module, scope)
        state = scope.final.get(name)
        if isinstance(state, Bind) and state.how == "def":
            function = Function(owner.module, state.node, frame, receiver)  # type: ignore[arg-type]
            names = {_tail(d) for d in state.node.decorator_list}  # type: ignore[attr-defined]
            if names & TRANSPARENT_DECORATORS and not isinstance(receiver, Class):
                return self.call_function(function, None, frame)
            return function
        if state is not None and not isinstance(state, Unbound):
            value = self.state(state, frame, name)
            field_like = isinstance(state, Bind) and isinstance(state.node, ast.AnnAssign)
            if field_like and not isinstance(receiver, Class) and self._has_fields(owner):
                return Configured("field", _field_default(value))
            return value
        if depth < 5:
            for base in self.bases(owner):
                if isinstance(base, Class) and base.node is not owner.node:
                    found = self._class_member(base, name, receiver, depth + 1)
                    if found is not None:
                        return found
        return None

    def bases(self, owner: Class) -> list[Value]:
        """The values of the base classes."""
        outer = self.frame_of(owner.module, owner.node)
        return [self.evaluate(base, outer) for base in owner.node.bases]

    def external_bases(self, owner: Class, depth: int = 0) -> list[str]:
        """Dotted names of the bases from outside the project, nearest first."""
        names: list[str] = []
        for base in self.bases(owner):
            if isinstance(base, External):
                names.append(base.name)
            elif isinstance(base, Class) and depth < 5 and base.node is not owner.node:
                names.extend(self.external_bases(base, depth + 1))
        return names

    def _has_fields(self, owner: Class) -> bool:
        """True for dataclasses and pydantic models: an annotated name is a constructor argument."""
        if any("dataclass" in _tail(d) or _tail(d) in ("define", "frozen", "s") for d in owner.node.decorator_list):
            return True
        return any(
            name.rsplit(".", 1)[-1] in ("BaseModel", "BaseSettings", "NamedTuple", "TypedDict")
            for name in self.external_bases(owner)
        )

    def object_member(self, owner: Object, name: str, node: ast.expr, frame: Frame) -> Value:
        """An attribute of an instance of a project class."""
        given = self._constructor_argument(owner, name) if self._has_fields(owner.type) else None
        if given is not None:
            return given
        assigned = self._instance_attribute(owner, name, 0)
        if assigned is not None:
            return assigned
        found = self._class_member(owner.type, name, owner, 0)
        if found is not None:
            return found
        return Opaque(expression=_short(frame.module, node), location=frame.module.locate(node))

    def _constructor_argument(self, owner: Object, name: str) -> Value | None:
        if owner.call is None or owner.frame is None:
            return None
        for keyword in owner.call.keywords:
            if keyword.arg == name:
                return self.evaluate(keyword.value, owner.frame)
        return Opaque(expression=name) if any(k.arg is None for k in owner.call.keywords) else None

    def _instance_attribute(self, owner: Object, name: str, depth: int) -> Value | None:
        cases: list[tuple[str | None, Value]] = []
        for function, statement in self_assignments(owner.type.node, name):
            scope = owner.type.module.scope(function)
            frame = self._method_frame(owner, function, scope)
            value = statement.value
            if value is None:
                continue
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
                cases.append((None, Opaque(expression=f"self.{name}")))
                continue
            found = self.evaluate(value, frame)
            if isinstance(statement, ast.AnnAssign) and isinstance(found, Opaque):
                found = self.typed(statement.annotation, frame) or found
            cases.append((None, found))
        # "self.x = None" in __init__ announces an attribute that another method sets.
        real = [case for case in cases if not (isinstance(case[1], Const) and case[1].value is None)]
        if cases:
            return union(real or cases)
        if depth < 5:
            for base in self.bases(owner.type):
                if isinstance(base, Class) and base.node is not owner.type.node:
                    found_in_base = self._instance_attribute(replace(owner, type=base), name, depth + 1)
                    if found_in_base is not None:
                        return found_in_base
        return None

    def _method_frame(self, owner: Object, function: FunctionNode, scope: Scope) -> Frame:
        base = self.root_frame(owner.type.module, scope)
        if getattr(function, "name", "") != "__init__" or owner.call is None:
            return base
        key = (id(function), id(owner.call))
        if key not in self._frames:
            self._frames[key] = replace(base, call=owner.call, caller=owner.frame, receiver=owner, depth=base.depth + 1)
        return self._frames[key]

    # Calls

    def _call(self, node: ast.Call, frame: Frame) -> Value:
        callee = self.evaluate(node.func, frame)
        results = [(condition, self.apply(function, node, frame)) for condition, function in alternatives(callee)]
        return results[0][1] if len(results) == 1 else union(results)

    def apply(self, callee: Value, node: ast.Call, frame: Frame) -> Value:
        """The result of calling one callee."""
        match callee:
            case External(name=name):
                return call_external(self, name, node, frame)
            case Member(of=of, name=name):
                return call_method(self, of, name, node, frame)
            case Function():
                return self.call_function(callee, node, frame)
            case Class():
                return Object(callee, node, frame)
            case Instance(name="functools.partial", call=inner) if inner.args:
                return Opaque("call", _short(frame.module, node), frame.module.locate(node))
            case _:
                return self._opaque_call(node, frame)

    def _opaque_call(self, node: ast.Call, frame: Frame) -> Value:
        function = node.func
        location = frame.module.locate(node)
        if isinstance(function, ast.Attribute) and function.attr == "get" and len(node.args) == 2 and not node.keywords:
            return Configured("config", self.evaluate(node.args[1], frame), location)
        origin: Origin = "call"
        if isinstance(function, ast.Attribute):
            of = self.evaluate(function.value, frame)
            if isinstance(of, Opaque) and of.origin != "unknown":
                origin = of.origin
        return Opaque(origin, _short(frame.module, node), location)

    def call_function(self, function: Function, call: ast.Call | None, caller: Frame) -> Value:
        """The value a project function returns for a call."""
        if caller.depth >= DEEPEST_CALLS:
            self._cut = True
            return Opaque("call", expression="call chain")
        key = (id(function.node), id(call), id(caller))
        if key in self._calls:
            return self._calls[key][1]
        returns = returns_of(function.node)
        name = getattr(function.node, "name", "lambda")
        if returns is None or not returns or len(returns) > MOST_RETURNS:
            return Opaque("call", f"{name}()")
        scope = function.module.scope(function.node)
        outer = function.frame or self.root_frame(function.module, scope)
        frame = Frame(function.module, scope, call or _NO_CALL, caller, function.receiver, outer, caller.depth + 1)
        cut_before, self._cut = self._cut, False
        value = union([(None, self.evaluate(result, frame)) for result in returns])
        if not self._cut:
            self._calls[key] = ((function.node, call, caller, frame), value)
        self._cut = self._cut or cut_before
        return value

    # Parameters

    def _parameter(self, node: ast.arg, frame: Frame) -> Value:
        function = frame.scope.node
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return Opaque("argument", node.arg)
        receiver = self._receiver(node, function, frame)
        if receiver is not None:
            return receiver
        if frame.call is not None and frame.caller is not None:
            return self.argument(node, function, frame.call, frame.caller, frame)
        return self._from_callers(node, function, frame)

    def _receiver(self, node: ast.arg, function: FunctionNode, frame: Frame) -> Value | None:
        owner = frame.module.enclosing_class(function)
        positional = [*function.args.posonlyargs, *function.args.args]
        if owner is None or isinstance(function, ast.Lambda) or not positional or positional[0] is not node:
            return None
        names = {_tail(d) for d in function.decorator_list}
        if "staticmethod" in names:
            return None
        if frame.receiver is not None:
            return frame.receiver
        declared = Class(frame.module, owner)
        return declared if "classmethod" in names or node.arg == "cls" else Object(declared)

    def argument(self, node: ast.arg, function: FunctionNode, call: ast.Call, caller: Frame, frame: Frame) -> Value:
        """What a call passes for a parameter, its default included."""
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        bound = not isinstance(function, ast.Lambda) and frame.module.enclosing_class(function) is not None
        if bound and not any(_tail(d) == "staticmethod" for d in function.decorator_list):  # type: ignore[union-attr]
            unbound_call = isinstance(call.func, ast.Attribute) and isinstance(
                self.evaluate(call.func.value, caller), Class
            )
            is_classmethod = any(_tail(d) == "classmethod" for d in function.decorator_list)  # type: ignore[union-attr]
            if is_classmethod or not unbound_call:
                positional = positional[1:]
        if arguments.kwarg is node:
            return self._keywords(function, call, caller, positional)
        if arguments.vararg is node:
            rest = call.args[len(positional) :]
            return Sequence(
                tuple(self.evaluate(a, caller) for a in rest), any(isinstance(a, ast.Starred) for a in call.args)
            )
        for keyword in call.keywords:
            if keyword.arg == node.arg:
                return self.evaluate(keyword.value, caller)
        index = next((i for i, p in enumerate(positional) if p is node), None)
        if any(isinstance(a, ast.Starred) for a in call.args):
            return Opaque("argument", node.arg)
        if index is not None and index < len(call.args):
            return self.evaluate(call.args[index], caller)
        spread_value = self._in_spreads(node.arg, call, caller)
        if spread_value is not None:
            return spread_value
        default = default_of(function, node)
        if default is None:
            return Opaque("argument", node.arg)
        return self.evaluate(default, self.frame_of(frame.module, function))

    def _in_spreads(self, name: str, call: ast.Call, caller: Frame) -> Value | None:
        """What the ``**`` arguments of a call pass under a name; None where they provably pass nothing."""
        for keyword in call.keywords:
            if keyword.arg is not None:
                continue
            given = self.evaluate(keyword.value, caller)
            entry = given.entry(name) if isinstance(given, Record) else None
            if entry is not None and not entry.maybe:
                return entry.value
            if entry is not None or not isinstance(given, Record) or given.open is not None:
                return Opaque("argument", name)
        return None

    def _keywords(self, function: FunctionNode, call: ast.Call, caller: Frame, positional: list[ast.arg]) -> Value:
        own = {p.arg for p in positional} | {p.arg for p in function.args.kwonlyargs}
        record = Record(location=caller.module.locate(call) if call is not _NO_CALL else None)
        for keyword in call.keywords:
            if keyword.arg is None:
                record = spread(record, self.evaluate(keyword.value, caller), _short(caller.module, keyword.value))
            elif keyword.arg not in own:
                record = record.with_entry(
                    Entry(keyword.arg, self.evaluate(keyword.value, caller), caller.module.locate(keyword.value))
                )
        return replace(record, entries=tuple(e for e in record.entries if e.key not in own))

    def _from_callers(self, node: ast.arg, function: FunctionNode, frame: Frame) -> Value:
        """A parameter of a function seen from outside: what its callers pass, if they can be seen."""
        default = default_of(function, node)
        fallback = self.evaluate(default, self.frame_of(frame.module, function)) if default is not None else None
        calls = self.callers_of(function, frame)
        if calls:
            cases = [(None, self.argument(node, function, call, caller, frame)) for call, caller in calls]
            value = union(cases)  # type: ignore[arg-type]
            if function.args.kwarg is node:
                # Callers that are not visible may pass more.
                return spread(Record(open=f"**{node.arg}"), value, node.arg)
            left_out = isinstance(value, Const) and value.value is None and isinstance(fallback, Const)
            hidden = any(isinstance(member, Opaque) and member.origin == "unknown" for _, member in alternatives(value))
            # None that no visible caller sets is an option for others to set: that it stays unset is not proved.
            if not hidden and not left_out:
                return value
        typed = self.typed(node.annotation, frame) if node.annotation is not None else None
        if typed is not None:
            return typed
        if function.args.kwarg is node:
            return Record(open=f"**{node.arg}")
        if fallback is not None and not (isinstance(fallback, Const) and fallback.value is None):
            return Configured("argument", fallback)
        return Opaque("argument", node.arg, frame.module.locate(node))

    def callers_of(self, function: FunctionNode, frame: Frame) -> list[tuple[ast.Call, Frame]]:
        """The visible calls of a function; empty where there are none or too many to trust."""
        name = getattr(function, "name", None)
        if name is None:
            return []
        owner = frame.module.enclosing_class(function)
        if name == "__init__" and owner is not None:
            name = owner.name
        elif name.startswith("__") and name.endswith("__"):
            return []
        candidates = self.workspace.callers(frame.module, name)
        if candidates is None:
            return []
        found: list[tuple[ast.Call, Frame]] = []
        for module, call in candidates:
            caller = self.frame_of(module, call)
            if caller.scope.node is function:
                continue  # a recursive call passes on what it was given
            if self._calls_this(call, caller, function, owner):
                found.append((call, caller))
            if len(found) > MOST_CALLERS:
                return []
        return found

    def _calls_this(self, call: ast.Call, caller: Frame, function: FunctionNode, owner: ast.ClassDef | None) -> bool:
        key = (id(call.func), -1)
        if key in self._busy:
            return False
        self._busy.add(key)
        try:
            callee = self.evaluate(call.func, caller)
        finally:
            self._busy.discard(key)
        for _, member in alternatives(callee):
            if isinstance(member, Function) and member.node is function:
                return True
            if isinstance(member, Class) and member.node is owner:
                return True
        return False

    def typed(self, annotation: ast.expr | None, frame: Frame) -> Value | None:
        """An object of which only the declared class is known, where that class says something."""
        if annotation is None:
            return None
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                annotation = ast.parse(annotation.value, mode="eval").body
            except (SyntaxError, ValueError):
                return None
            if not isinstance(annotation, ast.Name):
                return None
            value = self.name(annotation.id, self._module_frame(frame), 1 << 62)
        elif isinstance(annotation, (ast.Name, ast.Attribute)):
            value = self.evaluate(annotation, frame)
        elif isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
            return self.typed(annotation.left, frame) or self.typed(annotation.right, frame)
        elif isinstance(annotation, ast.Subscript) and _tail(annotation.value) in ("Optional", "Annotated"):
            inner = annotation.slice
            return self.typed(inner.elts[0] if isinstance(inner, ast.Tuple) else inner, frame)
        else:
            return None
        if isinstance(value, Class):
            return Object(value)
        if isinstance(value, External) and not value.name.startswith(("builtins.", "typing.", "collections.")):
            return Instance(value.name, _NO_CALL, frame)
        return None

    def _module_frame(self, frame: Frame) -> Frame:
        return self.root_frame(frame.module, frame.module.scope(frame.module.tree))


_NO_CALL = ast.Call(
    func=ast.Name(id="", ctx=ast.Load()), args=[], keywords=[], lineno=1, col_offset=0, end_lineno=1, end_col_offset=0
)
"""Stands for a call that passes nothing: a property, or an object of which only the type is known."""


def is_real(call: ast.Call) -> bool:
    """False for the stand-in of an object of which only the type is known."""
    return call is not _NO_CALL


def default_of(function: FunctionNode, node: ast.arg) -> ast.expr | None:
    """The default expression of a parameter."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    for index, argument in enumerate(positional):
        if argument is node:
            offset = index - (len(positional) - len(arguments.defaults))
            return arguments.defaults[offset] if offset >= 0 else None
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if argument is node:
            return default
    return None


def self_assignments(
    owner: ast.ClassDef, name: str
) -> list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.Assign | ast.AnnAssign]]:
    """Statements ``self.<name> = ...`` in the methods of a class, ``__init__`` first."""
    index: dict[str, list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.Assign | ast.AnnAssign]]] | None
    index = getattr(owner, "promptslim_attributes", None)
    if index is None:
        index = {}
        methods = [s for s in owner.body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))]
        methods.sort(key=lambda m: m.name != "__init__")
        for method in methods:
            for node in ast.walk(method):
                if not isinstance(node, (ast.Assign, ast.AnnAssign)):
                    continue
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    for inner in target.elts if isinstance(target, ast.Tuple) else [target]:
                        if (
                            isinstance(inner, ast.Attribute)
                            and isinstance(inner.value, ast.Name)
                            and inner.value.id in ("self", "cls")
                        ):
                            index.setdefault(inner.attr, []).append((method, node))
        owner.promptslim_attributes = index  # type: ignore[attr-defined]
    return index.get(name, [])


def spread(record: Record, value: Value, expression: str) -> Record:
    """A record with the keys of another value merged over it (``{**a, **b}``, ``update``)."""
    if isinstance(value, Record):
        for entry in value.entries:
            record = record.with_entry(entry)
        return replace(record, open=record.open or value.open)
    if isinstance(value, Union) and all(isinstance(v, Record) for _, v in value.cases):
        return spread(record, merged([v for _, v in value.cases if isinstance(v, Record)]), expression)
    if isinstance(value, Const) and value.value is None:
        return record
    return replace(record, open=record.open or f"**{expression}")


def merged(records: list[Record]) -> Record:
    """One record for several paths: keys that not every path sets are maybe set."""
    keys = list(dict.fromkeys(entry.key for record in records for entry in record.entries))
    entries: list[Entry] = []
    for key in keys:
        found = [entry for record in records if (entry := record.entry(key)) is not None]
        maybe = len(found) < len(records) or any(entry.maybe for entry in found)
        values = [entry.value for entry in found]
        if all(isinstance(value, Record) for value in values):
            value: Value = merged([value for value in values if isinstance(value, Record)])
        else:
            value = union([(None, value) for value in values])
        entries.append(Entry(key, value, found[0].location, maybe))
    opened = next((record.open for record in records if record.open), None)
    return Record(tuple(entries), opened, records[0].location)


def _derived(states: list[State]) -> bool:
    """True where every state is one of the others changed in place: one object on several paths."""

    roots = [root_of(state) for state in states if not isinstance(state, Unbound)]
    return len(roots) > 1 and all(root is roots[0] for root in roots)


def _either(first: Value, second: Value, expression: str) -> Value:
    """``first or second``."""
    match first:
        case Const(value=value):
            return first if value else second
        case Text(parts=parts):
            return first if parts else second
        case Record(entries=entries, open=opened) if entries or opened is None:
            return first if entries else second
        case Configured(origin=origin, fallback=fallback):
            return Configured(origin, fallback if _truthy(fallback) else second, first.location)
        case Opaque(origin=origin, location=location):
            if isinstance(second, (Const, Text, Configured)):
                kept = second.fallback if isinstance(second, Configured) else second
                return Configured(origin if origin != "unknown" else expression, kept, location)
            if isinstance(second, Record):
                return merged([second, Record(open=expression)])
            # "given or Client()": what is given is of the same kind.
            return second if isinstance(second, (Instance, Object)) else first
        case Union():
            return union([(c, _either(v, second, expression)) for c, v in first.cases])
        case _:
            return first


def _truthy(value: Value | None) -> bool:
    return (isinstance(value, Const) and bool(value.value)) or (isinstance(value, Text) and bool(value.parts))


def _field_default(value: Value) -> Value | None:
    """The default of a dataclass or pydantic field, None where it must be given."""
    if isinstance(value, Instance) and is_real(value.call):
        from_keywords = [k.value for k in value.call.keywords if k.arg == "default"]
        candidate = from_keywords[0] if from_keywords else value.call.args[0] if value.call.args else None
        if isinstance(candidate, ast.Constant) and candidate.value is not Ellipsis:
            constant = candidate.value
            return Text((Literal(constant),)) if isinstance(constant, str) else Const(constant)
        return None
    return None if isinstance(value, Opaque) or (isinstance(value, Const) and value.value is None) else value


def _arithmetic(operator: ast.operator, left: Const, right: Const) -> Value:
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


def _tail(node: ast.expr) -> str:
    """The last name of a decorator or annotation."""
    if isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _short(module: Module, node: ast.AST) -> str:
    """The source text of a node on one line, cut to a length fit for a message."""
    if node is _NO_CALL or not hasattr(node, "lineno"):
        return ""
    text = " ".join(module.source(node).split())
    return text if len(text) <= 80 else text[:77] + "..."
