"""What a student trains, and the counts beside the bars: real children on the small world."""

import math
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest

from llmlab.course import jobs
from llmlab.course.answers import LEAST_COUNTED, Answers, Crawl
from llmlab.course.training import ROWS, Training
from llmlab.generate.engine import logits
from llmlab.model import zoo
from llmlab.show.figures import loss_curve

TOKENS = 90_000  # 21 steps


def until(holds: Callable[[], object], seconds: float = 240.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "this never came true"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def crawl() -> Crawl:
    """The crawl of the small world, prepared as a lesson does it."""
    one = Crawl("course")
    assert "browser course only" in one.look()
    command = [sys.executable, "-m", "llmlab.course.work", "prepare", "course", "--size", "small"]
    one.job = jobs.QUEUE.add(jobs.Job(command, patience=300))
    until(lambda: one.look() and one.job.ended)
    assert one.look().startswith("The crawl is counted"), one.look()
    return one


def test_counts_are_those_of_the_pages(crawl: Crawl):
    words, tokens = zoo.load("course").tokenizer, np.asarray(crawl.index.file.tokens)
    text = words.encode("She lives in")
    found, corpus = Answers(zoo.load("course"), crawl).counts(text)
    for n in range(len(text), 0, -1):  # the longest end that stands there often enough, counted one by one
        windows = np.lib.stride_tricks.sliding_window_view(tokens, n + 1)
        following = windows[(windows[:, :-1] == text[-n:]).all(axis=1), -1]
        if len(following) >= LEAST_COUNTED:
            break
    ids, counts = np.unique(following, return_counts=True)
    assert found == dict(zip(ids.tolist(), counts.tolist(), strict=True))
    assert f"{len(following):,} places" in corpus


def test_without_counts_the_picture_says_so(crawl: Crawl):
    course = zoo.load("course")
    reply, (scores, ids, counts) = Answers(course, Crawl("course"))({"kind": "logits", "text": "The"})
    assert "not ready" in reply["corpus"]
    assert ids == counts == b""
    asked = logits(course, [course.tokenizer.bos, *course.tokenizer.encode("The")])[-1]
    assert np.frombuffer(scores, "<f4") == pytest.approx(asked, rel=1e-5)


def test_a_pocket_model_learns_and_can_be_compared(crawl: Crawl):
    pocket = Training("course", TOKENS, size="small")
    assert not pocket.running
    assert "Nothing has been read" in pocket.numbers()
    pocket.begin()
    seen = []
    until(lambda: (pocket.look() and seen.append(pocket.learned_step)) or not pocket.running)
    pocket.look()
    assert pocket.job.state == "done", pocket.sentence
    assert pocket.sentence.startswith("Done")
    assert pocket.learned.tokenizer.hash == zoo.load("course").tokenizer.hash
    assert pocket.learned_step == len(pocket.steps) == pocket.steps[-1]["steps"]
    guess = math.log(pocket.learned.config.vocab_size)
    assert pocket.steps[0]["loss"] == pytest.approx(guess, abs=0.3)
    assert pocket.steps[-1]["loss"] < guess - 1
    last = pocket.steps[-1]
    cells = [f"{last['tokens']:,}", f"{last['loss']:.2f}", f"{last['loss'] / math.log(2):.2f}"]
    numbers = pocket.numbers()
    assert all(cell in numbers.split("<tr>")[-1] for cell in cells)
    assert numbers.count("<tr") <= ROWS + 2  # its head, and the newest beside the others
    curve = pocket.figure("light")
    assert list(curve.data[0].y)[-1] == pocket.steps[-1]["loss"]
    assert curve.layout.xaxis.range == loss_curve([], until=TOKENS).layout.xaxis.range


def test_a_stopped_training_keeps_what_it_has(crawl: Crawl):
    pocket = Training("course", 4_000_000, size="small")
    pocket.begin()
    until(lambda: pocket.look() or len(pocket.steps) > 2)
    pocket.stop()
    until(lambda: not pocket.running)
    pocket.look()
    assert pocket.sentence.startswith("Stopped")
    assert pocket.learned_step >= 3  # saved when it was told to end
