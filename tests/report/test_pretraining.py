"""What lesson 04 has recorded: it belongs to the models that are shipped, and is counted as it says."""

import gzip
import lzma
import math
from types import SimpleNamespace

import numpy as np
import pytest

from llmlab.model import zoo
from llmlab.report.pretraining import archive, mean_fact_bits, recorded, writers_nats
from llmlab.text.packing import prepare


def test_the_recording_is_of_the_shipped_models():
    """Stale? Run `python -m llmlab.report.pretraining`."""
    said, pocket = recorded(), zoo.load("pocket")
    assert said.train == pocket.provenance["data"]["train"]
    assert said.levels.uniform == pytest.approx(math.log(pocket.config.vocab_size))
    assert said.crawl.model_bytes == pytest.approx(zoo.n_bytes("course"), rel=1e-3)


def test_each_mark_lies_below_the_one_before():
    said = recorded()
    assert said.levels.uniform > said.levels.unigram > said.levels.bigram > said.writer > 0
    last = zoo.load("pocket").provenance["valid"]["all"] * math.log(2)
    nats = last * pocket_bytes_per_token()
    assert said.writer < nats < said.levels.bigram  # the shipped pocket model has passed all three counts


def pocket_bytes_per_token() -> float:
    said = zoo.load("pocket").provenance
    return said["train_bytes"] / said["train_tokens"]


def test_archives_of_the_crawl_are_in_order():
    crawl = recorded().crawl
    assert crawl.n_bytes > crawl.gzip > crawl.xz > 0
    assert crawl.n_bytes == pytest.approx(zoo.load("course").provenance["train_bytes"], rel=0.01)
    assert 0 < crawl.model_bits_per_byte < 8 * crawl.xz / crawl.n_bytes * 3


@pytest.fixture
def pages() -> list[SimpleNamespace]:
    texts = ["the ferry waits for the fog. " * 6, "the fog waits. " * 4, "import fog\n" * 5]
    kinds, splits = ("news", "diary", "python"), ("train", "valid", "valid")
    return [
        SimpleNamespace(id=i, kind=kind, split=split, text=text, bits=10.0 * (i + 1))
        for i, (kind, split, text) in enumerate(zip(kinds, splits, texts, strict=True))
    ]


def test_the_writers_choices_are_shared_out_over_the_tokens_of_the_isles(pages, tmp_path):
    words = zoo.load("pocket").tokenizer
    corpus = prepare(pages, words, tmp_path / "c", 256)
    n = len(words.encode(pages[1].text)) + 1  # and that the page ends
    assert writers_nats(pages[:2], corpus.valid) == pytest.approx(20 * math.log(2) / n)


def test_the_archive_is_of_all_training_text(pages, tmp_path):
    model = zoo.load("pocket")
    corpus = prepare(pages, model.tokenizer, tmp_path / "c", 256)
    found = archive(SimpleNamespace(documents=lambda: iter(pages)), corpus.train, model, 123)
    data = pages[0].text.encode()
    assert (found.n_bytes, found.model_bytes) == (len(data), 123)
    assert (found.gzip, found.xz) == (len(gzip.compress(data, 9)), len(lzma.compress(data, preset=9)))
    assert found.model_bits_per_byte > 0


def test_mean_fact_bits_counts_each_fact_once(monkeypatch):
    costs = {"a": [1.0, 3.0], "b": [8.0]}
    monkeypatch.setattr("llmlab.report.pretraining.fact_bits", lambda _, text, __: (costs[text], 99.0))
    mean, n = mean_fact_bits(None, [("a", ()), ("b", ())])
    assert (mean, n) == (np.mean([1, 3, 8]), 3)
