"""The rows of lesson 02: the counts are those of the whole beginning, and words are looked up as they are written."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from llmlab.measure.index import build_index
from llmlab.model import zoo
from llmlab.report import next_token
from llmlab.text.packing import prepare


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """One sentence 150 times and another 50 times; a held-out page that begins as both do."""
    texts = ["The ferry waits." if i % 4 else "The ferry sinks." for i in range(200)]
    pages = [
        SimpleNamespace(id=i, kind="news", split="train", text=text, bits=1.0) for i, text in enumerate(texts)
    ]
    pages.append(
        SimpleNamespace(id=200, kind="news", split="valid", text="The ferry waits for us.", bits=1.0)
    )
    return prepare(pages, zoo.load("course").tokenizer, tmp_path_factory.mktemp("c"), 256)


def test_counts_are_those_of_the_whole_beginning_and_the_overlap_is_a_share(corpus):
    course, index = zoo.load("course"), build_index(corpus.train)
    found = [
        pair for seed in range(40) for pair in next_token.beside_counts(course, index, corpus.valid, 1, seed)
    ]
    assert found and all(0 <= shared <= 1 and total >= next_token.READ for shared, total in found)


def test_a_model_that_says_the_counts_agrees_with_them(corpus, monkeypatch):
    """What is compared: the model's probabilities are replaced by the counted shares, and then by others."""
    course, index = zoo.load("course"), build_index(corpus.train)
    document = corpus.valid.document(0)[:3].tolist()
    counted = index.followers(document)
    assert counted.total >= next_token.READ

    def counting(twist: int):
        def scores(_, beginning):
            found = index.followers(beginning)
            logits = torch.full((course.config.vocab_size,), -1e9)
            places = (found.tokens + twist) % course.config.vocab_size
            logits[places] = torch.tensor(np.log(found.counts / found.total), dtype=torch.float32)
            return logits

        return scores

    for twist, expected in ((0, 1.0), (1_000, 0.0)):
        monkeypatch.setattr(next_token, "next_scores", counting(twist))
        found = [
            shared
            for seed in range(40)
            for shared, _ in next_token.beside_counts(course, index, corpus.valid, 1, seed)
        ]
        assert found and found == pytest.approx([expected] * len(found), abs=1e-5)


def test_words_that_stand_in_no_page_are_not_real(corpus, monkeypatch):
    course, index = zoo.load("course"), build_index(corpus.train)
    said = {0.3: "fog fog", 1.0: "fog blorp", 1.8: "blorp blorp 12"}
    monkeypatch.setattr(
        next_token,
        "generate_many",
        lambda model, prompt, n, policy, seed, max_tokens: [
            course.tokenizer.encode(said[policy.temperature])
        ],
    )
    monkeypatch.setattr(next_token, "beside_counts", lambda *_: [(0.9, 100), (0.8, 120)])
    agrees, *words = next_token.of_the_next_token(course, index, corpus.valid, {"fog"}, True, 0)
    assert agrees.value == pytest.approx(0.85)
    assert [(row.value, row.n) for row in words] == [(1.0, 2), (0.5, 2), (0.0, 2)]
