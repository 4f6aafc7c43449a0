"""Lesson 04, measured: the marks on the loss chart, the crawl as an archive, and what facts cost.

The marks and the archives of the whole crawl take a minute, and change only with the corpus and the models; so they
are recorded in a small file, which a command writes anew:

    python -m llmlab.report.pretraining

Read next: figures.py, which measures the rows of this lesson each time that it is asked.
"""

import gzip
import json
import lzma
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from llmlab.measure.compress import zstd_bytes
from llmlab.measure.ngrams import Levels, levels
from llmlab.measure.surprise import Stated, fact_bits
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.paths import assets, atomic_write
from llmlab.pipeline import finish, tokens, world
from llmlab.text.packing import Corpus, TokenFile
from llmlab.train.evaluate import evaluate
from llmlab.world.corpus import CorpusFolder
from llmlab.world.kinds import KINDS

DOCUMENTS = 600  # of the training set, for the model's bits on what it has read
Text = tuple[str, Sequence[Stated]]


@dataclass(frozen=True, slots=True)
class Archive:
    """The training text (`n_bytes`) as one archive: bytes by gzip -9, xz -9 and zstd -19 (0: not measured).

    `model_bits_per_byte`: what the `course` model pays for the text that it has learned from, on a sample of it;
    `model_bytes`: the model itself.
    """

    n_bytes: int
    gzip: int
    xz: int
    zstd: int
    model_bits_per_byte: float
    model_bytes: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the file holds. `writer`: nats a token of held-out pages of the Isles, by their writer's own choices."""

    train: str  # hash of the training set in the tokens of `pocket`
    levels: Levels
    writer: float
    crawl: Archive


def file() -> Path:
    return assets() / "recorded" / "pretraining.json"


def recorded() -> Recorded:
    """What the command wrote last."""
    said = json.loads(file().read_text(encoding="utf-8"))
    return Recorded(said["train"], Levels(**said["levels"]), said["writer"], Archive(**said["crawl"]))


def writers_nats(pages: Iterable, valid: TokenFile) -> float:
    """The choices that the writer of the held-out pages made, in nats for each token that a model must predict there.

    No model can do better on average: what was decided by a throw of dice cannot be foreseen.
    """
    bits = sum(page.bits for page in pages if page.split == "valid")
    n = sum(len(valid.document(d)) for d in range(len(valid)) if valid.kinds[valid.kind[d]] in KINDS)
    return bits * math.log(2) / n


def archive(corpus: CorpusFolder, train: TokenFile, checkpoint: Checkpoint, n_bytes: int) -> Archive:
    """All training text as one file, for the compressors, and for a model of `n_bytes` that has read it."""
    texts = (document.text for document in corpus.documents() if document.split == "train")
    data = "\n\n".join(texts).encode("utf-8")
    bits = evaluate(checkpoint.model, train, DOCUMENTS)["all"]
    archives = len(gzip.compress(data, 9)), len(lzma.compress(data, preset=9)), zstd_bytes(data) or 0
    return Archive(len(data), *archives, bits, n_bytes)


def measure() -> Recorded:
    """Everything that the file holds, measured on the corpus of the course (about a minute)."""
    corpus = finish(world())

    def packed(model: str) -> Corpus:
        checkpoint = zoo.load(model)
        return finish(tokens(corpus, checkpoint.tokenizer, checkpoint.config.block_size))

    pocket, course = packed("pocket"), packed("course")
    return Recorded(
        pocket.train.hash,
        levels(pocket.train, pocket.valid),
        writers_nats(corpus.pages(), pocket.valid),
        archive(corpus, course.train, zoo.load("course"), zoo.n_bytes("course")),
    )


def mean_fact_bits(checkpoint: Checkpoint, texts: Iterable[Text]) -> tuple[float, int]:
    """Bits that a fact's value costs on a page that nobody has read, and how many there were."""
    bits = [cost for text, facts in texts for cost in fact_bits(checkpoint, text, facts)[0]]
    return sum(bits) / len(bits), len(bits)


if __name__ == "__main__":
    file().parent.mkdir(exist_ok=True)
    atomic_write(file(), json.dumps(asdict(measure()), indent=1).encode() + b"\n")
