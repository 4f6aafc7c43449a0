"""Where did the model read this? A suffix array over all tokens of the training set.

A suffix array lists every position of a text in the alphabetical order of what follows it. Whatever can be
found at all is then found by bisection: the longest piece that a dream shares with the crawl, the pages that
hold it, and the tokens that followed it there (the "∞-gram" counts: a language model without a network).

Tokens are written as two bytes, high byte first, so that comparing bytes is comparing tokens and a byte-wise
suffix sorter (libdivsufsort) does the work; only the even places are kept.

Read next: claims.py, which asks whether what was written is true.
Sources: suffix arrays, Manber and Myers 1993; ∞-gram, Liu et al. 2024 (arXiv:2401.17377); OLMoTrace, Liu et
al. 2025 (arXiv:2504.07096).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from llmlab.errors import LabError
from llmlab.paths import atomic_write
from llmlab.text.packing import TokenFile

FARTHEST = 128  # tokens of a match that are compared: longer ones are cut


@dataclass(frozen=True, slots=True)
class Followers:
    """What followed the last `length` tokens of a context in the training set, `total` times in all."""

    length: int
    total: int
    tokens: np.ndarray  # (n,) int64, most frequent first
    counts: np.ndarray  # (n,) int64


class Index:
    """The suffix array of one TokenFile, and questions to it."""

    def __init__(self, file: TokenFile, suffixes: np.ndarray) -> None:
        self.file, self.suffixes = file, suffixes
        self.data = file.tokens.astype(">u2").tobytes()

    def place(self, ids: Sequence[int], after: bool = False) -> int:
        """Where `ids` would stand in the order of all suffixes (`after` all that begin with them)."""
        wanted, suffixes, data = packed(ids), self.suffixes, self.data
        bisect = bisect_right if after else bisect_left
        return bisect(
            range(len(suffixes)),
            wanted,
            key=lambda rank: data[(p := 2 * int(suffixes[rank])) : p + len(wanted)],
        )

    def occurrences(self, ids: Sequence[int]) -> np.ndarray:
        """Positions (n,) in the token file where `ids` begin, in no particular order."""
        return self.suffixes[self.place(ids) : self.place(ids, after=True)]

    def longest_matches(self, ids: Sequence[int]) -> np.ndarray:
        """For each position i of ids (T,): how many tokens from i on stand in this order somewhere in the crawl."""
        lengths = np.zeros(len(ids), dtype=np.int32)
        for i in range(len(ids)):
            if i and lengths[i - 1] > 1 and lengths[i - 1] < FARTHEST and i + lengths[i - 1] - 1 == len(ids):
                lengths[i] = (
                    lengths[i - 1] - 1
                )  # the end of the text was reached: every later suffix matches too
                continue
            wanted = packed(ids[i : i + FARTHEST])
            rank = self.place(ids[i : i + FARTHEST])
            neighbours = (rank - 1, rank)
            lengths[i] = max(
                (self.shared(r, wanted) for r in neighbours if 0 <= r < len(self.suffixes)), default=0
            )
        return lengths

    def shared(self, rank: int, wanted: bytes) -> int:
        """How many tokens the suffix of this rank has in common with `wanted`."""
        start = 2 * int(self.suffixes[rank])
        have = self.data[start : start + len(wanted)]
        same = min(len(have), len(wanted))
        if have[:same] == wanted[:same]:
            return same // 2
        a, b = np.frombuffer(have[:same], np.uint8), np.frombuffer(wanted[:same], np.uint8)
        return int(np.argmax(a != b)) // 2

    def pages(self, ids: Sequence[int], most: int = 5) -> list[int]:
        """Ids of up to `most` different pages that hold `ids`, those with the lowest numbers first."""
        documents = np.unique(np.searchsorted(self.file.start, self.occurrences(ids), side="right") - 1)
        return np.unique(self.file.page[documents])[:most].tolist()

    def followers(self, context: Sequence[int], least: int = 1) -> Followers:
        """The next tokens after the longest end of `context` that occurs at least `least` times."""
        context = list(context)[-FARTHEST:]
        low, high = (
            0,
            len(context),
        )  # the longest end is found by bisection: a longer one is never more frequent
        while low < high:
            middle = (low + high + 1) // 2
            if len(self.continued(context[-middle:])) >= least:
                low = middle
            else:
                high = middle - 1
        places = self.continued(context[len(context) - low :])
        tokens, counts = np.unique(self.file.tokens[places], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return Followers(low, int(counts.sum()), tokens[order].astype(np.int64), counts[order])

    def continued(self, ids: Sequence[int]) -> np.ndarray:
        """Positions of the tokens that follow `ids` somewhere (all positions, where `ids` is empty)."""
        after = (
            self.occurrences(ids).astype(np.int64) + len(ids) if len(ids) else np.arange(len(self.suffixes))
        )
        return after[after < len(self.file.tokens)]


def packed(ids: Sequence[int]) -> bytes:
    return np.asarray(ids, dtype=">u2").tobytes()


def sort_suffixes(tokens: np.ndarray) -> np.ndarray:
    """The suffix array (N,) int32 of tokens (N,) uint16."""
    from pydivsufsort import divsufsort  # only where an index is built: it loads a C library

    order = divsufsort(tokens.astype(">u2").view(np.uint8))
    return (order[order % 2 == 0] // 2).astype("<i4")


def build_index(file: TokenFile) -> Index:
    """Sort once (3 s for 15M tokens), keep beside the tokens, open from there ever after."""
    path = Path(file.folder) / "suffixes.bin"
    if not path.is_file() or path.stat().st_size != 4 * len(file.tokens):
        try:
            atomic_write(path, sort_suffixes(np.asarray(file.tokens)).tobytes())
        except OSError as error:
            raise LabError(
                f"The index could not be written to {path.parent} ({error}). Free some space."
            ) from error
    return Index(file, np.memmap(path, dtype="<i4", mode="r"))
