"""A model is a compressor: pack a text with the probabilities of its next tokens, and get the same bytes back.

Whoever predicts well needs few bits to say what came. The packer asks the model how likely each token is, token by
token, and gives the answer to an arithmetic coder; the unpacker asks the same model the same questions and reads
the tokens off. The bits per byte of train/evaluate.py, which so far were a sum of logarithms, become a file.

Both sides must compute the same frequencies to the last unit, or everything after is noise (see `frequencies`). A
text longer than the context is read through a window: when the context is full, the model forgets all but the last
half of it and reads <|bos|> and that half again.

The file: magic, model, length, CRC of the text, CRC of the file's rest (20 bytes in all), then the coder's bits.

Read next: report/figures.py, which sets the size beside gzip's and xz's.
Sources: Shannon 1948; Delétang et al. 2024, "Language modeling is compression" (arXiv:2309.10668).
"""

import gzip
import lzma
import math
import re
import struct
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from importlib import import_module
from zlib import crc32

import numpy as np
import torch

from llmlab.errors import LabError
from llmlab.generate.reader import NumpyReader, lay_out
from llmlab.measure.arithmetic_coding import Decoder, Encoder
from llmlab.model.checkpoint import Checkpoint, fingerprint
from llmlab.stages import finish
from llmlab.text.tokenizer import Tokenizer

MAGIC = b"LLZ1"
HEADER = struct.Struct("<4s4sII")  # magic, model, bytes of text, CRC of the text; then SEAL
SEAL = struct.Struct("<I")  # CRC of everything else in the file
TOTAL = 1 << 24  # frequencies add up to this: a token costs 24 bits at most
GRID = 64  # steps for each unit of a logit
FINEST = 1 << 32  # the weight of the likeliest token, before frequencies are made of weights
STRAY = re.compile("([\udc80-\udcff]+)")  # how Python shows bytes that are no UTF-8


@dataclass(frozen=True, slots=True)
class Coded:
    """One token on its way: the bytes it stands for, the `bits` it cost, and `done` of `total` bytes of text."""

    stage: str  # "packing" or "unpacking"
    token: int
    text: bytes
    bits: float
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Size:
    """What one way of writing needs for a text; `bits_per_byte` of the text, NaN where the text is empty."""

    name: str
    n_bytes: int
    bits_per_byte: float


def pack(checkpoint: Checkpoint, data: bytes) -> bytes:
    """Any bytes to fewer bytes, if the model knows such text. LabError from 4 GiB on."""
    return finish(pack_steps(checkpoint, data))


def unpack(checkpoint: Checkpoint, packed: bytes) -> bytes:
    """The bytes that `pack` was given. LabError if the file is foreign, damaged, cut short, or of another model."""
    return finish(unpack_steps(checkpoint, packed))


def pack_steps(checkpoint: Checkpoint, data: bytes) -> Generator[Coded, None, bytes]:
    """As `pack`, one record a token; the packed bytes are the generator's return value."""
    if len(data) >= 1 << 32:
        raise LabError("Files of 4 GiB and more cannot be packed. Give a smaller one.")
    encoder, reading, done = Encoder(), Reading(checkpoint), 0
    for token in exact_tokens(checkpoint.tokenizer, data):
        cumulative = reading.cumulative()
        encoder.encode(cumulative, token)
        reading.add(token)
        text = checkpoint.tokenizer.token_bytes(token)
        done += len(text)
        yield Coded("packing", token, text, cost(cumulative, token), done, len(data))
    header = HEADER.pack(MAGIC, model_id(checkpoint), len(data), crc32(data))
    body = encoder.finish()
    return header + SEAL.pack(crc32(header + body)) + body


def unpack_steps(checkpoint: Checkpoint, packed: bytes) -> Generator[Coded, None, bytes]:
    """As `unpack`, one record a token; the text is the generator's return value.

    A file that is not whole is refused before the first record.
    """
    total, checksum, body = _open(checkpoint, packed)
    decoder, reading, text = Decoder(body), Reading(checkpoint), bytearray()
    try:
        while len(text) < total:
            cumulative = reading.cumulative()
            token = decoder.decode(cumulative)
            reading.add(token)
            piece = checkpoint.tokenizer.token_bytes(token)
            text += piece
            yield Coded("unpacking", token, piece, cost(cumulative, token), len(text), total)
    except EOFError:
        text.clear()
    if len(text) != total or crc32(text) != checksum:
        raise LabError(
            "The file is whole, but other bytes came out than went in: it was packed on a machine that computes "
            "differently. Pack the text again on this one."
        )
    return bytes(text)


def _open(checkpoint: Checkpoint, packed: bytes) -> tuple[int, int, bytes]:
    """Length and CRC of the text, and the coder's bits. LabError unless the file is whole and of this model."""
    start = HEADER.size + SEAL.size
    if not packed.startswith(MAGIC):
        raise LabError("This is not a file that `llmlab pack` made. Give one that ends in .llz.")
    header, body = packed[: HEADER.size], packed[start:]
    if len(packed) < start or SEAL.unpack(packed[HEADER.size : start])[0] != crc32(header + body):
        raise LabError("This file is damaged or cut short. Copy it again, or pack the text again.")
    _, model, total, checksum = HEADER.unpack(header)
    if model != model_id(checkpoint):
        raise LabError("This file was packed with another model. Unpack it with the one that packed it.")
    return total, checksum, body


def model_id(checkpoint: Checkpoint) -> bytes:
    """Four bytes that name a model."""
    return fingerprint(checkpoint)[:4]


def exact_tokens(tokenizer: Tokenizer, data: bytes) -> list[int]:
    """Tokens that stand for exactly these bytes. Where they are no UTF-8, each byte is a token: 0 to 255."""
    tokens: list[int] = []
    for place, part in enumerate(STRAY.split(data.decode("utf-8", errors="surrogateescape"))):
        stray = place % 2  # `split` gives text, stray bytes, text, …
        tokens += part.encode("utf-8", errors="surrogateescape") if stray else tokenizer.encode(part)
    return tokens


class Reading:
    """The model's side of coding, the same for both ways: `cumulative` once, then `add` what came, and again.

    The sums run in float64, token by token, in numpy. A float32 sum has other last digits on another processor,
    with another number of threads, in another order; with the `course` model another order moves a frequency at
    every fourth token, and a single one spoils the rest. In float64 the logits differ by 5e-15, which `frequencies`
    should round away except about once in a billion tokens (5e-15 × GRID × V); then the CRC of the text tells.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.reader = NumpyReader(checkpoint.model, weights=lay_out(checkpoint.model, torch.float64))
        self.bos = checkpoint.tokenizer.bos
        self.unread = [self.bos]
        self.recent: deque[int] = deque(maxlen=checkpoint.config.block_size // 2)

    def add(self, token: int) -> None:
        """This token came; it is read when the next one is asked for."""
        self.recent.append(token)
        self.unread = [token]

    def cumulative(self) -> np.ndarray:
        """Frequencies of the next token (V,), summed up: (V + 1,) int64 from 0 to TOTAL."""
        if self.reader.length == self.reader.config.block_size:
            self.reader.length, self.unread = 0, [self.bos, *self.recent]
        logits = self.reader.read(np.array([self.unread], dtype=np.int64))[0, -1]
        return np.concatenate(([0], np.cumsum(frequencies(logits))))


def frequencies(logits: np.ndarray) -> np.ndarray:
    """Logits (V,) to whole numbers (V,), int64, in proportion to their softmax; each at least 1, together TOTAL.

    Distances to the best logit are rounded to 1/GRID first, and from there on all is integers, equal everywhere.
    The rounding costs a hundred-thousandth of a bit a token, the floor of 1 about V / TOTAL of the probability.
    """
    steps = np.rint((logits.max() - logits) * GRID).astype(np.int64)
    weights = _weights()[np.minimum(steps, len(_weights()) - 1)]
    counts = 1 + weights * (TOTAL - len(weights)) // weights.sum()
    counts[weights.argmax()] += TOTAL - counts.sum()  # what rounding down has left
    return counts


@lru_cache(maxsize=1)
def _weights() -> np.ndarray:
    """FINEST × exp(-step / GRID) for each step, down to 0, by `decimal`, which rounds in one way on all machines."""
    last = int(GRID * math.log(FINEST)) + 1
    with localcontext(Context(prec=30)):
        return np.array([int((Decimal(-step) / GRID).exp() * FINEST) for step in range(last + 1)], np.int64)


def cost(cumulative: np.ndarray, token: int) -> float:
    """Bits that a token costs: -log2 of its share of the total."""
    return math.log2(int(cumulative[-1])) - math.log2(int(cumulative[token + 1] - cumulative[token]))


def rivals(data: bytes) -> dict[str, int]:
    """The bytes that general compressors need for the same data, each at its best; zstd where it is installed."""
    sizes = {"gzip -9": len(gzip.compress(data, 9)), "xz -9": len(lzma.compress(data, preset=9))}
    zstd = zstd_bytes(data)
    return sizes if zstd is None else sizes | {"zstd -19": zstd}


def zstd_bytes(data: bytes) -> int | None:
    """The bytes that zstd -19 needs: in Python's library from 3.14 on, before that in backports.zstd. None without."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return len(import_module(name).compress(data, level=19))
        except ImportError:
            continue
    return None


def compare(data: bytes, packed: bytes, model_bytes: int) -> list[Size]:
    """The text, the packed file without and with the model that unpacks it, and the rivals."""
    ways = {"text": len(data), "model": len(packed), "model, itself counted": len(packed) + model_bytes}
    each = (ways | rivals(data)).items()
    return [Size(name, n, 8 * n / len(data) if data else math.nan) for name, n in each]
