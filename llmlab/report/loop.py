"""The figures of lesson 08: does a correction work, what does it cost elsewhere, and how long does it take?

Each case is a wrong answer, its correction, and a LoRA run of its own on the assistant
that came with the course. Without its parts the recipe is run on some cases, too, so that the lesson can say what each
part is for.

Read next: ../measure/loop.py, what a case is; ../train/correct.py, what is run.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import psutil
import torch

from llmlab.errors import LabError
from llmlab.measure.assistant import RIGHT, judged
from llmlab.measure.loop import Case, cases, paper, right
from llmlab.model import checkpoint, zoo
from llmlab.model.checkpoint import Checkpoint, fingerprint
from llmlab.paths import assets, atomic_write
from llmlab.pipeline import Progress, Stage, finish
from llmlab.report.bench import Bench, Row
from llmlab.report.figure import Figure, share
from llmlab.report.figures import Evidence
from llmlab.train.correct import RECIPES, Recipe, correct
from llmlab.world.facts import World
from llmlab.world.genesis import build_world
from llmlab.world.talk import practice
from llmlab.world.talk.conversation import Conversation

CASES, QUICK = 100, 6
WITHOUT_A_PART = 20  # cases on which the other recipes are run
EXAM = 200  # questions about everything else
EXAMINED = 5  # every so many cases the exam is taken: it takes longer than the learning
LIMIT = 60  # s that one round may take on two cores


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case. `fresh` of 3 wordings are right; `before` and `after`: right answers in the exam."""

    fresh: int
    of: int
    seconds: float
    before: int | None = None
    after: int | None = None

    @property
    def works(self) -> bool:
        return self.fresh == self.of


class Trial:
    """The assistant before any correction, and what it answers in the exam; cases are tried on it one by one."""

    def __init__(self, assistant: Checkpoint, world: World, exam: int = EXAM, seed: int = 0) -> None:
        self.assistant, self.world = assistant, world
        self.exam = paper(world, exam, seed) if exam else []
        self.before = self.graded(assistant, self.exam)

    def graded(self, model: Checkpoint, questions: Sequence[Conversation]) -> list[bool]:
        found = judged(model, self.world, questions)
        return [right(verdict, one) for verdict, one in zip(found, questions, strict=True)]

    def outcome(self, case: Case, recipe: Recipe, examined: bool) -> Outcome:
        """Learn one correction, then ask for it in fresh wordings and, if wanted, for everything else."""
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            for _ in correct(self.assistant, self.world, [case.correction], practice.read(), folder, recipe):
                pass
            seconds = time.perf_counter() - began
            learned = checkpoint.load(Path(folder) / "model")
        fresh = judged(learned, self.world, case.fresh).count(RIGHT)
        if not examined:
            return Outcome(fresh, len(case.fresh), seconds)
        name = self.world.entities[case.fact.subject].name
        kept = [k for k, one in enumerate(self.exam) if name not in one.question]
        after = self.graded(learned, [self.exam[k] for k in kept])
        return Outcome(fresh, len(case.fresh), seconds, sum(self.before[k] for k in kept), sum(after))


# ---- many cases: they do not touch each other, so each core takes one at a time ----


@lru_cache(maxsize=1)
def prepared(n: int, seed: int) -> tuple[Trial, list[Case]]:
    """The shipped assistant's trial and `n` cases, made once in each process, which counts with one thread."""
    torch.set_num_threads(1)
    assistant, world = zoo.load("assistant"), build_world()
    return Trial(assistant, world, seed=seed), cases(assistant, world, n, seed)


def tried(name: str, number: int, n: int, seed: int) -> Outcome:
    """What comes of case `number` of `n` by the recipe of this name."""
    trial, wrong = prepared(n, seed)
    return trial.outcome(wrong[number], RECIPES[name], number % EXAMINED == 0)


def right_before(n: int, seed: int) -> int:
    """Right answers in the exam before any correction."""
    return sum(prepared(n, seed)[0].before)


def outcomes(counts: Mapping[str, int], seed: int) -> Stage[tuple[int, dict[str, list[Outcome]]]]:
    """The first `counts[name]` cases by each recipe; returns right answers before, and what came of each case."""
    n = max(counts.values())
    every = [(name, number) for name, count in counts.items() for number in range(count)]
    cores = max(1, psutil.cpu_count(logical=False) or 1)
    with ProcessPoolExecutor(min(cores, len(every)), mp_context=get_context("spawn")) as pool:
        running = {case: pool.submit(tried, *case, n, seed) for case in every}
        for done, _ in enumerate(as_completed(running.values())):
            yield Progress("loop", done, len(every))
        before = pool.submit(right_before, n, seed).result()
    found = {
        name: [running[name, number].result() for number in range(count)] for name, count in counts.items()
    }
    return before, found


def figures(evidence: Evidence) -> Iterator[Figure]:
    """`loop.correction_works` and `loop.cost_elsewhere`."""
    n, seed = (QUICK if evidence.quick else CASES), evidence.seed
    _, found = finish(outcomes({"whole": n}, seed))
    found = found["whole"]
    yield share("loop.correction_works", sum(one.works for one in found), n, "at least 0.95", seed)
    lost = points_lost(found)
    yield Figure("loop.cost_elsewhere", lost, EXAM * examined(found), None, None, seed, "at most 2 points")


def examined(found: Sequence[Outcome]) -> int:
    return sum(one.after is not None for one in found)


def points_lost(found: Sequence[Outcome]) -> float:
    """By how many points of 100 the exam is worse after a correction, on average; below 0: better."""
    each = [100 * (one.before - one.after) / EXAM for one in found if one.after is not None]
    return statistics.mean(each)


def bench(machine: Bench) -> Iterator[Row]:
    """`loop.finetune.seconds`: the median time of one round, from the corrections to the written adapter."""
    assistant, world = zoo.load("assistant"), build_world()
    trial = Trial(assistant, world, exam=0)
    taken = [
        trial.outcome(case, RECIPES["whole"], examined=False).seconds
        for case in cases(assistant, world, 2 if machine.quick else 5, seed=1)
    ]
    yield Row("loop.finetune.seconds", statistics.median(taken), "s", LIMIT, machine.device)


# ---- recorded for the lesson ----


def file() -> Path:
    return assets() / "recorded" / "loop.json"


def record(n: int = CASES, others: int = WITHOUT_A_PART, seed: int = 0) -> Stage[Path]:
    """Measure all recipes, and write what lesson 08 shows; half an hour on two idle cores."""
    counts = {name: n if name == "whole" else min(n, others) for name in RECIPES}
    before, found = yield from outcomes(counts, seed)
    content = {
        "assistant": fingerprint(zoo.load("assistant")).hex()[:16],
        "seed": seed,
        "exam": EXAM,
        "before": before,
        "outcomes": {name: [asdict(one) for one in rows] for name, rows in found.items()},
    }
    atomic_write(file(), json.dumps(content, indent=1).encode())
    return file()


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded, by the name of the recipe; and of which assistant."""

    assistant: str
    seed: int
    exam: int
    before: int
    outcomes: dict[str, list[Outcome]]


def load() -> Recording:
    """The recording. LabError if it is missing or not whole."""
    try:
        content = json.loads(file().read_text(encoding="utf-8"))
        outcomes = {name: [Outcome(**one) for one in rows] for name, rows in content.pop("outcomes").items()}
        return Recording(**content, outcomes=outcomes)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabError(
            f"{file()} is missing or not whole ({error}). Make it again: llmlab record loop"
        ) from None
