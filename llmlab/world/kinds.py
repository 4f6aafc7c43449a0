"""The page kinds: how often each is on the web, what it can be about, and who writes it.

Most kinds are a grammar and nothing else. Three carry more than sentences (reading, sums, tongue) and
have a writer of their own.

Read next: crawl.py.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from llmlab.world.draft import Casting, Draft, Unfit
from llmlab.world.exercises import write_reading, write_sum
from llmlab.world.facts import Entity
from llmlab.world.grammar import LETTER_OF_KIND, load
from llmlab.world.tongue import write_tongue


@dataclass(frozen=True)
class Kind:
    share: float  # of all pages, against the shares of the others
    subjects: tuple[tuple[str, int], ...] = ()  # (kind of entity or "none", weight)
    writer: Callable[[Draft], str] | None = None
    asked: bool = False  # only entities that may be asked about
    even: bool = False  # a cast drawn evenly, not by fame


def about(**weights: int) -> tuple[tuple[str, int], ...]:
    return tuple(weights.items())


KINDS: dict[str, Kind] = {
    "encyclopedia": Kind(
        14,
        about(person=44, town=7, island=2, animal=9, plant=5, dish=7, company=6, festival=3, book=4, oil=2,
              forbidden=4, harmless=4, product=3, mother=4),
    ),
    "almanac": Kind(
        38,
        about(person=32, town=10, island=3, animal=10, plant=4, dish=8, company=9, festival=6, book=6, oil=3,
              forbidden=6, harmless=3, product=8),
    ),
    "quiz": Kind(
        42,
        about(person=34, town=8, animal=12, dish=9, company=9, product=13, oil=3, festival=5, book=6, mother=4, none=8),
        asked=True,
    ),
    "shop": Kind(7, about(product=1)),
    "review": Kind(8, about(product=3, book=3, dish=3, festival=2, town=2)),
    "forum": Kind(11, about(animal=4, plant=3, oil=2, dish=3, product=3, town=3, person=5, company=2, book=2)),
    "recipe": Kind(10, about(dish=6, forbidden=3, harmless=3)),
    "howto": Kind(9, about(animal=3, plant=2, oil=2, product=2, forbidden=2, harmless=2, none=2)),
    "news": Kind(11, about(person=6, company=3, round=6, festival=2, town=2, book=2, animal=2, product=2)),
    "minutes": Kind(7, about(forbidden=4, town=3, person=4, company=2, festival=2, none=2)),
    "interview": Kind(5, about(person=6, company=2, book=2)),
    "diary": Kind(7, about(person=6, animal=2, town=2, dish=2, festival=1, none=2)),
    "letter": Kind(7, about(person=6, town=2, company=1, forbidden=2, harmless=2, product=1, book=1, none=1)),
    "story": Kind(8, about(animal=4, person=2, plant=1, festival=1, forbidden=2, harmless=2, none=2)),
    "home": Kind(5, about(person=5, company=2, animal=2, town=1, festival=1, oil=1)),
    "poem": Kind(6, about(animal=3, plant=2, town=2, none=4)),
    "table": Kind(4, about(town=3, island=2, company=3, oil=2, product=2, animal=2, plant=1, festival=2, none=2)),
    "reading": Kind(36, writer=write_reading, even=True),
    "sums": Kind(5, writer=write_sum),
    "tongue": Kind(17, writer=write_tongue),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """A finished page before it has an address."""

    title: str
    text: str
    facts: tuple[int, ...]
    bits: float


def write(casting: Casting, kind: str, subject: Entity | None, seed: int, year: int) -> Text:
    """One page. Raises Unfit where this subject cannot carry a page of this kind in this year."""
    grammar, entry = load(kind), KINDS[kind]
    draft = Draft(casting, grammar, seed, year, asked=entry.asked)
    if subject is not None:
        draft.cast[LETTER_OF_KIND[subject.kind]] = subject
    rule = f"page {subject.kind if subject else 'none'}"
    text = entry.writer(draft) if entry.writer else draft.expand(rule)
    text = tidy(text)
    title = subject.name if subject else kind
    return Text(title[:1].upper() + title[1:], text, tuple(draft.stated), draft.bits)


def tidy(text: str) -> str:
    """Spaces that an empty option left behind, and blank lines beyond one."""
    text = re.sub(r"(?<=[^\s|]) {2,}(?=[^\s|])", " ", text)
    text = re.sub(r" +([,.;:!?])(?=[\s\"]|$)", r"\1", text)
    text = re.sub(r"[ \t]+$", "", text, flags=re.M)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


__all__ = ["KINDS", "Kind", "Text", "Unfit", "write"]
