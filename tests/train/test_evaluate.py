"""Bits per byte, against a count by hand."""

import math

import pytest
import torch

from llmlab.model.gpt import GPT
from llmlab.train.evaluate import evaluate


class Uniform(GPT):
    """A network that finds every token equally likely."""

    def forward(self, idx, cache=None):
        return torch.zeros(*idx.shape, self.config.vocab_size)


def test_a_model_that_knows_nothing_pays_log_v_a_token(corpus, config):
    bits = evaluate(Uniform(config.model), corpus.valid)
    # Every token but the first <|bos|> is paid for, and so is the end: as many as the document has tokens.
    expected = math.log2(config.model.vocab_size) * len(corpus.valid.tokens) / corpus.valid.n_bytes.sum()
    assert bits["all"] == pytest.approx(expected, rel=1e-6)


def test_padding_and_neighbours_change_nothing(corpus, config):
    model, by_hand = GPT(config.model, 4).eval(), {}
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)) * 0.2)
        for index in range(len(corpus.valid)):
            ids = corpus.valid.document(index).tolist()
            surprise = -model(torch.tensor([ids]))[0].log_softmax(-1)
            bits = sum(surprise[t, token].item() for t, token in enumerate([*ids[1:], ids[0]])) / math.log(2)
            kind = corpus.valid.kinds[corpus.valid.kind[index]]
            total, n_bytes = by_hand.get(kind, (0.0, 0))
            by_hand[kind] = (total + bits, n_bytes + int(corpus.valid.n_bytes[index]))
    measured = evaluate(model, corpus.valid)
    for kind, (bits, n_bytes) in by_hand.items():
        assert measured[kind] == pytest.approx(bits / n_bytes, rel=1e-4)
    whole = sum(bits for bits, _ in by_hand.values()) / sum(n for _, n in by_hand.values())
    assert measured["all"] == pytest.approx(whole, rel=1e-4)


def test_a_part_is_the_same_part_each_time(corpus, config):
    model = GPT(config.model, 4)
    assert evaluate(model, corpus.valid, 5) == evaluate(model, corpus.valid, 5)
