"""One text under a growing vocabulary: how its tokens flow together, merge by merge.

Before any merge each byte is a token. Most of some thousand merges do not touch a given text; `segmentations` gives
only those that do, so that a lesson can move a slider from 0 to the last merge and show the text at each place.

Read next: tokenizer.py, which takes all steps at once.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import regex

from llmlab.text.bpe import SPLIT, merge


@dataclass(frozen=True, slots=True)
class Segmentation:
    """A text after the first `merges` merges: the tokens of each of its words, in order."""

    merges: int
    words: tuple[tuple[int, ...], ...]

    @property
    def tokens(self) -> list[int]:
        """All tokens, one after the other."""
        return [token for word in self.words for token in word]


def segmentations(text: str, merges: Sequence[tuple[int, int]]) -> Iterator[Segmentation]:
    """The text as bytes, then after each merge that changes it, in the order of learning.

    merges (M,): pairs of tokens; merge i makes token 256 + i. Lone surrogates count as question marks.
    """
    place = {tuple(pair): i for i, pair in enumerate(merges)}
    words = [list(word.encode("utf-8", errors="replace")) for word in regex.findall(SPLIT, text)]
    yield _segmentation(0, words)
    # A merge only makes pairs that were learned later, so the earliest pair in the text is always the next to come.
    while present := {place[pair] for word in words for pair in pairwise(word) if pair in place}:
        i = min(present)
        words = [merge(word, merges[i], 256 + i) for word in words]
        yield _segmentation(i + 1, words)


def after(found: Sequence[Segmentation], merges: int) -> Segmentation:
    """Of all segmentations of a text, the one that holds after so many merges (0 or more)."""
    return found[bisect_right(found, merges, key=lambda one: one.merges) - 1]


def falls(found: Sequence[Segmentation], pieces: Sequence[bytes]) -> list[int | None]:
    """All segmentations of a text in one list: for each border between two of its bytes, the number of merges
    after which it is gone; None for a border that stays.

    After m merges the tokens are what stands between the borders with None or more than m. pieces: the vocabulary.
    """
    gone: list[int | None] = [None] * max(0, sum(len(pieces[token]) for token in found[0].tokens) - 1)
    left = set(range(len(gone)))
    for one in found:
        ends = accumulate(len(pieces[token]) for token in one.tokens)
        now = {end - 1 for end in ends} & left
        for border in left - now:
            gone[border] = one.merges
        left = now
    return gone


def vocabulary(merges: Iterable[tuple[int, int]]) -> list[bytes]:
    """What each token stands for: the 256 bytes, then one entry a merge."""
    pieces = [bytes([byte]) for byte in range(256)]
    for left, right in merges:
        pieces.append(pieces[left] + pieces[right])
    return pieces


def bytes_per_token(
    samples: Iterable[tuple[str, str]], encode: Callable[[str], list[int]]
) -> dict[str, float]:
    """How much text a token holds, for each kind of text, most first. samples: (kind, text); empty kinds left out."""
    n_bytes: dict[str, int] = {}
    n_tokens: dict[str, int] = {}
    for kind, text in samples:
        n_bytes[kind] = n_bytes.get(kind, 0) + len(text.encode("utf-8", errors="replace"))
        n_tokens[kind] = n_tokens.get(kind, 0) + len(encode(text))
    each = {kind: n_bytes[kind] / tokens for kind, tokens in n_tokens.items() if tokens}
    return dict(sorted(each.items(), key=lambda entry: -entry[1]))


def _segmentation(merges: int, words: list[list[int]]) -> Segmentation:
    return Segmentation(merges, tuple(map(tuple, words)))
