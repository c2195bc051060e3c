"""What fills a prompt: origins and transformations followed through the program, files and templates joined."""

from __future__ import annotations

import json
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project import analyse

from promptslim.core.facts import FileFacts
from promptslim.core.prompt import BlockEnd, CachePoint, Literal, Prompt

HEAD = """
import base64, datetime, json, os, random, re, time, uuid
from pathlib import Path
import requests
from bs4 import BeautifulSoup
from pypdf import PdfReader
import anthropic
client = anthropic.Anthropic()
"""


CREATE = 'client.messages.create(model="claude-haiku-4-5", max_tokens=9, messages=[{"role": "user", "content": text}])'


def message(body: str, files: dict[str, str] | None = None) -> Prompt:
    """The message of the one call in ``body``, the inside of a function: SEND sends the name ``text``."""
    inside = textwrap.indent(textwrap.dedent(body).replace("SEND", CREATE), "    ")
    facts = analyse(HEAD + f"def ask(path, question, rows, docs, flag):\n{inside}\n", files)
    assert facts.errors == ()
    (call,) = facts.calls
    (case,) = call.messages
    return case.value.value[0]  # type: ignore[union-attr]


def holes(body: str, files: dict[str, str] | None = None) -> list[tuple[str, tuple[str, ...]]]:
    """Origin and transformations of the holes of the message."""
    return [(hole.origin, tuple(one.kind for one in hole.transforms)) for hole in message(body, files).holes]


@pytest.mark.parametrize(
    ("expression", "origin", "transforms"),
    [
        ("datetime.datetime.now()", "clock", ()),
        ("datetime.date.today().isoformat()", "clock", ("formatted",)),
        ("time.time()", "clock", ()),
        ("uuid.uuid4()", "identifier", ()),
        ("random.randint(1, 9)", "random", ()),
        ("question", "argument", ()),
        ("question.strip().lower()", "argument", ()),
        ("open(path).read()", "document", ()),
        ("open(path).read()[:4000]", "document", ("slice",)),
        ("Path(path).read_text()", "document", ()),
        ("re.sub('a', 'b', Path(path).read_text())", "document", ()),
        ("PdfReader(path).pages[0].extract_text()", "document", ("item",)),
        ("'\\n'.join(p.extract_text() for p in PdfReader(path).pages)", "document", ("join",)),
        ("docs.similarity_search(question, k=3)", "retrieval", ()),
        ("json.dumps(rows, indent=2)", "argument", ("indent",)),
        ("json.dumps(rows)", "argument", ()),
        ("rows.model_dump_json(indent=2)", "argument", ("indent",)),
        ("requests.get(path).text", "document", ("html",)),
        ("BeautifulSoup(requests.get(path).text, 'html.parser').get_text()", "document", ()),
        ("base64.b64encode(open(path, 'rb').read())", "document", ("base64",)),
        ("rows.to_markdown()", "argument", ("data frame",)),
        ("rows.head(5).to_markdown()", "argument", ("slice", "data frame")),
        ("', '.join({'a', 'b', 'c'})", "unknown", ("set order",)),
    ],
)
def test_origin_and_transformations(expression: str, origin: str, transforms: tuple[str, ...]) -> None:
    for text in ('f"Text: {value}"', '"Text: " + str(value)', '"Text: {v}".format(v=value)', '"Text: %s" % value'):
        assert holes(f"value = {expression}\ntext = {text}\nSEND") == [(origin, transforms)], text


def test_a_slice_has_its_bound() -> None:
    (hole,) = message('text = f"Read: {open(path).read()[:500]}"\nSEND').holes
    assert hole.bound == 500
    (hole,) = message('text = f"Read: {question[-20:]}"\nSEND').holes
    assert hole.bound == 20


def test_the_source_is_where_the_value_is_made() -> None:
    prompt = message('now = datetime.datetime.now()\ntext = f"It is {now:%H:%M}."\nSEND')
    (hole,) = prompt.holes
    assert hole.source is not None
    assert hole.source.text == "datetime.datetime.now()"
    assert hole.location is not None
    assert hole.location.text == "{now:%H:%M}"


def test_a_loop_that_gathers_pages_gives_the_whole_document() -> None:
    body = """
    pages = ""
    for page in PdfReader(path).pages:
        pages += page.extract_text() + "\\n"
    text = f"Read: {pages}"
    SEND
    """
    assert holes(body) == [("document", ("join",))]


def test_one_page_of_a_loop_is_an_item() -> None:
    body = """
    for page in PdfReader(path).pages:
        text = f"Read: {page.extract_text()}"
        SEND
    """
    assert holes(body) == [("document", ("item",))]


def test_what_branches_and_loops_add_is_maybe_sent() -> None:
    rules = "Follow all of these rules in every one of your answers, whatever the customer may say or ask for. " * 2
    prompt = message(
        f"""
        text = {rules!r}
        if flag:
            text += "Be brief."
        for row in rows:
            text += "Row: " + row
        SEND
        """
    )
    assert [(p.text, p.maybe) for p in prompt.parts if isinstance(p, Literal)] == [
        (rules, False),
        ("Be brief.", True),
        ("Row: ", True),
    ]


def test_a_helper_is_followed() -> None:
    source = HEAD + textwrap.dedent(
        """
        def context(path):
            return "Context:\\n" + Path(path).read_text()
        def ask(path):
            client.messages.create(model="claude-haiku-4-5", max_tokens=9,
                                   messages=[{"role": "user", "content": f"{context(path)}\\nNow answer."}])
        """
    )
    prompts = [p for p in analyse(source).prompts if "Now answer" in p.static_text]
    assert [(h.origin) for h in prompts[0].holes] == ["document"]


FILES = {
    "prompts/system.md": "You are a clerk.\nBe brief.\n",
    "prompts/p.yaml": 'system: |\n  You sort mail.\n  Always.\nuser: "Sort {mail}"\n',
    "prompts/p.json": '{"system": "You \\"sort\\" mail"}',
    "templates/a.j2": "Rules for {{ name }}.\n{% if long %}Be long.{% endif %}\n{{ body }}\nEnd.",
}


def sent(source: str) -> Prompt:
    facts = analyse("import anthropic\n" + textwrap.dedent(source), FILES)
    assert facts.errors == ()
    (case,) = facts.calls[-1].system
    return case.value.value  # type: ignore[union-attr]


CALL = 'anthropic.Anthropic().messages.create(model="claude-haiku-4-5", max_tokens=9, messages=[], system={})\n'


@pytest.mark.parametrize(
    "source",
    [
        'from pathlib import Path\ns = Path("prompts/system.md").read_text()\n',
        'from pathlib import Path\ns = (Path(__file__).parent / "prompts" / "system.md").read_text()\n',
        'import pathlib\nH = pathlib.Path(__file__).parent\nf = (H / "prompts/system.md").open()\ns = f.read()\n',
        'with open("prompts/system.md") as f:\n    s = f.read()\n',
        'import os\ns = open(os.path.join(os.path.dirname(__file__), "prompts", "system.md"), "rt").read()\n',
    ],
)
def test_a_file_that_code_reads_is_the_prompt(source: str) -> None:
    prompt = sent(source + CALL.format("s"))
    assert prompt.static_text == FILES["prompts/system.md"]
    assert prompt.id == "prompts/system.md"
    (literal,) = prompt.parts
    assert isinstance(literal, Literal)
    assert literal.location is not None
    assert literal.source_map is not None
    assert literal.location.path == "prompts/system.md"
    assert literal.location.document.text[literal.source_map[4]] == "a"


@pytest.mark.parametrize(
    ("source", "text", "path"),
    [
        ('import yaml\nc = yaml.safe_load(open("prompts/p.yaml"))\n', "You sort mail.\nAlways.\n", "prompts/p.yaml"),
        (
            'import json\nfrom pathlib import Path\nc = json.loads(Path("prompts/p.json").read_text())\n',
            'You "sort" mail',
            "prompts/p.json",
        ),
        ('import json\nwith open("prompts/p.json") as f:\n    c = json.load(f)\n', 'You "sort" mail', "prompts/p.json"),
    ],
)
def test_a_text_in_a_data_file_is_the_prompt(source: str, text: str, path: str) -> None:
    prompt = sent(source + CALL.format('c["system"]'))
    assert prompt.static_text == text
    assert prompt.location.path == path
    (literal,) = prompt.parts
    assert isinstance(literal, Literal)
    assert_mapped(literal)


def test_a_jinja_template_is_filled() -> None:
    prompt = sent(
        'from jinja2 import Environment, FileSystemLoader\nenv = Environment(loader=FileSystemLoader("templates"))\n'
        "def ask(path):\n    body = open(path).read()\n    "
        + CALL.format('env.get_template("a.j2").render(name="Ann", body=body)')
    )
    assert prompt.id == "templates/a.j2"
    assert prompt.static_text == "Rules for Ann.\nBe long.\n\nEnd."
    assert [p.text for p in prompt.parts if isinstance(p, Literal) and p.maybe] == ["Be long."]
    (hole,) = prompt.holes
    assert (hole.origin, hole.name) == ("document", "body")
    assert hole.location is not None
    assert hole.location.text == "{{ body }}"


def test_cache_points_and_blocks_keep_their_place() -> None:
    prompt = sent(
        CALL.format(
            '[{"type": "text", "text": "A", "cache_control": {"type": "ephemeral", "ttl": "1h"}}, '
            '{"type": "text", "text": "B"}]'
        )
    )
    kinds = [type(part) for part in prompt.parts]
    assert kinds == [Literal, CachePoint, BlockEnd, Literal]
    point = prompt.parts[1]
    assert isinstance(point, CachePoint)
    assert (point.key, point.ttl) == ("cache_control", "1h")


LANGCHAIN = """
from langchain_aws import ChatBedrockConverse
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
import json
model = ChatBedrockConverse(model="us.amazon.nova-lite-v1:0", max_tokens=9)
def ask(path, rows):
"""


def langchain(body: str) -> list[Prompt]:
    facts = analyse(LANGCHAIN + textwrap.indent(textwrap.dedent(body), "    "))
    assert facts.errors == ()
    (call,) = facts.calls
    assert all(prompt.used_by == (call.id,) for prompt in facts.prompts)
    return list(facts.prompts)


def test_a_chain_sends_its_template() -> None:
    system, user = langchain(
        """
        template = ChatPromptTemplate.from_messages([("system", "You judge {thing}."), ("human", "Read: {doc}")])
        chain = template | model.with_structured_output(int)
        chain.invoke({"thing": "cats", "doc": open(path).read()})
        """
    )
    assert (system.role, system.static_text) == ("system", "You judge cats.")
    assert (user.role, [h.origin for h in user.holes]) == ("user", ["document"])


def test_a_model_object_sends_messages() -> None:
    system, user = langchain(
        """
        model.invoke([SystemMessage(content="Be nice."), HumanMessage(content=f"Rows: {json.dumps(rows, indent=2)}")])
        """
    )
    assert system.role == "system"
    assert user.holes[0].transform("indent") is not None


def test_a_prompt_template_is_filled() -> None:
    (prompt,) = langchain(
        """
        made = PromptTemplate(template="Grade {doc}. Say yes or no.", input_variables=["doc"])
        model.invoke(made.format(doc=rows))
        """
    )
    assert prompt.static_text == "Grade . Say yes or no."
    assert prompt.holes[0].name == "doc"


NAMED = '''
SYSTEM_PROMPT = """You sort the mail of a large company into the folders of its departments. {rules}
{{"folder": "sales"}} is what you answer with, in JSON and nothing else. Never explain, never apologise, never
invent a folder that is not in the list. {mail}
"""
css = """body { color: red; margin: 0 auto; padding: 0; font-family: sans-serif; background: white }""" * 4
prompt = input("Name? ")
def build_prompt(rows):
    """A docstring that is no prompt, however long it may be, since it is never sent to anyone at all, is it?"""
    return f"Sort these rows by name and give them back as they are: {rows}"
'''


def test_names_tell_prompts() -> None:
    facts: FileFacts = analyse(NAMED)
    assert {p.id for p in facts.prompts} == {"app.py::SYSTEM_PROMPT", "app.py::build_prompt()"}
    constant = next(p for p in facts.prompts if p.id.endswith("SYSTEM_PROMPT"))
    assert constant.shape == "format"
    assert constant.role == "system"
    assert [hole.name for hole in constant.holes] == ["rules", "mail"]
    assert '{"folder": "sales"}' in constant.static_text
    for part in constant.parts:
        if isinstance(part, Literal):
            assert_mapped(part, escaped="{}")


def test_a_constant_that_a_call_sends_is_told_once() -> None:
    rules = "Answer in one sentence. " * 20
    facts = analyse(f"import anthropic\nSYSTEM_PROMPT = {rules!r}\n" + CALL.format("SYSTEM_PROMPT"))
    (prompt,) = facts.prompts
    assert prompt.id == "app.py::SYSTEM_PROMPT"
    assert prompt.used_by == (facts.calls[0].id,)


def assert_mapped(literal: Literal, escaped: str = "") -> None:
    """Every character that stands for itself is found in the file at its place."""
    assert literal.location is not None
    assert literal.source_map is not None
    assert len(literal.source_map) == len(literal.text) + 1
    source = literal.location.document.text
    for character, offset in zip(literal.text, literal.source_map, strict=False):
        if character.isalnum() or character in escaped:
            assert source[offset] == character


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
QUOTES = st.sampled_from(["'", '"', "'''", '"""'])


@st.composite
def literals(draw: st.DrawFn) -> str:
    """A plain string literal, in one of the ways of writing its characters."""
    text, quote = draw(WORDS), draw(QUOTES)
    how = draw(st.sampled_from(["repr", "escaped", "triple"]))
    if how == "repr":
        return repr(text)
    if how == "escaped":
        return quote[0] + "".join(f"\\U{ord(c):08x}" if not c.isalnum() else c for c in text) + quote[0]
    return '"""' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\0", "\\0") + '"""'


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """An expression of literals that the interpreter can evaluate, and so can the evaluator."""
    first, second = draw(literals()), draw(literals())
    return draw(
        st.sampled_from(
            [
                first,
                f"{first} {second}",
                f"{first} + {second}",
                f"''.join([{first}, {second}])",
                f"{second}.join([{first}, {first}])",
                f"{first}.strip()",
                f"textwrap.dedent({first} {second})",
                f"textwrap.dedent({first} + {second}).strip()",
                f"({first}).replace('a', {second})",
                f"'%s%%' % ({first},)",
                f"'x{{}}y{{}}'.format({first}, {second})",
                f"'{{a}}{{{{}}}}'.format(a={first})",
                f"string.Template('$a $$').substitute(a={first})",
                f"f'''n{{{second}!s}}'''"
                if "'" not in second and "\\" not in second and '"""' not in second
                else first,
            ]
        )
    )


@settings(max_examples=1500, deadline=None)
@given(expressions())
def test_texts_are_those_of_the_interpreter(expression: str) -> None:
    namespace: dict[str, object] = {}
    try:
        exec(f"import string, textwrap\nvalue = {expression}", namespace)
    except SyntaxError:
        return
    facts = analyse(f"import anthropic, string, textwrap\nvalue = {expression}\n" + CALL.format("value"))
    assert facts.errors == ()
    expected = str(namespace["value"])
    (case,) = facts.calls[0].system
    found = case.value.value if expected else None  # type: ignore[union-attr]
    if found is None:
        return
    assert isinstance(found, Prompt), (expression, found)
    assert found.static_text == expected, json.dumps(expression)
    for part in found.parts:
        if isinstance(part, Literal) and part.source_map is not None:
            assert_mapped_or_escaped(part)


def assert_mapped_or_escaped(literal: Literal) -> None:
    """Offsets grow, and each character stands at its place or is written there as an escape."""
    assert literal.location is not None
    assert literal.source_map is not None
    source = literal.location.document.text
    assert list(literal.source_map) == sorted(literal.source_map)
    for character, offset in zip(literal.text, literal.source_map, strict=False):
        assert source[offset] in (character, "\\", "{", "}", "%", "$", "\r"), (character, source[offset : offset + 5])
