"""A vocabulary that the student learns from pages of their choice: the button, the merges so far, what it is worth.

The learning runs in a child process (jobs.py), as a training does; it takes seconds.

    mine = Learning()
    mine.begin("sums", kilobytes=300)
    mine.look()                       # once a second, from a cell: whether there are new merges
    mine.merges

Read next: work.py, the other side.
"""

from functools import partial

from llmlab.course import jobs
from llmlab.course.tables import table
from llmlab.course.tokens import FIRST, Learned, answer, cost, spelled
from llmlab.model.checkpoint import Checkpoint
from llmlab.show import Merges
from llmlab.text.segmentation import vocabulary

COUNT = 2000  # merges
SHOWN = ("A diary", "Sums", "The tongue of the Isles", "Python code", "Greek")


class Learning:
    """One student's vocabulary. `merges` are pairs, `counts` how often each stood in the pages when it was chosen."""

    def __init__(self) -> None:
        self.job: jobs.Job | None = None
        self.source = ""
        self.merges: list[tuple[int, int]] = []
        self.counts: list[int] = []
        self.seen = 0  # records that `look` has taken in

    def begin(self, source: str, kilobytes: int) -> None:
        """Start from single bytes; what is going on is ended."""
        self.stop()
        self.source, self.merges, self.counts, self.seen = source, [], [], 0
        arguments = ["--kilobytes", str(kilobytes), "--count", str(COUNT)]
        self.job = jobs.start("merges", source, *arguments)

    def stop(self) -> None:
        if self.job is not None:
            self.job.stop()

    @property
    def running(self) -> bool:
        return self.job is not None and not self.job.ended

    def look(self) -> bool:
        """Take in what the child has said; returns whether there are new merges."""
        if self.job is None:
            return False
        records = self.job.poll().records
        new = [merge for record in records[self.seen :] for merge in record["merges"]]
        self.seen = len(records)
        self.merges += [(left, right) for left, right, _ in new]
        self.counts += [count for _, _, count in new]
        return bool(new)

    @property
    def sentence(self) -> str:
        """How it stands, for a person."""
        if self.job is None:
            return "Nothing is being learned yet: each byte is a token."
        if self.job.state == "failed":
            return self.job.error
        if self.job.state == "waiting":
            return jobs.waiting(self.job)
        if not self.merges:
            return "Writing the pages and counting their pairs …" if self.running else "Stopped at 0 merges."
        word = {"running": "Learning", "done": "Done"}.get(self.job.state, "Stopped")
        last = spelled(vocabulary(self.merges)[-1])
        where = f"{len(self.merges):,} of {COUNT:,} merges; the newest token is “{last}”"
        return f"{word}: {where}, whose two parts stood together {self.counts[-1]:,} times."


def view(learning: Learning) -> Merges:
    """A text by the merges that there are so far. Raise its `edition` when there are more."""

    def learned(_: str) -> Learned:
        return Learned(learning.merges, dict(enumerate(learning.counts, 1)))

    return Merges(
        {"own": "your merges"}, answer=partial(answer, {"own": learned}), prompt=FIRST, source="your merges"
    )


def first_merges(learning: Learning, shown: int = 8) -> str:
    """The merges that were learned first, as HTML; there are as many rows before as after."""
    pieces = vocabulary(learning.merges[:shown])
    rows = [("–", "–", "–", "–")] * shown
    for i, (left, right) in enumerate(learning.merges[:shown]):
        parts = " + ".join(f"“{spelled(pieces[token])}”" for token in (left, right))
        rows[i] = (f"{i + 1}", parts, f"“{spelled(pieces[256 + i])}”", f"{learning.counts[i]:,}")
    return table(("merge", "left and right", "new token", "stood together"), rows)


def compared(checkpoint: Checkpoint, learning: Learning) -> str:
    """Bytes per token of texts that neither vocabulary was learned from: the student's, and the shipped one."""
    shipped = checkpoint.tokenizer.merges
    rows = [(name, f"{cost(name, learning.merges):.2f}", f"{cost(name, shipped):.2f}") for name in SHOWN]
    heads = (
        "bytes per token",
        f"yours, {len(learning.merges):,} merges",
        f"shipped, {len(shipped):,} merges",
    )
    return table(heads, rows)
