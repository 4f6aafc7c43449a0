"""Figures: shares carry intervals, and what they count is what they say."""

import lzma
from types import SimpleNamespace

import pytest

from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.report import prose
from llmlab.report.figure import share
from llmlab.report.figures import Evidence, held_out_file, of_the_archive, of_the_world
from llmlab.text.tokenizer import Tokenizer


def test_a_share_has_its_wilson_interval():
    """Against the worked example of the literature: 81 of 263 (Newcombe 1998, method 3: 0.2553 to 0.3662)."""
    row = share("x", 81, 263, "reported")
    assert row.value == pytest.approx(81 / 263)
    assert (row.low, row.high) == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))


def test_repetition_is_seen_by_all_three_measures():
    fresh = " ".join(f"word{i * 7919 % 10007} and thing{i * 104729 % 10007}" for i in range(3_000))
    dull = "the ferry waits for the fog and the fog waits for the ferry " * 600
    one, two = prose.measure(fresh), prose.measure(dull)
    assert one.gzip < two.gzip and one.xz < two.xz and one.distinct_8grams > 0.9 > two.distinct_8grams


def test_the_small_world_states_nothing_false_and_is_alive():
    rows = {row.id: row for row in of_the_world(Evidence(size="small", quick=True))}
    assert rows["world.false_statements"].value == 0 and rows["world.false_statements"].n > 1_000
    assert rows["world.sentence_forms"].value >= 1_200
    assert rows["world.gzip_ratio"].value <= 3.5


@pytest.fixture
def library() -> SimpleNamespace:
    """A tiny untrained model and three pages, of which one is held out and of the world."""
    words = Tokenizer.train(["the ferry waits for the fog. " * 20], 290)
    config = GPTConfig(words.vocab_size, 64, n_layer=1, n_head=1, n_kv_head=1, n_embd=16, n_hidden=16)
    pages = [
        SimpleNamespace(kind=kind, split=split, text=f"{kind} {split}: the ferry waits. " * 20)
        for kind, split in (("news", "valid"), ("news", "train"), ("python", "valid"))
    ]
    return SimpleNamespace(
        checkpoint=Checkpoint(GPT(config).requires_grad_(False), config, words, {}),
        documents=pages,
        quick=True,
        seed=0,
    )


def test_the_archive_row_counts_bytes_of_held_out_world_text(library):
    data = held_out_file(library, 100)
    assert data == (b"news valid: the ferry waits. " * 20)[:100]
    model, xz = of_the_archive(library)
    assert (model.id, xz.id) == ("compression.model_bits_per_byte", "compression.xz_bits_per_byte")
    whole = held_out_file(library, 4_000)
    assert model.n == xz.n == len(whole) == 29 * 20
    assert xz.value == 8 * len(lzma.compress(whole, preset=9)) / len(whole)
    n_tokens = len(library.checkpoint.tokenizer.encode(whole.decode()))
    assert 0 < model.value * len(whole) < 8 * 24 + 24 * n_tokens
