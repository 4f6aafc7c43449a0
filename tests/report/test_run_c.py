"""The rows about the engine in C: what they count is what they say, and without a compiler they are left out."""

import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from llmlab.errors import LabError
from llmlab.model import native
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.report import run_c
from llmlab.report.bench import Bench
from llmlab.report.figures import of_the_engine_in_c
from llmlab.text.tokenizer import Tokenizer

WORDS = Tokenizer.train(["the ferry waits for the fog. " * 20], 290)


def lively(seed: int, block_size: int = 64) -> Checkpoint:
    """A small network in which every weight matters."""
    config = GPTConfig(WORDS.vocab_size, block_size, n_layer=1, n_head=2, n_kv_head=1, n_embd=16, n_hidden=16)
    model, draw = GPT(config, seed), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=draw) * 0.3)
    return Checkpoint(model.requires_grad_(False).eval(), config, WORDS, {})


def library(checkpoint: Checkpoint) -> SimpleNamespace:
    """What the figure asks of Evidence: the model, and 20 pages of which 10 are held out."""
    pages = [
        SimpleNamespace(kind="news", split=split, text=f"{letter} ferry\nwaits for the fog.")
        for letter in "abcdefghij"
        for split in ("train", "valid")
    ]
    return SimpleNamespace(checkpoint=checkpoint, documents=pages, quick=True, seed=3)


@pytest.fixture(scope="module")
def compiler() -> None:
    try:
        native.build()
    except LabError as error:
        sentence = f"NO COMPILER: {error}"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)


@pytest.fixture
def spoken(compiler) -> Iterator[tuple[Checkpoint, list[str]]]:
    made = lively(1)
    with run_c.engine(made) as command:
        yield made, command


def no_compiler() -> list[str]:
    raise LabError("There is no C compiler on this machine.")


def test_the_same_network_says_the_same_and_another_does_not(spoken):
    made, command = spoken
    for prompt in ("", "the ferry", "fog", "Zürich 東京", "-", "<|end|>"):
        assert run_c.same_tokens(command, made, prompt) and not run_c.same_tokens(command, lively(2), prompt)
        same, other = (run_c.from_torch(model, *run_c.greedy(command, prompt)) for model in (made, lively(2)))
        assert same.same_choice == same.places and same.largest < 1e-3
        assert other.same_choice < other.places and other.largest > 0.1


def test_one_wrong_token_anywhere_is_seen(spoken):
    """The other way round: the torch model is right, and what C is said to have printed is not."""
    made, command = spoken
    ids, _ = run_c.greedy(command, "fog")
    read = 1 + len(WORDS.encode("fog"))
    assert len(ids) == read + run_c.NEW and run_c.continues_as_torch(made, "fog", ids)
    for wrong in [
        *([*ids[:at], int(ids[at] == 0), *ids[at + 1 :]] for at in range(len(ids))),
        ids[:-1],
        ids[:read],
        [],
    ]:
        assert not run_c.continues_as_torch(made, "fog", wrong)


def test_the_difference_is_counted_in_all_logits(spoken):
    made, command = spoken
    ids, scores = run_c.greedy(command, "fog")
    off = scores.copy()
    off[3, scores[3].argmin()] += 0.5  # stays below the likeliest
    off[5, scores[5].argmin()] = scores[5].max() + 1.5
    found, lift = run_c.from_torch(made, ids, off), scores[5].max() + 1.5 - scores[5].min()
    assert (found.places, found.same_choice) == (len(ids), len(ids) - 1)
    assert found.largest == pytest.approx(lift, abs=1e-3)
    assert found.mean_square == pytest.approx((0.25 + lift**2) / scores.size, rel=0.01)


@pytest.mark.parametrize("end", ["<|bos|>", "<|end|>"])
def test_a_text_that_torch_would_end_may_be_short(compiler, end):
    made = lively(1)
    with torch.no_grad():
        for name, weight in made.model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weight.zero_()  # nothing is added to the embedding
        made.model.norm.weight.zero_()[-1] = 1.0  # only the last channel scores, and there `end` is largest
        made.model.embed_tokens.weight[:, -1] = 0.01
        made.model.embed_tokens.weight[WORDS.special[end], -1] = 9.0
    with run_c.engine(made) as command:
        assert len(run_c.run(command, "--ids", "-t", 0, "-n", 5, prompt="a").stdout.split()) == 2
        assert run_c.same_tokens(command, made, "a")


def test_the_figures_count_held_out_pages(compiler):
    rows = {row.id.removeprefix("run_c."): row for row in of_the_engine_in_c(library(lively(1)))}
    same, largest, rough = rows["same_tokens"], rows["logits.largest"], rows["int8.logits.rms"]
    assert (same.value, same.n, same.seed) == (1.0, 10, 3) and same.low < 1 and same.high == pytest.approx(1)
    assert largest.value < 1e-4 < rough.value < 0.5 and largest.n > 10 * run_c.NEW
    assert (largest.goal, rough.goal) == ("at most 0.001", "reported")
    assert rows["same_choice"].value == 1 and 0 < rows["int8.same_choice"].value <= 1
    assert rows["int8.same_tokens"].n == 10 and len(rows) == 8


def test_a_prompt_is_the_first_words_of_a_page():
    assert run_c.first_words("\n a ferry\n\twaits for the fog") == "a ferry waits"
    assert run_c.first_words("fog") == "fog" and run_c.first_words("") == ""


def test_the_share_is_bytes_times_speed_over_bandwidth(compiler, monkeypatch):
    """1,000 tokens a second of a network of n weights read 4,000 n bytes a second, of 8,000 n that could be."""
    bench, made = Bench(quick=True), lively(1)
    bench.checkpoint, n = made, sum(weight.numel() for weight in made.model.parameters())
    monkeypatch.setattr(run_c, "tokens_per_s", lambda command: 1_000.0)
    monkeypatch.setattr(run_c, "read_bandwidth", lambda: 8_000.0 * n)
    speed, *others, share = bench.speaking_in_c()
    assert (speed.name, speed.value, speed.budget) == ("run_c.course.fp32.tokens_per_s", 1_000, 1_500)
    assert (share.name, share.value, share.budget) == ("run_c.share_of_bandwidth", 0.5, None)
    assert speed.device == share.device == "1 CPU core"
    names = ["int8", "fp32.2_threads", "int8.2_threads"]
    assert [row.name for row in others] == [f"run_c.course.{name}.tokens_per_s" for name in names]


def test_each_row_of_speeds_is_asked_for_what_it_says(compiler, monkeypatch):
    bench, asked = Bench(quick=True), []
    bench.checkpoint = lively(1)
    monkeypatch.setattr(run_c, "tokens_per_s", lambda command: asked.append(command[2:]) or 1.0)
    for row, options in zip(list(bench.speaking_in_c())[:-1], asked, strict=True):
        assert ("int8" in row.name) == ("--int8" in options)
        assert (
            ("2_threads" in row.name) == (options[-2:] == ["--threads", "2"]) == (row.device == "2 CPU cores")
        )


def test_only_whole_runs_count_and_the_best_of_three_wins(monkeypatch):
    runs = {0: (399, 9e9), 1: (400, 5.0), 2: (12, 9e9), 3: (400, 7.0), 4: (400, 6.0), 5: (400, 9e9)}
    monkeypatch.setattr(run_c, "speed", lambda command, seed: runs[seed])
    assert run_c.tokens_per_s(["run"]) == 7.0
    monkeypatch.setattr(run_c, "speed", lambda command, seed: (12, 1.0))
    with pytest.raises(RuntimeError, match="end before 400"):
        run_c.tokens_per_s(["run"])


def test_the_real_program_says_its_speed(compiler):
    with run_c.engine(lively(1, block_size=512)) as command:
        made, rate = next(said for seed in range(200) if (said := run_c.speed(command, seed))[0] == 400)
    assert made == 400 and rate > 100


def test_a_program_that_stops_is_no_silent_row(spoken):
    with pytest.raises(RuntimeError, match="run: There is no"):
        run_c.speed([*spoken[1][:1], "none.bin"], 0)


def test_the_bandwidth_is_that_of_some_machine():
    assert 1e8 < run_c.read_bandwidth(2**24) < 1e13


@pytest.mark.parametrize("rows", ["figures", "bench"])
def test_without_a_compiler_the_rows_are_left_out_and_one_line_says_so(monkeypatch, capsys, rows):
    monkeypatch.setattr(native, "compiler", no_compiler)
    bench = Bench(quick=True)
    bench.checkpoint = lively(1)
    made = of_the_engine_in_c(library(bench.checkpoint)) if rows == "figures" else bench.speaking_in_c()
    assert list(made) == []
    out, said = capsys.readouterr()
    assert out == "" and said.count("\n") == 1 and "run_c." in said and "no C compiler" in said
