"""Copying heads: the one kind of head that can be recognised by a number.

Write some random tokens, then the same ones again. Nothing in the world predicts the second half, except its first:
whoever finds the earlier place of the present token, and looks one further, knows what comes. A head that does this is
called an induction head; its score is the share of its attention that lies on that one place. It cannot find the place
alone: an earlier layer must have told each token which one stands before it. Such heads have a score, too.

Read next: ../course/inside.py, the lesson that shows it.
Source: Olsson et al. 2022, In-context Learning and Induction Heads (arXiv:2209.11895).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from llmlab.measure.inside import look, surprise
from llmlab.model.gpt import GPT

LENGTH = 40  # random tokens, before they are repeated
FIRST_WORD = 256  # smaller tokens are single bytes, which hardly ever stand alone


@dataclass(frozen=True, eq=False)
class Copying:
    """N texts of random tokens and their repetition, read by one model."""

    scores: (
        Tensor  # (N, L, H): share of attention on the token after the earlier copy, mean over the second half
    )
    before: Tensor  # (N, L, H): share of attention on the token just before, mean over the second half
    chance: float  # either score for a head that looks at all places alike
    gain: Tensor  # (N,)


def repeated(model: GPT, bos: int, n: int, seed: int, length: int = LENGTH) -> list[list[int]]:
    """n texts: the beginning of a page, `length` random tokens, and the same again. Special tokens are left out."""
    chance = torch.Generator().manual_seed(seed)
    last = min(bos, model.config.vocab_size)  # the special tokens come after all others
    halves = torch.randint(min(FIRST_WORD, last - 1), last, (n, length), generator=chance).tolist()
    return [[bos, *half, *half] for half in halves]


def gain(model: GPT, texts: Sequence[Sequence[int]], length: int = LENGTH) -> Tensor:
    """What repetition is worth to a model: nats (N,) by which a token of the second half surprises it less."""
    nats = surprise(model, texts)  # nats[:, i] is about token i + 1; a half's first token cannot be copied
    return nats[:, 1:length].mean(1) - nats[:, length + 1 :].mean(1)


def copying(model: GPT, bos: int, n: int = 20, seed: int = 0, length: int = LENGTH) -> Copying:
    """Measure every head of a model, and what repetition is worth to it."""
    now = torch.arange(length + 1, 2 * length + 1)  # the places of the second half
    texts = repeated(model, bos, n, seed, length)
    maps = torch.stack([look(model, ids).attention for ids in texts])  # (N, L, H, T, T)
    ahead, back = (maps[..., now, now - away].mean(-1) for away in (length - 1, 1))
    return Copying(ahead, back, float((1 / (now + 1)).mean()), gain(model, texts, length))


def best_head(scores: Tensor) -> tuple[int, int]:
    """(layer, head) with the highest mean of scores (N, L, H)."""
    mean = scores.mean(0)
    return divmod(int(mean.argmax()), mean.shape[1])
