"""Dreams traced: which words were copied, which are true, which are made up?

A dream is a text that a model writes from nothing. Each claim in it gets one of four verdicts: *copied* (its
whole sentence stands in the training set), *true* (in new words), *false*, or about *nothing* that exists. Each
token also knows the longest piece of the training set that it is part of; a piece counts as copied where it is
longer than chance makes it (chance.py).

Read next: sources.py, the pages behind a match; exam.py, which asks instead of listening.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llmlab.measure.claims import Checker, Claim
from llmlab.measure.index import Index
from llmlab.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Trace:
    """A text of T tokens with where it comes from.

    ids (T,): the tokens; lengths (T,): how many from token i on stand in this order in the training set; match (T,):
    length of the longest training match that token i is part of; verdicts (T,): "", "copied", "true", "false" or
    "nothing", a label on the tokens of claims' values; claims with their final verdicts.
    """

    ids: list[int]
    tokens: list[str]
    lengths: np.ndarray
    match: np.ndarray
    verdicts: list[str]
    claims: list[tuple[Claim, str]]

    def marks(self, least: int) -> list[str]:
        """(T,) verdicts; a token of no claim is "copied" where it is part of a match of `least` tokens or more."""
        return [
            verdict or ("copied" if length >= least else "")
            for verdict, length in zip(self.verdicts, self.match.tolist(), strict=True)
        ]


def trace(ids: Sequence[int], tokenizer: Tokenizer, index: Index | None, checker: Checker | None) -> Trace:
    """Trace a text. Without a checker (for Python code) there are no claims; without an index, nothing is copied."""
    ids = [i for i in ids if i < tokenizer.vocab_size - len(tokenizer.special)]
    pieces = [tokenizer.token_bytes(i) for i in ids]
    starts = np.concatenate([[0], np.cumsum([len(p) for p in pieces])])  # byte offset of each token
    lengths = index.longest_matches(ids) if index else np.zeros(len(ids), np.int32)
    match = covering(lengths)
    text = b"".join(pieces).decode("utf-8", errors="replace")
    verdicts = [""] * len(ids)
    claims = []
    for claim in checker.claims(text) if checker else ():
        first, last = (
            int(np.searchsorted(starts, len(text[:at].encode()), side="right")) - 1
            for at in (claim.start, claim.end - 1)
        )
        sentence = max(text.rfind(mark, 0, claim.start) for mark in (". ", "\n", "! ", "? ")) + 1
        opening = int(np.searchsorted(starts, len(text[:sentence].encode()), side="right")) - 1
        verdict = "copied" if claim.verdict == "true" and stands(lengths, opening, last) else claim.verdict
        claims.append((claim, verdict))
        for token in range(first, min(last + 1, len(ids))):
            verdicts[token] = verdict
    texts = [p.decode("utf-8", errors="replace") for p in pieces]
    return Trace(ids, texts, lengths, match, verdicts, claims)


def covering(lengths: np.ndarray) -> np.ndarray:
    """For each token, the length of the longest match that covers it, given those that begin at each token."""
    out = np.zeros(len(lengths), dtype=np.int32)
    for start, length in enumerate(lengths):
        if length:
            out[start : start + length] = np.maximum(out[start : start + length], length)
    return out


def run_at(lengths: Sequence[int], token: int) -> tuple[int, int]:
    """The longest match that a token is part of, as (first, length); length 0 where the training set lacks it."""
    reaching = [
        (length, -first) for first, length in enumerate(lengths[: token + 1]) if first + length > token
    ]
    length, minus_first = max(reaching, default=(0, -token))
    return -minus_first, int(length)


def stands(lengths: np.ndarray, first: int, last: int) -> bool:
    """Whether tokens first to last stand, in this order, in one training document."""
    return bool(lengths[first] >= last - first + 1)


def shares(traces: Sequence[Trace]) -> dict[str, int]:
    """How many claims of each verdict, over several dreams."""
    counts = dict.fromkeys(("copied", "true", "false", "nothing"), 0)
    for one in traces:
        for _, verdict in one.claims:
            counts[verdict] += 1
    return counts
