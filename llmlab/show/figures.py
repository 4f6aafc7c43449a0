"""Figures: pure functions from plain records to a plotly figure.

Each gives units on its axes, labels at the thing instead of a legend, and its text alternative in
`figure.layout.meta["alt"]`. `theme` is "light" or "dark" (theme.py reports it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from llmlab.show.number_format import measured, percent, wilson
from llmlab.show.plotly_theme import layout, template_name


def _value(record: Any, name: str) -> Any:
    """A field of a record that is a mapping or an object; None where it has none."""
    return record.get(name) if isinstance(record, Mapping) else getattr(record, name, None)


def _plain(text: str, most: int = 60) -> str:
    """A model's words for a plotly label, which reads some tags as markup: escaped, on one line, short."""
    words = " ".join(text.split())
    return escape(words if len(words) <= most else words[: most - 1] + "…")


def _label(figure: go.Figure, x: float, y: float, text: str, **how: Any) -> None:
    figure.add_annotation(x=x, y=y, text=text, showarrow=False, **how)


def loss_curve(
    records: Iterable[Any],
    *,
    x: str = "tokens",
    floor: float | None = None,
    guess: float | None = None,
    valid: Sequence[tuple[float, float]] = (),
    unit: str = "nats per token",
    pins: int = 4,
    until: float | None = None,
    theme: str = "light",
) -> go.Figure:
    """The loss of a training run, with samples of the model's writing pinned to the moments they come from.

    records: have `loss`, the field `x` names ("tokens" read or "step"), and perhaps `sample`, a text.
    floor: the level below which no model can go (the writer's own choices); guess: the loss of guessing
    among all tokens (ln V); valid: (x, loss) on pages held out. At most `pins` samples are shown, spread
    evenly; hovering shows them whole. until: the end of the x axis, so that a live chart does not jump.
    """
    rows = [r for r in records if _value(r, "loss") is not None]
    xs, ys = [float(_value(r, x)) for r in rows], [float(_value(r, "loss")) for r in rows]
    colours = layout(theme)
    quiet = colours["meta"]["ink_2"]
    figure = go.Figure(
        layout={"template": template_name(theme), "height": 420, "showlegend": False, "margin": {"t": 24}}
    )
    figure.add_scatter(
        x=xs, y=ys, mode="lines", name="training", line={"width": 2, "color": colours["colorway"][0]}
    )
    figure.update_traces(hovertemplate=f"%{{x:,}} {x}<br>loss %{{y:.3f}} {unit}<extra></extra>")
    end = until or (xs[-1] if xs else 1.0)
    if valid:
        figure.add_scatter(
            x=[v[0] for v in valid],
            y=[v[1] for v in valid],
            mode="markers+lines",
            name="held out",
            line={"dash": "dash", "color": colours["colorway"][1]},
            marker={"symbol": "diamond", "size": 8},
            hovertemplate="held out: %{y:.3f}<extra></extra>",
        )
        tint = {"color": colours["colorway"][1]}
        _label(figure, *valid[-1], "◆ pages held out", xanchor="right", yanchor="top", yshift=-8, font=tint)
    for level, name in ((floor, "the writer's own choices"), (guess, "a guess among all tokens")):
        if level is not None:
            figure.add_hline(y=level, line={"dash": "dot", "width": 1.5, "color": quiet})
            over = "bottom" if level != floor else "top"  # outside the curve's room
            _label(figure, 1, level, f"{name}: {level:.2f}", xref="paper", xanchor="right", yanchor=over)
    _pin_samples(
        figure,
        [(a, b, _value(r, "sample")) for a, b, r in zip(xs, ys, rows, strict=True)],
        pins,
        end,
        colours["meta"],
    )
    top = max([*ys, guess or 0.0, 1e-9])
    figure.update_xaxes(title=f"{x} read" if x == "tokens" else x, range=[0, end * 1.01])
    figure.update_yaxes(title=f"loss, {unit}", range=[0, top * 1.12])
    alt = "Line chart of the loss during training. Nothing is measured yet."
    if rows:
        alt = f"Line chart of the loss: from {ys[0]:.2f} to {ys[-1]:.2f} {unit} over {xs[-1]:,.0f} {x}."
    return figure.update_layout(meta={"alt": alt})


def _pin_samples(
    figure: go.Figure,
    points: list[tuple[float, float, str | None]],
    pins: int,
    end: float,
    meta: dict[str, Any],
) -> None:
    """Dots on the line with the beginning of what the model wrote there, earlier ones higher."""
    ink, paper = meta["ink"], meta["paper"]
    written = [p for p in points if p[2]]
    if not written:
        return
    figure.add_scatter(
        x=[p[0] for p in written],
        y=[p[1] for p in written],
        mode="markers",
        name="samples",
        marker={"size": 9, "color": ink, "symbol": "circle"},
        hovertext=[_plain(p[2], 240) for p in written],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    count = min(pins, len(written))
    chosen = [written[round(i * (len(written) - 1) / max(1, count - 1))] for i in range(count)]
    for i, (at, loss, text) in enumerate(chosen):
        late = at > 0.6 * end
        figure.add_annotation(
            x=at,
            y=loss,
            text=f"“{_plain(text, 46)}”",
            ax=-30 if late else 34,
            ay=-30 - 30 * (count - 1 - i) if i else 0,
            bgcolor=paper,
            xanchor="right" if late else "left",
            showarrow=True,
            arrowwidth=1,
            arrowhead=0,
            arrowcolor=ink,
            standoff=5,
        )


def exposure_curve(rows: Iterable[Any], *, chance: float | None = None, theme: str = "light") -> go.Figure:
    """How often a fact was read in training, and whether the model knows it: a share with its 95% interval.

    rows: have `readings` (the number of readings, or the middle of a bin), `right` and `n`, and perhaps
    `label` ("3–5"). chance: the accuracy of guessing, drawn beside the finding.
    """
    found = sorted(rows, key=lambda r: _value(r, "readings"))
    colours = layout(theme)
    colour, quiet = colours["colorway"][0], colours["meta"]["ink_2"]
    places = [max(_value(r, "readings"), 0.5) for r in found]  # a log axis has no 0: it stands left of 1
    names = [str(_value(r, "label") or f"{_value(r, 'readings'):,}") for r in found]
    shares = [_value(r, "right") / _value(r, "n") for r in found]
    bounds = [wilson(_value(r, "right"), _value(r, "n")) for r in found]
    figure = go.Figure(
        layout={"template": template_name(theme), "height": 400, "showlegend": False, "margin": {"t": 24}}
    )
    figure.add_scatter(
        x=places,
        y=[100 * s for s in shares],
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"size": 9, "color": colour},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [100 * (high - s) for s, (_, high) in zip(shares, bounds, strict=True)],
            "arrayminus": [100 * (s - low) for s, (low, _) in zip(shares, bounds, strict=True)],
            "color": colour,
            "thickness": 1.5,
            "width": 5,
        },
        customdata=[
            [name, measured(_value(r, "right"), _value(r, "n"))] for name, r in zip(names, found, strict=True)
        ],
        hovertemplate="read %{customdata[0]} times<br>right: %{customdata[1]}<extra></extra>",
    )
    if chance is not None:
        figure.add_hline(y=100 * chance, line={"dash": "dash", "width": 1.5, "color": quiet})
        _label(
            figure,
            1,
            100 * chance,
            f"by chance: {percent(chance)}",
            xref="paper",
            xanchor="right",
            yanchor="bottom",
        )
    figure.update_xaxes(
        title="readings of the fact in training (log axis)", type="log", tickvals=places, ticktext=names
    )
    figure.update_yaxes(title="answered right", ticksuffix="%", range=[0, 104], dtick=25)
    alt = "Line chart of accuracy against readings. Nothing is measured yet."
    if found:
        alt = (
            f"Line chart of accuracy against how often a fact was read: {percent(shares[0])} at {names[0]}, "
            f"{percent(shares[-1])} at {names[-1]} readings."
        )
    return figure.update_layout(meta={"alt": alt})
