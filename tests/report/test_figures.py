"""Figures: shares carry intervals, and what they count is what they say."""

import pytest

from llmlab.report import prose
from llmlab.report.figures import Evidence, of_the_world, share


def test_a_share_has_its_wilson_interval():
    """Against the worked example of the literature: 81 of 263 (Newcombe 1998, method 3: 0.2553 to 0.3662)."""
    row = share("x", 81, 263, "reported")
    assert row.value == pytest.approx(81 / 263)
    assert (row.low, row.high) == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))


def test_repetition_is_seen_by_all_three_measures():
    fresh = " ".join(f"word{i * 7919 % 10007} and thing{i * 104729 % 10007}" for i in range(3_000))
    dull = "the ferry waits for the fog and the fog waits for the ferry " * 600
    one, two = prose.measure(fresh), prose.measure(dull)
    assert one.gzip < two.gzip and one.xz < two.xz and one.distinct_8grams > 0.9 > two.distinct_8grams


def test_the_small_world_states_nothing_false_and_is_alive():
    rows = {row.id: row for row in of_the_world(Evidence(size="small", quick=True))}
    assert rows["world.false_statements"].value == 0 and rows["world.false_statements"].n > 1_000
    assert rows["world.sentence_forms"].value >= 1_200
    assert rows["world.gzip_ratio"].value <= 3.5
