"""Lesson 08, measured: many corrections one by one, and what each part of the recipe is for.

The numbers are recorded (`llmlab record loop`) with the assistant that came with the course; `llmlab figures` measures
the first row again.

Read next: the_loop_exercises.py.
"""

from functools import lru_cache
from html import escape

from llmlab.course.tables import note, table
from llmlab.errors import LabError
from llmlab.model import zoo
from llmlab.model.checkpoint import fingerprint
from llmlab.report import loop
from llmlab.report.loop import Outcome, Recording
from llmlab.show.number_format import measured, percent

NAMES = {
    "whole": "the whole recipe",
    "one wording": "one wording only",
    "no practice": "no old conversations",
}


@lru_cache(maxsize=1)
def recording() -> Recording:
    return loop.load()


def source() -> str:
    """Whose numbers these are."""
    found = recording()
    own = found.assistant == fingerprint(zoo.load("assistant")).hex()[:16]
    return f"recorded{'' if own else ' from an earlier model'}, assistant, seed {found.seed}"


def fresh_share(outcomes: list[Outcome]) -> float:
    return sum(one.fresh for one in outcomes) / sum(one.of for one in outcomes)


def points(outcomes: list[Outcome]) -> str:
    """What a correction costs elsewhere, in points of the exam."""
    lost = loop.points_lost(outcomes)
    return f"{abs(lost):.1f} {'lost' if lost >= 0 else 'won'}".replace("0.0 lost", "0.0")


def recipes_table() -> str:
    """For each recipe: how many corrections work, and what they cost. A sentence where there is no recording."""
    rows = []
    try:
        found = recording()
    except LabError as error:
        return note(escape(str(error)))
    for name, outcomes in found.outcomes.items():
        works = sum(one.works for one in outcomes)
        seconds = sorted(one.seconds for one in outcomes)[len(outcomes) // 2]
        rows.append(
            (
                NAMES[name],
                measured(works, len(outcomes)),
                percent(fresh_share(outcomes)),
                f"{points(outcomes)} ({loop.examined(outcomes)} exams)",
                f"{seconds:.0f}\u00a0s",
            )
        )
    return table(
        (
            "learned with",
            "right in all 3 fresh wordings",
            "of all fresh wordings",
            "points of 100 elsewhere",
            "time",
        ),
        rows,
    )


def recipes_sentence() -> str:
    """How to read it."""
    try:
        found = recording()
    except LabError:
        return "The numbers come here when they have been recorded."
    alone, bare = fresh_share(found.outcomes["one wording"]), loop.points_lost(found.outcomes["no practice"])
    whole = loop.points_lost(found.outcomes["whole"])
    return (
        f"Each case is a random question that the assistant answered wrongly or not at all. With one wording only, "
        f"{percent(alone)} of the fresh ones get the answer. The exam has {found.exam} questions, of which "
        f"{found.before} were right before; without old conversations to practise beside it, a correction changes it "
        f"by {-bare:+.1f} points, with them by {-whole:+.1f}. {source().capitalize()}."
    ).replace("-", "−")


class Guess:
    """Two guesses, committed before anything is shown: what will be learned, and what will be lost."""

    FRESH = ("none or one", "two", "all three")
    LOST = ("none or one", "two to five", "six to ten", "more than ten")

    def __init__(self) -> None:
        self.answer = ""

    def reply(self, fresh: str | None, lost: str | None, commit: bool) -> str:
        if self.answer or not commit:
            return self.answer or note("What was measured comes with your guess.")
        if not fresh or not lost:
            return note("Both questions need an answer before you press the button.")
        try:
            outcomes = recording().outcomes["whole"]
        except LabError as error:
            return note(escape(str(error)))
        works, n = sum(one.works for one in outcomes), len(outcomes)
        right = fresh == self.FRESH[2] if 2 * works > n else fresh != self.FRESH[2]
        points_lost = loop.points_lost(outcomes)
        exact = self.LOST[
            0 if points_lost < 1.5 else 1 if points_lost < 5.5 else 2 if points_lost < 10.5 else 3
        ]
        self.answer = note(
            f"<b>{right + (lost == exact)} of 2.</b> All three wordings were right in {measured(works, n)} corrections"
            f", and on average {abs(points_lost):.1f} right answers in a hundred were "
            f"{'lost' if points_lost >= 0 else 'won'} elsewhere. Your own correction may be an exception: look below.",
            "said",
        )
        return self.answer
