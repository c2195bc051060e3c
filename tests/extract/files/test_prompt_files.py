"""Prompt files end to end: what the inventory lists, and what is said of files that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import promptslim
from promptslim.cli import main as entry
from promptslim.core.prompt import Hole, Literal, Prompt

FORMATS = Path(__file__).parents[3] / "fixtures" / "formats"
INVENTORY = Draft202012Validator(json.loads((FORMATS / "inventory-v1.schema.json").read_text("utf-8")))

LONG = "Answer every question of the customer in two short sentences."
Lay = Callable[..., Path]


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    def files(**texts: str | bytes) -> Path:
        for path, text in texts.items():
            place = tmp_path / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return files


def prompts(folder: Path) -> dict[str, Prompt]:
    return {prompt.id: prompt for prompt in promptslim.inventory(["."], cwd=folder, isolated=True).prompts}


def one(lay: Lay, path: str, text: str | bytes) -> dict[str, Prompt]:
    return prompts(lay(**{path: text}))


def errors(folder: Path) -> list[tuple[str, int | None, str]]:
    result = promptslim.check(["."], cwd=folder, isolated=True)
    assert [(f.code, f.primary.path) for f in result.findings if f.code == "PS902"] == [
        ("PS902", error.path) for error in result.errors
    ]
    return [(error.path, error.line, error.message) for error in result.errors]


def texts(found: dict[str, Prompt]) -> dict[str, str]:
    return {key: prompt.static_text for key, prompt in found.items()}


def test_the_inventory_lists_a_prompt_of_each_kind(
    lay: Lay, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = lay(
        **{
            "prompts/a.txt": f"\n{LONG} {{question}}\n",
            "prompts/b_system.md": f"---\nmodel: x\n---\n{LONG}\n",
            "prompts/c.j2": f"{{# note #}}\n{LONG} {{{{ question }}}} {{{{ history }}}}",
            "d.prompty": f"---\nname: d\n---\nsystem:\n{LONG}\n\nuser:\n{{{{question}}}} please\n",
            "prompts/e.yaml": f"name: e\nsystem_prompt: |\n  {LONG}\n  Be kind.\n",
            "prompts/f.toml": f'[agent]\nprompt = """\n{LONG} {{question}}\n"""\n',
            "prompts/g.json": json.dumps({"messages": [{"role": "user", "content": LONG}]}, indent=1),
            "app.py": "x = 1\n",
        }
    )
    monkeypatch.chdir(folder)
    assert entry.main(["inventory", "--output-format", "json", "--isolated"]) == 0
    answer = json.loads(capsys.readouterr().out)
    INVENTORY.validate(answer)
    listed = {item["id"]: (item["line"], item["role"], item["holes"]) for item in answer["prompts"]}
    assert listed == {
        "prompts/a.txt": (1, "unknown", 1),
        "prompts/b_system.md": (4, "system", 0),
        "prompts/c.j2": (1, "unknown", 2),
        "d.prompty::system": (5, "system", 0),
        "d.prompty::user": (8, "user", 1),
        "prompts/e.yaml::system_prompt": (2, "system", 0),
        "prompts/f.toml::agent.prompt": (2, "unknown", 1),
        "prompts/g.json::messages[0].content": (5, "user", 0),
    }
    assert all(item["tokens"] > 0 for item in answer["prompts"])
    summary = promptslim.check(["."], cwd=folder, isolated=True).summary
    assert (summary.files, summary.calls) == (8, 0)


def test_shapes_and_holes(lay: Lay) -> None:
    found = prompts(
        lay(
            **{
                "prompts/a.txt": "Say {greeting} to {{all}}",
                "prompts/b.md": "Say {{greeting}}",
                "prompts/c.jinja": "Say {{ greeting | upper }}",
                "prompts/d.txt": 'Say {"a": 1}',
                "prompts/e.prompty": '{{role "user"}}\nSay {{helper greeting}}',
            }
        )
    )
    assert {key: prompt.shape for key, prompt in found.items()} == {
        "prompts/a.txt": "mustache", "prompts/b.md": "mustache", "prompts/c.jinja": "jinja", "prompts/d.txt": "plain",
        "prompts/e.prompty": "mustache",
    }  # fmt: skip
    assert found["prompts/b.md"].holes == (
        Hole("greeting", "argument", found["prompts/b.md"].holes[0].location, name="greeting"),
    )
    assert found["prompts/e.prompty"].role == "user"


LANGCHAIN = {"_type": "prompt", "input_variables": ["q"], "template": "Q: {q}", "template_format": "f-string"}
FEW_SHOT = {
    "_type": "few_shot",
    "prefix": "Translate.",
    "suffix": "Word: {w}",
    "examples": [{"prompt": LONG}],
    "example_prompt": {"_type": "prompt", "template": "W: {w}"},
}
KERNEL = {"template": "Sum up {{$input}}", "template_format": "semantic-kernel"}
BEDROCK = {
    "name": "p",
    "variants": [
        {"name": "a", "templateType": "TEXT", "templateConfiguration": {"text": {"text": "Do {{x}}"}}},
        {
            "name": "b",
            "templateConfiguration": {
                "chat": {
                    "system": [{"text": "Be brief."}],
                    "messages": [{"role": "user", "content": [{"text": "About {{y}}"}]}],
                }
            },
        },
    ],
}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (LANGCHAIN, {"template": ("Q: ", "unknown", "format")}),
        (
            FEW_SHOT,
            {
                "prefix": ("Translate.", "unknown", "format"),
                "suffix": ("Word: ", "unknown", "format"),
                "example_prompt.template": ("W: ", "unknown", "format"),
            },
        ),
        (KERNEL, {"template": ("Sum up ", "unknown", "mustache")}),
        (
            BEDROCK,
            {
                "variants[0].templateConfiguration.text.text": ("Do ", "user", "mustache"),
                "variants[1].templateConfiguration.chat.system[0].text": ("Be brief.", "system", "mustache"),
                "variants[1].templateConfiguration.chat.messages[0].content[0].text": ("About ", "user", "mustache"),
            },
        ),
        ([{"role": "system", "content": "Hi."}], {"[0].content": ("Hi.", "system", "plain")}),
        ({"user_prompt": LONG, "n": 1}, {"user_prompt": (LONG, "user", "plain")}),
        ({"reviewPrompt": LONG}, {"reviewPrompt": (LONG, "unknown", "plain")}),
        ({"system": {"instructions": LONG}}, {"system.instructions": (LONG, "system", "plain")}),
        ({"tests": [{"vars": {"prompt": LONG}}], "prompt": "short", "url_prompt": "https://" + LONG}, {}),
        ({"title": LONG, "body": LONG}, {}),
    ],
)
def test_texts_of_data_files(lay: Lay, data: object, expected: dict[str, tuple[str, str, str]]) -> None:
    found = one(lay, "prompts/p.json", json.dumps(data))
    path = "prompts/p.json::"
    assert {k.removeprefix(path): (p.static_text, p.role, p.shape) for k, p in found.items()} == expected


def test_promptfoo(lay: Lay) -> None:
    folder = lay(
        **{
            "evals/promptfooconfig.yaml": (
                f"prompts:\n  - 'Translate {{{{ text }}}} to French, in one sentence, please.'\n  - file://in.txt\n"
                f"  - id: file://gone.txt\n  - raw: {LONG}\n    label: x\ntests:\n  - vars: {{prompt: {LONG}}}\n"
            ),
            "evals/in.txt": "Read {{ text }}.",
        }
    )
    found = prompts(folder)
    assert texts(found) == {
        "evals/promptfooconfig.yaml::prompts[0]": "Translate  to French, in one sentence, please.",
        "evals/promptfooconfig.yaml::prompts[3].raw": LONG,
        "evals/in.txt": "Read .",
    }
    assert found["evals/promptfooconfig.yaml::prompts[0]"].shape == "jinja"


def test_a_place_in_a_block_scalar_is_that_of_the_file(lay: Lay) -> None:
    found = one(lay, "prompts/p.yaml", f"a:\n  prompt: >-\n    {LONG}\n    Never name\n    {{{{person}}}} twice.\n")
    prompt = found["prompts/p.yaml::a.prompt"]
    assert prompt.static_text == f"{LONG} Never name  twice."
    literal = prompt.parts[2]
    assert isinstance(literal, Literal)
    assert literal.source_map is not None
    assert prompt.location.document.position(literal.source_map[1]) == (5, 16)
    assert prompt.holes[0].location is not None
    assert prompt.holes[0].location.start == (5, 5)
    assert prompt.primary.start == (2, 3)


@pytest.mark.parametrize(
    ("path", "text", "line", "message"),
    [
        ("prompts/a.j2", "ok\n{% if x %}\n", 2, "broken Jinja template: "),
        ("prompts/a.yaml", "a: b\nprompt: [\n", 3, "invalid YAML: "),
        ("prompts/a.toml", "a = \n", 1, "invalid TOML: "),
        ("prompts/a.json", '{"a": 1,,}', 1, "invalid JSON: "),
        ("prompts/a.txt", b"ok\n\xff\xfe caf\xe9", 2, "byte 0xff is not valid UTF-8"),
        ("prompts/a.md", "Hi".encode("utf-16"), 1, "UTF-16 text; save it as UTF-8"),
        ("a.prompt", b"a\0b", 1, "null byte"),
        ("prompts/a.j2", "{% if x %}" * 5000, 1, ""),
    ],
)
def test_what_cannot_be_read_is_said_once(lay: Lay, path: str, text: str | bytes, line: int, message: str) -> None:
    found = errors(lay(**{path: text}))
    assert len(found) == 1
    assert found[0][:2] == (path, line)
    assert message in found[0][2]


def test_what_is_no_prompt_is_passed_over(lay: Lay) -> None:
    folder = lay(
        **{
            "prompts/data.json": '{"name": "x", "items": [1, 2]}',
            "prompts/empty.md": "",
            "prompts/blank.txt": " \n\n",
            "prompts/empty.yaml": "# nothing\n",
            "prompts/about_jinja.md": "Write {% if x %} without an end, and {{ y | f }}.",
            "other.yaml": "a: [",
            "page.html.j2": "{% if x %}",
        }
    )
    assert set(prompts(folder)) == {"prompts/about_jinja.md"}
    assert errors(folder) == []


def test_line_ends_and_byte_order_mark(lay: Lay) -> None:
    found = one(lay, "prompts/a.md", b"\xef\xbb\xbf---\r\na: b\r\n---\r\nOne.\r\nTwo.\r\n")
    assert texts(found) == {"prompts/a.md": "One.\nTwo.\n"}
    assert found["prompts/a.md"].primary.start == (4, 1)


def test_a_rule_between_texts_is_no_front_matter(lay: Lay) -> None:
    assert texts(one(lay, "prompts/a.md", "---\nBe kind.\n---\nMore.\n")) == {
        "prompts/a.md": "---\nBe kind.\n---\nMore.\n"
    }


def test_large_files_are_bounded(lay: Lay) -> None:
    line = "Answer {question} kindly and in short.\n"
    folder = lay(
        **{
            "prompts/a.txt": line * 30_000,
            "prompts/b.yaml": "prompt: |\n" + ("  " + line.replace("{", "").replace("}", "")) * 30_000,
            "prompts/c.json": json.dumps({"prompts": [{"prompt": f"{n} {LONG}"} for n in range(3_000)]}),
            "prompts/d.j2": line.replace("{", "{{").replace("}", "}}") * 3_000,
            "prompts/e.txt": "x" * 5_000_001,
        }
    )
    found = promptslim.inventory(["."], cwd=folder, isolated=True)
    by_id = {prompt.id: prompt for prompt in found.prompts}
    assert by_id["prompts/a.txt"].static_text == line * 30_000
    assert len(by_id["prompts/b.yaml::prompt"].static_text) == 37 * 30_000
    assert len(by_id["prompts/d.j2"].parts) == 2_001
    assert sum(key.startswith("prompts/c.json") for key in by_id) == 2_000
    assert [error.message for error in found.errors] == ["larger than 5 MB; not analysed"]
