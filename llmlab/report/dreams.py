"""What lesson 05 measures: dreams of three kinds at several temperatures, dreamt numbers, and matches by chance.

The same functions fill the lesson's recording (dream_record.py), the rows of `llmlab figures`, and the lesson's own
button, so that all three speak of the same thing.

Read next: dream_record.py.
"""

from codeop import compile_command
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from llmlab.generate.engine import generate_many
from llmlab.generate.policy import Policy
from llmlab.measure import chance
from llmlab.measure.claims import Checker
from llmlab.measure.dreams import Trace, shares, trace
from llmlab.measure.index import Index
from llmlab.model.checkpoint import Checkpoint
from llmlab.text.packing import TokenFile
from llmlab.world.facts import Entity, World
from llmlab.world.genesis import build_world

KINDS = {"shop": "A shop listing", "encyclopedia": "An encyclopedia article", "python": "Python code"}
ABOUT = {"shop": "product", "encyclopedia": "animal"}  # the kind of entity that such a page is about
FAMOUS, RARE, NOBODY = "famous", "rare", "nobody"
LENGTH = 120  # tokens of a dream
SPREAD = (0.0, 0.1, 0.3, 0.75)  # of all entities of a kind by fame, those that the measured dreams are about
EACH = 12  # dreams about each of them
TEMPERATURES = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5)
CHANCE_TOKENS = 8_000  # of each text that is held against the training set
SOURCES = ("shuffled", "another world", "held out")


def opening(kind: str, name: str) -> str:
    """How a page of this kind about this product or animal begins; code begins in one way only."""
    begun = {
        "shop": f"In the window this week: {name}",
        "encyclopedia": f"The **{name}**",
        "python": "# calendar.py\ndef",
    }
    return begun[kind]


def subjects(world: World, kind: str, place: int = 0) -> dict[str, str]:
    """The names that the three dreams can be about: one read often, one read rarely, one that does not exist.

    place: 0 for the first of each, 1 for the second, in the order of fame.
    """
    if kind not in ABOUT:
        return dict.fromkeys((FAMOUS, RARE, NOBODY), "")
    own = world.of_kind(ABOUT[kind])
    others = build_world(world.size, chance.ANOTHER_SEED).of_kind(ABOUT[kind])
    strangers = [e.name for e in others if e.name not in world.by_name]
    return {FAMOUS: own[place].name, RARE: own[int(0.75 * len(own)) + place].name, NOBODY: strangers[place]}


def dream_rows(checkpoint: Checkpoint, prompt: str, n: int, temperature: float, seed: int) -> list[list[int]]:
    """n dreams, each with its beginning; dream i draws with the seed `seed` + i."""
    start = checkpoint.tokenizer.encode(prompt)
    rows = generate_many(checkpoint, prompt, n, Policy(temperature), seed, LENGTH)
    return [[*start, *row] for row in rows]


def follow(checkpoint: Checkpoint, index: Index, checker: Checker, kind: str, ids: Sequence[int]) -> Trace:
    """Trace a dream; code makes no claims about the Isles."""
    return trace(ids, checkpoint.tokenizer, index, checker if kind in ABOUT else None)


def parses(text: str) -> bool:
    """Whether Python can read the whole lines of this as the beginning of a program. Nothing of it is run.

    It is the form that is asked for, not whether the program does anything; and a dream may end in its middle.
    """
    try:
        compile_command(text[: text.rfind("\n") + 1], symbol="exec")  # None where more lines are needed
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return False
    return True


@dataclass
class Tally:
    """What was counted over some dreams of one kind at one temperature."""

    dreams: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    matches: np.ndarray = field(
        default_factory=lambda: np.zeros(1, np.int64)
    )  # tokens by length of their match
    parsed: int = 0

    def add(self, traced: Trace) -> None:
        self.dreams += 1
        self.verdicts.update(shares([traced]))
        counts = np.bincount(traced.match, minlength=len(self.matches))
        counts[: len(self.matches)] += self.matches
        self.matches = counts
        self.parsed += parses("".join(traced.tokens))


def tallies(
    checkpoint: Checkpoint,
    index: Index,
    checker: Checker,
    kind: str,
    temperature: float,
    each: int,
    seed: int = 0,
) -> Iterator[Tally]:
    """Dreams of a kind about things of different fame; the same tally after each of them, fuller each time."""
    named: Sequence[Entity] = checker.world.of_kind(ABOUT[kind]) if kind in ABOUT else ()
    names = [named[int(part * len(named))].name if named else "" for part in SPREAD]
    tally = Tally()
    for i, name in enumerate(names):
        for row in dream_rows(checkpoint, opening(kind, name), each, temperature, seed + 1_000 * i):
            tally.add(follow(checkpoint, index, checker, kind, row))
        yield tally


def last(steps: Iterator[Tally]) -> Tally:
    """The tally when all dreams are counted."""
    *_, full = steps
    return full


def by_chance(
    checkpoint: Checkpoint,
    index: Index,
    valid: TokenFile,
    kind: str,
    size: str,
    n_tokens: int,
) -> dict[str, np.ndarray]:
    """Tokens by the length of their longest match, in three texts of this kind that nobody can have copied."""
    other = chance.another_world(kind, checkpoint.tokenizer, n_tokens, size)
    texts = {
        "shuffled": chance.shuffled(other),
        "another world": other,
        "held out": chance.held_out(kind, valid, n_tokens),
    }
    return {name: chance.histogram(texts[name], index) for name in SOURCES}
