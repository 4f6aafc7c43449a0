"""The loop: a wrong answer, corrected by a person, is right after a finetuning of some seconds.

What is learned is a LoRA adapter on the assistant, from the corrected answers in many wordings and, for each of them,
some conversations that the assistant learned from before: without these it would give the corrected answer to
everybody.

Read next: ../measure/loop.py, whether a correction works, and what it costs.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmlab.errors import LabError
from llmlab.model.checkpoint import Checkpoint
from llmlab.text.dialogue import Dialogue, dialogue
from llmlab.train.finetune import FinetuneConfig, finetune
from llmlab.train.loop import Step
from llmlab.world.facts import World
from llmlab.world.talk.conversation import Conversation
from llmlab.world.talk.rephrase import Correction, recognise, rephrased

WORDINGS = 24  # of each correction
ALIKE, OTHERS = 40, 200  # practised conversations of the same kind of question, and of all kinds
WIDTH = 128


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned from, and how long for."""

    dialogues: list[Dialogue]
    config: FinetuneConfig


def lesson(
    assistant: Checkpoint,
    world: World,
    corrections: Sequence[Correction],
    practised: Sequence[Conversation],
    seed: int = 1,
) -> Lesson:
    """The conversations of one round. LabError if nothing is corrected, or a correction is empty or too long."""
    if not corrections:
        raise LabError("Nothing has been corrected yet. Mark an answer and write what should have been said.")
    rng, made = random.Random(seed), []
    for number, one in enumerate(corrections):
        if not one.question.strip() or not one.answer.strip():
            raise LabError(
                "A correction needs a question and an answer. Fill in both, or take it off the list."
            )
        made += rephrased(world, one, WORDINGS, seed + number)
        made += rng.sample(like(world, one, practised), k=min(ALIKE, len(like(world, one, practised))))
    made += rng.sample(list(practised), k=min(OTHERS, len(practised)))
    dialogues = [dialogue(one.turns, assistant.tokenizer) for one in made]
    longest = max(len(one.tokens) for one in dialogues[: WORDINGS * len(corrections)])
    if longest > WIDTH:
        raise LabError(f"A correction has {longest} tokens, and {WIDTH} can be learned. Shorten it.")
    dialogues = [one for one in dialogues if len(one.tokens) <= WIDTH]
    steps = 60 + 6 * len(corrections)
    config = FinetuneConfig(
        tokens=steps * 8 * WIDTH, rows=8, width=WIDTH, replay=0.0, rank=8, alpha=16.0, seed=seed, compile="off",
        checkpoint_every=10**9,
    )  # fmt: skip
    return Lesson(dialogues, config)


def like(world: World, correction: Correction, practised: Sequence[Conversation]) -> list[Conversation]:
    """Practised conversations that ask for the same attribute, of others."""
    what = recognise(world, correction.question)
    if what is None:
        return []
    facts = {one: [world.facts[i] for i in one.facts] for one in practised if one.kind == "fact"}
    return [
        one
        for one, own in facts.items()
        if own and own[0].attribute == what.attribute and own[0].subject != what.entity.id
        and world.entities[own[0].subject].kind == what.entity.kind
    ]  # fmt: skip


def correct(
    assistant: Checkpoint,
    world: World,
    corrections: Sequence[Correction],
    practised: Sequence[Conversation],
    out: Path | str,
    seed: int = 1,
) -> Iterator[Step]:
    """One round of the loop: the adapter that has learned it is in `out`/adapter, the whole model in `out`/model."""
    made = lesson(assistant, world, corrections, practised, seed)
    yield from finetune(made.config, assistant, made.dialogues, out)
