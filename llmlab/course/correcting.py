"""One round of the loop in a child process: learn the corrections, then find out what became of the answers.

The run's folder holds corrections.jsonl, which the student's page has written; in the end it holds an adapter and a
report. Records on the way: Step (train/loop.py), {"stage": "exam", "done", "total"}, and last the report:

    {"recipe", "seconds", "corrections": [question], "fresh": [row], "exam": [row], "right_before", "right_after"}

where a row is {"question", "before", "after", "was", "is"}: two answers, and whether each is right.

Read next: work.py, who runs this; the_loop.py, who shows it.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from llmlab.course.corrections import imported
from llmlab.course.versions import saved_report
from llmlab.errors import LabError
from llmlab.measure.assistant import asked, verdict
from llmlab.measure.loop import FRESH, paper, right, says
from llmlab.model import checkpoint, zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.train.correct import correct, recipe_named
from llmlab.world import build_world
from llmlab.world.facts import World
from llmlab.world.talk import practice
from llmlab.world.talk.conversation import Conversation, exchange
from llmlab.world.talk.rephrase import Correction, fresh, named_in

EXAM = 60  # questions about everything else; each is put to two models
AT_ONCE = 20  # of them between two signs of life
ORDERS = "corrections.jsonl"


def round_of_the_loop(model: str, size: str, out: Path, recipe: str) -> Iterator[dict]:
    """Learn what stands in the folder's list, by a recipe of train/correct.py, and examine what came out."""
    assistant, world = zoo.load(model), build_world(size)
    try:
        orders = [one.correction for one in imported((out / ORDERS).read_text(encoding="utf-8"))]
    except OSError:
        raise LabError("The list of corrections is gone. Start the retraining again.") from None
    began = time.perf_counter()
    for step in correct(assistant, world, orders, practice.read(), out, recipe_named(recipe)):
        yield asdict(step)
    seconds = round(time.perf_counter() - began, 1)
    learned = checkpoint.load(out / "model")
    corrected = [row for one in orders for row in of_a_correction(assistant, learned, world, one)]
    names = {entity.name for one in orders for entity in named_in(world, one.question)}
    exam, rows = paper(world, EXAM, without=names), []
    for first in range(0, len(exam), AT_ONCE):
        yield {"stage": "exam", "done": first, "total": len(exam)}
        rows += compared(assistant, learned, world, exam[first : first + AT_ONCE])
    report = {
        "recipe": recipe,
        "seconds": seconds,
        "corrections": [one.question for one in orders],
        "fresh": corrected,
        "exam": [row for row in rows if row["before"] != row["after"]],
        "asked": len(rows),
        "right_before": sum(row["was"] for row in rows),
        "right_after": sum(row["is"] for row in rows),
    }
    saved_report(out, report)
    yield report


def of_a_correction(
    before: Checkpoint, after: Checkpoint, world: World, correction: Correction
) -> Iterator[dict]:
    """What both models answer to wordings that were not practised; right is what says what the correction says."""
    questions = [exchange("correction", q, "") for q in fresh(world, correction.question, FRESH)]
    for one, old, new in zip(questions, asked(before, questions), asked(after, questions), strict=True):
        yield row(one, old.text, new.text, *(says(reply.text, correction) for reply in (old, new)))


def compared(
    before: Checkpoint, after: Checkpoint, world: World, questions: Sequence[Conversation]
) -> Iterator[dict]:
    """What both models answer to questions of an exam."""
    for one, old, new in zip(questions, asked(before, questions), asked(after, questions), strict=True):
        fact = world.facts[one.facts[0]] if one.facts else None
        yield row(one, old.text, new.text, *(right(verdict(reply.text, fact), one) for reply in (old, new)))


def row(asked_for: Conversation, before: str, after: str, was: bool, now: bool) -> dict:
    return {"question": asked_for.question, "before": before, "after": after, "was": was, "is": now}
