"""The vocabulary: learned as the textbook says, and run by tiktoken with the same result."""

from collections import Counter
from itertools import pairwise

import regex
from hypothesis import given
from hypothesis import strategies as st

from llmlab.text.bpe import SPLIT, encode, merge, train_bpe
from llmlab.text.tokenizer import SPECIAL, Tokenizer

PROSE = (
    "The ferry left Quillhaven at 07:45, with 12 crates of lamp oil and one goat. "
    "It's the goat's third crossing; she'll not pay.\n\n  def crossing(goat, year=1987):\n\treturn goat + 1\n"
    "Ångström, naïve, Ελλάδα, 船で三日, 👩‍🚀!\n"
) * 3
TOKENIZER = Tokenizer.train([PROSE], 480)


def textbook_merges(texts: list[str], vocab_size: int) -> list[tuple[int, int]]:
    """BPE as it is told: count all pairs of the whole text, merge the commonest, begin again."""
    words = [list(word.encode()) for text in texts for word in regex.findall(SPLIT, text)]
    merges = []
    for new in range(256, vocab_size):
        pairs = Counter(pair for word in words for pair in pairwise(word))
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        words = [merge(word, best, new) for word in words]
        merges.append(best)
    return merges


@given(st.lists(st.text(alphabet="abc a1\n'é", max_size=60), max_size=4))
def test_fast_counting_learns_the_textbook_merges(texts):
    assert [(m.left, m.right) for m in train_bpe(texts, 290)] == textbook_merges(texts, 290)


def test_prose_gives_the_textbook_merges():
    assert [(m.left, m.right) for m in train_bpe([PROSE], 330)] == textbook_merges([PROSE], 330)


def test_each_merge_says_how_often_its_pair_stood_there():
    first = next(train_bpe(["aaab aaab aaab"], 300))
    assert (first.left, first.right, first.count) == (97, 97, 6)
    assert first.bytes == b"aa"


def test_learning_stops_when_every_word_is_one_token():
    assert [m.bytes for m in train_bpe(["no no no"], 4096)] == [b"no", b" no"]


def test_the_order_of_texts_does_not_matter():
    texts = PROSE.splitlines(keepends=True)
    assert list(train_bpe(texts, 300)) == list(train_bpe(texts[::-1], 300))


@given(st.text(max_size=300) | st.text(alphabet="The goat's ferry 1987\n\t é👩", max_size=300))
def test_tiktoken_gives_the_same_tokens_as_merge_by_merge(text):
    assert TOKENIZER.encode(text) == encode(text, TOKENIZER.merges)


def test_digits_stand_alone():
    tokenizer = Tokenizer.train(["In 1987 and 1987 and 1987, 12345 goats. " * 50], 400)
    pieces = [tokenizer.token_bytes(token) for token in range(tokenizer.vocab_size - len(SPECIAL))]
    digits = b"0123456789"
    assert [piece for piece in pieces if len(piece) > 1 and any(byte in digits for byte in piece)] == []


def test_another_rule_for_words_lets_digits_merge():
    numbers = ["1987 and 1988 and 1987"]
    together = SPLIT.replace(r"|\p{N}|", r"|\p{N}++|")
    assert together != SPLIT
    assert not any(step.bytes.strip().isdigit() for step in train_bpe(numbers, 300))
    assert b"198" in [step.bytes for step in train_bpe(numbers, 300, together)]
