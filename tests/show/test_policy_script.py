"""The browser's arithmetic (static/policy.js) against torch's (llmlab/generate/policy.py), on whole vocabularies."""

import numpy as np
import pytest
import torch

from llmlab.generate.policy import Policy
from llmlab.show.bundle import read

pytestmark = pytest.mark.browser

V = 600
CASES = [
    Policy(),
    Policy(temperature=0.7),
    Policy(temperature=1.8, top_k=40),
    Policy(top_p=0.9),
    Policy(top_k=12, top_p=0.5),
    Policy(temperature=0.5, min_p=0.05),
    Policy(temperature=1.3, top_k=100, top_p=0.95, min_p=0.02, repetition_penalty=1.4),
    Policy(temperature=0),
    Policy(top_p=0.01),
    Policy(top_k=V),
]


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    page.evaluate(
        f"() => {{ {read('policy.js')} Object.assign(window, {{ rank, cut, softmax, pick, dice }}); }}"
    )
    yield page
    page.close()


def in_browser(page, logits: np.ndarray, before: list[int], policy: Policy) -> tuple[np.ndarray, float]:
    """Probabilities (V,) by token id and the entropy in bits, as the widget computes them."""
    result = page.evaluate(
        """([z, before, policy]) => {
          const { order, scores } = rank(z, before, policy.repetition_penalty), { q, entropy } = cut(scores, policy);
          return { order: [...order], q: [...q], entropy };
        }""",
        [logits.tolist(), before, vars(policy)],
    )
    q = np.zeros(len(logits))
    q[result["order"]] = result["q"]
    return q, result["entropy"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("policy", CASES, ids=str)
def test_the_widget_draws_with_the_probabilities_of_the_engine(page, policy, seed):
    generator = np.random.default_rng(seed)
    logits, before = generator.normal(0, 3, V).astype(np.float32), generator.integers(0, V, 20).tolist()
    q, entropy = in_browser(page, logits, before, policy)
    expected = policy.cut(policy.scores(torch.from_numpy(logits).double(), before)).softmax(-1).numpy()
    np.testing.assert_allclose(q, expected, atol=1e-9)
    assert q.sum() == pytest.approx(1)
    positive = expected[expected > 0]
    assert entropy == pytest.approx(-(positive * np.log2(positive)).sum(), abs=1e-6)


def test_equals_of_the_last_kept_token_stay(page):
    logits = np.array([3, 2, 2, 2, 1], dtype=np.float32)
    q, _ = in_browser(page, logits, [], Policy(top_k=2))
    assert (q > 0).tolist() == [True, True, True, True, False]


def test_draws_follow_the_distribution_and_the_seed(page):
    """10,000 draws: each share within five standard errors of its probability; the same seed, the same draws."""
    script = """(seed) => { const q = [0.5, 0.25, 0.2, 0.05, 0], roll = dice(seed);
      return Array.from({ length: 10000 }, () => pick(q, 4, roll())); }"""
    draws = np.array(page.evaluate(script, 7))
    for rank, p in enumerate([0.5, 0.25, 0.2, 0.05, 0]):
        assert abs((draws == rank).mean() - p) <= 5 * np.sqrt(p * (1 - p) / len(draws))
    assert draws.tolist() == page.evaluate(script, 7)
    assert draws.tolist() != page.evaluate(script, 8)
