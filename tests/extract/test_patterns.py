"""Call forms seen in public code, each written anew: what is found there, and what is left alone."""

# A sketch on one line is easier to read than a wrapped one.
# ruff: noqa: E501
from __future__ import annotations

import pytest
from project import analyse, branches, call, calls, messages, said, system_text

from promptslim.core.prompt import Hole, Literal
from promptslim.core.values import Known

BEDROCK = 'import boto3\nrt = boto3.client("bedrock-runtime")\n'
OPENAI = "from openai import OpenAI\nc = OpenAI()\n"
CLAUDE = "import anthropic\nc = anthropic.Anthropic()\n"


def order(prompt: object) -> list[str]:
    """Parts of a prompt in order: text, or the expression of a hole in braces."""
    return [part.text if isinstance(part, Literal) else "{" + part.expression + "}" for part in prompt.parts]


# 1
def test_calls_inside_other_expressions() -> None:
    found = calls(
        CLAUDE
        + """
import asyncio
from typing import cast
from openai import OpenAI
o = OpenAI()
async def run(kw, fast):
    one = await asyncio.wait_for(c.beta.messages.with_raw_response.create(**kw), 9)
    two = cast(dict, o.chat.completions.parse(model="gpt-4o", messages=[]))
    async with c.messages.stream(model="claude-sonnet-4-5", max_tokens=5, messages=[]) as three:
        pass
    return quick() if fast else c.messages.create(model="claude-sonnet-4-5", max_tokens=6, messages=[])
"""
    )
    assert [(one.sdk, said(one.max_tokens), one.opaque) for one in found] == [
        ("anthropic.messages", "unknown", True),
        ("openai.chat", "absent", False),
        ("anthropic.messages", 5, False),
        ("anthropic.messages", 6, False),
    ]


# 2
@pytest.mark.parametrize(
    "source",
    [
        "import anthropic\nclass A:\n    def __init__(self, gateway): self.gateway = gateway\n    def go(self, m): self.gateway.converse(messages=m)\n",
        "from twilio.rest import Client\nsms = Client()\nsms.messages.create(to=n, from_=f, body='hello')\n",
        "import anthropic\ndef send(sms): sms.messages.create(to=n, body='hello')\n",
        "from openai import OpenAI\nc = OpenAI()\nc.beta.threads.messages.create(thread_id=i, role='user', content='x')\n",
        "import stripe\nstripe.checkout.completions.create(amount=3)\n",
        "from our_agents import Agent\nAgent(model='gpt-4o', instructions='x')\n",
        "class Agent:\n    def __init__(self, model): self.model = model\nAgent(model='gpt-4o')\n",
    ],
)  # fmt: skip
def test_same_name_other_thing(source: str) -> None:
    assert calls(source) == ()


# 3
def test_patched_client() -> None:
    found = call("from openai import OpenAI\nfrom instructor import patch\nc = patch(OpenAI())\nc.chat.completions.create(model='gpt-4o', response_model=R, messages=[])\n")  # fmt: skip
    assert (said(found.model), found.client.constructor) == ("gpt-4o", "instructor.patch")


# 4
def test_compatible_endpoint() -> None:
    found = call("from openai import OpenAI\nOpenAI(base_url='https://llm.example/v1').chat.completions.create(model='m', messages=[])\n")  # fmt: skip
    assert said(found.client.base_url) == "https://llm.example/v1"


# 5
def test_a_name_bound_twice_on_the_way_to_the_body() -> None:
    found = call(
        BEDROCK
        + """
import json
req = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 300, "messages": []}
req = json.dumps(req)
rt.invoke_model(modelId="anthropic.claude-3-haiku-20240307-v1:0", body=req.encode())
req = {"max_tokens": 1}
"""
    )
    assert (said(found.max_tokens), found.opaque) == (300, False)


# 6
def test_a_nested_key_that_some_paths_set() -> None:
    found = call(
        BEDROCK
        + """
def ask(cap):
    p = {"modelId": "amazon.nova-lite-v1:0", "inferenceConfig": {}, "messages": []}
    if cap:
        p["inferenceConfig"]["maxTokens"] = cap
    return rt.converse(**p)
"""
    )
    assert said(found.max_tokens) == "unknown"


def test_an_update_that_is_not_visible() -> None:
    found = call(
        BEDROCK + "p = {'modelId': 'amazon.nova-lite-v1:0', 'messages': []}\np.update(extra)\nrt.converse(**p)\n"
    )
    assert (said(found.model), said(found.max_tokens), found.opaque) == ("amazon.nova-lite-v1:0", "unknown", True)


# 7
def test_constant_dict_and_local_dict() -> None:
    first, second = calls(
        OPENAI
        + """
GEN = dict(max_tokens=700)
def one(): return c.chat.completions.create(model="gpt-4o", messages=[], **GEN)
def two():
    kw: dict = {"model": "gpt-4o", "messages": []}
    return c.chat.completions.create(**kw)
"""
    )
    assert (said(first.max_tokens), first.opaque) == (700, False)
    assert (said(second.max_tokens), second.opaque, said(second.model)) == ("absent", False, "gpt-4o")


# 8
def test_typed_builder_and_dump() -> None:
    first, second = calls(
        BEDROCK
        + """
from bedrock_types import ConverseInferenceConfig
rt.converse(modelId="amazon.nova-lite-v1:0", messages=[], inferenceConfig=ConverseInferenceConfig(maxTokens=80))
def relay(request): return rt.converse(**request.model_dump())
"""
    )
    assert said(first.max_tokens) == 80
    assert (said(second.max_tokens), second.opaque) == ("unknown", True)


# 9
def test_environment_and_config() -> None:
    first, second = calls(
        OPENAI
        + """
import os
def cap(): return int(os.getenv("CAP", "500"))
c.chat.completions.create(model="gpt-4o", messages=[], max_tokens=cap())
def ask(cfg): return c.chat.completions.create(model="gpt-4o", messages=[], max_tokens=cfg.get("max_tokens", 200))
"""
    )
    assert said(first.max_tokens) == ("present", 500)
    assert said(second.max_tokens) == ("present", 200)


# 10
def test_branches_disagree() -> None:
    first, second = calls(
        """
from langchain_openai import AzureChatOpenAI, ChatOpenAI
if azure:
    m = AzureChatOpenAI(azure_deployment="gpt-4o", max_tokens=90)
else:
    m = ChatOpenAI(model="gpt-4o")
"""
    )
    assert (said(first.max_tokens), said(second.max_tokens)) == (90, "absent")


def test_one_field_with_a_value_per_branch() -> None:
    found = call(
        OPENAI
        + """
if long:
    kw = {"max_tokens": 9000}
else:
    kw = {"max_tokens": 90}
c.chat.completions.create(model="gpt-4o" if long else "gpt-4o-mini", messages=[], **kw)
"""
    )
    assert branches(found.model) == {"long": "gpt-4o", "not (long)": "gpt-4o-mini"}
    assert set(found.max_tokens.known()) in ({9000, 90}, set())


# 11
def test_the_cap_key_of_another_family_is_seen_as_written() -> None:
    found = call(
        BEDROCK
        + """
import json
rt.invoke_model(modelId="anthropic.claude-3-haiku-20240307-v1:0", body=json.dumps({"messages": [], "max_gen_len": 64}))
"""
    )
    assert said(found.max_tokens) == "absent"
    assert [(key.path, key.value) for key in found.cap_keys] == [("max_gen_len", 64)]


# 12
def test_defaults_of_wrappers() -> None:
    found = calls(
        """
from langchain_aws import ChatBedrock, ChatBedrockConverse
ChatBedrock(model="anthropic.claude-3-haiku-20240307-v1:0")
ChatBedrockConverse(model="anthropic.claude-3-haiku-20240307-v1:0")
"""
    )
    assert [said(one.max_tokens) for one in found] == [("default", 1024), "absent"]


# 13
def test_markers_by_mutation() -> None:
    direct, handed, built = calls(
        CLAUDE
        + """
def one(text):
    system = {"type": "text", "text": RULES}
    system["cache_control"] = {"type": "ephemeral"}
    return c.messages.create(model="claude-sonnet-4-5", max_tokens=5, system=[system], messages=[])
def two(turns):
    messages = [{"role": "user", "content": "hi"}]
    add_points(messages)
    return c.messages.create(model="claude-sonnet-4-5", max_tokens=5, messages=messages)
def three(self):
    return c.messages.create(model="claude-sonnet-4-5", max_tokens=5, messages=self._build())
"""
    )
    assert said(direct.cache_points) == 1
    assert said(handed.cache_points) == "unknown"
    assert said(built.cache_points) == "unknown"


# 14
def test_cached_and_uncached_branch() -> None:
    cached, plain = calls(
        CLAUDE
        + """
def ask(direct, text):
    if direct:
        system = [{"type": "text", "text": "Rules.", "cache_control": {"type": "ephemeral"}}]
        return c.messages.create(model="claude-sonnet-4-5", max_tokens=5, system=system, messages=[])
    return c.messages.create(model="claude-sonnet-4-5", max_tokens=5, system="Rules.", messages=[])
"""
    )
    assert (said(cached.cache_points), said(plain.cache_points)) == (1, 0)


# 15, 16, 18
def system_of(source: str) -> list[str]:
    found = call(
        CLAUDE + source + "\nc.messages.create(model='claude-sonnet-4-5', max_tokens=5, system=S, messages=[])\n"
    )
    (case,) = found.system
    assert isinstance(case.value, Known)
    return order(case.value.value)


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("RULES = 'Obey.'\nS = RULES + f'\\nToday: {today}'", ["Obey.", "\nToday: ", "{today}"]),
        ("T = 'Docs: {docs}\\n\\nGoal: sort.'\nS = T.format(docs=docs)", ["Docs: ", "{docs}", "\n\nGoal: sort."]),
        ("S = 'Key [KEY] opens.'.replace('[KEY]', k)", ["Key ", "{k}", " opens."]),
        ("from textwrap import dedent\nS = dedent('''\\\n    One.\n      Two.\n    ''').strip()", ["One.\n  Two."]),
        ("S = ('One. '\n     'Two.')", ["One. Two."]),
        ("S = f'plain'", ["plain"]),
        ("S = 'A.'\nS += 'B.'", ["A.", "B."]),
        ("A = 'A.'\nB = 'B.'\nS = '\\n'.join([A, B])", ["A.", "\n", "B."]),
        ("S = 'Hi %s, %d' % (name, 3)", ["Hi ", "{name}", ", ", "3"]),
        ("import string\nS = string.Template('Hi $name.').substitute(name=who)", ["Hi ", "{who}", "."]),
    ],
)
def test_text_is_kept_in_parts_and_order(source: str, parts: list[str]) -> None:
    assert system_of(source) == parts


# 17
def test_feedback_of_a_retry_stands_in_front() -> None:
    found = call(
        CLAUDE
        + """
def fix(prompt):
    for attempt in range(3):
        answer = c.messages.create(model="claude-sonnet-4-5", max_tokens=5, messages=[{"role": "user", "content": prompt}])
        try:
            return json.loads(answer)
        except ValueError as err:
            prompt = f"Fix: {err}\\n\\n{prompt}"
"""
    )
    assert found.control.loop is not None
    assert found.control.loop.attempts
    assert found.control.loop.carried


# 19
def test_joined_texts_are_one_hole() -> None:
    found = call(
        CLAUDE
        + """
docs = retriever.invoke(q)
ctx = "\\n".join(d.text for d in docs)
c.messages.create(model="claude-sonnet-4-5", max_tokens=5, messages=[{"role": "user", "content": f"Use: {ctx}"}])
"""
    )
    (prompt,) = messages(found)
    assert prompt.static_text == "Use: "
    assert prompt.holes[0].transform("join")


# 20
def test_retry_for_readiness_is_not_for_bad_format() -> None:
    facts = analyse(
        BEDROCK
        + """
import json, time
def ready(p):
    for i in range(9):
        try:
            return rt.invoke_model(modelId="m", body=json.dumps({"prompt": p}))
        except rt.exceptions.ModelNotReadyException:
            time.sleep(2)
def parsed(p):
    for i in range(3):
        try:
            return json.loads(rt.converse(modelId="m", messages=[p]))
        except json.JSONDecodeError:
            continue
"""
    )
    assert {(site.scope, site.retry.cause) for site in facts.retries} == {
        ("ready", "transport"),
        ("parsed", "malformed"),
    }


# 21
def test_indent_counts_only_inside_a_prompt() -> None:
    found = call(
        CLAUDE
        + """
import json, logging
logging.info(json.dumps(x, indent=2))
pretty = json.dumps(x, indent=2)
c.messages.create(model="claude-sonnet-4-5", max_tokens=5, messages=[{"role": "user", "content": f"Data: {pretty}"}])
"""
    )
    (prompt,) = messages(found)
    assert [hole.transform("indent") is not None for hole in prompt.holes] == [True]


# 22
def test_a_string_has_to_reach_a_call() -> None:
    facts = analyse(
        OPENAI
        + '''
CSS = """body { color: red; } You are a helpful style."""
def page():
    """You are an expert. Answer the question."""
c.chat.completions.create(model="gpt-4o", messages=[{"role": "system", "content": "Be brief."}])
'''
    )
    assert [prompt.static_text for prompt in facts.prompts] == ["Be brief."]


# 25
def test_a_remote_prompt_is_not_visible() -> None:
    found = call(
        CLAUDE
        + """
from langchain import hub
c.messages.create(model="claude-sonnet-4-5", max_tokens=5, system=hub.pull("team/rules"), messages=[])
"""
    )
    assert found.system.known() == ()


def test_wrapper_with_cap_from_config_and_marker_by_mutation() -> None:
    found = call(
        BEDROCK
        + """
RULES = "Obey."
class Client:
    def __init__(self, cfg):
        self.rt = boto3.client("bedrock-runtime")
        self.cap = cfg.get("max_tokens", 800)
    def _request(self, system, turns):
        block = {"text": system}
        req = {"modelId": "amazon.nova-lite-v1:0", "system": [block], "messages": turns}
        if self.cap:
            req["inferenceConfig"] = {"maxTokens": self.cap}
        req["system"].append({"cachePoint": {"type": "default"}})
        return req
    def ask(self, turns):
        return self.rt.converse(**self._request(RULES, turns))
"""
    )
    assert said(found.model) == "amazon.nova-lite-v1:0"
    assert said(found.max_tokens) == ("present", 800)
    assert said(found.cache_points) == 1
    assert system_text(found) == "Obey."


def test_body_in_a_loop_with_the_guide_behind_the_row() -> None:
    found = call(
        BEDROCK
        + """
import json
GUIDE = "Label it."
def label(rows):
    for row in rows:
        text = f"Row: {row}\\n\\n" + GUIDE
        body = json.dumps({"messages": [{"role": "user", "content": text}], "max_gen_len": 64})
        yield rt.invoke_model(modelId="anthropic.claude-3-haiku-20240307-v1:0", body=body)
"""
    )
    assert [key.path for key in found.cap_keys] == ["max_gen_len"]
    assert order(messages(found)[0]) == ["Row: ", "{row}", "\n\n", "Label it."]
    assert messages(found)[0].holes[0].origin == "loop"
    assert found.control.loop is not None
    assert (found.control.loop.over, found.control.loop.carried) == ("rows", False)


# False alarms of other tools
def test_a_cap_that_a_wrapper_takes_as_parameter() -> None:
    seen = call(
        OPENAI + "def ask(cap): return c.chat.completions.create(model='gpt-4o', messages=[], max_tokens=cap)\n"
    )
    known = call(
        OPENAI
        + "def ask(cap): return c.chat.completions.create(model='gpt-4o', messages=[], max_tokens=cap)\nask(40)\nask(cap=50)\n"
    )
    assert said(seen.max_tokens) == "unknown"
    assert said(known.max_tokens) == [40, 50]


def test_opaque_keywords_prove_nothing() -> None:
    found = call(OPENAI + "def ask(**kw): return c.chat.completions.create(model='gpt-4o', messages=[], **kw)\n")
    assert (said(found.max_tokens), found.opaque) == ("unknown", True)


def test_constructor_and_invoke_are_one_site() -> None:
    found = call(
        "from langchain_openai import ChatOpenAI\nm = ChatOpenAI(model='gpt-4o', max_tokens=9)\nm.invoke('hi')\n"
    )
    assert (found.kind, said(found.max_tokens)) == ("model", 9)


def test_an_id_for_the_log_is_not_in_the_prompt() -> None:
    found = call(
        CLAUDE
        + """
import uuid
run = uuid.uuid4()
print(run)
c.messages.create(model="claude-sonnet-4-5", max_tokens=5, system="Be brief.", messages=[])
"""
    )
    assert system_text(found) == "Be brief."
    (case,) = found.system
    assert case.value.value.holes == ()


def test_a_module_constant_inside_a_prompt_is_text() -> None:
    assert system_of("NAME = 'Ada'\nS = f'You are {NAME}.'") == ["You are ", "Ada", "."]


def test_sentinels_and_none_are_absent() -> None:
    found = calls(
        """
from openai import NOT_GIVEN, OpenAI
c = OpenAI()
c.chat.completions.create(model="gpt-4o", messages=[], max_tokens=None)
c.chat.completions.create(model="gpt-4o", messages=[], max_tokens=NOT_GIVEN)
"""
    )
    assert [said(one.max_tokens) for one in found] == ["absent", "absent"]


def test_a_text_that_is_not_python_is_an_error() -> None:
    facts = analyse("import boto3\nrt.converse(\n")
    assert facts.calls == ()
    assert [(error.path, error.line) for error in facts.errors] == [("app.py", 2)]


def test_holes_say_where_their_value_comes_from() -> None:
    found = call(
        CLAUDE
        + """
import datetime, os
now = datetime.datetime.now()
S = f"It is {now}. Region {os.environ['REGION']}. {input()}"
c.messages.create(model="claude-sonnet-4-5", max_tokens=5, system=S, messages=[])
"""
    )
    (case,) = found.system
    holes: tuple[Hole, ...] = case.value.value.holes
    assert [hole.origin for hole in holes] == ["clock", "environment", "argument"]
