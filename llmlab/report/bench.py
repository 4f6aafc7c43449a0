"""`llmlab bench`: how fast it is here, beside the budgets of the design.

Each row is measured anew on the machine that runs it; nothing else should run meanwhile. A benchmark is never a
test: a slow machine is not a broken course.

Read next: run_c.py, what the rows of the C engine stand on; course/timing.py, those that need a real browser.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch

from llmlab.errors import LabError
from llmlab.generate.engine import generate
from llmlab.measure.index import build_index
from llmlab.model import zoo
from llmlab.model.gpt import GPTConfig
from llmlab.pipeline import finish, tokens, training_set, world
from llmlab.report import run_c
from llmlab.text.bpe import train_bpe
from llmlab.text.packing import Corpus
from llmlab.text.tokenizer import SPECIAL
from llmlab.train import machine
from llmlab.train.config import PretrainConfig, tier
from llmlab.train.pretrain import pretrain
from llmlab.world.crawl import crawl

IN_C = (  # a row, what run.c is asked for, the budget, where it runs
    ("fp32", (), 1_500, "1 CPU core"),
    ("int8", ("--int8",), None, "1 CPU core"),
    ("fp32.2_threads", ("--threads", "2"), None, "2 CPU cores"),
    ("int8.2_threads", ("--int8", "--threads", "2"), None, "2 CPU cores"),
)
NO_COMPILER = "torch.compile finds no compiler here: llmlab doctor says which one."


@dataclass(frozen=True, slots=True)
class Row:
    """`budget` is what the design asks for, in the same unit; None where it only wants to know."""

    name: str
    value: float
    unit: str
    budget: float | None
    device: str


GPU_TIERS = ("gpu", "gpu-124m")  # whose training is measured where there is a GPU


class Bench:
    """What the rows share: the corpus, the shipped model, where it runs. `quick` runs fewer steps."""

    def __init__(self, quick: bool = False) -> None:
        self.quick = quick
        place = machine.device()
        cores = f"{torch.get_num_threads()} CPU threads"
        self.device = torch.cuda.get_device_name() if place.type == "cuda" else cores
        self.place = place

    def row(self, name: str, value: float, unit: str, budget: float | None) -> Row:
        return Row(name, value, unit, budget, self.device)

    @cached_property
    def corpus(self):
        return finish(world("course"))

    @cached_property
    def checkpoint(self):
        return zoo.load("course")

    @cached_property
    def tokens(self) -> Corpus:
        return finish(tokens(self.corpus, self.checkpoint.tokenizer, self.checkpoint.config.block_size))

    def rows(self) -> Iterator[Row]:
        parts: tuple[Callable[[], Iterator[Row]], ...] = (
            self.building,
            self.speaking,
            self.speaking_in_c,
            self.training,
        )
        for part in parts:
            yield from part()

    def building(self) -> Iterator[Row]:
        began = time.perf_counter()
        for _ in crawl("course"):
            pass
        yield self.row("world.build.seconds", time.perf_counter() - began, "s", 60)
        texts = [page.text for page in self.corpus.documents() if page.split == "train"]
        began = time.perf_counter()
        for _ in train_bpe(texts, tier("course").model.vocab_size - len(SPECIAL)):
            pass
        yield self.row("tokenizer.train.seconds", time.perf_counter() - began, "s", 60)

    def speaking(self) -> Iterator[Row]:
        """One stream, one core, as a lesson does it: policy and records included."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            rates = []
            for seed in range(3 if self.quick else 8):
                began = time.perf_counter()
                made = sum(1 for _ in generate(self.checkpoint, "", seed=seed, max_tokens=300, stop=()))
                rates.append(made / (time.perf_counter() - began))
        finally:
            torch.set_num_threads(threads)
        yield self.row("generate.course.tokens_per_s", statistics.median(rates), "tokens/s", 600)
        index = build_index(self.tokens.train)
        dream = [s.token for s in generate(self.checkpoint, "", seed=1, max_tokens=500, stop=())]
        times = []
        for _ in range(5):
            began = time.perf_counter()
            index.longest_matches(dream)
            times.append((time.perf_counter() - began) * 1_000 * 500 / len(dream))
        yield self.row("trace.500_tokens.ms", statistics.median(times), "ms", 100)

    def speaking_in_c(self) -> Iterator[Row]:
        """The same model in C; and what share of the memory's speed one core uses. No rows without a compiler."""
        try:
            with run_c.engine(self.checkpoint) as command:
                rates = [run_c.tokens_per_s([*command, *asked]) for _, asked, _, _ in IN_C]
        except LabError as error:
            run_c.leave_out("run_c.*", error)
            return
        for rate, (name, _, budget, cores) in zip(rates, IN_C, strict=True):
            yield Row(f"run_c.course.{name}.tokens_per_s", rate, "tokens/s", budget, cores)
        share = rates[0] * run_c.weight_bytes(self.checkpoint) / run_c.read_bandwidth()
        yield Row("run_c.share_of_bandwidth", share, "share", None, "1 CPU core")

    def training(self) -> Iterator[Row]:
        """Median speed of steps at full context, after the compiler and the first steps."""
        pocket = tier("pocket")
        yield self.speed("train.pocket_eager", replace(pocket, compile="off"), 38_000)
        if machine.compiler(self.place) is None:
            run_c.leave_out("train.pocket.*, train.course.*", LabError(NO_COMPILER))
            return
        yield self.speed("train.pocket", replace(pocket, compile="on"), 50_000)
        for name in ("course", *(GPU_TIERS if self.place.type == "cuda" else ())):
            config = tier(name)
            budget = 12_000 if name == "course" else None
            speed = self.speed(f"train.{name}", replace(config, compile="on"), budget)
            yield speed
            share = speed.value * flops_per_token(config.model) / matmul_rate(self.place)
            yield self.row(f"train.{name}.share_of_matmul", share, "share", 0.5)

    def speed(self, name: str, config: PretrainConfig, budget: float | None) -> Row:
        count, skip = (20, 5) if self.quick else (60, 15)
        config = replace(
            config, tokens=config.tokens_per_step * count, short_share=0.0, checkpoint_every=10**9
        )
        data = finish(training_set("course", config.model.vocab_size, config.model.block_size))
        with tempfile.TemporaryDirectory() as folder:
            steps = list(pretrain(config, data, Path(folder) / "run"))
        return self.row(
            f"{name}.tokens_per_s",
            statistics.median(s.tokens_per_s for s in steps[skip:]),
            "tokens/s",
            budget,
        )


def flops_per_token(model: GPTConfig) -> float:
    """Multiplications and additions of forward and backward for one token at full context (Kaplan et al. 2020).

    6 for each weight of a matrix (the output matrix is the embedding), and 12 · layers · context · width for the
    products inside attention, half of which a causal kernel could save and ours does not.
    """
    kv = model.n_kv_head * model.head_dim
    attention = 2 * model.n_embd**2 + 2 * model.n_embd * kv
    weights = (
        model.n_layer * (attention + 3 * model.n_embd * model.n_hidden) + model.vocab_size * model.n_embd
    )
    return 6 * weights + 12 * model.n_layer * model.block_size * model.n_embd


def matmul_rate(place: torch.device) -> float:
    """The best measured rate of a large matrix product in the training's number format, in operations a second."""
    dtype = torch.bfloat16 if machine.has_bf16(place.type) else torch.float32
    n = 8192 if place.type == "cuda" else 2048
    chance = torch.Generator(place).manual_seed(0)
    a, b = (torch.empty(n, n, dtype=dtype, device=place).normal_(generator=chance) for _ in range(2))
    best = 0.0
    for _ in range(8):
        if place.type == "cuda":
            torch.cuda.synchronize()
        began = time.perf_counter()
        a @ b
        if place.type == "cuda":
            torch.cuda.synchronize()
        best = max(best, 2 * n**3 / (time.perf_counter() - began))
    return best
