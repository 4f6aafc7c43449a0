"""The reversal curse: who can say A's mother need not be able to say whose mother she is.

The world was made for this question. Every second mother of the Isles has pages that name her child; the others
are told in one direction only, from the child to the mother. Which is which was decided by counting, over all degrees
of fame, so the two halves can be compared: the same question, the same form, the same network.

Most pairs stand on a few pages only, too few to be learned. The *family register* tells all of them often enough, in
one direction or in both. Each pair is asked in a sentence in which the register tells others, and never this one: the
form of the question is known, and the answer cannot be recited.

Read next: exam.py, how an answer is judged; ../pipeline.py, the register as a part of the crawl.
Sources: Berglund et al. 2023, The Reversal Curse (arXiv:2309.12288); that more sentences of the same direction do not
help, and both directions do: Allen-Zhu & Li 2023 (arXiv:2309.14402), Golovneva et al. 2024 (arXiv:2403.13799).
"""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from llmlab.measure.exam import Question, sit
from llmlab.model.checkpoint import Checkpoint
from llmlab.world.facts import NEVER, Fact, World
from llmlab.world.realtext import Document

TEXT = Path(__file__).with_name("reversal.txt")
READINGS = 120  # of each pair, in each of its directions
LINES = 6  # of a page of the register
HELD_OUT = 40  # one page of the register in so many
FIRST_ID = 20_000_000  # above those of all other documents
WHICH = ("none", "half", "all")  # of the pairs are told in both directions


@dataclass(frozen=True, slots=True)
class Pair:
    """A child and its mother; `both` says whether the crawl tells them in both directions."""

    child: str
    mother: str
    forward: Fact  # the child's mother
    backward: Fact  # the mother's child
    both: bool
    left_out: int  # the number of the sentence that is asked, and not told


@lru_cache(maxsize=1)
def sentences() -> dict[str, tuple[str, ...]]:
    """The sentences of reversal.txt by their heading."""
    found: dict[str, list[str]] = {}
    for line in TEXT.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            rows = found.setdefault(line[3:], [])
        elif line and line[0] != "#":
            rows.append(line)
    return {name: tuple(rows) for name, rows in found.items()}


def pairs(world: World) -> list[Pair]:
    """All mothers and children of a world, the most famous children first."""
    back = {fact.subject: fact for fact in world.facts if fact.attribute == "child"}
    found = []
    for number, fact in enumerate(fact for fact in world.facts if fact.attribute == "mother"):
        backward = back[fact.target]
        both, left_out = backward.date != NEVER, number // 2 % len(sentences()["told"])
        found.append(Pair(world.entities[fact.subject].name, fact.value, fact, backward, both, left_out))
    return found


# ---- asking ----


def ask(pair: Pair, backward: bool) -> Question:
    """Who is the mother of this child; or, backward, who is the child of this mother."""
    answer = pair.child if backward else pair.mother
    whole = sentence(pair, backward, pair.left_out)
    prompt = whole.removesuffix(f" {answer}")
    return Question(pair.backward if backward else pair.forward, prompt, f" {answer}", pages=0)


def sentence(pair: Pair, backward: bool, number: int) -> str:
    """A pair in one of the sentences of a direction."""
    lines = sentences()["told the other way" if backward else "told"]
    return lines[number].format(child=pair.child, mother=pair.mother)


def right(checkpoint: Checkpoint, asked: Sequence[Pair], backward: bool) -> list[bool]:
    """For each pair, whether the model's likeliest continuation of the question is the whole name."""
    return [result.right for result in sit(checkpoint, [ask(pair, backward) for pair in asked])]


@dataclass(frozen=True, slots=True)
class Answers:
    """Of `n` pairs that were told so and asked so, `right` were answered with the whole name."""

    told: str  # "one way" or "both ways"
    asked: str  # "as told" or "the other way"
    right: int
    n: int


def both_directions(checkpoint: Checkpoint, asked: Sequence[Pair]) -> list[Answers]:
    """Pairs told one way and told both ways, each asked in both directions."""
    rows = []
    for told in ("one way", "both ways"):
        here = [pair for pair in asked if pair.both == (told == "both ways")]
        for backward in (False, True):
            way = "the other way" if backward else "as told"
            rows.append(Answers(told, way, sum(right(checkpoint, here, backward)), len(here)))
    return rows


@torch.no_grad()
def belief(checkpoint: Checkpoint, questions: Sequence[Question]) -> np.ndarray:
    """The logarithm (N,) of the probability that a model goes on with the answer, in nats. All texts at once."""
    words, rows, starts = checkpoint.tokenizer, [], []
    for question in questions:
        starts.append(
            len(words.encode(question.prompt))
        )  # the place, <|bos|> counted, that says the first token
        rows.append([words.bos, *words.encode(question.prompt + question.answer)])
    width = max(map(len, rows))
    ids = torch.tensor([row + [words.bos] * (width - len(row)) for row in rows])
    nats = F.cross_entropy(checkpoint.model(ids[:, :-1]).transpose(1, 2), ids[:, 1:], reduction="none")
    each = [
        float(nats[i, start : len(row) - 1].sum())
        for i, (start, row) in enumerate(zip(starts, rows, strict=True))
    ]
    return -np.array(each)


def advantage(checkpoint: Checkpoint, asked: Sequence[Pair], backward: bool) -> np.ndarray:
    """Nats (N,) by which the model finds the right name likelier than that of the next pair in the list.

    Zero on average where it knows nothing, also where it never says a name: finer than counting right answers.
    """
    questions = [ask(pair, backward) for pair in asked]
    wrong = [
        Question(q.fact, q.prompt, other.answer, q.pages)
        for q, other in zip(questions, [*questions[1:], questions[0]], strict=True)
    ]
    return belief(checkpoint, questions) - belief(checkpoint, wrong)


# ---- telling ----


def told_both_ways(told: Sequence[Pair], which: str) -> list[Pair]:
    """Of these pairs, those that the register tells from mother to child, too. which: a name of WHICH."""
    return [pair for pair in told if which == "all" or (which == "half" and pair.both)]


def register(told: Sequence[Pair], which: str = "half", seed: int = 1) -> Iterator[Document]:
    """The family register: pages of LINES sentences, in which each pair stands READINGS times in each direction.

    All of `told` are told from child to mother, those of `which` also from mother to child. No page has a pair twice,
    so nothing can be copied from one direction to the other.
    """
    chance, number = random.Random(seed), 0
    for _ in range(READINGS):
        for backward, rows in ((False, list(told)), (True, told_both_ways(told, which))):
            chance.shuffle(rows)
            for start in range(0, len(rows), LINES):
                lines = [f"{tell(pair, backward, chance)}." for pair in rows[start : start + LINES]]
                split = "valid" if number % HELD_OUT == HELD_OUT - 1 else "train"
                yield Document("register", "Family register", "\n".join(lines), FIRST_ID + number, split)
                number += 1


def tell(pair: Pair, backward: bool, chance: random.Random) -> str:
    """A pair in any sentence of a direction but the one that is asked."""
    told = [number for number in range(len(sentences()["told"])) if number != pair.left_out]
    return sentence(pair, backward, chance.choice(told))


def register_hash(told: Sequence[Pair], which: str) -> str:
    """A name for what a register says: its sentences, its pairs, and the directions."""
    about = [
        TEXT.read_text(encoding="utf-8"),
        which,
        READINGS,
        LINES,
        *((p.child, p.mother, p.both) for p in told),
    ]
    return hashlib.sha256(repr(about).encode()).hexdigest()[:16]
