"""Long work is a generator: it yields small records while it goes on, and returns what it made.

Whoever asks for the work decides what becomes of the records: a bar in a terminal (course/terminal.py), lines of JSON
(course/work.py), or nothing.

Read next: pipeline.py, the stages of the course.
"""

from collections.abc import Generator
from typing import Any, TypeVar

Made = TypeVar("Made")


def finish(stage: Generator[Any, None, Made]) -> Made:
    """Run a stage to its end without looking."""
    while True:
        try:
            next(stage)
        except StopIteration as end:
            return end.value
