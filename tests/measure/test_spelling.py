"""Reading letters out of vectors: what is there is found, and noise is not."""

from collections import Counter

import numpy as np

from llmlab.measure.spelling import probe


def test_the_reader_of_vectors_finds_what_is_there_and_nothing_else():
    draw = np.random.default_rng(3)
    x = draw.standard_normal((600, 20))
    seen, constant = probe(x, x[:, 4] > 0)
    assert seen > 540 and constant == max(Counter((x[:, 4] > 0).tolist()).values())
    guessed, constant = probe(x, draw.integers(0, 2, 600))
    assert abs(guessed - 300) < 60 and 300 <= constant < 360  # five standard errors
