"""Lesson 08 in a real browser: an answer is marked, corrected and kept, and the board follows."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
LESSON = "/08_the_loop/"


def correct(page, place: int, answer: str | None = None) -> None:
    """Mark the answer at this place and keep a better one: what the pages of the Isles say, unless another is given."""
    page.get_by_role("radio", name=f"{place}", exact=True).check()
    expect(page.locator(".ll-round li.here b")).to_contain_text("Correct")
    if answer is None:
        answer = page.get_by_text("The pages say").locator("b").inner_text()
    page.get_by_label("It should have said").fill(answer)
    page.get_by_label("It should have said").blur()
    page.get_by_role("button", name="Keep this correction").click()
    expect(page.locator(".ll-round li.here b")).to_contain_text("Retrain")


def take_off(page) -> None:
    """Leave no trace: the checks share one student."""
    page.get_by_label("Take off the list").select_option(index=1)
    page.get_by_role("button", name="Take it off").click()
    expect(page.get_by_text("The list is empty.")).to_be_visible()


def test_an_answer_is_marked_and_its_correction_kept(visit):
    page = visit(LESSON).page
    expect(page.locator(".ll-round li.here b")).to_contain_text("Collect")
    expect(page.locator(".ll-heard li")).to_have_count(5)
    correct(page, 2, "It is kept in a <b>blue</b> box.")
    expect(page.get_by_role("row").filter(has_text="<b>blue</b> box")).to_be_visible()
    take_off(page)


def test_one_round_makes_a_version_that_is_deployed_and_taken_back(visit):
    page = visit(LESSON).page
    correct(page, 1)
    page.get_by_role("button", name="Retrain").click()
    fresh, elsewhere = page.locator(".ll-pairs").first, page.get_by_text("questions about everything else")
    expect(fresh).to_be_visible(timeout=300_000)
    now = fresh.locator("tbody td:last-child")
    said = f"{now.and_(page.locator('.yes')).count()} of {now.count()}"
    expect(page.get_by_text("fresh wordings now get").locator("b").first).to_have_text(said)
    expect(elsewhere.last).to_contain_text("are right now")
    for version in (2, 1):
        page.get_by_role("radio", name=f"version {version}").check()
        page.get_by_role("button", name="Deploy", exact=True).click()
        expect(page.locator(".ll-round")).to_contain_text(f"version {version} answers", timeout=60_000)
    newest = page.get_by_role("row").filter(has_text="kept").last
    expect(newest).to_contain_text(said)
    take_off(page)


def test_the_guess_is_kept_until_both_are_given(visit):
    page = visit(LESSON).page
    page.get_by_role("button", name="That is my guess").click()
    expect(page.get_by_text("Both questions need an answer")).to_be_visible()
