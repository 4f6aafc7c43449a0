"""Lesson 07, train it yourself: an assistant from a hundred good examples, or from a thousand sloppy ones.

The training and the small exam run in a child process, as all training does; this file keeps one student's two runs.

Read next: work.py, the other side; ../world/talk/sloppy.py, how one writes carelessly.
"""

from functools import lru_cache

from llmlab.course.finetuning import ASSISTANT, BASE, BLENDED, LONGEST, as_turn
from llmlab.course.tables import table
from llmlab.course.training import Training
from llmlab.errors import LabError
from llmlab.measure.assistant import replies
from llmlab.measure.small_exam import QUESTIONS
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.report.assistant_record import LABELLERS, LIVE_TOKENS, examples
from llmlab.world import build_world
from llmlab.world.talk.conversation import USER, Turn

WHICH = {f"{count:,} {name} examples": name for name, count in LABELLERS.items()}
SHOWN = 6  # examples of each labeller


class Tutoring(Training):
    """One student's assistants: each run starts at the base model; the marks of both are kept."""

    def __init__(self, tokens: int = LIVE_TOKENS) -> None:
        super().__init__(BASE, tokens)
        self.labeller = ""
        self.marks: dict[str, dict] = {}
        self.models: dict[str, Checkpoint] = {}

    def begin_with(self, which: str) -> None:
        """which: a name of WHICH, as in the menu."""
        self.labeller = WHICH[which]
        self._begin("assistant", "--labeller", self.labeller)

    def look(self) -> bool:
        """As a training does; the last record is the exam."""
        new = super().look()
        if self.learned is not None:
            self.models[self.labeller] = self.learned
        if self.job is not None and self.job.records and "marks" in self.job.records[-1]:
            self.marks[self.labeller] = self.job.records[-1]["marks"]
        return new

    @property
    def sentence(self) -> str:
        """How it stands; after the last step an exam is sat."""
        steps = self.steps
        if (
            self.running
            and steps
            and steps[-1]["step"] == steps[-1]["steps"]
            and self.labeller not in self.marks
        ):
            return f"The training is done; now it sits the exam, {2 * QUESTIONS} questions …"
        return super().sentence


@lru_cache(maxsize=1)
def both_written() -> tuple[tuple[str, str, str], ...]:
    """(question, good answer, sloppy answer) of the same examples."""
    good, sloppy = (examples(build_world(), name) for name in ("good", "sloppy"))
    both = [
        (a.question, a.answer, b.answer)
        for a, b in zip(good, sloppy, strict=False)
        if len(a.question) < 90 and len(a.answer) < 120
    ]
    return tuple(both[:SHOWN])


def examples_table() -> str:
    """The same questions, answered by two labellers."""
    return table(("question", "answered with care", "answered carelessly"), both_written())


def asked_of_all(tutoring: Tutoring, question: str) -> str:
    """One question to everybody there is: the base model, the student's two, and the shipped assistant."""
    models = {"base model": zoo.load(BASE)}
    for which, labeller in WHICH.items():
        if labeller in tutoring.models:
            models[f"{which}, yours"] = tutoring.models[labeller]
    models["the shipped assistant"] = zoo.load(ASSISTANT)
    if not question.strip():
        return table(("model", "answer"), [(name, "–") for name in models])
    rows = []
    for name, model in models.items():
        try:
            as_turn(question, model)
            reply = replies(model, [[Turn(USER, question[:LONGEST])]], BLENDED)[0]
            rows.append((name, reply.text + ("" if reply.ended else " …")))
        except LabError as problem:
            rows.append((name, str(problem)))
    return table(("model", "answer"), rows)
