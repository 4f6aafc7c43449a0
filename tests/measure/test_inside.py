"""Inside a model: what is taken apart adds up again, and what is knocked out is really gone."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmlab.measure.copying import best_head, copying, gain, repeated
from llmlab.measure.inside import knock_out, lens, look, parts, surprise, twin
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, GPTConfig

TEXT = "the fog waits for the ferry"


def ids_of(checkpoint: Checkpoint, text: str = TEXT) -> list[int]:
    return [checkpoint.tokenizer.bos, *checkpoint.tokenizer.encode(text)]


def test_logits_are_the_models_own(tiny):
    ids = ids_of(tiny)
    with torch.no_grad():
        own = tiny.model(torch.tensor([ids]))[0]
    torch.testing.assert_close(look(tiny.model, ids).logits, own, atol=1e-5, rtol=1e-4)


def test_stream_is_only_added_to(tiny):
    seen = look(tiny.model, ids_of(tiny))
    for layer in range(tiny.config.n_layer):
        after = seen.stream[layer] + seen.heads[layer].sum(0) + seen.mlps[layer]
        torch.testing.assert_close(after, seen.stream[layer + 1], atol=1e-5, rtol=1e-4)


def test_attention_rows_make_one_and_see_no_future(tiny):
    maps = look(tiny.model, ids_of(tiny)).attention
    assert maps.shape == (2, 4, len(ids_of(tiny)), len(ids_of(tiny)))
    torch.testing.assert_close(maps.sum(-1), torch.ones(maps.shape[:3]))
    assert not maps.triu(1).any()


def test_attention_is_that_of_torchs_own_kernel(tiny):
    """What the heads of layer 1 write, against scaled_dot_product_attention on the same queries, keys and values."""
    ids, block = ids_of(tiny), tiny.model.layers[0]
    seen = look(tiny.model, ids)
    with torch.no_grad():
        q, k, v = block.self_attn.heads(
            block.input_layernorm(seen.stream[:1]), tiny.model.cos[: len(ids)], tiny.model.sin[: len(ids)]
        )
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        written = block.self_attn.o_proj(y.transpose(1, 2).flatten(2))[0]
    torch.testing.assert_close(seen.heads[0].sum(0), written, atol=1e-5, rtol=1e-4)


def test_lens_of_the_last_layer_is_the_answer(tiny):
    seen = look(tiny.model, ids_of(tiny))
    torch.testing.assert_close(lens(tiny.model, seen)[-1], seen.logits)


@settings(max_examples=20)
@given(st.data())
def test_parts_add_up_to_the_score(tiny, data):
    seen = look(tiny.model, ids_of(tiny))
    place = data.draw(st.integers(-len(seen.ids), len(seen.ids) - 1))
    token = data.draw(st.integers(0, tiny.config.vocab_size - 1))
    found = parts(tiny.model, seen, place, token)
    whole = found.embedding + float(found.heads.sum()) + float(found.mlps.sum())
    assert whole == pytest.approx(found.score, abs=1e-3)
    with torch.no_grad():
        own = tiny.model(torch.tensor([seen.ids]))[0, place]
    assert found.score == pytest.approx(float(own[token] - own.mean()), abs=1e-3)


def test_knocking_out_nothing_changes_nothing(tiny):
    ids, before = ids_of(tiny), copy.deepcopy(tiny.model.state_dict())
    assert torch.equal(look(knock_out(tiny.model), ids).logits, look(tiny.model, ids).logits)
    knock_out(tiny.model, [(0, 1)], [1])
    assert all(torch.equal(weight, before[name]) for name, weight in tiny.model.state_dict().items())


def test_what_is_knocked_out_writes_nothing_and_the_rest_does(tiny):
    ids, out = ids_of(tiny), [(0, 1), (1, 3)]
    whole, seen = look(tiny.model, ids), look(knock_out(tiny.model, out, [1]), ids)
    for layer in range(2):
        for head in range(4):
            assert bool(seen.heads[layer, head].any()) == ((layer, head) not in out)
    assert not seen.mlps[1].any() and seen.mlps[0].any()
    torch.testing.assert_close(seen.heads[0, 0], whole.heads[0, 0])  # the same input, the same work
    assert not torch.allclose(seen.logits, whole.logits)


def test_without_all_parts_only_the_embedding_is_left(tiny):
    everything = knock_out(tiny.model, [(i, j) for i in range(2) for j in range(4)], [0, 1])
    seen = look(everything, ids_of(tiny))
    assert torch.equal(seen.stream[-1], seen.stream[0])


def test_twin_has_the_same_numbers_in_another_order(tiny):
    other, again = twin(tiny.model, 1), twin(tiny.model, 1)
    moved = 0
    for (name, own), weight, same in zip(
        tiny.model.named_parameters(), other.parameters(), again.parameters(), strict=True
    ):
        assert torch.equal(own.flatten().sort().values, weight.flatten().sort().values), name
        assert torch.equal(weight, same)
        moved += not torch.equal(own, weight)
    assert moved > 10


def test_surprise_is_the_loss_of_each_token(tiny):
    ids = ids_of(tiny)
    p = look(tiny.model, ids).logits.softmax(-1)
    right = [-float(p[i, token].log()) for i, token in enumerate(ids[1:])]
    assert surprise(tiny.model, [ids, ids])[1].tolist() == pytest.approx(right, rel=1e-3)


# ---- copying heads ----


def test_repeated_texts_repeat_and_hold_nothing_special(tiny):
    bos = tiny.tokenizer.bos
    texts = repeated(tiny.model, bos, 3, seed=5, length=7)
    assert (
        texts
        == repeated(tiny.model, bos, 3, seed=5, length=7)
        != repeated(tiny.model, bos, 3, seed=6, length=7)
    )
    for ids in texts:
        assert ids[0] == bos and ids[1:8] == ids[8:] and max(ids[1:]) < bos


def by_hand(vocab: int = 40, width: int = 8) -> GPT:
    """One layer that cannot copy: every head looks everywhere alike, since all queries are zero."""
    model = GPT(GPTConfig(vocab, 32, n_layer=1, n_head=2, n_kv_head=2, n_embd=width, n_hidden=8), seed=4)
    with torch.no_grad():
        model.layers[0].self_attn.q_proj.weight.zero_()
    return model.requires_grad_(False)


def test_a_head_that_looks_everywhere_has_the_score_of_chance():
    found = copying(by_hand(), bos=39, n=4, length=8)
    torch.testing.assert_close(found.scores, torch.full_like(found.scores, found.chance))
    torch.testing.assert_close(found.before, torch.full_like(found.before, found.chance))


def test_scores_are_read_off_the_maps(tiny):
    """Against the plain definition, place by place."""
    n, bos = 6, tiny.tokenizer.bos
    found = copying(tiny.model, bos, n=2, seed=1, length=n)
    for row, ids in enumerate(repeated(tiny.model, bos, 2, 1, n)):
        maps = look(tiny.model, ids).attention
        for layer, head in ((0, 0), (1, 3)):
            ahead = [float(maps[layer, head, i, ids.index(ids[i], 1) + 1]) for i in range(n + 1, 2 * n + 1)]
            back = [float(maps[layer, head, i, i - 1]) for i in range(n + 1, 2 * n + 1)]
            if len(set(ids[1 : n + 1])) == n:
                assert float(found.scores[row, layer, head]) == pytest.approx(sum(ahead) / n, abs=1e-6)
            assert float(found.before[row, layer, head]) == pytest.approx(sum(back) / n, abs=1e-6)


def test_best_head_is_the_highest_mean():
    scores = torch.zeros(3, 2, 4)
    scores[:, 1, 2] = 0.4
    scores[0, 0, 0] = 0.9
    assert best_head(scores) == (1, 2)


def test_gain_is_zero_for_a_model_that_only_knows_the_present_token():
    """Its surprise does not depend on what stood before, so each half costs the same, but for its first token."""
    model = knock_out(by_hand(), [(0, 0), (0, 1)])
    texts = repeated(model, 39, 4, seed=0, length=8)
    torch.testing.assert_close(gain(model, texts, 8), torch.zeros(4), atol=1e-5, rtol=0)
