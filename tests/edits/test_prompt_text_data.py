"""An edit of a text in YAML, TOML, JSON, a template or a text file changes exactly the intended characters."""

from __future__ import annotations

import json
import textwrap
import tomllib

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from promptslim.core.prompt import Literal, Prompt
from promptslim.core.text import Document, Location, Span
from promptslim.edits.apply import edited
from promptslim.edits.prompt_text import source_edits
from promptslim.extract.files.data import DataText, data_of
from promptslim.extract.files.jinja import jinja_parts
from promptslim.extract.files.mapped import mapped
from promptslim.extract.files.placeholders import format_parts

WORDS = st.lists(
    st.sampled_from(["word", "a", "é€", "#no", "it's", '"so"', "x: y", "-", "{b}", "\\", "😀", "1"]), min_size=1
)
LINES = st.lists(WORDS.map(" ".join), min_size=1, max_size=4)
REPLACEMENTS = st.text(st.sampled_from("ab \n'\"\\#:{}€"), max_size=5)


def yaml_of(lines: list[str], style: str) -> str:
    text = "\n".join(lines)
    match style:
        case "block" | "folded":
            head = "|" if style == "block" else ">-"
            body = textwrap.indent("\n".join(["start", *lines]), "    ")
            return f"before: 1\nprompt: {head}\n{body}\nafter: [a, b]\n"
        case "double":
            return f"before: 1\nprompt: {json.dumps(text, ensure_ascii=False)}  # why\nafter: x\n"
        case "single":
            joined = " ".join(lines).replace("'", "''")
            return f"before: 1\nprompt: 'start {joined}'\nafter: x\n"
        case _:
            return "before: 1\nprompt: start\n  goes on\n  and on\nafter: x\n"


def toml_of(lines: list[str], style: str) -> str:
    text = "\n".join(lines)
    match style:
        case "basic":
            return f"before = 1\nprompt = {json.dumps(text, ensure_ascii=False)}\n"
        case "lines":
            body = text.replace("\\", "\\\\").replace('"', '\\"')
            return f'prompt = """\nstart \\\n    {body}"""  # why\nafter = 2\n'
        case "literal":
            return f"prompt = 'start {' '.join(lines).replace(chr(39), '')}'\nafter = 2\n"
        case _:
            return f"prompt = '''\n{text}'''\nafter = 2\n"


def prompt_in(path: str, source: str) -> Prompt:
    document = Document(path, source)
    tree = data_of(document)
    found = tree.get("prompt")
    assert isinstance(found, DataText)
    place = found.location
    return Prompt(
        f"{path}::prompt", "system", (Literal(found.text, place, found.source_map),), place, place, shape="plain"
    )


def check_edit(path: str, source: str, load, data: st.DataObject) -> None:
    prompt = prompt_in(path, source)
    text = prompt.parts[0].text
    before = load(source)
    assert before["prompt"] == text
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    replacement = data.draw(REPLACEMENTS)
    edits = source_edits(prompt, 0, start, end, replacement)
    if edits is None:
        return
    after = load(edited(source, edits))
    assert after == {**before, "prompt": text[:start] + replacement + text[end:]}


@settings(max_examples=400, deadline=None)
@given(LINES, st.sampled_from(["block", "folded", "double", "single", "plain"]), st.data())
def test_yaml(lines: list[str], style: str, data: st.DataObject) -> None:
    source = yaml_of(lines, style)
    check_edit("prompts.yaml", source, yaml.safe_load, data)


@settings(max_examples=300, deadline=None)
@given(LINES, st.sampled_from(["basic", "lines", "literal", "literal lines"]), st.data())
def test_toml(lines: list[str], style: str, data: st.DataObject) -> None:
    source = toml_of(lines, style)
    try:
        tomllib.loads(source)
    except tomllib.TOMLDecodeError:
        return
    check_edit("prompts.toml", source, tomllib.loads, data)


@settings(max_examples=300, deadline=None)
@given(LINES, st.booleans(), st.sampled_from([None, 2]), st.data())
def test_json(lines: list[str], ascii_only: bool, indent: int | None, data: st.DataObject) -> None:
    source = json.dumps({"n": 1.50, "prompt": "\n".join(lines), "z": [1]}, ensure_ascii=ascii_only, indent=indent)
    check_edit("prompts.json", source, json.loads, data)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("p.yaml", "prompt: |\n  Please do this.\n\n  And that.\nz: 1\n"),
        ("p.yaml", "prompt: Please do this.\nz: 1\n"),
        ("p.yaml", "prompt: 'Please do this.'\n"),
        ("p.toml", 'prompt = """\nPlease do this."""\n'),
        ("p.toml", "prompt = 'Please do this.'\n"),
        ("p.json", '{"prompt": "\\u00e9 Please do this.", "n": 1.0}'),
    ],
)
def test_deleting_a_word_changes_nothing_else(path: str, source: str) -> None:
    prompt = prompt_in(path, source)
    at = prompt.parts[0].text.index("do ")
    edits = source_edits(prompt, 0, at, at + 3, "")
    assert edits is not None
    assert edited(source, edits) == source.replace("do ", "")


def test_a_word_that_yaml_would_read_otherwise_stays() -> None:
    prompt = prompt_in("p.yaml", "prompt: no answer\n")
    assert source_edits(prompt, 0, 2, 9, "") is None
    prompt = prompt_in("p.yaml", "prompt: one two\n")
    assert source_edits(prompt, 0, 3, 4, ": ") is None


def test_lines_of_a_block_go_whole() -> None:
    source = "prompt: |\n    One.\n    Two.\n    Three.\nz: 1\n"
    prompt = prompt_in("p.yaml", source)
    text = prompt.parts[0].text
    for line in ("One.\n", "Two.\n", "Three.\n"):
        at = text.index(line)
        edits = source_edits(prompt, 0, at, at + len(line), "")
        assert edited(source, edits) == source.replace(f"    {line}", "")


TEMPLATES = st.lists(
    st.sampled_from(
        ["text ", "{{ name }}", "{% if x %}", "{% endif %}", "\n", "{#- no -#}", "{ a", "%", "}", "{%- if y -%}"]
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=400, deadline=None)
@given(TEMPLATES, st.data())
def test_jinja(pieces: list[str], data: st.DataObject) -> None:
    source = "".join(pieces)
    source += "{% endif %}" * (source.count("if ") - source.count("endif"))
    document = Document("p.j2", source)
    try:
        from promptslim.extract.files.jinja_tokens import check_syntax

        check_syntax(source, {})
        parts = jinja_parts(document)
    except ValueError:
        return
    numbers = [n for n, part in enumerate(parts) if isinstance(part, Literal)]
    if not numbers:
        return
    place = Location(document, Span(0, len(source)))
    prompt = Prompt("p.j2", "system", parts, place, place, shape="jinja")
    number = data.draw(st.sampled_from(numbers))
    text = parts[number].text
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    replacement = data.draw(st.text("ab {}%#\n", max_size=4))
    edits = source_edits(prompt, number, start, end, replacement)
    if edits is None:
        return
    changed = Document("p.j2", edited(source, edits))
    wanted = [part.text if isinstance(part, Literal) else part.expression for part in parts]
    wanted[number] = text[:start] + replacement + text[end:]
    found = [part.text if isinstance(part, Literal) else part.expression for part in jinja_parts(changed)]
    assert "".join(found) == "".join(wanted)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["a b ", "{name}", "{{", "}}", "\n"]), min_size=1, max_size=7), st.data())
def test_format_templates(pieces: list[str], data: st.DataObject) -> None:
    source = "".join(pieces)
    document = Document("p.txt", source)
    parts = format_parts(mapped(document))
    numbers = [n for n, part in enumerate(parts) if isinstance(part, Literal)]
    if not numbers:
        return
    place = Location(document, Span(0, len(source)))
    prompt = Prompt("p.txt", "system", parts, place, place, shape="format")
    number = data.draw(st.sampled_from(numbers))
    text = parts[number].text
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    replacement = data.draw(st.text("ab{}\n", max_size=4))
    edits = source_edits(prompt, number, start, end, replacement)
    if edits is None:
        return
    wanted = [part.text if isinstance(part, Literal) else part.expression for part in parts]
    wanted[number] = text[:start] + replacement + text[end:]
    found = format_parts(mapped(Document("p.txt", edited(source, edits))))
    assert "".join(p.text if isinstance(p, Literal) else p.expression for p in found) == "".join(wanted)
    assert edited(source, edits).format(name="N") == "".join(wanted).replace("name", "N") or "name" in replacement


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), st.data())
def test_plain_text(source: str, data: st.DataObject) -> None:
    document = Document("p.md", source)
    if not source:
        return
    place = Location(document, Span(0, len(source)))
    prompt = Prompt("p.md", "system", (mapped(document).literal(0, len(source)),), place, place, shape="plain")
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, len(source)))
    edits = source_edits(prompt, 0, start, end, "new\n")
    assert edited(source, edits) == source[:start] + "new\n" + source[end:]


def test_a_data_file_that_is_sent_as_it_is() -> None:
    source = '{"prompt": "a \\"b\\"", "x": [1,  2]}'
    document = Document("p.json", source)
    place = Location(document, Span(0, len(source)))
    prompt = Prompt("p", "user", (mapped(document).literal(0, len(source)),), place, place, shape="plain")
    at = source.index("  2")
    assert edited(source, source_edits(prompt, 0, at, at + 2, " ")) == source.replace("  2", " 2")
