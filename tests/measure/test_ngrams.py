"""Predicting by counting, held against counts made one by one, and against a source whose entropy is known."""

import math
from collections import Counter
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from llmlab.measure.ngrams import levels


def file(documents: list[list[int]], v: int) -> SimpleNamespace:
    return SimpleNamespace(tokens=np.concatenate(documents).astype("<u2"), vocab_size=v)


def test_levels_are_those_of_counts_made_one_by_one():
    v, bos = 7, 6
    draw = np.random.default_rng(0)
    train = [[bos, *draw.integers(0, 5, 9).tolist()] for _ in range(20)]
    valid = [[bos, *draw.integers(0, 6, 5).tolist()] for _ in range(8)]  # token 5 was never read
    read = [token for document in train for token in document]
    alone, pairs = Counter(read), Counter(pairwise(read))
    one = lambda token: (alone[token] + 1) / (len(read) + v)  # noqa: E731

    def two(before: int, token: int) -> float:
        total = sum(n for (first, _), n in pairs.items() if first == before)
        kinds = sum(first == before for first, _ in pairs)
        return (pairs[before, token] + kinds * one(token)) / (total + kinds) if total else one(token)

    asked = [(a, b) for document in valid for a, b in zip(document, [*document[1:], bos], strict=True)]
    found = levels(file(train, v), file(valid, v))
    assert found.n == len(asked)
    assert found.uniform == math.log(v)
    assert found.unigram == pytest.approx(-sum(math.log(one(b)) for _, b in asked) / len(asked))
    assert found.bigram == pytest.approx(-sum(math.log(two(a, b)) for a, b in asked) / len(asked))
    assert all(sum(two(a, b) for b in range(v)) == pytest.approx(1) for a in range(v))


def test_pairs_reach_the_entropy_of_a_chain_of_pairs():
    """After each token one of two follows: ln 2, however uneven the single counts are."""
    draw, tokens = np.random.default_rng(1), [0]
    for coin in draw.integers(0, 2, 60_000):
        tokens.append((3 * tokens[-1] + 1 + int(coin)) % 50)
    found = levels(file([tokens[:50_000]], 50), file([tokens[50_000:]], 50))
    assert found.bigram == pytest.approx(math.log(2), abs=0.02)
    assert found.bigram < found.unigram <= found.uniform + 1e-3
