"""When and how to compile the training step.

torch.compile turns the network into C++ (on a CPU) or Triton (on a GPU) made for these very shapes: a third to a
half faster, after half a minute of waiting. A short run in front of a class is better off without.
"""

import os
from collections.abc import Callable

import torch

from llmlab.paths import cache_dir
from llmlab.train import machine
from llmlab.train.config import PretrainConfig

WORTH_IT_S = 300  # compile when what lies ahead would take longer than this uncompiled
EAGER_RATE = {
    "cpu": 4e10,
    "cuda": 2e13,
}  # parameters × tokens a second, about; measured on two cores, one GPU


def worth_compiling(config: PretrainConfig, step: int, device: torch.device) -> bool:
    """Whether this run should be compiled: as the configuration says, or by the work that is left."""
    if config.compile != "auto":
        return config.compile == "on"
    m = config.model
    parameters = m.vocab_size * m.n_embd + m.n_layer * m.n_embd * (4 * m.n_embd + 3 * m.n_hidden)
    seconds = parameters * config.tokens_per_step * (config.steps - step) / EAGER_RATE.get(device.type, 1e12)
    return seconds > WORTH_IT_S and machine.compiler(device) is not None


def compiled(function: Callable) -> Callable:
    """Compile for fixed shapes; what was compiled is kept in the user's cache, so that the next run starts at once.

    Only the training step goes through here, with its two shapes: torch would give up silently after eight, so
    it is told to complain instead.
    """
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_dir() / "inductor"))
    torch.compiler.reset()
    torch._dynamo.config.fail_on_recompile_limit_hit = True
    return torch.compile(function, dynamic=False)
