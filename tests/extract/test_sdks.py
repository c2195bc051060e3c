"""Every SDK table: a call of each form is found, with its model, cap and name."""
# One form a line is easier to compare than wrapped ones.
# ruff: noqa: E501

from __future__ import annotations

import json

import pytest
from project import call, calls, messages, said, settings_with, system_text

BEDROCK = 'import boto3\nrt = boto3.client("bedrock-runtime")\n'
NOVA = "amazon.nova-lite-v1:0"


def facts(source: str) -> tuple[str, str, object, object]:
    found = call(source)
    return found.sdk, found.kind, said(found.model), said(found.max_tokens)


def test_converse_with_everything() -> None:
    found = call(
        BEDROCK
        + """
rt.converse(
    modelId="amazon.nova-lite-v1:0",
    system=[{"text": "Answer in one line."}, {"cachePoint": {"type": "default"}}],
    messages=[{"role": "user", "content": [{"text": "Why?"}]}],
    inferenceConfig={"maxTokens": 300},
    requestMetadata={"team": "search"},
)
"""
    )
    assert (found.sdk, found.operation, said(found.model), said(found.max_tokens)) == (
        "boto3.converse",
        "converse",
        NOVA,
        300,
    )
    assert system_text(found) == "Answer in one line."
    assert [prompt.static_text for prompt in messages(found)] == ["Why?"]
    assert said(found.cache_points) == 1
    assert said(found.metadata) == {"team": "search"}
    assert said(found.stream) is False
    assert not found.opaque


def test_converse_stream_streams_and_lacks_a_cap() -> None:
    found = call(BEDROCK + f'rt.converse_stream(modelId="{NOVA}", messages=[])\n')
    assert said(found.stream) is True
    assert said(found.max_tokens) == "absent"


def test_client_settings_are_read() -> None:
    found = call(
        """
        import boto3
        from botocore.config import Config
        settings = Config(read_timeout=600, retries={"max_attempts": 2})
        rt = boto3.Session().client("bedrock-runtime", config=settings)
        rt.converse(modelId="amazon.nova-lite-v1:0", messages=m)
        """
    )
    assert said(found.client.read_timeout) == 600.0
    assert said(found.client.attempts) == 2


def test_aioboto3() -> None:
    found = call(
        """
        import aioboto3
        async def ask(turns):
            async with aioboto3.Session().client("bedrock-runtime") as rt:
                return await rt.converse(modelId="amazon.nova-lite-v1:0", messages=turns, inferenceConfig={"maxTokens": 5})
        """
    )
    assert (found.sdk, said(found.max_tokens), found.control.asynchronous) == ("boto3.converse", 5, True)


@pytest.mark.parametrize(
    ("model", "body", "cap"),
    [
        ("anthropic.claude-3-haiku-20240307-v1:0", {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 90, "messages": []}, 90),
        ("anthropic.claude-3-haiku-20240307-v1:0", {"anthropic_version": "bedrock-2023-05-31", "messages": []}, "absent"),
        (NOVA, {"inferenceConfig": {"maxTokens": 70}, "messages": []}, 70),
        (NOVA, {"inferenceConfig": {"max_new_tokens": 71}, "messages": []}, 71),
        ("amazon.titan-text-express-v1", {"inputText": "Hi", "textGenerationConfig": {"maxTokenCount": 50}}, 50),
        ("meta.llama3-1-8b-instruct-v1:0", {"prompt": "Hi", "max_gen_len": 40}, 40),
        ("meta.llama3-1-8b-instruct-v1:0", {"prompt": "Hi"}, "absent"),
        ("mistral.mistral-7b-instruct-v0:2", {"prompt": "Hi", "max_tokens": 30}, 30),
        ("cohere.command-r-v1:0", {"message": "Hi", "max_tokens": 20}, 20),
        ("deepseek.r1-v1:0", {"prompt": "Hi", "max_tokens": 10}, 10),
        ("openai.gpt-oss-20b-1:0", {"messages": [], "max_completion_tokens": 11}, 11),
        ("ai21.jamba-1-5-mini-v1:0", {"messages": [], "max_tokens": 12}, 12),
    ],
)  # fmt: skip
def test_invoke_model_reads_the_body_of_each_family(model: str, body: dict[str, object], cap: object) -> None:
    source = BEDROCK + f"import json\nrt.invoke_model(modelId={model!r}, body=json.dumps({body!r}))\n"
    assert facts(source) == ("boto3.invoke_model", "request", model, cap)


@pytest.mark.parametrize(
    ("model", "body"),
    [
        ("amazon.titan-embed-text-v2:0", {"inputText": "x"}),
        ("cohere.embed-english-v3", {"texts": ["x"], "input_type": "search_query"}),
        ("stability.sd3-5-large-v1:0", {"prompt": "a cat"}),
        ("amazon.nova-canvas-v1:0", {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a cat"}}),
        (None, {"inputText": "x", "dimensions": 256, "normalize": True}),
        (None, {"text_prompts": [{"text": "a cat"}], "cfg_scale": 7}),
    ],
)
def test_embeddings_and_images_are_no_calls(model: str | None, body: dict[str, object]) -> None:
    name = json.dumps(model) if model else "NAME"
    assert calls(BEDROCK + f"import json\nrt.invoke_model(modelId={name}, body=json.dumps({body!r}))\n") == ()


ANTHROPIC = """
import anthropic
c = anthropic.Anthropic()
"""


@pytest.mark.parametrize(
    ("constructor", "method", "model"),
    [
        ("anthropic.Anthropic()", "messages.create", "claude-sonnet-4-5"),
        ("anthropic.AsyncAnthropic(max_retries=3)", "messages.stream", "claude-sonnet-4-5"),
        ("anthropic.AnthropicBedrock()", "messages.create", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("anthropic.AnthropicVertex(region='us')", "messages.parse", "claude-sonnet-4-5@20250929"),
        ("anthropic.Anthropic()", "beta.messages.create", "claude-sonnet-4-5"),
        ("anthropic.Anthropic()", "messages.with_raw_response.create", "claude-sonnet-4-5"),
        ("anthropic.Anthropic()", "beta.messages.with_streaming_response.create", "claude-sonnet-4-5"),
        ("anthropic.Anthropic()", "with_options(timeout=3).messages.create", "claude-sonnet-4-5"),
    ],
)
def test_anthropic(constructor: str, method: str, model: str) -> None:
    source = f"import anthropic\nc = {constructor}\nc.{method}(model={model!r}, max_tokens=64, messages=[])\n"
    found = call(source)
    assert (found.sdk, said(found.model), said(found.max_tokens)) == ("anthropic.messages", model, 64)
    assert said(found.stream) is (method == "messages.stream")


@pytest.mark.parametrize(
    ("source", "sdk", "cap"),
    [
        ("from openai import OpenAI\nOpenAI().chat.completions.create(model='gpt-4o', messages=[])", "openai.chat", "absent"),
        ("from openai import AsyncOpenAI as A\nA().chat.completions.create(model='gpt-4o', messages=[], max_completion_tokens=7)", "openai.chat", 7),
        ("from openai import AzureOpenAI\nc = AzureOpenAI()\nc.chat.completions.create(model='gpt-4o', messages=[], max_tokens=8)", "openai.chat", 8),
        ("from openai import OpenAI\nOpenAI().beta.chat.completions.parse(model='gpt-4o', messages=[], max_tokens=8)", "openai.chat", 8),
        ("from openai import OpenAI\nOpenAI().responses.create(model='gpt-4o', input='hi', max_output_tokens=9)", "openai.responses", 9),
        ("from openai import OpenAI\nOpenAI().responses.parse(model='gpt-4o', input='hi')", "openai.responses", "absent"),
        ("import openai\nopenai.ChatCompletion.create(model='gpt-4o', messages=[], max_tokens=5)", "openai.chat", 5),
        ("import openai\nopenai.chat.completions.create(model='gpt-4o', messages=[])", "openai.chat", "absent"),
        ("from groq import Groq\nGroq().chat.completions.create(model='gpt-4o', messages=[])", "openai.chat", "absent"),
        ("import litellm\nlitellm.completion(model='gpt-4o', messages=[])", "litellm.completion", "absent"),
        ("from litellm import acompletion as go\ngo('gpt-4o', [], max_tokens=6)", "litellm.completion", 6),
        ("from litellm import text_completion\ntext_completion(model='gpt-4o', prompt='hi', max_tokens=6)", "litellm.text_completion", 6),
        ("import litellm\nlitellm.responses(model='gpt-4o', input='hi', max_output_tokens=3)", "litellm.responses", 3),
    ],
)  # fmt: skip
def test_openai_and_litellm(source: str, sdk: str, cap: object) -> None:
    assert facts(source) == (sdk, "request", "gpt-4o", cap)


def test_litellm_router_settles_nothing_by_itself() -> None:
    found = call("from litellm import Router\nr = Router(model_list=m)\nr.completion(model='gpt-4o', messages=[])\n")
    assert (found.sdk, said(found.max_tokens)) == ("litellm.completion", "unknown")


def test_litellm_fills_in_a_cap_for_claude() -> None:
    found = call("import litellm\nlitellm.completion(model='anthropic/claude-sonnet-4-5', messages=[])\n")
    assert said(found.max_tokens) == ("default", None)


def test_base_url_of_a_compatible_endpoint() -> None:
    found = call(
        """
        from openai import OpenAI
        URL = "http://localhost:11434/v1"
        c = OpenAI(base_url=URL, api_key="x", timeout=30)
        c.chat.completions.create(model="qwen3", messages=[])
        """
    )
    assert said(found.client.base_url) == "http://localhost:11434/v1"
    assert said(found.client.read_timeout) == 30.0


@pytest.mark.parametrize(
    ("source", "sdk", "kind", "model", "cap"),
    [
        ("from langchain_aws import ChatBedrockConverse as C\nC(model='amazon.nova-lite-v1:0')", "langchain.ChatBedrockConverse", "model", NOVA, "absent"),
        ("from langchain_aws import ChatBedrockConverse as C\nC(model_id='amazon.nova-lite-v1:0', max_tokens=4)", "langchain.ChatBedrockConverse", "model", NOVA, 4),
        ("from langchain_aws import ChatBedrock as C\nC(model_id='amazon.nova-lite-v1:0', model_kwargs={'max_tokens': 4})", "langchain.ChatBedrock", "model", NOVA, 4),
        ("from langchain_aws import ChatBedrock as C\nC(model_id='anthropic.claude-3-haiku-20240307-v1:0')", "langchain.ChatBedrock", "model", "anthropic.claude-3-haiku-20240307-v1:0", ("default", 1024)),
        ("from langchain_anthropic import ChatAnthropic\nChatAnthropic(model='claude-sonnet-4-5')", "langchain.ChatAnthropic", "model", "claude-sonnet-4-5", ("default", None)),
        ("from langchain_openai import ChatOpenAI\nChatOpenAI(model='gpt-4o', max_tokens=2)", "langchain.ChatOpenAI", "model", "gpt-4o", 2),
        ("from langchain_openai import AzureChatOpenAI\nAzureChatOpenAI(azure_deployment='gpt-4o')", "langchain.AzureChatOpenAI", "model", "gpt-4o", "absent"),
        ("from langchain_google_genai import ChatGoogleGenerativeAI as G\nG(model='gemini-2.0-flash', max_output_tokens=5)", "langchain.ChatGoogleGenerativeAI", "model", "gemini-2.0-flash", 5),
        ("from langchain_ollama import ChatOllama\nChatOllama(model='llama3')", "langchain.ChatOllama", "model", "llama3", ("default", None)),
        ("from langchain.chat_models import init_chat_model\ninit_chat_model('gpt-4o', max_tokens=3)", "langchain.init_chat_model", "model", "gpt-4o", 3),
        ("from llama_index.llms.bedrock_converse import BedrockConverse\nBedrockConverse(model='amazon.nova-lite-v1:0')", "llama_index.BedrockConverse", "model", NOVA, ("default", 512)),
        ("from llama_index.llms.openai import OpenAI\nOpenAI(model='gpt-4o')", "llama_index.OpenAI", "model", "gpt-4o", "absent"),
        ("from llama_index.llms.anthropic import Anthropic\nAnthropic(model='claude-sonnet-4-5', max_tokens=5)", "llama_index.Anthropic", "model", "claude-sonnet-4-5", 5),
        ("from strands.models import BedrockModel\nBedrockModel(model_id='amazon.nova-lite-v1:0')", "strands.BedrockModel", "model", NOVA, "absent"),
        ("from strands.models.openai import OpenAIModel\nOpenAIModel(model_id='gpt-4o', params={'max_tokens': 9})", "strands.OpenAIModel", "model", "gpt-4o", 9),
        ("from strands import Agent\nAgent(model='amazon.nova-lite-v1:0', system_prompt='Be brief.')", "strands.Agent", "agent", NOVA, "absent"),
        ("from pydantic_ai import Agent\nAgent('openai:gpt-4o', model_settings={'max_tokens': 5})", "pydantic_ai.Agent", "agent", "openai:gpt-4o", 5),
        ("import dspy\ndspy.LM('openai/gpt-4o', max_tokens=5)", "dspy.LM", "model", "openai/gpt-4o", 5),
        ("from crewai import LLM\nLLM(model='gpt-4o', max_tokens=5)", "crewai.LLM", "model", "gpt-4o", 5),
        ("from crewai import Agent\nAgent(role='r', goal='g', backstory='You know.', llm='gpt-4o')", "crewai.Agent", "agent", "gpt-4o", "unknown"),
        ("from autogen import AssistantAgent\nAssistantAgent('a', llm_config={'model': 'gpt-4o', 'max_tokens': 5})", "autogen.AssistantAgent", "agent", "gpt-4o", 5),
        ("from agno.agent import Agent\nfrom agno.models.openai import OpenAIChat\nAgent(model=OpenAIChat(id='gpt-4o', max_tokens=5))", "agno.Agent", "agent", "gpt-4o", 5),
        ("from agents import Agent\nAgent(name='n', instructions='Help.', model='gpt-4o')", "openai_agents.Agent", "agent", "gpt-4o", "absent"),
    ],
)  # fmt: skip
def test_model_and_agent_constructors(source: str, sdk: str, kind: str, model: str, cap: object) -> None:
    found = [one for one in calls(source) if one.sdk == sdk]
    assert [(one.kind, said(one.model), said(one.max_tokens)) for one in found] == [(kind, model, cap)]


def test_google() -> None:
    found = call(
        """
        from google import genai
        from google.genai import types
        c = genai.Client()
        c.models.generate_content(
            model="gemini-2.0-flash", contents="hi",
            config=types.GenerateContentConfig(max_output_tokens=40, system_instruction="Be brief."),
        )
        """
    )
    assert (found.sdk, said(found.model), said(found.max_tokens)) == ("google.generate_content", "gemini-2.0-flash", 40)
    assert system_text(found) == "Be brief."


def test_google_model_object() -> None:
    found = call(
        """
        import google.generativeai as genai
        m = genai.GenerativeModel("gemini-1.5-pro", generation_config={"max_output_tokens": 30})
        m.generate_content("hi")
        """
    )
    assert (said(found.model), said(found.max_tokens)) == ("gemini-1.5-pro", 30)


def test_cap_of_a_patched_client() -> None:
    found = call(
        """
        import instructor
        c = instructor.from_provider("openai/gpt-4o", max_tokens=900)
        c.chat.completions.create(response_model=Answer, messages=[])
        """
    )
    assert said(found.max_tokens) == 900


def test_wrapper_from_the_settings() -> None:
    settings = settings_with(
        wrappers={"llm.gateway.ask": {"model": "model", "max_tokens": "cap", "system": "rules", "messages": "prompt"}}
    )
    found = call(
        "from llm.gateway import ask\nask(model='gpt-4o', rules='Be brief.', prompt='hi', cap=12)\n",
        {
            "llm/__init__.py": "",
            "llm/gateway.py": "def ask(model, rules, prompt, cap):\n    return send(model, rules)\n",
        },
        settings=settings,
    )
    assert (said(found.model), said(found.max_tokens), system_text(found)) == ("gpt-4o", 12, "Be brief.")
