"""How long is a match by chance? Texts that nobody can have copied, held against the same training set.

Three such texts for each kind of page. *Another world*: pages of the same writers about people and things of another
seed; for code, the code of this course, which is in no training set. *Shuffled*: their tokens in random order, so
that only frequencies are left. *Held out*: pages of this world that no model was shown.

A sentence form that a writer uses on a thousand pages is a long match on a page that was never read. So "copied"
begins where a match is longer than nearly all matches of the other world have.

Read next: dreams.py.
Source: a baseline for verbatim matches is missing from OLMoTrace (Liu et al. 2025, arXiv:2504.07096) and others.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from llmlab.measure.dreams import covering
from llmlab.measure.index import Index
from llmlab.text.packing import TokenFile
from llmlab.text.tokenizer import Tokenizer
from llmlab.world.crawl import press

ANOTHER_SEED = 2  # a world of which no model has read anything
RARE = 0.05  # one token in twenty of the other world's text may be called copied
CODE = "python"
Rows = list[list[int]]


def another_world(kind: str, tokenizer: Tokenizer, n_tokens: int, size: str = "course") -> Rows:
    """Pages of a kind of another world, in tokens; for code, the files of this package."""
    return enough((tokenizer.encode(text) for text in texts(kind, size)), n_tokens)


def texts(kind: str, size: str) -> Iterator[str]:
    if kind == CODE:
        files = sorted(Path(__file__).resolve().parents[1].rglob("*.py"))
        yield from (path.read_text(encoding="utf-8")[:2_000] for path in files)
        return
    maker = press(size, ANOTHER_SEED)
    yield from (page.text for page in map(maker.page, range(maker.count)) if page.kind == kind)


def held_out(kind: str, valid: TokenFile, n_tokens: int) -> Rows:
    """Held-out documents of a kind, without their <|bos|>; a small corpus may have none."""
    of_kind = np.flatnonzero(valid.kind == valid.kinds.index(kind)) if kind in valid.kinds else []
    return enough((valid.document(i)[1:].tolist() for i in of_kind), n_tokens)


def enough(rows: Iterable[list[int]], n_tokens: int) -> Rows:
    """The first rows, until they have so many tokens."""
    some: Rows = []
    for row in rows:
        if n_tokens <= 0:
            break
        some.append(row)
        n_tokens -= len(row)
    return some


def shuffled(rows: Rows, seed: int = 0) -> Rows:
    """All their tokens in random order, as one row."""
    return [np.random.default_rng(seed).permutation(np.concatenate(rows)).tolist()]


def histogram(rows: Iterable[Sequence[int]], index: Index) -> np.ndarray:
    """(L + 1,) how many tokens are part of a longest match of 0, 1, … L tokens."""
    lengths = [covering(index.longest_matches(row)) for row in rows]
    return np.bincount(np.concatenate([np.zeros(0, np.int32), *lengths]), minlength=1)


def reached(counts: Sequence[int]) -> np.ndarray:
    """(L + 1,) the share of tokens in a match of at least 0, 1, … L tokens."""
    counts = np.asarray(counts)
    return counts[::-1].cumsum()[::-1] / max(1, counts.sum())


def threshold(counts: Sequence[int], rare: float = RARE) -> int:
    """The shortest match that at most a share `rare` of these tokens is part of."""
    below = np.flatnonzero(reached(counts) <= rare)
    return int(below[0]) if len(below) else len(counts)
