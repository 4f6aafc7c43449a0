"""Surprise: what each token of a text costs a model that did not expect it, in bits, and what the facts on it cost.

A token of probability p costs -log2 p bits to write down (compress.py does it). Summed over a page that is what the
page is worth to somebody who knows only the model. Because we invented the Isles, we know where on a page a fact is
said, and can say which bits would have been saved by knowing it.

Read next: ngrams.py, what the surprise would be for somebody who only counts.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from llmlab.generate.engine import own_probability
from llmlab.measure.claims import ways
from llmlab.model.checkpoint import Checkpoint
from llmlab.text.tokenizer import Tokenizer
from llmlab.world.english import in_words
from llmlab.world.facts import Fact, World


class Page(Protocol):
    """What is needed of a page; llmlab.world makes such pages."""

    kind: str
    split: str
    text: str
    year: int
    facts: Sequence[int]


KINDS = ("the rest of a word", "marks and blanks", "small words", "other words", "facts")
SMALL = frozenset(
    "a about after all also an and any are as at be because been before but by can could do does for from had has have "
    "he her his how if in into is it its no nor not of off on one only or other out over she so some than that the "
    "their them then there these they this those to too under until up was were what when where which who will with "
    "would".split()
)


@dataclass(frozen=True, slots=True)
class Stated:
    """text[start:end] is the place where a page first says the value of a fact."""

    fact: Fact
    start: int
    end: int


def text_bits(checkpoint: Checkpoint, text: str) -> np.ndarray:
    """Bits (T,) of each token of a text behind <|bos|>; the text must fit into the context."""
    ids = [checkpoint.tokenizer.bos, *checkpoint.tokenizer.encode(text)]
    return -own_probability(checkpoint, ids) / np.log(2)


def stated(world: World, page: Page) -> list[Stated]:
    """Where a page says its facts, in the order of their places; a fact that is said in no known way is left out.

    No two facts have the same place: if two have the same value, the second one is looked for further on.
    """
    found: list[Stated] = []
    for fact in (world.facts[number] for number in page.facts):
        words = "|".join(rf"(?<!\w){re.escape(way)}(?!\w)" for way in said_as(fact, page.year))
        for match in re.finditer(words, page.text, re.IGNORECASE):
            if all(match.end() <= other.start or match.start() >= other.end for other in found):
                found.append(Stated(fact, match.start(), match.end()))
                break
    return sorted(found, key=lambda one: one.start)


def articles(world: World, pages: Iterable[Page], checkpoint: Checkpoint) -> list[tuple[str, list[Stated]]]:
    """The held-out articles of the encyclopedia that fit into the model's context, with the facts that they state."""
    room, words = checkpoint.config.block_size - 1, checkpoint.tokenizer
    held_out = (page for page in pages if page.split == "valid" and page.kind == "encyclopedia")
    return [(page.text, stated(world, page)) for page in held_out if len(words.encode(page.text)) <= room]


def said_as(fact: Fact, year: int) -> list[str]:
    """How a page of some year may say a fact's value, longest first; a year of birth also as an age."""
    values = {fact.value.removeprefix("the "), *ways(fact.value)}
    if fact.attribute == "born":
        age = str(year - int(fact.value))
        values |= {age, in_words(age)}
    return sorted(values - {""}, key=len, reverse=True)


def token_starts(tokenizer: Tokenizer, ids: Iterable[int]) -> np.ndarray:
    """The byte at which each token starts, and where the last one ends: (T + 1,)."""
    return np.cumsum([0, *(len(tokenizer.token_bytes(token)) for token in ids)])


def tokens_of(text: str, starts: np.ndarray, start: int, end: int) -> range:
    """The tokens that hold text[start:end] or a part of it. starts (T + 1,), in bytes."""
    first, last = (len(text[:at].encode("utf-8")) for at in (start, end))
    return range(int(np.searchsorted(starts, first, side="right")) - 1, int(np.searchsorted(starts, last)))


def fact_bits(checkpoint: Checkpoint, text: str, facts: Sequence[Stated]) -> tuple[list[float], float]:
    """What each fact's value cost on the page, and the whole page, in bits.

    The sum over the tokens of the value: two vocabularies cut it differently, and stay comparable.
    """
    ids, bits = checkpoint.tokenizer.encode(text), text_bits(checkpoint, text)
    starts = token_starts(checkpoint.tokenizer, ids)
    each = [float(bits[list(tokens_of(text, starts, one.start, one.end))].sum()) for one in facts]
    return each, float(bits.sum())


def token_kinds(tokenizer: Tokenizer, text: str, facts: Sequence[Stated]) -> list[str]:
    """For each token of a text, which of KINDS it is of: what it takes to foresee it.

    "facts" is the first token of each fact's value, where the fact is needed; what follows in it is like other text.
    "The rest of a word" goes on with a word that has begun, which is spelling.
    """
    ids = tokenizer.encode(text)
    starts, raw = token_starts(tokenizer, ids), text.encode("utf-8")
    kinds = []
    for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        token, before, behind = (
            raw[a:b].decode("utf-8", "replace") for a, b in ((start, end), (start - 1, start), (end, end + 1))
        )
        word = token.strip()
        if not any(letter.isalnum() for letter in word):
            kinds.append("marks and blanks")
        elif token[0].isalnum() and start and before.isalnum():
            kinds.append("the rest of a word")
        else:
            whole = not behind.isalnum()
            kinds.append("small words" if whole and word.lower() in SMALL else "other words")
    for one in facts:
        kinds[tokens_of(text, starts, one.start, one.end)[0]] = "facts"
    return kinds


def bits_by_kind(checkpoint: Checkpoint, texts: Iterable[tuple[str, Sequence[Stated]]]) -> dict[str, float]:
    """Mean bits of a token of each kind, over texts with their facts; NaN for a kind that is not there."""
    bits: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for text, facts in texts:
        kinds = token_kinds(checkpoint.tokenizer, text, facts)
        for kind, cost in zip(kinds, text_bits(checkpoint, text).tolist(), strict=True):
            bits[kind].append(cost)
    return {kind: float(np.mean(costs)) if costs else float("nan") for kind, costs in bits.items()}
