"""The crawl: which pages there are, who they are about, and which of them a model may read.

Page i of a world is a function of (seed, size, i) alone, so pages can be written in any order and on any
number of processes and still come out the same, byte for byte.

Read next: corpus.py, which keeps a crawl on disk; html.py, which shows a page as a browser would.
"""

import multiprocessing
import os
import random
from bisect import bisect
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from llmlab.world.draft import Casting, Fame, Unfit
from llmlab.world.facts import CUTOFF, FIRST_WEB_YEAR, NOW, Entity, World
from llmlab.world.genesis import SIZES, build_world
from llmlab.world.kinds import KINDS, write

LIVE_SHARE = 0.03  # pages of the years after the cutoff, beside the crawl
VALID_EVERY = 120  # one page in so many is held out
ONE_OFF_KINDS = ("encyclopedia", "news", "diary", "letter", "interview", "home")
CHUNK = 400


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the Pocket Web. `facts` are the ids of the facts it states; `bits` what its writer chose."""

    id: int
    kind: str
    subject: int | None
    title: str
    text: str
    year: int
    facts: tuple[int, ...]
    bits: float
    split: str  # "train", "valid" (held out) or "live" (after the knowledge cutoff)


class Press:
    """Writes page i of one world; everything that is the same for all pages is worked out once."""

    def __init__(self, world: World) -> None:
        self.world, self.casting, self.even = world, Casting(world), Casting(world)
        self.kinds = list(KINDS)
        self.shares = list(accumulate(kind.share for kind in KINDS.values()))
        self.oneoff = [p for p in world.of_kind("person") if p.oneoff]
        self.since: dict[int, int] = {}  # the year in which most of an entity can be told
        for fact in world.facts:
            if fact.date <= CUTOFF:
                self.since[fact.subject] = max(fact.date, self.since.get(fact.subject, 0))
        self.count = SIZES[world.size].pages
        self.live = int(self.count * LIVE_SHARE)
        for kind in ("person", "town", "animal", "dish"):
            fame = self.casting.fame(kind, asked=False)
            self.even._fames[kind, False] = Fame(fame.entities, exponent=0.0)

    def page(self, i: int) -> Page:
        """Page i: 0 to count - 1 are the crawl, the following `live` ones the web after the cutoff."""
        split = "live" if i >= self.count else "valid" if i % VALID_EVERY == 7 else "train"
        for attempt in range(50):
            rng = random.Random(self.world.seed * 1_000_000_007 + i * 101 + attempt).random
            kind, subject = self.plan(i, rng)
            year = self.year(subject, split, rng)
            casting = self.even if KINDS[kind].even else self.casting
            try:
                text = write(casting, kind, subject, int(rng() * 2**53), year)
            except Unfit:
                continue
            where = subject.id if subject else None
            return Page(i, kind, where, text.title, text.text, year, text.facts, text.bits, split)
        raise RuntimeError(f"page {i} could not be written")

    def year(self, subject: Entity | None, split: str, rng) -> int:
        """When a page was written: more and more of them over time, none before there is something to tell."""
        if split == "live":
            return NOW - int(rng() * (NOW - CUTOFF))
        year = int(CUTOFF + 1 - rng() ** 1.5 * (CUTOFF + 1 - FIRST_WEB_YEAR))
        return max(year, self.since.get(subject.id, 0)) if subject else year

    def plan(self, i: int, rng) -> tuple[str, Entity | None]:
        """The kind and the subject: a one-off person where it is their turn, else by share and fame."""
        every = self.count // max(1, len(self.oneoff))
        if i < self.count and i % every == 0 and i // every < len(self.oneoff):
            return ONE_OFF_KINDS[int(rng() * len(ONE_OFF_KINDS))], self.oneoff[i // every]
        kind = self.kinds[bisect(self.shares, rng() * self.shares[-1])]
        subjects = KINDS[kind].subjects
        if not subjects:
            return kind, None
        weights = list(accumulate(weight for _, weight in subjects))
        name = subjects[bisect(weights, rng() * weights[-1])][0]
        if name == "none":
            return kind, None
        return kind, self.casting.fame(name, KINDS[kind].asked).draw(rng())[0]


@lru_cache(maxsize=2)
def press(size: str, seed: int) -> Press:
    return Press(build_world(size, seed))


def write_chunk(size: str, seed: int, start: int, stop: int) -> list[Page]:
    maker = press(size, seed)
    return [maker.page(i) for i in range(start, stop)]


def crawl(size: str = "course", seed: int = 1, workers: int | None = None) -> Iterator[Page]:
    """All pages in order: the crawl, then the live web. `workers` processes, by default one a core (at most 8)."""
    maker = press(size, seed)
    total = maker.count + maker.live
    workers = workers or min(8, os.cpu_count() or 1)
    if workers == 1 or total < 4 * CHUNK:
        yield from (maker.page(i) for i in range(total))
        return
    starts = range(0, total, CHUNK)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(write_chunk, size, seed, at, min(at + CHUNK, total)) for at in starts]
        for job in jobs:
            yield from job.result()
