"""Which fixes the rules on calls offer, how far they go, and where they hold back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import promptslim
from promptslim.core.finding import Finding
from promptslim.core.text import Applicability

CONVERSE = """
import boto3

client = boto3.client("bedrock-runtime")
"""
OPENAI = """
from openai import OpenAI

client = OpenAI()
"""
LONG = 'RULES = "Never quote an hour of arrival, only a date range taken from the table of the carrier. " * 200\n'


def findings(folder: Path, rule: str, text: str, **files: str) -> list[Finding]:
    (folder / "app.py").write_text(text, "utf-8")
    for name, content in files.items():
        (folder / f"{name}.py").write_text(content, "utf-8")
    result = promptslim.check(["."], cwd=folder, today=date(2026, 11, 23), select=[rule], cache=False)
    assert result.findings, "the case has a finding"
    return list(result.findings)


def written(finding: Finding) -> list[str]:
    return [edit.text for fix in finding.fixes for edit in fix.edits]


def test_a_cap_goes_where_the_call_takes_it(tmp_path: Path) -> None:
    call = 'client.converse(modelId="us.amazon.nova-lite-v1:0", messages=m)\n'
    (found,) = findings(tmp_path, "PS101", CONVERSE + call)
    (fix,) = found.fixes
    assert fix.edits[0].text == ', inferenceConfig={"maxTokens": 1024}'
    assert fix.applicability is Applicability.UNSAFE
    assert "a default" in fix.title


NO_CAP_FIX = {
    "branches": CONVERSE
    + """
def ask(m, short):
    settings = {"maxTokens": 9} if short else {"temperature": 0}
    return client.converse(modelId="us.amazon.nova-lite-v1:0", messages=m, inferenceConfig=settings)
""",
    "settings of another file": CONVERSE
    + """
from settings import INFERENCE
client.converse(modelId="us.amazon.nova-lite-v1:0", messages=m, inferenceConfig=INFERENCE)
""",
    "settings from a function": CONVERSE
    + """
def settings():
    return {"temperature": 0}

client.converse(modelId="us.amazon.nova-lite-v1:0", messages=m, inferenceConfig=settings())
""",
    "an object that needs a class": """
from agents import Agent
agent = Agent(name="a", model="gpt-4o-mini", instructions="Be brief.")
""",
}


@pytest.mark.parametrize("text", NO_CAP_FIX.values(), ids=NO_CAP_FIX.keys())
def test_no_cap_where_its_place_is_not_seen(tmp_path: Path, text: str) -> None:
    found = findings(tmp_path, "PS101", text, settings='INFERENCE = {"temperature": 0}\n')
    assert [one.fixes for one in found] == [()]


def test_a_server_that_speaks_the_protocol_gets_the_older_name(tmp_path: Path) -> None:
    text = 'from openai import OpenAI\nOpenAI(base_url="http://localhost:8000/v1").chat.completions.create('
    (found,) = findings(tmp_path, "PS101", f'{text}model="llama-3.1-8b-instruct", messages=m)\n')
    assert written(found) == [", max_tokens=1024"]
    (own,) = findings(tmp_path, "PS101", f'{OPENAI}client.chat.completions.create(model="gpt-4o", messages=m)\n')
    assert written(own) == [", max_completion_tokens=1024"]


def test_the_values_are_options(tmp_path: Path) -> None:
    (tmp_path / "promptslim.toml").write_text("[rules.missing-max-tokens]\ndefault-cap = 77\n", "utf-8")
    (found,) = findings(tmp_path, "PS101", f'{OPENAI}client.responses.create(model="gpt-4o", input="Hi there")\n')
    assert written(found) == [", max_output_tokens=77"]


def test_a_cap_is_lowered_in_the_module_that_sets_it(tmp_path: Path) -> None:
    call = 'client.converse(modelId="us.amazon.nova-lite-v1:0", messages=m, inferenceConfig={"maxTokens": CAP})\n'
    (found,) = findings(tmp_path, "PS102", f"{CONVERSE}from settings import CAP\n{call}", settings="CAP = 64_000\n")
    (fix,) = found.fixes
    (edit,) = fix.edits
    assert (edit.location.path, edit.location.text, edit.text) == ("settings.py", "64_000", "10_000")
    assert "line 1 of settings.py" in fix.title


def test_a_cap_is_not_lowered_under_its_thinking_budget(tmp_path: Path) -> None:
    text = f"""{CONVERSE}
client.converse(
    modelId="us.anthropic.claude-3-7-sonnet-20250219-v1:0",
    messages=m,
    inferenceConfig={{"maxTokens": 64000}},
    additionalModelRequestFields={{"thinking": {{"type": "enabled", "budget_tokens": 20000}}}},
)
"""
    (found,) = findings(tmp_path, "PS102", text)
    assert found.fixes == ()


def test_two_caps_under_wrong_keys_are_left_to_a_person(tmp_path: Path) -> None:
    call = 'client.converse(modelId="us.amazon.nova-lite-v1:0", messages=m, maxTokens=9, max_tokens=9)\n'
    (found,) = findings(tmp_path, "PS104", CONVERSE + call)
    assert found.fixes == ()


def test_a_growing_conversation_is_for_a_person(tmp_path: Path) -> None:
    text = """
import anthropic

client = anthropic.Anthropic()


def run(messages, toolbox):
    while True:
        reply = client.messages.create(
            model="claude-sonnet-4-5", max_tokens=4096, system=toolbox.text(), tools=toolbox.all(), messages=messages
        )
        messages.append({"role": "assistant", "content": reply.content})
        results = [toolbox.run(block) for block in reply.content if block.type == "tool_use"]
        if not results:
            return messages
        messages.append({"role": "user", "content": results})
"""
    (found,) = findings(tmp_path, "PS301", text)
    (fix,) = found.fixes
    assert fix.applicability is Applicability.DISPLAY
    assert "cache_control" in fix.edits[0].text


NO_MARKER = {
    "a list that grows": 'blocks = [{"type": "text", "text": RULES}]\n    blocks.append(more)',
    "a parameter": "",
}


@pytest.mark.parametrize("setup", NO_MARKER.values(), ids=NO_MARKER.keys())
def test_no_marker_where_the_blocks_are_not_seen(tmp_path: Path, setup: str) -> None:
    text = f"""
import anthropic

client = anthropic.Anthropic()
{LONG}

def label(rows, more, blocks=RULES):
    {setup or "pass"}
    for row in rows:
        client.messages.create(
            model="claude-sonnet-4-5", max_tokens=9, system=blocks, messages=[{{"role": "user", "content": row}}]
        )
"""
    (tmp_path / "app.py").write_text(text, "utf-8")
    result = promptslim.check(["."], cwd=tmp_path, select=["PS301"], cache=False)
    assert all(one.fixes == () for one in result.findings)


def test_an_imported_text_becomes_a_block_where_it_is_sent(tmp_path: Path) -> None:
    text = """
import anthropic
from prompts import RULES

client = anthropic.Anthropic()


def label(rows):
    for row in rows:
        client.messages.create(
            model="claude-sonnet-4-5", max_tokens=9, system=RULES, messages=[{"role": "user", "content": row}]
        )
"""
    rules = "Never quote an hour of arrival, only a date range taken from the table of the carrier. " * 120
    (found,) = findings(tmp_path, "PS301", text, prompts=f'RULES = "{rules}"\n')
    assert written(found) == ['[{"type": "text", "text": ', ', "cache_control": {"type": "ephemeral"}}]']
    (listed,) = findings(tmp_path, "PS301", text, prompts=f'RULES = [{{"type": "text", "text": "{rules}"}}]\n')
    assert listed.fixes == ()


def test_a_successor_is_shown_with_what_a_swap_breaks(tmp_path: Path) -> None:
    text = f'{CONVERSE}client.converse(modelId="us.anthropic.claude-opus-4-1-20250805-v1:0", messages=m)\n'
    (found,) = findings(tmp_path, "PS502", text)
    (fix,) = found.fixes
    assert fix.applicability is Applicability.DISPLAY
    assert written(found) == ['"us.anthropic.claude-opus-5-5"']
    for trap in ("prefill", "budget_tokens", "30 % more tokens", "test it"):
        assert trap in fix.title
    bare = f'{CONVERSE}client.converse(modelId="anthropic.claude-3-haiku-20240307-v1:0", messages=m)\n'
    (other,) = findings(tmp_path, "PS502", bare)
    assert written(other) == ['"global.anthropic.claude-haiku-5-5"']
    assert "any region" in other.fixes[0].title


def test_labels_name_the_boto3_that_they_need(tmp_path: Path) -> None:
    text = f'{CONVERSE}def ask(m):\n    client.converse(modelId="us.amazon.nova-lite-v1:0", messages=m)\n'
    (found,) = findings(tmp_path, "PS601", text)
    assert "boto3 1.35.74" in found.fixes[0].title
    assert written(found) == [', requestMetadata={"feature": "app.ask"}']
    body = 'import json\nclient.invoke_model(modelId="us.amazon.nova-lite-v1:0", body=json.dumps({"messages": m}))\n'
    (both,) = findings(tmp_path, "PS601", text + body)
    assert "2 of 2 calls" in both.fixes[0].title
    assert "boto3 1.43.12" in both.fixes[0].title
    assert """, requestMetadata='{"feature": "app"}'""" in written(both)
