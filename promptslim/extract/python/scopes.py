"""Which binding of a name reaches a place: one forward pass over the statements of a scope.

Versions are logged in text order. A branch that starts from an older state logs that state again at its
own start, so the version that reaches a place is simply the last one logged before it.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from promptslim.core.record import field, record

Position = int
"""Line and UTF-8 column in one integer: ``line << 20 | column``. Order is text order."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
ScopeNode = ast.Module | ast.ClassDef | FunctionNode | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def start_of(node: ast.AST) -> Position:
    """The position of a node's first character."""
    line: int = node.lineno  # type: ignore[attr-defined]
    column: int = node.col_offset  # type: ignore[attr-defined]
    return line << 20 | column


def end_of(node: ast.AST) -> Position:
    """The position just after a node's last character."""
    line: int = node.end_lineno  # type: ignore[attr-defined]
    column: int = node.end_col_offset  # type: ignore[attr-defined]
    return line << 20 | column


@record(frozen=False, eq=False)
class Bind:
    """A name bound by a statement.

    ``how``: assign, item (unpacked at ``path``), for, with, import, from, def, class, parameter, except,
    augment (``before`` is the older state), delete, global, star. ``value`` is the expression bound.
    """

    how: str
    node: ast.AST
    value: ast.expr | None = None
    path: tuple[int | str, ...] = ()
    before: State | None = None


@record(frozen=False, eq=False)
class Mutate:
    """The object that a name holds is changed by ``node``, a statement or call, after ``before``."""

    before: State
    node: ast.AST
    name: str
    root: State = field(init=False)

    def __post_init__(self) -> None:
        self.root = root_of(self.before)


@record(frozen=False, eq=False)
class Join:
    """Several states meet; each with the source condition of its branch."""

    members: list[tuple[ast.expr | None, bool, State]] = field(default_factory=list)
    root: State | None = None

    def __post_init__(self) -> None:
        roots = [root_of(state) for _, _, state in self.members if not isinstance(state, Unbound)]
        self.root = roots[0] if roots and all(root is roots[0] for root in roots) else None


@record(frozen=False, eq=False)
class Unbound:
    """No binding reaches this place on this path."""


State = Bind | Mutate | Join | Unbound
UNBOUND = Unbound()


def root_of(state: State) -> State:
    """The binding that made the object which a state holds; a join of different objects is its own root."""
    match state:
        case Mutate(root=root):
            return root
        case Join(root=root) if root is not None:
            return root
        case _:
            return state


MUTATORS = frozenset(
    {
        "append",
        "extend",
        "insert",
        "update",
        "setdefault",
        "pop",
        "remove",
        "clear",
        "sort",
        "reverse",
        "add",
        "popitem",
    }
)
HARMLESS = frozenset({
    "print", "len", "str", "int", "float", "bool", "list", "dict", "tuple", "set", "sorted", "repr", "isinstance",
    "type", "hash", "id", "iter", "enumerate", "zip", "min", "max", "sum", "any", "all", "range", "format", "vars",
    "getattr", "hasattr", "reversed", "map", "filter", "deepcopy", "copy", "dumps", "loads", "info", "debug", "warning",
    "error", "exception", "log", "join", "format_map", "items", "keys", "values", "get", "invoke_model", "converse",
    "converse_stream", "invoke_model_with_response_stream", "create", "stream", "parse", "completion", "acompletion",
    "encode", "write_text", "write", "dump", "pprint", "display",
})  # fmt: skip
"""Callables that do not change a dict or list passed to them."""


@record(frozen=False, eq=False)
class Scope:
    """A scope with the versions of its names."""

    node: ScopeNode
    parent: Scope | None
    qualname: str
    owner: ast.ClassDef | None = None
    versions: dict[str, tuple[list[Position], list[State]]] = field(default_factory=dict)
    final: dict[str, State] = field(default_factory=dict)
    outer_names: frozenset[str] = frozenset()
    star_imports: tuple[ast.ImportFrom, ...] = ()

    def at(self, name: str, position: Position) -> State | None:
        """The state that reaches a place, None where the scope never binds the name."""
        logged = self.versions.get(name)
        if logged is None:
            return None
        index = bisect_right(logged[0], position)
        return logged[1][index - 1] if index else UNBOUND

    def binds(self, name: str) -> bool:
        """True where the name is local to this scope."""
        return name in self.versions and name not in self.outer_names


class Builder:
    """Fills the versions of one scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.current: dict[str, State] = {}
        self.exits: list[list[dict[str, State]]] = []
        self.outer: set[str] = set()
        self.stars: list[ast.ImportFrom] = []

    def build(self) -> Scope:
        """Walk the scope and give it back filled."""
        node = self.scope.node
        match node:
            case ast.Module() | ast.ClassDef():
                self.block(node.body)
            case ast.Lambda():
                self.parameters(node)
                self.expression(node.body)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.parameters(node)
                self.block(node.body)
            case _:
                for generator in node.generators:
                    self.bind_target(generator.target, generator.iter, "for", start_of(node))
        self.scope.final = self.current
        self.scope.outer_names = frozenset(self.outer)
        self.scope.star_imports = tuple(self.stars)
        return self.scope

    def parameters(self, node: FunctionNode) -> None:
        """Bind the parameters of a function."""
        arguments = node.args
        everything = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        everything += [a for a in (arguments.vararg, arguments.kwarg) if a]
        for argument in everything:
            self.log(argument.arg, Bind("parameter", argument), start_of(node))

    def log(self, name: str, state: State, position: Position) -> None:
        """Note that from a position on a name has a state."""
        self.current[name] = state
        positions, states = self.scope.versions.setdefault(name, ([], []))
        positions.append(max(position, positions[-1]) if positions else position)
        states.append(state)

    def restore(self, saved: dict[str, State], position: Position) -> None:
        """Starts a branch from an older state."""
        for name in list(self.current):
            old = saved.get(name, UNBOUND)
            if self.current[name] is not old:
                self.log(name, old, position)
        self.current = dict(saved)

    def merge(self, branches: Sequence[tuple[ast.expr | None, bool, dict[str, State]]], position: Position) -> None:
        """Ends several branches; those that never get here are not given."""
        if not branches:
            return
        names = {name for _, _, state in branches for name in state}
        for name in names:
            states = [(test, truth, state.get(name, UNBOUND)) for test, truth, state in branches]
            first = states[0][2]
            merged = first if all(s is first for _, _, s in states) else Join(list(states))
            if self.current.get(name) is not merged:
                self.log(name, merged, position)

    def block(self, statements: Sequence[ast.stmt]) -> bool:
        """Walks statements; False where the end cannot be reached."""
        return all(self.statement(statement) for statement in statements)

    def statement(self, node: ast.stmt) -> bool:  # noqa: C901
        """Walk one statement; False where what follows it cannot be reached."""
        match node:
            case ast.Assign():
                self.expression(node.value)
                for target in node.targets:
                    self.bind_target(target, node.value, "assign", end_of(node), node)
            case ast.AnnAssign():
                if node.value is not None:
                    self.expression(node.value)
                    self.bind_target(node.target, node.value, "assign", end_of(node), node)
                elif isinstance(node.target, ast.Name) and isinstance(self.scope.node, ast.ClassDef):
                    self.log(node.target.id, Bind("declared", node), end_of(node))
            case ast.AugAssign():
                self.expression(node.value)
                if isinstance(node.target, ast.Name):
                    before = self.current.get(node.target.id, UNBOUND)
                    self.log(node.target.id, Bind("augment", node, node.value, before=before), end_of(node))
                else:
                    self.mutated_root(node.target, node, end_of(node))
            case ast.If():
                return self.branch(node)
            case ast.For() | ast.AsyncFor():
                self.expression(node.iter)
                self.loop(node, node.target, node.iter)
            case ast.While():
                self.expression(node.test)
                self.loop(node, None, None)
            case ast.Try() | ast.TryStar():
                return self.attempt(node)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self.expression(item.context_expr)
                    if item.optional_vars is not None:
                        self.bind_target(item.optional_vars, item.context_expr, "with", end_of(item.optional_vars))
                return self.block(node.body)
            case ast.Match():
                return self.cases(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.log(node.name, Bind("def", node), end_of(node))
            case ast.ClassDef():
                self.log(node.name, Bind("class", node), end_of(node))
            case ast.Import():
                for alias in node.names:
                    name = alias.asname or alias.name.split(".")[0]
                    self.log(name, Bind("import", alias), end_of(node))
            case ast.ImportFrom():
                self.imported(node)
            case ast.Return() | ast.Raise():
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.expression(child)
                return False
            case ast.Break() | ast.Continue():
                if self.exits:
                    self.exits[-1].append(dict(self.current))
                return False
            case ast.Global() | ast.Nonlocal():
                self.outer.update(node.names)
            case ast.Delete():
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self.log(target.id, Bind("delete", node), end_of(node))
                    else:
                        self.mutated_root(target, node, end_of(node))
            case ast.Expr():
                self.expression(node.value)
            case ast.Assert():
                self.expression(node.test)
            case _:
                pass
        return True

    def imported(self, node: ast.ImportFrom) -> None:
        """Bind the names of ``from ... import ...``."""
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(node)
            else:
                self.log(alias.asname or alias.name, Bind("from", node, path=(alias.name,)), end_of(node))

    def branch(self, node: ast.If) -> bool:
        """Walk both branches of an ``if``; False where neither reaches its end."""
        self.expression(node.test)
        saved = dict(self.current)
        ends: list[tuple[ast.expr | None, bool, dict[str, State]]] = []
        if self.block(node.body):
            ends.append((node.test, True, dict(self.current)))
        if node.orelse:
            self.restore(saved, start_of(node.orelse[0]))
            if self.block(node.orelse):
                ends.append((node.test, False, dict(self.current)))
        else:
            ends.append((node.test, False, saved))
        self.merge(ends, end_of(node))
        return bool(ends)

    def loop(
        self, node: ast.For | ast.AsyncFor | ast.While, target: ast.expr | None, iterated: ast.expr | None
    ) -> None:
        """Walk a loop body once: what it changes may come from before the loop or from an earlier round."""
        saved = dict(self.current)
        changed = changed_names(node.body)
        heads: dict[str, Join] = {}
        for name in changed & set(saved):
            heads[name] = Join([(None, True, saved[name])])
            self.log(name, heads[name], start_of(node.body[0]))
        if target is not None and iterated is not None:
            self.bind_target(target, iterated, "for", start_of(node.body[0]))
        self.exits.append([])
        if self.block(node.body):
            self.exits[-1].append(dict(self.current))
        ends = self.exits.pop()
        for name, head in heads.items():
            for end in ends:
                state = end.get(name, UNBOUND)
                if state is not head and all(state is not old for _, _, old in head.members):
                    head.members.append((None, True, state))
        branches: list[tuple[ast.expr | None, bool, dict[str, State]]] = [(None, True, end) for end in ends]
        self.merge([(None, True, saved), *branches], end_of(node.body[-1]))
        self.block(node.orelse)

    def attempt(self, node: ast.Try | ast.TryStar) -> bool:
        """Walk a ``try``: a handler may start from before or after the guarded statements."""
        saved = dict(self.current)
        ended = self.block(node.body)
        after = dict(self.current)
        ends: list[tuple[ast.expr | None, bool, dict[str, State]]] = []
        if ended:
            ended = self.block(node.orelse)
            if ended:
                ends.append((None, True, dict(self.current)))
        for handler in node.handlers:
            first = start_of(handler)
            self.restore(saved, first)
            self.merge([(None, True, saved), (None, True, after)], first)
            if handler.name:
                self.log(handler.name, Bind("except", handler), first)
            if self.block(handler.body):
                ends.append((None, True, dict(self.current)))
        last = node.handlers[-1] if node.handlers else node.body[-1]
        if ends:
            self.merge(ends, end_of(last))
        if node.finalbody and not self.block(node.finalbody):
            return False
        return bool(ends)

    def cases(self, node: ast.Match) -> bool:
        """Walk the cases of a ``match``; False where all leave and one of them always fits."""
        self.expression(node.subject)
        saved = dict(self.current)
        ends: list[tuple[ast.expr | None, bool, dict[str, State]]] = []
        complete = False
        for case in node.cases:
            self.restore(saved, start_of(case.body[0]))
            for child in ast.walk(case.pattern):
                name = getattr(child, "name", None) or getattr(child, "rest", None)
                if isinstance(name, str):
                    self.log(name, Bind("match", node), start_of(case.body[0]))
            complete = complete or (
                case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
            )
            if self.block(case.body):
                ends.append((None, True, dict(self.current)))
        if not complete:
            ends.append((None, True, saved))
        self.merge(ends, end_of(node))
        return bool(ends)

    def bind_target(
        self, target: ast.expr, value: ast.expr, how: str, position: Position, node: ast.AST | None = None
    ) -> None:
        """Bind the names of an assignment target, or note that an object is changed."""
        match target:
            case ast.Name():
                self.log(target.id, Bind(how, node or target, value), position)
            case ast.Tuple() | ast.List():
                self.unpack(target, value, how, position, ())
            case ast.Starred():
                self.bind_target(target.value, value, "starred", position, node)
            case _:
                self.mutated_root(target, node or target, position)

    def unpack(
        self, target: ast.Tuple | ast.List, value: ast.expr, how: str, position: Position, path: tuple[int | str, ...]
    ) -> None:
        """Bind the names of a nested target; ``path`` leads to their part of the value."""
        starred = False
        for index, element in enumerate(target.elts):
            if isinstance(element, ast.Starred):
                starred = True
                if isinstance(element.value, ast.Name):
                    self.log(element.value.id, Bind("starred", element, value), position)
            elif isinstance(element, (ast.Tuple, ast.List)):
                self.unpack(element, value, how, position, (*path, index))
            elif isinstance(element, ast.Name):
                step: tuple[int | str, ...] = ("*",) if starred else (*path, index)
                self.log(element.id, Bind("for item" if how == "for" else "item", element, value, step), position)
            else:
                self.mutated_root(element, element, position)

    def mutated_root(self, target: ast.expr, node: ast.AST, position: Position) -> None:
        """``x["a"]["b"] = v`` and ``x.a = v`` change the object that ``x`` holds."""
        root = target
        while isinstance(root, (ast.Subscript, ast.Attribute)):
            root = root.value
        if isinstance(root, ast.Name) and root.id in self.current:
            self.log(root.id, Mutate(self.current[root.id], node, root.id), position)

    def expression(self, node: ast.expr) -> None:
        """Calls inside an expression that may change what a local name holds, and walrus bindings."""
        for child in calls_and_bindings(node):
            if isinstance(child, ast.NamedExpr):
                self.log(child.target.id, Bind("assign", child, child.value), end_of(child))
                continue
            function = child.func
            if isinstance(function, ast.Attribute):
                if function.attr in MUTATORS:
                    self.mutated_root(function.value, child, end_of(child))
                    continue
                called = function.attr
            else:
                called = function.id if isinstance(function, ast.Name) else ""
            if called in HARMLESS:
                continue
            for argument in (*child.args, *(k.value for k in child.keywords if k.arg is not None)):
                if isinstance(argument, ast.Name) and argument.id in self.current:
                    self.log(argument.id, Mutate(self.current[argument.id], child, argument.id), end_of(child))


def calls_and_bindings(node: ast.expr) -> Iterable[ast.Call | ast.NamedExpr]:
    """Calls and walrus bindings inside an expression, inner ones first, nested scopes left out."""
    found: list[ast.Call | ast.NamedExpr] = []
    stack: list[ast.AST] = [node]
    while stack:
        child = stack.pop()
        if isinstance(child, ast.Lambda):
            continue
        if isinstance(child, (ast.Call, ast.NamedExpr)):
            found.append(child)
        elif isinstance(child, (ast.Name, ast.Constant)):
            continue
        stack.extend(ast.iter_child_nodes(child))
    if len(found) > 1:
        found.sort(key=end_of)
    return found


def changed_names(statements: Sequence[ast.stmt]) -> set[str]:
    """Names that the statements bind or whose objects they may change."""
    names: set[str] = set()
    stack: list[ast.AST] = list(statements)
    while stack:
        node = stack.pop()
        match node:
            case ast.Name(ctx=ast.Store()):
                names.add(node.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
                continue
            case ast.Lambda():
                continue
            case ast.Subscript(ctx=ast.Store()) | ast.Attribute(ctx=ast.Store()):
                root: ast.expr = node
                while isinstance(root, (ast.Subscript, ast.Attribute)):
                    root = root.value
                if isinstance(root, ast.Name):
                    names.add(root.id)
            case ast.Call():
                if isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
                    root = node.func.value
                    while isinstance(root, (ast.Subscript, ast.Attribute)):
                        root = root.value
                    if isinstance(root, ast.Name):
                        names.add(root.id)
                for argument in (*node.args, *(k.value for k in node.keywords)):
                    if isinstance(argument, ast.Name):
                        names.add(argument.id)
            case _:
                pass
        stack.extend(ast.iter_child_nodes(node))
    return names
