"""Lesson 03, measured on the model: what it costs to read words as tokens, and not as letters.

Three measurements of measure/spelling.py and measure/digits.py, made when the lesson is opened: surprise after the
same letters in other tokens; what a token's vector knows about its spelling; and what becomes of numbers when digits
may be merged. `llmlab figures` has rows for them (report/tokens.py).

Read next: tokens_exercises.py.
"""

from collections import Counter
from functools import lru_cache

import numpy as np

from llmlab.course.tables import table
from llmlab.measure import spelling
from llmlab.measure.digits import SPLITS, SUMS, cut, cuts_of, sums_right
from llmlab.measure.spelling import HEAD, PLACES
from llmlab.model import zoo
from llmlab.show.number_format import measured, percent

RULES = {"ours": "each alone (ours)", "gpt4": "up to three (GPT-4)", "gpt2": "any run (GPT-2)"}
EXAMPLES = (1987, 2007)
QUESTIONS = {
    "capital": "Is it written with a capital?",
    "first_letter": "Which letter does it begin with?",
    "last_letter": "Which letter does it end with?",
    "length": "How many letters has it?",
}


# ---- surprise after the same letters in other tokens ----


@lru_cache(maxsize=4)
def measured_surprises(model: str) -> tuple[np.ndarray, np.ndarray]:
    """`surprises` of a model by its name, measured once for the table and the sentence."""
    return spelling.surprises(zoo.load(model))


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


@lru_cache(maxsize=4)
def probes(model: str) -> tuple[list[str], dict[str, tuple[int, int]]]:
    """`spelling.probes` of a model by its name, measured once for the table and the sentence."""
    return spelling.probes(zoo.load(model))


def letters_table(model: str) -> str:
    """What can be read out of the vectors of whole words about how they are written."""
    words, found = probes(model)
    rows = []
    for name, (right, constant) in found.items():
        shares = percent(right / len(words)), percent(constant / len(words))
        rows.append((QUESTIONS[name], *shares, gain(right, constant, len(words))))
    return table(
        (f"of {len(words):,} words", "read from the vector", "always the same answer", "so the vector knows"),
        rows,
    )


def letters_sentence(model: str) -> str:
    """What the table says about capitals and first letters, from its own numbers."""
    words, found = probes(model)
    (named, _), (right, constant) = found["capital"], found["first_letter"]
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


@lru_cache(maxsize=1)
def numbers_table() -> str:
    """The same sums, three rules for digits: how numbers fall apart."""
    rows = []
    for rule, split in SPLITS.items():
        found = cuts_of(split)
        examples = ("·".join(cut(found.vocabulary, number)) for number in EXAMPLES)
        rows.append((RULES[rule], *examples, f"{found.digits}", f"{found.ways}", f"{found.sevens}"))
    counted = ("tokens of digits", "ways to cut", "tokens for a 7 in the hundreds")
    return table(("rule", *map(str, EXAMPLES), *counted), rows)


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
