"""Where finetuning changed a model's mind: base and assistant at each token of the same answer.

Both read what the assistant wrote. Where the base finds the same token likeliest, nothing had to change (*unshifted*);
where it is among the base's first three, little (*marginal*); elsewhere the assistant does something that the base
would not have done (*shifted*). In large models most tokens are unshifted, and the shifted ones are mostly of style.

Source: Lin et al. 2023, The Unlocking Spell on Base LLMs (arXiv:2312.01552), whose three names these are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from llmlab.generate.engine import logits
from llmlab.model.checkpoint import Checkpoint

UNSHIFTED, MARGINAL, SHIFTED = "unshifted", "marginal", "shifted"
MARGIN = 3  # the base's rank up to which a token is marginal


@dataclass(frozen=True, slots=True)
class Shift:
    """One token of an answer: how likely it was to each, its rank for the base (from 1), and how far they differ."""

    token: int
    assistant: float
    base: float
    rank: int
    kl: float  # nats: assistant's distribution against the base's
    instead: int  # the base's own first choice

    @property
    def kind(self) -> str:
        return UNSHIFTED if self.rank == 1 else MARGINAL if self.rank <= MARGIN else SHIFTED


def shifts(
    base: Checkpoint, assistant: Checkpoint, prompt: Sequence[int], answer: Sequence[int]
) -> list[Shift]:
    """Each token of `answer`, which the assistant wrote after `prompt`, as both models expected it."""
    ids, first = [*prompt, *answer], len(prompt) - 1
    before, after = (
        torch.from_numpy(logits(model, ids)[first:-1]).double().log_softmax(-1) for model in (base, assistant)
    )
    kl = (after.exp() * (after - before)).sum(-1)
    rows = range(len(answer))
    rank = (before > before[rows, list(answer)][:, None]).sum(-1) + 1
    return [
        Shift(
            token,
            float(after[i, token].exp()),
            float(before[i, token].exp()),
            int(rank[i]),
            float(kl[i]),
            int(before[i].argmax()),
        )
        for i, token in enumerate(answer)
    ]
