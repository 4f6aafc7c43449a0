"""The network, once more, for speaking: the same sums as model/gpt.py in numpy, with a KV cache.

On a CPU, one token of a small model costs less than the bookkeeping that torch does around it: here numpy is
three times as fast. model/gpt.py stays the reference, and a test holds this file to it. On a GPU torch speaks.

Read next: engine.py.
"""

from functools import lru_cache

import numpy as np
import torch

from llmlab.model.gpt import GPT, NORM_EPS, Cache


class NumpyReader:
    """Reads tokens of B texts side by side and remembers their keys and values. Not for two threads at once."""

    def __init__(self, model: GPT, batch: int = 1, weights: dict | None = None) -> None:
        self.config, self.batch, self.length = model.config, batch, 0
        self.weights = weights or flat_weights(model)
        c, dtype = model.config, self.weights["embed"].dtype
        self.keys = np.zeros((c.n_layer, batch, c.n_kv_head, c.block_size, c.head_dim), dtype)
        self.values = np.zeros(
            self.keys.shape, dtype
        )  # zeros_like would write them all; these pages come when used

    def read(self, ids: np.ndarray) -> np.ndarray:
        """Tokens ids (B, T), new ones only, to logits (B, T, V)."""
        c, w = self.config, self.weights
        start, stop = self.length, self.length + ids.shape[1]
        if stop > c.block_size:
            raise ValueError(f"{stop} tokens do not fit into a context of {c.block_size}")
        cos, sin = w["cos"][start:stop, None], w["sin"][start:stop, None]
        x = w["embed"][ids]  # (B, T, C)
        for layer, block in enumerate(w["layers"]):
            x = x + self.attention(norm(x, block["norm1"]), block, layer, cos, sin, start, stop)
            gate, up = np.split(norm(x, block["norm2"]) @ block["gate_up"], 2, axis=-1)
            x = x + (gate / (1 + np.exp(-gate)) * up) @ block["down"]
        self.length = stop
        return norm(x, w["norm"]) @ w["head"]

    def attention(self, x, block, layer, cos, sin, start, stop) -> np.ndarray:
        c, (B, T, _) = self.config, x.shape
        heads = (x @ block["qkv"]).reshape(B, T, -1, c.head_dim)  # q heads, then k heads, then v heads
        turned = rotate(heads[:, :, : c.n_head + c.n_kv_head], cos, sin)
        q = turned[:, :, : c.n_head].transpose(0, 2, 1, 3) * np.float32(c.head_dim**-0.5)  # (B, H, T, D)
        self.keys[layer, :, :, start:stop] = turned[:, :, c.n_head :].transpose(0, 2, 1, 3)
        self.values[layer, :, :, start:stop] = heads[:, :, c.n_head + c.n_kv_head :].transpose(0, 2, 1, 3)
        k, v = self.keys[layer, :, :, :stop], self.values[layer, :, :, :stop]
        if c.n_kv_head < c.n_head:
            k, v = (np.repeat(kv, c.n_head // c.n_kv_head, axis=1) for kv in (k, v))
        scores = q @ k.swapaxes(-1, -2)  # (B, H, T, S)
        if T > 1:
            scores += np.triu(np.full((T, stop), -np.inf, np.float32), start + 1)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        y = (scores / scores.sum(-1, keepdims=True)) @ v  # (B, H, T, D)
        return y.transpose(0, 2, 1, 3).reshape(B, T, -1) @ block["out"]


def norm(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """RMSNorm over the last axis; the dot product is the cheapest way to a sum of squares."""
    squares = np.einsum("...c,...c->...", x, x)[..., None]
    return x * (weight / np.sqrt(squares / np.float32(x.shape[-1]) + np.float32(NORM_EPS)))


def rotate(x: np.ndarray, cos: np.ndarray, sin: np.ndarray) -> np.ndarray:
    """Rotary positions for x (B, T, H, D)."""
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    return np.concatenate((first * cos - second * sin, second * cos + first * sin), axis=-1)


@lru_cache(maxsize=16)
def flat_weights(model: GPT) -> dict:
    """`lay_out`, kept per model object: a model that goes on learning must not be read this way (`reader_for`)."""
    return lay_out(model)


def lay_out(model: GPT, dtype: torch.dtype = torch.float32) -> dict:
    """The weights as numpy arrays, input side first, matrices that read the same vector side by side."""
    numbers = lambda tensor: tensor.detach().to("cpu", dtype).numpy()  # noqa: E731
    own = {name: numbers(weight) for name, weight in model.named_parameters()}
    across = lambda *names: np.ascontiguousarray(np.concatenate([own[n] for n in names]).T)  # noqa: E731
    layers = []
    for i in range(model.config.n_layer):
        attention, mlp = f"layers.{i}.self_attn", f"layers.{i}.mlp"
        layers.append(
            {
                "norm1": own[f"layers.{i}.input_layernorm.weight"],
                "norm2": own[f"layers.{i}.post_attention_layernorm.weight"],
                "qkv": across(*(f"{attention}.{x}_proj.weight" for x in "qkv")),
                "out": across(f"{attention}.o_proj.weight"),
                "gate_up": across(f"{mlp}.gate_proj.weight", f"{mlp}.up_proj.weight"),
                "down": across(f"{mlp}.down_proj.weight"),
            }
        )
    embed = own["embed_tokens.weight"]
    return {
        "layers": layers,
        "embed": embed,
        "head": np.ascontiguousarray(embed.T),
        "norm": own["norm.weight"],
        "cos": numbers(model.cos),
        "sin": numbers(model.sin),
    }


class TorchReader:
    """The same interface over the model itself: for a GPU, and for a model that is still learning."""

    def __init__(self, model: GPT, batch: int = 1) -> None:
        self.model, self.batch = model, batch
        weight = model.embed_tokens.weight
        self.cache = Cache(model.config, batch, weight.device, weight.dtype)

    @property
    def length(self) -> int:
        return self.cache.length

    @torch.inference_mode()
    def read(self, ids: np.ndarray) -> np.ndarray:
        """Tokens ids (B, T), new ones only, to logits (B, T, V)."""
        idx = torch.from_numpy(np.ascontiguousarray(ids)).to(self.model.embed_tokens.weight.device)
        return self.model(idx, self.cache).float().cpu().numpy()


def reader_for(model: GPT, batch: int = 1) -> NumpyReader | TorchReader:
    """numpy for a finished model on the CPU, torch for everything else."""
    weight = model.embed_tokens.weight
    finished = weight.device.type == "cpu" and not weight.requires_grad
    return (NumpyReader if finished else TorchReader)(model, batch)
