"""A second look at what a trim may not lose, written without the detector: parsers of the formats where there are any
(markdown-it, jinja2, string.Formatter, html.parser, json), plain loops over characters elsewhere."""

from __future__ import annotations

import ast
import json
import string
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import pairwise

from jinja2 import Environment, TemplateSyntaxError
from markdown_it import MarkdownIt

SAME = {
    "in the event that": "if",
    "in the case that": "if",
    "prior to": "before",
    "subsequent to": "after",
    "until such time as": "until",
    "in each and every case": "always",
    "each and every time": "always",
    "each and every": "every",
    "any and all": "all",
    "first and foremost": "first",
    "during the course of": "during",
    "during the duration of": "during",
    "has the ability to": "can",
    "have the ability to": "can",
    "due to the fact that": "because",
    "because of the fact that": "because",
    "despite the fact that": "although",
}
PROTECTED = """
not never no none nor neither without cannot unless except avoid only nothing rather instead other but don't
doesn't won't can't isn't aren't shouldn't mustn't must should shall may might always required optional need have
exactly least most if when until before after while because one two three four five six seven eight nine ten first
second third last next previous each every all any both few several above below following left right
"""
WORDS = frozenset(PROTECTED.split())
SAFETY = ("refus", "harm", "illegal", "medical", "legal", "confidential", "secret", "reveal", "injection", "password")


def damage(before: str, after: str) -> list[str]:
    """What differs of it, in words; empty: nothing."""
    return [
        f"{name}: {first} became {second}"
        for name, look in LOOKS.items()
        for first, second in [_difference(look(before), look(after))]
        if first != second
    ]


def only_blanks_differ(before: str, after: str) -> bool:
    """Whether two texts have the same words on the same lines, and code and columns are laid out alike."""
    return _lines_of_words(before) == _lines_of_words(after) and _layout(before) == _layout(after)


def _layout(text: str) -> list[str]:
    """Lines that a Python parser takes for a statement with a call or an assignment (after a line number, if any), with
    the blank space in them, and how deep they stand compared with the one before."""
    found, last = [], 0
    for line in text.split("\n"):
        head, mark, code = line.partition(":")
        inner = code if mark and head.strip().isdigit() else line
        body = inner.strip()
        if any(sign in body for sign in ("(", " = ")) and _is_statement(body):
            depth = len(inner) - len(inner.lstrip())
            found.append(f"{depth - last} {body}")
            last = depth
    return found[1:] if found else found


def _is_statement(code: str) -> bool:
    for tail in ("", "\n    pass"):
        try:
            ast.parse(code + tail)
        except (SyntaxError, ValueError):
            continue
        return True
    return False


def _lines_of_words(text: str) -> list[list[str]]:
    return [line.split() for line in text.split("\n") if line.strip()]


def _difference(first: list[object], second: list[object]) -> tuple[object, object]:
    for number in range(max(len(first), len(second))):
        pair = first[number : number + 1], second[number : number + 1]
        if pair[0] != pair[1]:
            return pair
    return None, None


def _code(text: str) -> list[object]:
    found: list[object] = []
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "fence":
            found.append(token.content)
        found += [child.content for child in token.children or () if child.type == "code_inline"]
    return found


def _format_fields(text: str) -> list[object]:
    """Fields of a format string; in a text with braces of another kind, the braces themselves."""
    braces: list[object] = [character for character in text if character in "{}"]
    try:
        fields = [field[1:] for field in string.Formatter().parse(text) if field[1] is not None]
    except ValueError:
        return braces
    return (
        braces
        if any(character.isspace() or character == '"' for field in fields for character in field[0])
        else list(fields)
    )


def _jinja(text: str) -> list[object]:
    try:
        return [
            (kind, value)
            for _, kind, value in Environment(autoescape=True).lex(text)
            if kind not in ("data", "whitespace")
        ]
    except TemplateSyntaxError:
        return []


def _dollars(text: str) -> list[object]:
    return [match.group() for match in string.Template.pattern.finditer(text)]


def _numbers(text: str) -> list[object]:
    found: list[object] = []
    current = ""
    for index, character in enumerate(f"{text} "):
        inside = character.isdigit() or (
            current and character in ".,:/-%" and index + 1 < len(text) and text[index + 1].isdigit()
        )
        if inside:
            current += character
        elif current:
            found += current.split(",")
            current = ""
    return found


def _plain(text: str) -> str:
    lowered = " ".join(text.replace("\u2019", "'").lower().split())
    for long, short in SAME.items():
        lowered = lowered.replace(long, short)
    return lowered


def _words(text: str) -> list[object]:
    cleaned = "".join(character if character.isalnum() or character in "'-" else " " for character in _plain(text))
    return [word for word in cleaned.split() if word.strip("'-") in WORDS]


def _addresses(text: str) -> list[object]:
    """From the scheme or the name before the sign up to blank space or a quote."""
    found: list[object] = []
    for sign in ("://", "@"):
        at = text.find(sign)
        while at >= 0:
            start, end = at, at
            while start and (text[start - 1].isalnum() or text[start - 1] in "+.-_"):
                start -= 1
            while end < len(text) and not text[end].isspace() and text[end] not in "\"'<>()[]{}*,`":
                end += 1
            found.append(text[start:end].rstrip(".;:!?"))
            at = text.find(sign, max(end, at + 1))
    return found


def _tags(text: str) -> list[object]:
    found: list[object] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, attrs))

        def handle_endtag(self, tag: str) -> None:
            found.append(f"/{tag}")

    reader = Reader()
    reader.feed(text)
    reader.close()
    return found


def _json(text: str) -> list[object]:
    decoder = json.JSONDecoder(object_pairs_hook=list, parse_float=str, parse_int=str, strict=False)
    found: list[object] = []
    at = 0
    while at < len(text):
        if text[at] == "{":
            try:
                value, at = decoder.raw_decode(text, at)
                found.append(value)
                continue
            except (ValueError, RecursionError):
                pass
        at += 1
    return found


def _quoted(text: str) -> list[object]:
    found: list[object] = []
    for line in text.split("\n"):
        pieces = line.split('"')
        if len(pieces) % 2:
            found += pieces[1::2]
    return found


def _names(text: str) -> list[object]:
    cleaned = "".join(character if character.isalnum() or character == "_" else " " for character in text)
    return [word for word in cleaned.split() if "_" in word.strip("_") or _is_camel(word)]


def _is_camel(word: str) -> bool:
    return any(low.islower() and high.isupper() for low, high in pairwise(word))


def _safety(text: str) -> list[object]:
    return [line.split() for line in text.split("\n") if any(stem in line.lower() for stem in SAFETY)]


def _items(text: str) -> list[object]:
    return list(_markers(text))


def _markers(text: str) -> Iterator[object]:
    for line in text.split("\n"):
        first = line.split(maxsplit=1)[:1]
        if first and (
            first[0] in ("-", "*", "+", "#", "##", "###") or (first[0][:-1].isdigit() and first[0][-1] in ".)")
        ):
            yield first[0]


def _depths(text: str) -> list[object]:
    """How deep each list item is nested, by its indentation."""
    found: list[object] = []
    open_at: list[int] = []
    for line in text.expandtabs(4).split("\n"):
        if not list(_markers(line)):
            continue
        indent = len(line) - len(line.lstrip())
        while open_at and open_at[-1] > indent:
            open_at.pop()
        if not open_at or open_at[-1] < indent:
            open_at.append(indent)
        found.append(len(open_at))
    return found


LOOKS: dict[str, Callable[[str], list[object]]] = {
    "code": _code,
    "format fields": _format_fields,
    "template tags": _jinja,
    "dollar placeholders": _dollars,
    "numbers": _numbers,
    "words": _words,
    "addresses": _addresses,
    "tags": _tags,
    "JSON": _json,
    "quoted text": _quoted,
    "names": _names,
    "safety lines": _safety,
    "list and title marks": _items,
    "depths of list items": _depths,
}
