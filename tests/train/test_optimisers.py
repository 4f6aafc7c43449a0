"""The optimisers, against torch's own and against the singular value decomposition."""

import pytest
import torch
from torch import nn

from llmlab.train.optimisers import AdamW, Muon, orthogonal


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_adamw_moves_as_torchs_adamw():
    ours, theirs = (nn.Parameter(random(7, 5)) for _ in range(2))
    own = AdamW({"w": ours}, lr=0.1)
    reference = torch.optim.AdamW([theirs], lr=0.1, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0)
    for t in range(1, 6):
        ours.grad, theirs.grad = random(7, 5, seed=t), random(7, 5, seed=t)
        own.step(t, scale=0.5)
        reference.param_groups[0]["lr"] = 0.05
        reference.step()
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("shape", [(24, 24), (24, 64), (64, 24)])
def test_orthogonal_keeps_directions_and_levels_their_strength(shape):
    matrices = random(3, *shape)
    result = orthogonal(matrices)
    for before, after in zip(matrices, result, strict=True):
        u, _, v = torch.linalg.svd(before, full_matrices=False)
        strengths = u.T @ after @ v.T  # diagonal where the singular vectors are the same
        assert (strengths - strengths.diag().diag()).abs().max() < 1e-3
        assert strengths.diag()[:-1].min() > 0.4
        assert strengths.diag().max() < 1.3


def test_muon_moves_every_direction_about_equally():
    weight = nn.Parameter(torch.zeros(32, 16))
    strong = random(32, 1) @ random(1, 16, seed=1) * 100
    weight.grad = strong + random(32, 16, seed=2)
    Muon({"w": weight}, lr=0.02, dtype=torch.float32).step(1, scale=0.5)
    moved = torch.linalg.svdvals(weight.detach()) / (0.01 * 2**0.5)
    assert moved.max() < 1.3
    assert moved[:-2].min() > 0.2


def test_a_matrix_moves_the_same_alone_and_in_company():
    grads = [random(8, 12, seed=s) for s in range(3)]
    together = {str(i): nn.Parameter(torch.zeros(8, 12)) for i in range(3)}
    for weight, grad in zip(together.values(), grads, strict=True):
        weight.grad = grad.clone()
    Muon(together, lr=0.1, dtype=torch.float32).step(1, 1.0)
    alone = nn.Parameter(torch.zeros(8, 12))
    alone.grad = grads[1].clone()
    Muon({"w": alone}, lr=0.1, dtype=torch.float32).step(1, 1.0)
    torch.testing.assert_close(alone, together["1"])


def test_what_a_matrix_was_fades_with_rate_times_decay():
    """How long a model remembers: a start that differs is forgotten by (1 - lr * decay) a step, whatever is learned."""
    before, after = nn.Parameter(random(8, 12)), nn.Parameter(random(8, 12, seed=9))
    gap = (before - after).detach()
    for weight in (before, after):
        muon = Muon({"w": weight}, lr=0.1, decay=0.5, dtype=torch.float32)
        for t in range(1, 11):
            weight.grad = random(8, 12, seed=t)
            muon.step(t, 1.0)
    torch.testing.assert_close((before - after).detach(), gap * 0.95**10)
