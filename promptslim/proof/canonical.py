"""What a proof rests on, as hashes that formatting, moving and renaming do not change.

Every hash is the SHA-256 of text, in hexadecimal. The canonical forms are part of the lock file's format: a change
of one makes every existing proof stale and takes a new version number.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from itertools import pairwise

from promptslim.core.prompt import BlockEnd, CachePoint, Hole, Literal, Prompt

_TAG = re.compile(r"\{%[-+]?(.*?)[-+]?%\}", re.DOTALL)
_LEADING = re.compile(r"(?:\{%[^%]*%\}\s*)+$")
_BETWEEN = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|[\s\"'\\]", re.DOTALL)
_REACH = 500
"""Characters before a template's first text in which its first tags are looked for."""
_BLANK = re.compile(r"\s+")


def digest(data: bytes) -> str:
    """The hash of bytes."""
    return hashlib.sha256(data).hexdigest()


def data_hash(value: object) -> str:
    """The hash of JSON-like data, whatever the order of its keys. Raises TypeError and ValueError for what JSON
    cannot hold (``nan`` among it)."""
    return digest(json_bytes(value))


def json_bytes(value: object, sort: bool = True) -> bytes:
    """JSON in one form: keys in order (with ``sort`` of the alphabet), no blank space, characters as they are,
    integral numbers as integers."""
    text = json.dumps(_plain(value), sort_keys=sort, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def _plain(value: object) -> object:
    match value:
        case bool() | str() | int() | None:
            return value
        case float():
            return int(value) if value.is_integer() else value
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def prompt_form(prompt: Prompt) -> list[object]:
    """The canonical prompt: decoded literal texts, and holes as lists of their number.

    A hole has its name instead where the template binds by name (``{question}`` of a format string or a template
    file), since there another name is another value; in a Jinja template the whole expression. Text in a branch of
    a template is marked, and the tags of such a template, in which its conditions stand, follow at
    the end. The end of a content block is None;
    cache points are left out, since the model reads the same.
    """
    parts: list[object] = []
    holes = 0
    for part in prompt.parts:
        match part:
            case Literal(text=text, maybe=maybe) if text:
                _add_text(parts, text, maybe)
            case Hole():
                holes += 1
                parts.append([_hole(part, prompt, holes)])
            case BlockEnd() if parts and parts[-1] is not None:
                parts.append(None)
            case CachePoint() | BlockEnd() | Literal():
                pass
    while parts and parts[-1] is None:
        parts.pop()
    if prompt.shape == "jinja" or any(isinstance(part, Literal) and part.maybe for part in prompt.parts):
        parts += [{"tag": _tag(text)} for text in _tags(prompt)]
    return parts


def prompt_hash(prompt: Prompt) -> str:
    """The hash of the canonical prompt; tools are a prompt too."""
    return data_hash({"promptslim prompt": 1, "parts": prompt_form(prompt)})


def prompts_hash(prompts: Iterable[Prompt]) -> str:
    """The hash of several prompts in order, with their roles."""
    return data_hash([[prompt.role, prompt_hash(prompt)] for prompt in prompts])


def _tags(prompt: Prompt) -> list[str]:
    """The tags of a template, whether it is a file or a string of a program: those that stand between its parts."""
    whole = prompt.location
    if prompt.shape == "jinja":
        return _TAG.findall(whole.text)
    source = whole.document.text
    places = [part.location for part in prompt.parts if isinstance(part, Literal | Hole) and part.location is not None]
    spans = sorted(place.span for place in places if place.document == whole.document)
    if not spans:
        return []
    leading = _LEADING.search(source, max(0, spans[0].start - _REACH), spans[0].start)
    gaps = [leading[0] if leading else ""]
    gaps += [source[one.end : other.start] for one, other in pairwise(spans)]
    return [tag for gap in gaps if not _BETWEEN.sub("", gap) for tag in _TAG.findall(gap)]


def _tag(text: str) -> str:
    """A tag apart from blank space and the kind of its quotes, which a Python string around it may force."""
    return _BLANK.sub(" ", text.replace("\\", "").replace("'", '"')).strip()


def _add_text(parts: list[object], text: str, maybe: bool) -> None:
    last = parts[-1] if parts else None
    match last:
        case str() if not maybe:
            parts[-1] = last + text
        case {"maybe": str() as before} if maybe:
            parts[-1] = {"maybe": before + text}
        case _:
            parts.append({"maybe": text} if maybe else text)


def _hole(hole: Hole, prompt: Prompt, number: int) -> str | int:
    if prompt.shape == "jinja":
        return _BLANK.sub(" ", hole.expression).strip()
    return number if hole.name is None else hole.name


def file_hash(data: bytes) -> str:
    """The hash of a text file, the same with either kind of line end and with or without a byte order mark."""
    return digest(data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n"))


def python_hash(data: bytes) -> str:
    """The hash of what a Python file says: comments, formatting and docstrings do not change it, nor does the version
    of Python that reads it. Raises SyntaxError and ValueError for what is no Python."""
    import ast

    return data_hash(_node(ast.parse(data)))


def _node(value: object) -> object:
    import ast

    match value:
        case ast.Expr(value=ast.Constant(value=str())):
            return None
        case ast.AST():
            fields = {name: _node(item) for name, item in ast.iter_fields(value) if name not in _NO_MEANING}
            return {"node": type(value).__name__, **{name: item for name, item in fields.items() if item not in _EMPTY}}
        case list():
            return [item for item in map(_node, value) if item is not None]
        case bool() | None:
            return value
        case _:
            return f"{type(value).__name__} {value!r}"


_NO_MEANING = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
_EMPTY: tuple[object, ...] = (None, [])
