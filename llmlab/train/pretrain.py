"""Pretraining: predict the next token of every page, and become a little better at it, some thousand times.

That is all of it: read some rows, compare what was expected with what came, step. Around it stands loop.py, which is
what a long run needs: it can be stopped, killed and resumed, and goes on with the same numbers.

    for step in pretrain(tier("pocket"), corpus, "runs/first"):
        print(step.step, step.loss)

Read next: evaluate.py, which judges the result on pages that were held back.
"""

import math
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from llmlab import __version__
from llmlab.errors import LabError
from llmlab.model.checkpoint import Checkpoint, fingerprint
from llmlab.model.gpt import GPT, next_token_loss
from llmlab.text.packing import Batches, Corpus
from llmlab.train import machine
from llmlab.train.compiled import compiled, worth_compiling
from llmlab.train.config import PretrainConfig
from llmlab.train.evaluate import evaluate
from llmlab.train.folder import RunFolder
from llmlab.train.loop import NOTHING, Run, Step, steps
from llmlab.train.optimisers import AdamW, Muon
from llmlab.train.team import Team

VALIDATION_DOCUMENTS = 400  # enough for two digits, some seconds of work


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
        origin["start"] = ancestry(start)
    learner = Learner(model, config)
    batches = Batches(corpus.train, config.rows, config.model.block_size, config.seed)
    first = (folder.training() or NOTHING)["step"]
    loss_of = loss_function(model, device, worth_compiling(config, first, device))
    run = Run(
        config=config,
        model=model,
        tokenizer=corpus.tokenizer,
        state=learner.state(),
        origin=origin,
        bytes_per_token=corpus.train.bytes_per_token,
        do_step=lambda t: train_step(batches[t], t, config, learner, loss_of, team, device),
        validate=lambda: evaluate(model, corpus.valid, VALIDATION_DOCUMENTS),
        finished=lambda: model,
    )
    yield from steps(run, folder, team, resume)


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


def ancestry(start: Checkpoint) -> dict:
    """What a later stage keeps of the model that it starts from: how that one was made, and which weights it is."""
    kept = ("stage", "corpus", "config", "data", "start")
    return {
        **{name: start.provenance[name] for name in kept if name in start.provenance},
        "tokens": tokens_read(start),
        "weights": fingerprint(start).hex()[:16],
    }


def tokens_read(model: Checkpoint) -> int:
    """All tokens that a model has learned from, with those of the models that it started from."""
    said = model.provenance
    config = said.get("config", {})
    own = said.get("step", 0) * config.get("rows", 0) * config.get("model", {}).get("block_size", 0)
    return own + said.get("start", {}).get("tokens", 0)


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
