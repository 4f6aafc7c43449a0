"""A model in the formats of others, so that their programs say what ours says.

    flat    model.bin, one file for run.c                                        (flat.py)
    hf      a folder for Hugging Face transformers: AutoModelForCausalLM.from_pretrained(folder)
    gguf    model.gguf, one file for llama.cpp and what is built on it

Our network has Llama's layout, so a format is a matter of names. Two things need care. The *vocabulary*: the others
store it as pairs that merge, in letters that stand for bytes (GPT-2's table), and split text by a pattern. And the
*rotary positions* of GGUF: llama.cpp turns neighbouring channels together, we turn channel i with i + D / 2, so the
rows of q and k change places.

Read before: gpt.py, ../text/tokenizer.py. Read next: ../report/exports.py, which holds the readers to our text.
Sources: transformers' LlamaConfig and its converter for tiktoken; llama.cpp's conversion/llama.py.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import safetensors.torch
import torch
from torch import Tensor

from llmlab.errors import LabError
from llmlab.model import flat
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import NORM_EPS, ROPE_BASE
from llmlab.paths import atomic_write
from llmlab.text.bpe import SPLIT
from llmlab.text.tokenizer import Tokenizer

ENDS = ("<|end|>", "<|bos|>")  # after one of these a text is over


def export(to: str, folder: Path, checkpoint: Checkpoint, dtype: str = "fp16") -> Path:
    """Write the model into `folder` as `to`, a key of FORMATS; returns what to give to its reader.

    Each file appears only when it is whole. LabError for an unknown format or dtype, weights too large for fp16, a
    missing package, or a full disk.
    """
    if to not in FORMATS:
        raise LabError(f"There is no format {to!r}. Choose one of: {', '.join(FORMATS)}.")
    if dtype not in flat.DTYPES:
        raise LabError(f"There is no dtype {dtype!r}. Choose one of: {', '.join(flat.DTYPES)}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return FORMATS[to](folder, checkpoint, dtype)
    except OSError as error:
        raise LabError(
            f"The model could not be written to {folder} ({error.strerror or error}). "
            "Make room or give another folder, then run the same command again."
        ) from error


def to_flat(folder: Path, checkpoint: Checkpoint, dtype: str) -> Path:
    flat.write(folder / "model.bin", checkpoint, dtype)
    return folder / "model.bin"


# ---- Hugging Face ----


def to_hf(folder: Path, checkpoint: Checkpoint, dtype: str) -> Path:
    """The files that transformers looks for. It is not needed for writing them."""
    weights = {f"model.{name}": weight for name, weight in tensors(checkpoint, flat.DTYPES[dtype])}
    words = checkpoint.tokenizer
    described = {
        "config.json": hf_config(checkpoint, dtype),
        "generation_config.json": {
            "bos_token_id": words.bos,
            "eos_token_id": [words.special[name] for name in ENDS],
        },
        "tokenizer.json": hf_tokenizer(words),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<|bos|>",
            "eos_token": "<|end|>",
            "model_max_length": checkpoint.config.block_size,
            "clean_up_tokenization_spaces": False,
            "split_special_tokens": True,  # what is typed never becomes a special token
        },
    }
    for name, content in described.items():
        atomic_write(folder / name, json.dumps(content, indent=1).encode())
    atomic_write(folder / "model.safetensors", safetensors.torch.save(weights, {"format": "pt"}))
    return folder


def hf_config(checkpoint: Checkpoint, dtype: str) -> dict:
    """The network's shape in the words of transformers' LlamaConfig."""
    c, words = checkpoint.config, checkpoint.tokenizer
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": c.vocab_size,
        "max_position_embeddings": c.block_size,
        "num_hidden_layers": c.n_layer,
        "num_attention_heads": c.n_head,
        "num_key_value_heads": c.n_kv_head,
        "head_dim": c.head_dim,
        "hidden_size": c.n_embd,
        "intermediate_size": c.n_hidden,
        "hidden_act": "silu",
        "rms_norm_eps": NORM_EPS,
        "rope_theta": ROPE_BASE,
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        "bos_token_id": words.bos,
        "eos_token_id": words.special["<|end|>"],
        "torch_dtype": {"fp16": "float16", "fp32": "float32"}[dtype],
    }


def hf_tokenizer(words: Tokenizer) -> dict:
    """tokenizer.json as the library `tokenizers` reads it; it puts <|bos|> in front of each text, as we do."""
    split = SPLIT.replace("$", r"\z")  # there $ is also the end of a line
    bos = {"id": "<|bos|>", "type_id": 0}
    return {
        "version": "1.0",
        "added_tokens": [
            {"id": token, "content": name, "special": True}
            | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
            for name, token in words.special.items()
        ],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": split}, "behavior": "Isolated", "invert": False},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
            ],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": bos}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"SpecialToken": bos}, *({"Sequence": {"id": x, "type_id": 0}} for x in "AB")],
            "special_tokens": {"<|bos|>": {"id": "<|bos|>", "ids": [words.bos], "tokens": ["<|bos|>"]}},
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "vocab": {token: i for i, token in enumerate(spelled_tokens(words))},
            "merges": [list(pair) for pair in merges(words)],
            "ignore_merges": True,  # as tiktoken: what is one token whole is never taken apart
            "byte_fallback": False,
        },
    }


# ---- GGUF ----


def to_gguf(folder: Path, checkpoint: Checkpoint, dtype: str) -> Path:
    """model.gguf, by the package `gguf`. Vectors stay fp32, as llama.cpp wants them."""
    gguf, c, words = _gguf(), checkpoint.config, checkpoint.tokenizer
    beside = folder / ".model.gguf.part"
    file = gguf.GGUFWriter(beside, "llama")
    file.add_name("LLM Lab")
    file.add_file_type({"fp16": gguf.LlamaFileType.MOSTLY_F16, "fp32": gguf.LlamaFileType.ALL_F32}[dtype])
    file.add_context_length(c.block_size)
    file.add_embedding_length(c.n_embd)
    file.add_block_count(c.n_layer)
    file.add_feed_forward_length(c.n_hidden)
    file.add_head_count(c.n_head)
    file.add_head_count_kv(c.n_kv_head)
    file.add_layer_norm_rms_eps(NORM_EPS)
    file.add_rope_freq_base(ROPE_BASE)
    file.add_rope_dimension_count(c.head_dim)
    file.add_vocab_size(c.vocab_size)
    ordinary, special = words.vocab_size - len(words.special), len(words.special)
    file.add_tokenizer_model("gpt2")  # byte-level pairs
    file.add_tokenizer_pre(
        "qwen2"
    )  # of the patterns that llama.cpp knows, the one that is ours: digits stand alone
    file.add_token_list([*spelled_tokens(words), *words.special])
    file.add_token_types([gguf.TokenType.NORMAL] * ordinary + [gguf.TokenType.CONTROL] * special)
    file.add_token_merges([" ".join(pair) for pair in merges(words)])
    file.add_bos_token_id(words.bos)
    file.add_eos_token_id(words.special["<|end|>"])
    file.add_add_bos_token(True)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, c.n_layer)
    for name, weight in tensors(checkpoint, flat.DTYPES[dtype]):
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            weight = neighbours(weight, c.head_dim)
        stored = weight.float() if weight.ndim == 1 else weight
        file.add_tensor(names.get_name(f"model.{name}", try_suffixes=(".weight",)), stored.numpy())
    try:
        file.write_header_to_file()
        file.write_kv_data_to_file()
        file.write_tensors_to_file()
        file.close()
        return beside.replace(folder / "model.gguf")
    finally:
        beside.unlink(missing_ok=True)


def neighbours(weight: Tensor, head_dim: int) -> Tensor:
    """The rows of q or k (heads · D, C) in the order in which channels that are turned together are neighbours."""
    halves = weight.view(-1, 2, head_dim // 2, weight.shape[1])  # (heads, half, D / 2, C)
    return halves.transpose(1, 2).reshape(weight.shape)


def _gguf() -> ModuleType:
    try:
        return import_module("gguf")
    except ImportError:
        raise LabError(
            "Writing GGUF needs the package gguf. Install it with: pip install 'llmlab[export]'"
        ) from None


# ---- what the formats share ----


def tensors(checkpoint: Checkpoint, dtype: torch.dtype) -> Iterator[tuple[str, Tensor]]:
    """The weights by name, in the order of model.bin. LabError if one of them does not fit into 16 bits."""
    own = dict(checkpoint.model.named_parameters())
    for name in flat.tensor_names(checkpoint.config.n_layer):
        weight = own.pop(name).detach().to("cpu", dtype).contiguous()
        if not torch.isfinite(weight).all():
            raise LabError(f"{name} holds numbers that 16 bits cannot say. Export it with --dtype fp32.")
        yield name, weight
    assert not own, f"the export leaves out {sorted(own)}"


@cache
def byte_letters() -> tuple[str, ...]:
    """A letter for each byte: itself where it can be printed, else one from U+0100 on, in order (GPT-2's table)."""
    printed = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return tuple(chr(byte if byte in printed else next(others)) for byte in range(256))


def spelled(piece: bytes) -> str:
    """Bytes in the letters of `byte_letters`: b" the" is "Ġthe"."""
    return "".join(byte_letters()[byte] for byte in piece)


def spelled_tokens(words: Tokenizer) -> list[str]:
    """All tokens but the special ones, in order."""
    return [spelled(words.token_bytes(i)) for i in range(words.vocab_size - len(words.special))]


def merges(words: Tokenizer) -> list[tuple[str, str]]:
    """Pairs that merge, first pair first, so that a list of pairs does what tiktoken does with a list of tokens.

    tiktoken joins two neighbours as soon as *together* they are a token, whichever pair it was learned from; of
    several it takes the lowest token. So each token brings every way to cut it into two tokens.
    """
    rank = {words.token_bytes(i): i for i in range(words.vocab_size - len(words.special))}
    pairs = []
    for piece in rank:
        cuts = [(piece[:at], piece[at:]) for at in range(1, len(piece))]
        pairs += [(spelled(a), spelled(b)) for a, b in cuts if a in rank and b in rank]
    return pairs


FORMATS: dict[str, Callable[[Path, Checkpoint, str], Path]] = {"hf": to_hf, "gguf": to_gguf, "flat": to_flat}
