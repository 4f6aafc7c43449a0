"""A small random network that is not the identity, with a vocabulary of its own."""

import pytest
import torch

from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.text.tokenizer import Tokenizer


def random_checkpoint(seed: int = 3) -> Checkpoint:
    words = Tokenizer.train(["the ferry waits for the fog and the fog waits for the ferry. " * 20], 300)
    config = GPTConfig(words.vocab_size, 32, n_layer=2, n_head=4, n_kv_head=2, n_embd=32, n_hidden=48)
    model = GPT(config, seed=seed)
    chance = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):  # zero at the start: wake them up
                weight.normal_(0, 0.2, generator=chance)
    return Checkpoint(model.requires_grad_(False), config, words, {})


@pytest.fixture(scope="session")
def tiny() -> Checkpoint:
    return random_checkpoint()


@pytest.fixture(scope="session")
def another() -> Checkpoint:
    return random_checkpoint(seed=9)
