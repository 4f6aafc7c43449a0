"""model.bin: a whole model in one flat file, for a program that has nothing but C.

The folder of checkpoint.py wants JSON, safetensors, tiktoken and a table of Unicode. This file wants none of them:
what is in it stands one behind the other, at places that the first 68 bytes tell. All numbers are little-endian.

    8 bytes            "LLMLAB\\r\\n", which a transfer that changes line ends would change
    uint32 × 2         version of the format; CRC-32 of everything behind it
    uint32 × 7         vocab_size, block_size, n_layer, n_head, n_kv_head, n_embd, n_hidden
    float32 × 2        the base of the rotary angles, the epsilon of the norms
    uint32 × 4         bits of a weight (16 or 32), n_special, n_kinds, n_token_bytes
    uint32 × n_kinds   what each Unicode letter is: from code point (low 24 bits) on, this kind (high 8 bits)
    uint32 × V         how many bytes each token stands for
    n_token_bytes      those bytes; tokens 0 to 255 are the single bytes, the last n_special are names
    the weights        as float16 or float32, in the order of `tensor_names`, each row by row

Read next: load.c, which reads this file; engine.c, which computes with it; native.py, which compiles both.
"""

import struct
import sys
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import tiktoken
import torch

from llmlab.errors import LabError
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import NORM_EPS, ROPE_BASE
from llmlab.paths import atomic_write
from llmlab.text.tokenizer import Tokenizer

MAGIC, VERSION = b"LLMLAB\r\n", 1
START = struct.Struct("<8s2I")  # magic, version, checksum
SHAPE = struct.Struct("<7I2f4I")
DTYPES = {"fp16": torch.float16, "fp32": torch.float32}
KINDS = {1: r"\p{L}", 2: r"\p{N}", 3: r"\s"}  # what text/bpe.py's SPLIT asks of a letter; 0 is none of these


def write(path: Path | str, checkpoint: Checkpoint, dtype: str = "fp16") -> int:
    """Write model.bin; it appears only when it is whole. Returns its size in bytes.

    LabError for a dtype other than fp16 and fp32, weights too large for fp16, or a disk that is full.
    """
    path, content = Path(path), pack(checkpoint, dtype)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, content)
    except OSError as error:
        raise LabError(
            f"The model could not be written to {path} ({error.strerror or error}). "
            "Make room or give another folder, then run the same command again."
        ) from error
    return len(content)


def pack(checkpoint: Checkpoint, dtype: str = "fp16") -> bytes:
    """The content of model.bin. LabError as for `write`."""
    if dtype not in DTYPES:
        raise LabError(f"There is no dtype {dtype!r}. Choose one of: {', '.join(DTYPES)}.")
    c, kinds, (lengths, letters) = checkpoint.config, letter_kinds(), _tokens(checkpoint.tokenizer)
    sizes = (c.vocab_size, c.block_size, c.n_layer, c.n_head, c.n_kv_head, c.n_embd, c.n_hidden)
    counts = (len(checkpoint.tokenizer.special), len(kinds) // 4, len(letters))
    shape = SHAPE.pack(*sizes, ROPE_BASE, NORM_EPS, DTYPES[dtype].itemsize * 8, *counts)
    body = b"".join([shape, kinds, lengths, letters, *_weights(checkpoint, DTYPES[dtype])])
    return START.pack(MAGIC, VERSION, zlib.crc32(body)) + body


def tensor_names(n_layer: int) -> Iterator[str]:
    """The weights in the order in which a token meets them: Hugging Face's names, as in gpt.py."""
    yield "embed_tokens.weight"
    for i in range(n_layer):
        yield f"layers.{i}.input_layernorm.weight"
        yield from (f"layers.{i}.self_attn.{x}_proj.weight" for x in "qkvo")
        yield f"layers.{i}.post_attention_layernorm.weight"
        yield from (f"layers.{i}.mlp.{x}_proj.weight" for x in ("gate", "up", "down"))
    yield "norm.weight"


def _weights(checkpoint: Checkpoint, dtype: torch.dtype) -> Iterator[bytes]:
    own = dict(checkpoint.model.named_parameters())
    for name in tensor_names(checkpoint.config.n_layer):
        weight = own.pop(name).detach().to("cpu", dtype)
        if not torch.isfinite(weight).all():
            raise LabError(f"{name} holds numbers that 16 bits cannot say. Export it with --dtype fp32.")
        yield weight.numpy().astype(f"<f{dtype.itemsize}").tobytes()
    assert not own, f"model.bin leaves out {sorted(own)}"


def _tokens(tokenizer: Tokenizer) -> tuple[bytes, bytes]:
    """How long each token is (uint32 each), and all their bytes."""
    pieces = tokenizer.vocabulary
    return struct.pack(f"<{len(pieces)}I", *map(len, pieces)), b"".join(pieces)


@cache
def letter_kinds() -> bytes:
    """Where in Unicode the kind of letter changes, sorted: some 1,600 places, code point | kind << 24, uint32 each.

    tiktoken itself is asked, so that C knows the same version of Unicode as Python's tokenizer: a tokenizer of
    single bytes, whose pattern is one kind of letter, drops all others from the text.
    """
    everything = "".join(chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)
    of = bytearray(sys.maxunicode + 1)
    for kind, pattern in KINDS.items():
        single_bytes = {bytes([byte]): byte for byte in range(256)}
        only = tiktoken.Encoding("kinds", pat_str=pattern, mergeable_ranks=single_bytes, special_tokens={})
        for letter in bytes(only.encode_ordinary(everything)).decode():
            of[ord(letter)] = kind
    starts = [code for code in range(len(of)) if code == 0 or of[code] != of[code - 1]]
    return struct.pack(f"<{len(starts)}I", *(code | of[code] << 24 for code in starts))
