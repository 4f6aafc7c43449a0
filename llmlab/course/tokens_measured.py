"""Lesson 03, measured on the model: what it costs to read words as tokens, and not as letters.

Four measurements, each made when the lesson is opened: the same letters in other tokens; surprise after them; what a
token's vector knows about its spelling; and what becomes of numbers when digits may be merged.

Read next: tokens_exercises.py.
"""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

import numpy as np
import tiktoken

from llmlab.course.next_token import best, next_scores, own_probability
from llmlab.course.samples import held_out, texts
from llmlab.course.tables import Column, note, side_by_side, table
from llmlab.errors import LabError
from llmlab.generate.engine import encode_prompt
from llmlab.generate.reader import reader_for
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.show.number_format import measured, percent
from llmlab.text.bpe import SPLIT, train_bpe

PAGES, HEAD, TAIL = (
    24,
    16,
    24,
)  # held-out pages; tokens of each that are respelled, and that are read after them
PLACES = ((1, 1), (2, 4), (5, 8), (9, 16), (17, TAIL))
SUMS = 50
NUMBERS = range(1000, 10_000)
SPLITS = {
    "each alone (ours)": SPLIT,
    "up to three (GPT-4)": SPLIT.replace(r"|\p{N}|", r"|\p{N}{1,3}+|"),
    "any run (GPT-2)": SPLIT.replace(r"|\p{N}|", r"|\p{N}++|"),
}
EXAMPLES = (1987, 1988, 2007)


# ---- the same letters, other tokens ----


def respelled(checkpoint: Checkpoint, text: str) -> list[int]:
    """The same text with a token for each byte. The model knows all of them, and was never shown words in them."""
    return [checkpoint.tokenizer.bos, *text.encode("utf-8", errors="replace")]


def two_readings(checkpoint: Checkpoint, text: str, shown: int = 8) -> str:
    """What comes next, read as the tokens that the model learned with, and read letter by letter."""
    try:
        readings = {
            "As its tokens": encode_prompt(checkpoint, text),
            "Letter by letter": encode_prompt(checkpoint, respelled(checkpoint, text)),
        }
    except LabError as problem:
        return note(str(problem))
    columns = [
        Column(name, f"{len(ids) - 1} tokens", best(checkpoint, ids, shown)) for name, ids in readings.items()
    ]
    tops = "; ".join(f"{c.name}: {c.rows[0][0]} {percent(c.rows[0][1])}" for c in columns)
    return side_by_side(columns, shown, alt=f"Bar charts of the token after “{text}”. {tops}.")


def new_words(checkpoint: Checkpoint, ids: list[int]) -> float:
    """The probability that the next token begins a word of its own: that it has a blank in front."""
    words, shares = checkpoint.tokenizer, next_scores(checkpoint, ids).double().softmax(-1)
    blank = [token for token in range(words.vocab_size) if words.token_bytes(token)[:1] == b" "]
    return float(shares[blank].sum())


def reading_sentence(checkpoint: Checkpoint, text: str) -> str:
    """What the two readings expect, in one number each."""
    try:
        whole = percent(new_words(checkpoint, encode_prompt(checkpoint, text)))
        letters = percent(new_words(checkpoint, respelled(checkpoint, text)))
    except LabError:
        return "A text of so many letters does not fit into the context, though its tokens might."
    return (
        f"After the tokens it expects a new word with {whole}, after the single letters with {letters}: where a "
        "single letter stands in its pages, a word was broken, and its rest must follow. The model does not see that "
        "the two texts are the same."
    )


def surprises(checkpoint: Checkpoint) -> tuple[np.ndarray, np.ndarray]:
    """Bits (PAGES, TAIL) of the tokens after the beginning of held-out pages: read as tokens, and as bytes."""
    words, whole, bytewise = checkpoint.tokenizer, [], []
    pages = (words.encode(page.text)[: HEAD + TAIL] for page in held_out())
    for ids in islice((ids for ids in pages if len(ids) == HEAD + TAIL), PAGES):
        letters = [byte for token in ids[:HEAD] for byte in words.token_bytes(token)]
        for row, start in ((whole, ids[:HEAD]), (bytewise, letters)):
            read = [words.bos, *start, *ids[HEAD:]]
            row.append(-own_probability(checkpoint, read)[-TAIL:] / np.log(2))
    return np.array(whole), np.array(bytewise)


@lru_cache(maxsize=4)
def measured_surprises(model: str) -> tuple[np.ndarray, np.ndarray]:
    """`surprises` of a model by its name, measured once for the table and the sentence."""
    return surprises(zoo.load(model))


def surprise_table(model: str) -> str:
    """The surprise at each distance from the place where the spelling ends."""
    whole, bytewise = measured_surprises(model)
    rows = []
    for first, last in PLACES:
        a, b = (float(bits[:, first - 1 : last].mean()) for bits in (whole, bytewise))
        name = f"token {first}" if first == last else f"tokens {first} to {last}"
        rows.append((name, f"{a:.2f} bits", f"{b:.2f} bits", f"{b - a:+.2f}".replace("-", "−")))
    heads = (f"after {HEAD} tokens of text", "read as tokens", "read letter by letter", "difference")
    return table(heads, rows)


def surprise_sentence(model: str) -> str:
    """What the table says, from its own numbers."""
    whole, bytewise = measured_surprises(model)
    last = slice(PLACES[-1][0] - 1, PLACES[-1][1])
    first_gap = float((bytewise - whole)[:, 0].mean())
    last_gap = float((bytewise - whole)[:, last].mean())
    end = "fades as tokens of the usual kind come in" if last_gap < first_gap / 2 else "does not fade"
    return (
        f"The beginnings of {len(whole)} pages that the model never read are read once as tokens and once letter by "
        f"letter; then the same tokens follow, and their surprise is measured. The first one costs {first_gap:.2f} "
        f"bits more after single letters, the last ones {last_gap:.2f}: the damage {end}."
    )


# ---- what a vector knows about the spelling ----


def whole_words(checkpoint: Checkpoint) -> tuple[np.ndarray, list[str]]:
    """The vectors (N, C) of the tokens that are a blank and a word of three letters or more, and the words."""
    words = checkpoint.tokenizer
    found = [(i, words.token_bytes(i)) for i in range(256, 256 + len(words.merges))]
    found = [(i, t[1:].decode()) for i, t in found if t[:1] == b" " and t[1:].isalpha() and len(t) > 3]
    vectors = checkpoint.model.embed_tokens.weight.detach().cpu().double().numpy()[[i for i, _ in found]]
    return (vectors - vectors.mean(0)) / vectors.std(0), [word for _, word in found]


def probe(x: np.ndarray, labels: Iterable[object], folds: int = 5, ridge: float = 100.0) -> tuple[int, int]:
    """How many labels a linear reader gets right on words that it was not fitted on, and how many one constant would.

    x (N, C): standardised vectors. Each word is judged by a reader that was fitted on the other folds.
    """
    names, y = np.unique(np.array(list(labels)), return_inverse=True)
    one_hot, order = np.eye(len(names))[y], np.random.default_rng(0).permutation(len(y))
    right = 0
    for fold in range(folds):
        test = order[fold::folds]
        train = np.setdiff1d(order, test)
        mean = one_hot[train].mean(0)
        weights = np.linalg.solve(
            x[train].T @ x[train] + ridge * np.eye(x.shape[1]), x[train].T @ (one_hot[train] - mean)
        )
        right += int(((x[test] @ weights + mean).argmax(1) == y[test]).sum())
    return right, int(np.bincount(y).max())


ASKED = {
    "Is it written with a capital?": lambda word: word[0].isupper(),
    "Which letter does it begin with?": lambda word: word[0].lower(),
    "Which letter does it end with?": lambda word: word[-1],
    "How many letters has it?": len,
}


@lru_cache(maxsize=4)
def probes(model: str) -> tuple[list[str], list[tuple[int, int]]]:
    """The words that were asked about, and what `probe` says to each of ASKED, in order."""
    x, words = whole_words(zoo.load(model))
    return words, [probe(x, map(label, words)) for label in ASKED.values()]


def letters_table(model: str) -> str:
    """What can be read out of the vectors of whole words about how they are written."""
    words, found = probes(model)
    rows = []
    for question, (right, constant) in zip(ASKED, found, strict=True):
        rows.append(
            (
                question,
                percent(right / len(words)),
                percent(constant / len(words)),
                gain(right, constant, len(words)),
            )
        )
    return table(
        (f"of {len(words):,} words", "read from the vector", "always the same answer", "so the vector knows"),
        rows,
    )


def letters_sentence(model: str) -> str:
    """What the table says about capitals and first letters, from its own numbers."""
    words, ((named, _), (right, constant), *_) = probes(model)
    often = Counter(word[0].lower() for word in words).most_common(1)[0][0]
    return (
        f"A capital is told for {percent(named / len(words))} of the words: names are used in their own way, and use "
        f"is what a model learns from. The first letter is told for {right:,} words; who always says “{often}” is "
        f"right for {constant:,}. So of first letters the vectors know {gain(right, constant, len(words))}. Larger "
        "models learn some spelling from pages that spell; nobody shows it to them."
    )


def gain(right: int, constant: int, n: int) -> str:
    """In words, how much of what a constant answer misses is got right; within two standard errors it is nothing."""
    share, noise = (right - constant) / max(1, n - constant), 2 * np.sqrt(0.25 * n) / max(1, n - constant)
    if share <= noise:
        return "nothing"
    return "a little" if share < 1 / 3 else "much" if share < 2 / 3 else "nearly all"


# ---- numbers ----


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


@lru_cache(maxsize=1)
def numbers_table() -> str:
    """The same sums, three rules for digits: how numbers fall apart."""
    rows = []
    for name, split in SPLITS.items():
        words = number_tokens(split)
        cuts = [cut(words, number) for number in NUMBERS]
        ways = Counter(tuple(map(len, pieces)) for pieces in cuts)
        digits = sum(words.decode_single_token_bytes(i).isdigit() for i in range(words.n_vocab))
        rows.append(
            (
                name,
                *("·".join(cut(words, number)) for number in EXAMPLES),
                f"{digits}",
                f"{len(ways)}",
                f"{sevens(cuts)}",
            )
        )
    heads = (
        "rule",
        *(f"{n}" for n in EXAMPLES),
        "tokens of digits",
        "ways to cut",
        "tokens for a 7 in the hundreds",
    )
    return table(heads, rows)


def sums_right(checkpoint: Checkpoint, n: int = SUMS) -> int:
    """How many of n sums of two-digit numbers the model completes with the right two digits, at temperature 0."""
    draw, words = np.random.default_rng(5), checkpoint.tokenizer
    a, b = draw.integers(11, 50, n), draw.integers(11, 50, n)
    ids = np.array([[words.bos, *words.encode(f"{x} + {y} = ")] for x, y in zip(a, b, strict=True)])
    reader = reader_for(checkpoint.model, batch=n)
    first = reader.read(ids)[:, -1].argmax(-1)
    second = reader.read(first[:, None].astype(np.int64))[:, -1].argmax(-1)
    return sum(words.decode([i, j]) == str(x + y) for i, j, x, y in zip(first, second, a, b, strict=True))


@lru_cache(maxsize=4)
def sums_sentence(model: str) -> str:
    """The model's own score, with its interval, and what follows from it."""
    right = sums_right(zoo.load(model))
    known = (
        "It is too small for sums, whatever its tokens are"
        if right < SUMS / 4
        else "Digits that stand alone are no obstacle to it"
    )
    return (
        f"Asked for {SUMS} sums of two numbers between 11 and 49, our model answers {measured(right, SUMS)} right. "
        f"{known}. So the table is not about this model: it says what a vocabulary makes hard for any."
    )
