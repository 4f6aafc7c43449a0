"""Every lesson in a real browser: on a laptop, on a phone, in the dark. The pictures stay in build/screenshots/."""

import pytest

from llmlab.course.lessons import available
from tests.lessons.conftest import LOOKS

PATHS = {"00_home": "/", **{lesson.slug: lesson.url for lesson in available()}}

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PATHS)
def test_page_is_whole(visit, keep_screenshot, name: str, look: str):
    """No error, no request that leaves the machine (`visit` checks both), nothing wider than the screen."""
    one = visit(PATHS[name], look)
    wide = one.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{wide} px wider than the screen"
    assert one.page.locator("h1").count() >= 1
    assert keep_screenshot(one, f"{name}-{look}").stat().st_size > 10_000


@pytest.mark.parametrize(("look", "theme"), [("1280", "light"), ("dark", "dark")])
def test_page_takes_the_colours_of_the_course(visit, look: str, theme: str):
    one = visit("/", look)
    one.page.wait_for_timeout(300)
    colour = one.page.evaluate("getComputedStyle(document.body).backgroundColor")
    paper = one.page.evaluate(
        "(() => { const p = document.createElement('p'); p.style.color = 'var(--ll-paper)'; document.body.append(p);"
        " const c = getComputedStyle(p).color; p.remove(); return c })()"
    )
    assert colour == paper
    bright = sum(map(int, colour[4:-1].split(", "))) > 3 * 128
    assert bright == (theme == "light")


def test_home_leads_into_each_lesson(visit):
    one = visit("/")
    links = {link.get_attribute("href") for link in one.page.locator(".ll-home a.row").all()}
    assert links == {lesson.url for lesson in available()}
