"""Reading a page of the course: what stands there is held against the HTML, the texts and the figures of Python.

Each function waits until the page says what it should, so that no check sleeps.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from html import unescape

import marimo as mo
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from llmlab.course.exercises import Exercise, Question
from llmlab.show import TokenText

SOON = 30_000  # ms: a model answers, on cores that others use, too
MOVE = """(input, value) => {
  input.value = value;
  for (const name of ["input", "change"]) input.dispatchEvent(new Event(name, { bubbles: true }));
}"""
PASTE = """(field, text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""
DRAWN = "(plot) => plot._fullData.map((trace) => Array.from(trace.y))"


def words(html: str) -> str:
    """The text of some HTML, without any white space: at the border of a tag there may be some or none."""
    bare = re.sub(r"<style>.*?</style>|<[^>]+>", "", html, flags=re.S)
    return "".join(unescape(bare).split())


def says(place: Locator, html: str, timeout: float = SOON) -> None:
    """The text of this place is that of the HTML."""
    spaced = r"\s*".join(map(re.escape, words(html)))
    expect(place).to_have_text(re.compile(rf"^\s*{spaced}\s*$"), timeout=timeout)


def table_says(table: Locator, html: str, timeout: float = SOON) -> None:
    """Each cell of a table is the cell of the first table in the HTML."""
    inside = re.findall(r"<table.*?</table>", html, flags=re.S)[0]
    cells = re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", inside, flags=re.S)
    expect(table.locator("th, td")).to_have_text(list(map(unescape, cells)), timeout=timeout)


def text_says(page: Page, widget: TokenText, timeout: float = SOON) -> Locator:
    """A token text of the page is this widget's: tokens, marks and bars. Returns its place on the page."""
    data = json.loads(widget.data)
    run, special = page.get_by_role("listbox", name=data["alt"], exact=True), set(data.get("special", ()))
    inked = [t if i in special else t.replace("\n", "↵\n") for i, t in enumerate(data["tokens"])]
    expect(run.locator(".ll-tok")).to_have_text(inked, timeout=timeout)
    expect(run.locator(".ll-box", has_text="<|")).to_have_count(len(special), timeout=timeout)
    for marks, name in (("verdict", "ll-v"), ("shift", "ll-s"), ("author", "ll-a")):
        for value, n in Counter(data.get(marks) or ()).items():
            if value:
                expect(run.locator(f".{name}-{value}")).to_have_count(n, timeout=timeout)
    text = page.locator(".ll-tokens").filter(has=run)
    high = text.locator(".ll-hills i").evaluate_all("(all) => all.map((bar) => parseFloat(bar.style.height))")
    shares = np.frombuffer(widget.strip, "<f4").astype(float) / data.get("top", 1.0)
    assert high == pytest.approx(100 * shares.clip(max=1.0), abs=0.01)
    return text


def drawn(page: Page, figure) -> list[list[float]]:
    """The heights of each line of a figure, as they are drawn; its text alternative is that of Python's figure."""
    picture = page.get_by_role("img", name=figure.layout.meta["alt"], exact=True)
    picture.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=SOON)
    return picture.locator(".js-plotly-plot").evaluate(DRAWN)


def draws(page: Page, figure) -> None:
    """The lines on the page are those of Python's figure."""
    for shown, trace in zip(drawn(page, figure), figure.data, strict=True):
        assert shown == pytest.approx(list(trace.y))


def slide(slider: Locator, value: float, low: float, high: float) -> None:
    """Press the track of one of marimo's sliders where this value is."""
    box = slider.locator("[data-orientation]").first.bounding_box()
    share = (value - low) / (high - low)
    slider.page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    expect(slider.get_by_role("slider")).to_have_attribute("aria-valuenow", f"{value:g}")


def answer(field: Locator, exercise: Exercise, given) -> None:
    """Give an answer as a student does: choose, or type and press Enter."""
    if isinstance(exercise.field, tuple):
        field.get_by_role("radio", name=given, exact=True).check()
    elif exercise.field == "code":
        editor = field.locator(".cm-content")
        editor.click()
        editor.press("ControlOrMeta+a")
        editor.evaluate(PASTE, given)
    else:
        typed = field.locator("input").first
        typed.fill(f"{given:g}" if exercise.field == "number" else given)
        typed.press("Enter")


def wrong(exercise: Exercise):
    """An answer that its check refuses."""
    if isinstance(exercise.field, tuple):
        return next(option for option in exercise.field if option != exercise.solution)
    if exercise.field == "code":
        return exercise.starter.replace("...", "return None")
    return exercise.solution + 1


def exercises_answer(page: Page, exercises: Sequence[Exercise]) -> None:
    """Each exercise waits, names the mistake of a wrong answer, and says why the right one is right."""
    for place, exercise in enumerate(exercises):
        card, reply = (
            page.locator(".ll-task:visible").nth(place),
            page.locator(".ll-reply:visible").nth(place),
        )
        expect(reply).to_have_text("Your answer is checked as soon as you give one.")
        answer(card, exercise, wrong(exercise))
        says(reply, f"Not yet. {mo.md(exercise.check(wrong(exercise))).text}")
        answer(card, exercise, exercise.solution)
        says(reply, f"Right. {mo.md(exercise.because).text}")


def quiz_answers(page: Page, questions: Sequence[Question]) -> None:
    """Each option of each question gets its own explanation, and the right one those of all others, too."""
    card, reply = page.locator(".ll-task:visible").last, page.locator(".ll-reply:visible").last
    expect(reply).to_have_text("Choose an option, and read what it would mean.")
    for number, question in enumerate(questions, 1):
        for option in sorted(question.options, key=lambda one: one.right):
            card.get_by_role("radio", name=option.words, exact=True).check()
            verdict = "Right." if option.right else "Not this one."
            expect(reply).to_contain_text(f"{number}. {verdict} {option.because}", timeout=SOON)
        for option in question.options:
            expect(reply).to_contain_text(option.because)
