"""Lesson 04 in a real browser: the slider, the archive, the bill, and a training that is started, paused and ended."""

import numpy as np
import pytest
from playwright.sync_api import expect

from llmlab.course import pretraining_measured
from llmlab.course.pretraining import article, first_page, shipped_stops

pytestmark = pytest.mark.browser
LESSON = "/04_pretraining/"


def test_the_slider_shows_what_python_computes(visit):
    page = visit(LESSON).page
    picture = page.locator(".ll-theatre:visible").first
    picture.locator(".tok").first.wait_for()
    slider = picture.get_by_role("slider")
    for place, stop in enumerate(shipped_stops()):
        slider.evaluate(
            "(input, v) => { input.value = v; input.dispatchEvent(new Event('input', {bubbles: true})) }",
            place,
        )
        bits = -np.log2(stop.probability).sum()
        expect(picture.locator(".ll-cost")).to_contain_text(f"{bits:,.0f} bits")
        expect(picture.locator(".ll-value")).to_have_text(f"{stop.tokens:,} tokens read")


def test_a_page_is_packed_and_its_bytes_are_shown(visit):
    page = visit(LESSON).page
    packed, _ = pretraining_measured.archived(article(first_page()), "course")
    packer = page.get_by_role("radio", name="pocket")
    packer.scroll_into_view_if_needed()  # a text is packed when it is seen
    expect(page.locator("code", has_text=packed.hex(" ")[:40])).to_be_visible(timeout=30_000)
    packer.check()
    other, _ = pretraining_measured.archived(article(first_page()), "pocket")
    expect(page.locator("code", has_text=other.hex(" ")[:40])).to_be_visible(timeout=30_000)


def test_the_bill_follows_a_number(visit):
    page = visit(LESSON).page
    gpus = page.get_by_label("GPUs").first
    gpus.fill("12000")
    gpus.press("Enter")
    expect(page.get_by_role("row", name="time 6.0 days").first).to_be_visible(timeout=30_000)


def test_a_training_starts_pauses_goes_on_and_stops(visit):
    page = visit(LESSON).page
    press = lambda name: page.get_by_role("button", name=name, exact=True).click()  # noqa: E731
    press("Start")
    page.get_by_text("Learning:").wait_for(timeout=300_000)
    press("Pause")
    page.get_by_text("Paused:").wait_for(timeout=60_000)
    press("Go on")
    page.get_by_text("Learning:").wait_for(timeout=120_000)
    live = page.locator(".ll-theatre:visible").nth(1)
    expect(live.locator(".tok.ll-chosen")).to_have_count(1)
    press("Stop")
    page.get_by_text("Stopped:").wait_for(timeout=60_000)
