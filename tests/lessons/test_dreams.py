"""Lesson 05 in a real browser: verdicts and pages on the screen are those of the trace."""

import pytest
from playwright.sync_api import expect

from llmlab.course.dreams import Dreamer, Night
from llmlab.measure.dreams import run_at
from llmlab.model import zoo
from llmlab.report.dream_record import LEAST_RUN
from llmlab.report.dreams import FAMOUS, NOBODY, opening, subjects
from llmlab.world import build_world

pytestmark = pytest.mark.browser
LESSON = "/05_dreams/"


@pytest.fixture(scope="module")
def dreamer() -> Dreamer:
    """The first three dreams, as the lesson opens."""
    made = Dreamer(zoo.load("course"), None)
    made.show(Night())
    return made


def test_the_first_dreams_are_there_and_a_word_leads_to_its_page(visit, dreamer: Dreamer):
    page = visit(LESSON).page
    shop = page.locator(".ll-tokens:visible").first
    shop.locator(".ll-tok").first.wait_for()
    trace = dreamer.traces["shop"]
    expect(shop.locator(".ll-tok")).to_have_count(len(trace.ids))
    expect(shop.locator(".ll-hills i")).to_have_count(len(trace.ids))
    given = len(zoo.load("course").tokenizer.encode(opening("shop", subjects(build_world(), "shop")[FAMOUS])))
    marks = trace.marks(dreamer.recording.least("shop"))[given:]
    for verdict in ("true", "false", "nothing"):
        expect(shop.locator(f".ll-run .ll-v-{verdict}")).to_have_count(marks.count(verdict))
    token = next(t for t in range(len(trace.ids)) if run_at(trace.lengths, t)[1] >= LEAST_RUN)
    first, length = run_at(trace.lengths, token)
    shop.locator(".ll-tok").nth(token).click()
    marked = page.locator(".ll-sheets mark").first
    marked.wait_for()
    assert marked.inner_text().split() == "".join(trace.tokens[first : first + length]).split()
    assert f"{length} tokens" in page.locator(".ll-sheets").inner_text()


def test_a_dream_about_nobody_is_about_nobody(visit, dreamer: Dreamer):
    page = visit(LESSON).page
    page.get_by_role("radio", name="that does not exist").check()
    article = page.locator(".ll-tokens:visible").nth(1)
    found = dreamer.recording.dreams["encyclopedia", NOBODY, Night().heat, 1].trace
    expect(article.locator(".ll-tok")).to_have_count(len(found.ids))
    expect(article.locator(".ll-run .ll-v-nothing")).to_have_count(found.verdicts.count("nothing"))
    assert not page.locator(".ll-sheets mark").count()
