"""Speaking: a program writes, and the page shows each token as it comes, with the tokens per second.

A child process is asked again and again for what is new (course/speaking.py answers). Where the page has an engine of
its own, a second column lets the very same model write in the browser.

    widget = mo.ui.anywidget(Speaking(answer=Speaker(checkpoint), prompt="The ferry"))
    widget.value["text"]

Read next: asking.py, how a widget asks.
"""

from __future__ import annotations

from typing import Any

import traitlets

from llmlab.show.asking import Answer, Asking
from llmlab.show.bundle import script, style

TOP_P = 0.95  # of every text that is written here
HOTTEST = 1.5


class Speaking(Asking):
    """A text field, a button, and what the program writes.

    answer: gets {"kind": "speak", "text", "temperature", "seed", "tokens"}, then {"kind": "more", "seen"} until its
    "state" is done, stopped or failed, or {"kind": "stop"}; gives {"state", "pieces", "ids", "seconds", "error"}.
    call: how the program is started, for the line that can be copied. tokens: the longest text. first: such a report,
    shown at once as the text that was written when the page was opened. source: who answers.

    Out: text (what was written last), ids, rate (tokens/s). `prompt`, `temperature` and `seed` can be set from Python.
    """

    _esm = script("core.js", "policy.js", "asking.js", "engine.js", "speaking.js")
    _css = style("core.css", "speaking.css")

    call = traitlets.Unicode().tag(sync=True)
    live = traitlets.Bool().tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)
    top_p = traitlets.Float(TOP_P).tag(sync=True)
    hottest = traitlets.Float(HOTTEST).tag(sync=True)

    prompt = traitlets.Unicode().tag(sync=True)
    temperature = traitlets.Float(0.5).tag(sync=True)
    seed = traitlets.Int(1).tag(sync=True)
    tokens = traitlets.Int(200).tag(sync=True)
    first = traitlets.Dict().tag(sync=True)

    text = traitlets.Unicode().tag(sync=True)
    ids = traitlets.List(traitlets.Int()).tag(sync=True)
    rate = traitlets.Float(0.0).tag(sync=True)

    def __init__(self, answer: Answer | None = None, **traits: Any) -> None:
        super().__init__(answer, live=answer is not None, **traits)
