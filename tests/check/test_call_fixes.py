"""Which fixes the rules on calls offer, how far they go, and where they hold back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import promptslim
from promptslim.core.finding import Finding
from promptslim.core.text import Applicability
from promptslim.edits.apply import edited

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


def fixed(folder: Path, finding: Finding) -> str:
    """The file after the finding's first fix."""
    return edited((folder / "app.py").read_text("utf-8"), finding.fixes[0].edits)


def test_a_cap_goes_where_the_call_takes_it(tmp_path: Path) -> None:
    call = "client.converse(modelId=NOVA, messages=m)\n"
    (found,) = findings(tmp_path, "PS101", f'{CONVERSE}NOVA = "us.amazon.nova-lite-v1:0"\n{call}')
    (fix,) = found.fixes
    assert fix.edits[0].text == ', inferenceConfig={"maxTokens": 4096}'
    assert fix.applicability is Applicability.UNSAFE
    assert "a default" in fix.title


OWN_NAME_ONLY = {
    "agno sends the name as it stands": (
        'from agno.models.openai import OpenAIChat\nmodel = OpenAIChat(id="gpt-5")\n',
        "max_completion_tokens=16000",
    ),
    "agno and a model that takes both": (
        'from agno.models.openai import OpenAIChat\nmodel = OpenAIChat(id="gpt-4o")\n',
        "max_tokens=4096",
    ),
    "one of two models refuses the older name": (
        """
def ask(client, fast):
    model = "gpt-4o" if fast else "o3"
    return client.chat.completions.create(model=model, messages=m)
""",
        "max_completion_tokens=16000",
    ),
    "the branch for models that reason": (
        """
def ask(client, model):
    if "o1" in model or "o3" in model:
        return client.chat.completions.create(model=model, messages=m)
""",
        "max_completion_tokens=16000",
    ),
    "the branch for all others": (
        """
def ask(client, model):
    if "o1" in model:
        return None
    else:
        return client.chat.completions.create(model=model, messages=m)
""",
        "max_tokens=4096",
    ),
    "a branch that keeps them out": (
        """
def ask(client, model):
    if "o1" not in model:
        return client.chat.completions.create(model=model, messages=m)
""",
        "max_tokens=4096",
    ),
    "the class of an older LangChain": (
        'from langchain.chat_models import ChatOpenAI\nllm = ChatOpenAI(model_name="gpt-4o")\n',
        "max_tokens=4096",
    ),
}


@pytest.mark.parametrize(("text", "cap"), OWN_NAME_ONLY.values(), ids=OWN_NAME_ONLY.keys())
def test_a_cap_has_the_name_that_the_model_takes(tmp_path: Path, text: str, cap: str) -> None:
    (found,) = findings(tmp_path, "PS101", text)
    assert "".join(written(found)).strip(" ,\n") == cap


def test_no_cap_is_raised_above_what_the_model_may_refuse(tmp_path: Path) -> None:
    prompt = 'prompt = question + " could you write a text about this using 10000 words?"\n'
    call = 'openai.Completion.create(engine="text-davinci-003", prompt=prompt, max_tokens=2000)\n'
    (found,) = findings(tmp_path, "PS103", f"import openai\n{prompt}{call}")
    assert found.fixes == ()


def test_a_cap_of_one_token_is_meant(tmp_path: Path) -> None:
    call = 'client.chat.completions.create(model="o3", messages=m, max_completion_tokens={})\n'
    (tmp_path / "app.py").write_text(OPENAI + call.format(1), "utf-8")
    assert not promptslim.check(["."], cwd=tmp_path, select=["PS103"], cache=False).findings
    assert len(findings(tmp_path, "PS103", OPENAI + call.format(50))) == 1


def test_a_label_of_strands_stands_where_it_reaches_the_request(tmp_path: Path) -> None:
    text = """
from strands.models import BedrockModel
m = BedrockModel(model_id="us.amazon.nova-lite-v1:0", max_tokens=300)
"""
    (found,) = findings(tmp_path, "PS601", text)
    assert 'additional_args={"requestMetadata": {"feature": "app"}}' in fixed(tmp_path, found)
    (tmp_path / "app.py").write_text(fixed(tmp_path, found), "utf-8")
    assert not promptslim.check(["."], cwd=tmp_path, select=["PS601"], cache=False).findings
    (tmp_path / "app.py").write_text(text.replace("max_tokens=300", "additional_args=settings()"), "utf-8")
    assert not promptslim.check(["."], cwd=tmp_path, select=["PS601"], cache=False).findings


ORDERED = {
    "a text that points at another": (['f"Now: {stamp}"', '"The time is given above. " + RULES'], True),
    "a heading": (['"Data:"', "stamp", "RULES"], True),
    "a tag around the value": (['"<time>"', "stamp", '"</time>"', "RULES"], True),
    "texts that stand for themselves": (['f"Now: {stamp}"', "RULES"], False),
}


@pytest.mark.parametrize(("texts", "ordered"), ORDERED.values(), ids=ORDERED.keys())
def test_no_block_moves_where_a_text_says_something_about_the_order(
    tmp_path: Path, texts: list[str], *, ordered: bool
) -> None:
    rules = "".join(f"Rule {n}: the desk of gate {n} asks for the label, then weighs the parcel.\\n" for n in range(60))
    blocks = ", ".join(f'{{"type": "text", "text": {text}}}' for text in texts)
    text = f"""
from datetime import datetime
import anthropic
RULES = "{rules}"
client = anthropic.Anthropic()
def ask(q):
    stamp = datetime.now().isoformat()
    blocks = [{blocks}]
    return client.messages.create(model=M, max_tokens=9, system=blocks, messages=[{{"role": "user", "content": q}}])
"""
    (found,) = findings(tmp_path, "PS302", text)
    assert (found.fixes == ()) is ordered


NO_CAP_FIX = {
    "an object whose class cannot be imported under its name": """
from agents import Agent
class ModelSettings: ...
agent = Agent(name="a", model="gpt-4o-mini", instructions="Be brief.")
""",
    "agents of the project's own": """
from agents.agent import Agent
agent = Agent(name="a", model="gpt-4o-mini", instructions="Be brief.")
""",
}


@pytest.mark.parametrize("text", NO_CAP_FIX.values(), ids=NO_CAP_FIX.keys())
def test_no_cap_where_its_place_is_not_seen(tmp_path: Path, text: str) -> None:
    found = findings(tmp_path, "PS101", text, settings='INFERENCE = {"temperature": 0}\n')
    assert [one.fixes for one in found] == [()]


def test_a_server_that_speaks_the_protocol_gets_the_older_name(tmp_path: Path) -> None:
    text = 'from openai import OpenAI\nhere = OpenAI(base_url="http://localhost:8000/v1")\n'
    call = "chat.completions.create(model=MODEL, messages=m)\n"
    (found,) = findings(tmp_path, "PS101", f'{text}MODEL = "llama-3.1-8b-instruct"\nhere.{call}')
    assert written(found) == [", max_tokens=4096"]
    (own,) = findings(tmp_path, "PS101", f'{OPENAI}MODEL = "gpt-4o"\nclient.{call}')
    assert written(own) == [", max_completion_tokens=4096"]


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
    assert '        requestMetadata={"feature": "app.ask"},\n' in fixed(tmp_path, found)
    body = 'import json\nclient.invoke_model(modelId="us.amazon.nova-lite-v1:0", body=json.dumps({"messages": m}))\n'
    (both,) = findings(tmp_path, "PS601", text + body)
    assert "2 of 2 calls" in both.fixes[0].title
    assert "boto3 1.43.12" in both.fixes[0].title
    assert """requestMetadata='{"feature": "app"}',\n""" in fixed(tmp_path, both)


WIDE = {
    "one line": (
        """
def ask(m):
    return client.converse(modelId="amazon.nova-lite-v1:0", messages=m)["output"]
""",
        """
def ask(m):
    return client.converse(
        modelId="amazon.nova-lite-v1:0", messages=m, inferenceConfig={"maxTokens": 4096}
    )["output"]
""",
    ),
    "too long for one line": (
        """
def ask(m):
    return client.converse(modelId='amazon.nova-lite-v1:0', messages=[{'role': 'user', 'content': m}, a])
""",
        """
def ask(m):
    return client.converse(
        modelId='amazon.nova-lite-v1:0',
        messages=[{'role': 'user', 'content': m}, a],
        inferenceConfig={'maxTokens': 4096},
    )
""",
    ),
    "a line of its own": (
        """
answer = client.converse(
\tmodelId='amazon.nova-lite-v1:0', messages=[{'role': 'user', 'content': a_text}]
)
""",
        """
answer = client.converse(
\tmodelId='amazon.nova-lite-v1:0', messages=[{'role': 'user', 'content': a_text}],
\tinferenceConfig={'maxTokens': 4096}
)
""",
    ),
    "a remark for the line": (
        """
ask = client.converse(modelId='amazon.nova-lite-v1:0', messages=[{}])  # noqa: S1
""",
        """
ask = client.converse(modelId='amazon.nova-lite-v1:0', messages=[{}], inferenceConfig={'maxTokens': 4096})  # noqa: S1
""",
    ),
}


@pytest.mark.parametrize(("before", "after"), WIDE.values(), ids=WIDE.keys())
def test_a_line_keeps_to_the_width_of_the_file(tmp_path: Path, before: str, after: str) -> None:
    (found,) = findings(tmp_path, "PS101", CONVERSE + before)
    assert fixed(tmp_path, found) == CONVERSE + after


THINKERS = ["gemini/gemini-3-flash-preview", "openai/gpt-oss-20b", "deepseek/deepseek-r1", "o3-mini", "xai/grok-4"]


@pytest.mark.parametrize("model", THINKERS)
def test_models_that_reason_get_room_for_it(tmp_path: Path, model: str) -> None:
    text = f'from litellm import completion\nMODEL = "{model}"\ncompletion(model=MODEL, messages=m)\n'
    (found,) = findings(tmp_path, "PS101", text)
    assert int(found.fixes[0].edits[0].text.rpartition("=")[2]) >= 8000


def test_a_cap_leaves_room_for_the_input(tmp_path: Path) -> None:
    text = f'{OPENAI}client.chat.completions.create(model="gpt-4", messages=m)\n'
    (found,) = findings(tmp_path, "PS101", text)
    assert "quarter of the model's context" in found.fixes[0].title
    assert written(found) == [", max_completion_tokens=2048"]


LANGCHAIN = {
    "ChatOpenAI beside its kwargs": (
        """
from langchain_openai import ChatOpenAI
m = ChatOpenAI(model="gpt-4o", model_kwargs={"seed": 3})
""",
        ", max_completion_tokens=4096",
    ),
    "ChatBedrock in its kwargs": (
        """
from langchain_aws import ChatBedrock
NOVA = "us.amazon.nova-pro-v1:0"
m = ChatBedrock(model_id=NOVA, model_kwargs={"temperature": 0})
""",
        ', "max_tokens": 4096',
    ),
    "Bedrock of langchain-community": (
        """
from langchain.llms.bedrock import Bedrock
TITAN = "amazon.titan-text-express-v1"
m = Bedrock(model_id=TITAN)
""",
        ', model_kwargs={"maxTokenCount": 3072}',
    ),
}


@pytest.mark.parametrize(("text", "edit"), LANGCHAIN.values(), ids=LANGCHAIN.keys())
def test_langchain_takes_the_cap_where_its_class_does(tmp_path: Path, text: str, edit: str) -> None:
    (found,) = findings(tmp_path, "PS101", text)
    assert written(found) == [edit]


BRANCHES = {
    "a name": (
        """
def ask(m, short):
    if short:
        settings = {"maxTokens": 9}
    else:
        settings = {"temperature": 0}
    return client.converse(modelId="us.amazon.nova-lite-v1:0", messages=m, inferenceConfig=settings)
""",
        '{"temperature": 0, "maxTokens": 4096}',
    ),
    "a choice": (
        """
def ask(m, short):
    settings = {"maxTokens": 9} if short else {}
    return client.converse(modelId="us.amazon.nova-lite-v1:0", messages=m, inferenceConfig=settings)
""",
        'if short else {"maxTokens": 4096}',
    ),
}


@pytest.mark.parametrize(("text", "written"), BRANCHES.values(), ids=BRANCHES.keys())
def test_the_branch_without_a_cap_gets_one(tmp_path: Path, text: str, written: str) -> None:
    (found,) = findings(tmp_path, "PS101", CONVERSE + text)
    after = fixed(tmp_path, found)
    assert written in after
    assert after.count("maxTokens") == 2
    (tmp_path / "app.py").write_text(after, "utf-8")
    assert not promptslim.check(["."], cwd=tmp_path, select=["PS101"], cache=False).findings


def test_settings_that_are_filled_later_are_left_alone(tmp_path: Path) -> None:
    text = """
def ask(m, short, cap):
    settings = {"maxTokens": 9} if short else {"temperature": 0}
    if cap:
        settings["topP"] = 1
    return client.converse(modelId="us.amazon.nova-lite-v1:0", messages=m, inferenceConfig=settings)
"""
    (found,) = findings(tmp_path, "PS101", CONVERSE + text)
    assert found.fixes == ()


ELSEWHERE = {
    "another file": "from settings import I\nclient.converse(modelId=N, messages=m, inferenceConfig=I)\n",
    "a function": """
def settings():
    return {"temperature": 0}

client.converse(modelId=N, messages=m, inferenceConfig=settings())
""",
}


@pytest.mark.parametrize("text", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_settings_from_elsewhere_are_joined_with_a_cap(tmp_path: Path, text: str) -> None:
    head = f'{CONVERSE}N = "us.amazon.nova-lite-v1:0"\n'
    (found,) = findings(tmp_path, "PS101", head + text, settings='I = {"temperature": 0}\n')
    after = fixed(tmp_path, found)
    assert after.endswith(', "maxTokens": 4096})\n')
    assert "inferenceConfig={**" in after
    (tmp_path / "app.py").write_text(after, "utf-8")
    assert not promptslim.check(["."], cwd=tmp_path, select=["PS101"], cache=False).findings


def test_contents_may_stand_in_their_position(tmp_path: Path) -> None:
    head = "import google.generativeai as genai\n"
    text = head + "model = genai.GenerativeModel('gemini-1.5-flash'{})\nmodel.generate_content(m)\n"
    (found,) = findings(tmp_path, "PS101", text.format(""))
    assert written(found) == [", generation_config={'max_output_tokens': 4096}"]
    (other,) = findings(tmp_path, "PS101", text.format(", generation_config={'temperature': 0}"))
    assert other.fixes == ()


BODIES = {
    "out of settings": ("us.anthropic.claude-haiku-4-5", '"inferenceConfig": {"maxTokens": 300}', '"max_tokens": 300'),
    "into others": (
        "us.amazon.nova-lite-v1:0",
        '"textGenerationConfig": {"maxTokenCount": 300}',
        '"inferenceConfig": {"maxTokens": 300}',
    ),
    "beside others": ("us.anthropic.claude-haiku-4-5", '"inferenceConfig": {"maxTokens": 300, "topP": 1}', None),
    "with a remark": ("us.anthropic.claude-haiku-4-5", '"inferenceConfig": {\n    "maxTokens": 300  # few\n}', None),
}


@pytest.mark.parametrize(("model", "before", "after"), BODIES.values(), ids=BODIES.keys())
def test_a_cap_in_the_settings_of_another_family(tmp_path: Path, model: str, before: str, after: str | None) -> None:
    text = f'{CONVERSE}import json\nbody = json.dumps({{"messages": m, {before}}})\n'
    text += f'client.invoke_model(modelId="{model}", body=body)\n'
    (found,) = findings(tmp_path, "PS104", text)
    assert (fixed(tmp_path, found) if found.fixes else None) == (after and text.replace(before, after))


def test_a_cap_goes_from_the_call_into_its_settings(tmp_path: Path) -> None:
    before = 'client.converse(\n    modelId=NOVA,\n    max_tokens=9,\n    inferenceConfig={"topP": 1},\n)\n'
    head = f'{CONVERSE}NOVA = "amazon.nova-lite-v1:0"\n'
    (found,) = findings(tmp_path, "PS104", head + before)
    after = before.replace("    max_tokens=9,\n", "").replace("1}", '1, "maxTokens": 9}')
    assert fixed(tmp_path, found) == head + after


def test_a_text_that_is_put_together_becomes_a_block(tmp_path: Path) -> None:
    text = f"""
from strands import Agent, tool
{LONG}

@tool
def order(number: str) -> str:
    return number


def agent(more):
    prompt = RULES + "Be kind."
    if more:
        prompt += more
    return Agent(
        model="us.anthropic.claude-sonnet-4-20250514-v1:0",
        tools=[order],
        system_prompt=prompt,
    )
"""
    (found,) = findings(tmp_path, "PS301", text)
    assert 'system_prompt=[{"text": prompt}, {"cachePoint": {"type": "default"}}],' in fixed(tmp_path, found)
    assert "strands-agents 1.15" in found.fixes[0].title


def test_an_agent_without_a_model_gets_the_one_that_strands_makes(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "PS101", "from strands import Agent\n\nagent = Agent(system_prompt=rules)\n")
    assert fixed(tmp_path, found) == (
        "from strands import Agent\nfrom strands.models import BedrockModel\n\n"
        "agent = Agent(system_prompt=rules, model=BedrockModel(max_tokens=4096))\n"
    )
