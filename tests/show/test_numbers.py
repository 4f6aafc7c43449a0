"""Numbers read the same in Python and in the browser, and intervals are what they claim to be."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab.show.bundle import read
from llmlab.show.number_format import measured, percent, wilson


@pytest.mark.parametrize(
    "p, written",
    [
        (0.46, "46%"),
        (0.086, "8.6%"),
        (0.0004, "<0.1%"),
        (0, "0"),
        (1, "100%"),
        (0.9997, ">99.9%"),
        (0.997, "99.7%"),
    ],
)
def test_probabilities_are_written_as_the_visual_language_says(p, written):
    assert percent(p) == written


@given(st.floats(0, 1))
def test_only_certainty_is_100_percent(p):
    assert (percent(p) == "100%") == (p >= 1 - 1e-9)
    assert (percent(p) == "0") == (p <= 0)


@pytest.mark.browser
def test_the_browser_writes_the_same(browser):
    shares = np.concatenate([np.linspace(0, 1, 2003), np.logspace(-5, 0, 997), 1 - np.logspace(-12, -1, 200)])
    page = browser.new_page()
    written = page.evaluate(f"(all) => {{ {read('core.js')} return all.map(percent); }}", shares.tolist())
    page.close()
    differ = [(p, a, percent(p)) for p, a in zip(shares.tolist(), written, strict=True) if a != percent(p)]
    # an exact half may round up in one and to even in the other
    assert all(abs((1000 * p) % 1 - 0.5) < 1e-6 or abs((100 * p) % 1 - 0.5) < 1e-6 for p, _, _ in differ)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_bounds_solve_the_score_equation(case):
    """Each bound b is where the distance to the share is z standard errors of b itself."""
    right, n = case
    z, share = 1.959964, right / n
    low, high = wilson(right, n)
    assert 0 <= low <= share <= high <= 1
    for bound in (low, high):
        if 0 < bound < 1:
            assert abs(share - bound) == pytest.approx(
                z * math.sqrt(bound * (1 - bound) / n), rel=1e-6, abs=1e-9
            )


def test_small_samples_carry_an_interval():
    assert measured(31, 50) == "31 of 50 (48–74%)"
    assert measured(620, 1000) == "62% of 1,000"
    with pytest.raises(ValueError, match="no share"):
        wilson(3, 0)
