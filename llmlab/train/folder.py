"""The folder of a training run, written so that nothing can break it.

    checkpoints/step-000400/   a model's four files, and beside them optimiser.safetensors and training.json
    checkpoints/step-000600/   the last two are kept
    kept/step-000058/          a model as it was on the way, fp16, for whoever wants to look back
    log.jsonl                  one line for each step up to the last checkpoint
    model/                     the finished model, fp16

A checkpoint is written into a folder of another name, forced to the disk, and renamed: whoever kills the process
or fills the disk finds the one before it whole.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from llmlab.errors import LabError
from llmlab.model import checkpoint
from llmlab.model.gpt import GPT
from llmlab.paths import atomic_write
from llmlab.text.tokenizer import Tokenizer

KEPT = 2


class RunFolder:
    """Reads and writes one run's folder."""

    def __init__(self, out: Path | str):
        self.out = Path(out)
        self.log = self.out / "log.jsonl"
        self.model = self.out / "model"

    def make(self) -> None:
        """Make the folder. LabError if nothing can be written to it: said now, and not after the first steps."""
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.out):
                pass
        except OSError as error:
            raise LabError(
                f"Nothing can be written to {self.out} ({error.strerror or error}). Choose another folder."
            ) from error

    def checkpoints(self) -> list[Path]:
        """All whole checkpoints, oldest first."""
        return sorted((self.out / "checkpoints").glob("step-*/"))

    def save(
        self, model: GPT, tokenizer: Tokenizer, state: dict[str, Tensor], training: dict, lines: list[dict]
    ):
        """Write a checkpoint and the log up to it. LabError if the disk is full; the one before is then whole."""
        folder = self.out / "checkpoints" / f"step-{training['step']:06d}"
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            # The log first: lines without a checkpoint are dropped on resuming, the reverse would be a hole.
            known = self.log.read_bytes() if self.log.exists() else b""
            atomic_write(self.log, known + b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        except OSError as error:
            raise LabError(
                f"The training could not be saved in {self.out} ({error.strerror or error}). "
                "The checkpoint before is whole. Make room on the disk, then run the same command again."
            ) from error
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
        extra = {
            "optimiser.safetensors": safetensors.torch.save(tensors),
            "training.json": json.dumps(training, indent=1).encode(),
        }
        checkpoint.save(folder, model, tokenizer, training, extra=extra)
        for old in self.checkpoints()[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)

    def keep(self, model: GPT, tokenizer: Tokenizer, training: dict) -> None:
        """Put the model of this moment aside, without what would be needed to go on from it."""
        place = self.out / "kept" / f"step-{training['step']:06d}"
        checkpoint.save(place, model, tokenizer, training, dtype=torch.float16)

    def training(self) -> dict | None:
        """The training.json of the last checkpoint; None if there is none. LabError if it is not whole."""
        if not self.checkpoints():
            return None
        folder = self.checkpoints()[-1]
        with way_out(folder):
            return checkpoint.read_json(folder / "training.json")

    @torch.no_grad()
    def restore(self, model: GPT, state: dict[str, Tensor]) -> None:
        """Fill model and optimiser state from the last checkpoint, if there is one, and cut the log back to it.

        LabError if the checkpoint is not whole.
        """
        training = self.training()
        if training is not None:
            folder = self.checkpoints()[-1]
            with way_out(folder):
                model.load_state_dict(checkpoint.load(folder).model.state_dict())
                tensors = checkpoint.read_tensors(folder / "optimiser.safetensors")
                if {name: t.shape for name, t in tensors.items()} != {
                    name: t.shape for name, t in state.items()
                }:
                    raise LabError("Its optimiser belongs to another network.")
                for name, tensor in tensors.items():
                    state[name].copy_(tensor)
        self._cut_log(training["step"] if training else 0)

    def _cut_log(self, step: int) -> None:
        """Drop log lines after `step`, and a last line that is not whole."""
        if not self.log.exists():
            return
        kept = []
        for line in self.log.read_text(encoding="utf-8").splitlines():
            try:
                if json.loads(line)["step"] <= step:
                    kept.append(line + "\n")
            except (ValueError, KeyError):
                break
        atomic_write(self.log, "".join(kept).encode())


@contextmanager
def way_out(folder: Path) -> Iterator[None]:
    """Add to what is wrong with a checkpoint what to do about it."""
    try:
        yield
    except LabError as error:
        raise LabError(
            f"{error} To go on from the checkpoint before it, delete {folder} and run the same command again."
        ) from None
