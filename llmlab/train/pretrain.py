"""Pretraining: predict the next token of every page, and become a little better at it, some thousand times.

That is all of it: `for t in ...: loss, gradient, step`. Around these lines stands what a long run needs: it can
be stopped, killed and resumed, and goes on with the same numbers; it says at each step how it stands.

    for step in pretrain(tier("pocket"), corpus, "runs/first"):
        print(step.step, step.loss)

Read next: evaluate.py, which judges the result on pages that were held back.
"""

import gc
import math
import platform
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from llmlab import __version__
from llmlab.errors import LabError
from llmlab.model import checkpoint
from llmlab.model.checkpoint import Checkpoint, fingerprint
from llmlab.model.gpt import GPT, next_token_loss
from llmlab.text.packing import Batches, Corpus
from llmlab.train import machine
from llmlab.train.compiled import compiled, worth_compiling
from llmlab.train.config import PretrainConfig
from llmlab.train.evaluate import evaluate
from llmlab.train.folder import RunFolder
from llmlab.train.optimisers import AdamW, Muon
from llmlab.train.team import Team

VALIDATION_DOCUMENTS = 400  # enough for two digits, some seconds of work
NOTHING = {"step": 0, "seconds": 0.0, "valid": None}  # done so far
FREE = {
    "compile",
    "checkpoint_every",
    "validate_every",
    "keep",
}  # settings that may change when a run is resumed


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


def pretrain(
    config: PretrainConfig,
    corpus: Corpus,
    out: Path | str,
    resume: bool = True,
    provenance: dict | None = None,
    start: Checkpoint | None = None,
) -> Iterator[Step]:
    """Train on `corpus.train` and yield a record a step; the finished model is in `out`/model.

    After each of `config.kept_steps` the model of that moment is put into `out`/kept.
    If `out` holds an unfinished run it goes on from its last checkpoint, with the losses it would have had. A new
    run begins with random weights, or with those of `start`.
    Ctrl-C ends the step, saves, and ends the iteration; so does closing the generator. `provenance` (where the
    corpus comes from) is stored with the model. LabError: other settings than the run in `out`; a checkpoint that
    is not whole; a full disk; a loss that is no number.
    """
    device = machine.device()
    team = Team.join(device)
    refuse_mismatch(config, corpus, team)
    machine.keep_memory()
    folder = RunFolder(out)
    model = GPT(config.model, config.seed).to(device)
    origin = describe(config, corpus, provenance or {}, device)
    if start is not None:
        refuse_start(start, config, corpus)
        model.load_state_dict(start.model.state_dict())
        origin["start"] = {"tokens": tokens_read(start), "weights": fingerprint(start).hex()[:16]}
    learner = Learner(model, config)
    done = begin(folder, model, learner, origin, resume)
    batches = Batches(corpus.train, config.rows, config.model.block_size, config.seed)
    loss_of = loss_function(model, device, worth_compiling(config, done["step"], device))
    lines: list[dict] = []  # steps since the last checkpoint, for the log

    def save() -> None:
        if team.rank == 0 and lines:
            folder.save(model, corpus.tokenizer, learner.state(), origin | done, lines)
        lines.clear()

    with interrupts_wait() as interrupted, few_pauses():
        try:
            for t in range(done["step"], config.steps):
                began = time.perf_counter()
                loss = train_step(batches[t], t, config, learner, loss_of, team, device)
                seconds = time.perf_counter() - began
                done["step"], done["seconds"] = t + 1, done["seconds"] + seconds
                valid = None
                if t + 1 == config.steps or (config.validate_every and (t + 1) % config.validate_every == 0):
                    done["valid"] = valid = evaluate(model, corpus.valid, VALIDATION_DOCUMENTS)
                step = record(t, loss, seconds, valid, config, corpus)
                lines.append(asdict(step))
                if team.rank == 0 and t + 1 in config.kept_steps:
                    folder.keep(model, corpus.tokenizer, origin | done)
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
        checkpoint.save(folder.model, model, corpus.tokenizer, origin | done, dtype=torch.float16)
    team.leave()


def refuse_mismatch(config: PretrainConfig, corpus: Corpus, team: Team) -> None:
    """LabError if the model is for another vocabulary, or the rows cannot be shared out evenly."""
    if config.model.vocab_size != corpus.tokenizer.vocab_size:
        raise LabError(
            f"The model is for {config.model.vocab_size} tokens, the corpus has {corpus.tokenizer.vocab_size}. "
            "Prepare the corpus with a tokenizer of the model's size."
        )
    if config.rows % team.size:
        raise LabError(
            f"{config.rows} rows cannot be shared by {team.size} processes. Change the number of one."
        )


def refuse_start(start: Checkpoint, config: PretrainConfig, corpus: Corpus) -> None:
    """LabError if these weights are of another network, or stand for the tokens of another vocabulary."""
    if start.config != config.model or start.tokenizer.hash != corpus.tokenizer.hash:
        raise LabError(
            "The model to start from has another shape or another vocabulary than this run. Start from a model of "
            "the same tier that was trained on the same corpus, or from random weights."
        )


def tokens_read(model: Checkpoint) -> int:
    """All tokens that a model has learned from, with those of the models that it started from."""
    said = model.provenance
    config = said.get("config", {})
    own = said.get("step", 0) * config.get("rows", 0) * config.get("model", {}).get("block_size", 0)
    return own + said.get("start", {}).get("tokens", 0)


def record(
    t: int, loss: float, seconds: float, valid: dict | None, config: PretrainConfig, corpus: Corpus
) -> Step:
    """What step t (from 0) did, for whoever watches."""
    return Step(
        step=t + 1,
        steps=config.steps,
        loss=loss,
        bits_per_byte=loss / math.log(2) / corpus.train.bytes_per_token,
        lr=config.muon_lr * config.lr_scale(t),
        tokens=(t + 1) * config.tokens_per_step,
        tokens_per_s=config.tokens_per_step / seconds,
        context=config.context(t),
        valid=valid,
    )


class Learner:
    """A model's weights with the optimisers that move them."""

    def __init__(self, model: GPT, config: PretrainConfig):
        inner = {n: w for n, w in model.named_parameters() if n.startswith("layers.") and w.ndim == 2}
        outer = {n: w for n, w in model.named_parameters() if n not in inner}
        dtype = torch.bfloat16 if machine.has_bf16(model.embed_tokens.weight.device.type) else torch.float32
        self.weights = list(model.parameters())
        self.optimisers = [
            Muon(inner, config.muon_lr, config.muon_decay, dtype=dtype),
            AdamW(outer, config.adam_lr),
        ]

    def step(self, t: int, scale: float) -> None:
        """Use the gradients, then clear them. t from 0."""
        for optimiser in self.optimisers:
            optimiser.step(t + 1, scale)
        for weight in self.weights:
            weight.grad = None

    def state(self) -> dict[str, Tensor]:
        """The optimisers' tensors, by name."""
        return {name: tensor for optimiser in self.optimisers for name, tensor in optimiser.state().items()}


def train_step(
    batch,
    t: int,
    config: PretrainConfig,
    learner: Learner,
    loss_of: Callable,
    team: Team,
    device: torch.device,
) -> float:
    """One step of learning on batch t, (rows, block_size + 1) tokens. Returns the loss in nats."""
    context = config.context(t)
    mine = torch.from_numpy(batch)[team.rank :: team.size].to(device)
    total = torch.zeros((), device=device)
    for part in mine.split(config.micro_rows):
        x = part[:, :-1].reshape(-1, context)
        y = part[:, 1:].reshape(-1, context)
        loss = loss_of(x, y) * (len(part) / len(mine))
        loss.backward()
        total += loss.detach()
    team.average([total, *(weight.grad for weight in learner.weights)])
    if not math.isfinite(total.item()):
        raise LabError(
            f"The loss of step {t + 1} is not a number. Lower muon_lr and adam_lr, and start a new run."
        )
    learner.step(t, config.lr_scale(t))
    return total.item()


def loss_function(model: GPT, device: torch.device, compile: bool) -> Callable[[Tensor, Tensor], Tensor]:
    """The function from inputs and targets (B, T) to the loss, compiled if wanted."""

    bf16 = machine.has_bf16(device.type)  # asked here, since a compiled function cannot read /proc

    def loss_of(x: Tensor, y: Tensor) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            return next_token_loss(model(x), y)

    return compiled(loss_of) if compile else loss_of


def describe(config: PretrainConfig, corpus: Corpus, provenance: dict, device: torch.device) -> dict:
    """Where a model comes from: what was asked for, what it was trained on, and by what."""
    return {
        **provenance,
        "config": config.as_dict(),
        "data": {"train": corpus.train.hash, "valid": corpus.valid.hash, "tokenizer": corpus.tokenizer.hash},
        "train_tokens": len(corpus.train.tokens),
        "train_bytes": int(corpus.train.n_bytes.sum()),
        "llmlab": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": device.type,
    }


def begin(folder: RunFolder, model: GPT, learner: Learner, origin: dict, resume: bool) -> dict:
    """Resume the run in `folder` or begin it; returns the step reached, the seconds spent, the last validation."""
    found = folder.training()
    if found and not resume:
        raise LabError(f"{folder.out} holds a run already. Resume it, delete it, or choose another folder.")
    for what in ("config", "data", "start") if found else ():
        then, now = found.get(what, {}), origin.get(what, {})
        if changed := sorted(n for n in {*then, *now} - FREE if then.get(n) != now.get(n)):
            raise LabError(
                f"The run in {folder.out} has another {', '.join(changed)}. Choose another folder."
            )
    folder.make()
    folder.restore(model, learner.state())
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
