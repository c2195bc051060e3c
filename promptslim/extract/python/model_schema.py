"""The JSON Schema that pydantic makes of a model of the project, as far as the class says it.

Keys and titles as ``BaseModel.model_json_schema`` of pydantic 2 and ``openai.pydantic_function_tool`` write them
(https://docs.pydantic.dev/latest/concepts/json_schema/). What the class does not say is a hole.
"""

from __future__ import annotations

import ast

from promptslim.core.prompt import Literal
from promptslim.core.record import field, record, replace
from promptslim.core.text import Location
from promptslim.extract.python.abstract import (
    Class,
    Const,
    Entry,
    External,
    Instance,
    Opaque,
    Record,
    Sequence,
    Text,
    Value,
    text_value,
)
from promptslim.extract.python.classes import bases, external_bases
from promptslim.extract.python.evaluate import Evaluator
from promptslim.extract.python.frames import Frame, last_name, opaque_at
from promptslim.extract.python.operations import keywords
from promptslim.extract.python.texts import remapped

MOST_MODELS = 60
"""Models of one schema; beyond them the fields are holes."""

_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_LISTS = ("list", "List", "Sequence")
_DICTS = ("dict", "Dict", "Mapping")
_SAID = ("description", "title", "default", "default_factory")
_LIMITS = frozenset({
    "ge", "gt", "le", "lt", "min_length", "max_length", "multiple_of", "pattern", "examples", "strict", "frozen",
})  # fmt: skip
"""Arguments of ``Field`` that add keys to a property and change none of the others."""

_HARMLESS_SETTINGS = frozenset({
    "extra", "frozen", "arbitrary_types_allowed", "str_strip_whitespace", "populate_by_name", "validate_assignment",
    "strict", "from_attributes", "use_enum_values", "validate_default",
})  # fmt: skip
"""Keys of ``model_config`` that leave names, titles and descriptions of a schema as they are."""


def model_schema(evaluator: Evaluator, model: Class, *, strict: bool = False) -> Record | None:
    """What ``model.model_json_schema()`` gives, None where the class is no plain pydantic model. ``strict``: as
    OpenAI's client changes it: every field is required, further ones are excluded."""
    schemas = _Schemas(evaluator, strict)
    made = schemas.of_model(model)
    if made is None or model.node.name in schemas.definitions:
        return None
    if not schemas.definitions:
        return made
    defined = Record(tuple(Entry(name, value) for name, (_, value) in schemas.definitions.items()))
    return replace(made, entries=(Entry("$defs", defined), *made.entries))


def function_tool(evaluator: Evaluator, made: Instance) -> Record | None:
    """The tool that ``openai.pydantic_function_tool`` makes of a model; None for any other call."""
    module, _, function = made.name.rpartition(".")
    if function != "pydantic_function_tool" or module.partition(".")[0] != "openai":
        return None
    given = keywords(evaluator, made.call, made.frame)
    first = made.call.args[0] if made.call.args else None
    named = given.entry("model")
    model = evaluator.evaluate(first, made.frame) if first is not None else named.value if named is not None else None
    if not isinstance(model, Class) or given.open is not None:
        return None
    name, description = given.entry("name"), given.entry("description")
    schema = model_schema(evaluator, model, strict=True)
    entries = [
        Entry("name", name.value if name else text_value(model.node.name, model.module.locate(model.node))),
        Entry("strict", Const(True)),
        Entry("parameters", schema if schema is not None else Opaque("call", f"schema of {model.node.name}")),
    ]
    said = description.value if description else _docstring(evaluator, model)
    if said is not None:
        entries.append(Entry("description", said))
    return Record((Entry("type", text_value("function")), Entry("function", Record(tuple(entries)))))


@record(frozen=False, eq=False)
class _Schemas:
    evaluator: Evaluator
    strict: bool
    definitions: dict[str, tuple[ast.ClassDef, Value]] = field(default_factory=dict)
    """What ``$defs`` holds, by name."""

    def of_model(self, model: Class) -> Record | None:
        """The schema of one model; models of its fields become definitions."""
        fields = self._fields(model, 0)
        if fields is None:
            return None
        properties: list[Entry] = []
        required: list[Value] = []
        for name, (statement, frame) in fields.items():
            place = frame.module.locate(statement.target)
            made, must = self._property(name, statement, frame, place)
            properties.append(Entry(name, made, place))
            if must or self.strict:
                required.append(text_value(name))
        entries = [Entry("properties", Record(tuple(properties)))]
        said = _docstring(self.evaluator, model)
        if said is not None:
            entries.insert(0, Entry("description", said))
        if self.strict:
            entries.append(Entry("additionalProperties", Const(False)))
        if required:
            entries.append(Entry("required", Sequence(tuple(required))))
        entries.append(Entry("title", text_value(model.node.name, _name_of(model))))
        return Record((*entries, Entry("type", text_value("object"))))

    def _fields(self, model: Class, depth: int) -> dict[str, tuple[ast.AnnAssign, Frame]] | None:
        """The fields by name, those of the bases first; None where something else may change the schema."""
        found: dict[str, tuple[ast.AnnAssign, Frame]] = {}
        above = bases(self.evaluator, model)
        node = model.node
        if len(above) != 1 or node.keywords or node.decorator_list or depth > 5:
            return None
        match above[0]:
            case External(name="pydantic.BaseModel" | "pydantic.main.BaseModel"):
                pass
            case Class() as base if base.node is not node:
                inherited = self._fields(base, depth + 1)
                if inherited is None:
                    return None
                found.update(inherited)
            case _:
                return None
        frame = self.evaluator.root_frame(model.module, model.module.scope(node))
        for statement in node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name)) if name == "model_config":
                    return None
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                    if not name.startswith("_") and "ClassVar" not in ast.dump(annotation):
                        found[name] = (statement, frame)
                case ast.Assign(targets=[ast.Name(id="model_config")], value=value):
                    if not self._harmless(value, frame):
                        return None
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    if "json_schema" in statement.name or any(_plain(one) for one in statement.decorator_list):
                        return None
                case ast.Expr(value=ast.Constant()) | ast.Pass():
                    pass
                case _:
                    return None
        return found

    def _harmless(self, settings: ast.expr, frame: Frame) -> bool:
        match self.evaluator.evaluate(settings, frame):
            case Instance(name="pydantic.ConfigDict", call=call, frame=made_in) if not call.args:
                given = keywords(self.evaluator, call, made_in)
            case Record() as given:
                pass
            case _:
                return False
        return given.open is None and all(entry.key in _HARMLESS_SETTINGS for entry in given.entries)

    def _property(self, name: str, statement: ast.AnnAssign, frame: Frame, place: Location) -> tuple[Value, bool]:
        """The schema of a field, and whether the field must be given."""
        annotation, said = self._annotated(statement.annotation, frame)
        required = statement.value is None
        entries: list[Entry] = []
        more: str | None = None
        given = [said] if said is not None else []
        default: Value | None = None
        if statement.value is not None:
            value = self.evaluator.evaluate(statement.value, frame)
            if isinstance(value, Instance) and value.name in ("pydantic.Field", "pydantic.fields.Field"):
                given.append(value)
                default = self.evaluator.evaluate(value.call.args[0], value.frame) if value.call.args else None
                required = default is None
            else:
                default = value
        for one in given:
            arguments = keywords(self.evaluator, one.call, one.frame)
            if arguments.open is not None or any(
                e.key not in _LIMITS and e.key not in _SAID for e in arguments.entries
            ):
                return opaque_at(statement.annotation, frame), False
            more = more or next((entry.key for entry in arguments.entries if entry.key in _LIMITS), None)
            named = arguments.entry("default")
            default = named.value if named is not None else default
            required = required and named is None and arguments.entry("default_factory") is None
            entries += [entry for entry in arguments.entries if entry.key in ("description", "title")]
        if isinstance(default, Const) and default.value is Ellipsis:
            required, default = True, None
        shape = self._shape(annotation, frame)
        if shape is None or (self.strict and shape.entry("$ref") is not None and entries):
            return opaque_at(statement.annotation, frame), required
        if default is not None and not (self.strict and isinstance(default, Const) and default.value is None):
            entries.append(Entry("default", default))
        if not any(entry.key == "title" for entry in entries) and _gets_title(shape):
            entries.append(Entry("title", _title(name, place)))
        return Record((*entries, *shape.entries), more or shape.open), required

    def _annotated(self, annotation: ast.expr, frame: Frame) -> tuple[ast.expr, Instance | None]:
        """The type in ``Annotated[type, Field(...)]`` with what ``Field`` says; any other annotation as it is."""
        match annotation:
            case ast.Subscript(value=of, slice=ast.Tuple(elts=[inner, said])) if last_name(of) == "Annotated":
                value = self.evaluator.evaluate(said, frame)
                if isinstance(value, Instance) and value.name in ("pydantic.Field", "pydantic.fields.Field"):
                    return inner, value
        return annotation, None

    def _shape(self, annotation: ast.expr, frame: Frame) -> Record | None:
        """The schema of a type; None where it is not known whether pydantic gives it a title."""
        match annotation:
            case ast.Constant(value=None):
                return _typed("null")
            case ast.BinOp(op=ast.BitOr()):
                return self._any_of(_members(annotation), frame)
            case ast.Name() | ast.Attribute():
                return self._named(annotation, frame)
            case ast.Subscript(value=of, slice=inner):
                arguments = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                return self._generic(last_name(of), self.evaluator.evaluate(of, frame), arguments, frame)
            case _:
                return None

    def _named(self, annotation: ast.expr, frame: Frame) -> Record | None:
        match self.evaluator.evaluate(annotation, frame):
            case Class() as one:
                return self._reference(one)
            case External(name=name) if (bare := _bare(name)) is not None:
                if bare in _TYPES:
                    return _typed(_TYPES[bare])
                if bare in _LISTS:
                    return _typed("array", Entry("items", Record()))
                if bare in _DICTS:
                    return _typed("object", Entry("additionalProperties", Const(True)))
                return Record() if bare == "Any" else None
            case _:
                return None

    def _generic(self, last: str, of: Value, arguments: list[ast.expr], frame: Frame) -> Record | None:
        if not isinstance(of, External) or _bare(of.name) is None:
            return None
        if last == "Optional" and len(arguments) == 1:
            return self._any_of([*arguments, ast.Constant(None)], frame)
        if last == "Union":
            return self._any_of([member for one in arguments for member in _members(one)], frame)
        if last == "Literal":
            return _enumerated([self.evaluator.evaluate(one, frame) for one in arguments])
        if last in _LISTS and len(arguments) == 1:
            return _typed("array", Entry("items", self._inner(arguments[0], frame)))
        if last in _DICTS and len(arguments) == 2:
            held = self._inner(arguments[1], frame)
            return _typed("object", Entry("additionalProperties", held if held != Record() else Const(True)))
        return None

    def _inner(self, annotation: ast.expr, frame: Frame) -> Value:
        shape = self._shape(annotation, frame)
        return shape if shape is not None else opaque_at(annotation, frame)

    def _any_of(self, members: list[ast.expr], frame: Frame) -> Record | None:
        shapes = [self._shape(member, frame) for member in members]
        known = [shape for shape in shapes if shape is not None]
        return Record((Entry("anyOf", Sequence(tuple(known))),)) if len(known) == len(shapes) else None

    def _reference(self, one: Class) -> Record | None:
        name = one.node.name
        known = self.definitions.get(name)
        if known is not None and known[0] is not one.node:
            return None
        if known is None:
            if len(self.definitions) >= MOST_MODELS:
                return None
            self.definitions[name] = (one.node, Opaque(expression=name))
            made = self._enum(one) or self.of_model(one)
            if made is None:
                return None
            self.definitions[name] = (one.node, made)
        return Record((Entry("$ref", text_value(f"#/$defs/{name}")),))

    def _enum(self, one: Class) -> Record | None:
        if not any(base.startswith("enum.") for base in external_bases(self.evaluator, one)):
            return None
        frame = self.evaluator.root_frame(one.module, one.module.scope(one.node))
        values = [
            self.evaluator.evaluate(statement.value, frame)
            for statement in one.node.body
            if isinstance(statement, ast.Assign)
        ]
        shape = _enumerated(values) if values else None
        if shape is None:
            return None
        title = Entry("title", text_value(one.node.name, _name_of(one)))
        said = _docstring(self.evaluator, one)
        return Record((*(() if said is None else (Entry("description", said),)), title, *shape.entries))


def _members(annotation: ast.expr) -> list[ast.expr]:
    """The types that ``|`` joins."""
    match annotation:
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return [*_members(left), *_members(right)]
        case _:
            return [annotation]


def _typed(name: str, *entries: Entry) -> Record:
    return Record((*entries, Entry("type", text_value(name))))


def _enumerated(values: list[Value]) -> Record | None:
    kinds = {type(one.value) if isinstance(one, Const) else str for one in values}
    if not all(isinstance(one, Text | Const) for one in values) or not kinds <= {str, int} or len(kinds) != 1:
        return None
    listed = Entry("const", values[0]) if len(values) == 1 else Entry("enum", Sequence(tuple(values)))
    return _typed("string" if kinds == {str} else "integer", listed)


def _gets_title(shape: Record) -> bool:
    """pydantic gives no title to a field that is nothing but a reference to a model or enum, or that or null."""
    options = shape.entry("anyOf")
    if options is None:
        return shape.entry("$ref") is None
    assert isinstance(options.value, Sequence)  # noqa: S101
    kept = [one for one in options.value.items if isinstance(one, Record) and one != _typed("null")]
    return len(kept) != 1 or kept[0].entry("$ref") is None


def _title(name: str, place: Location) -> Text:
    return Text((Literal(name.title().replace("_", " ").strip(), place),), place)


def _bare(name: str) -> str | None:
    """The name of a builtin or of a type of ``typing``; None for any other."""
    module, _, last = name.rpartition(".")
    return last if module in ("", "builtins", "typing", "typing_extensions", "collections.abc") else None


def _plain(decorator: ast.expr) -> bool:
    """A validator that takes the place of the type."""
    return isinstance(decorator, ast.Call) and any(
        isinstance(keyword.value, ast.Constant) and keyword.value.value == "plain" for keyword in decorator.keywords
    )


def _name_of(model: Class) -> Location:
    """The place of a class's name."""
    start = model.module.offset(model.node.lineno, model.node.col_offset) + len("class ")
    return model.module.place(start, start + len(model.node.name))


def _docstring(evaluator: Evaluator, model: Class) -> Text | None:
    first = model.node.body[0]
    if not isinstance(first, ast.Expr) or not isinstance(first.value, ast.Constant):
        return None
    frame = evaluator.root_frame(model.module, model.module.scope(model.node))
    text = evaluator.evaluate(first.value, frame)
    if not isinstance(text, Text) or text.exact is None:
        return None
    from inspect import cleandoc  # 5 ms, and few files come here

    return text if cleandoc(text.exact) == text.exact else remapped(text, cleandoc)
