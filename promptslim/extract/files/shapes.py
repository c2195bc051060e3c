"""Prompt texts in data files: which strings of a tree are prompts, told by known shapes and keys."""

from __future__ import annotations

from collections.abc import Iterator

from promptslim.core.prompt import Role, Shape
from promptslim.core.record import record
from promptslim.core.text import Location
from promptslim.extract.files.data import DataList, DataMap, DataNode, DataText
from promptslim.extract.files.roles import role_named, words_of
from promptslim.extract.message_roles import ROLES

LEAST_CHARACTERS = 40
"""A text under a mere key is a prompt from this length on: shorter ones are names, labels and file names."""

MOST_PROMPTS = 2_000

_KEYS = frozenset(
    {"system", "user", "prompt", "template", "instructions", "instruction", "system_message", "user_message", "raw"}
)
_NOT_PROMPTS = frozenset(
    {
        "assert", "cases", "data", "dataset", "defaultTest", "examples", "expected", "output", "outputs", "properties",
        "response", "responses", "result", "results", "samples", "scenarios", "test", "test_cases", "tests", "vars",
    }
)  # fmt: skip
"""Keys of test cases, recorded answers and schemas, in which keys like ``prompt`` hold data."""

_LANGCHAIN_SHAPES: dict[str, Shape] = {"f-string": "format", "jinja2": "jinja", "mustache": "mustache"}
_KERNEL_SHAPES: dict[str, Shape] = {
    "semantic-kernel": "mustache",
    "handlebars": "mustache",
    "liquid": "jinja",
    "jinja2": "jinja",
}


@record
class FoundText:
    """A prompt text in a tree: the dotted path of its keys, its role and shape (None: its content decides), and the
    small place to report it at."""

    key: str
    text: DataText
    role: Role
    shape: Shape | None
    primary: Location | None


def prompt_texts(tree: DataNode, shape: Shape | None = None) -> Iterator[FoundText]:
    """The prompt texts of a data file in order, each once even where aliases repeat it. ``shape`` is that of texts
    whose own surroundings say nothing else."""
    yield from _Search(shape).node(tree, "", "unknown")


class _Search:
    def __init__(self, shape: Shape | None) -> None:
        self.shape = shape
        self.seen: set[int] = set()

    def node(self, node: DataNode, path: str, role: Role) -> Iterator[FoundText]:
        if id(node) in self.seen or len(self.seen) > 100 * MOST_PROMPTS:
            return
        match node:
            case DataMap():
                self.seen.add(id(node))
                yield from self.map(node, path, role)
            case DataList(items=items):
                self.seen.add(id(node))
                for index, item in enumerate(items):
                    yield from self.node(item, f"{path}[{index}]", role)

    def text(
        self, node: DataNode | None, path: str, role: Role, place: Location | None, shape: Shape | None = None
    ) -> Iterator[FoundText]:
        """A text that is a prompt by its surroundings."""
        if isinstance(node, DataText) and node.text.strip() and id(node) not in self.seen:
            self.seen.add(id(node))
            yield FoundText(path, node, role, shape or self.shape, place)

    def map(self, node: DataMap, path: str, role: Role) -> Iterator[FoundText]:
        kind = node.get("_type")
        if isinstance(kind, DataText) and kind.text in ("prompt", "few_shot", "chat"):
            yield from self.langchain(node, path, role)
            return
        if node.get("role") is not None and node.get("content") is not None:
            yield from self.message(node, path)
            return
        template_format = node.get("template_format")
        if isinstance(template_format, DataText) and template_format.text in _KERNEL_SHAPES:
            yield from self.entry(node, "template", path, role, _KERNEL_SHAPES[template_format.text])
        elif node.get("templateConfiguration") is not None:
            yield from self.bedrock(node, path)
        for entry in node.entries:
            key = str(entry.key)
            if key in _NOT_PROMPTS:
                continue
            inner = f"{path}.{key}" if path else key
            named = role_named(key)
            named = role if named == "unknown" else named
            match entry.value:
                case DataText() as text:
                    if _is_prompt(key, text):
                        yield from self.text(text, inner, named, entry.place)
                case DataList(items=items) if key == "prompts":
                    for index, item in enumerate(items):
                        if isinstance(item, DataText) and len(item.text) >= LEAST_CHARACTERS and _is_prose(item.text):
                            yield from self.text(item, f"{inner}[{index}]", named, None)
                        else:
                            yield from self.node(item, f"{inner}[{index}]", named)
                case _:
                    yield from self.node(entry.value, inner, named)

    def entry(self, node: DataMap, key: str, path: str, role: Role, shape: Shape | None = None) -> Iterator[FoundText]:
        """The text under one key of a mapping."""
        entry = node.entry(key)
        if entry is not None:
            yield from self.text(entry.value, f"{path}.{key}" if path else key, role, entry.place, shape)

    def message(self, node: DataMap, path: str) -> Iterator[FoundText]:
        """``{role, content}``, the content a text or a list of blocks with texts."""
        name = node.get("role")
        role = ROLES.get(name.text.lower(), "unknown") if isinstance(name, DataText) else "unknown"
        yield from self.entry(node, "content", path, role)
        content = node.get("content")
        for index, block in enumerate(content.items if isinstance(content, DataList) else ()):
            inner = f"{path}.content[{index}]" if path else f"content[{index}]"
            if isinstance(block, DataMap):
                yield from self.entry(block, "text", inner, role)

    def langchain(self, node: DataMap, path: str, role: Role) -> Iterator[FoundText]:
        """A saved prompt template of LangChain."""
        template_format = node.get("template_format")
        name = template_format.text if isinstance(template_format, DataText) else "f-string"
        shape = _LANGCHAIN_SHAPES.get(name, "plain")
        for key in ("template", "prefix", "suffix"):
            yield from self.entry(node, key, path, role, shape)
        for key in ("messages", "example_prompt"):
            inner = node.get(key)
            if inner is not None:
                yield from _Search(shape).node(inner, f"{path}.{key}" if path else key, role)

    def bedrock(self, node: DataMap, path: str) -> Iterator[FoundText]:
        """A variant of a prompt in Bedrock prompt management, as the service exports it."""
        configuration = node.get("templateConfiguration")
        inner = f"{path}.templateConfiguration" if path else "templateConfiguration"
        if not isinstance(configuration, DataMap):
            return
        text, chat = configuration.get("text"), configuration.get("chat")
        if isinstance(text, DataMap):
            yield from self.entry(text, "text", f"{inner}.text", "user", "mustache")
        if isinstance(chat, DataMap):
            for key in ("system", "messages"):
                blocks = chat.get(key)
                for index, block in enumerate(blocks.items if isinstance(blocks, DataList) else ()):
                    at = f"{inner}.chat.{key}[{index}]"
                    if not isinstance(block, DataMap):
                        continue
                    if key == "system":
                        yield from self.entry(block, "text", at, "system", "mustache")
                    else:
                        yield from _Search("mustache").message(block, at)


def _is_prompt(key: str, text: DataText) -> bool:
    if len(text.text) < LEAST_CHARACTERS or not _is_prose(text.text):
        return False
    words = words_of(key)
    return key.lower() in _KEYS or (bool(words) and words[-1] == "prompt")


def _is_prose(text: str) -> bool:
    """Whether a text has words, not a path, an address or an encoded value."""
    return text.count(" ") + text.count("\n") >= 4 and not text.startswith(("file://", "http://", "https://", "data:"))
