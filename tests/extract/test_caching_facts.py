"""What a call says about caching around it, about a growing conversation, and about unstable order."""

from __future__ import annotations

import textwrap

import pytest
from project import analyse, calls, system_text

from promptslim.core.call import LlmCall
from promptslim.core.values import Absent, Known, Unknown

CLAUDE = "import anthropic\nc = anthropic.Anthropic()\n"
PLAIN = 'c.messages.create(model="claude-sonnet-4-5", max_tokens=5, messages=messages)'


def found(source: str) -> list[LlmCall]:
    return list(calls(CLAUDE + textwrap.dedent(source)))


def marker(one: LlmCall) -> object:
    value = one.caching.only
    return value.value if isinstance(value, Known) else value


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        ("", Absent()),
        ('# cache_control would help here\n"""cache_control"""\n', Absent()),
        ('def mark(block):\n    block["cache_control"] = {"type": "ephemeral"}\n', "cache_control"),
        ("def mark(messages):\n    return add_cache_point(messages)\n", "cache_point"),
        ("x = make(cache_prompt='default')\n", "cache_prompt"),
        ("x = make(cache_prompt=None, prompt_caching=False)\n", Absent()),
        ("print(reply.usage.cache_read_input_tokens)\n", Absent()),
    ],
)
def test_markers_of_the_module_count_and_mentions_do_not(around: str, expected: object) -> None:
    (one,) = found(f"{around}{PLAIN}\n")
    assert marker(one) == expected


def test_a_setting_of_the_call_itself() -> None:
    (switched,) = found(
        'c.messages.create(model="claude-sonnet-4-5", max_tokens=5, messages=[], cache_control={"type": "ephemeral"})'
    )
    (off,) = found('c.messages.create(model="claude-sonnet-4-5", max_tokens=5, messages=[], cache_control=None)')
    assert marker(switched) == "cache_control"
    assert marker(off) == Absent()


def request(messages: str, control: str = '{"type": "ephemeral", "ttl": "1h"}') -> LlmCall:
    (one,) = found(
        f'c.messages.create(model="m", max_tokens=5, system="Hi", messages={messages}, cache_control={control})'
    )
    return one


def test_the_marker_of_a_whole_request_has_its_lifetime_and_place() -> None:
    one = request('[{"role": "user", "content": "Go"}]')
    assert one.automatic is not None
    assert (one.automatic.key, one.automatic.ttl, one.automatic.known) == ("cache_control", "1h", True)
    assert one.automatic.location is not None
    assert one.automatic.location.text == "cache_control"


@pytest.mark.parametrize(
    ("messages", "control"),
    [
        ("turns", '{"type": "ephemeral"}'),
        ('[{"role": "user", "content": blocks}]', '{"type": "ephemeral"}'),
        ('[*turns, {"role": "user", "content": "Go"}]', '{"type": "ephemeral"}'),
        ('[{"role": "user", "content": "Go"}]', '{"type": "ephemeral"} if long else None'),
    ],
)
def test_the_marker_of_a_whole_request_is_not_sure_of_what_cannot_be_seen(messages: str, control: str) -> None:
    one = request(messages, control)
    assert one.automatic is not None
    assert not one.automatic.known


@pytest.mark.parametrize("control", ["None", "anthropic.NOT_GIVEN", "control"])
def test_no_marker_of_a_whole_request(control: str) -> None:
    assert request('[{"role": "user", "content": "Go"}]', control).automatic is None


MARKED = '[{"type": "text", "text": "Rules.", "cache_control": {"type": "ephemeral"}}]'
TURN = '{"role": "user", "content": row}'
PARAMS = f'{{"model": "claude-sonnet-4-5", "max_tokens": 5, "system": {MARKED}, "messages": [{TURN}]}}'


@pytest.mark.parametrize(
    "record",
    [
        f'records.append({{"custom_id": str(row), "params": {PARAMS}}})',
        f"records = [dict(custom_id=str(row), params={PARAMS}) for row in rows]",
        f"params = {PARAMS}\n    records = [Request(custom_id=str(row), params=Params(**params))]",
    ],
)
def test_records_of_a_batch_have_their_texts_and_model(record: str) -> None:
    facts = analyse(
        f"{CLAUDE}from anthropic.types.messages import Request, Params\n\ndef send(rows, row, records):\n    {record}\n"
    )
    (one,) = facts.batches
    assert not facts.calls
    assert one.model.known() == ("claude-sonnet-4-5",)
    assert one.cache_points.known() == (1,)
    assert system_text(one) == "Rules."
    assert one.scope == "send"


@pytest.mark.parametrize(
    "record",
    [
        '{"custom_id": "1", "params": {"model": "m", "messages": [{"role": "user", "content": "cache_control"}]}}',
        f'{{"custom_id": "1", "body": {PARAMS}}}',
        f'{{"id": "1", "params": {PARAMS}}}',
        '{"custom_id": "1", "params": params}',
    ],
)
def test_what_is_no_record_with_a_marker(record: str) -> None:
    assert not analyse(f"{CLAUDE}def send(row, params):\n    return {record}\n").batches


def test_providers_that_cache_by_themselves_are_not_looked_at() -> None:
    (one,) = calls('from openai import OpenAI\no = OpenAI()\no.chat.completions.create(model="gpt-4.1", messages=[])\n')
    assert isinstance(one.caching.only, Unknown)


def test_a_marker_in_the_other_arm_and_one_behind_a_flag_do_not_reach_the_call() -> None:
    marked, plain = found(
        """
        def run(messages, direct):
            flags = []
            if direct:
                flags.append("caching")
                system = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
            if flags:
                return c.beta.messages.create(model="m", max_tokens=5, messages=messages)
            else:
                return c.messages.create(model="m", max_tokens=5, messages=messages)
        """
    )
    assert marker(marked) == "cache_control"
    assert marker(plain) == Absent()


@pytest.mark.parametrize(
    ("helper", "expected"),
    [
        ('def ready(m):\n    m[-1]["cache_control"] = {}\n    return m\n', "cache_control"),
        ("def ready(m):\n    return m\n", Absent()),
    ],
)
def test_helpers_of_other_modules(helper: str, expected: object) -> None:
    app = f"{CLAUDE}from marking import ready\n\ndef run(messages):\n    messages = ready(messages)\n    {PLAIN}\n"
    (one,) = calls(app, {"marking.py": helper})
    assert marker(one) == expected


def test_the_model_object_of_an_agent() -> None:
    source = """
from strands import Agent
from strands.models import BedrockModel
cached = BedrockModel(model_id="us.amazon.nova-lite-v1:0", {})
Agent(model=cached, system_prompt="Hi")
"""
    on = [one for one in calls(source.replace("{}", "cache_tools='default'")) if one.kind == "agent"]
    off = [one for one in calls(source.replace("{}", "temperature=0")) if one.kind == "agent"]
    hidden = calls("from strands import Agent\n\ndef make(model):\n    return Agent(model=model, system_prompt='Hi')\n")
    assert [marker(one) for one in on] == ["cache_tools"]
    assert [marker(one) for one in off] == [Absent()]
    assert [type(one.caching.only) for one in hidden] == [Unknown]


AGENT = """
def run(messages, tools):
    while True:
        reply = c.messages.create(model="m", max_tokens=5, messages=messages, tools=tools)
        {}
        if not any(block.type == "tool_use" for block in reply.content):
            return reply
"""


@pytest.mark.parametrize(
    "growth",
    [
        'messages.append({"role": "assistant", "content": reply.content})',
        'messages += [{"role": "assistant", "content": reply.content}]',
        'messages = messages + [{"role": "assistant", "content": reply.content}]',
        'messages = [*messages, {"role": "assistant", "content": reply.content}]',
        "builder.add_turn(messages, reply)",
    ],
)
def test_the_conversation_of_an_agent_grows(growth: str) -> None:
    (one,) = found(AGENT.format(growth))
    assert one.control.grows is not None
    assert one.control.grows.text == growth


@pytest.mark.parametrize("growth", ["log.append(reply)", "messages.sort()", "seen += [reply]"])
def test_other_lists_do_not_count(growth: str) -> None:
    (one,) = found(AGENT.format(growth))
    assert one.control.grows is None


def test_feedback_after_a_failure_is_no_growing_conversation() -> None:
    (one,) = found(
        """
        def run(messages, tools):
            for _ in range(3):
                reply = c.messages.create(model="m", max_tokens=5, messages=messages, tools=tools)
                try:
                    return check(reply.tool_use)
                except ValueError as error:
                    messages.append({"role": "user", "content": str(error)})
        """
    )
    assert one.control.grows is None


def test_methods_are_services_and_tests_are_not() -> None:
    method, test, function = found(
        f"""
        class Support:
            def answer(self, messages):
                return {PLAIN}

        class TestSupport:
            def test_answer(self, messages):
                return {PLAIN}

        def answer(messages):
            return {PLAIN}
        """
    )
    assert (method.control.service, test.control.service, function.control.service) == (True, False, False)


def test_rounds_are_found_behind_a_loop_of_attempts() -> None:
    (one,) = found(
        f"""
        def run(rows):
            for row in rows:
                messages = [row]
                for attempt in range(3):
                    try:
                        {PLAIN}
                        break
                    except TimeoutError:
                        pass
        """
    )
    assert one.control.loop is not None
    assert one.control.loop.attempts
    assert one.control.rounds is not None
    assert one.control.rounds.over == "rows"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("tools = [spec[n] for n in set(names)]", ["set order"]),
        ("tools = [spec[n] for n in sorted(set(names))]", []),
        ("tools = list({a, b})", ["set order"]),
        ("tools = []\n    for n in frozenset(names):\n        tools.append(n)", ["set order"]),
        ("random.shuffle(tools)", ["random order"]),
        ("random.seed(1)\n    random.shuffle(tools)", []),
        ("random.shuffle(others)", []),
        ("count = len(set(tools))", []),
    ],
)
def test_order_of_tools(body: str, expected: list[str]) -> None:
    source = f"""
import random

def run(names, spec, tools, others, messages):
    {body}
    c.messages.create(model="m", max_tokens=5, messages=messages, tools=tools)
"""
    (one,) = found(source)
    assert [disorder.kind for disorder in one.disorder] == expected
