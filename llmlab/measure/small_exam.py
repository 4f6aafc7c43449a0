"""A small exam for an assistant, short enough to be sat while a student waits.

Questions for facts that the base model reads often, and for names that nobody bears; three marks: what is said, what
is made up, and whether the answer keeps to the form of the labelling instructions.

Read next: assistant.py, the long one; ../course/finetuning_live.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from llmlab.measure.assistant import MADE_UP, REFUSED, RIGHT, Reply, exam, replies, unknown, verdicts
from llmlab.model.checkpoint import Checkpoint
from llmlab.world.facts import Fact, World

QUESTIONS = 60  # of each of the two kinds
MOST_TOKENS = 60  # of a reply: a good answer to one question has some 20


@dataclass(frozen=True, slots=True)
class Marks:
    """Answers to `n` questions for facts, and to `nobodies` about nobody. `in_form` is of all n + nobodies."""

    right: int
    refused: int
    made_up: int
    n: int
    admitted: int  # "I don't know" about nobody
    nobodies: int
    in_form: int


def in_form(reply: Reply) -> bool:
    """One answer that ends by itself: it begins with a capital, ends with a full stop, and asks nothing."""
    text = reply.text
    return reply.ended and text[:1].isupper() and text.endswith(".") and not set("?!") & set(text)


def sit(
    checkpoint: Checkpoint, world: World, facts: Iterable[Fact], n: int = QUESTIONS, seed: int = 0
) -> Marks:
    """The exam on up to `n` of these facts and on `n` names that nobody bears."""
    known, nobody = exam(world, facts, n, seed), unknown(world, n, seed)
    answers, others = (
        replies(checkpoint, [one.turns[:-1] for one in some], MOST_TOKENS) for some in (known, nobody)
    )
    found = verdicts(world, known, answers)
    return Marks(
        right=found.count(RIGHT),
        refused=found.count(REFUSED),
        made_up=found.count(MADE_UP),
        n=len(known),
        admitted=verdicts(world, nobody, others).count(REFUSED),
        nobodies=len(nobody),
        in_form=sum(map(in_form, (*answers, *others))),
    )
