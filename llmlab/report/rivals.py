"""What others need for the held-out text: two archivers, and the writer, who knows the grammar.

Read next: figures.py, which holds the model against them.
"""

import gzip
import lzma
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from llmlab.world.crawl import Page
from llmlab.world.realtext import Document


@dataclass(frozen=True, slots=True)
class Rivals:
    """What others need for the same held-out text, in bytes; `writer` is 0 where nobody counted (Python)."""

    n_bytes: int
    gzip: float
    xz: float
    writer: float


def rivals(documents: Iterable[Page | Document]) -> dict[str, Rivals]:
    """Per kind: the archives of all its held-out text, and the choices of its writer, who knows the grammar."""
    texts: dict[str, list[str]] = {}
    chosen: Counter[str] = Counter()
    for document in documents:
        if document.split == "valid":
            texts.setdefault(document.kind, []).append(document.text)
            chosen[document.kind] += getattr(document, "bits", 0.0)
    packed = {}
    for kind, parts in texts.items():
        raw = "".join(parts).encode("utf-8")
        archives = len(gzip.compress(raw, 9)), len(lzma.compress(raw, preset=9))
        packed[kind] = Rivals(len(raw), *archives, chosen[kind] / 8)
    return packed
