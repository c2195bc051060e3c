"""On-demand evaluation of expressions to abstract values.

Nothing is run. A value that cannot be derived is Opaque with its origin; the evaluator never guesses.
"""

from __future__ import annotations

import ast

from promptslim.core.prompt import Transform
from promptslim.core.record import field, record, replace
from promptslim.extract.python.abstract import (
    UNKNOWN,
    Class,
    Configured,
    Const,
    External,
    Function,
    Instance,
    Member,
    Object,
    Opaque,
    Record,
    Sequence,
    Value,
    alternatives,
    union,
)
from promptslim.extract.python.bindings import bound
from promptslim.extract.python.classes import attribute
from promptslim.extract.python.expressions import (
    binary,
    boolean,
    comprehension,
    constant,
    cut_range,
    dict_comprehension,
    dictionary,
    formatted,
    key_of,
    sequence,
)
from promptslim.extract.python.frames import NO_CALL, Frame, opaque_at, short
from promptslim.extract.python.module import Module
from promptslim.extract.python.mutation import mutated
from promptslim.extract.python.names import named_value
from promptslim.extract.python.operations import call_external, call_method, indents, opaque_method
from promptslim.extract.python.origins import Origins
from promptslim.extract.python.records import merged
from promptslim.extract.python.scopes import Bind, FunctionNode, Join, Mutate, Scope, State, Unbound, root_of, start_of
from promptslim.extract.python.texts import grown, subscript
from promptslim.extract.python.workspace import Workspace, returns_of

DEEPEST = 60
"""Steps of indirection followed for one value."""
DEEPEST_CALLS = 6
MOST_STEPS = 20_000
"""Expressions evaluated for one question; what lies beyond is not known."""
MOST_RETURNS = 8


@record(frozen=False, eq=False)
class Evaluator:
    """Evaluates expressions of a workspace; results are kept per expression and frame."""

    workspace: Workspace
    origins: Origins
    busy: set[tuple[int, int]] = field(default_factory=set)
    """Questions under way: meeting one again is a cycle."""
    cut: bool = False
    """Set where a cycle or a limit cut the value short that is being derived."""
    _frames: dict[tuple[int, int], Frame] = field(default_factory=dict)
    _memo: dict[tuple[int, int], tuple[ast.AST, Frame, Value]] = field(default_factory=dict)
    _seeds: dict[int, Value] = field(default_factory=dict)
    _calls: dict[tuple[int, int, int], tuple[object, Value]] = field(default_factory=dict)
    _states: dict[tuple[int, int], tuple[State, Frame, Value]] = field(default_factory=dict)
    _provisional: dict[tuple[int, int], Value] = field(default_factory=dict)
    _depth: int = 0
    _steps: int = 0

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

    def inner_frame(self, node: ast.AST, frame: Frame) -> Frame:
        """The frame of a comprehension, lambda or class body that stands in ``frame``."""
        key = (id(node), id(frame))
        if key not in self._frames:
            scope = frame.module.scope(node)  # type: ignore[arg-type]
            self._frames[key] = Frame(frame.module, scope, outer=frame, depth=frame.depth)
        return self._frames[key]

    def method_frame(self, owner: Object, function: FunctionNode, scope: Scope) -> Frame:
        """The frame of a method of an object; for ``__init__`` with the arguments of the constructor call."""
        base = self.root_frame(owner.type.module, scope)
        if getattr(function, "name", "") != "__init__" or owner.call is None:
            return base
        key = (id(function), id(owner.call))
        if key not in self._frames:
            self._frames[key] = replace(base, call=owner.call, caller=owner.frame, receiver=owner, depth=base.depth + 1)
        return self._frames[key]

    def evaluate(self, node: ast.expr, frame: Frame) -> Value:
        """The abstract value of an expression at its place in a frame."""
        key = (id(node), id(frame))
        known = self._memo.get(key)
        if known is not None:
            return known[2]
        if key in self._provisional:
            self.cut = True
            return self._provisional[key]
        self._steps += 1
        if key in self.busy or self._depth > DEEPEST or self._steps > MOST_STEPS:
            self.cut = True
            return Opaque(expression=short(frame.module, node))
        self.busy.add(key)
        self._depth += 1
        outer_cut, self.cut = self.cut, False
        try:
            value = self._expression(node, frame)
        except RecursionError:
            value = UNKNOWN
        finally:
            self.busy.discard(key)
            self._depth -= 1
        # A value that was cut short by a cycle or a limit depends on the way here: it serves this question only.
        if self.cut:
            self._provisional[key] = value
        else:
            self._memo[key] = (node, frame, value)
        self.cut = self.cut or outer_cut
        return value

    def _expression(self, node: ast.expr, frame: Frame) -> Value:  # noqa: C901
        match node:
            case ast.Constant():
                return constant(node, frame)
            case ast.JoinedStr():
                return formatted(self, node, frame)
            case ast.Name():
                return named_value(self, node.id, frame, start_of(node), node)
            case ast.Attribute():
                return attribute(self, self.evaluate(node.value, frame), node.attr, node, frame)
            case ast.Call():
                return self._call(node, frame)
            case ast.Dict():
                return dictionary(self, node, frame)
            case ast.List() | ast.Tuple() | ast.Set():
                return sequence(self, node, frame)
            case ast.Subscript(slice=ast.Slice()):
                return cut_range(self, node, frame)
            case ast.Subscript():
                return subscript(
                    self.evaluate(node.value, frame), key_of(self, node.slice, frame), opaque_at(node, frame)
                )
            case ast.BinOp():
                return binary(self, node, frame)
            case ast.BoolOp():
                return boolean(self, node, frame)
            case ast.IfExp():
                test = short(frame.module, node.test)
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
                return comprehension(self, node, frame)
            case ast.DictComp():
                return dict_comprehension(self, node, frame)
            case _:
                return opaque_at(node, frame)

    def state(self, state: State, frame: Frame, name: str) -> Value:
        """The value of a name in a state."""
        key = (id(state), id(frame))
        known = self._states.get(key)
        if known is not None:
            return known[2]
        if key in self._provisional:
            self.cut = True
            return self._provisional[key]
        outer_cut, self.cut = self.cut, False
        value = self._state(state, frame, name)
        if self.cut:
            if id(state) not in self._seeds:
                self._provisional[key] = value
        elif not isinstance(state, Unbound):
            self._states[key] = (state, frame, value)
        self.cut = self.cut or outer_cut
        return value

    def _state(self, state: State, frame: Frame, name: str) -> Value:
        match state:
            case Bind():
                return bound(self, state, frame, name)
            case Mutate():
                return mutated(self, self.state(state.before, frame, name), state, frame)
            case Join():
                return self._joined(state, frame, name)
            case _:
                return Opaque(expression=name)

    def _joined(self, state: Join, frame: Frame, name: str) -> Value:
        if id(state) in self._seeds:
            self.cut = True
            return self._seeds[id(state)]
        cases: list[tuple[str | None, Value]] = []
        bases = [member for _, _, member in state.members]
        try:
            for test, truth, member in state.members:
                if isinstance(member, Unbound):
                    continue
                condition = None
                if test is not None:
                    text = short(frame.module, test)
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
        return grown(cases) or union(cases)

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
                return Opaque("call", short(frame.module, node), frame.module.locate(node))
            case _:
                return self._opaque_call(node, frame)

    def _opaque_call(self, node: ast.Call, frame: Frame) -> Value:
        function = node.func
        location = frame.module.locate(node)
        if isinstance(function, ast.Attribute) and function.attr == "get" and len(node.args) == 2 and not node.keywords:
            return Configured("config", self.evaluate(node.args[1], frame), location)
        if isinstance(function, ast.Attribute):
            of = self.evaluate(function.value, frame)
            if isinstance(of, Object) and self.origins.cuts(function.attr):
                of = Opaque("call", short(frame.module, function.value), location)
            if isinstance(of, Opaque):
                return opaque_method(self, of, function.attr, node, frame)
            if isinstance(of, Class) and function.attr == "model_json_schema" and not (node.args or node.keywords):
                # Held by a name, it may be changed before it is sent.
                written = isinstance(frame.module.parents.get(node), ast.Dict | ast.keyword)
                return Opaque("call", short(frame.module, node), location, model=of if written else None)
            if indents(function.attr, node):
                return Opaque("call", short(frame.module, node), location, (Transform("indent", location),))
        return Opaque("call", short(frame.module, node), location)

    def call_function(self, function: Function, call: ast.Call | None, caller: Frame) -> Value:
        """The value a project function returns for a call."""
        if caller.depth >= DEEPEST_CALLS:
            self.cut = True
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
        frame = Frame(function.module, scope, call or NO_CALL, caller, function.receiver, outer, caller.depth + 1)
        cut_before, self.cut = self.cut, False
        value = union([(None, self.evaluate(result, frame)) for result in returns])
        if not self.cut:
            self._calls[key] = ((function.node, call, caller, frame), value)
        self.cut = self.cut or cut_before
        return value


def _derived(states: list[State]) -> bool:
    """True where every state is one of the others changed in place: one object on several paths."""
    roots = [root_of(state) for state in states if not isinstance(state, Unbound)]
    return len(roots) > 1 and all(root is roots[0] for root in roots)
