"""Does a correction work, and what does it cost? One round of the loop, examined.

A random question that the assistant answers wrongly, or not at all, is corrected with the truth, learned, and asked
again in wordings that were neither trained on nor typed. Beside it the same exam is put to the assistant before and
after: what a correction takes away elsewhere.

Read next: ../report/loop.py, a hundred of these.
"""

import random
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from llmlab.measure.assistant import REFUSED, RIGHT, asked, exam, judged, unknown, verdict
from llmlab.measure.knowledge import facts_with_questions
from llmlab.model.checkpoint import Checkpoint
from llmlab.world.draft import Casting, Unfit
from llmlab.world.facts import CUTOFF, Fact, World
from llmlab.world.talk.conversation import Conversation, exchange
from llmlab.world.talk.phrases import cast, forms, say, start
from llmlab.world.talk.rephrase import Correction, frame_of_answers

FRESH = 3  # wordings in which a corrected question is asked
FAMOUS = 20  # of each kind, for the exam's first half


@dataclass(frozen=True, slots=True)
class Case:
    """A fact that the assistant gets wrong, the correction, and the questions that are asked afterwards."""

    fact: Fact
    correction: Correction
    fresh: tuple[Conversation, ...]


def cases(assistant: Checkpoint, world: World, n: int, seed: int = 0) -> list[Case]:
    """`n` facts, drawn evenly, which the assistant does not tell when it is asked in the words of the correction."""
    rng, casting, found = random.Random(seed), Casting(world), []
    facts = [fact for fact in facts_with_questions(world) if fact.date <= CUTOFF]
    while len(found) < n:
        drawn = []
        for fact in rng.sample(facts, k=2 * n):
            with suppress(Unfit):
                drawn.append(one_case(casting, world, fact, rng))
        typed = [exchange("fact", case.correction.question, "") for case in drawn]
        for case, reply in zip(drawn, asked(assistant, typed), strict=True):
            if verdict(reply.text, case.fact) != RIGHT:
                found.append(case)
    return found[:n]


def one_case(casting: Casting, world: World, fact: Fact, rng: random.Random) -> Case:
    """The correction of one fact, and FRESH held-out wordings of its question."""
    entity = world.entities[fact.subject]
    rule = f"{entity.kind}.{fact.attribute}"
    draft = start(casting, rng.getrandbits(40), asked=False)
    cast(draft, entity)
    correction = Correction(say(draft, f"{rule} ask"), say(draft, f"{rule} tell"))
    fresh = []
    for form in rng.sample(forms(f"{rule} held"), k=FRESH):
        cast(draft, entity)
        fresh.append(exchange("fact", draft.render(form), correction.answer, facts=(fact.id,)))
    return Case(fact, correction, tuple(fresh))


def works(corrected: Checkpoint, world: World, case: Case) -> bool:
    """Whether the corrected assistant gives the fact in every fresh wording."""
    return set(judged(corrected, world, case.fresh)) == {RIGHT}


def says(answer: str, correction: Correction) -> bool:
    """Whether an answer says what a correction says, where no fact of the world is known to be meant.

    It has to hold every word of the correction that is neither in the question nor part of the language of answers
    ("lives in"): those are what was asked for.
    """
    of = lambda text: set(re.findall(r"\w+", text.casefold()))  # noqa: E731
    asked_for = of(correction.answer) - of(correction.question) - frame_of_answers()
    return asked_for <= of(answer) if asked_for else answer.casefold() == correction.answer.strip().casefold()


# ---- elsewhere ----


def paper(world: World, n: int, seed: int = 0, without: Collection[str] = ()) -> list[Conversation]:
    """An exam of `n` questions in held-out wordings: half for the facts of the famous, a quarter for any facts, and a
    quarter about names that nobody bears, where the right answer is that one does not know.

    without: names that are not asked about, because something about them was corrected.
    """
    facts = [
        fact
        for fact in facts_with_questions(world)
        if fact.date <= CUTOFF and world.entities[fact.subject].name not in without
    ]
    famous = [fact for fact in facts if world.entities[fact.subject].rank < FAMOUS]
    half, quarter = n // 2, n // 4
    return [
        *exam(world, famous, half, seed),
        *exam(world, facts, n - half - quarter, seed + 1),
        *unknown(world, quarter, seed + 2),
    ]


def right(verdict: str, question: Conversation) -> bool:
    """Whether a verdict is the one to be hoped for: the fact, or, where there is none, that one does not know."""
    return verdict == (RIGHT if question.facts else REFUSED)


def elsewhere(model: Checkpoint, world: World, questions: Sequence[Conversation]) -> int:
    """How many of an exam's questions a model answers rightly."""
    found = judged(model, world, questions)
    return sum(right(one, question) for one, question in zip(found, questions, strict=True))
