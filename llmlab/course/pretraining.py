"""Lesson 04, what stands behind its cells: the training run on the stage, recorded and live.

The recorded run is the shipped `pocket` model with the moments that were kept of it; its numbers are computed from
those weights when the lesson is opened, whatever moments are there. The live one is the student's own.

Read next: pretraining_measured.py, what the facts of a page cost, the archive, the bill.
"""

import json
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from llmlab.course.training import Training
from llmlab.errors import LabError
from llmlab.generate.engine import generate, logits
from llmlab.generate.policy import Policy
from llmlab.measure.samples import held_out
from llmlab.measure.surprise import stated, token_starts, tokens_of
from llmlab.model import checkpoint, zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.report.pretraining import recorded
from llmlab.show import Stop, Theatre
from llmlab.train.config import tier
from llmlab.train.pretrain import tokens_read
from llmlab.world import build_world
from llmlab.world.crawl import Page

MODEL, BEST = "pocket", "course"  # the one that learns here, and the one that has read most
SHOWN = 5  # candidates for a token
SAMPLE, TEMPERATURE, SEED = 70, 0.8, 3  # tokens
POINTS = 160  # of a curve: more are not seen
ROOM = 180  # tokens of a page: so much can be looked at


@lru_cache(maxsize=1)
def encyclopedia() -> tuple[Page, ...]:
    """The articles that no model has read."""
    return tuple(page for page in held_out() if page.kind == "encyclopedia")


@lru_cache(maxsize=1)
def pages() -> dict[str, Page]:
    """Three articles about people that no model has read: of the most famous, a known and the least known one."""
    world, words = build_world(), zoo.load(MODEL).tokenizer
    people = [
        page
        for page in encyclopedia()
        if world.entities[page.subject].kind == "person"
        if len(words.encode(page.text)) <= ROOM and len(stated(world, page)) >= 4
    ]
    people.sort(key=lambda page: (world.entities[page.subject].rank, -len(page.facts)))
    chosen = people[0], people[len(people) // 2], people[-1]
    return {world.entities[page.subject].name: page for page in chosen}


def first_page() -> Page:
    return next(iter(pages().values()))


def article(page: Page) -> str:
    """The text of a page without the line end behind it."""
    return page.text.rstrip()


# ---- a moment of a run ----


def stop_of(model: Checkpoint, ids: Sequence[int], read: int, step: int) -> Stop:
    """What the model of a moment expects at each token `ids` of a page, and what it writes after its first ones."""
    if model.model.embed_tokens.weight.requires_grad:
        model.model.requires_grad_(False)  # it learns no more, so the faster reader may read it
    bos = model.tokenizer.bos
    scores = logits(model, [bos, *ids])[:-1].astype(np.float64)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    best = np.argsort(-shares, axis=-1)[:, :SHOWN]
    start = list(ids[:SHOWN])
    steps = generate(model, [bos, *start], Policy(temperature=TEMPERATURE), SEED, SAMPLE)
    return Stop(
        tokens=read,
        step=step,
        prompt=model.tokenizer.decode(start),
        written="".join(one.text for one in steps),
        probability=shares[np.arange(len(ids)), list(ids)],
        best=best,
        best_probability=np.take_along_axis(shares, best, axis=-1),
    )


def averaged(records: Sequence[dict], until: float) -> list[tuple[float, float]]:
    """The loss of a run as at most POINTS means over equal pieces of the chart's axis: a single step is noisy.

    records have "tokens" and "loss"; the axis is even near 0 and goes by tenfolds from until / 400 on.
    """
    place = [int(math.asinh(r["tokens"] * 400 / until) / math.asinh(400) * POINTS) for r in records]
    pieces: dict[int, list[dict]] = {}
    for at, one in zip(place, records, strict=True):
        pieces.setdefault(at, []).append(one)
    mean = lambda piece, name: sum(one[name] for one in piece) / len(piece)  # noqa: E731
    return [(mean(piece, "tokens"), mean(piece, "loss")) for piece in pieces.values()]


def levels() -> list[tuple[str, float]]:
    """The marks of meaning on the loss, in nats a token: what guessing, counting and the writer's own dice cost."""
    said = recorded()
    vocabulary = f"{zoo.load(MODEL).config.vocab_size:,}"
    return [
        (f"a guess among all {vocabulary} tokens, ln V", said.levels.uniform),
        ("who has counted tokens", said.levels.unigram),
        ("who has counted pairs", said.levels.bigram),
        ("the writer’s own choices, pages of the Isles", said.writer),
    ]


# ---- the recorded run ----


@lru_cache(maxsize=1)
def shipped_log() -> list[dict]:
    """The records of the shipped model's training."""
    lines = (zoo.find(MODEL) / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def until() -> int:
    """Tokens of a whole run."""
    return tier(MODEL).tokens


@lru_cache(maxsize=1)
def shipped_stops() -> tuple[Stop, ...]:
    """The moments of the shipped run: its random beginning, what was kept of it, its end."""
    models = zoo.on_the_way(MODEL)
    ids = models[0].tokenizer.encode(article(first_page()))
    return tuple(stop_of(one, ids, tokens_read(one), one.provenance["step"]) for one in models)


def told_fact() -> int:
    """The place on the page where its first token says who somebody's mother is, or another fact where none is told."""
    words, page = zoo.load(MODEL).tokenizer, first_page()
    starts = token_starts(words, words.encode(article(page)))
    facts = stated(build_world(), page)
    one = next((one for one in facts if one.fact.attribute == "mother"), facts[0])
    return tokens_of(page.text, starts, one.start, one.end)[0]


def theatre() -> Theatre:
    """The shipped run on the stage."""
    model, stops = zoo.load(MODEL), shipped_stops()
    words = model.tokenizer
    return Theatre(
        words.encode(article(first_page())),
        words.vocabulary,
        levels=levels(),
        until=until(),
        curve=averaged(shipped_log(), until()),
        stops=stops,
        source=f"{MODEL} model, seed {model.provenance['config']['seed']}, its kept moments",
        token=told_fact(),
    )


# ---- the student's run ----


class Live:
    """The student's own run: the training, its picture, and the moments that were saved so far."""

    def __init__(self, tokens: int | None = None, size: str = "course") -> None:
        self.training = Training(MODEL, tokens or until(), size)
        self.stops: dict[int, Stop] = {}
        self.ids = zoo.load(MODEL).tokenizer.encode(article(first_page()))
        words = zoo.load(MODEL).tokenizer
        self.picture = Theatre(
            self.ids,
            words.vocabulary,
            levels=levels(),
            until=self.training.tokens,
            behind=averaged(shipped_log(), until()),
            behind_name="the shipped run",
            source="your run",
            live=True,
            token=told_fact(),
            empty="Press Start, and the tokens take their colours.",
        )

    def begin(self, seed: int) -> None:
        """Start from random weights; a run that is going on is ended."""
        self.training.begin(seed)
        self.stops = {0: stop_of(zoo.newborn(zoo.load(MODEL), seed), self.ids, 0, 0)}
        self.picture.at = -1
        self.draw()

    def look(self) -> None:
        """Take in what the child has said, and put it on the stage."""
        new = self.training.look()
        if self.training.out is None:
            return
        for folder in zoo.kept(self.training.out):
            self._add(int(folder.name.removeprefix("step-")), folder)
        if new and self.training.learned is not None:
            self._newest()
        self.draw()

    def _add(self, step: int, folder: Path) -> None:
        """Take in a kept moment, once."""
        if step in self.stops:
            return
        try:
            kept = checkpoint.load(folder)
        except LabError:  # it is being written: there is a next time
            return
        self.stops[step] = stop_of(kept, self.ids, tokens_read(kept), step)

    def _newest(self) -> None:
        """The last saved moment is shown until the next one comes; the kept ones stay."""
        learned, step = self.training.learned, self.training.learned_step
        kept = {int(folder.name.removeprefix("step-")) for folder in zoo.kept(self.training.out)}
        self.stops = {at: stop for at, stop in self.stops.items() if at == 0 or at in kept}
        self.stops.setdefault(step, stop_of(learned, self.ids, tokens_read(learned), step))

    def draw(self) -> None:
        self.picture.play_to(
            averaged(self.training.steps, self.training.tokens), [self.stops[at] for at in sorted(self.stops)]
        )

    @property
    def sentence(self) -> str:
        """How it stands, with the mark on the loss that was passed last."""
        said, steps = self.training.sentence, self.training.steps
        passed = [
            name for name, value in levels() if steps and averaged(steps, self.training.tokens)[-1][1] < value
        ]
        return f"{said} Passed on the way: {passed[-1]}." if passed else said
