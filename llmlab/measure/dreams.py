"""Dreams traced: which words were copied, which are true, which are made up?

A dream is a text that a model writes from nothing. Each claim in it gets one of four verdicts: *copied* (its
whole sentence stands in the training set), *true* (in new words), *false*, or about *nothing* that exists. Each
token also knows the longest piece of the training set that it is part of.

Read next: exam.py, which asks instead of listening.
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

    match (T,): length of the longest training match that token i is part of; verdicts (T,): "", "copied", "true",
    "false" or "nothing", a label on the tokens of claims' values; claims with their final verdicts.
    """

    tokens: list[str]
    match: np.ndarray
    verdicts: list[str]
    claims: list[tuple[Claim, str]]


def trace(ids: Sequence[int], tokenizer: Tokenizer, index: Index, checker: Checker | None) -> Trace:
    """Trace a text. Without a checker (for Python code) there are no claims."""
    ids = [i for i in ids if i < tokenizer.vocab_size - len(tokenizer.special)]
    pieces = [tokenizer.token_bytes(i) for i in ids]
    starts = np.concatenate([[0], np.cumsum([len(p) for p in pieces])])  # byte offset of each token
    lengths = index.longest_matches(ids)
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
    return Trace([p.decode("utf-8", errors="replace") for p in pieces], match, verdicts, claims)


def covering(lengths: np.ndarray) -> np.ndarray:
    """For each token, the length of the longest match that covers it, given those that begin at each token."""
    out = np.zeros(len(lengths), dtype=np.int32)
    for start, length in enumerate(lengths):
        if length:
            out[start : start + length] = np.maximum(out[start : start + length], length)
    return out


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
