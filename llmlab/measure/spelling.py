"""What a model knows of the letters inside its tokens.

Two measurements. The same letters in other tokens: how surprised is the model by what follows a text that was spelled
out byte by byte? And the vectors of whole words: how much of their spelling can be read out of them?

Read next: digits.py, where hidden letters are hidden figures.
Source: linear probes, Alain and Bengio 2016 (arXiv:1610.01644).
"""

from collections.abc import Callable, Iterable
from itertools import islice

import numpy as np

from llmlab.generate.engine import own_probability
from llmlab.measure.samples import held_out
from llmlab.model.checkpoint import Checkpoint

PAGES = 24  # held-out pages
HEAD, TAIL = 16, 24  # tokens of each page: so many are respelled, and so many are read after them
PLACES = ((1, 1), (2, 4), (5, 8), (9, 16), (17, TAIL))  # of these, counted from 1: first and last of a group
FOLDS, RIDGE = 5, 100.0  # of `probe`


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


# ---- what a vector knows ----

ASKED: dict[str, Callable[[str], object]] = {
    "capital": lambda word: word[0].isupper(),
    "first_letter": lambda word: word[0].lower(),
    "last_letter": lambda word: word[-1],
    "length": len,
}


def whole_words(checkpoint: Checkpoint) -> tuple[np.ndarray, list[str]]:
    """The vectors (N, C) of the tokens that are a blank and a word of three letters or more, and the words."""
    words = checkpoint.tokenizer
    found = [(i, words.token_bytes(i)) for i in range(256, 256 + len(words.merges))]
    found = [(i, t[1:].decode()) for i, t in found if t[:1] == b" " and t[1:].isalpha() and len(t) > 3]
    vectors = checkpoint.model.embed_tokens.weight.detach().cpu().double().numpy()[[i for i, _ in found]]
    return (vectors - vectors.mean(0)) / vectors.std(0), [word for _, word in found]


def probe(x: np.ndarray, labels: Iterable[object]) -> tuple[int, int]:
    """How many labels a linear reader gets right on words that it was not fitted on, and how many one constant would.

    x (N, C): standardised vectors. Each word is judged by a reader that was fitted on the other folds.
    """
    names, y = np.unique(np.array(list(labels)), return_inverse=True)
    one_hot, order = np.eye(len(names))[y], np.random.default_rng(0).permutation(len(y))
    right = 0
    for fold in range(FOLDS):
        test = order[fold::FOLDS]
        train = np.setdiff1d(order, test)
        mean = one_hot[train].mean(0)
        weights = np.linalg.solve(
            x[train].T @ x[train] + RIDGE * np.eye(x.shape[1]), x[train].T @ (one_hot[train] - mean)
        )
        right += int(((x[test] @ weights + mean).argmax(1) == y[test]).sum())
    return right, int(np.bincount(y).max())


def probes(checkpoint: Checkpoint) -> tuple[list[str], dict[str, tuple[int, int]]]:
    """The words that were asked about, and what `probe` says to each question of ASKED."""
    x, words = whole_words(checkpoint)
    return words, {name: probe(x, map(label, words)) for name, label in ASKED.items()}
