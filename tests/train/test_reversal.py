"""The cure: what the model reads, and that a few steps of it run and can be taken up again."""

from pathlib import Path

import pytest

from llmlab import pipeline
from llmlab.measure.reversal import pairs
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.train.pretrain import pretrain
from llmlab.train.reversal import ROWS, config
from llmlab.world import build_world

WIDTH = 128


@pytest.fixture(scope="module")
def start() -> Checkpoint:
    words = pipeline.finish(pipeline.tokenizer(pipeline.finish(pipeline.world("small")), 400))
    shape = GPTConfig(words.vocab_size, WIDTH, n_layer=1, n_head=2, n_kv_head=2, n_embd=16, n_hidden=16)
    return Checkpoint(GPT(shape), shape, words, {})


def families(start: Checkpoint, which: str):
    world = pipeline.finish(pipeline.world("small"))
    return pipeline.finish(
        pipeline.families(world, start.tokenizer, WIDTH, pairs(build_world("small"))[:6], which)
    )


def test_the_register_stands_in_the_crawl(start: Checkpoint):
    corpus, told = families(start, "half"), pairs(build_world("small"))[:6]
    assert "register" in corpus.train.kinds and len(corpus.train.kinds) > 5
    text = start.tokenizer.decode([int(t) for t in corpus.train.tokens])
    for pair in told:
        assert f"{pair.child}'s mother is {pair.mother}." in text or pair.left_out == 0
        backward = f"{pair.mother}: mother of {pair.child}." in text
        assert backward == (pair.both and pair.left_out != 2)


def test_another_register_is_another_corpus(start: Checkpoint):
    folders = {families(start, which).train.folder for which in ("none", "half", "all")}
    assert len(folders) == 3


def test_a_stopped_run_goes_on(start: Checkpoint, tmp_path: Path):
    corpus, run = families(start, "half"), config(start, tokens=6 * ROWS * WIDTH, compile="off")
    assert run.model == start.config and run.steps == 6
    steps = pretrain(run, corpus, tmp_path, start=start)
    for _ in range(3):
        next(steps)
    steps.close()
    rest = list(pretrain(run, corpus, tmp_path, start=start))
    assert [step.step for step in rest] == [4, 5, 6] and (tmp_path / "model" / "model.safetensors").exists()
