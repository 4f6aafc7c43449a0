"""Figures are pure: plain records in, a plotly figure with units, labels and a text alternative out."""

import json
from dataclasses import dataclass

import pytest

from llmlab.show.figures import exposure_curve, loss_curve
from llmlab.show.number_format import wilson
from llmlab.show.plotly_theme import meaning, template_name

RECORDS = [
    {"tokens": 1000 * i, "loss": 8.0 / i, "sample": "the <b>ferry</b>" if i % 4 == 0 else None}
    for i in range(1, 13)
]
ROWS = [
    {"readings": 128, "right": 97, "n": 100},
    {"readings": 1, "right": 3, "n": 90},
    {"readings": 0, "right": 0, "n": 50, "label": "never"},
    {"readings": 4, "right": 20, "n": 110, "label": "3–5"},
]


@dataclass
class Step:
    step: int
    loss: float
    sample: str | None = None


def texts(figure) -> list[str]:
    return [a.text for a in figure.layout.annotations]


def test_the_loss_curve_draws_every_record_and_names_its_levels():
    figure = loss_curve(RECORDS, floor=0.5, guess=8.32, valid=[(2000.0, 4.2), (12000.0, 0.8)])
    line = figure.data[0]
    assert list(line.x) == [r["tokens"] for r in RECORDS] and list(line.y) == [r["loss"] for r in RECORDS]
    assert "the writer's own choices: 0.50" in texts(figure) and "a guess among all tokens: 8.32" in texts(
        figure
    )
    assert sorted(s.y0 for s in figure.layout.shapes) == [0.5, 8.32]
    assert (
        figure.layout.yaxis.title.text == "loss, nats per token"
        and figure.layout.xaxis.title.text == "tokens read"
    )
    assert "from 8.00 to 0.67" in figure.layout.meta["alt"]


def test_samples_are_pinned_where_they_were_written_and_stay_text():
    figure = loss_curve(RECORDS, pins=2)
    dots = next(t for t in figure.data if t.name == "samples")
    assert list(dots.x) == [4000, 8000, 12000]
    pinned = [a for a in figure.layout.annotations if a.showarrow]
    assert [a.x for a in pinned] == [4000, 12000]
    assert all("<b>" not in a.text and "&lt;b&gt;" in a.text for a in pinned)


def test_records_may_be_objects_and_none_is_fine():
    figure = loss_curve([Step(1, 3.0), Step(2, 2.0, "so")], x="step", until=100)
    assert list(figure.data[0].y) == [3.0, 2.0] and figure.layout.xaxis.range[1] > 100
    assert "Nothing is measured" in loss_curve([]).layout.meta["alt"]


def test_the_exposure_curve_is_sorted_and_carries_wilsons_intervals():
    figure = exposure_curve(ROWS, chance=0.02)
    line = figure.data[0]
    shares = [0, 3 / 90, 20 / 110, 0.97]
    assert list(line.y) == pytest.approx([100 * s for s in shares])
    assert list(line.x) == [0.5, 1, 4, 128]  # never stands left of once
    assert list(figure.layout.xaxis.ticktext) == ["never", "1", "3–5", "128"]
    for y, up, down, (right, n) in zip(
        line.y,
        line.error_y.array,
        line.error_y.arrayminus,
        [(0, 50), (3, 90), (20, 110), (97, 100)],
        strict=True,
    ):
        assert ((y - down) / 100, (y + up) / 100) == pytest.approx(wilson(right, n), abs=1e-9)
    assert "97% at 128 readings" in figure.layout.meta["alt"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_take_the_theme_and_can_be_sent(theme):
    for figure in (loss_curve(RECORDS, theme=theme), exposure_curve(ROWS, theme=theme)):
        sent = json.loads(figure.to_json())
        assert (
            sent["layout"]["template"]["layout"]["paper_bgcolor"]
            == {"light": "#fbfcfa", "dark": "#10181d"}[theme]
        )


def test_meanings_keep_their_marks():
    assert (
        meaning("light", "verdict", "copied")["glyph"] == "="
        and meaning("dark", "author", "tool")["dash"] == "dash"
    )
    with pytest.raises(ValueError, match="light or dark"):
        template_name("sepia")
