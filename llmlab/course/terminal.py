"""Words in a terminal: generators of records become progress bars, rows become a table.

The bars go to the error stream, so that what a command prints can be read by another program.
"""

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from llmlab.pipeline import Stage
from llmlab.stages import Made
from llmlab.train.pretrain import Step

COLUMNS = (
    TextColumn("{task.description:<10}"),
    BarColumn(),
    TextColumn("{task.fields[note]}"),
    TimeRemainingColumn(),
)
LOG_EVERY_S = 30


class Measured(Protocol):
    """A row of `llmlab figures` or `llmlab bench`."""

    value: float


Row = TypeVar("Row", bound=Measured)


def watch(stage: Stage[Made]) -> Made:
    """Run a stage with a bar for each of its parts, and return what it made."""
    with Progress(*COLUMNS, console=Console(stderr=True)) as bars:
        tasks: dict[str, int] = {}
        while True:
            try:
                record = next(stage)
            except StopIteration as end:
                for task in tasks.values():
                    bars.update(task, completed=bars.tasks[task].total)
                return end.value
            if record.stage not in tasks:
                tasks[record.stage] = bars.add_task(record.stage, total=record.total, note="")
            bars.update(
                tasks[record.stage], completed=record.done, note=f"{record.done:,} of {record.total:,}"
            )


def losses(steps: Iterable[Step], total: int) -> Step | None:
    """Show a training run as it goes; returns its last record (None if there was nothing left to do).

    Where nobody can see a bar move (a log file), a line is written every half minute.
    """
    last, console, said = None, Console(stderr=True), time.monotonic()
    with Progress(*COLUMNS, console=console) as bars:
        task = bars.add_task("training", total=total, note="")
        for last in steps:
            note = (
                f"step {last.step}, {last.bits_per_byte:.3f} bits a byte, {last.tokens_per_s:,.0f} tokens/s"
            )
            bars.update(task, completed=last.step, note=note)
            if not console.is_terminal and time.monotonic() - said >= LOG_EVERY_S:
                console.print(f"{note} ({last.step} of {total} steps)", highlight=False)
                said = time.monotonic()
    return last


def train(steps: Iterable[Step], total: int) -> None:
    """Show a training run to its end; where it was stopped before, say how to go on, and exit with 130."""
    last = losses(steps, total)
    if last is not None and last.step < total:
        print(f"Stopped after step {last.step} of {total} and saved. The same command goes on from there.")
        raise typer.Exit(130)


def told(rows: Iterable[Row], name: str) -> list[Row]:
    """All rows of a long measurement, each told on the error stream when it is there, so that none is lost.

    name: of the attribute by which a row is called.
    """
    found = []
    for row in rows:
        found.append(row)
        print(f"{getattr(row, name)} {row.value:,.4g}", file=sys.stderr, flush=True)
    return found


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows in columns as wide as they need to be."""
    lines = [tuple(titles), *(tuple(row) for row in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(titles))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
