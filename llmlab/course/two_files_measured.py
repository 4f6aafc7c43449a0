"""Lesson 01, what is run and timed: the compiler, both engines on one text, the network off, the speed of memory.

Each table is made when its button is pressed or its text is changed, on this machine; a busy one gives smaller speeds.

Read next: two_files_exercises.py.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import torch

from llmlab.course import plug
from llmlab.course.speaking import model_file
from llmlab.course.tables import note, table
from llmlab.course.two_files import megabytes
from llmlab.errors import LabError
from llmlab.generate.engine import encode_prompt, generate
from llmlab.generate.policy import Policy
from llmlab.model import native, zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.report import run_c
from llmlab.show import TokenText
from llmlab.show.asking import readable
from llmlab.show.number_format import percent

LEVELS = ("-O0", "-O1", "-O2", "-O3")
TRIED = 200  # tokens of a text that says how fast a program is: fewer than any context has
PLUGGED = 40
TEXTS = 3  # of which the fastest counts


# ---- the compiler ----


class Build(NamedTuple):
    """One way to compile run.c, and what came of it."""

    level: str
    seconds: float
    n_bytes: int
    rate: float


def compile_with(checkpoint: Checkpoint, level: str) -> Build:
    """Compile run.c anew at an optimisation level and let it write. LabError where it cannot be compiled."""
    compiler, said = native.compiler(), None
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / ("run.exe" if os.name == "nt" else "run")
        for flags in native.FLAGS:
            began = time.perf_counter()
            said = native.compile_c(compiler, (level, *flags[1:]), native.SOURCES[-1], program)
            seconds = time.perf_counter() - began
            if said is None:
                rate = speed([str(program), str(model_file(checkpoint))])
                return Build(level, seconds, program.stat().st_size, rate)
    raise LabError(f"The C compiler {' '.join(compiler)} could not compile run.c: {said}")


def speed(command: Sequence[str]) -> float:
    """Tokens a second of the fastest of TEXTS texts of TRIED tokens, as the program says it itself (see run_c.py)."""
    rates: list[float] = []
    for seed in range(20 * TEXTS):
        said = run_c.SAID.search(run_c.run(command, "-t", run_c.EVEN, "-n", TRIED, "-s", seed).stderr)
        if said and int(said[1]) == TRIED:
            rates.append(float(said[2]))
        if len(rates) == TEXTS:
            return max(rates)
    raise LabError(f"This model ends its texts before {TRIED} tokens, so its speed cannot be measured.")


def compiler_words() -> str:
    """What the compiler says about itself: its first line; a sentence where there is none."""
    try:
        command = [*native.compiler(), "--version"]
    except LabError as problem:
        return str(problem)
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=60
    )
    return (done.stdout.splitlines() or [command[0]])[0]


class Workshop:
    """The builds that a student has made so far, each level once, the newest counting."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint, self.builds, self.problem = checkpoint, {}, ""

    def make(self, level: str) -> None:
        try:
            self.builds[level], self.problem = compile_with(self.checkpoint, level), ""
        except LabError as problem:
            self.problem = str(problem)

    def show(self) -> str:
        """A row for each level, measured or not yet."""
        if self.problem:
            return note(escape(self.problem))
        rows = []
        for level in LEVELS:
            one = self.builds.get(level)
            measured = (
                (f"{one.seconds:.1f} s", f"{one.n_bytes / 1e3:.0f} KB", f"{one.rate:,.0f}")
                if one
                else ("–",) * 3
            )
            rows.append((f"cc {level}", *measured))
        return table(("compiled with", "took", "program", "tokens/s"), rows)


# ---- the same tokens from both engines ----


class Comparison(NamedTuple):
    """One text by both engines."""

    ids: list[int]  # by C, the prompt's included
    start: int  # where the new ones begin
    choice: list[int]  # torch's likeliest token at each of the new places
    probs: list[float]  # torch's probability of C's token there
    gap: float  # the largest difference between two scores for the same token at the same place
    n_scores: int
    c_seconds: float
    python_seconds: float
    python_ids: list[int]


def compare(checkpoint: Checkpoint, text: str) -> Comparison:
    """Let C write greedily, then hold torch and the Python engine to it. LabError where the text is too long."""
    start = encode_prompt(checkpoint, text)
    command = [str(native.build()), str(model_file(checkpoint))]
    began = time.perf_counter()
    run_c.run(command, "--ids", "-t", 0, "-n", run_c.NEW, prompt=text)
    middle = time.perf_counter()
    in_python = [
        step.token for step in generate(checkpoint, text, Policy(temperature=0), max_tokens=run_c.NEW)
    ]
    end = time.perf_counter()
    ids, ours = run_c.greedy(command, text)
    new = slice(len(start) - 1, len(ids) - 1)
    with torch.inference_mode():
        scores = checkpoint.model(torch.tensor([ids]))[0, new]
    probs = scores.softmax(-1).gather(1, torch.tensor(ids[len(start) :], dtype=torch.long)[:, None])
    return Comparison(
        ids,
        len(start),
        scores.argmax(-1).tolist(),
        probs[:, 0].tolist(),
        run_c.from_torch(checkpoint, ids, ours).largest,
        ours.size,
        middle - began,
        end - middle,
        in_python,
    )


def both_texts(checkpoint: Checkpoint, found: Comparison) -> list[TokenText]:
    """C's text and the Python engine's, each token with torch's opinion about it."""
    words = checkpoint.tokenizer
    new = found.ids[found.start :]
    details = [
        {"torch’s first choice": readable(words.token_bytes(best)), "number": f"{token:,}"}
        for best, token in zip(found.choice, new, strict=True)
    ]
    spelled = [readable(words.token_bytes(token)) for token in new]
    theirs = [readable(words.token_bytes(token)) for token in found.python_ids]
    return [
        TokenText(spelled, probability=found.probs, details=details, alt="The text of run.c."),
        TokenText(
            theirs,
            details=[{"number": f"{token:,}"} for token in found.python_ids],
            alt="The text of the Python engine.",
        ),
    ]


def same_sentence(found: Comparison) -> str:
    """How many tokens agree, how near the scores are, how long each took."""
    new = found.ids[found.start :]
    same = sum(a == b for a, b in zip(new, found.choice, strict=True))
    python = "the same tokens" if found.python_ids == new else "other tokens"
    return note(
        f"<b>{same} of {len(new)} tokens</b> of run.c are torch’s own first choice; the course’s Python engine wrote "
        f"{python}. Of {found.n_scores:,} scores the two that differ most differ by {found.gap:.6f}. run.c took "
        f"{1e3 * found.c_seconds:,.0f} ms, start included, Python {1e3 * found.python_seconds:,.0f} ms.",
        "said",
    )


# ---- the plug ----


def plug_table(checkpoint: Checkpoint, text: str) -> str:
    """A probe and run.c, each with the network and without it."""
    before = plug.without_network()
    if not before:
        return note(
            "This system has no way to take the network from one program. So pull the real plug: switch off Wi-Fi, "
            "or choose flight mode, and press Write at the top again. The course runs on this machine, and goes on."
        )
    try:
        command = [str(native.build()), str(model_file(checkpoint))]
        with_it, without = (
            run_c.run([*start, *command], "-t", 0, "-n", PLUGGED, prompt=text).stdout.decode(
                "utf-8", "replace"
            )
            for start in ((), before)
        )
    except (LabError, RuntimeError) as problem:
        return note(escape(str(problem)))
    end = " ".join(with_it.removeprefix(text).split()[:6])
    said = [plug.probe(start) or "reached" for start in ((), before)]
    again = "the same text, letter by letter" if with_it == without else "another text"
    return table(
        ("program", "with the network", "plug pulled"),
        [("a probe that calls this very machine", *said), ("run.c with model.bin", f"“{end} …”", again)],
    )


def headers_sentence() -> str:
    """What the C asks of the system, and whether a network is among it."""
    found = plug.headers(native.SOURCES)
    network = sorted(plug.NETWORK_HEADERS.intersection(found))
    verdict = f"For a network it asks, too: {', '.join(network)}." if network else (
        "To open a connection a C program must include <code>sys/socket.h</code> or <code>winsock2.h</code>: neither "
        "is there."
    )  # fmt: skip
    names = ", ".join(f"<code>{escape(name)}</code>" for name in found)
    return note(f"The C files ask the system for {len(found)} headers: {names}. {verdict}", "said")


# ---- how fast, and how fast it could be ----


TIMED = {  # a name, the model, what run.c is asked for, bytes of a weight in memory
    "pocket": ("pocket", (), 4),
    "course": ("course", (), 4),
    "course, --int8": ("course", ("--int8",), 1),
}


class Speeds:
    """Tokens a second of two models, and what one core reads from memory: measured when `measure` is called."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[int, float]] = {}  # name → bytes of weights read for each token, tokens/s
        self.bandwidth, self.problem = 0.0, ""

    def measure(self) -> None:
        """Some seconds of one core. A problem becomes the sentence that `show` says."""
        self.problem = ""
        try:
            for name, (model, options, _) in TIMED.items():
                with run_c.engine(zoo.load(model)) as command:
                    self.found[name] = self.n_bytes(name), speed([*command, *options])
            self.bandwidth = run_c.read_bandwidth()
        except (LabError, RuntimeError) as problem:
            self.problem = str(problem)

    def n_bytes(self, name: str) -> int:
        model, _, each = TIMED[name]
        return each * zoo.load(model).model.n_params()

    def show(self) -> str:
        if self.problem:
            return note(escape(self.problem))
        rows = []
        for name in TIMED:
            n_bytes, rate = self.found.get(name, (self.n_bytes(name), 0.0))
            read = n_bytes * rate
            measured = (
                (f"{rate:,.0f}", f"{read / 1e9:.1f} GB/s", f"{read / self.bandwidth:.0%}")
                if rate and self.bandwidth
                else ("–",) * 3
            )
            rows.append((name, megabytes(n_bytes), *measured))
        heads = ("model", "weights read for a token", "tokens/s", "together", "share of what memory gives")
        return table(heads, rows)

    def sentence(self) -> str:
        """What the numbers mean here."""
        if not self.bandwidth:
            return "Nothing is measured yet."
        n_bytes, rate = self.found["course"]
        share = n_bytes * rate / self.bandwidth
        cache = last_cache()
        fits = f" The largest cache of this processor holds {megabytes(cache)}." if cache else ""
        if share > 1:
            where = "That is more than memory gives: the weights must come from the processor’s cache."
        else:
            where = f"So run.c uses {percent(share)} of it."
        return (
            f"One core of this machine reads {self.bandwidth / 1e9:.1f} GB/s from memory. {where}{fits} Other "
            "work on this machine makes all of these smaller."
        )


def last_cache() -> int:
    """Bytes of the processor's largest cache; 0 where the system does not tell (it does on Linux)."""
    sizes = Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
    units = {"K": 2**10, "M": 2**20}
    found = [file.read_text(encoding="utf-8").strip() for file in sizes]
    return max((int(size[:-1]) * units[size[-1]] for size in found if size[-1:] in units), default=0)
