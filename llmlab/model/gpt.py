"""The network: a GPT in the manner of Llama, whole, from top to bottom.

A text of T tokens goes in, T scores for each of the V tokens of the vocabulary come out: what could follow the
first token, the first two, and so on. In between, each token is a vector of C numbers (the *residual stream*)
that is never replaced, only added to: L times, attention adds what it found at earlier places, and the MLP adds
what it made of that.

Differences from the 2017 transformer, each by now usual: RMSNorm before the block instead of LayerNorm after it,
rotary positions instead of learned ones, SwiGLU instead of ReLU, no biases, the last projection of each block
starts at zero (so that an untrained network is the identity), and one matrix serves as embedding and as output.
The weights have the names and the layout of Hugging Face's LlamaForCausalLM.

Read next: checkpoint.py, then train/pretrain.py.
Sources: Llama 2 (arXiv:2307.09288), rotary (arXiv:2104.09864), SwiGLU (arXiv:2002.05202), RMSNorm
(arXiv:1910.07467), grouped queries (arXiv:2305.13245).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROPE_BASE = 10_000.0
NORM_EPS = 1e-5


@dataclass(frozen=True)
class GPTConfig:
    """The shape of a network. `n_kv_head` < `n_head` lets several query heads share keys and values."""

    vocab_size: int = 4096
    block_size: int = 512
    n_layer: int = 6
    n_head: int = 2
    n_kv_head: int = 2
    n_embd: int = 192
    n_hidden: int = 512

    def __post_init__(self):
        if self.n_embd % (2 * self.n_head) or self.n_head % self.n_kv_head:
            raise ValueError("n_embd must be a multiple of 2 * n_head, and n_head of n_kv_head")

    @property
    def head_dim(self) -> int:
        return self.n_embd // self.n_head


class Cache:
    """Keys and values of the tokens that a model has already read, so that the next one costs one column only.

    Room for `config.block_size` tokens of B texts; `length` are filled.
    """

    def __init__(
        self, config: GPTConfig, batch: int = 1, device: torch.device | str = "cpu", dtype=torch.float32
    ):
        shape = (config.n_layer, batch, config.n_kv_head, config.block_size, config.head_dim)
        self.keys = torch.zeros(shape, device=device, dtype=dtype)
        self.values = torch.zeros(shape, device=device, dtype=dtype)
        self.length = 0

    def add(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Store k, v (B, H, T, D) of the new tokens; return those of all tokens so far."""
        end = self.length + k.shape[2]
        self.keys[layer, :, :, self.length : end] = k
        self.values[layer, :, :, self.length : end] = v
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]


class RMSNorm(nn.Module):
    """Scale each vector to a root mean square of 1, then each channel by a learned weight."""

    def __init__(self, size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight, NORM_EPS)


class Linear(nn.Module):
    """A linear map without bias. Its weight (n_out, n_in) is not yet set: GPT.initialise does it.

    torch's own class would fill it from the generator that all students of a process share.
    """

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_out, n_in))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight)


class Embedding(nn.Module):
    """A table with one vector for each token; read backwards, it scores a vector against each token."""

    def __init__(self, n_tokens: int, size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_tokens, size))

    def forward(self, idx: Tensor) -> Tensor:
        return F.embedding(idx, self.weight)


def rotary_angles(config: GPTConfig) -> tuple[Tensor, Tensor]:
    """Cosine and sine of position × frequency: two times (block_size, head_dim / 2), fast frequencies first."""
    frequency = ROPE_BASE ** (-torch.arange(0, config.head_dim, 2, dtype=torch.float64) / config.head_dim)
    angle = torch.arange(config.block_size, dtype=torch.float64)[:, None] * frequency
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair of channels of x (B, H, T, D) by an angle that grows with the position.

    The product of two vectors turned so depends only on how far apart they stand. Channel i is paired with
    i + D / 2, as Hugging Face does (Meta's own files pair neighbours).
    """
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class Attention(nn.Module):
    """Each token asks (q) all tokens up to itself what they hold (k) and adds up what they say (v)."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.n_head, self.n_kv_head, self.head_dim = config.n_head, config.n_kv_head, config.head_dim
        self.q_proj = Linear(config.n_embd, config.n_head * config.head_dim)
        self.k_proj = Linear(config.n_embd, config.n_kv_head * config.head_dim)
        self.v_proj = Linear(config.n_embd, config.n_kv_head * config.head_dim)
        self.o_proj = Linear(config.n_head * config.head_dim, config.n_embd)

    def heads(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (B, n_head, T, D), keys and values (B, n_kv_head, T, D) of x (B, T, C), the first two turned."""
        B, T, _ = x.shape
        q = self.q_proj(x).view(B, T, self.n_head, self.head_dim).transpose(1, 2)  # (B, H, T, D)
        k = self.k_proj(x).view(B, T, self.n_kv_head, self.head_dim).transpose(1, 2)
        v = self.v_proj(x).view(B, T, self.n_kv_head, self.head_dim).transpose(1, 2)
        return rotate(q, cos, sin), rotate(k, cos, sin), v

    def forward(
        self,
        x: Tensor,
        cos: Tensor,
        sin: Tensor,
        layer: int,
        cache: Cache | None,
        mask: Tensor | None = None,
    ) -> Tensor:
        q, k, v = self.heads(x, cos, sin)
        if cache is not None:
            k, v = cache.add(layer, k, v)
        y = attend(q, *self.shared(k, v), mask)  # (B, H, T, D)
        return self.o_proj(y.transpose(1, 2).flatten(2))

    def shared(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values for each query head, where several share them."""
        if self.n_kv_head == self.n_head:
            return k, v
        times = self.n_head // self.n_kv_head
        return k.repeat_interleave(times, dim=1), v.repeat_interleave(times, dim=1)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attention of q (B, H, T, D) on k, v (B, H, S, D), S >= T: the T queries are the last of the S tokens.

    `mask` (B, 1, T, S): what each query may look at; without it, everything up to itself.

    On a GPU a fused kernel. On a CPU the plain matrix products are 2.5 times as fast as that kernel's CPU version.
    """
    if q.is_cuda and q.shape[2] == k.shape[2]:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
    return attention(q, k, mask) @ v


def attention(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    """How much each of the T queries takes from each of the S tokens: (B, H, T, S), nothing from later ones."""
    T, S = q.shape[2], k.shape[2]
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)  # (B, H, T, S)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    elif T > 1:  # a single new token may look at everything
        future = torch.full((T, S), -torch.inf, dtype=scores.dtype, device=q.device).triu(S - T + 1)
        scores = scores + future
    return scores.softmax(-1)


def document_mask(idx: Tensor, bos: int) -> Tensor:
    """What may be seen where several texts stand in one row: (B, 1, T, T), earlier tokens of the same text.

    idx (B, T); each text begins with `bos`.
    """
    text = (idx == bos).cumsum(-1)  # which text of its row a token belongs to
    same = text[:, :, None] == text[:, None, :]
    return same.tril()[:, None]


class MLP(nn.Module):
    """SwiGLU: one half of the hidden channels opens and closes the other."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.gate_proj = Linear(config.n_embd, config.n_hidden)
        self.up_proj = Linear(config.n_embd, config.n_hidden)
        self.down_proj = Linear(config.n_hidden, config.n_embd)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    """One layer: attention, then the MLP, each added to the residual stream."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.input_layernorm = RMSNorm(config.n_embd)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config.n_embd)
        self.mlp = MLP(config)

    def forward(
        self,
        x: Tensor,
        cos: Tensor,
        sin: Tensor,
        layer: int,
        cache: Cache | None,
        mask: Tensor | None = None,
    ) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, layer, cache, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class GPT(nn.Module):
    """The whole network. Its weights are random until a checkpoint is loaded into it; `seed` chooses which."""

    def __init__(self, config: GPTConfig, seed: int = 0):
        super().__init__()
        self.config = config
        self.embed_tokens = Embedding(config.vocab_size, config.n_embd)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.norm = RMSNorm(config.n_embd)
        cos, sin = rotary_angles(config)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.initialise(torch.Generator().manual_seed(seed))

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Random weights that keep the size of what flows through them; zeros where a block ends.

        The embedding is ten times larger than usual, and the last norm ten times smaller: the scores at the start
        are the same, but what a token is does not drown in what the first layers add to it.
        """
        for name, weight in self.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weight.zero_()
            elif name == "embed_tokens.weight":
                weight.normal_(0.0, 0.2, generator=generator)
            elif name == "norm.weight":
                weight.fill_(0.1)
            elif weight.ndim == 2:
                weight.normal_(0.0, weight.shape[1] ** -0.5, generator=generator)

    def forward(self, idx: Tensor, cache: Cache | None = None, mask: Tensor | None = None) -> Tensor:
        """Tokens idx (B, T) to logits (B, T, V).

        With a cache, idx are only the tokens that are new. `mask` (B, 1, T, T) says what each token may look at, where
        that is less than everything before it (`document_mask`).
        """
        start = 0 if cache is None else cache.length
        end = start + idx.shape[1]
        if end > self.config.block_size:
            raise ValueError(f"{end} tokens do not fit into a context of {self.config.block_size}")
        x = self.embed_tokens(idx)  # (B, T, C)
        for number, block in enumerate(self.layers):
            x = block(x, self.cos[start:end], self.sin[start:end], number, cache, mask)
        if cache is not None:
            cache.length = end
        return F.linear(self.norm(x), self.embed_tokens.weight)

    def n_params(self) -> int:
        """How many numbers the model has learned."""
        return sum(weight.numel() for weight in self.parameters())


def next_token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean surprise in nats at targets (B, T), given logits (B, T, V).

    Each surprise may be in bf16 like its logits, but the mean must not be: it would move in steps of 1%.
    """
    each = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return each.float().mean()
