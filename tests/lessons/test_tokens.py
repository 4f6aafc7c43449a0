"""Lesson 03 in a real browser: what the slider shows is what Python computes from the same merges."""

import re

import pytest
import torch
from playwright.sync_api import expect

from llmlab.course.tokens import FIRST, SAID
from llmlab.measure.samples import kinds
from llmlab.model import zoo
from llmlab.text.bpe import encode

pytestmark = pytest.mark.browser
LESSON = "/03_tokens/"


def shown(picture) -> tuple[int, int]:
    """The merges under the slider, and the number of tokens on the screen."""
    merges = picture.locator(".ll-slider .ll-value").inner_text().split(" of ")[0]
    tokens = picture.locator(".ll-sums dd").nth(1).inner_text()
    return int(merges.replace(",", "")), int(tokens.replace(",", ""))


def test_the_slider_shows_what_python_computes(visit):
    page = visit(LESSON).page
    picture = page.locator(".ll-merges:visible").first
    picture.locator(".c").first.wait_for()
    merges = zoo.load("course").tokenizer.merges
    slider = picture.get_by_role("slider")
    for place in (int(slider.get_attribute("max")), 40, 7, 0):
        slider.evaluate(
            "(input, v) => { input.value = v; input.dispatchEvent(new Event('input', {bubbles: true})) }",
            place,
        )
        number, tokens = shown(picture)
        assert tokens == len(encode(FIRST, merges[:number]))


def test_a_new_text_is_cut_and_learned_from(visit):
    page = visit(LESSON).page
    picture = page.locator(".ll-merges:visible").first
    picture.locator(".c").first.wait_for()
    text = "Fog on fog, fog under fog"
    field = picture.get_by_role("textbox", name="Your text")
    field.fill(text)
    field.press("Enter")
    expect(picture.locator(".c")).to_have_count(len(text))
    words = zoo.load("course").tokenizer
    assert shown(picture)[1] == len(words.encode(text))
    picture.get_by_role("button", name="this text alone").click()
    picture.locator(".ll-note", has_text="times").wait_for()
    assert picture.locator(".ll-value").inner_text() == "3 of 3"  # " f", "og", and then both


def test_a_preset_is_read_and_cut(visit):
    page = visit(LESSON).page
    picture = page.locator(".ll-merges:visible").first
    picture.locator(".c").first.wait_for()
    page.get_by_role("radio", name="Sums").first.check()
    text = kinds()["Sums"]
    expect(picture.locator(".c")).to_have_count(len(text))
    assert shown(picture)[1] == len(zoo.load("course").tokenizer.encode(text))


def in_torch(ids: list[int]) -> tuple[list[float], float]:
    """What comes after these tokens: the 8 best probabilities with the sum of all others, and that of new words."""
    course = zoo.load("course")
    with torch.inference_mode():
        p = course.model(torch.tensor([ids]))[0, -1].double().softmax(-1)
    best = p.topk(8).values
    blank = [token for token in range(len(p)) if course.tokenizer.token_bytes(token).startswith(b" ")]
    return [*best.tolist(), 1 - float(best.sum())], float(p[blank].sum())


def agree(said: str, p: float) -> None:
    """A percentage on the screen is this probability, rounded to its last digit."""
    if said in ("<0.1%", ">99.9%"):
        assert min(p, 1 - p) < 0.00096 and (p > 0.5) == (said[0] == ">")
    else:
        digits = len(said.strip(">%").partition(".")[2])
        assert float(said.strip(">%")) / 100 == pytest.approx(p, abs=0.0052 / 10**digits), said


def test_two_readings_show_what_torch_computes(visit):
    page = visit(LESSON).page
    picture = page.locator(".ll-readings:visible").first
    picture.locator(".ll-state", has_text="live, in this page").wait_for(timeout=60_000)
    words = zoo.load("course").tokenizer
    for text in (SAID, "The fog waits for the ferrywoman", "Grüße, 東京"):
        field = picture.get_by_role("textbox")
        field.fill(text)
        field.press("Enter")
        readings = [words.encode(text), list(text.encode())]
        expect(picture.locator(".ll-about")).to_have_text([f"{len(ids)} tokens" for ids in readings])
        expected = [in_torch([words.bos, *ids]) for ids in readings]
        numbers = picture.locator(".n").all_inner_texts()
        for said, p in zip(numbers, [p for column, _ in expected for p in column], strict=True):
            agree(said, p)
        new_words = re.findall(r"with ([<>]?[\d.]*\d%?)", picture.locator(".ll-sentence").inner_text())
        for said, (_, p) in zip(new_words, expected, strict=True):
            agree(said, p)


def test_a_vocabulary_can_be_learned_in_the_lesson(visit):
    page = visit(LESSON).page
    page.get_by_role("button", name="Learn the merges").click()
    page.get_by_text("Done: 2,000 of 2,000 merges").wait_for(timeout=90_000)
    own = page.locator(".ll-merges:visible").nth(1)
    own.locator(".ll-value", has_text="of 2,000").wait_for()
    assert own.locator(".ll-sums dd").nth(1).inner_text() != str(len(FIRST))
