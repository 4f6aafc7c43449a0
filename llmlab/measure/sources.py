"""The pages behind a match: where in the training set a run of tokens stands, with the words around it.

A match shows that the model could have copied it, not that it did: the same words may stand on many pages, and a
model that has learned a language writes some of its sentences without any page in mind.

Read next: chance.py, how long a match is by chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llmlab.measure.index import Index
from llmlab.text.tokenizer import Tokenizer

AROUND = 45  # tokens that are shown before and after a match


@dataclass(frozen=True, slots=True)
class Source:
    """One place of the training set: `said` are the matched words, `before` and `after` what stands around them."""

    kind: str
    page: int
    before: str
    said: str
    after: str


def sources(
    index: Index, tokenizer: Tokenizer, run: Sequence[int], most: int = 3, around: int = AROUND
) -> tuple[int, list[Source]]:
    """How many pages hold `run`, and where it stands on up to `most` of them, the lowest numbers first."""
    file, places = index.file, np.sort(index.occurrences(run))
    documents = np.searchsorted(file.start, places, side="right") - 1
    pages, first = np.unique(file.page[documents], return_index=True)
    found = []
    for place, document in zip(places[first[:most]].tolist(), documents[first[:most]].tolist(), strict=True):
        begin, end = int(file.start[document]) + 1, int(file.start[document + 1])  # after its <|bos|>
        last = place + len(run)
        text = [
            tokenizer.decode(file.tokens[a:b].tolist())
            for a, b in ((max(begin, place - around), place), (place, last), (last, min(end, last + around)))
        ]
        before = "… " * (place - around > begin) + text[0]
        after = text[2] + " …" * (last + around < end)
        kind = file.kinds[file.kind[document]]
        found.append(Source(kind, int(file.page[document]), before, text[1], after))
    return len(pages), found
