"""Whatever stands in a file: facts or one clear error, in bounded time, the same each time."""

# ruff: noqa: E501
from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project import analyse, notebook, shape

SAMPLES = (
    '''
import boto3, json
from textwrap import dedent
rt = boto3.client("bedrock-runtime")
RULES = dedent("""
    Sort the text.
      Answer in one word.
""").strip()
class Sorter:
    cap: int = 40
    def __init__(self, model="amazon.nova-lite-v1:0", **extra):
        self.model, self.extra = model, extra
    def request(self, text, *rest):
        body = {"modelId": self.model, "inferenceConfig": {}, **self.extra}
        if text:
            body["inferenceConfig"]["maxTokens"] = self.cap
        body.setdefault("system", [{"text": RULES}]).append({"cachePoint": {"type": "default"}})
        return body
    async def run(self, rows):
        for row in rows:
            try:
                yield rt.converse(messages=[{"role": "user", "content": [{"text": f"Row {row!r:>{9}}: {RULES}"}]}], **self.request(row))
            except (ValueError, KeyError) as error:  # promptslim: ignore[PS602]
                continue
cost = usage["inputTokens"] * price / 1000
''',
    """
from openai import OpenAI
import anthropic
kw = dict(model="gpt-4o", temperature=0)
kw |= {"max_tokens": 5 if fast else None}
text = "a" + "b" * 3
text += "%s and {x}" % name
messages = [{"role": r, "content": c.format(x=1)} for r, c in pairs]
messages[0]["content"] = "\\n".join([text, *others])
while True:
    answer = OpenAI(timeout=3).chat.completions.create(messages=messages, **kw)
    with anthropic.Anthropic().messages.stream(model="claude-sonnet-4-5", max_tokens=9, messages=messages) as s:
        match s:
            case {"text": t, **rest}: break
            case [first, *_]: messages.append(first)
    if (n := len(answer)) > 3: break
""",
)  # fmt: skip
TOKENS = re.compile(r"\w+|\s+|.", re.DOTALL)
SECONDS = 10.0
"""Far above what any case here takes; a case that grows without bound does not end below it."""

HEAD = 'import boto3, json\nrt = boto3.client("bedrock-runtime")\n'
ASK = 'rt.converse(modelId=x, system=x, messages=x, inferenceConfig={"maxTokens": x}, requestMetadata=x)\n'


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A sample with some tokens dropped, doubled, swapped or replaced."""
    found = TOKENS.findall(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(found) - 1))
        other = draw(st.integers(0, len(found) - 1))
        match draw(st.sampled_from(["drop", "double", "swap", "copy", "write"])):
            case "drop":
                found[at] = ""
            case "double":
                found[at] *= 2
            case "swap":
                found[at], found[other] = found[other], found[at]
            case "copy":
                found[at] = found[other]
            case _:
                found[at] = draw(st.text(max_size=4))
    return "".join(found)


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_mutated_source_gives_the_same_facts_twice(source: str) -> None:
    first = analyse(source)
    assert first.path == "app.py"
    assert shape(first) == shape(analyse(source))


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda data: data.decode("latin-1"))))
def test_any_text_at_all(source: str) -> None:
    facts = analyse(source)
    assert facts.calls == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
CELL = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | JSON,
        "source": st.sampled_from([SAMPLES[1], [HEAD, ASK], "%%bash\nls", ["!ls\n", "x = !pwd\n"]]) | JSON,
        "outputs": JSON,
    },
)
BOOKS = st.fixed_dictionaries({"cells": st.lists(CELL | JSON, max_size=4) | JSON}, optional={"metadata": JSON}) | JSON


@settings(max_examples=150, deadline=None)
@given(BOOKS.map(json.dumps) | st.text(max_size=20))
def test_any_notebook_at_all(text: str) -> None:
    facts = analyse(text, path="nb.ipynb")
    assert shape(facts) == shape(analyse(text, path="nb.ipynb"))


MANY = 10_000
DEEP = {
    "parentheses": "x = " + "(" * MANY + "1" + ")" * MANY,
    "brackets": "x = " + "[" * MANY + "]" * MANY,
    "sums": "x = " + " + ".join(["'a'"] * MANY),
    "attributes": "x = y" + ".a" * MANY,
    "calls in a chain": "x = y" + ".a()" * MANY,
    "subscripts": "x = y" + "[0]" * MANY,
    "elif": "if a:\n    x = 1\n" + "".join(f"elif b{i}:\n    x = {i}\n" for i in range(MANY)),
    "conditions": "x = " + "1 if a else " * MANY + "2",
    "lambdas": "x = " + "lambda: " * MANY + "1",
    "a deep elif that parses": "if a:\n    x = 1\n" + "".join(f"elif b{i}:\n    x = {i}\n" for i in range(900)),
    "a deep sum that parses": "x = " + " + ".join(["'a'"] * 900),
    "a deep chain that parses": "x = y" + ".a()" * 400,
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_nesting_is_analysed_or_one_error(name: str) -> None:
    started = time.monotonic()
    facts = analyse(HEAD + DEEP[name] + "\n" + ASK)
    assert time.monotonic() - started < SECONDS
    if facts.errors:
        (error,) = facts.errors
        assert "nested" in error.message
        assert "\n" not in error.message
        assert facts.calls == ()
    else:
        assert len(facts.calls) == 1


def wide(entry: str, open_: str, close: str, levels: int = 14) -> str:
    """A value that holds the one before it ten times over, again and again."""
    return "x = 'a'\n" + ("x = " + open_ + ", ".join(entry.format(i=i) for i in range(10)) + close + "\n") * levels


LARGE = {
    "dict": "x = {" + ", ".join(f"'k{i}': {i}" for i in range(100_000)) + "}",
    "list": "x = [" + ", ".join(f"'k{i}'" for i in range(50_000)) + "]",
    "string": "x = '" + "a" * 5_000_000 + "'",
    "string with escapes": "x = '" + "\\n" * 500_000 + "'",
    "string in many tokens": "x = (" + "'ab\\n' " * 50_000 + ")",
    "f-string in many tokens": "x = (" + "f'ab {y}' " * 5_000 + ")",
    "joined list": "x = ' '.join([" + ", ".join(["'ab'"] * 30_000) + "])",
    "doubled text": "x = 'a'\n" + "x = x + x\n" * 60,
    "doubled text, few steps": "x = 'a'\n" + "x = x + x\n" * 18,
    "doubled f-string": "x = 'a'\n" + "x = f'{x}{x}'\n" * 60,
    "replaced text": "x = 'a'\n" + "x = x.replace('a', 'aaaaaaaaaa')\n" * 12,
    "formatted text": "x = '" + "{a}" * 50_000 + "'.format(a=b)",
    "repeated text": "x = 'ab' * 1000000\nx = x * 1000000\nx = x * 1000000",
    "powers": "x = 9 ** 9 ** 9 ** 9\nx = 1 << 100000000",
    "doubled list": "x = ['a']\n" + "x = x + x\n" * 18,
    "wide dicts": wide("'k{i}': x", "{", "}"),
    "wide lists": wide("x", "[", "]"),
    "wide dicts handed on": wide("'k{i}': x", "{", "}") + "unseen(x)",
    "many keys": "x = {}\n" + "".join(f"x['k{i}'] = {i}\n" for i in range(3_000)),
    "many branches": "x = {}\n" + "".join(f"if c{i}:\n    x['k{i}'] = {i}\n" for i in range(300)),
    "many names": "x0 = 1\n" + "".join(f"x{i + 1} = x{i}\n" for i in range(3_000)) + "x = x3000",
    "many functions": "".join(f"def f{i}(a):\n    return f{i + 1}(a)\n" for i in range(1_000)) + "x = f0(1)",
    "many classes": "class C0(C0): pass\n" + "".join(f"class C{i + 1}(C{i}): pass\n" for i in range(1_000)) + "x = C1000().y",
    "own value": "x = x",
    "own values in a ring": "x = y\ny = z\nz = x\nx = y",
    "own call": "def f(a):\n    return f(g(a))\ndef g(a):\n    return f(a) or g(a)\nx = f(1)",
    "own class": "class C(C):\n    a = C.a\nx = C().a",
    "own value in a loop": "x = {}\n" + "".join("    " * i + f"for a{i} in b:\n" + "    " * (i + 1) + f"x[a{i}] = x\n" for i in range(15)),
    "price products": "x = 1\n" + "cost = u.input_tokens * a + u.output_tokens * b\n" * 1_000,
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_large_and_circular_values_end(name: str) -> None:
    started = time.monotonic()
    facts = analyse(HEAD + LARGE[name] + "\n" + ASK)
    assert time.monotonic() - started < SECONDS
    assert facts.errors == ()
    assert facts.calls[-1].sdk == "boto3.converse"


def test_import_cycles_end() -> None:
    files = {
        "a.py": "from b import X, Y\nfrom c import *\nA = X\n",
        "b.py": "from a import A\nfrom c import Y\nX = A\n",
        "c.py": "from a import *\nfrom b import *\nimport c\nY = c.Y\n",
    }
    facts = analyse(HEAD + "from a import A as x\nfrom c import Y\n" + ASK, files)
    assert facts.errors == ()
    assert len(facts.calls) == 1


def test_a_broken_import_does_not_break_the_importer() -> None:
    files = {"deep.py": DEEP["elif"] + "\nX = 1\n", "broken.py": "X = (\n"}
    facts = analyse(HEAD + "from deep import X as x\nfrom broken import X\n" + ASK, files)
    assert facts.errors == ()
    assert len(facts.calls) == 1


def test_a_notebook_with_large_outputs_is_quick() -> None:
    book = json.loads(notebook(*[HEAD + f"x = {i}\n" + ASK for i in range(30)]))
    for cell in book["cells"]:
        cell["outputs"] = [{"output_type": "display_data", "data": {"image/png": "iVBOR" * 130_000}}]
    text = json.dumps(book, indent=1)
    assert len(text) > 19_000_000
    started = time.monotonic()
    facts = analyse(text, path="nb.ipynb")
    assert time.monotonic() - started < SECONDS
    assert len(facts.calls) == 30
    raw = text.split("\n")
    for index, document in enumerate(facts.documents):
        assert f"x = {index}" in raw[document.raw_lines[2] - 1]
