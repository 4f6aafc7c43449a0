"""Theatre: a training run on the stage. One slider over its saved moments drives everything that there is to see.

The loss with marks of meaning and the first words of a sample at each moment; a page that the model never read, with
what each token costs it; the distribution at the token that was pressed; what the model writes. All numbers of all
moments travel once, so the slider is answered within a frame, without Python.

    theatre = mo.ui.anywidget(Theatre(ids, vocabulary, levels=[("a guess", 7.62)], until=6_000_000))
    theatre.widget.play_to(curve, stops)      # from a cell, while the model learns
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import anywidget
import numpy as np
import traitlets

from llmlab.show.asking import readable
from llmlab.show.bundle import script, style

Curve = Sequence[tuple[float, float]]  # (tokens read, loss in nats a token)


@dataclass(frozen=True)
class Stop:
    """A saved moment of a training run.

    tokens: how many were read until then; prompt and written: a sample; probability (T,): of each token of the page;
    best (T, K): ids of the likeliest tokens at its place, and best_probability (T, K).
    """

    tokens: int
    step: int
    prompt: str
    written: str
    probability: np.ndarray
    best: np.ndarray
    best_probability: np.ndarray


class Theatre(anywidget.AnyWidget):
    """The loss of a run, and what its model was worth at each stop.

    page: the ids of a text's T tokens. vocabulary: all V tokens, as bytes, in order of their ids. levels:
    (name, nats a token) of the marks on the loss. until: tokens at the end of the axis. behind: another run's curve,
    drawn pale, with its name. source: whose numbers these are; live: whether they are made now. token: the place
    whose distribution is shown. empty: the sentence while there is no stop.

    Out: `at`, the stop under the slider; `token`. `play_to` shows more of the run; who looks at the last stop follows.
    """

    _esm = script("core.js", "asking.js", "theatre.js")
    _css = style("core.css", "theatre.css")

    about = traitlets.Bytes().tag(sync=True)
    curve = traitlets.Bytes().tag(sync=True)
    stops = traitlets.Bytes().tag(sync=True)
    numbers = traitlets.Bytes().tag(sync=True)
    live = traitlets.Bool().tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)
    at = traitlets.Int(-1).tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        page: Sequence[int],
        vocabulary: Sequence[bytes],
        *,
        levels: Sequence[tuple[str, float]],
        until: float,
        curve: Curve = (),
        stops: Sequence[Stop] = (),
        behind: Curve = (),
        behind_name: str = "",
        source: str = "",
        live: bool = False,
        token: int = 0,
        empty: str = "",
    ) -> None:
        self._vocabulary = vocabulary
        about = {
            "page": [readable(vocabulary[i]) for i in page],
            "ids": list(page),
            "levels": [[name, value] for name, value in levels],
            "until": until,
            "behind": [[float(x), float(y)] for x, y in behind],
            "behind_name": behind_name,
            "empty": empty,
        }
        super().__init__(
            about=json.dumps(about, ensure_ascii=False).encode(), source=source, live=live, token=token
        )
        self.play_to(curve, stops)

    def play_to(self, curve: Curve, stops: Sequence[Stop]) -> None:
        """Show the run up to here."""
        follow = self.at < 0 or self.at == self._last
        named = {int(i) for stop in stops for i in np.unique(stop.best)}
        about = {
            "stops": [[stop.tokens, stop.step, stop.prompt, stop.written] for stop in stops],
            "words": {i: readable(self._vocabulary[i]) for i in sorted(named)},
            "shown": stops[0].best.shape[1] if stops else 0,
        }
        rows = [[stop.probability, stop.best, stop.best_probability] for stop in stops]
        with self.hold_sync():
            self.curve = np.asarray(curve, dtype="<f4").tobytes()
            self.numbers = b"".join(np.asarray(part, dtype="<f4").tobytes() for row in rows for part in row)
            self.stops = json.dumps(about, ensure_ascii=False).encode()
            self._last = len(stops) - 1
            self.at = self._last if follow else min(self.at, self._last)

    _last = -1
