"""Choosing the next token: from scores to a choice.

The model gives one score (logit) for each of the V tokens. A policy turns scores into a choice, in this order:
repetition penalty, temperature, top-k, top-p, min-p, draw. Each step is a function from logits to logits, so a
lesson can stop after any of them and show what is left.

Read next: engine.py, which asks for one choice after another.
Sources: repetition penalty, Keskar et al. 2019 (arXiv:1909.05858); top-k, Fan et al. 2018 (arXiv:1805.04833);
top-p, Holtzman et al. 2020 (arXiv:1904.09751); min-p, Nguyen et al. 2024 (arXiv:2407.01082).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from llmlab.errors import LabError

COLDEST = 0.001  # below it scores divided by the temperature would leave the range of float32


@dataclass(frozen=True)
class Policy:
    """How the next token is picked. The defaults draw from the model's own distribution, unchanged.

    temperature 0 always takes the most likely token; top_k 0, top_p 1 and min_p 0 cut nothing.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        rules = (
            (self.temperature == 0 or self.temperature >= COLDEST, f"temperature is 0, or {COLDEST} or more"),
            (self.top_k >= 0, "top_k is 0 (off) or more"),
            (0 < self.top_p <= 1, "top_p lies above 0 and is at most 1"),
            (0 <= self.min_p <= 1, "min_p lies between 0 and 1"),
            (0 < self.repetition_penalty < math.inf, "repetition_penalty is a number above 0 (1 is off)"),
        )
        for holds, rule in rules:
            if not holds:
                raise LabError(f"This policy can't be: {rule}.")

    def scores(self, logits: Tensor, before: Sequence[int] = ()) -> Tensor:
        """Logits (V,) after penalty and temperature: their softmax is what the cuts are applied to."""
        if self.repetition_penalty != 1:
            logits = penalise(logits, before, self.repetition_penalty)
        return heat(logits, self.temperature)

    def cut(self, scores: Tensor) -> Tensor:
        """Scores (V,) with -inf where a token can no longer be drawn."""
        if self.top_k:
            scores = keep_top_k(scores, self.top_k)
        if self.top_p < 1:
            scores = keep_top_p(scores, self.top_p)
        return keep_min_p(scores, self.min_p) if self.min_p else scores


def penalise(logits: Tensor, before: Sequence[int], penalty: float) -> Tensor:
    """Make tokens that were used already less likely: divide a positive logit by the penalty, multiply a negative.

    logits (V,); `before` the tokens so far.
    """
    seen = torch.tensor(sorted(set(before)), dtype=torch.long, device=logits.device)
    out = logits.clone()
    out[seen] = torch.where(logits[seen] > 0, logits[seen] / penalty, logits[seen] * penalty)
    return out


def heat(logits: Tensor, temperature: float) -> Tensor:
    """Divide by the temperature: below 1 sharpens, above 1 flattens. At 0 only the best token is left."""
    if temperature > 0:
        return logits / temperature
    best = torch.full_like(logits, -torch.inf)
    return best.scatter(-1, logits.argmax(-1, keepdim=True), 0.0)


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """Keep the k most likely tokens; the rest become -inf. logits (..., V); equals of the k-th stay too."""
    least = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]
    return logits.masked_fill(logits < least, -torch.inf)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the smallest set of tokens whose probabilities reach p; the rest become -inf.

    logits (..., V); 0 < p <= 1. The most likely token always stays, also where it alone exceeds p.
    """
    ranked, order = logits.sort(dim=-1, descending=True, stable=True)
    probs = ranked.softmax(-1)
    before = probs.cumsum(-1) - probs  # mass ahead of each token, so the one that crosses p stays
    before[..., 0] = 0.0
    ranked = ranked.masked_fill(before >= p, -torch.inf)
    return torch.empty_like(logits).scatter(-1, order, ranked)


def keep_min_p(logits: Tensor, share: float) -> Tensor:
    """Keep tokens at least `share` times as likely as the best one; the rest become -inf. logits (..., V)."""
    if share == 0:
        return logits
    best = logits.max(dim=-1, keepdim=True).values
    return logits.masked_fill(logits < best + torch.log(torch.tensor(share)), -torch.inf)


def draw(scores: Tensor, generator: torch.Generator) -> int:
    """One token, drawn with the probabilities softmax(scores). One number of the generator is used each time."""
    mass = scores.double().softmax(-1).cumsum(-1)
    u = torch.rand((), generator=generator, dtype=torch.float64) * mass[-1]
    return int(torch.searchsorted(mass, u, right=True).clamp(max=len(mass) - 1))
