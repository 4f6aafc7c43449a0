"""LoRA: leave the weights as they are, and learn a thin correction for each.

A matrix W (n_out, n_in) stays frozen; beside it stand A (rank, n_in), random, and B (n_out, rank), zeros. The network
works with W + alpha / rank · B A: at the start nothing is changed, and what is learned are rank · (n_in + n_out)
numbers instead of n_in · n_out. The correction is a file of its own, an *adapter*: it can be put on and taken off, or
added to the weights for good (`merged`).

Read next: finetune.py.
Source: Hu et al. 2021 (arXiv:2106.09685); that all matrices should get one, and a rate some ten times that of full
finetuning, Schulman et al. 2025 (thinkingmachines.ai/blog/lora).
"""

import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from llmlab.errors import LabError
from llmlab.model.checkpoint import Checkpoint, fingerprint, read_json, read_tensors
from llmlab.model.gpt import GPT
from llmlab.paths import atomic_write


@dataclass
class Adapter:
    """Corrections by the name of the weight that they belong to: A (rank, n_in), B (n_out, rank)."""

    a: dict[str, Tensor]
    b: dict[str, Tensor]
    alpha: float

    @property
    def rank(self) -> int:
        return next(iter(self.a.values())).shape[0]

    def n_params(self) -> int:
        """How many numbers are learned."""
        return sum(tensor.numel() for tensor in (*self.a.values(), *self.b.values()))

    def change(self, name: str) -> Tensor:
        """What is added to the weight of this name: (n_out, n_in)."""
        return self.b[name] @ self.a[name] * (self.alpha / self.rank)

    def tensors(self) -> dict[str, Tensor]:
        """All that is learned, by name; the live tensors."""
        return {f"{name}.A": t for name, t in self.a.items()} | {f"{name}.B": t for name, t in self.b.items()}


def adapter(model: GPT, rank: int, alpha: float, seed: int = 0) -> Adapter:
    """A correction that changes nothing yet, for every matrix inside the blocks."""
    chance = torch.Generator().manual_seed(seed)
    a, b = {}, {}
    for name, weight in model.named_parameters():
        if name.startswith("layers.") and weight.ndim == 2:
            n_out, n_in = weight.shape
            a[name] = torch.empty(rank, n_in).normal_(0.0, n_in**-0.5, generator=chance).to(weight.device)
            b[name] = torch.zeros(n_out, rank, device=weight.device)
    return Adapter(a, b, alpha)


def corrected(model: GPT, learned: Adapter) -> dict[str, Tensor]:
    """The weights with their corrections, for torch.func.functional_call; gradients reach A and B only."""
    own = {name: weight.detach() for name, weight in model.named_parameters()}
    return own | {name: own[name] + learned.change(name) for name in learned.a}


@torch.no_grad()
def merged(model: GPT, learned: Adapter) -> GPT:
    """A copy of the model with the corrections added for good: as fast as before, and no longer to be taken off."""
    copy = deepcopy(model)
    for name, weight in copy.named_parameters():
        if name in learned.a:
            weight.add_(learned.change(name))
    return copy


def worn(base: Checkpoint, folder: Path | str) -> Checkpoint:
    """The base model with the adapter of a folder on it, for looking at. LabError as for `load`."""
    model = merged(base.model, load(folder, base)).eval().requires_grad_(False)
    return Checkpoint(model, base.config, base.tokenizer, read_json(Path(folder) / "provenance.json"))


def save(folder: Path | str, learned: Adapter, base: Checkpoint, provenance: dict) -> None:
    """Write an adapter: adapter.safetensors (fp16), and provenance.json, which names the base that it corrects."""
    folder = Path(folder)
    about = {"alpha": learned.alpha, "base": fingerprint(base).hex()[:16], **provenance}
    tensors = {
        name: t.detach().to("cpu", torch.float16).contiguous() for name, t in learned.tensors().items()
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write(folder / "adapter.safetensors", safetensors.torch.save(tensors))
        atomic_write(folder / "provenance.json", json.dumps(about, indent=1).encode())
    except OSError as error:
        raise LabError(
            f"The adapter could not be written to {folder} ({error.strerror or error}). Make room there."
        ) from error


def load(folder: Path | str, base: Checkpoint) -> Adapter:
    """Read an adapter for this base. LabError if it is missing, not whole, or corrects another model."""
    folder = Path(folder)
    tensors, about = read_tensors(folder / "adapter.safetensors"), read_json(folder / "provenance.json")
    if about.get("base") != fingerprint(base).hex()[:16]:
        raise LabError(
            f"The adapter in {folder} corrects another model. Put it on the one that it was trained on."
        )
    a, b = (
        {name.removesuffix(end): t.float() for name, t in tensors.items() if name.endswith(end)}
        for end in (".A", ".B")
    )
    if not a or a.keys() != b.keys() or not all(t.isfinite().all() for t in tensors.values()):
        raise LabError(f"{folder} holds no whole adapter. Copy it again, or train it again.")
    return Adapter(a, b, float(about["alpha"]))
