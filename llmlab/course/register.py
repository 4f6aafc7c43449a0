"""`llmlab reversal`: a model reads the family register, with a bar, and is asked in both directions.

The folder out/model is what the course ships as assets/models/cured.
"""

from pathlib import Path

from llmlab.course.terminal import train, watch
from llmlab.measure.reversal import Answers, both_directions, pairs
from llmlab.model import zoo
from llmlab.pipeline import families, world
from llmlab.train.pretrain import pretrain
from llmlab.train.reversal import TOKENS, config
from llmlab.world import build_world


def read(out: Path, tokens: int | None = None) -> list[Answers]:
    """Train, or go on with the run in `out`; then ask for all pairs. Exits with 130 where it was stopped."""
    first, told = zoo.load("course"), pairs(build_world())
    corpus = watch(families(watch(world()), first.tokenizer, first.config.block_size, told, "half"))
    run = config(first, tokens or TOKENS)
    source = {"corpus": {"world": "course", "beside": "family register", "told_both_ways": "half"}}
    train(pretrain(run, corpus, out, provenance=source, start=first), run.steps)
    return both_directions(zoo.load(out / "model"), told)
