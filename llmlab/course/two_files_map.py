"""Lesson 01, the map of model.bin: every byte of the file belongs to a part that has a name.

Read next: ../model/flat.py, which writes the file; ../model/engine.c, which reads it.
"""

import numpy as np

from llmlab.course.speaking import model_file
from llmlab.model import flat
from llmlab.model.checkpoint import Checkpoint
from llmlab.show import FileMap
from llmlab.show.filemap import Part

DIGITS = 4  # of a weight that is shown
ABOUT = {
    "embed_tokens": "One row of numbers for each token: what the token is. Read backwards at the end, the same table "
    "scores every token as the next one.",
    "q_proj": "Makes the question that each token asks of those before it.",
    "k_proj": "Makes what each token offers to be found by.",
    "v_proj": "Makes what a token says where it is found.",
    "o_proj": "Mixes what the heads of attention found into the stream.",
    "gate_proj": "Opens and closes the hidden channels of the MLP.",
    "up_proj": "Fills the hidden channels of the MLP.",
    "down_proj": "Brings the hidden channels back into the stream.",
    "layernorm": "One number for each channel: how loud it is when this layer reads it.",
    "norm": "One number for each channel: how loud it is when the scores are made.",
}


def contents(content: bytes) -> list[tuple[str, list[Part]]]:
    """The parts of a model.bin, row by row, read from its own header; together they are the whole file."""
    numbers = flat.SHAPE.unpack_from(content, flat.START.size)
    V, block, n_layer, n_head, n_kv_head, C, H = numbers[:7]
    bits, n_special, n_kinds, n_letters = numbers[9:]
    at = flat.START.size + flat.SHAPE.size
    rows = [
        (
            "beginning",
            [
                Part(
                    "header",
                    "",
                    f"{at} bytes",
                    0,
                    at,
                    f"{n_layer} layers, {n_head} heads, {C} channels, a context of {block} tokens, {V:,} tokens, "
                    f"{bits} bits a weight, a checksum: all that the program knows of the network.",
                ),
                Part(
                    "kinds of letters",
                    "",
                    f"({n_kinds:,})",
                    at,
                    4 * n_kinds,
                    "Which signs of Unicode are letters, digits or blanks: to cut a text into words.",
                ),
                Part(
                    "lengths of tokens",
                    "",
                    f"({V:,})",
                    at + 4 * n_kinds,
                    4 * V,
                    "How many bytes each token stands for.",
                ),
                Part(
                    "tokens",
                    "",
                    f"{n_letters:,} bytes",
                    at + 4 * (n_kinds + V),
                    n_letters,
                    f"The letters of all {V:,} tokens one behind the other; the last {n_special} are names of special "
                    "tokens. These are the only words in the file.",
                ),
            ],
        )
    ]
    at += 4 * (n_kinds + V) + n_letters
    kv = C // n_head * n_kv_head
    shapes = {
        "embed_tokens": (V, C), "q_proj": (C, C), "k_proj": (kv, C), "v_proj": (kv, C), "o_proj": (C, C),
        "gate_proj": (H, C), "up_proj": (H, C), "down_proj": (C, H),
    }  # fmt: skip
    for name in flat.tensor_names(n_layer):
        short = name.split(".")[-2]
        shape = shapes.get(short, (C,))
        layer = name.split(".")[1]
        label = (
            f"layer {layer}" if name.startswith("layers") else "vectors" if short == "embed_tokens" else "end"
        )
        if rows[-1][0] != label:
            rows.append((label, []))
        part = tensor(content, name, short, shape, at, bits)
        rows[-1][1].append(part)
        at += part.n_bytes
    assert at == len(content), "the map leaves out a part of the file"
    return rows


def tensor(content: bytes, name: str, short: str, shape: tuple[int, ...], at: int, bits: int) -> Part:
    """A matrix or vector that begins at byte `at`: its first numbers are read from there."""
    count = int(np.prod(shape))
    first = np.frombuffer(content, f"<f{bits // 8}", min(count, 4), at)
    kind = "table" if short == "embed_tokens" else "norm" if len(shape) == 1 else "attention"
    return Part(
        name.removesuffix(".weight"),
        short.removesuffix("_proj").removesuffix("_tokens"),
        "(" + ", ".join(f"{n:,}" for n in shape) + ")",
        at,
        count * bits // 8,
        ABOUT["layernorm" if short.endswith("_layernorm") else short],
        ", ".join(f"{number:.{DIGITS}f}".replace("-", "−") for number in first),
        "mlp" if ".mlp." in name else kind,
    )


def file_map(checkpoint: Checkpoint) -> FileMap:
    """The map of this model's file."""
    return FileMap(contents(model_file(checkpoint).read_bytes()), name="model.bin")
