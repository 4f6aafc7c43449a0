"""What becomes of numbers when digits may be merged, and how many sums a model gets right.

Three vocabularies are learned from the same pages of sums; they differ only in the rule for where a word ends.

Read before: spelling.py.
Sources: the rules of GPT-2 and GPT-4 are those of tiktoken's openai_public.py.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import tiktoken

from llmlab.generate.reader import reader_for
from llmlab.measure.samples import texts
from llmlab.model.checkpoint import Checkpoint
from llmlab.text.bpe import SPLIT, train_bpe

SPLITS = {
    "ours": SPLIT,
    "gpt4": SPLIT.replace(r"|\p{N}|", r"|\p{N}{1,3}+|"),
    "gpt2": SPLIT.replace(r"|\p{N}|", r"|\p{N}++|"),
}
NUMBERS = range(1000, 10_000)
SUMS, SUMS_SEED = 50, 5


def number_tokens(split: str, kilobytes: int = 90, count: int = 500) -> tiktoken.Encoding:
    """A vocabulary learned from sums, with this rule for where a word ends."""
    pieces = [bytes([byte]) for byte in range(256)]
    pieces += [step.bytes for step in train_bpe(texts("sums", 1000 * kilobytes), 256 + count, split)]
    ranks = {piece: rank for rank, piece in enumerate(dict.fromkeys(pieces))}
    return tiktoken.Encoding(name="numbers", pat_str=split, mergeable_ranks=ranks, special_tokens={})


def cut(words: tiktoken.Encoding, number: int) -> tuple[str, ...]:
    """A number in its tokens: ("19", "87")."""
    return tuple(piece.decode() for piece in words.decode_tokens_bytes(words.encode_ordinary(str(number))))


def sevens(cuts: Iterable[tuple[str, ...]]) -> int:
    """Of numbers of four digits with a 7 in the hundreds: how many different tokens hold that 7, place included."""
    found = set()
    for pieces in cuts:
        at = 0
        for piece in pieces:
            if at <= 1 < at + len(piece) and piece[1 - at] == "7":
                found.add((piece, 1 - at))
            at += len(piece)
    return len(found)


@dataclass(frozen=True, slots=True)
class Cuts:
    """How NUMBERS fall apart in one vocabulary: `ways` as runs of lengths, `sevens` as above; `digits` of its tokens
    are made of digits alone."""

    vocabulary: tiktoken.Encoding
    digits: int
    ways: int
    sevens: int


def cuts_of(split: str) -> Cuts:
    """Learn a vocabulary by this rule, and cut all NUMBERS with it."""
    words = number_tokens(split)
    cuts = [cut(words, number) for number in NUMBERS]
    ways = Counter(tuple(map(len, pieces)) for pieces in cuts)
    digits = sum(words.decode_single_token_bytes(i).isdigit() for i in range(words.n_vocab))
    return Cuts(words, digits, len(ways), sevens(cuts))


def sums_right(checkpoint: Checkpoint, n: int = SUMS) -> int:
    """How many of n sums of two-digit numbers the model completes with the right two digits, at temperature 0."""
    draw, words = np.random.default_rng(SUMS_SEED), checkpoint.tokenizer
    a, b = draw.integers(11, 50, n), draw.integers(11, 50, n)
    ids = np.array([[words.bos, *words.encode(f"{x} + {y} = ")] for x, y in zip(a, b, strict=True)])
    reader = reader_for(checkpoint.model, batch=n)
    first = reader.read(ids)[:, -1].argmax(-1)
    second = reader.read(first[:, None].astype(np.int64))[:, -1].argmax(-1)
    return sum(words.decode([i, j]) == str(x + y) for i, j, x, y in zip(first, second, a, b, strict=True))
