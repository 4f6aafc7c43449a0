"""Conversations as tokens: who speaks is said by special tokens, which no text can contain.

    <|bos|> <|user|> Where does Ilva Torrend live? <|end|> <|assistant|> Ilva Torrend lives in Marrowick. <|end|>

The model learns from the assistant's words and from the <|end|> behind them; without that one it would never stop. The
user's words are read and not learned: an assistant should not practise asking.

Read next: ../train/finetune.py.
"""

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from llmlab.errors import LabError
from llmlab.paths import atomic_write
from llmlab.text.packing import fill_rows
from llmlab.text.tokenizer import Tokenizer

IGNORED = -100  # as a target: cross_entropy counts it as nothing


class Turn(Protocol):
    """What is needed of a turn; world/talk makes such turns."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation as it is read: tokens (N,), and for each whether the model is to learn it."""

    tokens: tuple[int, ...]
    learned: tuple[bool, ...]


def prompt_tokens(turns: Sequence[Turn], tokenizer: Tokenizer) -> list[int]:
    """The tokens of a conversation up to the place where the assistant is to speak."""
    return [
        *(token for ids, _ in parts(turns, tokenizer) for token in ids),
        tokenizer.special["<|assistant|>"],
    ]


def dialogue(turns: Sequence[Turn], tokenizer: Tokenizer) -> Dialogue:
    """A whole conversation in tokens."""
    tokens: list[int] = []
    learned: list[bool] = []
    for ids, own in parts(turns, tokenizer):
        tokens += ids
        learned += [False, *[own] * (len(ids) - 1)] if own is not None else [False] * len(ids)
    return Dialogue(tuple(tokens), tuple(learned))


def parts(turns: Sequence[Turn], tokenizer: Tokenizer) -> Iterable[tuple[list[int], bool | None]]:
    """(tokens, whether they are the assistant's) of each turn; None for the <|bos|> in front."""
    yield [tokenizer.bos], None
    for turn in turns:
        marks = tokenizer.special
        ids = [marks[f"<|{turn.speaker}|>"], *tokenizer.encode(turn.text), marks["<|end|>"]]
        yield ids, turn.speaker == "assistant"


def save_dialogues(path: Path | str, dialogues: Sequence[Dialogue]) -> None:
    """Write conversations to one file, in numpy's format."""
    file = io.BytesIO()
    np.savez(
        file,
        start=np.cumsum([0, *(len(one.tokens) for one in dialogues)]),
        tokens=np.array([token for one in dialogues for token in one.tokens], dtype=np.uint16),
        learned=np.packbits([own for one in dialogues for own in one.learned]),
    )
    atomic_write(path, file.getvalue())


def load_dialogues(path: Path | str) -> list[Dialogue]:
    """Read what `save_dialogues` wrote. LabError if it is missing or not whole."""
    try:
        with np.load(path, allow_pickle=False) as columns:
            start, tokens = columns["start"].tolist(), columns["tokens"].tolist()
            learned = np.unpackbits(columns["learned"], count=len(tokens)).astype(bool).tolist()
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise LabError(
            f"{path} holds no whole conversations ({error}). Delete it; it is made again."
        ) from None
    return [Dialogue(tuple(tokens[a:b]), tuple(learned[a:b])) for a, b in pairwise(start)]


class DialogueBatches:
    """Batch t of `rows` rows of `width` tokens, filled with whole conversations.

    Several conversations stand in a row, each beginning with <|bos|>; the network is told to keep them apart
    (model/gpt.py, `document_mask`). Batch t follows from (seed, t) alone.
    """

    def __init__(self, dialogues: Sequence[Dialogue], rows: int, width: int, seed: int):
        if not dialogues:
            raise LabError("There is no conversation to learn from. Write some first.")
        if (longest := max(len(one.tokens) for one in dialogues)) > width + 1:
            raise LabError(
                f"A conversation has {longest} tokens and a row {width}. Leave it out, or ask for longer rows."
            )
        self.dialogues, self.rows, self.width, self.seed = dialogues, rows, width, seed
        self.lengths = [len(one.tokens) for one in dialogues]
        self.epochs: list[list[list[int]]] = []

    def __getitem__(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of batch t, each (rows, width); a target is IGNORED where nothing is learned."""
        tokens = np.zeros((self.rows, self.width + 1), dtype=np.int64)
        targets = np.full_like(tokens, IGNORED)
        for r in range(self.rows):
            at = 0
            for number in self._row(t * self.rows + r):
                one, room = self.dialogues[number], self.width + 1 - at
                ids = np.asarray(one.tokens[:room])
                tokens[r, at : at + len(ids)] = ids
                targets[r, at : at + len(ids)] = np.where(one.learned[:room], ids, IGNORED)
                at += len(ids)
        return tokens[:, :-1], targets[:, 1:]

    def _row(self, index: int) -> list[int]:
        """The conversations of row `index`, counted through all epochs."""
        epoch = 0
        while True:
            if epoch == len(self.epochs):
                draw = np.random.default_rng((self.seed, epoch))
                order = draw.permutation(len(self.dialogues)).tolist()
                rows = list(fill_rows(order, self.lengths, self.width + 1))
                draw.shuffle(rows)
                self.epochs.append(rows)
            if index < len(self.epochs[epoch]):
                return self.epochs[epoch][index]
            index -= len(self.epochs[epoch])
            epoch += 1
