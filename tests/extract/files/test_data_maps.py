"""Texts of YAML, TOML and JSON: the value is that of the usual parser, and each character is where the map says."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from promptslim.core.text import Document
from promptslim.extract.files import data_of
from promptslim.extract.files.data import DataList, DataMap, DataNode, DataScalar, DataText, read_data

CHARS = st.sampled_from(list("ab {}:#'\"\\-\n\n\t|>é😀,[]&*!%@`0"))
WORDS = st.sampled_from(["a", "be", " ", "  ", "\n", "\n\n", "x: y", "- z", "#", "{n}", "é", "😀", '"', "'", "\\"])
TEXTS = st.one_of(st.text(CHARS, max_size=30), st.lists(WORDS, max_size=14).map("".join))
ANY_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)
DATA = st.recursive(
    TEXTS | st.integers(-9, 9999) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def plain(node: DataNode | None) -> object:
    match node:
        case DataMap(entries=entries):
            return {entry.key: plain(entry.value) for entry in entries}
        case DataList(items=items):
            return [plain(item) for item in items]
        case DataText(text=text):
            return text
        case DataScalar(value=value):
            return value
    return None


def texts(node: DataNode | None) -> Iterator[DataText]:
    match node:
        case DataMap(entries=entries):
            for entry in entries:
                yield from texts(entry.value)
        case DataList(items=items):
            for item in items:
                yield from texts(item)
        case DataText():
            yield node


def maps_hold(document: Document, node: DataNode | None) -> None:
    for text in texts(node):
        assert text.source_map is not None, (document.text, text)
        assert len(text.source_map) == len(text.text) + 1
        assert list(text.source_map) == sorted(text.source_map)
        span = text.location.span
        for char, offset in zip(text.text, text.source_map, strict=False):
            written = document.text[offset]
            assert span.start <= offset < span.end
            assert written == char or written in "\\\n", (document.text, text, offset)


@given(DATA, st.sampled_from([None, 2]), st.booleans())
@settings(max_examples=300)
def test_json_is_as_the_parser_reads_it(data: object, indent: int | None, ascii_only: bool) -> None:
    document = Document("prompts.json", json.dumps(data, indent=indent, ensure_ascii=ascii_only))
    node = data_of(document)
    assert plain(node) == data
    maps_hold(document, node)


@given(DATA, st.sampled_from([None, "'", '"', "|", ">"]), st.booleans(), st.integers(10, 80), st.integers(2, 6))
@settings(max_examples=500)
@example("a\n\n  b\nc\n\n", ">", True, 80, 4)
@example("  lead\n\nx ", "|", True, 80, 2)
def test_yaml_is_as_the_parser_reads_it(data: object, style: str, wide: bool, width: int, indent: int) -> None:
    source = yaml.safe_dump({"k": data}, default_style=style, allow_unicode=wide, width=width, indent=indent)
    document = Document("prompts.yaml", source)
    node = data_of(document)
    assert plain(node) == yaml.safe_load(source)
    maps_hold(document, node)


INDICATORS = st.sampled_from(["|", ">", "|-", ">-", "|+", ">+", "|2", ">2-", "|+2"])
LINES = st.lists(st.sampled_from(["", "  ", "  a", "  b c ", "    d", "  - e", "   f", "  \tg", "     "]), max_size=8)


@given(INDICATORS, LINES, st.booleans())
@settings(max_examples=600)
def test_block_scalars_as_people_write_them(indicator: str, lines: list[str], after: bool) -> None:
    source = "k: " + indicator + "\n" + "\n".join(lines) + ("\nnext: 1\n" if after else "")
    document = Document("p.yml", source)
    try:
        value = yaml.safe_load(source)
    except yaml.YAMLError:
        assert data_of(document) is None
        return
    node = data_of(document)
    assert plain(node) == value
    maps_hold(document, node)


@given(st.lists(st.sampled_from(["a", "b c", "", "  d", "it''s", "e\\", "f  "]), min_size=1, max_size=6), st.data())
@settings(max_examples=400)
def test_flow_scalars_over_several_lines(lines: list[str], data: st.DataObject) -> None:
    quote = data.draw(st.sampled_from(["'", '"', ""]))
    source = "k: " + quote + "\n  ".join(lines) + quote + "\n"
    try:
        value = yaml.safe_load(source)
    except yaml.YAMLError:
        return
    document = Document("p.yaml", source)
    node = data_of(document)
    assert plain(node) == value
    maps_hold(document, node)


def toml_string(text: str, form: int) -> str:
    basic = json.dumps(text).replace("\\/", "/").replace("\x7f", "\\u007f")
    if form == 0 or "\\ud8" in basic or "\\ud" in basic:
        return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
    if form == 1:
        return '"""\n' + text.replace("\\", "\\\\").replace('"', '\\"') + '"""'
    if form == 2 and "'" not in text and "\n" not in text:
        return f"'{text}'"
    if form == 3 and "''" not in text and not text.startswith("\n"):
        return f"'''{text}'''"
    return '"""' + "\\\n   ".join(json.dumps(piece)[1:-1] for piece in text.split(" ")) + '"""'


@given(st.lists(st.tuples(TEXTS, st.integers(0, 4)), min_size=1, max_size=5))
@settings(max_examples=400)
def test_toml_is_as_the_parser_reads_it(values: list[tuple[str, int]]) -> None:
    lines = [f"k{index} = {toml_string(text, form)}" for index, (text, form) in enumerate(values)]
    source = (
        lines[0] + "\n[a.'b c'] # t\n" + "\n".join(lines[1:]) + "\n[[a.l]]\nx.y = [1, {z='q'}, # c\n 2.5]\n[[a.l]]\n"
    )
    try:
        value = tomllib.loads(source)
    except tomllib.TOMLDecodeError:
        assert data_of(Document("p.toml", source)) is None
        return
    document = Document("p.toml", source)
    node = data_of(document)
    assert plain(node) == value
    maps_hold(document, node)


@given(ANY_TEXT)
@settings(max_examples=150)
def test_no_text_crashes_a_reader(source: str) -> None:
    for path in ("a.yaml", "a.toml", "a.json"):
        trees, errors = read_data(Document(path, source))
        assert not (trees and errors)


def test_aliases_and_merge_keys() -> None:
    source = "base: &b {system: &s 'be kind', n: 1}\nown: {<<: *b, n: 2}\nagain: *s\nlist: [{<<: [{n: 3}, *b]}]\n"
    node = data_of(Document("p.yaml", source))
    assert plain(node) == yaml.safe_load(source)
    assert isinstance(node, DataMap)
    again = node.get("again")
    assert isinstance(again, DataText)
    assert again.location.start == (1, 22)


def test_duplicate_keys_have_their_last_value() -> None:
    for path, source in (("p.yaml", "a: x\na: y\n"), ("p.json", '{"a": "x", "a": "y"}')):
        assert plain(data_of(Document(path, source))) == {"a": "y"}


@pytest.mark.parametrize(
    ("path", "source", "line", "message"),
    [
        ("p.yaml", "a: [1\nb: 2\n", 2, "invalid YAML: "),
        ("p.yaml", "a: \x07\n", 1, "invalid YAML: character 0x7 is not allowed"),
        ("p.yaml", "a: *nowhere\n", 1, "invalid YAML: undefined alias nowhere"),
        ("p.toml", "a = 1\na = 2\n", 2, "invalid TOML: Cannot overwrite a value"),
        ("p.toml", 'a = """x', 1, "invalid TOML: "),
        ("p.json", '{"a": 1,\n}', 2, "invalid JSON: "),
        ("p.json", "[" * 101 + "1" + "]" * 101, 1, "nested deeper than 100 levels"),
        ("p.json", "[" * 100_000, None, ""),
        ("p.yaml", "- " * 500 + "a", 1, "nested deeper than 100 levels"),
        ("p.yaml", "[" * 100_000, None, ""),
        ("p.toml", "a = " + "[" * 100_000, None, ""),
    ],
)
def test_what_is_wrong_is_said_with_its_line(path: str, source: str, line: int | None, message: str) -> None:
    trees, errors = read_data(Document(path, source))
    assert not trees
    assert message in errors[0].message
    assert line is None or errors[0].line == line


def test_aliases_that_multiply_stay_small() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    node = data_of(Document("p.yaml", "\n".join(lines)))
    assert isinstance(node, DataMap)
    assert len(node.entries) == 40


def test_an_alias_of_what_it_stands_in_is_left_out() -> None:
    assert plain(data_of(Document("p.yaml", "a: &a [1, *a, 2]\n"))) == {"a": [1, 2]}
