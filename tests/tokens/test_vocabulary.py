"""A vocabulary file that the user gives."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from promptslim.tokens.vocabulary import Vocabulary, VocabularyError


def tokenizer() -> Tokenizer:
    words = {"[UNK]": 0, "hello": 1, "world": 2, ",": 3, "[BOS]": 4}
    made = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(single="[BOS] $A", special_tokens=[("[BOS]", 4)])
    return made


@pytest.fixture
def path(tmp_path):
    tokenizer().save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def test_content_is_counted_without_special_tokens(path):
    count = Vocabulary(path).count("hello, world")
    assert (count.n, count.low, count.high, count.method) == (3, 3, 3, "vocabulary")


def test_truncation_and_padding_in_the_file_do_not_change_counts(path):
    made = tokenizer()
    made.enable_truncation(2)
    made.enable_padding(length=50)
    made.save(str(path))
    assert [count.n for count in Vocabulary(path).count_many(["hello " * 10, "hello"])] == [10, 1]


def test_lone_surrogates_are_counted(path):
    assert Vocabulary(path).count("hello \ud83d world").n == 3


def test_version_follows_the_content(path):
    before = Vocabulary(path).version
    assert Vocabulary(str(path)).version == before
    path.write_text(path.read_text().replace("world", "moon"))
    assert Vocabulary(path).version != before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        (b"", "is not JSON"),
        (b"\xff\xfe\x00\x01", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[1]", 'no "model" table'),
        (b'{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}', 'no "model" table'),
        (b'{"model": {"type": "Nonsense"}}', "is refused by the tokenizers library"),
        (b'{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}', "is refused by the tokenizers library"),
    ],
)
def test_a_file_that_is_no_tokenizer_gives_one_clear_line(tmp_path, content, says):
    file = tmp_path / "tok\x1b[31men.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(VocabularyError) as caught:
        Vocabulary(file)
    message = str(caught.value)
    assert says in message
    assert message.isprintable()
    assert "tok\\x1b[31men.json" in message
    assert "give the tokenizer.json" in message


def test_a_folder_is_no_tokenizer(tmp_path):
    with pytest.raises(VocabularyError, match="cannot be read"):
        Vocabulary(tmp_path)


@settings(max_examples=60)
@given(st.data())
def test_a_changed_file_is_read_or_refused(tmp_path_factory, data):
    content = json.loads(tokenizer().to_str())
    field = data.draw(st.sampled_from([*content, "vocab", "type"]))
    value = data.draw(st.one_of(st.none(), st.integers(), st.text(max_size=5), st.lists(st.integers(), max_size=2)))
    (content["model"] if field in ("vocab", "type") else content)[field] = value
    file = tmp_path_factory.mktemp("changed") / "tokenizer.json"
    file.write_text(json.dumps(content))
    try:
        n = Vocabulary(file).count("hello world").n
    except VocabularyError as error:
        outcome = str(error)
    else:
        outcome = f"{n} tokens"
    assert outcome.isprintable()
