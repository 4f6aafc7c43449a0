"""How alive is the text? Compression and repetition on 2 MB of the Pocket Web's prose."""

import gzip
import lzma
from collections.abc import Iterable
from dataclasses import dataclass

from llmlab.world.crawl import Page
from llmlab.world.preview import distinct_8grams

NOT_PROSE = ("sums", "tongue", "table", "home")  # figures, code, and HTML compress by other laws
ENOUGH = 2_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Prose:
    """`gzip` and `xz` are ratios, text over archive (plain English: 3.2 by gzip); `distinct_8grams` a share."""

    gzip: float
    xz: float
    distinct_8grams: float
    n_bytes: int


def sample(pages: Iterable[Page], every: int) -> str:
    """Every `every`-th training page of prose, until there is enough."""
    taken, size = [], 0
    for page in pages:
        if page.split == "train" and page.id % every == 0 and page.kind not in NOT_PROSE:
            taken.append(page.text)
            size += len(page.text.encode("utf-8"))
            if size >= ENOUGH:
                break
    return "\n".join(taken)


def measure(text: str) -> Prose:
    raw = text.encode("utf-8")
    return Prose(
        gzip=len(raw) / len(gzip.compress(raw, 9)),
        xz=len(raw) / len(lzma.compress(raw, preset=9)),
        distinct_8grams=distinct_8grams(text),
        n_bytes=len(raw),
    )
