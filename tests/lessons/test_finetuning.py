"""Lesson 07 in a real browser: both columns are what the models write, and a chat shows text and no markup."""

import pytest
from playwright.sync_api import expect

from llmlab.course import finetuning
from llmlab.model import zoo
from llmlab.world import build_world

pytestmark = pytest.mark.browser
LESSON = "/07_finetuning/"
MARKUP = "<img src=x onerror=\"document.title='broken'\"> **bold** <|end|>"


def test_both_columns_and_the_strip_are_the_models(visit):
    page = visit(LESSON).page
    found = finetuning.pair(next(iter(finetuning.presets(build_world()).values())))
    texts = page.locator(".ll-tokens:visible")
    for place, ids in enumerate((found.base, found.assistant)):
        expect(texts.nth(place).locator(".ll-run .ll-tok")).to_have_count(len(ids))
    strip = texts.nth(2)
    expect(strip.locator(".ll-hills i")).to_have_count(len(found.shifts))
    shifted = sum(one.kind == "shifted" for one in found.shifts)
    expect(strip.locator(".ll-run .ll-s-shifted")).to_have_count(shifted)


def test_the_slider_reaches_both_models(visit):
    page = visit(LESSON).page
    blend = page.locator(".ll-blend:visible").first
    expect(blend.locator(".ll-ends .cut, .ll-ends .ended")).to_have_count(21, timeout=90_000)
    prompt = next(iter(finetuning.presets(build_world()).values()))
    for place, share in ((0, 0.0), (20, 1.0)):
        blend.get_by_role("slider").evaluate(
            "(input, v) => { input.value = v; input.dispatchEvent(new Event('input', {bubbles: true})) }",
            place,
        )
        wanted = finetuning.blended({"text": prompt, "share": share})[0]["said"]
        assert blend.locator(".ll-sheet").text_content() == wanted


def test_the_switch_puts_the_adapter_on(visit):
    page = visit(LESSON).page
    switch = page.get_by_role("switch", name="Adapter on")
    switch.scroll_into_view_if_needed()
    text = page.locator(".ll-tokens:visible").nth(3)
    for on in (False, True):
        if on:
            switch.click()
        ids, _ = finetuning.asked_once(finetuning.presets(build_world())["A question"], on)
        expect(text.locator(".ll-run .ll-tok")).to_have_count(len(ids), timeout=20_000)


def test_a_chat_shows_what_was_said_and_what_is_read(visit):
    page = visit(LESSON).page
    field = page.locator("marimo-chatbot .cm-content, marimo-chatbot textarea").first
    field.scroll_into_view_if_needed()
    field.click()
    page.keyboard.type(MARKUP)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="The same as the model reads it").click()
    raw = page.locator(".ll-tokens:visible", has_text="<|assistant|>").last
    end = zoo.load(finetuning.ASSISTANT).tokenizer
    boxes = raw.locator(".ll-run .ll-box", has_text="<|")
    expect(boxes).to_have_count(
        5, timeout=60_000
    )  # bos, user, end, assistant, end: the typed one is not among them
    assert end.special["<|end|>"] and page.title() != "broken"
