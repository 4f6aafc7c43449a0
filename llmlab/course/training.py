"""A pocket model that the student trains: the button, the curve, and what the model is worth so far.

The training runs in a child process (jobs.py); this file keeps what one student sees of it.

    pocket = Training("course", tokens=4_000_000)
    pocket.begin()
    pocket.look()                     # once a second, from a cell: new records into the curve
    pocket.learned                    # the newest model, also while it is still learning
    pocket.pause(); pocket.resume()   # goes on with the losses that it would have had

Read next: work.py, the other side.
"""

import atexit
import math
import shutil
import tempfile
from pathlib import Path
from typing import Any

import marimo as mo

from llmlab.course import jobs
from llmlab.course.tables import note, table
from llmlab.errors import LabError
from llmlab.model import checkpoint, zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.show.figures import loss_curve
from llmlab.train.folder import RunFolder

HEIGHT = 420  # px of the chart
POINTS = 300  # of the curve: more are not seen, and each costs bytes
ROWS = 12  # of its table
BIT = math.log(2)  # nats


class Training:
    """One student's training runs, the latest of which is looked at."""

    def __init__(self, model: str, tokens: int, size: str = "course") -> None:
        self.model, self.tokens, self.size = model, tokens, size
        self.job: jobs.Job | None = None
        self.past: list[dict] = []  # records from before the last pause
        self.paused = False
        self.work: list[str] = []  # the task of work.py and its arguments
        self.out: Path | None = None
        self.learned: Checkpoint | None = None
        self.learned_step = 0
        self.chart: Any = None  # the plotly widget on the screen

    def begin(self, seed: int = 1) -> None:
        """Start from nothing; a run that is going on is ended."""
        self._begin("train", "--seed", str(seed))

    def _begin(self, task: str, *arguments: str) -> None:
        """Put a task of work.py that trains into the queue, with a new folder for its run."""
        self.stop()
        self.out = Path(tempfile.mkdtemp(prefix="llmlab-"))
        atexit.register(shutil.rmtree, self.out, ignore_errors=True)
        self.learned, self.learned_step, self.past = None, 0, []
        common = [self.model, str(self.out), "--tokens", str(self.tokens), "--size", self.size]
        self.work = [task, *common, *arguments]
        self._start()

    def _start(self) -> None:
        """Put the run into the queue; it goes on from what is in its folder."""
        self.paused = False
        self.job = jobs.start(*self.work)

    def stop(self) -> None:
        """End the run; what it has learned stays."""
        self.paused = False
        if self.job is not None:
            self.job.stop()

    def pause(self) -> None:
        """End the child, which saves first, so that `resume` can go on from there."""
        if self.running:
            self.job.stop()
            self.paused = True

    def resume(self) -> None:
        """Go on after a pause. The queue waits until the child before has saved."""
        if self.paused:
            self.past = self.steps
            self._start()

    @property
    def running(self) -> bool:
        return self.job is not None and not self.job.ended

    @property
    def steps(self) -> list[dict]:
        """The records of the training so far, those from before a pause included."""
        now = [record for record in self.job.records if "loss" in record] if self.job else []
        return [record for record in self.past if not now or record["step"] < now[0]["step"]] + now

    def look(self) -> bool:
        """See what is new: points of the curve, a saved model. Returns whether there is a new model."""
        if self.job is None:
            return False
        self.job.poll()
        if self.chart is not None:
            self._draw()
        return self._load()

    def figure(self, theme: str) -> Any:
        """The curve so far, as a widget whose points `look` moves."""
        import plotly.graph_objects as go  # a widget of 4 MB: only for whoever trains

        guess = math.log(zoo.load(self.model).config.vocab_size)
        self.chart = go.FigureWidget(
            loss_curve(spread(self.steps, POINTS), guess=guess, until=self.tokens, theme=theme)
        )
        self.chart._config |= {"displayModeBar": False}  # plotly has no public name for it in a widget
        return self.chart

    def picture(self, theme: str) -> mo.Html:
        """The curve in its frame, which is there from the beginning."""
        empty = "Press the button, and the curve of the loss grows here."
        inside = mo.ui.anywidget(self.figure(theme)) if self.job else empty
        alt = "Line chart of the loss while the model learns. A table of its numbers is below."
        rows = mo.accordion({"Table": mo.lazy(lambda: mo.Html(self.numbers()))}) if self.job else ""
        return mo.Html(
            f'<div role="img" aria-label="{alt}" style="min-height: {HEIGHT}px; display: grid; align-items: center; '
            f"grid-template-columns: minmax(0, 1fr); text-align: center; font: var(--ll-text-2)/1.5 var(--ll-font-ui); "
            f'color: var(--ll-ink-3); {"" if self.job else "border: 1px solid var(--ll-rule)"}">{inside}</div>{rows}'
        )

    def numbers(self) -> str:
        """The curve so far as a table of some rows, evenly spaced, the newest last."""
        rows = [
            (f"{step['tokens']:,}", f"{step['step']:,}", f"{step['loss']:.2f}", f"{step['loss'] / BIT:.2f}")
            for step in spread(self.steps, ROWS)
        ]
        heads = ("tokens read", "step", "loss, nats a token", "bits a token")
        return table(heads, rows) if rows else note("Nothing has been read yet. Open this again in a moment.")

    def _draw(self) -> None:
        points, drawn = spread(self.steps, POINTS), self.chart.data[0].x
        if points and (not drawn or drawn[-1] != points[-1]["tokens"]):
            with self.chart.batch_update():
                self.chart.data[0].x = [point["tokens"] for point in points]
                self.chart.data[0].y = [point["loss"] for point in points]

    def _load(self) -> bool:
        """Open the newest checkpoint of the run, if it is newer than what we have."""
        saved = RunFolder(self.out).checkpoints()
        step = int(saved[-1].name.removeprefix("step-")) if saved else 0
        if step <= self.learned_step:
            return False
        try:
            self.learned, self.learned_step = checkpoint.load(saved[-1]), step
        except LabError:  # the run has just replaced it by a newer one: there is a next time
            return False
        return True

    @property
    def sentence(self) -> str:
        """How it stands, for a person."""
        if self.job is None:
            return "Nothing is being trained yet."
        steps = self.steps
        if self.job.state == "failed":
            return self.job.error
        if self.job.state == "waiting":
            return jobs.waiting(self.job)
        if not steps:
            found = self.job.records[-1] if self.job.records else None
            return (
                f"Preparing the {found['stage']}: {found['done']:,} of {found['total']:,} …"
                if found
                else "Starting …"
            )
        last = steps[-1]
        where = f"{last['tokens']:,} of {self.tokens:,} tokens read, loss {last['loss']:.2f} nats"
        if self.job.state == "running":
            return f"Learning: {where}, {last['tokens_per_s']:,.0f} tokens a second."
        if self.paused:
            return f"Paused: {where}."
        return f"{'Done' if self.job.state == 'done' else 'Stopped'}: {where}."


def spread(steps: list[dict], most: int) -> list[dict]:
    """At most `most` of the steps, evenly spaced, and the newest one behind them."""
    return [*steps[: -1 : -(-len(steps) // most) or 1], *steps[-1:]]
