"""What a child process of the course does: a task by name, its records as lines of JSON.

    python -m llmlab.course.work prepare course
    python -m llmlab.course.work train course OUT --tokens 4000000
    python -m llmlab.course.work families course OUT --tokens 500000 --told 80 --which half
    python -m llmlab.course.work assistant course OUT --tokens 204800 --labeller good
    python -m llmlab.course.work merges sums --kilobytes 300 --count 2000
    python -m llmlab.course.work dreams course --temperature 0.9 --each 12 --seed 200
    python -m llmlab.course.work correct assistant OUT --recipe whole

A sentence for a person goes to the error stream, with exit status 2. When the standard input ends, the course that
started us is gone, and so are we.

Read next: ../pipeline.py, the stages that are run here.
"""

import _thread
import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import psutil

from llmlab import pipeline
from llmlab.errors import LabError
from llmlab.paths import assets
from llmlab.text.packing import Corpus
from llmlab.text.tokenizer import Tokenizer

GRACE = 3.0  # s in which work that is ended may save or tidy up what it has
MERGES_AT_ONCE = 20  # in one record of a vocabulary that is learned
CHECKPOINTS = 12  # over a run: so often the lesson can show how far the model is


def training_set(model: str, size: str) -> pipeline.Stage[Corpus]:
    """The Pocket Web of this size in the tokens of one of the course's models, in documents that fit into it."""
    folder = assets() / "models" / model
    words = Tokenizer.load(folder / "tokenizer.json")
    longest = json.loads((folder / "config.json").read_text(encoding="utf-8"))["block_size"]
    corpus = yield from pipeline.world(size)
    return (yield from pipeline.tokens(corpus, words, longest))


def prepare(model: str, size: str) -> Iterator[dict]:
    """The training set, its index and the readers of claims, into the cache; the last record says where they are."""
    from llmlab.measure.claims import careful
    from llmlab.measure.index import build_index

    if hasattr(os, "nice"):
        os.nice(10)  # nobody waits for this: whoever does something goes first
    corpus = yield from said(training_set(model, size))
    yield asdict(pipeline.Progress("index", 0, 1))
    build_index(corpus.train)
    careful()
    yield asdict(pipeline.Progress("index", 1, 1)) | {"folder": str(corpus.train.folder.parent)}


def train(model: str, size: str, out: Path, tokens: int, seed: int) -> Iterator[dict]:
    """Pretrain a `pocket` network on the training set of `model`, in the same tokens, so that the two compare."""
    from llmlab.train.config import tier
    from llmlab.train.pretrain import pretrain

    corpus = yield from said(training_set(model, size))
    shipped = json.loads((assets() / "models" / model / "config.json").read_text(encoding="utf-8"))
    config = tier("pocket", tokens=tokens, seed=seed, compile="off")
    shape = replace(config.model, vocab_size=corpus.tokenizer.vocab_size, block_size=shipped["block_size"])
    rows = config.tokens_per_step // shape.block_size  # as many tokens a step as the tier has
    config = replace(config, model=shape, rows=rows, micro_rows=rows)
    config = replace(config, checkpoint_every=max(1, config.steps // CHECKPOINTS))
    for step in pretrain(config, corpus, out, provenance={"corpus": {"world": size, "beside": "python"}}):
        yield asdict(step)


def families(model: str, size: str, out: Path, tokens: int, told: int, which: str) -> Iterator[dict]:
    """Let `model` read a register of the `told` most famous pairs of mother and child, `which` of them both ways."""
    from llmlab.measure.reversal import pairs
    from llmlab.model import zoo
    from llmlab.train.pretrain import pretrain
    from llmlab.train.reversal import config
    from llmlab.world import build_world

    start = zoo.load(model)
    corpus = yield from said(pipeline.world(size))
    stage = pipeline.families(
        corpus, start.tokenizer, start.config.block_size, pairs(build_world(size))[:told], which
    )
    mixed = yield from said(stage)
    run = config(start, tokens, compile="off")
    run = replace(run, checkpoint_every=max(1, run.steps // CHECKPOINTS))
    for step in pretrain(run, mixed, out, start=start):
        yield asdict(step)


def assistant(model: str, size: str, out: Path, tokens: int, labeller: str) -> Iterator[dict]:
    """Finetune `model` on what one labeller has written, and sit the small exam with it: the last record."""
    from llmlab.measure import small_exam
    from llmlab.model import checkpoint, zoo
    from llmlab.report import assistant_record as recorded
    from llmlab.train.finetune import finetune
    from llmlab.world import build_world

    start, world = zoo.load(model), build_world(size)
    talk = recorded.packed(start, recorded.examples(world, labeller))
    for step in finetune(recorded.settings(tokens), start, talk, out):
        yield asdict(step)
    yield asdict(pipeline.Progress("exam", 0, 1))
    learned = checkpoint.load(out / "model")
    yield {"marks": asdict(small_exam.sit(learned, world, recorded.of(world, recorded.load().facts)))}


def merges(source: str, kilobytes: int, count: int) -> Iterator[dict]:
    """Learn so many merges from one of the sources of samples.py: (left, right, how often it stood there) each."""
    from llmlab.measure.samples import texts
    from llmlab.text.bpe import train_bpe

    learned = train_bpe(texts(source, 1000 * kilobytes), 256 + count)
    while some := [(step.left, step.right, step.count) for step in islice(learned, MERGES_AT_ONCE)]:
        yield {"merges": some}


def dreams(model: str, size: str, temperature: float, each: int, seed: int) -> Iterator[dict]:
    """Dreams about things of different fame at one temperature, and what their claims are worth, fuller each time."""
    from llmlab.measure.claims import Checker
    from llmlab.measure.index import build_index
    from llmlab.model import zoo
    from llmlab.report.dreams import ABOUT, tallies
    from llmlab.world import build_world

    corpus = yield from said(training_set(model, size))
    index, checker, checkpoint = build_index(corpus.train), Checker(build_world(size)), zoo.load(model)
    for kind in ABOUT:
        for tally in tallies(checkpoint, index, checker, kind, temperature, each, seed):
            yield {"kind": kind, "dreams": tally.dreams, "verdicts": dict(tally.verdicts)}


def correct(model: str, size: str, out: Path, recipe: str) -> Iterator[dict]:
    """Learn the corrections in a run's folder, and examine what became of all other answers."""
    from llmlab.course.correcting import round_of_the_loop

    return round_of_the_loop(model, size, out, recipe)


def said(stage: pipeline.Stage) -> Iterator[dict]:
    """The progress of a stage as plain records; returns what it made."""
    while True:
        try:
            yield asdict(next(stage))
        except StopIteration as end:
            return end.value


def end_with_parent() -> None:
    """Watch, in a thread, for the end of the standard input; then do as if Ctrl-C was pressed, and insist."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        _thread.interrupt_main()  # a training saves, a half-written corpus is removed
        time.sleep(GRACE)
        for child in psutil.Process().children(recursive=True):
            child.kill()
        os._exit(1)

    # a course that runs in the background has handed down an ignored Ctrl-C: then interrupt_main would do nothing
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=watch, daemon=True).start()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m llmlab.course.work")
    tasks = parser.add_subparsers(dest="task", required=True)
    for name in ("prepare", "dreams", "train"):
        task = tasks.add_parser(name)
        task.add_argument("model")
        task.add_argument("--size", default="course")
        if name != "prepare":
            task.add_argument("--seed", type=int, default=1)
        if name == "dreams":
            task.add_argument("--temperature", type=float, required=True)
            task.add_argument("--each", type=int, required=True)
    task.add_argument("out", type=Path)
    task.add_argument("--tokens", type=int, required=True)
    task = tasks.add_parser("families")
    task.add_argument("model")
    task.add_argument("out", type=Path)
    task.add_argument("--size", default="course")
    task.add_argument("--tokens", type=int, required=True)
    task.add_argument("--told", type=int, required=True)
    task.add_argument("--which", required=True)
    task = tasks.add_parser("assistant")
    task.add_argument("model")
    task.add_argument("out", type=Path)
    task.add_argument("--size", default="course")
    task.add_argument("--tokens", type=int, required=True)
    task.add_argument("--labeller", required=True)
    task = tasks.add_parser("correct")
    task.add_argument("model")
    task.add_argument("out", type=Path)
    task.add_argument("--size", default="course")
    task.add_argument("--recipe", required=True)
    task = tasks.add_parser("merges")
    task.add_argument("source")
    task.add_argument("--kilobytes", type=int, required=True)
    task.add_argument("--count", type=int, required=True)
    asked = vars(parser.parse_args(arguments))
    do = {
        "prepare": prepare,
        "train": train,
        "families": families,
        "assistant": assistant,
        "correct": correct,
        "merges": merges,
        "dreams": dreams,
    }
    work = do[asked.pop("task")]
    try:
        for record in work(**asked):
            print(json.dumps(record), flush=True)
    except LabError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    end_with_parent()
    main()
