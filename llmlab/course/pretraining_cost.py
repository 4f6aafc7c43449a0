"""Lesson 04, the bill: the talk's numbers as a calculator, beside the run on this very machine.

Read next: ../report/cost.py, the arithmetic; pretraining_exercises.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from llmlab.course.pretraining import BEST, MODEL
from llmlab.course.tables import note, table
from llmlab.errors import LabError
from llmlab.model import zoo
from llmlab.report.cost import A100_PEAK, DAY, HOUR, LLAMA_2_70B, Run, own_run, plan, training_flops

PRESETS: dict[str, Mapping[str, float]] = {
    "Llama 2 70B": {
        "params": 70.0,
        "tokens": 2000.0,
        "text": 10_000.0,
        "devices": 6000,
        "peak": A100_PEAK / 1e12,
        "used": round(100 * LLAMA_2_70B.utilisation(A100_PEAK), 1),
        "rent": round(LLAMA_2_70B.dollars / LLAMA_2_70B.device_hours, 3),
    },
    "the same model, ten times the text": {
        "params": 70.0,
        "tokens": 20_000.0,
        "text": 100_000.0,
        "devices": 6000,
        "peak": A100_PEAK / 1e12,
        "used": 43.3,
        "rent": 1.157,
    },
    "a 124M model on one such GPU": {
        "params": 0.124,
        "tokens": 2.5,
        "text": 10.0,
        "devices": 1,
        "peak": A100_PEAK / 1e12,
        "used": 40.0,
        "rent": 1.157,
    },
}
LABELS = {
    "params": "Parameters, billions",
    "tokens": "Tokens read, billions",
    "text": "Text, GB",
    "devices": "GPUs",
    "peak": "Peak of one GPU, TFLOP/s",
    "used": "Of the peak in use, %",
    "rent": "Rent of one GPU, $ an hour",
}


def planned(numbers: Mapping[str, float | None]) -> Run:
    """The run of the calculator's numbers. LabError where one is missing or impossible."""
    if any(not numbers.get(name) or numbers[name] < 0 for name in LABELS if name != "rent"):
        raise LabError("Each number must be above 0.")
    return plan(
        "yours",
        numbers["params"] * 1e9,
        numbers["tokens"] * 1e9,
        numbers["text"] * 1e9,
        int(numbers["devices"]),
        numbers["peak"] * 1e12,
        numbers["used"] / 100,
        numbers["rent"] or 0.0,
    )


def rented(run: Run, dollars_per_hour: float) -> Run:
    """The same run on machines of this rent."""
    return replace(run, dollars=run.device_hours * dollars_per_hour)


def this_run(steps: Sequence[dict]) -> Run:
    """The student's own run so far; the shipped one's numbers where there is none."""
    shipped = own_run(zoo.load(MODEL), "the shipped pocket run")
    if not steps:
        return shipped
    each = steps[0]["tokens"] / steps[0]["step"]
    seconds = sum(each / step["tokens_per_s"] for step in steps)
    return Run("your pocket run", shipped.params, steps[-1]["tokens"], shipped.text_bytes, 1, seconds, 0.0)


def cost_table(numbers: Mapping[str, float | None], steps: Sequence[dict], rent: float | None) -> str:
    """The calculator's answer beside the talk's numbers and the run on this very machine."""
    try:
        mine = planned(numbers)
    except LabError as problem:
        return note(str(problem))
    runs = (mine, LLAMA_2_70B, rented(this_run(steps), rent or 0.0))
    rows = [
        ("operations: 6 × parameters × tokens", *(power(run.flops) for run in runs)),
        ("machines", *(f"{run.devices:,}" for run in runs)),
        ("time", *(duration(run.seconds) for run in runs)),
        ("operations a second, each", *(power(run.flops / run.seconds / run.devices) for run in runs)),
        ("rent", *(money(run.dollars) for run in runs)),
        ("parameters", *(amount(run.params) for run in runs)),
        ("tokens read for each parameter", *(f"{run.tokens / run.params:,.1f}" for run in runs)),
        ("the file that is left", *(in_bytes(run.model_bytes) for run in runs)),
        ("text", *(in_bytes(run.text_bytes) for run in runs)),
        ("text over file", *(f"{run.compression:,.0f} times" for run in runs)),
    ]
    heads = ("", "your numbers", "Llama 2 70B, as told", runs[2].name)
    return table(heads, rows)


def real_table() -> str:
    """What real runs cost, by their makers, beside our two."""
    ours = [own_run(zoo.load(name), f"our {name} model") for name in (MODEL, BEST)]
    rows = [
        (
            run.name,
            amount(run.params),
            amount(run.tokens),
            power(run.flops),
            f"{run.devices} machine, {duration(run.seconds)}",
        )
        for run in ours
    ]
    for name, params, tokens, machines in (
        ("GPT-3", 175e9, 300e9, "not published"),
        ("Llama 2 70B", 70e9, 2e12, "1,720,320 hours of A100"),
        ("Llama 3.1 405B", 405e9, 15.6e12, "up to 16,000 H100"),
    ):
        rows.append((name, amount(params), amount(tokens), power(training_flops(params, tokens)), machines))
    return table(("model", "parameters", "tokens", "operations", "machines"), rows)


def power(x: float) -> str:
    """840000… as "8.4 × 10²³"."""
    mantissa, exponent = f"{x:.1e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(str.maketrans('0123456789-', '⁰¹²³⁴⁵⁶⁷⁸⁹⁻'))}"


def duration(seconds: float) -> str:
    for unit, size in (("years", 365.25 * DAY), ("days", DAY), ("hours", HOUR), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.1f} s"


def money(dollars: float) -> str:
    if dollars >= 1e6:
        return f"${dollars / 1e6:,.2f}M"
    return f"${dollars:,.2f}" if dollars >= 1 else f"{100 * dollars:.1f} cents"


def amount(n: float) -> str:
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6)):
        if n >= size:
            return f"{n / size:,.3g}{unit}"
    return f"{n:,.0f}"


def in_bytes(n: float) -> str:
    for unit, size in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if n >= size:
            return f"{n / size:,.3g} {unit}"
    return f"{n:,.0f} bytes"
