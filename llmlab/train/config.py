"""What a training run is made of, and the three sizes of the course.

A tier is a shape of network with the settings that suit it. `pocket` learns while a class watches; `course` is
the model behind every lesson; `gpu` is for whoever has one.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from llmlab.errors import LabError
from llmlab.model.gpt import GPTConfig


@dataclass(frozen=True)
class PretrainConfig:
    """One training run. The same configuration on the same data gives the same losses.

    A step reads `rows` rows of `model.block_size` tokens, `micro_rows` of them at a time (less memory, the same
    gradient). For the first `short_share` of the steps the rows are cut into pieces of `short_context` tokens:
    nearby words are learned first, and short attention is cheap. `keep`: shares of the run, from 0 to 1, after which
    the model is kept as it then is.
    """

    tier: str = "course"
    model: GPTConfig = field(default_factory=GPTConfig)
    tokens: int = 45_000_000
    rows: int = 16
    micro_rows: int = 16
    short_context: int = 128
    short_share: float = 0.4
    muon_lr: float = 0.02
    muon_decay: float = 0.1
    adam_lr: float = 8e-3
    warmup_share: float = 0.01
    decay_share: float = 0.6
    seed: int = 1
    checkpoint_every: int = 200
    validate_every: int = 0
    keep: tuple[float, ...] = ()
    compile: Literal["auto", "on", "off"] = "auto"

    def __post_init__(self):
        if self.model.block_size % self.short_context or self.rows % self.micro_rows:
            raise LabError(
                "short_context must divide the model's block_size, and micro_rows must divide rows. Change one."
            )
        if not all(0 < share < 1 for share in self.keep):
            raise LabError("The model is kept at shares of the run between 0 and 1. Change keep.")
        if self.steps < 1:
            raise LabError(f"One step reads {self.tokens_per_step:,} tokens. Ask for at least that many.")

    @property
    def tokens_per_step(self) -> int:
        return self.rows * self.model.block_size

    @property
    def steps(self) -> int:
        return self.tokens // self.tokens_per_step

    @property
    def kept_steps(self) -> frozenset[int]:
        """The steps (from 1) after which the model is kept."""
        return frozenset(max(1, round(share * self.steps)) for share in self.keep)

    def context(self, t: int) -> int:
        """How many tokens step t (from 0) sees at once."""
        return self.short_context if t < self.short_share * self.steps else self.model.block_size

    def lr_scale(self, t: int) -> float:
        """The learning rate of step t (from 0) as a share of its highest: up, level, then down to zero."""
        warm = (t + 1) / max(1.0, self.warmup_share * self.steps)
        cool = (self.steps - t) / max(1.0, self.decay_share * self.steps)
        return min(1.0, warm, cool)

    def lr_of(self, t: int) -> float:
        """Muon's learning rate at step t (from 0)."""
        return self.muon_lr * self.lr_scale(t)

    def as_dict(self) -> dict:
        """Plain data, for JSON."""
        return asdict(self)


TIERS = {
    "pocket": PretrainConfig(
        tier="pocket",
        model=GPTConfig(2048, 256, n_layer=4, n_head=2, n_kv_head=2, n_embd=128, n_hidden=344),
        tokens=6_000_000,
        short_context=64,
        keep=(0.014, 0.04, 0.14, 0.4),  # for lesson 04: words by frequency, pairs, phrases, names
    ),
    "course": PretrainConfig(
        tier="course",
        model=GPTConfig(4096, 512, n_layer=6, n_head=2, n_kv_head=2, n_embd=192, n_hidden=512),
        tokens=38_000_000,
        short_context=256,
        short_share=0.7,
        rows=8,
        micro_rows=8,
        muon_lr=0.015,
        adam_lr=6e-3,
        decay_share=0.9,
    ),
    "gpu": PretrainConfig(
        tier="gpu",
        model=GPTConfig(8192, 1024, n_layer=8, n_head=8, n_kv_head=8, n_embd=512, n_hidden=1408),
        tokens=300_000_000,
        rows=128,
        micro_rows=64,
    ),
    "gpu-124m": PretrainConfig(
        tier="gpu-124m",
        model=GPTConfig(32_768, 1024, n_layer=12, n_head=12, n_kv_head=4, n_embd=768, n_hidden=2560),
        tokens=2_500_000_000,
        rows=512,
        micro_rows=32,
        adam_lr=5e-3,
    ),
}


def tier(name: str, lr: float = 1.0, **changes) -> PretrainConfig:
    """The configuration of a tier, with changes: `tier("pocket", tokens=1_000_000, seed=7)`.

    lr is a share of the tier's learning rates: a stage that starts from a trained model wants less than 1.
    """
    if name not in TIERS:
        raise LabError(f"There is no tier {name!r}. Choose one of: {', '.join(TIERS)}.")
    config = replace(TIERS[name], **changes)
    return replace(config, muon_lr=config.muon_lr * lr, adam_lr=config.adam_lr * lr)
