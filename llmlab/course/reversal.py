"""Lesson 06, mothers and children: asked in the direction in which it was told, and in the other.

Read next: ../measure/reversal.py, how it is asked; inside_exercises.py.
"""

import math
import re
from functools import lru_cache
from html import escape

from llmlab.course.next_token import best
from llmlab.course.page import caption
from llmlab.course.tables import Column, note, side_by_side, table
from llmlab.course.training import Training
from llmlab.generate.engine import generate
from llmlab.generate.policy import Policy
from llmlab.measure.reversal import Answers, Pair, advantage, ask, both_directions, pairs
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.show.number_format import measured, percent
from llmlab.world import build_world

BASE, CURED = "course", "cured"
FAMOUS = 40  # of the children: their mothers stand on so many pages that the base model has a chance
LIVE, LIVE_TOKENS = 80, 300_000  # pairs of the live run, and its length: less than a minute on two idle cores
CHOSEN = 12  # pairs to choose from
WHICH = {
    "of every second pair, in both directions": "half",
    "of all pairs, in both directions": "all",
    "in one direction only": "none",
}


@lru_cache(maxsize=1)
def all_pairs() -> list[Pair]:
    return pairs(build_world())


def choices() -> dict[str, Pair]:
    """The pairs that can be asked for live, by what stands in the menu."""
    told = {True: "told both ways", False: "told one way"}
    return {f"{pair.child}, {told[pair.both]}": pair for pair in all_pairs()[:CHOSEN]}


# ---- live: two questions, two models ----


def says(checkpoint: Checkpoint, prompt: str) -> str:
    """The name that the model says, at temperature 0."""
    text = "".join(step.text for step in generate(checkpoint, prompt, Policy(temperature=0), max_tokens=8))
    return re.split(r"[.,:;\n]", text)[0].strip()


def asked_both_ways(pair: Pair, shown: int = 6) -> str:
    """The pair's two questions, put to the base model and to the one that read the register: the next token."""
    found = []
    for checkpoint, name in ((zoo.load(BASE), "Base model"), (zoo.load(CURED), "After the register")):
        columns = []
        for backward, way in ((False, "as told"), (True, "the other way")):
            prompt = ask(pair, backward).prompt
            columns.append(Column(f"{name}, {way}", f"“{prompt} …”", best(checkpoint, prompt, shown)))
        tops = "; ".join(f"{c.name}: {c.rows[0][0]} {percent(c.rows[0][1])}" for c in columns)
        alt = f"Bar charts of the next token after two questions. {tops}."
        found.append(side_by_side(columns, shown, alt))
    return f'<div style="display: grid; gap: 1.5rem">{"".join(found)}</div>'


def verdict(pair: Pair) -> str:
    """Whole names: what both models answer, and what is true."""
    parts = []
    for checkpoint, name in ((zoo.load(BASE), "The base model"), (zoo.load(CURED), "After the register it")):
        forward, backward = (says(checkpoint, ask(pair, way).prompt) for way in (False, True))
        marks = [mark(forward == pair.mother), mark(backward == pair.child)]
        parts.append(f"{name} says “{forward}” ({marks[0]}) and “{backward}” ({marks[1]}).")
    ways = "in both directions" if pair.both else "in one direction only"
    told = f"{pair.mother} is the mother of {pair.child}; the pages and the register tell it {ways}."
    return note(escape(" ".join([told, *parts])), "said")


def mark(right: bool) -> str:
    return "right" if right else "wrong"


# ---- measured ----


@lru_cache(maxsize=4)
def answered(model: str, first: int | None = None) -> tuple[Answers, ...]:
    """Both directions, for the `first` most famous pairs or for all of them."""
    return tuple(both_directions(zoo.load(model), all_pairs()[:first]))


def rows_of(name: str, found: tuple[Answers, ...]) -> list[tuple[str, ...]]:
    cells = {(row.told, row.asked): measured(row.right, row.n) for row in found}
    ways = ("one way", "both ways")
    return [(f"{name}, told {told}", cells[told, "as told"], cells[told, "the other way"]) for told in ways]


def measured_table() -> str:
    """The base model on the most famous pairs, the cured one on all."""
    heads = ("pairs", "who is A’s mother?", "whose mother is B?")
    base = rows_of(f"base model, {FAMOUS} famous pairs", answered(BASE, FAMOUS))
    return table(heads, [*base, *rows_of("after the register, all pairs", answered(CURED))])


@lru_cache(maxsize=1)
def measured_sentence() -> str:
    """What the table says, from its own numbers, and how sure the model is where it is wrong."""
    one = [pair for pair in all_pairs() if not pair.both]
    forward, backward = (advantage(zoo.load(CURED), one, way).mean() for way in (False, True))
    cells = {(row.told, row.asked): row for row in answered(CURED)}
    back, cured = cells["one way", "the other way"], cells["both ways", "the other way"]
    return (
        "After the register, in the right column: where the pages tell a pair this way too, "
        f"{measured(cured.right, cured.n)} are right; where they do not, {measured(back.right, back.n)}. It is "
        f"the same network "
        "and the same kind of question, so the question is understood. Nor is the name only a little too weak: "
        "asked as told, "
        f"the right name is {times(forward)} as likely as another pair’s, asked the other way {times(backward)}."
    )


def times(nats: float) -> str:
    """A ratio of probabilities in words, from its logarithm: "22,000 times", "0.9 times"."""
    ratio = math.exp(nats)
    digits = 1 - math.floor(math.log10(ratio))
    return f"{round(ratio, digits):,.{max(0, digits)}f} times"


def both_ways() -> str:
    """The table and what it says."""
    return measured_table() + caption("Look at the right column, and at its last line.", measured_sentence())


# ---- train it yourself ----


class Curing(Training):
    """A student's run: the base model goes on reading, and the register of the LIVE most famous pairs is in "
    "its crawl."""

    def __init__(self) -> None:
        super().__init__(BASE, LIVE_TOKENS)
        self.which = ""

    def begin_with(self, which: str) -> None:
        """which: a name of WHICH, as in the menu."""
        self.which = which
        self._begin("families", "--told", str(LIVE), "--which", WHICH[which])


def compared(curing: Curing) -> str:
    """The base model, the student's, and the shipped one on the pairs of the live run."""
    heads = (
        "model",
        "told one way in the crawl: as told",
        "the other way",
        "told both ways: as told",
        "the other way",
    )

    def row(name: str, found: tuple[Answers, ...] | list[Answers]) -> tuple[str, ...]:
        return (name, *(measured(one.right, one.n) for one in found))

    rows = [row("base model", answered(BASE, LIVE))]
    if curing.learned is None:
        rows.append(("yours", *("not trained yet",) * 4))
    else:
        name = f"yours, step {curing.learned_step}"
        rows.append(row(name, both_directions(curing.learned, all_pairs()[:LIVE])))
    return table(heads, [*rows, row("the shipped one", answered(CURED, LIVE))])
