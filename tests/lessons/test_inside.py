"""Lesson 06 in a real browser: what the pictures show is what torch computes from the same model."""

import pytest
from playwright.sync_api import expect

from llmlab.course.inside import answers, copying_head, presets
from llmlab.model import zoo
from llmlab.show.number_format import percent
from llmlab.world import build_world

pytestmark = pytest.mark.browser
LESSON = "/06_inside/"


def test_the_picture_shows_what_torch_computes(visit):
    page = visit(LESSON).page
    picture = page.locator(".ll-view-attention:visible").first
    prompt = next(iter(presets("course", build_world()).values())).prompt
    ask, (layer, head) = answers("course"), copying_head("course")
    row = ask.look("model", ask.ids(prompt)).attention[layer, head, -1]
    assert picture.locator(".ll-takes .n").first.inner_text() == percent(float(row.max()))


def test_a_new_text_goes_through_all_views(visit):
    page = visit(LESSON).page
    picture = page.locator(".ll-view-attention:visible").first
    field = picture.get_by_role("textbox", name="Your text")
    field.fill("The fog is late")
    field.press("Enter")
    n = 1 + len(zoo.load("course").tokenizer.encode("The fog is late"))
    for view in ("attention", "stream", "knockout", "path"):
        page.locator(f".ll-view-{view}").scroll_into_view_if_needed()
        expect(page.locator(f".ll-view-{view} .ll-text .ll-tok")).to_have_count(n, timeout=60_000)


def test_a_knocked_out_head_changes_the_numbers(visit):
    page = visit(LESSON).page
    view = page.locator(".ll-view-knockout:visible").first
    layer, head = copying_head("course")
    view.get_by_role("switch", name=f"layer {layer + 1}, head {head + 1}").click()
    wanted = f"{answers('course').on_pages('model', ((layer, head),), ()):.2f} bits a token"
    view.locator(".ll-two dd", has_text=wanted).wait_for(timeout=60_000)
