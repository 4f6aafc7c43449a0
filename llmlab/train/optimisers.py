"""Two optimisers: Muon for the matrices inside the network, AdamW for the rest.

AdamW gives each single weight its own step size. Muon looks at a matrix as a whole: it takes the direction in
which the matrix should move and makes it *orthogonal*, so that all directions of the space move equally far and
not only the few that dominate the gradient. In our pilots a network learned with Muon in 500 steps what took
AdamW more than 2,000.

The embedding is a table, not a map between spaces, and norms are vectors: they stay with AdamW.

Sources: AdamW, Loshchilov & Hutter 2019 (arXiv:1711.05101); Muon, Jordan et al. 2024
(kellerjordan.github.io/posts/muon), its coefficients are from there.
"""

from collections import defaultdict

import torch
from torch import Tensor, nn


class AdamW:
    """Adam for the named weights; its state are two running means, of the gradient and of its square."""

    def __init__(self, weights: dict[str, nn.Parameter], lr: float, betas=(0.9, 0.95), eps: float = 1e-8):
        self.weights, self.lr, self.betas, self.eps = weights, lr, betas, eps
        self.mean = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        self.square = {name: torch.zeros_like(weight) for name, weight in weights.items()}

    @torch.no_grad()
    def step(self, t: int, scale: float) -> None:
        """Move by `lr` × `scale`; t = 1, 2, … is the number of this step."""
        beta1, beta2 = self.betas
        for name, weight in self.weights.items():
            mean, square = self.mean[name], self.square[name]
            mean.lerp_(weight.grad, 1 - beta1)
            square.mul_(beta2).addcmul_(weight.grad, weight.grad, value=1 - beta2)
            size = (square / (1 - beta2**t)).sqrt_().add_(self.eps)  # both means start at 0 and are corrected
            weight.addcdiv_(mean, size, value=-self.lr * scale / (1 - beta1**t))

    def state(self) -> dict[str, Tensor]:
        """All tensors that a checkpoint must keep; they are the live ones, to be written or copied into."""
        means = {f"adamw.mean.{name}": tensor for name, tensor in self.mean.items()}
        return means | {f"adamw.square.{name}": tensor for name, tensor in self.square.items()}


class Muon:
    """Momentum, made orthogonal, for the named matrices. Matrices of one shape are worked on together."""

    def __init__(
        self,
        weights: dict[str, nn.Parameter],
        lr: float,
        decay: float = 0.0,
        momentum: float = 0.95,
        dtype=torch.bfloat16,
    ):
        self.lr, self.decay, self.momentum, self.dtype = lr, decay, momentum, dtype
        self.mean = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        self.groups: defaultdict[torch.Size, list[tuple[nn.Parameter, Tensor]]] = defaultdict(list)
        for name, weight in weights.items():
            self.groups[weight.shape].append((weight, self.mean[name]))

    @torch.no_grad()
    def step(self, t: int, scale: float) -> None:
        """Shrink by `lr` × `scale` × `decay`, move by `lr` × `scale`.

        Without the shrinking the matrices of queries and keys grow at each step, attention ends up looking at one
        place only, and no longer learns where to look.
        """
        for (rows, columns), group in self.groups.items():
            for weight, mean in group:
                mean.lerp_(weight.grad, 1 - self.momentum)
                weight.grad.lerp_(mean, self.momentum)  # Nesterov: a look one step ahead
            moves = orthogonal(torch.stack([weight.grad for weight, _ in group]).to(self.dtype))
            size = self.lr * scale * max(1.0, rows / columns) ** 0.5
            for (weight, _), move in zip(group, moves, strict=True):
                weight.mul_(1 - self.lr * scale * self.decay).add_(move, alpha=-size)

    def state(self) -> dict[str, Tensor]:
        """All tensors that a checkpoint must keep; they are the live ones, to be written or copied into."""
        return {f"muon.mean.{name}": tensor for name, tensor in self.mean.items()}


def orthogonal(matrices: Tensor) -> Tensor:
    """Bring all singular values of matrices (N, R, C) to about 1 (0.7 to 1.2), keeping their directions.

    Five rounds of an odd polynomial in the matrix, which acts on each singular value by itself; no SVD needed.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x
