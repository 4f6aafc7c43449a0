"""Where two models differ along one text."""

import numpy as np
import pytest
import torch

from llmlab.errors import LabError
from llmlab.measure.shift import shifts
from llmlab.model.blend import blend
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, GPTConfig


def test_a_model_is_not_shifted_against_itself(tiny):
    prompt, answer = [tiny.tokenizer.bos, 5, 9], [7, 3, 20]
    found = shifts(tiny, tiny, prompt, answer)
    assert [one.token for one in found] == answer
    for one in found:
        assert one.kl == pytest.approx(0, abs=1e-9) and one.base == one.assistant


def test_ranks_and_divergence_are_those_of_the_two_distributions(tiny, another):
    """Against torch, place by place."""
    prompt, answer = [tiny.tokenizer.bos, 5, 9], [7, 3, 20]
    ids = torch.tensor([[*prompt, *answer]])
    p, q = (model.model(ids)[0, 2:-1].double().softmax(-1).numpy() for model in (another, tiny))
    for i, one in enumerate(shifts(tiny, another, prompt, answer)):
        assert one.rank == 1 + int((q[i] > q[i][one.token]).sum())
        assert one.kl == pytest.approx(float((p[i] * np.log(p[i] / q[i])).sum()), rel=1e-3)
        assert one.kind == ("unshifted" if one.rank == 1 else "marginal" if one.rank <= 3 else "shifted")
        assert one.instead == int(q[i].argmax())


def test_a_blend_lies_between_its_ends(tiny, another):
    x = torch.tensor([[1, 2, 3]])
    for share, end in ((0.0, tiny), (1.0, another)):
        assert torch.allclose(blend(tiny, another, share).model(x), end.model(x), atol=1e-5)
    half = blend(tiny, another, 0.5).model.embed_tokens.weight
    assert torch.allclose(
        half, (tiny.model.embed_tokens.weight + another.model.embed_tokens.weight) / 2, atol=1e-6
    )


def test_models_of_two_shapes_cannot_be_blended(tiny):
    config = GPTConfig(tiny.config.vocab_size, 32, n_layer=1, n_head=1, n_kv_head=1, n_embd=16, n_hidden=16)
    with pytest.raises(LabError, match="same base"):
        blend(tiny, Checkpoint(GPT(config), config, tiny.tokenizer, {}), 0.5)
