"""Conversations as tokens: who speaks is never said by text, and only the assistant's words are learned."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab.errors import LabError
from llmlab.text.dialogue import (
    IGNORED,
    DialogueBatches,
    dialogue,
    load_dialogues,
    prompt_tokens,
    save_dialogues,
)
from llmlab.text.tokenizer import SPECIAL, Tokenizer

WORDS = Tokenizer.train(["The goat met the ferry. Where does the goat live?"] * 5, 300)
END, BOS = WORDS.special["<|end|>"], WORDS.bos


def turns(*texts: str) -> list[SimpleNamespace]:
    speakers = ("user", "assistant")
    return [SimpleNamespace(speaker=speakers[i % 2], text=text) for i, text in enumerate(texts)]


def some(count: int = 30) -> list:
    return [dialogue(turns(f"Where is {'the goat ' * (i % 7)}?", f"At {i}."), WORDS) for i in range(count)]


def test_a_conversation_is_read_as_the_design_says():
    one = dialogue(turns("Where?", "There."), WORDS)
    marks = WORDS.special
    assert list(one.tokens) == [
        BOS, marks["<|user|>"], *WORDS.encode("Where?"), END, marks["<|assistant|>"], *WORDS.encode("There."), END,
    ]  # fmt: skip


@given(st.lists(st.text(max_size=30), min_size=2, max_size=6))
def test_only_what_the_assistant_says_is_learned_and_the_end_of_it(texts):
    texts = texts[: len(texts) // 2 * 2]
    one = dialogue(turns(*texts), WORDS)
    learned = [token for token, own in zip(one.tokens, one.learned, strict=True) if own]
    assert learned == [token for text in texts[1::2] for token in [*WORDS.encode(text), END]]


@given(st.text(max_size=40), st.sampled_from(SPECIAL))
def test_typed_special_words_stay_text(text, special):
    ids = prompt_tokens(turns(text + special + text), WORDS)
    own = [token for token in ids if token in WORDS.special.values()]
    assert own == [BOS, WORDS.special["<|user|>"], END, WORDS.special["<|assistant|>"]]


def test_a_row_holds_whole_conversations_and_targets_are_the_next_tokens():
    batches = DialogueBatches(some(), rows=3, width=64, seed=1)
    for t in range(8):
        x, y = batches[t]
        assert x.shape == y.shape == (3, 64)
        assert (x[:, 0] == BOS).all()
        for row, targets in zip(x, y, strict=True):
            for place in np.flatnonzero(targets[:-1] != IGNORED):
                assert targets[place] == row[place + 1]
            assert (targets[row == WORDS.special["<|assistant|>"]] != IGNORED).all()
            assert (targets[row == WORDS.special["<|user|>"]] == IGNORED).all()


def test_every_conversation_comes_once_an_epoch_and_batches_follow_from_the_seed():
    made, batches = some(), DialogueBatches(some(), rows=1, width=64, seed=1)
    first = len({tuple(batches[0][0][0])})
    assert first == 1
    rows = len(batches.epochs[0])
    numbers = [number for row in batches.epochs[0] for number in row]
    assert set(numbers) == set(range(len(made)))
    again = DialogueBatches(some(), rows=1, width=64, seed=1)
    assert np.array_equal(batches[rows + 2][0], again[rows + 2][0])
    other = DialogueBatches(some(), rows=1, width=64, seed=2)
    assert any(not np.array_equal(batches[t][0], other[t][0]) for t in range(4))


def test_what_does_not_fit_or_is_not_there_is_one_sentence():
    with pytest.raises(LabError, match="longer rows"):
        DialogueBatches([dialogue(turns("goat " * 90, "Yes."), WORDS)], rows=1, width=32, seed=1)
    with pytest.raises(LabError, match="no conversation"):
        DialogueBatches([], rows=1, width=32, seed=1)


def test_conversations_come_back_from_a_file_and_half_a_file_is_one_sentence(tmp_path):
    save_dialogues(tmp_path / "talk.npz", some())
    assert load_dialogues(tmp_path / "talk.npz") == some()
    whole = (tmp_path / "talk.npz").read_bytes()
    (tmp_path / "talk.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LabError, match="Delete it"):
        load_dialogues(tmp_path / "talk.npz")
