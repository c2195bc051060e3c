"""Every change of an input is found and named; moving, renaming and reformatting is none."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from projects import (
    APP,
    EVIDENCE,
    FILES,
    GRADER,
    SUITE,
    TODAY,
    checked,
    claim_of,
    forged,
    inputs,
    lay_out,
    prove,
    rows,
    said,
    stored,
    write,
)

import promptslim
from promptslim.check.data_meaning import data_meaning
from promptslim.core.prompt import BlockEnd, CachePoint, Hole, Literal, Part, Prompt
from promptslim.core.text import Document, Location, Span
from promptslim.extract.definitions import definitions
from promptslim.pipeline import run as pipeline
from promptslim.proof.canonical import data_hash, file_hash, prompt_hash, prompts_hash, python_hash
from promptslim.proof.code_inputs import CodeInputs
from promptslim.proof.errors import ProofFileError
from promptslim.proof.lock import made_entry, read_lock
from promptslim.proof.recompute import Demands, Surroundings, recompute

TEXT = "Name the sentiment of the review in one word."
SAME = {
    "comments": APP.replace("client =", "# The client.\nclient =").replace("SYSTEM,", "SYSTEM,  # sent first"),
    "another name": APP.replace("SYSTEM", "SENTIMENT_PROMPT"),
    "another function": APP.replace("def ask(review)", "def sentiment(text)").replace("{review}", "{text}"),
    "other quotes": APP.replace(f'"{TEXT}"', f"'{TEXT}'"),
    "adjacent literals": APP.replace('"Name the sentiment of', '"Name the " "sentiment of'),
    "in brackets": APP.replace(f'"{TEXT}"', '(\n    "Name the sentiment "\n    "of the review in one word."\n)'),
    "escapes": APP.replace("Name the", "\\x4eame\\u0020the"),
    "joined": APP.replace('"Name the sentiment of', '"Name the " + "sentiment of'),
    "in the call": APP.replace("SYSTEM,", "").replace('"text": SYSTEM', f'"text": "{TEXT}"'),
    "in a function": APP.replace("    return client", '    local = "x"\n    return client').replace(
        "def ask(review):", "def other():\n    pass\n\n\ndef ask(review):"
    ),
    "on one line": re.sub(r"\(\n        ", "(", APP).replace(",\n        ", ", ").replace(",\n    )", ")"),
    "arguments in another order": APP.replace('        modelId="amazon.nova-lite-v1:0",\n', "").replace(
        "    )\n", '        modelId="amazon.nova-lite-v1:0",\n    )\n'
    ),
    "model as a constant": APP.replace('modelId="amazon.nova-lite-v1:0"', "modelId=MODEL").replace(
        "SYSTEM =", 'MODEL = "amazon.nova-lite-v1:0"\nSYSTEM ='
    ),
    "lines moved": "import os\n\n\n" + APP,
    "line ends of Windows": APP.replace("\n", "\r\n"),
    "blank lines": APP.replace("\n\n", "\n\n\n"),
    "a cache point": APP.replace('[{"text": SYSTEM}]', '[{"text": SYSTEM}, {"cachePoint": {"type": "default"}}]'),
}


@pytest.mark.parametrize("change", SAME, ids=lambda name: name.replace(" ", "-"))
def test_the_same_request_is_not_stale(change: str, tmp_path: Path) -> None:
    prove(tmp_path)
    assert SAME[change] != APP
    lay_out(tmp_path, {"app.py": SAME[change]})
    assert said(tmp_path) == []


def test_moved_to_other_files_is_not_stale(tmp_path: Path) -> None:
    prove(tmp_path)
    constant = APP.split("\n")[2]
    (tmp_path / "app.py").unlink()
    moved = APP.replace(constant, "from llm.texts import SYSTEM")
    lay_out(tmp_path, {"llm/calls.py": moved, "llm/texts.py": f"{constant}\n", "llm/__init__.py": ""})
    assert said(tmp_path) == []


def test_other_prompts_beside_it_are_not_stale(tmp_path: Path) -> None:
    prove(tmp_path)
    other = APP.replace("the sentiment", "the language").replace("nova-lite", "nova-pro")
    lay_out(tmp_path, {"other.py": other})
    assert said(tmp_path) == []


INPUTS = {
    TEXT: "the prompt",
    "amazon.nova-lite-v1:0": "the model",
    "Review: ": "another text of the request",
    "20": "the output cap",
    "rate": "the tools",
    "0.3": "the setting temperature",
    "END": "the setting stop_sequences",
}


@pytest.mark.parametrize("text", INPUTS, ids=lambda text: INPUTS[text].replace(" ", "-"))
def test_every_byte_of_the_code_that_is_sent(text: str, tmp_path: Path) -> None:
    prove(tmp_path)
    start = APP.index(text)
    for place in range(start, start + len(text)):
        if APP[place] == ".":
            continue
        other = "7" if APP[place].isdigit() else "Z"
        lay_out(tmp_path, {"app.py": APP[:place] + other + APP[place + 1 :]})
        ((code, message),) = said(tmp_path)
        assert code == "PS701"
        assert f"{INPUTS[text]} changed" in message, APP[place - 5 : place + 5]


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ('inferenceConfig={"topP": 0.5, ', "top_p"),
        ('additionalModelRequestFields={"top_k": 5}, inferenceConfig={', "extra_fields"),
        ('guardrailConfig={"guardrailIdentifier": "g1", "guardrailVersion": "1"}, inferenceConfig={', "guardrail"),
    ],
)
def test_a_setting_that_was_not_there_makes_a_proof_stale(setting: str, name: str, tmp_path: Path) -> None:
    prove(tmp_path)
    lay_out(tmp_path, {"app.py": APP.replace("inferenceConfig={", setting)})
    ((code, message),) = said(tmp_path)
    assert (code, f"the setting {name} changed" in message) == ("PS701", True)


@pytest.mark.parametrize("path", ["suite.yaml", "grade.py"])
def test_every_byte_of_the_eval_set_and_the_grader(path: str, tmp_path: Path) -> None:
    """Stale exactly where the file no longer says the same."""
    entry = prove(tmp_path)
    data = FILES[path].encode()
    texts = {name: text.encode() for name, text in FILES.items()}
    evidence = (tmp_path / EVIDENCE).read_bytes()
    for place in range(len(data)):
        changed = data[:place] + (b"q" if data[place : place + 1] != b"q" else b"w") + data[place + 1 :]
        files = {**texts, path: changed, EVIDENCE: evidence}
        found = recompute(entry, None, Surroundings(TODAY, files.get, canonical=data_meaning), Demands())
        if _says(path, changed) == _says(path, data):
            assert found.status == "VALID", changed
        else:
            assert (found.status, path in found.message) == ("STALE", True), changed


def _says(path: str, data: bytes) -> object:
    """What a file says, by other means than those under test."""
    try:
        if path == "suite.yaml":
            return yaml.safe_load(data)
        tree = ast.parse(data)
        tree.body = [
            node for node in tree.body if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant)
        ]
        return ast.dump(tree)
    except (yaml.YAMLError, SyntaxError, ValueError):
        return data


def test_every_byte_of_the_evidence(tmp_path: Path) -> None:
    entry = prove(tmp_path, texts=False)
    data = (tmp_path / EVIDENCE).read_bytes()
    for place in range(len(data)):
        for changed in (data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], data[:place] + data[place + 1 :]):
            found = recompute(entry, None, Surroundings(TODAY, {EVIDENCE: changed}.get), Demands())
            assert (found.status, EVIDENCE in found.message) == ("INVALID", True)


def test_every_byte_of_the_lock(tmp_path: Path) -> None:
    """But blank space, and the date, which stands outside the digest."""
    entry = prove(tmp_path)
    text = (tmp_path / "promptslim.lock").read_text("utf-8")
    files = {**{name: text.encode() for name, text in FILES.items()}, EVIDENCE: (tmp_path / EVIDENCE).read_bytes()}
    around = Surroundings(TODAY, files.get, canonical=data_meaning)
    dated = text.index('"date"')
    broken = []
    for place in range(len(text)):
        changed = text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :]
        try:
            entries = read_lock(changed).entries
        except ProofFileError as error:
            broken.append(str(error))
            continue
        if entries != (entry,) and not dated <= place < dated + 22:
            (other,) = entries
            assert recompute(other, None, around, Demands()).status == "INVALID", changed[place - 20 : place + 20]
    assert broken
    assert all(re.match(r"promptslim\.lock:\d+: [^\n]+$", message) for message in broken)


def test_an_eval_set_that_is_gone_is_named(tmp_path: Path) -> None:
    prove(tmp_path)
    (tmp_path / "suite.yaml").unlink()
    assert "the eval set suite.yaml changed" in said(tmp_path)[0][1]


def test_files_outside_the_project_are_not_read(tmp_path: Path) -> None:
    inside = tmp_path / "project"
    prove(inside)
    (tmp_path / "secret.jsonl").write_bytes((inside / EVIDENCE).read_bytes())
    write(inside, forged(stored(inside), evidence_path="../secret.jsonl"))
    assert "../secret.jsonl is missing" in said(inside)[0][1]


def test_line_ends_and_byte_order_marks_change_nothing() -> None:
    data = SUITE.encode()
    assert file_hash(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")) == file_hash(data)
    assert data_meaning("a.yaml", data.replace(b"\n", b"\r\n")) == data_meaning("a.yaml", data)
    assert data_meaning("a.yaml", b"a: [") is None
    assert data_meaning("a.json", b'{"b": 1, "a": [1.0]}') == data_meaning("a.json", b'{"a": [1], "b": 1}')
    assert data_meaning("a.jsonl", b'{"a":1}\n\n{"b":2}\n') == data_meaning("a.jsonl", b'{ "a": 1 }\n{"b": 2}')
    assert data_meaning("a.csv", b"a") is None
    assert python_hash(GRADER.encode()) == python_hash(b"def grade(output,context): return output.strip()=='positive'")
    assert python_hash(b"x = 1") != python_hash(b"x = True") != python_hash(b"x = 1.0")


PLACE = Location(Document("a.py", ""), Span(0, 0))
parts = st.lists(
    st.one_of(
        st.text(max_size=8).map(Literal),
        st.sampled_from([Hole("name"), Hole("x", name="question"), BlockEnd(), CachePoint("cachePoint")]),
    ),
    max_size=8,
)


def prompt(pieces: list[Part], shape: str = "python") -> Prompt:
    return Prompt("a", "system", tuple(pieces), PLACE, PLACE, shape=shape)  # type: ignore[arg-type]


@given(parts, st.integers(0, 7), st.integers(0, 8))
def test_a_prompt_is_its_text_not_its_pieces(pieces: list[Part], which: int, at: int) -> None:
    cut = [*pieces]
    if cut and isinstance(cut[which % len(cut)], Literal):
        literal = cut.pop(which % len(pieces))
        assert isinstance(literal, Literal)
        cut[which % len(pieces) : which % len(pieces)] = [Literal(literal.text[:at]), Literal(literal.text[at:])]
    assert prompt_hash(prompt(cut)) == prompt_hash(prompt(pieces))
    renamed = [Hole("other") if isinstance(one, Hole) and one.name is None else one for one in pieces]
    assert prompt_hash(prompt(renamed)) == prompt_hash(prompt(pieces))
    assert prompt_hash(prompt([*pieces, Literal("!")])) != prompt_hash(prompt(pieces))


@given(parts, parts)
def test_different_prompts_differ(first: list[Part], second: list[Part]) -> None:
    def sent(pieces: list[Part]) -> list[object]:
        seen: list[object] = []
        for piece in pieces:
            match piece:
                case Literal(text=text):
                    seen += list(text)
                case Hole(name=name):
                    seen.append(piece if name else Hole)
                case BlockEnd() if seen and seen[-1] is not None:
                    seen.append(None)
        while seen and seen[-1] is None:
            seen.pop()
        return seen

    assert (prompt_hash(prompt(first)) == prompt_hash(prompt(second))) == (sent(first) == sent(second))


def test_names_and_tags_of_templates_count() -> None:
    named = [Literal("Q: "), Hole("question", name="question")]
    other = [Literal("Q: "), Hole("context", name="context")]
    assert prompt_hash(prompt(named)) != prompt_hash(prompt(other))

    def template(text: str) -> Prompt:
        whole = Location(Document("a.j2", text), Span(0, len(text)))
        return Prompt("a", "system", (Literal("Short.", maybe=True),), whole, whole, shape="jinja")

    first = template("{% if short %}Short.{% endif %}")
    assert prompt_hash(first) == prompt_hash(template("{%  if  short %}Short.{%endif%}"))
    assert prompt_hash(first) != prompt_hash(template("{% if long %}Short.{% endif %}"))
    assert prompts_hash([first]) != prompts_hash([prompt(list(first.parts))])
    assert data_hash({"b": 1, "a": 2.0}) == data_hash({"a": 2, "b": 1})


TEMPLATE = """import boto3
from jinja2 import Template

TEXT = "Name the sentiment. {% if tone == 'dry' %}Be dry.{% endif %}"


def ask(tone):
    return boto3.client("bedrock-runtime").converse(
        modelId="amazon.nova-lite-v1:0", system=[{"text": Template(TEXT).render(tone=tone)}], messages=tone
    )
"""


def test_conditions_of_templates_in_code(tmp_path: Path) -> None:
    hashes = {}
    for name, text in {
        "first": TEMPLATE,
        "quotes": TEMPLATE.replace('= "Name', "= 'Name")
        .replace('endif %}"', "endif %}'")
        .replace("'dry'", "\\'dry\\'"),
        "condition": TEMPLATE.replace("'dry'", "'wet'"),
        "elsewhere": TEMPLATE + '\n\nOTHER = "{% if tone == 1 %}x{% endif %}"\n',
        "branch": TEMPLATE.replace("Be dry", "Be wet"),
    }.items():
        lay_out(tmp_path, {"app.py": text})
        hashes[name] = inputs(tmp_path)[1].prompt
    assert hashes["first"] == hashes["quotes"] == hashes["elsewhere"]
    assert len({hashes["first"], hashes["condition"], hashes["branch"]}) == 3


def test_conditions_before_the_first_text(tmp_path: Path) -> None:
    first = TEMPLATE.replace("Name the sentiment. ", "").replace("endif %}", "endif %} Name the sentiment.")
    lay_out(tmp_path, {"app.py": first})
    before = inputs(tmp_path)[1].prompt
    lay_out(tmp_path, {"app.py": first.replace("'dry'", "'wet'")})
    assert inputs(tmp_path)[1].prompt != before


@pytest.mark.parametrize(
    ("path", "text", "change", "same"),
    [
        ("prompts/a.txt", "Name the sentiment of {review}.\n", ("{review}", "{text}"), ("\n", "\r\n")),
        ("prompts/a.md", "# Task\n\nName the sentiment.\n", ("Task", "Tasks"), ("\n", "\r\n")),
        (
            "prompts/a.j2",
            "Name {{ what }}.{% if dry %} Be dry.{% endif %}\n",
            ("if dry", "if wet"),
            ("{{ what", "{{what"),
        ),
        ("prompts/a.yaml", f"system: {TEXT}\n", ("Name", "Say"), (TEXT, f'"{TEXT}"')),
    ],
)
def test_prompt_files(path: str, text: str, change: tuple[str, str], same: tuple[str, str], tmp_path: Path) -> None:
    files = {**{name: FILES[name] for name in ("suite.yaml", "grade.py")}, path: text}
    lay_out(tmp_path, files)
    run = pipeline.analyse(["."], pipeline.place_of(tmp_path, True, {"cache": False}), TODAY)
    (found,) = definitions(run.facts)
    code = CodeInputs(prompt_hash(found))
    entry, evidence, _ = made_entry(found.id, path, claim_of(code, FILES), rows(), TODAY, EVIDENCE)
    (tmp_path / EVIDENCE).parent.mkdir(exist_ok=True)
    (tmp_path / EVIDENCE).write_bytes(evidence)
    write(tmp_path, entry)
    assert said(tmp_path) == []
    lay_out(tmp_path, {path: text.replace(*same)})
    assert said(tmp_path) == []
    lay_out(tmp_path, {path: text.replace(*change)})
    assert [(one.code, one.primary.path) for one in checked(tmp_path).findings] == [("PS701", path)]


def test_a_prompt_that_was_not_looked_at_is_not_gone(tmp_path: Path) -> None:
    prove(tmp_path)
    lay_out(tmp_path, {"app.py": "import boto3\n", "other.py": APP.replace("one word", "two words")})
    assert "is not in app.py any more" in said(tmp_path)[0][1]
    assert said(tmp_path, "other.py") == []
    lay_out(tmp_path, {"app.py": APP.replace("import boto3", "import (boto3")})
    assert said(tmp_path) == [], "a file that does not parse says nothing of its prompts"


def test_from_a_folder_below_the_project(tmp_path: Path) -> None:
    """The lock stands beside the configuration, and its paths are relative to it."""
    prove(tmp_path)
    entry = stored(tmp_path)
    (tmp_path / "promptslim.toml").write_text("", "utf-8")
    (tmp_path / "app.py").unlink()
    lay_out(tmp_path, {"src/app.py": APP.replace("one word", "two words"), "src/other.py": "import os\n"})
    write(tmp_path, forged(entry, id="src/app.py::SYSTEM", path="src/app.py"))

    def found(folder: Path, *paths: str) -> list[tuple[str, str, str]]:
        result = promptslim.check(paths or ["."], cwd=folder, today=TODAY, select=["PS7"], cache=False)
        return [(one.code, one.primary.path, one.related[0].location.path) for one in result.findings]

    assert found(tmp_path) == [("PS701", "src/app.py", "promptslim.lock")]
    assert found(tmp_path / "src") == [("PS701", "app.py", "../promptslim.lock")]
    assert found(tmp_path / "src", "app.py") == [("PS701", "app.py", "../promptslim.lock")]
    assert found(tmp_path / "src", "other.py") == []
