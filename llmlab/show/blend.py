"""Blend: what a model writes that is a share of the way from one model to another, with a slider over the shares.

Each answer is asked for once (`answer` below), one after another while the page stands, the ends first; from then on
the slider finds its text in the browser, within a frame.

    widget = mo.ui.anywidget(Blend(answer=blended, prompt="Who keeps the bees?"))

Read next: asking.py, how a widget asks.
"""

from __future__ import annotations

from typing import Any

import traitlets

from llmlab.show.asking import Answer, Asking
from llmlab.show.bundle import script, style

STOPS = 21  # shares on the slider: 0%, 5%, … 100%


class Blend(Asking):
    """A slider from one model to another, and the text that the model at this place writes.

    answer: gets {"kind": "blend", "text", "share"}, gives {"said": str, "ended": bool}: what is written, and whether
    the model ended it by itself. names: of the two models. source: who answers. lines: room for so many lines.

    Out: `at`, the stop under the slider. `prompt` can be set from Python: everything is asked anew.
    """

    _esm = script("core.js", "asking.js", "blend.js")
    _css = style("core.css", "blend.css")

    prompt = traitlets.Unicode().tag(sync=True)
    names = traitlets.List(traitlets.Unicode(), ["first", "second"]).tag(sync=True)
    stops = traitlets.Int(STOPS).tag(sync=True)
    at = traitlets.Int(0).tag(sync=True)
    lines = traitlets.Int(6).tag(sync=True)
    live = traitlets.Bool().tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)

    def __init__(self, answer: Answer | None = None, **traits: Any) -> None:
        super().__init__(answer, live=answer is not None, **traits)
