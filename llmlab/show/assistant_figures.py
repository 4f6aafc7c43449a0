"""Figures of lesson 07: who makes answers up, by how often the fact was read. As in figures.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from llmlab.show.number_format import measured, percent, wilson
from llmlab.show.plotly_theme import layout, template_name

HEIGHT = 400  # px
SYMBOLS, DASHES = ("circle", "square", "diamond"), ("dot", "dash", "solid")

Count = tuple[int, int]  # cases, of how many


def made_up_lines(
    groups: Sequence[str], counts: Mapping[str, Sequence[Count]], *, theme: str = "light"
) -> go.Figure:
    """Shares of made-up answers with their 95% intervals: a line for each who answers, a place for each group."""
    frame = {
        "template": template_name(theme),
        "height": HEIGHT,
        "margin": {"t": 56, "r": 16},
        "showlegend": True,
    }
    figure = go.Figure(layout=frame)
    for i, (who, cells) in enumerate(counts.items()):
        shares = [cases / n if n else 0.0 for cases, n in cells]
        bounds = [wilson(cases, n) if n else (0.0, 0.0) for cases, n in cells]
        colour = layout(theme)["colorway"][i]
        figure.add_scatter(
            x=[
                g + 0.04 * (i - 1) for g in range(len(groups))
            ],  # beside each other, so that no interval hides another
            y=[100 * share for share in shares],
            mode="lines+markers",
            name=who,
            line={"dash": DASHES[i], "width": 2.5, "color": colour},
            marker={"symbol": SYMBOLS[i], "size": 10, "color": colour},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [100 * (high - s) for s, (_, high) in zip(shares, bounds, strict=True)],
                "arrayminus": [100 * (s - low) for s, (low, _) in zip(shares, bounds, strict=True)],
                "color": colour,
                "thickness": 1.4,
                "width": 5,
            },
            customdata=[measured(cases, n) if n else "–" for cases, n in cells],
            hovertemplate=f"{who}<br>made up: %{{customdata}}<extra></extra>",
        )
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": ""})
    figure.update_xaxes(
        tickvals=list(range(len(groups))), ticktext=list(groups), range=[-0.3, len(groups) - 0.7]
    )
    figure.update_yaxes(title="answers that are made up", ticksuffix="%", range=[0, 104], dtick=25)
    said = "; ".join(
        f"{who}: "
        + ", ".join(
            f"{group} {percent(c / n if n else 0.0)}" for group, (c, n) in zip(groups, cells, strict=True)
        )
        for who, cells in counts.items()
    )
    return figure.update_layout(meta={"alt": f"Line chart of made-up answers. {said}."})
