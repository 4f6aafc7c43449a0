"""The engine in C beside the one in torch: does it say the same, and how near is it to what memory allows?

Read before: model/native.py, which compiles run.c; model/flat.py, which writes what it reads.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from llmlab.errors import LabError
from llmlab.model import flat, native
from llmlab.model.checkpoint import Checkpoint

WORDS = 3  # of a page make a prompt
NEW = 30  # tokens that are compared
SPEED = 400  # tokens in a run whose speed counts
EVEN = 1_000  # a temperature at which all tokens are about equally likely: a text that hardly ever ends
BUFFER = 256 * 2**20  # bytes: more than the caches of most machines hold
SAID = re.compile(rb"(\d+) tokens, (\d+) tokens/s")  # run.c's last line


@contextmanager
def engine(checkpoint: Checkpoint) -> Iterator[list[str]]:
    """The command that runs this model in C, as fp32, which loses nothing. LabError where run.c can't be compiled."""
    program = native.build()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.bin"
        flat.write(file, checkpoint, "fp32")
        yield [str(program), str(file)]


def leave_out(rows: str, error: LabError) -> None:
    """One line on the error stream: what is not measured here, and why."""
    print(f"llmlab: left out: {rows}. {error}", file=sys.stderr)


def run(command: Sequence[str], *options: object, prompt: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run the engine to its end. RuntimeError where it stops with a sentence of its own."""
    done = subprocess.run(
        [*command, "-p", "-", *map(str, options)],
        input=prompt.encode("utf-8"),
        capture_output=True,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode("utf-8", errors="replace").strip())
    return done


def same_tokens(command: Sequence[str], checkpoint: Checkpoint, prompt: str) -> bool:
    """Whether C reads the prompt as the tokenizer does, and continues it greedily as torch would, token by token."""
    said = run(command, "--ids", "-t", 0, "-n", NEW, prompt=prompt).stdout.split()
    return continues_as_torch(checkpoint, prompt, [int(token) for token in said])


@torch.inference_mode()
def continues_as_torch(checkpoint: Checkpoint, prompt: str, ids: list[int]) -> bool:
    """Whether ids are the tokens of the prompt, and after them NEW tokens as torch would choose them greedily.

    torch reads the whole text at once and says after each token what it would have taken: two texts that are the
    same up to a place have the same next token exactly if it is torch's choice there. A text may end before NEW
    tokens where the context is full, or where torch would end it too.
    """
    words, model = checkpoint.tokenizer, checkpoint.model
    read = [words.bos, *words.encode(prompt)]
    if ids[: len(read)] != read:
        return False
    place = next(model.parameters()).device
    likeliest = model(torch.tensor([ids], device=place))[0].argmax(-1).tolist()  # (T,)
    full = len(ids) in (len(read) + NEW, checkpoint.config.block_size)
    ends = {words.special[name] for name in ("<|bos|>", "<|end|>")}
    return ids[len(read) :] == likeliest[len(read) - 1 : -1] and (full or likeliest[-1] in ends)


def greedy(command: Sequence[str], prompt: str) -> tuple[list[int], np.ndarray]:
    """All tokens of a text that takes the likeliest NEW times, the prompt's too, and the scores after each (T, V)."""
    asked = ("-t", 0, "-n", NEW)
    ids = [int(token) for token in run(command, "--ids", *asked, prompt=prompt).stdout.split()]
    scores = np.frombuffer(run(command, "--logits", *asked, prompt=prompt).stdout, "<f4")
    return ids, scores.reshape(len(ids), -1)


@dataclass(frozen=True, slots=True)
class Difference:
    """Scores beside torch's for the same text: at how many of the places both have the same likeliest token, and the
    largest and the mean square of the differences of all logits."""

    places: int
    same_choice: int
    largest: float
    mean_square: float


@torch.inference_mode()
def from_torch(checkpoint: Checkpoint, ids: list[int], scores: np.ndarray) -> Difference:
    """Hold scores (T, V) after each of T tokens to torch's."""
    place = next(checkpoint.model.parameters()).device
    theirs = checkpoint.model(torch.tensor([ids], device=place))[0].cpu().numpy()
    difference = (scores - theirs).astype(np.float64)
    return Difference(
        places=len(ids),
        same_choice=int((scores.argmax(-1) == theirs.argmax(-1)).sum()),
        largest=float(np.abs(difference).max()),
        mean_square=float(np.square(difference).mean()),
    )


def first_words(text: str) -> str:
    return " ".join(text.split()[:WORDS])


def tokens_per_s(command: Sequence[str], runs: int = 3) -> float:
    """The best speed of `runs` texts of SPEED tokens from nothing, as run.c itself says it.

    The time to load the model does not count. All tokens cost the same, so they are drawn almost evenly: a text at
    temperature 1 would end too early. Some still do, and do not count.
    """
    rates = (rate for seed in range(500) for made, rate in [speed(command, seed)] if made == SPEED)
    whole = list(islice(rates, runs))
    if len(whole) < runs:
        raise RuntimeError(f"The texts of this model end before {SPEED} tokens.")
    return max(whole)


def speed(command: Sequence[str], seed: int) -> tuple[int, float]:
    """How many tokens one run made, and how many a second."""
    said = SAID.search(run(command, "-t", EVEN, "-n", SPEED, "-s", seed).stderr)
    if not said:
        raise RuntimeError("run.c did not say how fast it was.")
    return int(said[1]), float(said[2])


def weight_bytes(checkpoint: Checkpoint) -> int:
    """Bytes of weights that run.c reads for each token: every weight once, as float32.

    The embedding is read whole as the output matrix; its one row for the token that came in is not counted again.
    """
    return 4 * checkpoint.model.n_params()


def read_bandwidth(n_bytes: int = BUFFER) -> float:
    """Bytes a second that one thread of this machine reads: numpy's sum of a large array, the best of five.

    This is what a simple loop over numbers in order gets from memory, additions included. It is not the limit of
    the memory (several cores read more, and so may a loop written for nothing else), and it says nothing about the
    caches: what fits into them is read faster than this.
    """
    numbers, best = np.ones(n_bytes // 8, dtype=np.int64), 0.0  # ones: untouched zeros would not be in memory
    for _ in range(5):
        began = time.perf_counter()
        numbers.sum()
        best = max(best, numbers.nbytes / (time.perf_counter() - began))
    return best
