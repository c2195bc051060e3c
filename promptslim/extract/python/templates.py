"""Prompt templates that a program makes with a library: Jinja environments, and the template and message classes
of LangChain and LlamaIndex."""

from __future__ import annotations

import ast
import posixpath
from typing import TYPE_CHECKING

from promptslim.core.prompt import Hole, Literal, Part
from promptslim.core.record import replace
from promptslim.core.text import Document
from promptslim.extract.python.abstract import (
    UNKNOWN,
    Entry,
    FilePath,
    Instance,
    Opaque,
    Record,
    Sequence,
    Template,
    Text,
    Value,
    as_parts,
    text_value,
)
from promptslim.extract.python.dotted import fits, named
from promptslim.extract.python.file_paths import TEXT_SUFFIXES, joined_path, path_of
from promptslim.extract.python.frames import is_real
from promptslim.extract.python.records import spread
from promptslim.extract.python.texts import FORMAT_FIELD, placed, placeholder, substituted

if TYPE_CHECKING:
    from promptslim.extract.python.evaluate import Evaluator
    from promptslim.extract.python.frames import Frame

PACKAGES = ("langchain", "langchain_core", "llama_index")
TEXT_TEMPLATES = frozenset({"PromptTemplate", "from_template", "RichPromptTemplate"})
CHAT_TEMPLATES = frozenset({"ChatPromptTemplate", "from_messages"})
MESSAGES = {
    "SystemMessage": "system",
    "HumanMessage": "user",
    "AIMessage": "assistant",
    "ToolMessage": "tool",
    "SystemMessagePromptTemplate": "system",
    "HumanMessagePromptTemplate": "user",
    "AIMessagePromptTemplate": "assistant",
}
RENDERS = frozenset({
    "render", "render_async", "format", "aformat", "invoke", "ainvoke", "format_prompt", "aformat_prompt",
    "format_messages", "aformat_messages", "partial", "to_string", "to_messages",
})  # fmt: skip
TEMPLATE_SUFFIXES = TEXT_SUFFIXES | {".html", ".yaml", ".yml"}
MOST_BASES = 8


def template_call(evaluator: Evaluator, name: str, node: ast.Call, given: Record, frame: Frame) -> Value | None:
    """The value of a call that makes a template or a message; ``given`` are its keyword arguments. None for any
    other call."""
    *_, owner, last = ("", *name.split("."))
    first = evaluator.evaluate(node.args[0], frame) if node.args else None
    if last == "Template" and fits(name, "jinja2", "Template"):
        return _jinja_text(first) if first is not None else None
    if not name.startswith(PACKAGES):
        return None
    role = MESSAGES.get(last) or (MESSAGES.get(owner) if last == "from_template" else None)
    if role is not None:
        content = first if first is not None else _argument(given, "content", "template", "prompt")
        if content is None:
            return None
        if last == "from_template":
            content = _formatted(content)
        return Record((Entry("role", text_value(role)), Entry("content", content)), None, frame.module.locate(node))
    if last in TEXT_TEMPLATES and owner != "ChatPromptTemplate":
        return _formatted(first if first is not None else _argument(given, "template") or UNKNOWN, given)
    if last == "from_template":
        return Sequence((_message("user", _formatted(first or UNKNOWN)),), kind="chat")
    if last in CHAT_TEMPLATES:
        return _chat(first if first is not None else _argument(given, "messages") or UNKNOWN)
    if last == "MessagesPlaceholder":
        return Opaque("history", "history", frame.module.locate(node))
    return None


def template_of(evaluator: Evaluator, environment: Instance, method: str, node: ast.Call, frame: Frame) -> Value | None:
    """``environment.get_template(...)`` and ``environment.from_string(...)``; None for anything else."""
    if not named(environment.name, (("jinja2", "Environment"), ("jinja2", "SandboxedEnvironment"))) or not node.args:
        return None
    first = evaluator.evaluate(node.args[0], frame)
    match method:
        case "from_string":
            return _jinja_text(first)
        case "get_template" | "select_template":
            for folder in _folders(evaluator, environment):
                document = _template_file(evaluator, joined_path([folder, first]), environment.frame)
                if document is not None:
                    return _jinja_file(evaluator, document, folder, environment.frame)
            return Opaque("unknown", "template", frame.module.locate(node))
        case _:
            return None


def rendered(template: Template, given: Record) -> Text:
    """A template with the values that are given for its placeholders; the others stay holes."""
    parts: list[Part] = []
    for part in template.parts:
        entry = given.entry(part.name) if isinstance(part, Hole) and part.name else None
        if entry is None or not isinstance(part, Hole):
            parts.append(part)
            continue
        filled = placed(as_parts(entry.value), part.location, part.name or "")
        if len(filled) == 1 and isinstance(filled[0], Hole):
            filled = (replace(filled[0], transforms=(*filled[0].transforms, *part.transforms), bound=part.bound),)
        parts.extend(filled)
    return Text(tuple(parts), template.location)


def chat_filled(messages: Sequence, given: Record) -> Sequence:
    """The messages of a chat template with the values that are given."""
    return replace(messages, items=tuple(_filled_message(item, given) for item in messages.items))


def arguments_of(evaluator: Evaluator, node: ast.Call, keywords: Record, frame: Frame) -> Record:
    """What a template is rendered with: keywords, or one dict."""
    if node.args:
        return spread(keywords, evaluator.evaluate(node.args[0], frame), "render(...)")
    return keywords


def _filled_message(item: Value, given: Record) -> Value:
    if not isinstance(item, Record):
        return item
    entry = item.entry("content")
    if entry is None or not isinstance(entry.value, Template):
        return item
    return item.with_entry(replace(entry, value=rendered(entry.value, given)))


def _argument(given: Record, *names: str) -> Value | None:
    return next((entry.value for name in names if (entry := given.entry(name)) is not None), None)


def _message(role: str, content: Value) -> Record:
    return Record((Entry("role", text_value(role)), Entry("content", content)))


def _formatted(value: Value, given: Record | None = None) -> Value:
    """A text as a template of ``{name}`` fields, or of the engine that the keyword ``template_format`` names."""
    if not isinstance(value, Text):
        return value
    syntax = given.entry("template_format") if given is not None else None
    if syntax is not None and isinstance(syntax.value, Text) and syntax.value.exact in ("jinja2", "mustache"):
        return _jinja(value)
    made = substituted(
        value, FORMAT_FIELD, lambda match: Text((Literal(match[0][0]),)) if match[1] is None else placeholder(match[1])
    )
    return Template(made.parts, value.location)


def _chat(value: Value) -> Value:
    if not isinstance(value, Sequence):
        return value
    return replace(value, items=tuple(_chat_item(item) for item in value.items), kind="chat")


def _chat_item(item: Value) -> Value:
    match item:
        case Sequence(items=(Text() as role, content)) if role.exact is not None:
            if role.exact in ("placeholder", "messages"):
                return Opaque("history", "history")
            return _message(role.exact, _formatted(content))
        case Text():
            return _message("user", _formatted(item))
        case _:
            return item


def _jinja_text(value: Value) -> Value:
    match value:
        case Text():
            return _jinja(value)
        case Template():
            return value
        case _:
            return Opaque(expression="template")


def _jinja(text: Text) -> Template:
    """A string as a Jinja template; what is put into it by the program stays as it is."""
    from promptslim.extract.files.jinja import template_parts
    from promptslim.extract.files.mapped import Mapped

    parts: list[Part] = []
    for part in text.parts:
        if isinstance(part, Literal) and part.location is not None:
            place = part.location
            parts.extend(template_parts(Mapped(part.text, place.document, part.source_map, place.span)))
        else:
            parts.append(part)
    return Template(tuple(parts), text.location)


def _folders(evaluator: Evaluator, environment: Instance) -> list[Value]:
    """Where an environment looks for its templates, in order."""
    if not is_real(environment.call):
        return []
    given = [k.value for k in environment.call.keywords if k.arg == "loader"] or environment.call.args[:1]
    loader = evaluator.evaluate(given[0], environment.frame) if given else None
    if not isinstance(loader, Instance) or not is_real(loader.call):
        return []
    arguments = [evaluator.evaluate(a, loader.frame) for a in loader.call.args]
    arguments += [
        evaluator.evaluate(k.value, loader.frame)
        for k in loader.call.keywords
        if k.arg in ("searchpath", "package_name", "package_path")
    ]
    if loader.name.endswith("PackageLoader") and arguments:
        folder = arguments[1] if len(arguments) > 1 else text_value("templates")
        package = arguments[0].exact if isinstance(arguments[0], Text) else None
        found = evaluator.workspace.resolve(loader.frame.module.path, package, 0) if package else None
        base = posixpath.dirname(found) if found else posixpath.dirname(loader.frame.module.path)
        return [joined_path([FilePath(base or ".", True), folder])]
    if not arguments:
        return []
    folders = arguments[0].items if isinstance(arguments[0], Sequence) else (arguments[0],)
    return [folder for folder in folders[:MOST_BASES] if path_of(folder) is not None]


def _template_file(evaluator: Evaluator, path: FilePath, frame: Frame) -> Document | None:
    from promptslim.extract.python.file_paths import document_of

    return document_of(evaluator, path, frame, TEMPLATE_SUFFIXES)


def _jinja_file(evaluator: Evaluator, document: Document, folder: Value, frame: Frame) -> Template:
    from promptslim.core.text import Location, Span
    from promptslim.extract.files.jinja import jinja_parts

    def include(name: str) -> Document | None:
        return _template_file(evaluator, joined_path([folder, text_value(name)]), frame)

    return Template(jinja_parts(document, include=include), Location(document, Span(0, len(document.text))))
