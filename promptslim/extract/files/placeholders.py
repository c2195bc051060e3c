"""Placeholders of templates that bind by name: ``{name}`` of ``str.format`` and ``{{name}}`` of Mustache."""

from __future__ import annotations

import re

from promptslim.core.lazy_pattern import pattern
from promptslim.core.prompt import Hole, Literal, Part, Shape
from promptslim.extract.files.mapped import Mapped

_JINJA = pattern(
    r"\{%[-+]?\s*(?:if|for|set|include|extends|block|macro|raw|import|from|call|filter|with)\b"
    r"|(?<!\$)\{\{[-+]?\s*[A-Za-z_][\w.]*(?:\[[^\]{}]*\]|\([^(){}]*\))*\s*\|\s*[a-z_]+[^{}]*\}\}"
)
_NAME = r"[A-Za-z_$][\w.$-]*"
_MUSTACHE = pattern(r"(?<!\$)\{\{\{?[&#^/>]?\s*(?:(?:if|each|unless|with)\s+)?" + _NAME + r"\s*\}\}\}?")
_TAG = pattern(
    r"(?<!\$)(?:\{\{!--.*?--\}\}|\{\{\{\s*(?P<raw>[^{}]+?)\s*\}\}\}|\{\{~?\s*(?P<sign>[#^/>!&]?)\s*(?P<body>[^{}]*?)\s*~?\}\})",
    re.DOTALL,
)
_FIELD = pattern(
    r"\{\{|\}\}|\{(?P<name>[A-Za-z_]\w*)(?P<path>(?:\.\w+|\[[^\[\]{}]*\])*)(?P<how>(?:![rsa])?(?::[^{}]*)?)\}"
)
_NO_FIELD = pattern(r"[{}]")
_WORDS = pattern(_NAME)
_PLAIN_TAG = pattern(r"(?:(?:if|each|unless|with)\s+)?(?:" + _NAME + r"|\.)|else(?:\s+if\s+" + _NAME + r")?")


def shape_of(text: str, template: bool = False) -> Shape:
    """What a text whose loader is not known is written as, told by its content.

    A Jinja statement or filter makes it ``jinja``; ``{{name}}`` makes it ``mustache``, but where other things stand
    in double braces too, the text quotes another language and is ``plain``, unless it is known to be a
    ``template``; it is ``format`` where it has a ``{name}`` and ``str.format`` would take all of it, so that not
    every brace of an example is a placeholder.
    """
    if "{" not in text:
        return "plain"
    if _JINJA.search(text):
        return "jinja"
    if _MUSTACHE.search(text):
        return "mustache" if template or all(map(_is_plain, _TAG.finditer(text))) else "plain"
    if template and "{{" in text:
        return "mustache"
    names = [match for match in _FIELD.finditer(text) if match["name"]]
    return "format" if names and not _NO_FIELD.search(_FIELD.sub("", text)) else "plain"


def _is_plain(match: re.Match[str]) -> bool:
    """Whether a tag holds a name, or a word of Mustache or Handlebars."""
    body = match["raw"] or match["body"] or ""
    return match["sign"] in ("!", ">") or match[0].startswith("{{!--") or _PLAIN_TAG.fullmatch(body) is not None


def format_parts(source: Mapped) -> tuple[Part, ...]:
    """The parts of a ``str.format`` template: doubled braces are single ones, and a brace that is no field of a
    name stays as it is."""
    parts: list[Part] = []
    ranges: list[tuple[int, int]] = []
    position = 0
    for match in _FIELD.finditer(source.text):
        if match["name"] is None:
            ranges.append((position, match.start() + 1))
        else:
            ranges.append((position, match.start()))
            _flush(source, ranges, parts)
            expression = match["name"] + match["path"]
            parts.append(Hole(expression, "argument", source.at(*match.span()), name=match["name"]))
        position = match.end()
    ranges.append((position, len(source.text)))
    _flush(source, ranges, parts)
    return tuple(parts)


def _flush(source: Mapped, ranges: list[tuple[int, int]], parts: list[Part]) -> None:
    """The literal made of some ranges of the source, which are forgotten."""
    kept = [(start, end) for start, end in ranges if end > start]
    ranges.clear()
    if len(kept) == 1:
        parts.append(source.literal(*kept[0]))
    elif kept:
        text = "".join(source.text[start:end] for start, end in kept)
        places = source.source_map
        mapped = (
            None if places is None else (*(n for start, end in kept for n in places[start:end]), places[kept[-1][1]])
        )
        parts.append(Literal(text, source.at(kept[0][0], kept[-1][1]), mapped))


def mustache_parts(source: Mapped) -> tuple[Part, ...]:
    """The parts of a template with ``{{name}}``: Mustache, and the tags of Handlebars, Semantic Kernel
    (``{{$name}}``) and others that look alike. What stands in a section is sent with some requests only."""
    parts: list[Part] = []
    sections: list[str] = []
    position = 0
    for match in _TAG.finditer(source.text):
        if match.start() > position:
            parts.append(source.literal(position, match.start(), maybe=bool(sections)))
        position = match.end()
        body = match["raw"] or match["body"] or ""
        words = _WORDS.findall(body)
        match match["sign"]:
            case "#" | "^":
                sections.append(words[-1] if words else "")
            case "/":
                if sections:
                    sections.pop()
            case "!":
                pass
            case ">":
                parts.append(Hole(f"partial {body}", "unknown", source.at(*match.span())))
            case _ if body and body != "else" and not body.startswith("else "):
                parts.append(_hole(source, match, body, words, sections))
    if position < len(source.text):
        parts.append(source.literal(position, len(source.text), maybe=bool(sections)))
    return tuple(parts)


def _hole(source: Mapped, match: re.Match[str], body: str, words: list[str], sections: list[str]) -> Hole:
    place = source.at(*match.span())
    if body in (".", "this") or body.startswith(("this.", "@")):
        name = next((section for section in reversed(sections) if section), None)
        return Hole(body, "loop", place, name=name)
    if len(words) != 1 or words[0] != body:
        return Hole(body, "unknown", place)
    return Hole(body, "argument", place, name=body.lstrip("$").split(".")[0])
