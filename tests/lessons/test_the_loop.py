"""Lesson 08 in a real browser: an answer is marked, corrected and kept, and the board follows."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
LESSON = "/08_the_loop/"


def test_an_answer_is_marked_and_its_correction_kept(visit):
    page = visit(LESSON).page
    station = page.locator(".ll-round li.here b")
    expect(station).to_contain_text("Collect")
    expect(page.locator(".ll-heard li")).to_have_count(5)
    page.get_by_role("radio", name="2", exact=True).check()
    expect(station).to_contain_text("Correct")
    page.get_by_label("It should have said").fill("It is kept in a <b>blue</b> box.")
    page.get_by_label("It should have said").blur()
    page.get_by_role("button", name="Keep this correction").click()
    expect(station).to_contain_text("Retrain")
    expect(page.get_by_role("row").filter(has_text="<b>blue</b> box")).to_be_visible()


def test_the_guess_is_kept_until_both_are_given(visit):
    page = visit(LESSON).page
    page.get_by_role("button", name="That is my guess").click()
    expect(page.get_by_text("Both questions need an answer")).to_be_visible()
