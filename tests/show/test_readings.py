"""Readings in a real browser: two columns that are torch's numbers, and a page that answers without Python."""

import re

import numpy as np
import pytest

from llmlab.show import Readings
from llmlab.show.number_format import percent
from tests.show.engine_page import WORDS
from tests.show.test_bars import softmax, state
from tests.show.test_engine_widgets import ENGINE, MODEL, VOCABULARY, Python, ready, torch_scores

pytestmark = pytest.mark.browser
ROOM = MODEL.config.block_size - 2
FIRST = "a ferry"


def readings(python: Python | None = None, **how) -> Readings:
    how = {"engine": ENGINE, "prompt": FIRST, "answer": python or Python(torch_scores)} | how
    return Readings(VOCABULARY, bos=WORDS.bos, room=ROOM, special=WORDS.special.values(), **how)


def read(page, text: str, press: str = "Enter") -> None:
    field = page.get_by_role("textbox", name="Text that is read twice")
    field.fill(text)
    field.press(press)


def both(text: str) -> list[list[int]]:
    return [[WORDS.bos, *WORDS.encode(text)], [WORDS.bos, *text.encode()]]


def expected(text: str) -> tuple[list[str], list[str]]:
    """The numbers of both columns, and those of the sentence, from torch's scores."""
    numbers, new_words = [], []
    for ids in both(text):
        p = softmax(torch_scores(ids))
        best = np.sort(p)[::-1][:8]
        numbers += [percent(x) for x in [*best, 1 - best.sum()]]
        new_words.append(percent(sum(p[i] for i, token in enumerate(VOCABULARY) if token[:1] == b" ")))
    return numbers, new_words


def agrees(page, text: str) -> None:
    """The picture of this text is there, and each of its numbers is torch's."""
    abouts = [f"{len(ids) - 1} token{'s' * (len(ids) > 2)}" for ids in both(text)]
    page.wait_for_function(
        "(t) => [...document.querySelectorAll('.ll-about')].map((p) => p.textContent).join() === t",
        arg=",".join(abouts),
    )
    page.wait_for_function(
        "(t) => document.querySelector('.ll-columns').ariaLabel.includes(`“${t}”`)", arg=text
    )
    numbers, new_words = expected(text)
    assert page.locator(".ll-row .n").all_inner_texts() == numbers
    assert re.findall(r"with ([<>]?[\d.]*\d%?)", page.locator(".ll-sentence").inner_text()) == new_words


def test_the_page_reads_twice_and_asks_python_nothing(mount):
    python = Python(torch_scores)
    page = mount(readings(python))
    agrees(page, FIRST)
    ready(page)
    for text in ("on the sea", "grüße, 東京", "a", "x\x00y", "<|end|>", "q" * ROOM):
        read(page, text)
        agrees(page, text)
        assert state(page) == "live" and page.evaluate("window.saved.at(-1).prompt") == text
    assert python.asked == ["logits", "logits"], "the first picture, and nothing after it"
    assert page.problems == []


def test_a_columns_bars_add_up(mount):
    page = mount(readings())
    widths = page.evaluate(
        """() => [...document.querySelectorAll(".ll-rows")].map((column) => [...column.querySelectorAll(".b")]
          .reduce((sum, b) => sum + b.firstChild.getBoundingClientRect().width / b.getBoundingClientRect().width, 0))"""
    )
    assert widths == pytest.approx([1, 1], abs=0.01)


def test_a_blank_is_seen_and_no_token_becomes_markup(mount):
    page = mount(readings())
    best = [np.argsort(-torch_scores(ids), kind="stable")[:8] for ids in both(FIRST)]
    labels = page.locator(".ll-row .t").all_inner_texts()
    for token, label in zip([i for column in best for i in column], labels[:8] + labels[9:17], strict=True):
        assert label.startswith("␣") == VOCABULARY[token].startswith(b" ")
    assert labels[8] == labels[17] == "all others"


def test_without_an_engine_in_the_page_python_answers(mount):
    python = Python(torch_scores)
    page = mount(readings(python, engine={}))
    read(page, "on the sea")
    agrees(page, "on the sea")
    assert page.locator(".ll-state").inner_text() == "live" and python.asked == ["logits"] * 4


def test_what_cannot_be_read_is_a_sentence_and_the_picture_stays(mount):
    page = mount(readings(), 390, 844)
    ready(page)
    high = page.locator(".ll-readings").bounding_box()["height"]
    for text, says in (
        ("", "Write a few words"),
        ("   ", "Write a few words"),
        ("q" * (ROOM + 1), f"at most {ROOM} bytes fit; this text has {ROOM + 1}"),
        ("ü" * ROOM, f"this text has {2 * ROOM}"),
        ("a" * 1_048_576, "this text has 1,048,576. Shorten it."),
    ):
        read(page, text)
        page.locator(".ll-state", has_text=says).wait_for()
        agrees(page, FIRST)
        assert page.locator(".ll-readings").bounding_box()["height"] == high, "nothing jumps"
    read(page, "on the sea")
    agrees(page, "on the sea")
    assert page.locator(".ll-readings").bounding_box()["height"] == high
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.problems == []


def test_a_recording_says_that_nobody_answers(mount):
    page = mount(readings(answer=None, engine={}, prompt=""))
    assert "Write a few words" in page.locator(".ll-state").inner_text()
    read(page, "on the sea")
    page.locator(".ll-state", has_text="recording").wait_for()


def test_a_text_from_python_is_read(mount):
    page = mount(readings())
    page.evaluate("window.model.set('prompt', 'on the sea')")
    agrees(page, "on the sea")
    assert page.get_by_role("textbox").input_value() == "on the sea"
    assert page.evaluate("window.saved.length") == 0


def test_the_table_holds_every_number(mount):
    page = mount(readings())
    page.locator(".ll-readings button", has_text="Table").focus()
    page.keyboard.press("t")
    lines = [row.locator("th, td").all_inner_texts() for row in page.locator(".ll-table tbody tr").all()]
    numbers, new_words = expected(FIRST)
    assert [line[2] for line in lines[:9]] + [line[4] for line in lines[:9]] == numbers
    assert lines[9] == ["a new word", "", new_words[0], "", new_words[1]]
    assert [lines[10][1], lines[10][3]] == [str(len(ids) - 1) for ids in both(FIRST)]
    assert not page.locator(".ll-columns").is_visible()
    page.keyboard.press("Escape")
    assert page.locator(".ll-columns").is_visible() and not page.locator(".ll-table").is_visible()
    read(page, "t", press="t")
    assert not page.locator(".ll-table").is_visible(), "a letter that is typed is no command"
