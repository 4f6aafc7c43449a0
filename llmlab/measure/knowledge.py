"""What does a model know already? Asked before it is taught to answer.

Each fact is put to the model as the beginning of plain answers ("Ilva Torrend lives in"). If in one of them each token
of the value is the likeliest at its place, the fact counts as known; if the model is never right and not sure of
anything, as unknown. Finetuning then teaches answers to what is known and "I don't know" to what is not: an assistant
cannot look into itself, so its labeller has to.

Read next: ../world/talk/about_facts.py, where this is used; exam.py, the same question put as an exam.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from llmlab.measure.exam import templates as exam_sentences
from llmlab.model.checkpoint import Checkpoint
from llmlab.text.tokenizer import Tokenizer
from llmlab.world.draft import Casting, Unfit
from llmlab.world.english import capital
from llmlab.world.facts import Fact, World
from llmlab.world.talk.about_facts import askable
from llmlab.world.talk.phrases import cast, forms, start

WORDINGS = 2  # of each answer: the plainest ones stand first in the files
BATCH = 64
SURE = 0.3  # from here on a model has an idea of a value, be it a wrong one (see Completion)


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence that states a fact; its value stands at text[begin:end]."""

    fact: int
    text: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model does with a statement: whether it completes the value, and how sure it is.

    `sure` is the probability of its first choice at the token of the value where that is lowest: the first digit of a
    year is never in doubt, and says nothing.
    """

    statement: Statement
    right: bool
    sure: float


class Memory(NamedTuple):
    """Ids of the facts that a model knows, and of those of which it has no idea. What is in neither is half known."""

    known: frozenset[int]
    unknown: frozenset[int]


def memory(completions: Iterable[Completion]) -> Memory:
    """Known: completed in one wording or more. Unknown: in none, and the model is on average less than SURE."""
    known, sure = set(), {}
    for one in completions:
        sure.setdefault(one.statement.fact, []).append(one.sure)
        if one.right:
            known.add(one.statement.fact)
    unsure = {fact for fact, each in sure.items() if sum(each) / len(each) < SURE}
    return Memory(frozenset(known), frozenset(unsure - known))


def facts_with_questions(world: World) -> list[Fact]:
    """All facts that can be asked for in a conversation."""
    return [fact for entity in world.entities for fact in askable(world, entity)]


def statements(world: World, facts: Iterable[Fact]) -> Iterator[Statement]:
    """Each fact in WORDINGS plain answers and, where it has one, in the exam's sentence."""
    casting = Casting(world)
    for fact in facts:
        entity = world.entities[fact.subject]
        exam = exam_sentences().get((entity.kind, fact.attribute))
        for form in (*forms(f"{entity.kind}.{fact.attribute} tell")[:WORDINGS], *([exam] if exam else [])):
            draft = start(casting, seed=0)
            draft.year = fact.date  # also what no page may say yet can be asked
            cast(draft, entity)
            try:
                text = capital(draft.render(form))
            except Unfit:
                continue
            at = text.rfind(fact.value)
            if at > 0:
                yield Statement(fact.id, text, at, at + len(fact.value))


@torch.inference_mode()
def completed(checkpoint: Checkpoint, stated: Sequence[Statement]) -> Iterator[Completion]:
    """What the model does with each statement: right where every token of the value is the likeliest at its place.

    Fastest where statements of about one length stand side by side.
    """
    words = checkpoint.tokenizer
    for first in range(0, len(stated), BATCH):
        batch = stated[first : first + BATCH]
        rows = [[words.bos, *words.encode(one.text)] for one in batch]
        width = max(map(len, rows))
        idx = torch.tensor([row + [words.bos] * (width - len(row)) for row in rows])
        chance, best = (part.tolist() for part in checkpoint.model(idx).softmax(-1).max(-1))
        for one, row, guess, share in zip(batch, rows, best, chance, strict=True):
            inside = places(words, one.text, row, one.begin, one.end)
            right = bool(inside) and all(guess[i - 1] == row[i] for i in inside)
            yield Completion(one, right, min((share[i - 1] for i in inside), default=0.0))


def places(words: Tokenizer, text: str, row: list[int], begin: int, end: int) -> list[int]:
    """Which tokens of a row (<|bos|> first) hold letters of text[begin:end]."""
    low, high = len(text[:begin].encode()), len(text[:end].encode())
    at, found = 0, []
    for i, token in enumerate(row[1:], 1):
        after = at + len(words.token_bytes(token))
        if at < high and after > low:
            found.append(i)
        at = after
    return found
