"""The zoo: one copy of each model for the whole process, however many students look at it.

The models are for looking at: their weights take no gradients. A lesson that trains works on a copy of its own
(`copy.deepcopy(zoo.load("course").model)`).
"""

from functools import lru_cache
from pathlib import Path

from llmlab.errors import LabError
from llmlab.model import checkpoint
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT
from llmlab.paths import assets


def names() -> list[str]:
    """The models that came with the course."""
    return sorted(path.parent.name for path in (assets() / "models").glob("*/model.safetensors"))


def find(name: str | Path) -> Path:
    """The folder of a model: by its name in assets/models, or as it is given. LabError if no model is there."""
    folder = assets() / "models" / name if str(name) in names() else Path(name)
    if not (folder / "model.safetensors").is_file():
        raise LabError(
            f"There is no model {str(name)!r}. Choose one of: {', '.join(names())}; or give a folder."
        )
    return folder


def load(name: str | Path) -> Checkpoint:
    """A model by its name in assets/models, or by the path of its folder. The same object each time."""
    folder = find(name)
    changed = (folder / "model.safetensors").stat().st_mtime_ns  # a model trained again is another model
    return _load(folder.resolve(), changed)


def on_the_way(name: str | Path) -> list[Checkpoint]:
    """A model as it was while it learned: at its random beginning, at each moment that was kept, and at the end."""
    last = load(name)
    return [newborn(last), *(load(folder) for folder in kept(find(name))), last]


def kept(folder: Path) -> list[Path]:
    """The models that a training put aside in its folder, oldest first."""
    return sorted((folder / "kept").glob("step-*/"))


def newborn(checkpoint: Checkpoint, seed: int | None = None) -> Checkpoint:
    """The same network before its first step: the random weights of its own seed, or of another one."""
    seed = checkpoint.provenance.get("config", {}).get("seed", 1) if seed is None else seed
    model = GPT(checkpoint.config, seed).requires_grad_(False)
    return Checkpoint(model, checkpoint.config, checkpoint.tokenizer, {**checkpoint.provenance, "step": 0})


def n_bytes(name: str | Path) -> int:
    """The size of what must be there to run a model: weights, shape and vocabulary."""
    return sum(
        (find(name) / file).stat().st_size for file in ("model.safetensors", "config.json", "tokenizer.json")
    )


@lru_cache(maxsize=16)
def _load(folder: Path, changed: int) -> Checkpoint:
    loaded = checkpoint.load(folder)
    loaded.model.requires_grad_(False)
    return loaded
