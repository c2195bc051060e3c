"""Values that stand in another module than the call, and the same facts alone as with the whole project."""

# ruff: noqa: E501
from __future__ import annotations

import pytest
from project import MemoryFiles, analyse, call, calls, catalog, plain_settings, said, shape, system_text

from promptslim.extract import Analyser

BEDROCK = 'import boto3\nrt = boto3.client("bedrock-runtime")\n'
ASK = 'rt.converse(modelId=MODEL, system=[{"text": RULES}], messages=[], inferenceConfig={"maxTokens": CAP})\n'


@pytest.mark.parametrize(
    ("header", "files"),
    [
        ("from settings import CAP, MODEL, RULES\n", {"settings.py": "MODEL = 'gpt-4o'\nCAP = 40 + 2\nRULES = 'Obey.'\n"}),
        ("from .settings import CAP, MODEL, RULES\n", {"settings.py": "MODEL = 'gpt-4o'\nCAP = 42\nRULES = 'Obey.'\n"}),
        ("from pack import *\n", {"pack/__init__.py": "from pack.inner import *\n", "pack/inner.py": "MODEL, CAP = 'gpt-4o', 42\nRULES = 'Obey.'\n"}),
        ("import pack.inner as s\nMODEL, CAP, RULES = s.MODEL, s.CAP, s.RULES\n", {"pack/__init__.py": "", "pack/inner.py": "MODEL, CAP = 'gpt-4o', 42\nRULES = 'Obey.'\n"}),
        ("from settings import S\nMODEL, CAP, RULES = S.model, S.cap, S.rules\n", {"settings.py": "class S:\n    model = 'gpt-4o'\n    cap = 42\n    rules = 'Obey.'\n"}),
        ("from settings import get\nCAP = get()['cap']\nMODEL = get()['model']\nRULES = get()['rules']\n", {"settings.py": "def get():\n    return {'cap': 42, 'model': 'gpt-4o', 'rules': 'Obey.'}\n"}),
        ("from settings import S\ns = S(cap=42)\nCAP, MODEL, RULES = s.cap, s.model, s.rules()\n", {"settings.py": "class S:\n    model = 'gpt-4o'\n    def __init__(self, cap):\n        self.cap = cap\n    def rules(self):\n        return 'Obey.'\n"}),
    ],
)  # fmt: skip
def test_constants_classes_and_builders_of_other_modules(header: str, files: dict[str, str]) -> None:
    found = call(BEDROCK + header + ASK, files)
    assert (said(found.model), said(found.max_tokens), system_text(found)) == ("gpt-4o", 42, "Obey.")


LIBRARY = (
    BEDROCK
    + "def ask(text, cap):\n    return rt.converse(modelId='m', messages=[text], inferenceConfig={'maxTokens': cap})\n"
)


def test_a_parameter_comes_from_callers_in_another_module() -> None:
    files = {
        "main.py": "from app import ask\nask('x', 30)\nask('y', cap=31)\n",
        "other.py": "def ask(a, b): pass\nask('x', 99)\n",
    }
    assert said(call(LIBRARY, files).max_tokens) == [30, 31]


def test_a_client_from_a_builder_of_another_module() -> None:
    files = {
        "clients.py": "import boto3\ndef runtime(region='us-east-1'):\n    return boto3.client('bedrock-runtime', region_name=region)\n"
    }
    found = call("from clients import runtime\nclient = runtime()\nclient.converse(modelId='m', messages=[])\n", files)
    assert (found.sdk, found.client.constructor) == ("boto3.converse", "boto3.client")


def test_a_request_built_by_the_base_class_of_another_module() -> None:
    files = {
        "base.py": "class Base:\n    cap = 7\n    def request(self, turns):\n        return {'modelId': self.model, 'messages': turns, 'inferenceConfig': {'maxTokens': self.cap}}\n"
    }
    found = call(
        BEDROCK
        + "from base import Base\nclass Mine(Base):\n    model = 'm'\n    def go(self, turns):\n        return rt.converse(**self.request(turns))\n",
        files,
    )
    assert (said(found.model), said(found.max_tokens)) == ("m", 7)


def test_a_package_of_the_project_with_the_name_of_an_sdk_stays_outside() -> None:
    found = calls(
        "from openai import OpenAI\nOpenAI().responses.create(model='gpt-4o', input='x')\n",
        {"openai.py": "class OpenAI: pass\n"},
    )
    assert [one.sdk for one in found] == ["openai.responses"]


TREE = {
    "app.py": BEDROCK + "from settings import CAP, MODEL, RULES\nfrom tools.ask import run\n" + ASK + "run(MODEL, 12)\n",
    "settings.py": "import os\nfrom tools.ask import LIMIT\nMODEL = 'amazon.nova-lite-v1:0'\nCAP = LIMIT * 2\nRULES = f'Obey {os.name}.'\n",
    "tools/__init__.py": "",
    "tools/ask.py": BEDROCK + "from settings import RULES\nLIMIT = 21\ndef run(model, cap=5):\n    for _ in range(3):\n        rt.converse(modelId=model, messages=[RULES], inferenceConfig={'maxTokens': cap})\n",
    "tools/more.py": "from tools.ask import run\nrun('m', cap=13)\n",
}  # fmt: skip


@pytest.mark.parametrize("order", [sorted(TREE), sorted(TREE, reverse=True)])
def test_the_same_facts_alone_as_with_its_tree(order: list[str]) -> None:
    together = Analyser(MemoryFiles(TREE), catalog(), plain_settings())
    facts = {path: together.analyse(path, TREE[path]) for path in order}
    assert len(facts["app.py"].calls) == len(facts["tools/ask.py"].calls) == 1
    assert said(facts["app.py"].calls[0].max_tokens) == 42
    assert said(facts["tools/ask.py"].calls[0].max_tokens) == [12, 13]
    for path in TREE:
        assert shape(facts[path]) == shape(analyse(TREE[path], TREE, path=path))
