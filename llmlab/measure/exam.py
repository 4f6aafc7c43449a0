"""The fact exam: what does a model know, and how often did it have to read it?

Each question is the beginning of a sentence that can only go on with one fact ("Ilva Torrend lives in"). It is
right when the model's most likely continuation is the fact, token for token. Grouped by the number of training
pages that state the fact, the answers give the curve of lesson 05: knowledge is exposure.

Read next: dreams.py.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from llmlab.model.checkpoint import Checkpoint
from llmlab.world.draft import Casting, Draft
from llmlab.world.facts import Fact, World
from llmlab.world.grammar import KINDS_OF_LETTER, Form, Grammar, Slot, parse

BUCKETS = ((1, 1), (2, 4), (5, 9), (10, 19), (20, 49), (50, 99), (100, 199), (200, 10**9))
BATCH = 64


@dataclass(frozen=True, slots=True)
class Question:
    """`prompt` should be continued by `answer` (a leading space included); the fact stood on `pages` pages."""

    fact: Fact
    prompt: str
    answer: str
    pages: int


@dataclass(frozen=True, slots=True)
class Result:
    question: Question
    right: bool


def pages_per_fact(pages: Iterable) -> Counter[int]:
    """How many training pages state each fact."""
    return Counter(fact for page in pages if page.split == "train" for fact in page.facts)


@lru_cache(maxsize=1)
def templates() -> dict[tuple[str, str], Form]:
    """{(kind of entity, attribute): the sentence that asks for it}."""
    lines = Path(__file__).with_name("exam.txt").read_text(encoding="utf-8").splitlines()
    forms = [
        parse(line, f"exam.txt:{n}", set()) for n, line in enumerate(lines, 1) if line and line[0] != "#"
    ]
    return {(KINDS_OF_LETTER[slot.letter], slot.path[0]): form for form in forms for slot in form.nodes[-1:]}


def ask(world: World, fact: Fact, pages: int) -> Question | None:
    """The question for a fact; None where the exam has no sentence for this attribute."""
    subject = world.entities[fact.subject]
    form = templates().get((subject.kind, fact.attribute))
    if form is None:
        return None
    draft = Draft(Casting(world), Grammar("exam"), seed=0, year=fact.date)
    slot = form.nodes[-1]
    assert isinstance(slot, Slot)
    draft.cast[slot.letter] = subject
    before, answer = draft.walk(form.nodes[:-1]), draft.walk(form.nodes[-1:])
    prompt = before.rstrip(" ")
    return Question(fact, prompt[:1].upper() + prompt[1:], before[len(prompt) :] + answer, pages)


def questions(world: World, counts: Counter[int], per_bucket: int = 150, seed: int = 0) -> list[Question]:
    """Up to `per_bucket` questions for each degree of exposure, drawn evenly over the facts of that degree."""
    rng, chosen = np.random.default_rng(seed), []
    for low, high in BUCKETS:
        facts = [world.facts[i] for i, n in sorted(counts.items()) if low <= n <= high]
        asked = [q for fact in facts if (q := ask(world, fact, counts[fact.id]))]
        chosen += [asked[i] for i in sorted(rng.permutation(len(asked))[:per_bucket])]
    return chosen


@torch.no_grad()
def sit(checkpoint: Checkpoint, asked: Sequence[Question]) -> Iterator[Result]:
    """Put the questions to a model, many at once, with one forward pass each.

    The most likely continuation begins with the answer exactly when, along prompt + answer, each token of the
    answer is the most likely one at its place.
    """
    tokenizer, model = checkpoint.tokenizer, checkpoint.model
    device = next(model.parameters()).device
    for start in range(0, len(asked), BATCH):
        batch = asked[start : start + BATCH]
        prompts = [[tokenizer.bos, *tokenizer.encode(q.prompt)] for q in batch]
        rows = [[tokenizer.bos, *tokenizer.encode(q.prompt + q.answer)] for q in batch]
        width = max(map(len, rows))
        idx = torch.tensor([row + [tokenizer.bos] * (width - len(row)) for row in rows], device=device)
        best = model(idx).argmax(-1).tolist()
        for question, prompt, row, guess in zip(batch, prompts, rows, best, strict=True):
            if (
                row[: len(prompt)] != prompt
            ):  # the answer's first letter was drawn into the prompt's last token
                raise ValueError(f"{question.prompt!r} does not end at a token's end")
            answer = row[len(prompt) :]
            yield Result(question, guess[len(prompt) - 1 : len(row) - 1] == answer)


@dataclass(frozen=True, slots=True)
class Exposure:
    """One point of the curve: of `n` facts on `low` to `high` pages, `right` were known."""

    low: int
    high: int
    right: int
    n: int


def by_exposure(results: Iterable[Result]) -> list[Exposure]:
    results = list(results)
    rows = []
    for low, high in BUCKETS:
        here = [r.right for r in results if low <= r.question.pages <= high]
        if here:
            rows.append(Exposure(low, high, sum(here), len(here)))
    return rows
