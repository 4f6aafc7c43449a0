"""Inside: what happens to a text between the first layer and the last.

A GPT only ever adds: the embedding begins the residual stream, each attention head and each MLP add to it, and the
scores are read off its end. So what a model says can be taken apart into what each part wrote, and a part can be
knocked out by letting it write nothing. All of this is exact. What a part is *for* does not follow from it: the twin
is the same network with its numbers shuffled, and it has patterns, too.

Read next: copying.py, heads whose work can be named.
Sources: residual stream and direct contributions, Elhage et al. 2021 (A Mathematical Framework for Transformer
Circuits); logit lens, nostalgebraist 2020 (interpreting GPT: the logit lens).
"""

import copy
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from llmlab.model.gpt import GPT, NORM_EPS, attention


@dataclass(frozen=True, eq=False)
class Inside:
    """One text of T tokens on its way through L layers of H heads and C channels, V tokens in the vocabulary.

    `stream[l] + heads[l].sum(0) + mlps[l]` is `stream[l + 1]`: nothing else is ever written.
    """

    ids: tuple[int, ...]
    attention: (
        Tensor  # (L, H, T, T): how much each token (row) takes from each token up to itself; rows sum to 1
    )
    stream: Tensor  # (L + 1, T, C): the residual stream after the embedding, and after each layer
    heads: Tensor  # (L, H, T, C): what each head adds to it
    mlps: Tensor  # (L, T, C): what each MLP adds
    logits: Tensor  # (T, V)


@torch.no_grad()
def look(model: GPT, ids: Sequence[int]) -> Inside:
    """Read a text and keep everything. The sums are those of `GPT.forward`, with each head's part kept apart."""
    T, c = len(ids), model.config
    x = model.embed_tokens(torch.tensor([list(ids)]))  # (1, T, C)
    patterns, stream, heads, mlps = [], [x], [], []
    for block in model.layers:
        own = block.self_attn
        q, k, v = own.heads(block.input_layernorm(x), model.cos[:T], model.sin[:T])
        k, v = own.shared(k, v)
        patterns.append(attention(q, k))
        out = own.o_proj.weight.view(c.n_embd, c.n_head, c.head_dim)  # each head has columns of its own
        heads.append(torch.einsum("bhtd,chd->bhtc", patterns[-1] @ v, out))
        x = x + heads[-1].sum(1)
        mlps.append(block.mlp(block.post_attention_layernorm(x)))
        x = x + mlps[-1]
        stream.append(x)
    together = lambda parts: torch.cat(parts)  # noqa: E731  (the batch of one becomes the layers)
    logits = F.linear(model.norm(x), model.embed_tokens.weight)[0]
    return Inside(tuple(ids), *map(together, (patterns, stream, heads, mlps)), logits)


@torch.no_grad()
def lens(model: GPT, inside: Inside) -> Tensor:
    """The logit lens: the scores (L + 1, T, V) that the model would give if it ended after each layer.

    The last norm and the output matrix were trained for the end of the stream only; on earlier states they are a
    reading aid, and no thought of the model's.
    """
    return F.linear(model.norm(inside.stream), model.embed_tokens.weight)


@dataclass(frozen=True, eq=False)
class Parts:
    """What each part of the model adds to the score of one token at one place, over the average token's score.

    `embedding + heads.sum() + mlps.sum()` is `score`.
    """

    embedding: float
    heads: Tensor  # (L, H)
    mlps: Tensor  # (L,)
    score: float


@torch.no_grad()
def parts(model: GPT, inside: Inside, place: int, token: int) -> Parts:
    """Take the score of `token` after the text up to `place` apart.

    The last norm divides by the size of the whole stream, so strictly each part also changes the share of the
    others. Here that size is frozen at what it was: then the norm is linear, and the parts add up. The average over
    the vocabulary is taken off, because a part that raises all scores alike changes nothing.
    """
    end = inside.stream[-1, place]
    scale = torch.rsqrt(end.pow(2).mean() + NORM_EPS)
    words = model.embed_tokens.weight
    direction = (words[token] - words.mean(0)) * model.norm.weight * scale  # (C,)
    logits = inside.logits[place]
    return Parts(
        float(inside.stream[0, place] @ direction),
        inside.heads[:, :, place] @ direction,
        inside.mlps[:, place] @ direction,
        float(logits[token] - logits.mean()),
    )


@torch.no_grad()
def knock_out(model: GPT, heads: Collection[tuple[int, int]] = (), mlps: Collection[int] = ()) -> GPT:
    """A copy of the model in which these heads (layer, head) and MLPs (layer) write nothing; counted from 0.

    What a head writes goes through columns of its own of the layer's last matrix; without them it still looks, and
    is not heard. The copy is a model like any other: it can be asked, evaluated, and made to write.
    """
    model, width = copy.deepcopy(model), model.config.head_dim
    for layer, head in heads:
        model.layers[layer].self_attn.o_proj.weight[:, head * width : (head + 1) * width] = 0
    for layer in mlps:
        model.layers[layer].mlp.down_proj.weight.zero_()
    return model


@torch.no_grad()
def twin(model: GPT, seed: int = 0) -> GPT:
    """The same network with the numbers of each matrix shuffled: what a pattern looks like where nothing is learned.

    Shuffled and not drawn anew, so that all sizes stay what they were.
    """
    model, chance = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    for weight in model.parameters():
        if weight.ndim == 2:
            order = torch.randperm(weight.numel(), generator=chance)
            weight.copy_(weight.flatten()[order].view_as(weight))
    return model


@torch.no_grad()
def surprise(model: GPT, rows: Sequence[Sequence[int]]) -> Tensor:
    """How surprised a model is at each token but the first of N texts of T tokens each: nats (N, T - 1)."""
    ids = torch.tensor([list(row) for row in rows])
    return F.cross_entropy(model(ids[:, :-1]).transpose(1, 2), ids[:, 1:], reduction="none")
