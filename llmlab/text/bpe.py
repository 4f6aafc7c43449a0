"""Byte pair encoding: how a vocabulary is learned from text.

Text is bytes, and bytes are 256 tokens already. BPE then repeats one step: find the two neighbouring tokens
that stand side by side most often, and make them one new token. 3,830 such steps make a vocabulary of 4,096.

Merges never cross the border of a word: the text is first split by SPLIT, and since most words occur many
times, each *distinct* word is counted once and carried with its count. That, and re-counting only the words
that a merge touched, is the whole difference between eight hours and some seconds.

Read next: segmentation.py, which shows them on one text; tokenizer.py, which runs them at speed.
Sources: Sennrich et al. 2016 (arXiv:1508.07909); byte level, GPT-2 (Radford et al. 2019); the split is that of
GPT-4's cl100k_base (tiktoken), except that each digit stands alone.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import regex

SPLIT = "|".join(
    [
        r"'(?i:[sdmt]|ll|ve|re)",  # the end of a short form: it's, we'll
        r"[^\r\n\p{L}\p{N}]?+\p{L}++",  # a word, with the blank or the sign before it
        r"\p{N}",  # one digit
        r" ?[^\s\p{L}\p{N}]++[\r\n]*+",  # signs, with the line's end after them
        r"\s++$",  # blanks at the end of the text
        r"\s*[\r\n]",  # empty lines
        r"\s+(?!\S)",  # blanks; the last one is left to the word after them
        r"\s",
    ]
)


class Merge(NamedTuple):
    """One step of learning: tokens `left` and `right` become token `id`, which stands for `bytes`.

    `count` is how often the pair stood side by side in the text when it was chosen.
    """

    id: int
    left: int
    right: int
    bytes: bytes
    count: int


def count_words(texts: Iterable[str], split: str = SPLIT) -> Counter[bytes]:
    """Split each text and count its distinct pieces, as UTF-8."""
    pattern = regex.compile(split)
    words: Counter[str] = Counter()
    for text in texts:
        words.update(pattern.findall(text))
    counts: Counter[bytes] = Counter()
    for word, count in words.items():  # lone surrogates are no UTF-8; they count as question marks
        counts[word.encode("utf-8", errors="replace")] += count
    return counts


def train_bpe(texts: Iterable[str], vocab_size: int, split: str = SPLIT) -> Iterator[Merge]:
    """Learn merges until there are `vocab_size` tokens (the 256 bytes included) or no pair is left.

    Of pairs with equal counts the one with the smaller token ids wins, so that the same text gives the same
    vocabulary everywhere.
    """
    counted = sorted(count_words(texts, split).items())
    words = [list(word) for word, _ in counted]
    counts = [count for _, count in counted]

    pairs: Counter[tuple[int, int]] = Counter()  # how often each pair stands side by side
    where: defaultdict[tuple[int, int], set[int]] = defaultdict(set)  # the words it stands in
    for index, word in enumerate(words):
        for pair in pairwise(word):
            pairs[pair] += counts[index]
            where[pair].add(index)

    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)
    token_bytes = [bytes([byte]) for byte in range(256)]
    while heap and len(token_bytes) < vocab_size:
        count, pair = heapq.heappop(heap)
        if pairs[pair] != -count:
            continue  # this entry is old: the count has changed since, and the new one is in the heap too
        if not count:
            break  # every word is one token
        new = len(token_bytes)
        token_bytes.append(token_bytes[pair[0]] + token_bytes[pair[1]])
        change: defaultdict[tuple[int, int], int] = defaultdict(int)
        for index in where.pop(pair):
            old, fresh = words[index], merge(words[index], pair, new)
            if len(fresh) == len(old):
                continue  # an earlier merge has taken the pair out of this word
            words[index] = fresh
            for left_right in pairwise(old):
                change[left_right] -= counts[index]
            for left_right in pairwise(fresh):
                change[left_right] += counts[index]
                if new in left_right:
                    where[left_right].add(index)
        for touched, difference in change.items():
            if difference:
                pairs[touched] += difference
                heapq.heappush(heap, (-pairs[touched], touched))
        yield Merge(new, *pair, token_bytes[new], -count)


def merge(tokens: list[int], pair: tuple[int, int], new: int) -> list[int]:
    """Replace each `pair` in `tokens` by `new`, from left to right."""
    merged, at = [], 0
    while at < len(tokens):
        if at + 1 < len(tokens) and (tokens[at], tokens[at + 1]) == pair:
            merged.append(new)
            at += 2
        else:
            merged.append(tokens[at])
            at += 1
    return merged


def encode(text: str, merges: Iterable[tuple[int, int]]) -> list[int]:
    """Text to tokens, as slowly and plainly as it can be said: apply each merge, in the order of learning."""
    words = [list(word.encode("utf-8", errors="replace")) for word in regex.findall(SPLIT, text)]
    for new, pair in enumerate(merges, start=256):
        words = [merge(word, pair, new) for word in words]
    return [token for word in words for token in word]
