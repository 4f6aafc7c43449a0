"""A small network for the checks of the engine in the page."""

import torch

from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.text.tokenizer import Tokenizer

TEXT = "It's the goat's ferry, we'll see: 1984 grüße, 東京 <|end|>\n\n\tdef f(x):\r\n    return  x\n"
WORDS = Tokenizer.train([TEXT * 9, "a ferry on the sea "], 380)


def lively(
    seed: int = 1, block_size: int = 64, n_layer: int = 2, n_embd: int = 48, n_hidden: int = 40
) -> Checkpoint:
    """A small network in which every weight matters, with weights that 16 bits can say."""
    config = GPTConfig(WORDS.vocab_size, block_size, n_layer, 4, 2, n_embd, n_hidden)
    model, draw = GPT(config, seed), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=draw) * 0.2)
            weight.copy_(weight.half())
    return Checkpoint(model.requires_grad_(False).eval(), config, WORDS, {})


def dice(seed: int, n: int) -> list[float]:
    """The first numbers of the dice of static/policy.js: mulberry32, here with Python's integers."""
    numbers, most = [], 2**32
    for throw in range(1, n + 1):
        state = (seed + throw * 0x6D2B79F5) % most
        t = (state ^ state >> 15) * (state | 1) % most
        t ^= (t + (t ^ t >> 7) * (t | 61)) % most
        numbers.append((t ^ t >> 14) / most)
    return numbers
