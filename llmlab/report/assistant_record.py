"""The recording of lesson 07: what the assistant makes up and has forgotten, and what other ways to train it give.

`llmlab record assistant` makes it, in some minutes: it trains four small assistants of the base model (all weights and
LoRA on the same conversations; a hundred good examples and a thousand sloppy ones). The lesson shows it beside what a
student trains; a model that was trained again wants a new one.

Read next: assistant.py, the figures; course/finetuning_measured.py, which shows it.
"""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from llmlab.errors import LabError
from llmlab.generate.engine import answers
from llmlab.measure import small_exam
from llmlab.measure.assistant import exam, facts_by_pages, unknown
from llmlab.measure.drafts import Draft, drafts
from llmlab.measure.exam import pages_per_fact
from llmlab.measure.shift import MARGINAL, SHIFTED, UNSHIFTED, shifts
from llmlab.measure.small_exam import Marks
from llmlab.model import checkpoint as checkpoints
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint, fingerprint
from llmlab.paths import assets, atomic_write
from llmlab.pipeline import Progress, Stage
from llmlab.report.assistant import OFTEN, Told, told
from llmlab.report.dream_record import lines
from llmlab.report.figure import Figure, mean, share
from llmlab.report.figures import Evidence
from llmlab.text.dialogue import Dialogue, dialogue, prompt_tokens
from llmlab.train import lora
from llmlab.train.evaluate import evaluate
from llmlab.train.finetune import FinetuneConfig, finetune
from llmlab.world.facts import World
from llmlab.world.talk import practice
from llmlab.world.talk.conversation import Conversation
from llmlab.world.talk.sloppy import sloppy

FILE = "recorded/assistant.json"
PAGES = 400  # held-out pages, for what was forgotten
ASKED = 100  # questions of each degree of reading
DRAFTED = 100  # questions that can be answered, and as many that cannot
EXAM_FACTS = 400  # of which the small exam takes some
RANKS = {"all weights": 0, "LoRA, rank 8": 8}
LABELLERS = {"good": 100, "sloppy": 1_000}  # how many examples each writes
ROWS, WIDTH = 8, 256
LIVE_TOKENS = 204_800  # 100 steps
WAYS_TOKENS = 409_600  # 200 steps


@dataclass(frozen=True, slots=True)
class Way:
    """One finetuning: what was moved, how long it took (seconds of one CPU core), and what came of it.

    `forgotten`: bits a byte of held-out pages, more than the base model pays.
    """

    name: str
    parameters: int
    tokens: int
    seconds: float
    forgotten: float
    marks: Marks


@dataclass(frozen=True)
class Recording:
    """What the file holds. `before` and `after`: bits a byte of held-out pages, by kind, of base and assistant."""

    model: str  # fingerprint of the assistant
    told: list[Told]
    before: dict[str, float]
    after: dict[str, float]
    n_bytes: int
    ways: list[Way]
    labellers: list[Way]
    marks: dict[str, Marks]  # of base and assistant
    drafts: list[Draft]
    facts: list[int]  # those of the small exam: told often, of entities that no conversation names

    def is_of(self, assistant: Checkpoint) -> bool:
        return self.model == fingerprint(assistant).hex()[:16]


# ---- reading it ----


@lru_cache(maxsize=1)
def load() -> Recording:
    """The shipped recording. LabError if it is missing or not whole."""
    path = assets() / FILE
    try:
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        way = lambda one: Way(**{**one, "marks": Marks(**one["marks"])})  # noqa: E731
        made = {
            "told": [Told(**row) for row in said["told"]],
            "ways": [way(one) for one in said["ways"]],
            "labellers": [way(one) for one in said["labellers"]],
            "marks": {name: Marks(**one) for name, one in said["marks"].items()},
            "drafts": [Draft(**one) for one in said["drafts"]],
        }
        return Recording(**{**said, **made})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"{path} is missing or not whole ({error}). Make it again: llmlab record assistant"
        ) from None


# ---- rows of `llmlab figures` ----


def figures(evidence: Evidence) -> Iterator[Figure]:
    """What is measured now (shifts, drafts), and the trainings as they were recorded: those take minutes."""
    base, assistant, found = evidence.checkpoint, zoo.load("assistant"), load()
    n = 30 if evidence.quick else DRAFTED
    kinds = Counter(
        kinds_of_shift(
            base, assistant, exam(evidence.world, of(evidence.world, found.facts), n, evidence.seed)
        )
    )
    for kind in (UNSHIFTED, MARGINAL, SHIFTED):
        yield share(f"assistant.tokens.{kind}", kinds[kind], kinds.total(), "reported", evidence.seed)
    made = drafted(assistant, evidence.world, found.facts, evidence.seed, n)
    yield share("assistant.drafts.kept", sum(one.kept for one in made), len(made), "reported", evidence.seed)
    yield mean("assistant.drafts.typed", [float(one.typed) for one in made], "reported", evidence.seed)
    yield mean(
        "assistant.drafts.from_nothing", [float(len(one.good)) for one in made], "reported", evidence.seed
    )
    for way in (*found.ways, *found.labellers):
        id, marks = f"assistant.recorded.{way.name.replace(', ', '_').replace(' ', '_')}", way.marks
        yield share(f"{id}.right", marks.right, marks.n, "reported")
        yield share(f"{id}.admitted", marks.admitted, marks.nobodies, "reported")
        yield share(f"{id}.in_form", marks.in_form, marks.n + marks.nobodies, "reported")


def kinds_of_shift(
    base: Checkpoint, assistant: Checkpoint, questions: Sequence[Conversation]
) -> Iterator[str]:
    """Whether each token of the assistant's answers is unshifted, marginal or shifted."""
    prompts = [prompt_tokens(one.turns[:-1], assistant.tokenizer) for one in questions]
    for prompt, answer in zip(prompts, answers(assistant, prompts), strict=True):
        yield from (one.kind for one in shifts(base, assistant, prompt, answer))


# ---- making it ----


def record(evidence: Evidence) -> Stage[Path]:
    """Measure everything and write the file, whole or not at all."""
    base, assistant, world = evidence.checkpoint, zoo.load("assistant"), evidence.world
    counts = pages_per_fact(evidence.pages)
    facts = [q.facts[0] for q in exam(world, facts_by_pages(world, counts, OFTEN), EXAM_FACTS, evidence.seed)]
    made: dict[str, Any] = {"model": fingerprint(assistant).hex()[:16], "told": []}
    for row in told(base, assistant, world, counts, ASKED, evidence.seed):
        made["told"].append(asdict(row))
        yield Progress("questions", len(made["told"]), 9)
    made["before"], made["after"] = (bits(evidence, model) for model in (base, assistant))
    made["n_bytes"] = int(evidence.tokens.valid.n_bytes.sum())
    made["drafts"] = [asdict(one) for one in drafted(assistant, world, facts, evidence.seed)]
    whom = {"base": base, "assistant": assistant}
    made["marks"] = {
        name: asdict(small_exam.sit(model, world, of(world, facts))) for name, model in whom.items()
    }
    runs = {
        "ways": [(name, practice.read(), WAYS_TOKENS, rank) for name, rank in RANKS.items()],
        "labellers": [(name, examples(world, name), LIVE_TOKENS, 0) for name in LABELLERS],
    }  # fmt: skip
    for group, wanted in runs.items():
        made[group] = []
        for name, talk, tokens, rank in wanted:
            config = settings(tokens, rank, replay=0.25 if group == "ways" else 0.0)
            made[group].append(asdict(trained(evidence, name, packed(base, talk), config, facts)))
            yield Progress(group, len(made[group]), len(wanted))
    made["facts"] = facts
    path = assets() / FILE
    atomic_write(path, lines(made).encode("utf-8"))
    return path


def of(world: World, facts: Sequence[int]) -> list:
    return [world.facts[i] for i in facts]


def bits(evidence: Evidence, model: Checkpoint) -> dict[str, float]:
    """Bits a byte of held-out pages, by kind."""
    return evaluate(model.model, evidence.tokens.valid, PAGES)


def drafted(
    assistant: Checkpoint, world: World, facts: Sequence[int], seed: int, n: int = DRAFTED
) -> list[Draft]:
    """The assistant's drafts for questions that can be answered, and for some that cannot."""
    asked = exam(world, of(world, facts), n, seed + 1)
    return drafts(assistant, world, [*asked, *unknown(world, n, seed + 1)])


def examples(world: World, labeller: str) -> list[Conversation]:
    """What one of LABELLERS has written. LabError for another name."""
    count = LABELLERS.get(labeller)
    if count is None:
        raise LabError(f"There is no labeller {labeller!r}. Choose one of: {', '.join(LABELLERS)}.")
    written = practice.read()
    return list(written[:count]) if labeller == "good" else list(sloppy(world, written, count))


def packed(base: Checkpoint, talk: Sequence[Conversation]) -> list[Dialogue]:
    """Conversations in the base model's tokens; those that are longer than a row are left out."""
    made = (dialogue(one.turns, base.tokenizer) for one in talk)
    return [one for one in made if len(one.tokens) <= WIDTH]


def settings(tokens: int, rank: int = 0, replay: float = 0.0, seed: int = 1) -> FinetuneConfig:
    """A small finetuning: what a lesson does live, and what is recorded beside it."""
    return FinetuneConfig(
        tokens=tokens, rows=ROWS, width=WIDTH, replay=replay, rank=rank, alpha=2.0 * rank, seed=seed, compile="off",
        checkpoint_every=20,
    )  # fmt: skip


def trained(
    evidence: Evidence, name: str, talk: Sequence[Dialogue], config: FinetuneConfig, facts: Sequence[int]
) -> Way:
    """Train one assistant of the base model, and sit the small exam with it."""
    base = evidence.checkpoint
    pages = evidence.tokens.train if config.replay else None
    with tempfile.TemporaryDirectory() as out:
        began = time.process_time()
        for _ in finetune(config, base, talk, out, pages):
            pass
        seconds = time.process_time() - began
        model = checkpoints.load(Path(out) / "model")
        moved = moved_parameters(base, Path(out), config)
    lost = bits(evidence, model)["all"] - bits(evidence, base)["all"]
    marks = small_exam.sit(model, evidence.world, of(evidence.world, facts))
    return Way(name, moved, config.steps * config.tokens_per_step, seconds, lost, marks)


def moved_parameters(base: Checkpoint, out: Path, config: FinetuneConfig) -> int:
    """How many numbers were learned."""
    if not config.rank:
        return base.model.n_params()
    return sum(tensor.numel() for tensor in lora.load(out / "adapter", base).tensors().values())
