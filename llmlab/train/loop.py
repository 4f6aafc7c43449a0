"""The loop that every training of the course goes through: step after step, saved, stopped and resumed.

What a step does is not its business: pretraining reads pages, finetuning reads conversations, and each hands in a
function that does step t and returns its loss. The loop says at each step how it stands, writes checkpoints, and goes
on after a stop with the losses that it would have had.

Read next: pretrain.py, the first training.
"""

import gc
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Protocol

import torch
from torch import Tensor

from llmlab.errors import LabError
from llmlab.model import checkpoint
from llmlab.model.gpt import GPT
from llmlab.text.tokenizer import Tokenizer
from llmlab.train.folder import RunFolder
from llmlab.train.team import Team

NOTHING = {"step": 0, "seconds": 0.0, "valid": None}  # done so far
FREE = {  # settings that may change when a run is resumed
    "compile",
    "checkpoint_every",
    "validate_every",
    "keep",
}


@dataclass(frozen=True)
class Step:
    """What one step did. `loss` in nats a token; `bits_per_byte` is the same, counted by bytes of text."""

    step: int  # from 1 to `steps`
    steps: int
    loss: float
    bits_per_byte: float
    lr: float  # Muon's
    tokens: int  # read so far
    tokens_per_s: float
    context: int
    valid: dict[str, float] | None = None  # bits per byte of held-out pages, by kind, where it was measured


class Settings(Protocol):
    """What the loop needs to know of a training's configuration."""

    tokens: int
    checkpoint_every: int
    validate_every: int

    @property
    def steps(self) -> int: ...
    @property
    def tokens_per_step(self) -> int: ...
    @property
    def kept_steps(self) -> frozenset[int]: ...
    def context(self, t: int) -> int: ...
    def lr_of(self, t: int) -> float: ...


@dataclass(frozen=True)
class Run:
    """One training, ready to go: what it is made of, for the loop.

    `do_step(t)` does step t (from 0) and returns its loss in nats; `validate()` gives bits per byte by kind;
    `finished()` is the model as it is to be shipped; `state` are the tensors, beside the model's, that a checkpoint
    must keep.
    """

    config: Settings
    model: GPT
    tokenizer: Tokenizer
    state: dict[str, Tensor]
    origin: dict
    bytes_per_token: float
    do_step: Callable[[int], float]
    validate: Callable[[], dict[str, float]]
    finished: Callable[[], GPT]


def steps(run: Run, folder: RunFolder, team: Team, resume: bool) -> Iterator[Step]:
    """Do all steps that are left, yield a record of each; then the finished model is in the folder's model/.

    Ctrl-C ends the step, saves, and ends the iteration; so does closing the generator.
    """
    config, done = run.config, begin(folder, run, resume)
    lines: list[dict] = []  # steps since the last checkpoint, for the log

    def save() -> None:
        if team.rank == 0 and lines:
            folder.save(run.model, run.tokenizer, run.state, run.origin | done, lines)
        lines.clear()

    with interrupts_wait() as interrupted, few_pauses():
        try:
            for t in range(done["step"], config.steps):
                began = time.perf_counter()
                loss = run.do_step(t)
                seconds = time.perf_counter() - began
                done["step"], done["seconds"] = t + 1, done["seconds"] + seconds
                valid = None
                if t + 1 == config.steps or (config.validate_every and (t + 1) % config.validate_every == 0):
                    done["valid"] = valid = run.validate()
                step = record(run, t, loss, seconds, valid)
                lines.append(asdict(step))
                if team.rank == 0 and t + 1 in config.kept_steps:
                    folder.keep(run.finished(), run.tokenizer, run.origin | done)
                if (t + 1) % config.checkpoint_every == 0 or t + 1 == config.steps:
                    save()
                yield step
                if team.any(interrupted()):
                    break
        except GeneratorExit:  # whoever reads the records has had enough
            save()
            raise
        save()
    if done["step"] == config.steps and team.rank == 0 and not folder.model.exists():
        checkpoint.save(folder.model, run.finished(), run.tokenizer, run.origin | done, dtype=torch.float16)
    team.leave()


def record(run: Run, t: int, loss: float, seconds: float, valid: dict | None) -> Step:
    """What step t (from 0) did, for whoever watches."""
    config = run.config
    return Step(
        step=t + 1,
        steps=config.steps,
        loss=loss,
        bits_per_byte=loss / math.log(2) / run.bytes_per_token,
        lr=config.lr_of(t),
        tokens=(t + 1) * config.tokens_per_step,
        tokens_per_s=config.tokens_per_step / seconds,
        context=config.context(t),
        valid=valid,
    )


def begin(folder: RunFolder, run: Run, resume: bool) -> dict:
    """Resume the run in `folder` or begin it; returns the step reached, the seconds spent, the last validation."""
    found = folder.training()
    if found and not resume:
        raise LabError(f"{folder.out} holds a run already. Resume it, delete it, or choose another folder.")
    for what in ("config", "data", "start") if found else ():
        then, now = found.get(what, {}), run.origin.get(what, {})
        if changed := sorted(n for n in {*then, *now} - FREE if then.get(n) != now.get(n)):
            raise LabError(
                f"The run in {folder.out} has another {', '.join(changed)}. Choose another folder."
            )
    folder.make()
    folder.restore(run.model, run.state)
    return {name: (found or NOTHING)[name] for name in NOTHING}


@contextmanager
def interrupts_wait() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C wait for the end of a step; gives a function that tells whether it was pressed.

    Interrupted in the middle, some weights would have moved and others not. A second Ctrl-C is not held back.
    """
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set  # signals reach the main thread only
        return

    def remember(*_) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def few_pauses() -> Iterator[None]:
    """Keep Python's garbage collector from walking through all of torch every few steps."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
