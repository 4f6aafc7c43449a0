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
