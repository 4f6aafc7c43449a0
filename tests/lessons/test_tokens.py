"""Lesson 03 in a real browser: what the slider shows is what Python computes from the same merges."""

import pytest
from playwright.sync_api import expect

from llmlab.course.tokens import FIRST
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


def test_a_vocabulary_can_be_learned_in_the_lesson(visit):
    page = visit(LESSON).page
    page.get_by_role("button", name="Learn the merges").click()
    page.get_by_text("Done: 2,000 of 2,000 merges").wait_for(timeout=90_000)
    own = page.locator(".ll-merges:visible").nth(1)
    own.locator(".ll-value", has_text="of 2,000").wait_for()
    assert own.locator(".ll-sums dd").nth(1).inner_text() != str(len(FIRST))
