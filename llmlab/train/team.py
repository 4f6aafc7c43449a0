"""Several processes that train one model (started by `torchrun`), each on its share of every batch.

Each works out the gradient of its own rows; then all gradients are averaged, so that all take the same step and
stay equal without ever sending weights. Alone, a team of one does nothing.
"""

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Team:
    """This process is number `rank` of `size`."""

    rank: int = 0
    size: int = 1
    device: torch.device | str = "cpu"

    @classmethod
    def join(cls, device: torch.device) -> "Team":
        """Meet the others, if torchrun started us."""
        size = int(os.environ.get("WORLD_SIZE", 1))
        if size == 1:
            return cls()
        if not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return cls(dist.get_rank(), size, device)

    def average(self, tensors: list[Tensor]) -> None:
        """Replace each tensor by its mean over the team; as one message, since many small ones are slow."""
        if self.size == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.size
        for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def any(self, flag: bool) -> bool:
        """Whether it is so for anyone: all must stop after the same step, or the rest would wait for ever."""
        if self.size == 1:
            return flag
        flags = torch.tensor([float(flag)], device=self.device)
        dist.all_reduce(flags)
        return flags.item() > 0

    def leave(self) -> None:
        """Wait until all are here, then part."""
        if self.size > 1:
            dist.barrier()
            dist.destroy_process_group()
