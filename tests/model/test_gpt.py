"""The network: what Llama computes, nothing seen ahead, the same numbers with a cache."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from llmlab.model.gpt import GPT, Cache, GPTConfig, attend, next_token_loss, rotary_angles, rotate

CONFIG = GPTConfig(vocab_size=97, block_size=32, n_layer=3, n_head=4, n_kv_head=2, n_embd=48, n_hidden=64)


def lively(config: GPTConfig = CONFIG, seed: int = 3) -> GPT:
    """A network in which every weight matters: the zeros of the beginning replaced."""
    model, draw = GPT(config, seed), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=draw) * 0.1)
    return model.eval()


def some_tokens(batch: int = 2, length: int = 20) -> torch.Tensor:
    return torch.randint(0, 97, (batch, length), generator=torch.Generator().manual_seed(1))


def llama_in_numpy(model: GPT, ids: list[int]) -> np.ndarray:
    """The same network once more, in float64 and for one text, written from the papers: logits (T, V)."""
    c = model.config
    w = {name: weight.detach().double().numpy() for name, weight in model.named_parameters()}

    def norm(x, weight):
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5) * weight

    def turn(x):  # (T, D): channels i and i + D/2 as one complex number, turned by position × frequency
        half = c.head_dim // 2
        angle = np.arange(len(x))[:, None] * 10_000.0 ** (-np.arange(half) / half)
        turned = (x[:, :half] + 1j * x[:, half:]) * np.exp(1j * angle)
        return np.concatenate([turned.real, turned.imag], axis=1)

    x = w["embed_tokens.weight"][ids]
    for layer in range(c.n_layer):
        of = {name.removeprefix(f"layers.{layer}."): weight for name, weight in w.items()}
        h = norm(x, of["input_layernorm.weight"])
        heads = []
        for head in range(c.n_head):
            shared = head // (c.n_head // c.n_kv_head)
            rows, kv = (
                slice(head * c.head_dim, (head + 1) * c.head_dim),
                slice(shared * c.head_dim, (shared + 1) * c.head_dim),
            )
            q, k = (
                turn(h @ of["self_attn.q_proj.weight"][rows].T),
                turn(h @ of["self_attn.k_proj.weight"][kv].T),
            )
            scores = np.where(np.tri(len(x)) > 0, q @ k.T / math.sqrt(c.head_dim), -np.inf)
            p = np.exp(scores - scores.max(-1, keepdims=True))
            heads.append(p / p.sum(-1, keepdims=True) @ (h @ of["self_attn.v_proj.weight"][kv].T))
        x = x + np.concatenate(heads, axis=1) @ of["self_attn.o_proj.weight"].T
        h = norm(x, of["post_attention_layernorm.weight"])
        gate = h @ of["mlp.gate_proj.weight"].T
        x = x + (gate / (1 + np.exp(-gate)) * (h @ of["mlp.up_proj.weight"].T)) @ of["mlp.down_proj.weight"].T
    return norm(x, w["norm.weight"]) @ w["embed_tokens.weight"].T


@pytest.mark.parametrize("n_kv_head", [1, 2, 4])
@torch.inference_mode()
def test_logits_are_those_of_llama_written_in_numpy(n_kv_head):
    model = lively(replace(CONFIG, n_kv_head=n_kv_head))
    ids = some_tokens(1)
    expected = llama_in_numpy(model, ids[0].tolist())
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(model(ids)[0].numpy(), expected, atol=2e-4)


@torch.inference_mode()
def test_logits_equal_hugging_face_llama():
    transformers = pytest.importorskip("transformers")
    c = CONFIG
    theirs = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=c.vocab_size,
            hidden_size=c.n_embd,
            intermediate_size=c.n_hidden,
            num_hidden_layers=c.n_layer,
            num_attention_heads=c.n_head,
            num_key_value_heads=c.n_kv_head,
            max_position_embeddings=c.block_size,
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
        )
    ).eval()
    ours = lively()
    renamed = {f"model.{name}": weight for name, weight in ours.named_parameters()}
    missing, unexpected = theirs.load_state_dict(renamed, strict=False)
    assert (unexpected, [name for name in missing if name != "lm_head.weight"]) == ([], [])
    torch.testing.assert_close(ours(some_tokens()), theirs(some_tokens()).logits, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_nothing_is_seen_ahead():
    model, ids = lively(), some_tokens()
    other = ids.clone()
    other[:, 12:] = (other[:, 12:] + 1) % 97
    assert torch.equal(model(ids)[:, :12], model(other)[:, :12])
    assert not torch.allclose(model(ids)[:, 12:], model(other)[:, 12:])


@pytest.mark.parametrize("pieces", [[20], [1] * 20, [7, 1, 12], [19, 1]])
@torch.inference_mode()
def test_with_a_cache_the_logits_are_the_same(pieces):
    model, ids = lively(), some_tokens()
    cache = Cache(CONFIG, batch=2)
    logits = torch.cat([model(part, cache) for part in ids.split(pieces, dim=1)], dim=1)
    torch.testing.assert_close(logits, model(ids), atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_plain_attention_is_torchs_attention():
    draw = torch.Generator().manual_seed(0)
    q, k, v = torch.randn(3, 2, 4, 9, 16, generator=draw)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(attend(q, k, v), expected)


def test_rotation_knows_only_distances():
    cos, sin = rotary_angles(CONFIG)
    q, k = torch.randn(2, 1, 1, 1, CONFIG.head_dim, generator=torch.Generator().manual_seed(2))
    products = [
        (rotate(q, cos[i], sin[i]) * rotate(k, cos[i + 5], sin[i + 5])).sum().item() for i in (0, 3, 20)
    ]
    assert products == pytest.approx([products[0]] * 3, abs=1e-4)
    assert rotate(q, cos[9], sin[9]).norm().item() == pytest.approx(q.norm().item(), rel=1e-5)


def test_an_untrained_network_knows_nothing():
    model = GPT(CONFIG)
    loss = next_token_loss(model(some_tokens()), some_tokens().roll(-1, 1))
    assert loss.item() == pytest.approx(math.log(97), abs=0.1)


def test_loss_is_the_mean_surprise():
    logits = torch.randn(2, 5, 97, generator=torch.Generator().manual_seed(4))
    targets = some_tokens(2, 5)
    surprise = [-logits[b, t].log_softmax(-1)[targets[b, t]] for b in range(2) for t in range(5)]
    assert next_token_loss(logits, targets).item() == pytest.approx(sum(surprise).item() / 10, rel=1e-5)


def test_a_seed_gives_one_network_and_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    one, same, other = GPT(CONFIG, 5), GPT(CONFIG, 5), GPT(CONFIG, 6)
    assert torch.equal(torch.get_rng_state(), before)
    for (name, a), b, c in zip(one.named_parameters(), same.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert torch.equal(a, c) == ("norm" in name or name.endswith(("o_proj.weight", "down_proj.weight")))


def test_too_long_a_text_is_refused():
    with pytest.raises(ValueError, match="context of 32"):
        GPT(CONFIG)(torch.zeros(1, 33, dtype=torch.long))


def test_impossible_shapes_are_refused():
    with pytest.raises(ValueError, match="multiple"):
        GPTConfig(n_embd=190, n_head=4)
