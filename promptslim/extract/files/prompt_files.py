"""One prompt file to its prompts."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from promptslim.core.facts import FileFacts
from promptslim.core.files import ProjectFiles
from promptslim.core.prompt import Part, Prompt, Role, Shape
from promptslim.core.result import FileError
from promptslim.core.text import Document, Location, Span
from promptslim.extract.files.jinja import MOST_PARTS, Include, read_template
from promptslim.extract.files.jinja_tokens import TemplateError
from promptslim.extract.files.mapped import Mapped
from promptslim.extract.files.markdown import front_matter
from promptslim.extract.files.placeholders import format_parts, mustache_parts, shape_of
from promptslim.extract.files.prompty import sections
from promptslim.extract.files.roles import role_named

TEMPLATES = frozenset({".j2", ".jinja", ".jinja2"})
DATA = frozenset({".json", ".toml", ".yaml", ".yml"})
PROMPTY = (".prompt", ".prompty")


def analyse_prompt_file(path: str, text: str, files: ProjectFiles) -> FileFacts:
    """The prompts of a file that is taken for a prompt file. Never raises for what is in the file; what cannot be
    read stands in ``errors``."""
    document = Document(path, text)
    try:
        prompts = tuple(_prompts(document, files))
    except TemplateError as error:
        return FileFacts(path, (document,), errors=(FileError(path, error.line, str(error)),))
    except _InvalidError as error:
        return FileFacts(path, (document,), errors=error.errors)
    except RecursionError:
        error_of_depth = FileError(path, None, "nested too deeply to be analysed")
        return FileFacts(path, (document,), errors=(error_of_depth,))
    return FileFacts(path, (document,), prompts=prompts)


class _InvalidError(Exception):
    """A data file that is not valid."""

    def __init__(self, errors: tuple[FileError, ...]) -> None:
        super().__init__()
        self.errors = errors


def _prompts(document: Document, files: ProjectFiles) -> Iterator[Prompt]:
    suffix = posixpath.splitext(document.path)[1].lower()
    if suffix in DATA:
        yield from _in_data(document, files)
        return
    _, body = front_matter(document)
    if not body.text.strip():
        return
    role = role_named(posixpath.basename(document.path).removesuffix(suffix))
    include = including(document.path, files)
    if suffix in PROMPTY:
        yield from _in_prompty(document, body, role, include)
    elif suffix in TEMPLATES:
        # Front matter of a template is sent with it: nothing takes it away.
        whole = Mapped(document.text, document, range(len(document.text) + 1), Span(0, len(document.text)))
        yield _prompt(document.path, role, whole, read_template(whole, include), "jinja")
    else:
        yield _told_by_content(document.path, role, body, include)


def _in_prompty(document: Document, body: Mapped, role: Role, include: Include) -> Iterator[Prompt]:
    found = [(named if named != "unknown" else role, part) for named, part in sections(body)]
    if len(found) == 1:
        yield _told_by_content(document.path, *found[0], include)
        return
    counts: dict[str, int] = {}
    for named, part in found:
        counts[named] = counts.get(named, 0) + 1
        number = str(counts[named]) if counts[named] > 1 else ""
        yield _told_by_content(f"{document.path}::{named}{number}", named, part, include)


def _in_data(document: Document, files: ProjectFiles) -> Iterator[Prompt]:
    from promptslim.extract.files.data import read_data
    from promptslim.extract.files.shapes import MOST_PROMPTS, prompt_texts

    trees, errors = read_data(document)
    if errors:
        raise _InvalidError(errors)
    include = including(document.path, files)
    promptfoo = posixpath.basename(document.path).lower().startswith("promptfooconfig")
    number = 0
    for tree in trees:
        for found in prompt_texts(tree, "jinja" if promptfoo else None):
            number += 1
            if number > MOST_PROMPTS:
                return
            label = f"{document.path}::{found.key}"
            yield _told_by_content(label, found.role, found.text.mapped, include, found.shape, found.primary)
        if promptfoo:
            yield from _referred_to(tree, document, files)


def _referred_to(tree: object, document: Document, files: ProjectFiles) -> Iterator[Prompt]:
    """Prompts of the files that a promptfoo configuration names (``file://prompts/a.txt``)."""
    from promptslim.extract.files.data import DataList, DataMap, DataText

    listed = tree.get("prompts") if isinstance(tree, DataMap) else None
    for item in listed.items if isinstance(listed, DataList) else (listed,):
        name = item.get("id") if isinstance(item, DataMap) else item
        if not isinstance(name, DataText) or not name.text.startswith("file://"):
            continue
        path = posixpath.normpath(posixpath.join(posixpath.dirname(document.path), name.text.removeprefix("file://")))
        suffix = posixpath.splitext(path)[1].lower()
        if suffix in DATA or suffix == ".py" or not files.exists(path):
            continue
        text = files.text(path)
        if text is not None:
            yield from _prompts(Document(path, text), files)


def including(path: str, files: ProjectFiles) -> Include:
    """Finds the templates that a template names: beside it, in the folders above it up to three, or below the root."""

    def include(name: str) -> Document | None:
        folder = posixpath.dirname(path)
        for _ in range(4):
            candidate = posixpath.normpath(posixpath.join(folder, name))
            if files.exists(candidate):
                text = files.text(candidate)
                return None if text is None else Document(candidate, text)
            if not folder:
                break
            folder = posixpath.dirname(folder)
        return None

    return include


def _told_by_content(
    label: str,
    role: Role,
    source: Mapped,
    include: Include,
    shape: Shape | None = None,
    primary: Location | None = None,
) -> Prompt:
    shape = shape or shape_of(source.text, source.document.path.lower().endswith(PROMPTY))
    parts: tuple[Part, ...] | None = None
    match shape:
        case "jinja":
            try:
                parts = read_template(source, include)
            except TemplateError:
                shape = "plain"  # it may be about Jinja, or another language of templates
        case "mustache":
            parts = mustache_parts(source)
        case "format":
            parts = format_parts(source)
    if parts is None or len(parts) > MOST_PARTS:
        # So many placeholders are no template's: it is data, or about them.
        shape = "plain"
        parts = (source.literal(0, len(source.text)),)
    return _prompt(label, role, source, parts, shape, primary)


def _prompt(
    label: str,
    role: Role,
    source: Mapped,
    parts: tuple[Part, ...],
    shape: Shape,
    primary: Location | None = None,
) -> Prompt:
    return Prompt(
        label, role, parts, Location(source.document, source.span), primary or _first_line(source), shape=shape
    )


def _first_line(source: Mapped) -> Location:
    """The first line with text."""
    text = source.text
    start = len(text) - len(text.lstrip())
    end = text.find("\n", start)
    return source.at(start, len(text) if end < 0 else end)
