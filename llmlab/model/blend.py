"""A model between two others: each weight a share of the way from the one to the other.

Two models that began with the same weights (a base and what finetuning made of it) lie close together, and what is
between them still works: so one can watch a document dreamer turn into an assistant.

Sources: linear mode connectivity, Frankle et al. 2020 (arXiv:1912.05671); WiSE-FT, Wortsman et al. 2021
(arXiv:2109.01903).
"""

import torch

from llmlab.errors import LabError
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT


@torch.no_grad()
def blend(first: Checkpoint, second: Checkpoint, share: float) -> Checkpoint:
    """The model at `share` of the way from `first` (0) to `second` (1). LabError if they differ in shape or words."""
    if first.config != second.config or first.tokenizer.hash != second.tokenizer.hash:
        raise LabError(
            "Only models of one shape and one vocabulary can be blended. Choose two of the same base."
        )
    model = GPT(first.config).requires_grad_(False)
    ends = dict(first.model.named_parameters()), dict(second.model.named_parameters())
    for name, weight in model.named_parameters():
        weight.copy_(torch.lerp(ends[0][name], ends[1][name], share))
    return Checkpoint(model.eval(), first.config, first.tokenizer, {"blend": share})
