"""The cure of the reversal curse: a trained model goes on reading, and the family register is in its crawl.

Nothing is changed but the text: the sentences that were missing are there now, for every second pair.

Read next: ../measure/reversal.py, what the register says, and what is asked afterwards.
"""

from llmlab.model.checkpoint import Checkpoint
from llmlab.train.config import PretrainConfig, tier

TOKENS = 2_400_000  # some 200 readings of each pair in each of its directions
ROWS = 4  # half of pretraining's: short sentences are learned in more and smaller steps
LEARNING_RATE = 0.7  # as a share of pretraining's: the model is to learn something, and to forget little


def config(start: Checkpoint, tokens: int = TOKENS, **changes) -> PretrainConfig:
    """The run of a model that has read the crawl already, in the shape of `start`."""
    short = start.config.block_size // 4  # a page of the register fits
    shape = {
        "model": start.config,
        "rows": ROWS,
        "micro_rows": ROWS,
        "short_share": 1.0,
        "short_context": short,
    }
    return tier("course", LEARNING_RATE, **{"tokens": tokens, "checkpoint_every": 50, **shape, **changes})
