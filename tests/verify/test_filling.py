"""What a model is sent: prompts of every kind, filled, with what their call sends beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.pipeline import run as pipeline
from promptslim.verify.compared import Chosen, Prompts
from promptslim.verify.filling import FillingError, cached_for, filled_prompt, needed, sent, tools_of
from promptslim.verify.request import Message, Tool
from promptslim.verify.suite import Suite

CODE = """import boto3

client = boto3.client("bedrock-runtime")
STYLE = "Answer in one word."
TASK = "Name the sentiment of {review} in {self.language}.\\n"


class Rater:
    def ask(self, review):
        return client.converse(
            modelId="amazon.nova-lite-v1:0",
            system=[{"text": STYLE}, {"cachePoint": {"type": "default"}}],
            messages=[{"role": "user", "content": [{"text": f"Name the sentiment of {review} in {self.language}."}]}],
            toolConfig={"tools": [{"toolSpec": {"name": "rate", "description": "Rates.",
                "inputSchema": {"json": {"type": "object"}}}}]},
        )
"""


def prompts(folder: Path, files: dict[str, str], names: tuple[str, ...]) -> Prompts:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    run = pipeline.analyse(["."], pipeline.place_of(folder, True, {"cache": False}))
    suite = Suite("suite.yaml", names, (), ())
    return Prompts(suite, lambda path: (folder / path).read_bytes() if (folder / path).is_file() else None, run)


def test_a_call_is_sent_whole_with_the_prompt_in_its_place(tmp_path: Path) -> None:
    known = prompts(tmp_path, {"app.py": CODE, "new.txt": "Be brief."}, ("app.py::STYLE", "file://new.txt"))
    found = known.compared(Chosen(), lambda prompt: prompt)
    (call,) = found.calls
    values = {"review": "A {{language}} film", "language": "French"}
    user = (Message("user", "Name the sentiment of A {{language}} film in French."),)
    assert sent(found.before, found.before, call, values).system == "Answer in one word."
    new = sent(found.after, found.before, call, values)
    assert (new.system, new.messages) == ("Be brief.", user), "values are not looked at again"
    assert needed(found.before, call) == ("review", "language")
    assert tools_of(call) == ((Tool("rate", {"type": "object"}, "Rates."),), True)
    assert cached_for(call) == "5m"
    with pytest.raises(
        FillingError, match="has the hole 'language', which no variable of the test fills; it has review"
    ):
        sent(found.before, found.before, call, {"review": "x"})


def test_a_message_goes_with_the_system_prompt_of_its_call(tmp_path: Path) -> None:
    message = "app.py::Rater.ask:converse:messages[0]"
    known = prompts(
        tmp_path, {"app.py": CODE, "new.txt": "Sentiment of {review}, {language}?"}, (message, "file://new.txt")
    )
    found = known.compared(Chosen(), lambda prompt: prompt)
    new = sent(found.after, found.before, found.calls[0], {"review": "it", "language": "Dutch"})
    assert new.system == "Answer in one word."
    assert new.messages == (Message("user", "Sentiment of it, Dutch?"),)


@pytest.mark.parametrize(
    ("name", "text", "values", "filled"),
    [
        ("a.txt", "Rate {{review}}: {{ review }}", {"review": "{x}"}, "Rate {x}: {x}"),
        ("a.txt", 'Rate {review} as {{"n": 1}}', {"review": "ok"}, 'Rate ok as {"n": 1}'),
        ("a.j2", "{% for r in rows %}{{ r.name|upper }};{% endfor %}", {"rows": [{"name": "a"}]}, "A;"),
        ("a.j2", "{% if hard %}Think.{% endif %} Go.\n", {"hard": False}, " Go.\n"),
        ("a.txt", "Data: {{rows}}", {"rows": [1, {"a": "é"}]}, 'Data: [1, {"a": "é"}]'),
        ("a.txt", "No holes, 100 %", {}, "No holes, 100 %"),
    ],
)
def test_files(tmp_path: Path, name: str, text: str, values: dict[str, object], filled: str) -> None:
    prompt = prompts(tmp_path, {name: text}, (f"file://{name}",)).named(f"file://{name}", 1)
    assert filled_prompt(prompt, values) == filled


@pytest.mark.parametrize(
    "text",
    [
        "{% if x %}{{ y }}{% endif %}",
        "{% if 1 %}{{ ''.__class__.__mro__ }}{% endif %}",
        "{% if 1 %}{{ 1/0 }}{% endif %}",
    ],
)
def test_a_template_that_cannot_be_filled_is_one_line(tmp_path: Path, text: str) -> None:
    prompt = prompts(tmp_path, {"a.j2": text}, ("file://a.j2",)).named("file://a.j2", 1)
    with pytest.raises(FillingError) as error:
        filled_prompt(prompt, {"x": True})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "tag", ['{% include "rules.j2" %}', '{% extends "rules.j2" %}', '{% from "rules.j2" import a %}']
)
def test_a_template_of_several_files_is_refused(tmp_path: Path, tag: str) -> None:
    """A proof would not notice a change of the other file."""
    files = {"a.j2": f"{tag}\nGo. {{{{ x }}}}", "rules.j2": "Be brief."}
    prompt = prompts(tmp_path, files, ("file://a.j2",)).named("file://a.j2", 1)
    with pytest.raises(FillingError, match=r"takes in rules\.j2, .* put its text into the template"):
        filled_prompt(prompt, {"x": True})


@given(st.dictionaries(st.sampled_from(["input", "prompt", "question", "other"]), st.text(), min_size=1))
def test_what_the_user_says_beside_a_lone_system_prompt(values: dict[str, str]) -> None:
    from promptslim.core.prompt import Literal, Prompt
    from promptslim.core.text import Document, Location, Span

    place = Location(Document("system.txt", "Be kind."), Span(0, 8))
    prompt = Prompt("system.txt", "system", (Literal("Be kind."),), place, place, shape="plain")
    said = next((values[name] for name in ("input", "prompt", "question") if name in values), None)
    if said is None:
        with pytest.raises(FillingError, match="give the test a variable 'input'"):
            sent(prompt, prompt, None, values)
    else:
        assert sent(prompt, prompt, None, values).messages == (Message("user", said),)


def test_a_conversation_goes_as_it_is(tmp_path: Path) -> None:
    prompt = prompts(tmp_path, {"system.txt": "Be kind."}, ("file://system.txt",)).named("file://system.txt", 1)
    turns = [
        {"role": "system", "content": "old"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    found = sent(prompt, prompt, None, {"messages": turns, "input": "c"})
    assert found.system == "Be kind."
    assert [one.text for one in found.messages] == ["a", "b", "c"]


CHAT = '[{"role": "system", "content": "Be {{x}}"}, {"role": "user", "content": [{"type": "text", "text": "{{q}}"}]}]'


def test_a_conversation_in_json_is_sent_as_one(tmp_path: Path) -> None:
    known = prompts(tmp_path, {}, (CHAT, CHAT.replace("Be", "Do be")))
    found = known.compared(Chosen(), lambda prompt: prompt)
    values = {"x": 'kind "and"\nwarm', "q": "why\\?"}
    assert sent(found.before, found.before, None, values).system == 'Be kind "and"\nwarm'
    assert sent(found.after, found.before, None, values).messages == (Message("user", "why\\?"),)
    for wrong, said in (
        (CHAT.replace("[{", "[{,", 1), "is not JSON when it is filled"),
        (CHAT.replace("user", "tool"), "a turn that is no text"),
        (CHAT.replace('"text": "{{q}}"', '"image": "{{q}}"'), "content that is no text"),
    ):
        other = prompts(tmp_path, {}, (wrong, CHAT)).compared(Chosen(), lambda prompt: prompt).before
        with pytest.raises(FillingError, match=said):
            sent(other, other, None, values)


HISTORY = """import boto3

client = boto3.client("bedrock-runtime")


def chat(history):
    return client.converse(
        modelId="amazon.nova-lite-v1:0", messages=history, system=[{"text": "You are a travel agent, friendly, brief."}]
    )
"""


def test_turns_that_the_program_hands_on(tmp_path: Path) -> None:
    known = prompts(tmp_path, {"app.py": HISTORY, "new.txt": "Be a travel agent."}, ("x",))
    found = known.compared(Chosen("app.py::chat:converse:system", "file://new.txt"), lambda prompt: prompt)
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "?"},
    ]
    told = sent(found.after, found.before, found.calls[0], {"history": turns})
    assert told.system == "Be a travel agent."
    assert [(one.role, one.text) for one in told.messages] == [("user", "Hi"), ("assistant", "Hello"), ("user", "?")]
