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


# Every visible piece of text, in shadow roots too, whose colour is too near to that of the paper behind it.
FAINT = """(least) => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map((v) => linear(v / 255))
    .reduce((sum, v, k) => sum + v * [.2126, .7152, .0722][k], 0);
  const behind = (node) => {
    for (; node; node = node.parentNode || node.host) {
      if (!(node instanceof Element)) continue;
      const paper = rgba(getComputedStyle(node).backgroundColor);
      if (paper[3] > 200) return paper;
    }
    return [255, 255, 255, 255];
  };
  const faint = new Set();
  const walk = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.shadowRoot) walk(node.shadowRoot);
      const words = [...node.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join(' ').trim();
      if (!words || !node.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      if (node.closest('svg, style, script, [disabled], .cm-line span')) continue;
      const box = node.getBoundingClientRect();
      if (box.width < 2 || box.height < 2) continue;
      const [a, b] = [light(rgba(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
      if ((a + .05) / (b + .05) < least) faint.add(words.slice(0, 40));
    }
  };
  walk(document.body);
  return [...faint];
}"""


@pytest.mark.parametrize("look", ["1280", "dark"])
@pytest.mark.parametrize("name", PATHS)
def test_words_can_be_read_when_the_button_changes_the_light(visit, name: str, look: str):
    """The system says one thing, the button another; marimo knows only the first, and its letters must follow."""
    one = visit(PATHS[name], look)
    assert one.page.evaluate(FAINT, 3.0) == []
    one.page.locator("[data-ll-act=theme]").click()
    one.page.wait_for_timeout(500)
    assert one.page.evaluate(FAINT, 3.0) == []


def test_home_leads_into_each_lesson(visit):
    one = visit("/")
    links = {link.get_attribute("href") for link in one.page.locator(".ll-home a.row").all()}
    assert links == {lesson.url for lesson in available()}
