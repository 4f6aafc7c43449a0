"""Finetuning: the same weights and the same loop as in pretraining, on other data.

The base model continues any document. Here it goes on learning from conversations, and only from the assistant's words
in them: its loss counts nothing at what the user says. Some rows of each step are pages of the crawl as before, so that
the model does not forget what it knows (`replay`).

    for step in finetune(FinetuneConfig(), base, conversations, "runs/assistant", pages=corpus.train):
        print(step.step, step.loss)

With `rank`, only a thin correction of the weights is learned (lora.py).

Read next: lora.py; measure/assistant.py, which asks what became of the model.
Sources: InstructGPT, Ouyang et al. 2022 (arXiv:2203.02155); pretraining text mixed in, there too (PPO-ptx).
"""

import hashlib
import math
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from llmlab import __version__
from llmlab.errors import LabError
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, document_mask
from llmlab.text.dialogue import IGNORED, Dialogue, DialogueBatches
from llmlab.text.packing import Batches, TokenFile
from llmlab.train import lora, machine
from llmlab.train.compiled import compiled, worth_compiling
from llmlab.train.config import tier
from llmlab.train.folder import RunFolder
from llmlab.train.loop import NOTHING, Run, Step, steps
from llmlab.train.optimisers import AdamW
from llmlab.train.pretrain import Learner, ancestry
from llmlab.train.team import Team

WARMUP, DECAY = 0.02, 1.0  # shares of the run in which the learning rate goes up, and down
FORGETTING = 0.01  # weight decay; pretraining's 0.1 would take away half of what the base knows


@dataclass(frozen=True)
class FinetuneConfig:
    """One finetuning. A step reads `rows` rows of `width` tokens, the share `replay` of them pages of the crawl.

    `lr` is a share of pretraining's rates. `rank` 0 moves all weights; with more, an adapter of this rank (and
    `alpha`) is learned instead, by AdamW at the rate `adapter_lr`. With an adapter, `kept_rows` of the rows can be
    conversations in which the model is to say what it said before, and nothing new.
    """

    tokens: int = 10_000_000
    rows: int = 16
    width: int = 256
    replay: float = 0.4
    lr: float = 0.25
    rank: int = 0
    alpha: float = 32.0
    adapter_lr: float = 1e-2
    kept_rows: int = 0
    seed: int = 1
    checkpoint_every: int = 200
    validate_every: int = 0
    compile: str = "auto"

    def __post_init__(self):
        if not 0 <= self.replay < 1 or self.steps < 1:
            raise LabError(
                f"A step reads {self.tokens_per_step:,} tokens: ask for that many, or more. replay is a share below 1."
            )
        if self.kept_rows and not (self.rank and self.kept_rows + self.page_rows < self.rows):
            raise LabError("Rows in which nothing is to change need an adapter (rank), and rows beside them.")

    @property
    def tokens_per_step(self) -> int:
        return self.rows * self.width

    @property
    def steps(self) -> int:
        return self.tokens // self.tokens_per_step

    @property
    def kept_steps(self) -> frozenset[int]:
        return frozenset()

    @property
    def page_rows(self) -> int:
        """How many rows of a step are pages."""
        return round(self.rows * self.replay)

    def context(self, t: int) -> int:
        """How many tokens step t sees at once; the same in each."""
        return self.width

    def lr_scale(self, t: int) -> float:
        """The learning rate of step t (from 0) as a share of its highest: up, then down to zero."""
        warm, cool = (t + 1) / max(1.0, WARMUP * self.steps), (self.steps - t) / (DECAY * self.steps)
        return min(1.0, warm, cool)

    def lr_of(self, t: int) -> float:
        """The rate of step t: Muon's, or that of the adapter."""
        return self.lr_scale(t) * (self.adapter_lr if self.rank else self.lr * tier("course").muon_lr)


def finetune(
    config: FinetuneConfig,
    start: Checkpoint,
    dialogues: Sequence[Dialogue],
    out: Path | str,
    pages: TokenFile | None = None,
    kept: Sequence[Dialogue] = (),
    resume: bool = True,
    provenance: dict | None = None,
    validate: Callable[[GPT], dict[str, float]] = lambda model: {},
) -> Iterator[Step]:
    """Go on from `start` with conversations (and `pages`, where config.replay asks for them); a record a step.

    In the conversations `kept` the model is held to what `start` says there (`kept_loss`); see config.kept_rows.

    The finished model is in `out`/model; with a rank, its adapter in `out`/adapter, too. Stops and resumes as
    pretraining does. `validate` gives whatever figures of the model should stand in its provenance.
    LabError: no conversation, or no pages where some are asked for; other settings than the run in `out`.
    """
    device = machine.device()
    team = Team.join(device)
    if config.page_rows and pages is None:
        raise LabError("Finetuning with replay needs pages of the crawl. Give them, or set replay to 0.")
    machine.keep_memory()
    folder = RunFolder(out)
    model = GPT(start.config).to(device)
    model.load_state_dict(start.model.state_dict())
    own = config.rows - config.page_rows - config.kept_rows
    talk = DialogueBatches(dialogues, own, config.width, config.seed)
    same = (
        DialogueBatches(kept, config.kept_rows, config.width, config.seed + 1) if config.kept_rows else None
    )
    learner = AdapterLearner(model, config) if config.rank else FullLearner(model, config)
    first = (folder.training() or NOTHING)["step"]
    compile = config.compile == "on" or (
        config.compile == "auto" and worth_compiling(equivalent(config, model), first, device)
    )
    loss_of = learner.loss_function(start.tokenizer.bos, device)
    loss_of = compiled(loss_of) if compile else loss_of
    rows = PageRows(pages, config) if config.page_rows else None

    def do_step(t: int) -> float:
        x, y = joined(talk[t], rows[t] if rows else None, same[t] if same else None)
        loss = loss_of(torch.from_numpy(x).to(device), torch.from_numpy(y).to(device))
        loss.backward()
        team.average([weight.grad for weight in learner.weights])
        if not math.isfinite(loss.item()):
            raise LabError(f"The loss of step {t + 1} is not a number. Lower lr, and start a new run.")
        learner.step(t, config.lr_scale(t))
        return loss.item()

    run = Run(
        config=config,
        model=model,
        tokenizer=start.tokenizer,
        state=learner.state(),
        origin=describe(config, start, [*dialogues, *kept], pages, provenance or {}, device),
        bytes_per_token=bytes_per_token(dialogues, start),
        do_step=do_step,
        validate=lambda: validate(learner.finished()),
        finished=learner.finished,
    )
    yield from steps(run, folder, team, resume)
    if config.rank and team.rank == 0:
        lora.save(folder.out / "adapter", learner.adapter, start, run.origin)


def answer_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean surprise in nats at those targets (B, T) that are to be learned, given logits (B, T, V)."""
    each = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none")
    return each.float().sum() / (targets != IGNORED).sum().clamp(min=1)


def kept_loss(logits: Tensor, before: Tensor, targets: Tensor) -> Tensor:
    """How far the probabilities have moved from those `before` (both logits (B, T, V)), in nats: KL(before || now).

    The mean over the assistant's own places, those where targets (B, T) are to be learned.
    """
    now, then = (scores.float().log_softmax(-1) for scores in (logits, before))
    moved = F.kl_div(now, then, reduction="none", log_target=True).sum(-1)  # (B, T)
    own = targets != IGNORED
    return (moved * own).sum() / own.sum().clamp(min=1)


class FullLearner:
    """All weights move, by the optimisers of pretraining."""

    def __init__(self, model: GPT, config: FinetuneConfig):
        self.model = model
        self.learner = Learner(model, equivalent(config, model))
        self.weights = self.learner.weights

    def loss_function(self, bos: int, device: torch.device) -> Callable[[Tensor, Tensor], Tensor]:
        """From inputs and targets (B, T) to the loss; each conversation sees itself only."""
        bf16 = machine.has_bf16(device.type)

        def loss_of(x: Tensor, y: Tensor) -> Tensor:
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                return answer_loss(self.model(x, mask=document_mask(x, bos)), y)

        return loss_of

    def step(self, t: int, scale: float) -> None:
        self.learner.step(t, scale)

    def state(self) -> dict[str, Tensor]:
        return self.learner.state()

    def finished(self) -> GPT:
        return self.model


class AdapterLearner:
    """The weights stay; a correction of low rank moves, by AdamW."""

    def __init__(self, model: GPT, config: FinetuneConfig):
        self.model = model.requires_grad_(False)
        self.kept_rows = config.kept_rows
        self.adapter = lora.adapter(model, config.rank, config.alpha, config.seed)
        named = {name: tensor.requires_grad_() for name, tensor in self.adapter.tensors().items()}
        self.weights = list(named.values())
        self.optimiser = AdamW(named, config.adapter_lr)

    def loss_function(self, bos: int, device: torch.device) -> Callable[[Tensor, Tensor], Tensor]:
        """As with all weights, but through the corrected ones. In the last `kept_rows` nothing should change."""
        bf16 = machine.has_bf16(device.type)

        def loss_of(x: Tensor, y: Tensor) -> Tensor:
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                weights = lora.corrected(self.model, self.adapter)
                asked, new = {"idx": x, "mask": document_mask(x, bos)}, len(x) - self.kept_rows
                logits = torch.func.functional_call(self.model, weights, kwargs=asked)
                if not self.kept_rows:
                    return answer_loss(logits, y)
                with torch.no_grad():
                    before = self.model(x[new:], mask=document_mask(x[new:], bos))
                return answer_loss(logits[:new], y[:new]) + kept_loss(logits[new:], before, y[new:])

        return loss_of

    def step(self, t: int, scale: float) -> None:
        self.optimiser.step(t + 1, scale)
        for weight in self.weights:
            weight.grad = None

    def state(self) -> dict[str, Tensor]:
        return self.optimiser.state() | {f"lora.{n}": t.detach() for n, t in self.adapter.tensors().items()}

    def finished(self) -> GPT:
        return lora.merged(self.model, self.adapter)


class PageRows:
    """Rows of pages of the crawl, cut to the width of the conversations' rows."""

    def __init__(self, pages: TokenFile, config: FinetuneConfig):
        longest = int(np.diff(pages.start).max())
        self.pieces = max(1, -(-longest // config.width))  # of a row of pages
        self.rows, self.width = config.page_rows, config.width
        self.batches = Batches(pages, -(-self.rows // self.pieces), self.pieces * config.width, config.seed)

    def __getitem__(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of step t, each (rows, width)."""
        batch = self.batches[t]
        x, y = batch[:, :-1].reshape(-1, self.width), batch[:, 1:].reshape(-1, self.width)
        return x[: self.rows], y[: self.rows]


def joined(*parts: tuple[np.ndarray, np.ndarray] | None) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of all parts, below each other; None is no part."""
    there = [part for part in parts if part is not None]
    return np.concatenate([x for x, _ in there]), np.concatenate([y for _, y in there])


def equivalent(config: FinetuneConfig, model: GPT):
    """The settings of a pretraining with the same steps, for the optimisers."""
    return tier(
        "course", config.lr, model=model.config, tokens=config.tokens, rows=config.rows, micro_rows=config.rows,
        short_context=model.config.block_size, muon_decay=FORGETTING,
    )  # fmt: skip


def bytes_per_token(dialogues: Sequence[Dialogue], start: Checkpoint) -> float:
    """How much text one learned token stands for, on a sample."""
    learned = [t for one in dialogues[:500] for t, own in zip(one.tokens, one.learned, strict=True) if own]
    special = set(start.tokenizer.special.values())
    return sum(len(start.tokenizer.token_bytes(t)) for t in learned if t not in special) / max(
        1, len(learned)
    )


def describe(
    config: FinetuneConfig,
    start: Checkpoint,
    dialogues: Sequence[Dialogue],
    pages: TokenFile | None,
    provenance: dict,
    device: torch.device,
) -> dict:
    """Where a finetuned model comes from."""
    total = hashlib.sha256()
    for one in dialogues:
        total.update(np.asarray(one.tokens, "<u2").tobytes() + bytes(one.learned))
    return {
        **provenance,
        "stage": "finetune",
        "config": asdict(config),
        "data": {"conversations": total.hexdigest()[:16], "pages": pages.hash if pages else None},
        "n_conversations": len(dialogues),
        "start": ancestry(start),
        "llmlab": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": device.type,
    }
