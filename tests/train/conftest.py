"""A network that learns in seconds, and something to read for it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from llmlab.model.gpt import GPTConfig
from llmlab.text.packing import Corpus, prepare
from llmlab.text.tokenizer import Tokenizer
from llmlab.train.config import PretrainConfig

NOUNS = "goat ferry lamp harbour letter cousin kettle storm".split()


def some_pages(count: int = 150) -> list[SimpleNamespace]:
    draw = np.random.default_rng(0)

    def sentence() -> str:
        a, b = draw.choice(NOUNS, 2)
        return f"The {a} met the {b} in {draw.integers(1900, 2000)}."

    return [
        SimpleNamespace(
            id=i,
            kind=["letter", "poem"][i % 2],
            text=" ".join(sentence() for _ in range(draw.integers(1, 6))),
            split="valid" if i % 7 == 0 else "train",
        )
        for i in range(count)
    ]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory) -> Corpus:
    pages = some_pages()
    tokenizer = Tokenizer.train([page.text for page in pages], 300)
    return prepare(pages, tokenizer, tmp_path_factory.mktemp("corpus") / "c", longest=32)


@pytest.fixture(scope="session")
def config(corpus) -> PretrainConfig:
    """24 steps of 128 tokens, a checkpoint every 5."""
    return PretrainConfig(
        tier="test",
        model=GPTConfig(
            corpus.tokenizer.vocab_size, 32, n_layer=2, n_head=2, n_kv_head=1, n_embd=32, n_hidden=48
        ),
        tokens=24 * 128,
        rows=4,
        micro_rows=4,
        short_context=16,
        checkpoint_every=5,
        compile="off",
    )


@pytest.fixture(scope="session")
def uninterrupted(corpus, config, tmp_path_factory) -> Path:
    """The folder of a run that nothing disturbed."""
    from llmlab.train.pretrain import pretrain

    out = tmp_path_factory.mktemp("run") / "whole"
    for _ in pretrain(config, corpus, out):
        pass
    return out
