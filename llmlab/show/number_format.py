"""Numbers as the course writes them, in Python; static/core.js says the same in the browser."""

from __future__ import annotations

import math


def percent(p: float) -> str:
    """A probability or share: 46%, 8.6%, <0.1%, 0; 100% only if it is."""
    if p <= 0:
        return "0"
    if p >= 1 - 1e-9:
        return "100%"
    if p > 0.9995:
        return ">99.9%"
    if p >= 0.995:
        return f"{100 * p:.1f}%"
    if p >= 0.0995:
        return f"{100 * p:.0f}%"
    return f"{100 * p:.1f}%" if p >= 0.00095 else "<0.1%"


def wilson(right: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95% interval of a share measured on n cases (Wilson 1927): honest also at 0 and at n of n."""
    if n <= 0 or not 0 <= right <= n:
        raise ValueError(f"{right} of {n} is no share.")
    p, zz = right / n, z * z
    middle, half = p + zz / (2 * n), z * math.sqrt(p * (1 - p) / n + zz / (4 * n * n))
    low, high = (middle - half) / (1 + zz / n), (middle + half) / (1 + zz / n)
    return max(0.0, min(p, low)), min(1.0, max(p, high))  # rounding may not put the share outside


def measured(right: int, n: int) -> str:
    """A measured share with its n, and its interval where n is small: 31 of 50 (48–74%)."""
    if n >= 200:
        return f"{percent(right / n)} of {n:,}"
    low, high = wilson(right, n)
    return f"{right} of {n} ({100 * low:.0f}–{100 * high:.0f}%)"
