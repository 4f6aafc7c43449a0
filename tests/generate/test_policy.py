"""Each step of a policy against an independent way of computing it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmlab.errors import LabError
from llmlab.generate.policy import COLDEST, Policy, draw, heat, keep_min_p, keep_top_k, keep_top_p, penalise

scores = st.lists(st.floats(-20, 20, width=32, allow_subnormal=False), min_size=2, max_size=40).map(
    lambda values: torch.tensor(values, dtype=torch.float32)
)


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max())
    return e / e.sum()


@given(scores, st.integers(1, 50))
def test_top_k_keeps_k_best_and_their_equals(logits, k):
    kept = torch.isfinite(keep_top_k(logits, k)).numpy()
    ranked = sorted(logits.tolist(), reverse=True)
    least = ranked[min(k, len(ranked)) - 1]
    assert kept.tolist() == [x >= least for x in logits.tolist()]


@given(scores, st.floats(0.01, 0.999))
def test_top_p_keeps_the_smallest_set_that_reaches_p(logits, p):
    kept = torch.isfinite(keep_top_p(logits, p)).numpy()
    probs = softmax(logits.numpy().astype(np.float64))
    assert probs[kept].max() >= probs.max() - 1e-7  # one of equals, where the best has equals
    assert probs[kept].sum() >= p - 1e-5
    without_least = probs[kept].sum() - probs[kept].min()
    assert kept.sum() == 1 or without_least < p + 1e-5
    assert probs[kept].min() >= probs[~kept].max(initial=0) - 1e-7


@given(scores, st.floats(0.01, 1))
def test_min_p_keeps_what_is_likely_enough_beside_the_best(logits, share):
    kept = torch.isfinite(keep_min_p(logits, share)).numpy()
    probs = softmax(logits.numpy().astype(np.float64))
    clear = np.abs(probs - share * probs.max()) > 1e-6 * probs.max()
    assert (kept == (probs >= share * probs.max()))[clear].all()


def test_temperature_divides_and_zero_takes_the_best():
    logits = torch.tensor([1.0, 3.0, 2.0])
    assert torch.equal(heat(logits, 2.0), logits / 2)
    assert heat(logits, 0).softmax(-1).tolist() == [0, 1, 0]


@given(scores)
def test_the_lowest_temperature_is_still_arithmetic(logits):
    """Near 0 the best tokens take everything, and nothing becomes NaN."""
    probs = Policy(COLDEST).scores(logits * 10).softmax(-1)
    assert float(probs.sum()) == pytest.approx(1)
    assert float(probs[logits.argmax()]) == float(probs.max()) > 0


def test_penalty_makes_used_tokens_less_likely_whatever_their_sign():
    logits = torch.tensor([2.0, -2.0, 1.0])
    assert penalise(logits, [0, 1, 1], 2.0).tolist() == [1.0, -4.0, 1.0]


def test_draws_follow_the_probabilities():
    logits = torch.log(torch.tensor([0.5, 0.3, 0.2]))
    chance = torch.Generator().manual_seed(1)
    counts = np.bincount([draw(logits, chance) for _ in range(20_000)], minlength=3) / 20_000
    assert np.abs(counts - [0.5, 0.3, 0.2]).max() < 0.015


def test_what_is_cut_is_never_drawn():
    cut = Policy(top_k=2).cut(torch.tensor([1.0, 2.0, 3.0]))
    chance = torch.Generator().manual_seed(1)
    assert {draw(cut, chance) for _ in range(500)} == {1, 2}


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -1},
        {"temperature": 1e-300},
        {"temperature": float("nan")},
        {"top_p": 0},
        {"top_p": 1.1},
        {"min_p": 2},
        {"top_k": -1},
        {"repetition_penalty": 0},
        {"repetition_penalty": float("inf")},
    ],
)
def test_impossible_policies_are_refused_with_a_sentence(wrong):
    with pytest.raises(LabError, match="can't be"):
        Policy(**wrong)
