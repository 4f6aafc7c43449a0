"""The crawl: which pages there are, who they are about, and which of them a model may read.

Page i of a world is a function of (seed, size, i) alone, so pages can be written in any order and on any
number of processes and still come out the same, byte for byte.

Read next: corpus.py, which keeps a crawl on disk; html.py, which shows a page as a browser would.
"""

import math
import multiprocessing
import os
import random
import signal
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
RISE = 1.5  # above 1: more pages in later years
VALID_EVERY, VALID_FIRST = 120, 7  # one page in so many is held out, beginning with this one
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
        split = "live" if i >= self.count else "valid" if i % VALID_EVERY == VALID_FIRST else "train"
        for attempt in range(50):
            rng = random.Random(self.world.seed * 1_000_000_007 + i * 101 + attempt).random
            kind, subject, plan_bits = self.plan(i, rng)
            year, year_bits = self.year(subject, split, rng)
            casting = self.even if KINDS[kind].even else self.casting
            try:
                text = write(casting, kind, subject, int(rng() * 2**53), year)
            except Unfit:
                continue
            where, bits = subject.id if subject else None, text.bits + plan_bits + year_bits
            return Page(i, kind, where, text.title, text.text, year, text.facts, bits, split)
        raise RuntimeError(f"page {i} could not be written")

    def year(self, subject: Entity | None, split: str, rng) -> tuple[int, float]:
        """When a page was written: more and more of them over time, none before there is something to tell.

        Returns the year and the bits of this choice.
        """
        if split == "live":
            return NOW - int(rng() * (NOW - CUTOFF)), math.log2(NOW - CUTOFF)
        span = CUTOFF + 1 - FIRST_WEB_YEAR
        year = int(CUTOFF + 1 - rng() ** RISE * span)
        least = self.since.get(subject.id, 0) if subject else 0
        before = lambda y: 1 - min(1.0, (CUTOFF + 1 - y) / span) ** (1 / RISE)  # noqa: E731  share of earlier pages
        share = before(max(year, least) + 1) - (before(year) if year > least else 0.0)
        return max(year, least), -math.log2(share)

    def plan(self, i: int, rng) -> tuple[str, Entity | None, float]:
        """The kind and the subject (a one-off person where it is their turn, else by share and fame), and the bits."""
        every = self.count // max(1, len(self.oneoff))
        if i < self.count and i % every == 0 and i // every < len(self.oneoff):
            kind = ONE_OFF_KINDS[int(rng() * len(ONE_OFF_KINDS))]
            return kind, self.oneoff[i // every], math.log2(len(ONE_OFF_KINDS) * len(self.oneoff))
        kind = self.kinds[bisect(self.shares, rng() * self.shares[-1])]
        subjects, bits = KINDS[kind].subjects, math.log2(self.shares[-1] / KINDS[kind].share)
        if not subjects:
            return kind, None, bits
        weights = list(accumulate(weight for _, weight in subjects))
        name, weight = subjects[bisect(weights, rng() * weights[-1])]
        bits += math.log2(weights[-1] / weight)
        if name == "none":
            return kind, None, bits
        subject, more = self.casting.fame(name, KINDS[kind].asked).draw(rng())
        return kind, subject, bits + more


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
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=leave_interrupts) as pool:
        jobs = [pool.submit(write_chunk, size, seed, at, min(at + CHUNK, total)) for at in starts]
        try:
            for job in jobs:
                yield from job.result()
        finally:
            pool.shutdown(cancel_futures=True)  # whoever has had enough does not wait for the rest


def leave_interrupts() -> None:
    """Let Ctrl-C be answered by the process that asked for the pages; those that write them would each complain."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
