"""One text, merge by merge: the same as encoding with so many merges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab.text.bpe import encode, train_bpe
from llmlab.text.segmentation import after, bytes_per_token, falls, segmentations, vocabulary
from llmlab.text.tokenizer import SPECIAL, Tokenizer

PROSE = "The ferry waits for the fog, and the fog waits for the ferry at 07:45. Ångström, 船!\n" * 5
TOKENIZER = Tokenizer.train([PROSE], 400)
MERGES = TOKENIZER.merges


@given(st.text(max_size=60) | st.text(alphabet="the fog wis 0é", max_size=60), st.integers(0, len(MERGES)))
def test_each_place_of_the_slider_is_the_encoding_with_so_many_merges(text, merges):
    found = list(segmentations(text, MERGES))
    assert after(found, merges).tokens == encode(text, MERGES[:merges])


@given(st.text(alphabet="the fog waits\n", max_size=80))
def test_it_begins_with_bytes_ends_with_the_tokenizer_and_always_shrinks(text):
    found = list(segmentations(text, MERGES))
    assert found[0].merges == 0 and bytes(found[0].tokens) == text.encode()
    assert found[-1].tokens == TOKENIZER.encode(text)
    sizes = [len(one.tokens) for one in found]
    assert sizes == sorted(set(sizes), reverse=True)


def test_words_keep_their_borders():
    found = list(segmentations("no no", [(ord("n"), ord("o")), (ord(" "), 256)]))
    assert [one.merges for one in found] == [0, 1, 2]
    assert [one.words for one in found] == [
        ((110, 111), (32, 110, 111)),
        ((256,), (32, 256)),
        ((256,), (257,)),
    ]


def test_an_empty_text_has_one_segmentation_without_tokens():
    assert [one.tokens for one in segmentations("", MERGES)] == [[]]


def test_the_vocabulary_is_the_tokenizers():
    words = [TOKENIZER.token_bytes(i) for i in range(TOKENIZER.vocab_size - len(SPECIAL))]
    assert vocabulary(MERGES) == words
    assert vocabulary(MERGES)[256:] == [m.bytes for m in train_bpe([PROSE], 256 + len(MERGES))]


def test_bytes_per_token_by_hand():
    """Prose in words of 3 and 4 bytes; digits a byte each; a Greek letter two bytes and two tokens."""
    encode_by_hand = lambda text: list(text.encode()) if not text.isalpha() or "Ω" in text else [0]  # noqa: E731
    samples = [("prose", "fog"), ("prose", "boat"), ("digits", "1987"), ("greek", "Ω"), ("nothing", "")]
    found = bytes_per_token(samples, encode_by_hand)
    assert found == {"prose": 3.5, "digits": 1.0, "greek": 1.0} and next(iter(found)) == "prose"


def test_what_was_read_is_cheap_and_what_was_not_is_dear():
    kinds = {"prose": "the fog waits for the ferry", "digits": "1987 0745", "tongue": "mhorhuzk qixgyl"}
    found = bytes_per_token(kinds.items(), TOKENIZER.encode)
    assert found["prose"] > 2 * found["digits"] and found["tongue"] < found["prose"]
    assert found["digits"] == pytest.approx(1.0)


@given(st.text(max_size=60) | st.text(alphabet="the fog wis 0é", max_size=60), st.integers(0, len(MERGES)))
def test_borders_that_have_not_fallen_are_those_between_the_tokens(text, merges):
    found, pieces = list(segmentations(text, MERGES)), vocabulary(MERGES)
    gone = falls(found, pieces)
    raw = b"".join(pieces[token] for token in found[0].tokens)
    standing = [i + 1 for i, fall in enumerate(gone) if fall is None or fall > merges]
    cut = [raw[a:b] for a, b in zip([0, *standing], [*standing, len(raw)], strict=True)] if raw else []
    assert cut == [pieces[token] for token in encode(text, MERGES[:merges])]
    assert len(gone) == max(0, len(raw) - 1)
