"""The loop: a wrong answer, corrected by a person, is right after a finetuning of some seconds.

What is learned is a LoRA adapter on the assistant, from the corrected answers in many wordings. Beside them the
assistant reads conversations that it knows, and there it is held to what it would have said anyway: without these it
would give the corrected answer, or its manner, to everybody.

Read next: ../measure/loop.py, whether a correction works, and what it costs.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from llmlab.errors import LabError
from llmlab.model.checkpoint import Checkpoint
from llmlab.text.dialogue import Dialogue, dialogue
from llmlab.train.finetune import FinetuneConfig, finetune
from llmlab.train.loop import Step
from llmlab.world.facts import World
from llmlab.world.talk.conversation import Conversation
from llmlab.world.talk.rephrase import Correction, proposals, recognise, rephrased

WIDTH = 128


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a correction is learned.

    Of each correction `examples` are practised, in at most `wordings` different wordings. Beside them nothing should
    change in `alike` conversations of the same kind of question about others, and in `others` of all kinds. There are
    `steps` steps, and `more` for each correction; a step reads `rows` of the corrections, and `kept` of the rest.
    """

    wordings: int = 12
    examples: int = 24
    alike: int = 40
    others: int = 200
    steps: int = 70
    more: int = 6
    rows: int = 2
    kept: int = 6
    rank: int = 8
    rate: float = 2e-3


RECIPES = {
    "whole": Recipe(),
    "one wording": Recipe(wordings=1),
    "no practice": Recipe(alike=0, others=0, kept=0),
}


def recipe_named(name: str) -> Recipe:
    """A recipe by its name. LabError where there is none."""
    if name not in RECIPES:
        raise LabError(f"There is no recipe {name!r}. Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned, in which conversations nothing should change, and how long for."""

    dialogues: list[Dialogue]
    kept: list[Dialogue]
    config: FinetuneConfig


def lesson(
    assistant: Checkpoint,
    world: World,
    corrections: Sequence[Correction],
    practised: Sequence[Conversation],
    recipe: Recipe = RECIPES["whole"],
    seed: int = 1,
) -> Lesson:
    """The conversations of one round. LabError if nothing is corrected, or a correction is empty or too long."""
    if not corrections:
        raise LabError("Nothing has been corrected yet. Mark an answer and write what should have been said.")
    rng, made, others = random.Random(seed), [], []
    for number, one in enumerate(corrections):
        if not one.question.strip() or not one.answer.strip():
            raise LabError(
                "A correction needs a question and an answer. Fill in both, or take it off the list."
            )
        wordings = one.wordings or proposals(world, one.question, recipe.wordings, seed + number)
        one = replace(one, wordings=tuple(wordings[: recipe.wordings]))
        made += rephrased(world, one, recipe.examples)
        alike = like(world, one, practised)
        others += rng.sample(alike, k=min(recipe.alike, len(alike)))
    others += rng.sample(list(practised), k=min(recipe.others, len(practised)))
    learned = [dialogue(one.turns, assistant.tokenizer) for one in made]
    if (longest := max(len(one.tokens) for one in learned)) > WIDTH:
        raise LabError(f"A correction has {longest} tokens, and {WIDTH} can be learned. Shorten it.")
    known = [dialogue(one.turns, assistant.tokenizer) for one in others]
    kept = [one for one in known if len(one.tokens) <= WIDTH]
    steps = recipe.steps + recipe.more * len(corrections)
    rows = recipe.rows + recipe.kept
    config = FinetuneConfig(
        tokens=steps * rows * WIDTH, rows=rows, width=WIDTH, kept_rows=recipe.kept, replay=0.0,
        rank=recipe.rank, alpha=2.0 * recipe.rank,
        adapter_lr=recipe.rate, seed=seed, compile="off", checkpoint_every=10**9,
    )  # fmt: skip
    return Lesson(learned, kept, config)


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
    recipe: Recipe = RECIPES["whole"],
    seed: int = 1,
) -> Iterator[Step]:
    """One round of the loop: the adapter that has learned it is in `out`/adapter, the whole model in `out`/model."""
    made = lesson(assistant, world, corrections, practised, recipe, seed)
    yield from finetune(made.config, assistant, made.dialogues, out, kept=made.kept)
