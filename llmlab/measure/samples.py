"""Texts for the lessons and their figures: one of each kind to look at, pages that no model has read, and some
hundred kilobytes of a kind to learn from.

Pages are written on the spot: page i of the Pocket Web is a function of i alone, so nothing has to be on the disk.

Read next: spelling.py and digits.py, which measure on them.
"""

import inspect
from collections.abc import Iterator
from functools import lru_cache
from itertools import count

from llmlab.errors import LabError
from llmlab.text import bpe
from llmlab.world.crawl import VALID_EVERY, VALID_FIRST, Page, press
from llmlab.world.kinds import write
from llmlab.world.realtext import python_text

SIZE, SEED = "course", 1  # of the world that the models have read

# Article 1 of the Universal Declaration of Human Rights, its first sentence
ENGLISH = "All human beings are born free and equal in dignity and rights."
GREEK = "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα."
CHINESE = "人人生而自由，在尊严和权利上一律平等。"
EMOJI = "⛵🌊🐟🧂🌙⚓🦀"

SOURCES = {
    "pages of the crawl": "crawl",
    "the tongue of the Isles": "tongue",
    "sums": "sums",
    "Python’s own library": "python",
}


def held_out() -> Iterator[Page]:
    """Pages that no model of the course has read, in order."""
    maker = press(SIZE, SEED)
    return (maker.page(i) for i in range(VALID_FIRST, maker.count, VALID_EVERY))


@lru_cache(maxsize=16)
def page_of(kind: str) -> str:
    """The first page of a kind that was held out."""
    return next(page.text for page in held_out() if page.kind == kind)


@lru_cache(maxsize=1)
def kinds() -> dict[str, str]:
    """A short text of each kind, by name: what the models have read, and what they have not."""
    return {
        "A diary": short(page_of("diary")),
        "Sums": short(page_of("sums")),
        "The tongue of the Isles": short(page_of("tongue")),
        "Python code": short(inspect.getsource(bpe.merge)),
        "English": ENGLISH,
        "Greek": GREEK,
        "Chinese": CHINESE,
        "Emoji": EMOJI,
    }


def short(text: str, most: int = 320) -> str:
    """The beginning of a text, up to the end of a line or a word."""
    if len(text) <= most:
        return text.strip()
    end = max(text.rfind("\n", most // 2, most), text.rfind(". ", most // 2, most) + 1)
    return text[: end if end > 0 else text.rfind(" ", 0, most)].strip()


def texts(source: str, n_bytes: int) -> Iterator[str]:
    """Pages to learn from, until they have so many bytes. source: a value of SOURCES."""
    maker = press(SIZE, SEED)
    written = {
        "crawl": lambda: (page.text for page in map(maker.page, range(maker.count)) if page.split == "train"),
        "sums": lambda: (write(maker.casting, "sums", None, seed, 2020).text for seed in count()),
        "tongue": lambda: (write(maker.casting, "tongue", None, seed, 2020).text for seed in count()),
        "python": lambda: (document.text for document in python_text()),
    }
    if source not in written:
        raise LabError(f"There are no pages named {source!r}. Choose one of: {', '.join(written)}.")
    for text in written[source]():
        if n_bytes <= 0:
            return
        yield text
        n_bytes -= len(text.encode("utf-8"))
