"""Tree: all roads at once, as nested blocks as high as they are likely.

A model never chooses a fact; it spreads its belief over continuations. `roads` asks it for the likely
ones, best first, and the widget draws them: height is the probability of the road, colour the verdict
of a checker, the ink frame the road that is true.

The slider re-heights the blocks without the model. For that a block carries its score, and each asked
place one number a temperature: the log-sum of exp(score / T) over the tokens that are not shown.
The blocks are exact at each of the slider's steps (TEMPERATURES).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets

from llmlab.show.asking import Answer, Asking, Reply, readable
from llmlab.show.bundle import script, style

TEMPERATURES = np.arange(20, 201, 5) / 100  # the slider's steps
VERDICTS = ("true", "false", "nothing")


@dataclass(frozen=True)
class Road:
    """One block: the token, its score among its siblings, what a checker says, and whom it hangs from."""

    id: int
    text: str
    score: float
    parent: int  # 0 is the prompt, i the i-th road (counted from 1)
    verdict: str = ""
    truth: bool = False
    special: bool = False


@dataclass(frozen=True)
class Roads:
    """The asked part of a tree. rest[place] (len(TEMPERATURES),): log-sums of what is not shown there."""

    ids: tuple[int, ...]
    roads: tuple[Road, ...]
    rest: dict[int, np.ndarray]

    def reply(self) -> Reply:
        """The answer to {"kind": "tree"}."""
        places = sorted(self.rest)
        structure = {
            "ids": [r.id for r in self.roads],
            "tokens": [r.text for r in self.roads],
            "parents": [r.parent for r in self.roads],
            "verdicts": [r.verdict for r in self.roads],
            "truth": [i for i, r in enumerate(self.roads) if r.truth],
            "special": [i for i, r in enumerate(self.roads) if r.special],
            "asked": places,
        }
        scores = np.array([r.score for r in self.roads], dtype="<f4")
        rest = np.array([self.rest[i] for i in places], dtype="<f4")
        return structure, [scores.tobytes(), rest.tobytes()]


def roads(
    ask: Callable[[list[int]], np.ndarray],
    ids: Sequence[int],
    vocabulary: Sequence[str | bytes],
    *,
    depth: int = 3,
    width: int = 6,
    least: float = 0.02,
    most: int = 60,
    verdict: Callable[[list[int]], str] | None = None,
    truth: Sequence[int] = (),
    special: Collection[int] = (),
) -> Roads:
    """The likely continuations of `ids`, asked for in the order of their probability.

    ask(ids) -> (V,) scores of the token after `ids`. At each asked place the `width` best tokens are
    shown; a road is asked further while its probability is at least `least`, it is shorter than `depth`,
    and fewer than `most` places were asked. verdict(continuation) says "true", "false", "nothing" or ""
    (not decided yet); what is decided stays decided further along. truth: ids of the true continuation,
    whose blocks are always shown.
    """
    found: list[Road] = []
    rest: dict[int, np.ndarray] = {}
    waiting: list[tuple[float, int, tuple[int, ...]]] = [(-1.0, 0, ())]
    while waiting and len(rest) < most:
        minus_p, place, way = heapq.heappop(waiting)
        z = np.asarray(ask([*ids, *way]), dtype=np.float64)
        best = [int(i) for i in np.argsort(-z, kind="stable")[:width]]
        true_here = len(way) < len(truth) and tuple(truth[: len(way)]) == way
        if true_here and truth[len(way)] not in best:
            best[-1] = int(truth[len(way)])
        hidden = np.delete(z, best)
        rest[place] = np.array([_log_sum(hidden / t) for t in TEMPERATURES])
        share = np.exp(z - _log_sum(z))
        for i in best:
            longer = (*way, i)
            said = (verdict(list(longer)) if verdict else "") or (found[place - 1].verdict if place else "")
            text = vocabulary[i] if isinstance(vocabulary[i], str) else readable(vocabulary[i])
            true = true_here and truth[len(way)] == i
            found.append(Road(i, text, float(z[i]), place, said, true, i in special))
            p = -minus_p * float(share[i])
            if len(longer) < depth and p >= least:
                heapq.heappush(waiting, (-p, len(found), longer))
    return Roads(tuple(ids), tuple(found), rest)


def _log_sum(z: np.ndarray) -> float:
    """log of the sum of exp(z), without overflow; -1e30 for none, which is 0 in the browser's float32."""
    return float(np.logaddexp.reduce(z)) if len(z) else -1e30


class Tree(Asking):
    """Continuations as nested blocks; a press walks in.

    first: the roads to start with. prompt: the text before them. answer: see asking.py; the reply to
    {"kind": "tree", "ids": ...} is `roads(...).reply()`. source: who answers. judging: what an engine in the page
    needs to check roads by itself: {"value": the right name, "values": all names that there are, "question": its
    ids, "truth": those of its true continuation}; {} without verdicts.

    Out: path (ids taken since the prompt), text (prompt and path), temperature.
    """

    _esm = script("core.js", "asking.js", "engine.js", "tree.js")
    _css = style("core.css", "tree.css")

    first = traitlets.Dict().tag(sync=True)
    first_scores = traitlets.Bytes().tag(sync=True)
    first_rest = traitlets.Bytes().tag(sync=True)
    temperatures = traitlets.Bytes().tag(sync=True)
    prompt = traitlets.Unicode().tag(sync=True)
    ids = traitlets.List(traitlets.Int()).tag(sync=True)
    live = traitlets.Bool().tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    judging = traitlets.Dict().tag(sync=True)

    temperature = traitlets.Float(1.0).tag(sync=True)
    path = traitlets.List(traitlets.Int()).tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, first: Roads, *, prompt: str, answer: Answer | None = None, source: str = "", **traits: Any
    ) -> None:
        super().__init__(
            answer,
            temperatures=TEMPERATURES.astype("<f4").tobytes(),
            live=answer is not None,
            source=source,
            text=prompt,
            **self._begin(first, prompt),
            **traits,
        )

    @staticmethod
    def _begin(first: Roads, prompt: str) -> dict[str, Any]:
        structure, (scores, rest) = first.reply()
        return {
            "first_scores": scores,
            "first_rest": rest,
            "prompt": prompt,
            "ids": list(first.ids),
            "first": structure,
        }

    def show(self, first: Roads, prompt: str) -> None:
        """Write another tree into the widget."""
        with self.hold_sync():
            for name, value in self._begin(first, prompt).items():
                setattr(self, name, value)
            self.path, self.text = [], prompt
