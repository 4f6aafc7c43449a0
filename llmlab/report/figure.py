"""One measured claim: a value, how many cases stand behind it, between what it may lie, and the goal."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from llmlab.show.number_format import wilson

Z = 1.959964  # standard errors on each side of a mean, for 95%


@dataclass(frozen=True, slots=True)
class Figure:
    id: str
    value: float
    n: int
    low: float | None
    high: float | None
    seed: int
    goal: str


def share(id: str, right: int, n: int, goal: str, seed: int = 0) -> Figure:
    """A share of n cases, with its Wilson interval; NaN where there was no case."""
    if not n:
        return Figure(id, math.nan, 0, None, None, seed, goal)
    return Figure(id, right / n, n, *wilson(right, n), seed, goal)


def mean(id: str, values: Sequence[float], goal: str, seed: int = 0) -> Figure:
    """The mean of some independent values, two at least, with its normal interval."""
    middle = statistics.fmean(values)
    half = Z * statistics.stdev(values) / math.sqrt(len(values))
    return Figure(id, middle, len(values), middle - half, middle + half, seed, goal)
