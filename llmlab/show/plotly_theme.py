"""The course's colours for plotly: importing this registers the templates llmlab_light and llmlab_dark.

The meanings keep their colours: `meaning("light", "verdict", "copied")` gives colour, text colour, dash,
symbol, pattern and glyph. Which of the two a page shows is reported by the Theme widget (theme.py).
"""

from __future__ import annotations

import json
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from llmlab.show.bundle import read

TEMPLATES: dict[str, dict[str, Any]] = json.loads(read("plotly_template.json"))

for _name, _template in TEMPLATES.items():
    pio.templates[_name] = go.layout.Template(_template)


def template_name(theme: str) -> str:
    """The registered template of "light" or "dark"."""
    name = f"llmlab_{theme}"
    if name not in TEMPLATES:
        raise ValueError(f"There is no theme {theme!r}. Use light or dark.")
    return name


def layout(theme: str) -> dict[str, Any]:
    """The template's layout: its colours by name."""
    return TEMPLATES[template_name(theme)]["layout"]


def meaning(theme: str, group: str, name: str) -> dict[str, Any]:
    """What marks a meaning, such as ("verdict", "copied") or ("author", "tool"), in this theme."""
    return layout(theme)["meta"][group][name]
