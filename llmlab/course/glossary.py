"""The glossary: one file of words, of which each lesson shows its own and the front page all.

In a lesson's text a new word is a link, `[softmax](#word-softmax)`; a test holds each link to an entry of that lesson.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path

from llmlab.world.grammar import read_rules

FILE = Path(__file__).with_name("glossary.txt")


@dataclass(frozen=True, slots=True)
class Word:
    lesson: str  # its number
    name: str
    meaning: str

    @property
    def anchor(self) -> str:
        """Where a link to it leads: `word-top-k`."""
        return "word-" + re.sub(r"\W+", "-", self.name.lower())


@lru_cache(maxsize=1)
def words() -> tuple[Word, ...]:
    """All words, in the order of the lessons. LabError where the file is damaged."""
    lines = ((lesson, line) for lesson, own in read_rules(FILE).items() for _, line in own)
    return tuple(Word(lesson, *line.split(": ", 1)) for lesson, line in lines)


def listed(lesson: str | None = None) -> str:
    """The words of a lesson, or of all, as a list of definitions (HTML)."""
    shown = [word for word in words() if lesson in (None, word.lesson)]
    if lesson is None:
        shown.sort(key=lambda word: word.name.lower())
    rows = "".join(
        f'<div id="{word.anchor}"><dt>{escape(word.name)}</dt><dd>{escape(word.meaning)}</dd></div>'
        for word in shown
    )
    return f'<dl class="ll-words">{rows}</dl>'
