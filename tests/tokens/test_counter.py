"""Which method counts, and when a threshold is exceeded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptslim.tokens import claude
from promptslim.tokens.cache import CountCache
from promptslim.tokens.counter import Counter, most_tokens
from promptslim.tokens.estimate import estimate
from promptslim.tokens.generations import version

ROOT = Path(__file__).resolve().parents[2]
PROMPT = (ROOT / "fixtures" / "prompts" / "sample-genai-idp_system_prompt.txt").read_text(encoding="utf-8")


def test_default_is_the_estimate():
    assert Counter().count(PROMPT, "claude-3") == estimate(PROMPT, "claude-3")


@pytest.mark.parametrize("counter", [Counter(prefer="exact"), Counter()], ids=["exact", "asked"])
def test_precise_claude_is_reconstructed(counter):
    count = counter.count(PROMPT, "claude-4.7", precise=None if counter._precise else True)
    n = claude.count(PROMPT, "claude-4.7")
    assert (count.n, count.low, count.high, count.method) == (n, n, n, "reconstructed")


def test_precise_without_a_vocabulary_stays_an_estimate():
    assert Counter(prefer="exact").count(PROMPT, "o200k").method == "estimate"
    assert Counter(prefer="exact").count(PROMPT, "claude-3", precise=False).method == "estimate"


def test_many_texts_keep_their_order():
    texts = ["one", PROMPT, "one", "", "two words"]
    counts = Counter(prefer="exact").count_many(texts, "claude-3")
    assert [count.n for count in counts] == [claude.count(text, "claude-3") for text in texts]


@pytest.mark.parametrize("key", ["claude-3", "claude-4.7", "o200k", "unknown"])
def test_over_needs_the_whole_band(key):
    band = estimate(PROMPT, key)
    counter = Counter()
    assert counter.over(PROMPT, key, band.low - 1)
    assert not counter.over(PROMPT, key, band.high)
    if key.startswith("claude"):
        truth = claude.count(PROMPT, key)
        assert counter.over(PROMPT, key, truth - 1)
        assert not counter.over(PROMPT, key, truth)
    else:
        assert not counter.over(PROMPT, key, band.low)


@given(st.text(st.characters(), max_size=80), st.integers(0, 120))
def test_over_is_never_true_above_the_byte_bound_and_falls_with_the_threshold(text, threshold):
    counter = Counter()
    for key in ("claude-3", "o200k", "unknown"):
        if counter.over(text, key, threshold):
            assert threshold < most_tokens(text)
            assert threshold == 0 or counter.over(text, key, threshold - 1)


def run(code: str, cache: Path) -> str:
    environment = {"PATH": "", "PROMPTSLIM_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment, check=True
    )
    return done.stdout.strip()


def test_clear_cases_load_no_vocabulary(tmp_path):
    code = (
        "import sys; from promptslim.tokens.counter import Counter; c = Counter(); text = 'word ' * 1000; "
        "print(c.over('word', 'claude-3', 100), c.over(text, 'claude-3', 100), c.over(text, 'claude-3', 5000), "
        "'tokenizers' in sys.modules)"
    )
    assert run(code, tmp_path) == "False True False False"


def test_a_warm_cache_loads_no_vocabulary(tmp_path):
    code = (
        "import sys; from promptslim.tokens.counter import Counter; from promptslim.tokens.cache import CountCache; "
        "cache = CountCache(); c = Counter(cache=cache); text = 'Find the order of the customer. ' * 40; "
        "print(c.over(text, 'claude-4.7', c.count(text, 'claude-4.7').n), c.count(text, 'claude-3', precise=True).n, "
        "'tokenizers' in sys.modules); cache.save()"
    )
    *cold, loaded = run(code, tmp_path).split()
    assert loaded == "True"
    *warm, loaded = run(code, tmp_path).split()
    assert loaded == "False"
    assert warm == cold


def test_the_cache_is_asked_before_the_vocabulary(tmp_path):
    cache = CountCache(str(tmp_path / "counts.bin"))
    cache.put("text", "claude-3", version("claude-3"), 12345)
    assert Counter(cache=cache).count("text", "claude-3", precise=True).n == 12345
