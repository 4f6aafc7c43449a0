"""A vocabulary that a student learns: a real child, and what the tables make of its merges."""

import re
import time
from collections.abc import Callable

from llmlab.course import learning
from llmlab.course.learning import COUNT, Learning, compared, first_merges, view
from llmlab.measure.samples import texts
from llmlab.model import zoo
from llmlab.text.bpe import train_bpe


def until(holds: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "this never came true"
        time.sleep(0.05)


def test_the_child_learns_what_the_package_learns():
    mine = Learning()
    assert not mine.running and "each byte" in mine.sentence
    mine.begin("sums", kilobytes=20)
    until(lambda: (mine.look(), not mine.running)[1])
    mine.look()
    assert mine.sentence.startswith("Done"), mine.sentence
    right = list(train_bpe(texts("sums", 20_000), 256 + COUNT))
    assert mine.merges == [(step.left, step.right) for step in right]
    assert mine.counts == [step.count for step in right]
    shown = view(mine)
    assert shown.first["total"] == len(right)


def test_stop_ends_it_and_a_new_one_begins_from_bytes():
    mine = Learning()
    mine.begin("crawl", kilobytes=20_000)
    mine.stop()
    until(lambda: not mine.running)
    assert mine.sentence.startswith("Stopped")
    mine.merges, mine.counts = [(116, 104)], [7]
    mine.begin("nowhere", kilobytes=1)
    assert mine.merges == []
    until(lambda: not mine.running and (mine.look(), True)[1])
    assert "Choose one of" in mine.sentence


def test_tables_keep_their_rows(monkeypatch):
    mine, course = Learning(), zoo.load("course")
    count = lambda html: len(re.findall("<tr>", html))  # noqa: E731
    before = count(first_merges(mine)), count(compared(course, mine))
    mine.merges, mine.counts = [(116, 104), (256, 101)], [70, 60]
    assert (count(first_merges(mine)), count(compared(course, mine))) == before
    assert "“t” + “h”" in first_merges(mine) and "“the”" in first_merges(mine)
    mine.merges = list(course.tokenizer.merges)
    mine.counts = [1] * len(mine.merges)
    for row in re.findall(r"<tr>(.*?)</tr>", compared(course, mine))[1:]:
        yours, shipped = re.findall(r"<td>(.*?)</td>", row)
        assert yours == shipped  # the same merges are worth the same
    assert learning.SHOWN
