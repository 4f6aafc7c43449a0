"""Numbers fall apart where digits merge, and sums are counted one by one."""

import numpy as np

from llmlab.generate.engine import next_scores
from llmlab.measure import digits
from llmlab.model import zoo


def test_numbers_fall_apart_where_digits_merge():
    alone, three, together = digits.SPLITS.values()
    assert len({alone, three, together}) == 3
    words = digits.number_tokens(alone, kilobytes=10)
    assert digits.cut(words, 1987) == ("1", "9", "8", "7")
    assert digits.sevens([("1", "7", "8", "7"), ("17", "87"), ("178", "7"), ("7", "187")]) == 3


def test_sums_are_asked_one_by_one():
    """The batch says what the model says to each sum alone."""
    course = zoo.load("course")
    draw, words = np.random.default_rng(5), course.tokenizer
    right = 0
    for x, y in zip(draw.integers(11, 50, 6), draw.integers(11, 50, 6), strict=True):
        text = f"{x} + {y} = "
        for _ in range(2):
            text += words.decode([int(next_scores(course, text).argmax())])
        right += text.endswith(f"= {x + y}")
    assert digits.sums_right(course, 6) == right
