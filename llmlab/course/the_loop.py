"""Lesson 08: one student's loop. Monitor → collect → correct → retrain → deploy, and round again.

Nothing here is a stage set. The version that is deployed answers, the list of corrections is in the student's progress
file, retraining is a LoRA run in a child process, and a version that is deployed stays so when the lid is closed.

Read next: the_loop_show.py, how it looks; correcting.py, what the child does; versions.py.
"""

import atexit
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from llmlab.course import jobs
from llmlab.course.correcting import ORDERS
from llmlab.course.corrections import Corrections, cleaned, exported, wordings
from llmlab.course.progress import Progress
from llmlab.course.versions import SHIPPED, Versions
from llmlab.errors import LabError
from llmlab.generate.chat import Chat
from llmlab.measure.assistant import asked
from llmlab.measure.loop import cases
from llmlab.model.checkpoint import Checkpoint
from llmlab.paths import atomic_write
from llmlab.world.draft import Casting, Unfit
from llmlab.world.facts import CUTOFF, World
from llmlab.world.talk.conversation import exchange
from llmlab.world.talk.phrases import cast, say, start
from llmlab.world.talk.rephrase import recognise

READY = 5  # questions that are dealt at a time
STATIONS = ("Monitor", "Collect", "Correct", "Retrain", "Deploy")


@dataclass(frozen=True, slots=True)
class Heard:
    """A question and what the deployed version answered to it."""

    question: str
    answer: str


class Loop:
    """The loop of one student. Without a progress file (a script, a hand-out) it forgets everything in the end."""

    def __init__(self, assistant: Checkpoint, world: World, progress: Progress | None) -> None:
        folder = None
        if progress is None:
            folder = Path(tempfile.mkdtemp(prefix="llmlab-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            progress = Progress(path=folder / "progress.sqlite")
        self.world = world
        self.corrections = Corrections(progress)
        self.versions = Versions(assistant, progress.student, folder and folder / "assistants")
        self.heard: list[Heard] = []
        self.marked: Heard | None = None

    # ---- deployed ----

    @property
    def deployed(self) -> int:
        return self.versions.deployed

    def answering(self) -> tuple[Checkpoint, str]:
        """The deployed version; where it cannot be used, the shipped one, and a sentence that says so."""
        number = self.deployed
        try:
            return self.versions.load(number), ""
        except LabError as error:
            return self.versions.base, f"{error} Until then version {SHIPPED} answers."

    # ---- monitor ----

    def deal(self, seed: int) -> None:
        """Listen in: some questions, drawn evenly, which the deployed version answers wrongly or not at all."""
        model, _ = self.answering()
        questions = [case.correction.question for case in cases(model, self.world, READY, seed)]
        said = asked(model, [exchange("monitor", question, "") for question in questions])
        self.heard = [Heard(q, one.text) for q, one in zip(questions, said, strict=True)]
        self.marked = None

    def ask(self, question: str) -> Heard:
        """Put one's own question to the deployed version. LabError where it is no question, or too long."""
        model, _ = self.answering()
        question = cleaned(question, "question")
        said = "".join(step.text for step in Chat(model).answer(question)).strip()
        return Heard(question, said)

    # ---- correct ----

    def looked_up(self, question: str) -> str:
        """What the pages of the Isles say to a question; empty where they say nothing, or it is not understood."""
        what = recognise(self.world, question)
        fact = what and self.world.fact(what.entity.id, what.attribute)
        if fact is None or fact.date > CUTOFF:
            return ""
        draft = start(Casting(self.world), seed=0, asked=False)
        cast(draft, what.entity)
        with suppress(Unfit):
            return say(draft, f"{what.entity.kind}.{what.attribute} tell")
        return ""

    def wordings(self, question: str) -> list[str]:
        """How else the machine would ask it; the question as it was typed is the first."""
        return wordings(self.world, question)

    def keep(self, answer: str, wordings: list[str]) -> str:
        """Put the marked answer's correction on the list; returns a sentence.

        wordings: the ways to ask that were left standing; the question as it was typed always is one.
        """
        if self.marked is None:
            return "Mark an answer first."
        wordings = list(dict.fromkeys((self.marked.question.strip(), *wordings)))
        try:
            self.corrections.add(self.marked.question, self.marked.answer, answer, wordings)
        except LabError as error:
            return str(error)
        return "Kept. It waits on the list for the next retraining."

    # ---- where the loop stands ----

    def waiting(self) -> int:
        """How many corrections on the list the deployed version has not learned."""
        learned = set(self.versions.report(self.deployed).get("corrections", ()))
        return sum(one.question not in learned for one in self.corrections.all())

    def station(self, retraining: "Retraining") -> int:
        """Where there is something to do: the place in STATIONS."""
        newest = self.versions.numbers()[-1]
        if retraining.running:
            return 3
        if retraining.number == newest != self.deployed:
            return 4
        if self.marked is not None and all(
            one.question != self.marked.question for one in self.corrections.all()
        ):
            return 2
        return 3 if self.waiting() else 1 if self.heard else 0


class Retraining:
    """A round of the loop in a child process. `keep`: what comes out becomes a version."""

    def __init__(self, loop: Loop, keep: bool = True) -> None:
        self.loop, self.keep = loop, keep
        self.job: jobs.Job | None = None
        self.out: Path | None = None
        self.number = 0  # of the version that came out
        self.report: dict = {}
        self.trouble = ""

    def begin(self, recipe: str = "whole") -> None:
        """Learn what is on the list now. What ran before is ended."""
        self.stop()
        self.forget()
        self.trouble = ""
        try:
            kept = self.loop.corrections.all()
            if not kept:
                raise LabError(
                    "Nothing has been corrected yet. Mark an answer and write what should have been said."
                )
            self.out = Path(tempfile.mkdtemp(prefix="llmlab-"))
            atexit.register(shutil.rmtree, self.out, ignore_errors=True)
            atomic_write(self.out / ORDERS, exported(kept).encode("utf-8"))
        except (LabError, OSError) as error:
            self.trouble = str(error)
            return
        self.job = jobs.start("correct", "assistant", str(self.out), "--recipe", recipe)

    def stop(self) -> None:
        if self.job is not None:
            self.job.stop()

    def forget(self) -> None:
        """Throw the run's folder away; a version that came out of it has its own."""
        if self.out is not None:
            shutil.rmtree(self.out, ignore_errors=True)
        self.out, self.job, self.report, self.number = None, None, {}, 0

    @property
    def running(self) -> bool:
        return self.job is not None and not self.job.ended

    def look(self) -> bool:
        """See what is new. Returns whether it has just come to its end."""
        if self.job is None or self.report:
            return False
        if self.job.poll().state != "done":
            return False
        self.report = self.job.records[-1]
        if self.keep:
            try:
                self.number = self.loop.versions.add(self.out)
            except LabError as error:
                self.trouble = str(error)
        shutil.rmtree(self.out, ignore_errors=True)
        return True

    @property
    def steps(self) -> list[dict]:
        return [record for record in self.job.records if "loss" in record] if self.job else []

    @property
    def done(self) -> float:
        """How much of it is done, from 0 to 1: learning is two thirds, the exam the rest."""
        last = self.job.records[-1] if self.job and self.job.records else {}
        if "loss" in last:
            return last["step"] / last["steps"] * 2 / 3
        if "stage" in last:
            return 2 / 3 + last["done"] / last["total"] / 3
        return float(bool(last))  # the report is the last record

    @property
    def sentence(self) -> str:
        """How it stands, for a person."""
        if self.trouble or self.job is None:
            return (
                self.trouble or "Nothing is being learned. The list of corrections is what would be learned."
            )
        if self.job.state == "failed":
            return self.job.error
        if self.job.state == "waiting":
            return jobs.waiting(self.job)
        if self.job.state == "stopped":
            return "Stopped. No version came of it; the list is as it was."
        if self.report:
            became = f" It is version {self.number}." if self.number else ""
            return f"Learned in {self.report['seconds']:.0f} seconds, and examined.{became}"
        if not self.steps:
            return "Starting …"
        last = self.steps[-1]
        if last["step"] < last["steps"]:
            return f"Learning: step {last['step']} of {last['steps']}, loss {last['loss']:.2f} nats a token."
        return "Asking everything again: the corrected questions, and an exam about everything else …"
