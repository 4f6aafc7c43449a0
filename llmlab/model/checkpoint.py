"""A trained model is a folder of four files.

    model.safetensors   the weights: names, shapes, numbers; nothing in it can run
    config.json         the shape of the network
    tokenizer.json      the vocabulary
    provenance.json     where it comes from: settings, seed, data, code version, figures

The weights in assets/ are fp16, half the size; computing is done in fp32 again.

Read next: zoo.py, which keeps one copy of each model for everybody.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from llmlab.errors import LabError
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.paths import atomic_write, sync_folder
from llmlab.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Checkpoint:
    """A model with everything that is needed to speak with it."""

    model: GPT
    config: GPTConfig
    tokenizer: Tokenizer
    provenance: dict


def save(
    folder: Path | str,
    model: GPT,
    tokenizer: Tokenizer,
    provenance: dict,
    dtype: torch.dtype = torch.float32,
    extra: Mapping[str, bytes] | None = None,
) -> None:
    """Write the folder, and `extra` files with it (file name → content); it appears only when it is whole.

    LabError if the disk is full; whatever stood there before is then still whole.
    """
    folder = Path(folder)
    weights = {
        name: weight.detach().to("cpu", dtype).contiguous() for name, weight in model.named_parameters()
    }
    files = {
        "model.safetensors": safetensors.torch.save(weights),
        "config.json": json.dumps(asdict(model.config), indent=1).encode(),
        "provenance.json": json.dumps(provenance, indent=1).encode(),
        **(extra or {}),
    }
    beside = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        for name, content in files.items():
            atomic_write(beside / name, content)
        tokenizer.save(beside / "tokenizer.json")
        replace_folder(beside, folder)
    except OSError as error:
        raise LabError(
            f"The model could not be written to {folder} ({error.strerror or error}). "
            "What was there before is whole. Make room on the disk, then run the same command again."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def replace_folder(new: Path, folder: Path) -> None:
    """Put `new` in the place of `folder`. A folder cannot be renamed onto a full one, so the old one steps aside."""
    aside = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    if folder.exists():
        os.replace(folder, aside)
    os.replace(new, folder)
    sync_folder(folder.parent)
    shutil.rmtree(aside, ignore_errors=True)


def load(folder: Path | str) -> Checkpoint:
    """Read a model, in fp32 on the CPU. LabError if it is missing, cut short, foreign, or holds NaN."""
    folder = Path(folder)
    if not (folder / "model.safetensors").is_file():
        raise LabError(
            f"There is no model in {folder}. Train one with `llmlab pretrain`, or give another folder."
        )
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    config = _config(folder / "config.json")
    model = GPT(config)
    _fill(model, read_tensors(folder / "model.safetensors"), folder)
    if tokenizer.vocab_size != config.vocab_size:
        raise LabError(f"The tokenizer in {folder} is not the one of its model. Copy the folder again.")
    return Checkpoint(model.eval(), config, tokenizer, read_json(folder / "provenance.json"))


def fingerprint(checkpoint: Checkpoint) -> bytes:
    """32 bytes that name a model: of its weights, its shape and its vocabulary."""
    about = {"config": asdict(checkpoint.config), "tokenizer": checkpoint.tokenizer.hash}
    total = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name, weight in checkpoint.model.named_parameters():
        total.update(name.encode() + weight.detach().to("cpu", torch.float32).contiguous().numpy().tobytes())
    return total.digest()


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file. LabError if it is missing or not whole."""
    try:
        return safetensors.torch.load(path.read_bytes())
    except OSError:
        raise LabError(f"{path} is missing. Copy the folder again, or train the model again.") from None
    except (SafetensorError, ValueError, KeyError) as error:
        raise LabError(f"{path} is not a whole model file ({error}). Copy it again.") from None


def read_json(path: Path) -> dict:
    """The content of a JSON file. LabError if it is missing or not whole."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LabError(f"{path} is missing or not whole ({error}). Copy the folder again.") from None
    if not isinstance(content, dict):
        raise LabError(f"{path} is not a file of this course. Copy the folder again.")
    return content


def _config(path: Path) -> GPTConfig:
    try:
        return GPTConfig(**read_json(path))
    except (TypeError, ValueError) as error:
        raise LabError(f"{path} does not describe a model of this course ({error}).") from None


@torch.no_grad()
def _fill(model: GPT, weights: dict[str, Tensor], folder: Path) -> None:
    """Copy weights into the model; LabError unless each of its parameters is there, in shape and finite."""
    own = dict(model.named_parameters())
    if weights.keys() != own.keys():
        odd = sorted(weights.keys() ^ own.keys())
        raise LabError(
            f"The weights in {folder} are of another network ({odd[0]}). Give a folder of this course."
        )
    for name, weight in weights.items():
        if weight.shape != own[name].shape:
            raise LabError(f"{name} in {folder} has shape {list(weight.shape)}, not {list(own[name].shape)}.")
        if not torch.isfinite(weight).all():
            raise LabError(f"{name} in {folder} holds numbers that are not finite. Train the model again.")
        own[name].copy_(weight)
