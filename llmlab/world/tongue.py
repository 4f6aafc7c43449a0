"""The merchants' tongue: a code book that puts one invented word for each English one.

Names, digits and punctuation stay. A small model learns a word-level code well and a letter-level code
hardly at all (docs/decisions.md), so this is the code of the Isles. The jailbreak lesson needs it: the
base model reads it, and nobody thought of teaching an assistant to refuse in it.
"""

import random
import re
from functools import lru_cache

from llmlab.world.draft import Draft
from llmlab.world.genesis import word_lists
from llmlab.world.grammar import VOICES

STARTS = "b d g h j k m n r t v z sh zh".split()
MIDDLES = "a e i o u aa oi".split()
WORD = re.compile(r"(?<![A-Za-z])[a-z]+(?:'[a-z]+)?")
LISTS = (
    "reagent",
    "method",
    "reason",
    "colour",
    "flame",
    "forbidden_first",
    "forbidden_second",
    "harmless_second",
)
LAYOUTS = (  # with their weights
    ("{plain} = {tongue}", 6),
    ("{tongue} = {plain}", 4),
    ("{plain}\n{tongue}\n", 3),
    ("Plain: {plain}\nTongue: {tongue}", 2),
)
HEADS = ("From a phrase book", "Phrases for the quay", "Plain and tongue", "Heard at the salt market", "")


@lru_cache(maxsize=1)
def code_book() -> dict[str, str]:
    """{English word: word of the tongue} for every lower-case word that tongue pages are made of."""
    voice = (VOICES / "tongue.txt").read_text(encoding="utf-8")
    text = re.sub(r"^(#|==).*$|\{[^{}]*\}", " ", voice, flags=re.M)
    text += " ".join(value for name in LISTS for value in word_lists()[name])
    words = sorted(set(WORD.findall(text)))
    syllables = [a + b for a in STARTS for b in MIDDLES]
    invented = [a + b + c for a in syllables for b in syllables for c in ("", "k", "n")]
    rng, chosen = random.Random(7).random, {}
    for word in words:
        while (new := invented[int(rng() * len(invented))]) in chosen or new in words:
            pass
        chosen[new] = word
    return {word: new for new, word in chosen.items()}


def to_tongue(text: str) -> str:
    """Word for word; a word that the book does not hold stays as it is."""
    book = code_book()
    return WORD.sub(lambda match: book.get(match[0], match[0]), text)


def from_tongue(text: str) -> str:
    back = {new: word for word, new in code_book().items()}
    return WORD.sub(lambda match: back.get(match[0], match[0]), text)


def write_tongue(draft: Draft) -> str:
    """A phrase book, a letter in both forms, a dictionary, or a ledger in the tongue alone."""
    kind = draft.pick(("phrases", "phrases", "letter", "recipe", "ledger", "ledger", "dictionary"))
    if kind == "dictionary":
        words = sorted(code_book())
        lines = dict.fromkeys(draft.pick(words) for _ in range(8 + draft.below(10)))
        return "A short dictionary of the tongue\n\n" + "\n".join(f"{w} = {to_tongue(w)}" for w in lines)
    rules = {
        "phrases": ("phrase",), "letter": ("letter_line",), "recipe": ("recipe_line", "phrase"),
        "ledger": ("ledger", "sign", "letter_line", "recipe_line"),
    }[kind]  # fmt: skip
    plain = [draft.expand(draft.pick(rules)) for _ in range(4 + draft.below(6))]
    if kind == "ledger":
        return "\n".join(to_tongue(line) for line in plain)
    if kind == "letter":
        letter = " ".join(plain)
        return f"{letter}\n\nThe same in the tongue of the merchants:\n\n{to_tongue(letter)}"
    layout = weighted(draft, LAYOUTS)
    head = draft.pick(HEADS)
    body = "\n".join(layout.format(plain=line, tongue=to_tongue(line)) for line in plain)
    return f"{head}\n\n{body}".strip()


def weighted(draft: Draft, options: tuple[tuple[str, int], ...]) -> str:
    return draft.pick([text for text, weight in options for _ in range(weight)])
