"""From pages to rows of tokens: what the model sees in one step of training.

Each document begins with <|bos|>, and each row of a batch begins with a document. A row is filled with whole
documents, always the longest that still fits; the small gap that is left shows the beginning of another one. So
nothing is lost, nothing is padding, and the model never has to guess what came before.

Which documents stand in batch t follows from (seed, t) alone. A training that stopped can therefore go on with
exactly the batches that it would have seen.

Read next: model/gpt.py, which reads these rows.
Source: best-fit packing, Ding et al. 2024 (arXiv:2404.10830), as in nanochat's data loader.
"""

import hashlib
import json
import shutil
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from llmlab.errors import LabError
from llmlab.paths import part_of, sync_folder
from llmlab.text.tokenizer import Tokenizer

WAITING = 2048  # documents to choose from when a row is filled
AT_ONCE = 512  # pages given to the tokenizer together


class Page(Protocol):
    """What `prepare` needs of a page; llmlab.world makes such pages."""

    id: int
    kind: str
    text: str
    split: str


@dataclass(frozen=True)
class TokenFile:
    """A tokenized corpus on the disk: all documents one after the other, each beginning with <|bos|>.

    tokens (N,) uint16, memory-mapped; document i is tokens[start[i]:start[i + 1]], has `n_bytes[i]` bytes of
    text, is of kind `kinds[kind[i]]` and comes from page `page[i]` (a long page makes several documents).
    """

    folder: Path
    tokens: np.ndarray
    start: np.ndarray
    kind: np.ndarray
    page: np.ndarray
    n_bytes: np.ndarray
    kinds: tuple[str, ...]
    tokenizer_hash: str
    vocab_size: int
    hash: str

    def __len__(self) -> int:
        return len(self.kind)

    def document(self, index: int) -> np.ndarray:
        """The tokens of one document, <|bos|> first."""
        return self.tokens[self.start[index] : self.start[index + 1]]

    def some(self, documents: np.ndarray) -> "TokenFile":
        """A file of these documents only (their numbers), in memory."""
        lengths = np.diff(self.start)[documents]
        tokens = np.concatenate([self.document(number) for number in documents])
        start = np.concatenate(([0], np.cumsum(lengths)))
        chosen = {name: getattr(self, name)[documents] for name in ("kind", "page", "n_bytes")}
        name = hashlib.sha256(np.asarray(tokens, "<u2").tobytes()).hexdigest()[:16]
        return replace(self, tokens=tokens, start=start, hash=name, **chosen)

    @property
    def bytes_per_token(self) -> float:
        """How much text one token stands for, on average over the file."""
        return float(self.n_bytes.sum()) / len(self.tokens)

    @classmethod
    def load(cls, folder: Path | str) -> "TokenFile":
        """Open what `prepare` wrote."""
        folder = Path(folder)
        try:
            about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
            with np.load(folder / "documents.npz", allow_pickle=False) as columns:
                start, kind, page, n_bytes = (columns[name] for name in ("start", "kind", "page", "n_bytes"))
            size = (folder / "tokens.bin").stat().st_size  # nothing held out: an empty file cannot be mapped
            tokens = np.memmap(folder / "tokens.bin", "<u2", "r") if size else np.empty(0, "<u2")
            if len(tokens) != start[-1]:
                raise ValueError(f"{len(tokens)} tokens where {start[-1]} should be")
        except (OSError, ValueError, KeyError) as error:
            raise LabError(
                f"{folder} holds no whole corpus ({error}). Delete it and prepare it again."
            ) from None
        return cls(
            folder,
            tokens,
            start,
            kind,
            page,
            n_bytes,
            tuple(about["kinds"]),
            about["tokenizer"],
            about["vocab_size"],
            about["hash"],
        )


class Corpus(NamedTuple):
    """What the model learns from, what it is judged by, and the vocabulary of both."""

    train: TokenFile
    valid: TokenFile
    tokenizer: Tokenizer


def prepare(pages: Iterable[Page], tokenizer: Tokenizer, folder: Path | str, longest: int = 512) -> Corpus:
    """Tokenize pages into `folder`/train and `folder`/valid, by their `split`; pages of other splits are left out.

    A page of more than `longest` tokens becomes several documents, cut at line ends. The folder appears only
    when it is whole. LabError if there is no text to train on.
    """
    folder = Path(folder)
    beside = part_of(folder)
    parts = {"train": _Writer(beside / "train"), "valid": _Writer(beside / "valid")}
    line_ends = frozenset(t for t in range(tokenizer.vocab_size) if tokenizer.token_bytes(t).endswith(b"\n"))
    try:
        pages = (page for page in pages if page.split in parts and page.text)
        while chunk := list(islice(pages, AT_ONCE)):
            for page, ids in zip(chunk, tokenizer.encode_many([page.text for page in chunk]), strict=True):
                for piece in cut(ids, longest - 1, line_ends):
                    n_bytes = sum(len(tokenizer.token_bytes(token)) for token in piece)
                    parts[page.split].add([tokenizer.bos, *piece], page.kind, page.id, n_bytes)
        for part in parts.values():
            part.close(tokenizer)
        if not parts["train"].kind:
            raise LabError("The corpus is empty: no page of it is for training. Give it some text.")
        tokenizer.save(beside / "tokenizer.json")
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise LabError(f"The corpus could not be written to {folder} ({error}). Make room there.") from error
    finally:
        for part in parts.values():
            part.file.close()
        shutil.rmtree(beside, ignore_errors=True)
    return load_corpus(folder)


def load_corpus(folder: Path | str) -> Corpus:
    """Open what `prepare` wrote."""
    folder = Path(folder)
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    return Corpus(TokenFile.load(folder / "train"), TokenFile.load(folder / "valid"), tokenizer)


def cut(ids: list[int], longest: int, line_ends: frozenset[int]) -> Iterator[list[int]]:
    """Cut a document into pieces of at most `longest` tokens, after a line's end in a piece's second half."""
    start = 0
    while len(ids) - start > longest:
        end = start + longest
        for place in range(end, start + longest // 2, -1):
            if ids[place - 1] in line_ends:
                end = place
                break
        yield ids[start:end]
        start = end
    yield ids[start:]


class _Writer:
    """Appends documents to a TokenFile's folder."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True)
        self.folder = folder
        self.file = (folder / "tokens.bin").open("wb")
        self.digest = hashlib.sha256()
        self.kinds: dict[str, int] = {}
        self.length: list[int] = []
        self.kind: list[int] = []
        self.page: list[int] = []
        self.n_bytes: list[int] = []

    def add(self, ids: list[int], kind: str, page: int, n_bytes: int) -> None:
        raw = np.asarray(ids, dtype="<u2").tobytes()
        self.digest.update(raw)
        self.file.write(raw)
        self.length.append(len(ids))
        self.kind.append(self.kinds.setdefault(kind, len(self.kinds)))
        self.page.append(page)
        self.n_bytes.append(n_bytes)

    def close(self, tokenizer: Tokenizer) -> None:
        self.file.close()
        np.savez(
            self.folder / "documents.npz",
            start=np.cumsum([0, *self.length], dtype=np.int64),
            kind=np.asarray(self.kind, dtype=np.uint8),
            page=np.asarray(self.page, dtype=np.int64),
            n_bytes=np.asarray(self.n_bytes, dtype=np.int32),
        )
        about = {
            "kinds": list(self.kinds),
            "tokenizer": tokenizer.hash,
            "vocab_size": tokenizer.vocab_size,
            "hash": self.digest.hexdigest()[:16],
        }
        (self.folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


class Batches:
    """Batch t of `rows` rows of `width` + 1 tokens: the inputs, and the same moved by one as targets."""

    def __init__(self, file: TokenFile, rows: int, width: int, seed: int):
        self.file, self.rows, self.width, self.seed = file, rows, width, seed
        self.plans: list[int] = [0]  # how many rows all epochs up to this one have
        self.plan: tuple[int, list[list[int]]] = (-1, [])
        if not len(file):
            raise LabError(f"The corpus in {file.folder} is empty. Prepare it again, with some text.")

    def __getitem__(self, t: int) -> np.ndarray:
        """Batch t: (rows, width + 1) int64."""
        batch = np.empty((self.rows, self.width + 1), dtype=np.int64)
        for r in range(self.rows):
            at = 0
            for document in self._row(t * self.rows + r):
                ids = self.file.document(document)[: self.width + 1 - at]
                batch[r, at : at + len(ids)] = ids
                at += len(ids)
        return batch

    def _row(self, index: int) -> list[int]:
        """The documents of row `index`, counted through all epochs."""
        while index >= self.plans[-1]:
            self.plans.append(self.plans[-1] + len(self._epoch(len(self.plans) - 1)))
        epoch = bisect_right(self.plans, index) - 1
        return self._epoch(epoch)[index - self.plans[epoch]]

    def _epoch(self, epoch: int) -> list[list[int]]:
        """All rows of one epoch; the last one made is kept."""
        if self.plan[0] != epoch:
            draw = np.random.default_rng((self.seed, epoch))
            order = draw.permutation(len(self.file)).tolist()
            rows = list(fill_rows(order, np.diff(self.file.start).tolist(), self.width + 1))
            draw.shuffle(rows)  # the last ones are of what fitted badly
            self.plan = (epoch, rows)
        return self.plan[1]


def fill_rows(order: list[int], lengths: list[int], width: int) -> Iterator[list[int]]:
    """Fill rows of `width` tokens with whole documents taken in about this order; a row is a list of documents.

    A row begins with the next document in order; then always the longest waiting one that still fits. The gap
    that none fits is closed with the beginning of any document (cut off by the row's end). That one is not used
    up: each document comes whole once. No document may be longer than `width`.
    """
    upcoming, anything = iter(order), cycle(order)
    ahead = max(1, min(WAITING, len(order) // 2))
    waiting = sorted((lengths[document], document) for document in islice(upcoming, ahead))
    while waiting:
        first = next(upcoming, None)
        row = [waiting.pop()[1] if first is None else first]
        space = width - lengths[row[0]]
        while fitting := bisect_right(waiting, (space, len(lengths))):
            length, document = waiting.pop(fitting - 1)
            row.append(document)
            space -= length
            if (following := next(upcoming, None)) is not None:
                insort(waiting, (lengths[following], following))
        while space > 0:
            row.append(next(anything))
            space -= lengths[row[-1]]
        yield row
