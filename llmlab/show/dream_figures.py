"""Figures of lesson 05: how long matches are, and what dreams are worth at each temperature. As in figures.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from llmlab.show.number_format import measured, percent, wilson
from llmlab.show.plotly_theme import layout, meaning, template_name

LONGEST = 60  # tokens on the axis of matches
VERDICTS = ("copied", "true", "false", "nothing")
DASHES = ("dot", "dash", "dashdot", "solid")
HEIGHT = 380  # px


def _figure(theme: str) -> go.Figure:
    frame = {
        "template": template_name(theme),
        "height": HEIGHT,
        "showlegend": True,
        "margin": {"t": 56, "r": 16},
    }
    figure = go.Figure(layout=frame)
    return figure.update_layout(
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": ""}
    )


def match_curve(texts: Mapping[str, Sequence[float]], *, least: int, theme: str = "light") -> go.Figure:
    """How much of some texts is part of a match of at least so many tokens.

    texts: for each name the shares (L + 1,) of tokens in a match of at least 0, 1, … L tokens; the last text is the
    finding, those before it are what chance gives. least: where a match counts as copied.
    """
    figure, colours = _figure(theme), layout(theme)
    ink = colours["meta"]["ink_2"]
    for i, (name, shares) in enumerate(texts.items()):
        last = i == len(texts) - 1
        ys = [100 * float(shares[n]) if n < len(shares) else 0.0 for n in range(1, LONGEST + 1)]
        figure.add_scatter(
            x=list(range(1, LONGEST + 1)),
            y=ys,
            mode="lines",
            name=name,
            line={
                "dash": DASHES[-1] if last else DASHES[i % 3],
                "width": 3 if last else 2,
                "color": colours["colorway"][0] if last else ink,
            },
            hovertemplate=f"{name}<br>%{{y:.1f}}% in matches of %{{x}} tokens or more<extra></extra>",
        )
    figure.add_vline(x=least, line={"dash": "dash", "width": 1.5, "color": ink})
    figure.add_annotation(
        x=least,
        y=92,
        text=f"copied from<br>{least} tokens on",
        showarrow=False,
        xanchor="left",
        xshift=6,
        align="left",
    )
    figure.update_xaxes(title="tokens of the match, at least", range=[1, LONGEST])
    figure.update_yaxes(title="tokens that are part of one", ticksuffix="%", range=[0, 104], dtick=25)
    at = {name: percent(float(s[least])) if least < len(s) else "0" for name, s in texts.items()}
    found = "; ".join(f"{name} {share}" for name, share in at.items())
    alt = f"Line chart of the share of tokens in matches of a length. At {least} tokens and more: {found}."
    return figure.update_layout(meta={"alt": alt})


def share_curve(points: Sequence[tuple[float, Mapping[str, int]]], *, theme: str = "light") -> go.Figure:
    """What the claims of dreams are worth at each temperature: four shares with their 95% intervals.

    points: (temperature, how many claims of each verdict), the coolest first.
    """
    figure = _figure(theme)
    heats, totals = [t for t, _ in points], [max(1, sum(counts.values())) for _, counts in points]
    for name in VERDICTS:
        mark, counts = meaning(theme, "verdict", name), [int(c.get(name, 0)) for _, c in points]
        shares = [n / total for n, total in zip(counts, totals, strict=True)]
        bounds = [wilson(n, total) for n, total in zip(counts, totals, strict=True)]
        figure.add_scatter(
            x=heats,
            y=[100 * s for s in shares],
            mode="lines+markers",
            name=f"{mark['glyph']} {name}",
            line={"color": mark["color"], "dash": mark["dash"], "width": 2},
            marker={"symbol": mark["symbol"], "size": 9, "color": mark["color"]},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [100 * (high - s) for s, (_, high) in zip(shares, bounds, strict=True)],
                "arrayminus": [100 * (s - low) for s, (low, _) in zip(shares, bounds, strict=True)],
                "color": mark["color"],
                "thickness": 1.2,
                "width": 4,
            },
            customdata=[measured(n, total) for n, total in zip(counts, totals, strict=True)],
            hovertemplate=f"{name} at temperature %{{x}}: %{{customdata}}<extra></extra>",
        )
    figure.update_xaxes(title="temperature", range=[0.1, 1.6])
    figure.update_yaxes(title="of all claims", ticksuffix="%", range=[0, 104], dtick=25)
    ends = (
        [
            f"at {heat}: "
            + ", ".join(
                f"{name} {percent(counts.get(name, 0) / max(1, sum(counts.values())))}" for name in VERDICTS
            )
            for heat, counts in (points[0], points[-1])
        ]
        if points
        else ["nothing is measured yet"]
    )
    return figure.update_layout(
        meta={"alt": f"Line chart of verdicts against temperature; {'; '.join(ends)}."}
    )
