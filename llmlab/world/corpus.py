"""A training set on disk: the crawl and the real text beside it, built on first use and kept in the cache.

Nothing of this is committed: the same seed gives the same bytes, and half a minute gives them back. The
key of the cache holds the voices, the code of this folder and the text of the interpreter that runs.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

from llmlab.errors import LabError
from llmlab.paths import cache_dir, part_of
from llmlab.world.crawl import Page, crawl
from llmlab.world.realtext import Document, digest, numbered, python_text


@dataclass(frozen=True)
class CorpusFolder:
    """A folder of the cache: `pages.jsonl` (the crawl and the live web) and `real.jsonl` (other text)."""

    folder: Path
    size: str
    seed: int
    key: str

    def pages(self) -> Iterator[Page]:
        """Every page of the world in order, the live web last."""
        for row in rows(self.folder / "pages.jsonl"):
            yield Page(**{**row, "facts": tuple(row["facts"])})

    def documents(self) -> Iterator[Page | Document]:
        """Everything that a model may read ("train") or that is held out ("valid"); the live web is neither."""
        yield from (page for page in self.pages() if page.split != "live")
        yield from (Document(**row) for row in rows(self.folder / "real.jsonl"))


def rows(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


@lru_cache(maxsize=1)
def recipe_hash() -> str:
    """SHA-256 over the voices, the word lists and the code that writes pages."""
    folder = Path(__file__).parent
    total = hashlib.sha256()
    for path in sorted(chain(folder.glob("*.py"), folder.glob("*.txt"), folder.glob("voices/*.txt"))):
        total.update(path.name.encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()


def corpus_key(size: str, seed: int, real: str) -> str:
    return hashlib.sha256(f"{recipe_hash()} {size} {seed} {real}".encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def python_hash() -> str:
    return digest(python_text())


def find_corpus(size: str, seed: int, real: "list[Document] | None" = None) -> CorpusFolder:
    """Where the corpus of this size and seed is, or will be. `real` replaces Python's own text by other documents."""
    key = corpus_key(size, seed, python_hash() if real is None else digest(iter(real)))
    return CorpusFolder(cache_dir() / f"corpus-{size}-{key}", size, seed, key)


def build_corpus(made: CorpusFolder, real: "list[Document] | None" = None) -> Iterator[int]:
    """Write a corpus to where `find_corpus` says; yields the number of pages written so far.

    Does nothing where it is there. `real`: the same documents that `find_corpus` was given.
    """
    if made.folder.is_dir():
        return
    beside = part_of(made.folder)
    try:
        beside.mkdir(parents=True, exist_ok=True)
        with (beside / "pages.jsonl").open("w", encoding="utf-8", newline="\n") as out:
            for number, page in enumerate(crawl(made.size, made.seed), 1):
                out.write(json.dumps(asdict(page), ensure_ascii=False) + "\n")
                if number % 500 == 0:
                    yield number
        with (beside / "real.jsonl").open("w", encoding="utf-8", newline="\n") as out:
            for document in numbered(python_text() if real is None else iter(real)):
                out.write(json.dumps(asdict(document), ensure_ascii=False) + "\n")
        try:
            beside.rename(made.folder)
        except OSError:
            if not made.folder.is_dir():  # another process was faster: its corpus is the same
                raise
    except OSError as error:
        raise LabError(
            f"The corpus could not be written to {made.folder.parent}: {error}. Free some space."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
