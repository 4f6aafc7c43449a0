"""Heats: one beginning, one seed, and a text at each of several temperatures, written side by side in the page.

The menus lie in the widget, so a new choice asks nobody but the model, and stops the text that was being written. The
widget throws the dice (static/policy.js) and sends their numbers with its question: a seed is the same text whoever
answers, the engine in the page or Python.

    widget = mo.ui.anywidget(Heats((0.3, 1.8), {"The": "The"}, {"all": {}, "top p": {"top_p": 0.9}}, answer=answers))
    widget.value["seed"]

Read next: asking.py, how a widget asks; static/writing_worker.js, the answer of the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets

from llmlab.show.asking import Answer, Asking
from llmlab.show.bundle import script, style

TOKENS = 60  # of a text


class Heats(Asking):
    """Texts of one beginning and one seed, coloured by the model's own probability, before any rule.

    temperatures: one for each text. beginnings: names in the menu, and the texts that they stand for. rules: names, and
    what they cut (top_k, top_p, min_p). answer: gets {"kind": "write", "text" or "ids", "policy", "chances"}, gives
    {"ids", "steps", "ended"}: all tokens; what there is to say about each new one, at most one for each of the chances,
    which are numbers in [0, 1); and whether the text has come to its end. source: who answers.

    `beginning` and `rule` (names) and `seed` can be set from Python: the texts are written anew.
    """

    _esm = script("core.js", "policy.js", "asking.js", "engine.js", "heats.js")
    _css = style("core.css", "token_text.css", "heats.css")

    temperatures = traitlets.List(traitlets.Float()).tag(sync=True)
    beginnings = traitlets.Dict(traitlets.Unicode()).tag(sync=True)
    rules = traitlets.Dict(traitlets.Dict()).tag(sync=True)
    tokens = traitlets.Int(TOKENS).tag(sync=True)
    live = traitlets.Bool().tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)

    beginning = traitlets.Unicode().tag(sync=True)
    rule = traitlets.Unicode().tag(sync=True)
    seed = traitlets.Int(7).tag(sync=True)

    def __init__(
        self,
        temperatures: Sequence[float],
        beginnings: Mapping[str, str],
        rules: Mapping[str, Mapping[str, float]],
        *,
        answer: Answer | None = None,
        **traits: Any,
    ) -> None:
        first = {"beginning": next(iter(beginnings)), "rule": next(iter(rules))}
        super().__init__(
            answer,
            live=answer is not None,
            temperatures=list(temperatures),
            beginnings=dict(beginnings),
            rules={name: dict(cuts) for name, cuts in rules.items()},
            **(first | traits),
        )
