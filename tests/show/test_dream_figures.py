"""Figures of lesson 05: the numbers that are given are the numbers that are drawn."""

import json

import pytest

from llmlab.show.dream_figures import LONGEST, match_curve, share_curve
from llmlab.show.number_format import wilson
from llmlab.show.plotly_theme import meaning

TEXTS = {"random": [1.0, 0.9, 0.2, 0.0], "dreams": [1.0] * 31 + [0.25] * 40}
POINTS = [(0.5, {"copied": 30, "true": 10, "false": 60}), (1.0, {"copied": 2, "false": 6, "nothing": 2})]


def test_the_match_curve_draws_each_share_at_its_length():
    figure = match_curve(TEXTS, least=31)
    random, dreams = figure.data
    assert list(random.x) == list(range(1, LONGEST + 1))
    assert list(random.y[:4]) == [90, 20, 0, 0] and dreams.y[29] == 100 and dreams.y[30] == 25
    assert dreams.line.width > random.line.width and dreams.line.dash != random.line.dash
    assert figure.layout.shapes[0].x0 == 31
    assert "At 31 tokens and more: random 0; dreams 25%" in figure.layout.meta["alt"]


def test_the_share_curve_carries_wilsons_intervals_and_the_marks_of_the_verdicts():
    figure = share_curve(POINTS)
    for line, name in zip(figure.data, ("copied", "true", "false", "nothing"), strict=True):
        assert line.line.color == meaning("light", "verdict", name)["color"]
        for i, (_, counts) in enumerate(POINTS):
            n, total = counts.get(name, 0), sum(counts.values())
            low, high = wilson(n, total)
            assert line.y[i] == pytest.approx(100 * n / total)
            assert line.y[i] + line.error_y.array[i] == pytest.approx(100 * high)
            assert line.y[i] - line.error_y.arrayminus[i] == pytest.approx(100 * low)
    assert "at 0.5: copied 30%" in figure.layout.meta["alt"]
    assert "nothing is measured yet" in share_curve([]).layout.meta["alt"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_take_the_theme_and_can_be_sent(theme):
    for figure in (match_curve(TEXTS, least=5, theme=theme), share_curve(POINTS, theme=theme)):
        sent = json.loads(figure.to_json())
        paper = sent["layout"]["template"]["layout"]["paper_bgcolor"]
        assert paper == {"light": "#fbfcfa", "dark": "#10181d"}[theme]
