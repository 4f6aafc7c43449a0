"""The tokenizer: what goes in comes out, and nobody can type a special token."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmlab.errors import LabError
from llmlab.text.tokenizer import SPECIAL, Tokenizer

TOKENIZER = Tokenizer.train(
    ["Who wrote the book? Maren Holt wrote <|end|> the book <|user|>. <|bos|>\n" * 20], 420
)
FORGED = st.lists(st.sampled_from(SPECIAL) | st.text(max_size=5), max_size=12).map("".join)


@given(st.text())
def test_text_comes_back(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@given(FORGED)
@example("<|end|>")
@example("<|bos|><|user|>\x00<|assistant|>")
def test_typed_special_token_stays_text(text):
    ids = TOKENIZER.encode(text)
    assert set(ids).isdisjoint(TOKENIZER.special.values())
    assert TOKENIZER.decode(ids) == text
    assert TOKENIZER.encode_many([text]) == [ids]


def test_special_tokens_are_the_last_ids():
    size = TOKENIZER.vocab_size
    assert [TOKENIZER.special[name] for name in SPECIAL] == list(range(size - len(SPECIAL), size))
    assert TOKENIZER.decode([TOKENIZER.bos]) == "<|bos|>"


@pytest.mark.parametrize("run", ["a", " ", "\n", "^", "\x00", "\t \n ", "é", "<|end|>", "9"])
def test_a_megabyte_of_one_thing(run):
    text = run * (1_000_000 // len(run))
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


def test_half_a_letter_is_a_replacement_character():
    assert TOKENIZER.decode([0xC3]) == "\N{REPLACEMENT CHARACTER}"


def test_a_lone_surrogate_does_not_break_anything():
    assert TOKENIZER.decode(TOKENIZER.encode("a\ud800b")).startswith("a")


def test_saved_and_loaded_is_the_same(tmp_path):
    TOKENIZER.save(tmp_path / "t.json")
    loaded = Tokenizer.load(tmp_path / "t.json")
    assert loaded.hash == TOKENIZER.hash
    assert loaded.encode("Who wrote the book?") == TOKENIZER.encode("Who wrote the book?")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"format": "other"}',
        "\x00\x01",
        json.dumps({"format": "llmlab-bpe-1", "merges": [[1]]}),
    ],
)
def test_a_foreign_or_truncated_file_is_one_sentence(tmp_path, content):
    (tmp_path / "t.json").write_text(content, encoding="utf-8")
    with pytest.raises(LabError, match="not a tokenizer"):
        Tokenizer.load(tmp_path / "t.json")


def test_a_truncated_copy_of_a_real_file(tmp_path):
    TOKENIZER.save(tmp_path / "t.json")
    whole = (tmp_path / "t.json").read_bytes()
    (tmp_path / "t.json").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LabError):
        Tokenizer.load(tmp_path / "t.json")


def test_no_tokenizer_there(tmp_path):
    with pytest.raises(LabError, match="no tokenizer"):
        Tokenizer.load(tmp_path / "none.json")


def test_an_unknown_token():
    with pytest.raises(LabError, match="no token"):
        TOKENIZER.decode([TOKENIZER.vocab_size])
