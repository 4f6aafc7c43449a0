"""Theme: tells Python whether the page is light or dark, for figures that Python draws.

marimo knows its own setting but not the system's, so a widget without a picture looks and reports.

    theme = mo.ui.anywidget(Theme())          # show it once; it takes no room
    figure = loss_curve(records, theme=theme.value["theme"])
"""

from __future__ import annotations

import anywidget
import traitlets

from llmlab.show.bundle import script


class Theme(anywidget.AnyWidget):
    """`theme` is "light" or "dark", and follows the page."""

    _esm = script("core.js", "theme.js")

    theme = traitlets.Unicode("light").tag(sync=True)
