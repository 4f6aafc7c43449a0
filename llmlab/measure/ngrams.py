"""Predicting by counting: what the next token costs somebody who has only counted tokens, or pairs of them.

Three marks on the way of every language model. Who knows nothing guesses among all V tokens: ln V. Who has counted
how often each token comes pays the cross-entropy of these counts, and who has counted what follows what pays that of
the pairs. A network passes all three, in this order, and nobody tells it to.

A pair that was never seen must not be impossible: after a token with T different followers in n places, T of n + T
parts are given to the single counts (Witten and Bell 1991, method C). Single counts are raised by one (Laplace).

Read next: surprise.py; train/evaluate.py, the same figure for a network.
"""

from dataclasses import dataclass

import numpy as np

from llmlab.text.packing import TokenFile


@dataclass(frozen=True, slots=True)
class Levels:
    """Nats a token on held-out documents; `n` tokens were predicted."""

    uniform: float
    unigram: float
    bigram: float
    n: int


def levels(train: TokenFile, valid: TokenFile) -> Levels:
    """Count in `train`, predict `valid`: each token of each document after the one before, and that it ends.

    As in training, a document begins with <|bos|>, which is given, and ends with the next one's, which is predicted.
    """
    v = train.vocab_size
    read = np.asarray(train.tokens, dtype=np.int64)
    pairs = np.bincount(read[:-1] * v + read[1:], minlength=v * v).reshape(v, v)
    alone = (np.bincount(read, minlength=v) + 1) / (len(read) + v)
    before = np.asarray(valid.tokens, dtype=np.int64)
    after = np.append(before[1:], before[:1])  # after a document's end, the next one's <|bos|>
    total, kinds = pairs.sum(1), (pairs > 0).sum(1)
    joined = (pairs[before, after] + kinds[before] * alone[after]) / np.maximum(1, total + kinds)[before]
    joined[total[before] == 0] = alone[after][total[before] == 0]
    return Levels(
        uniform=float(np.log(v)),
        unigram=float(-np.log(alone[after]).mean()),
        bigram=float(-np.log(joined).mean()),
        n=len(after),
    )
