"""Theatre in a real browser: the slider shows the numbers of its moment, and nothing on the page moves."""

import math

import numpy as np
import pytest

from llmlab.show import Stop, Theatre

pytestmark = pytest.mark.browser

VOCABULARY = [b"the", b" fog", b" ferry", b".", b" <b>lamp</b>", b"\xff", b" a", b" b"]
PAGE = [0, 1, 4, 2, 3]
LEVELS = [("a guess, ln V", math.log(8)), ("who has counted", 1.5), ("the writer", 0.3)]
CURVE = [(100, 2.08), (1_000, 1.6), (10_000, 0.9), (40_000, 0.5)]


def stop(tokens: int, written: str, seed: int, sharp: float) -> Stop:
    draw = np.random.default_rng(seed)
    shares = np.exp(sharp * draw.normal(size=(len(PAGE), len(VOCABULARY))))
    shares /= shares.sum(-1, keepdims=True)
    best = np.argsort(-shares, axis=-1)[:, :3]
    own = shares[np.arange(len(PAGE)), PAGE]
    return Stop(tokens, tokens // 100, "the", written, own, best, np.take_along_axis(shares, best, -1))


STOPS = [stop(0, " zzz", 1, 0.1), stop(1_000, " fog fog", 2, 1.0), stop(40_000, " <i>ferry</i>", 3, 3.0)]


def widget(**how) -> Theatre:
    given = {"curve": CURVE, "stops": STOPS, "source": "a test"} | how
    return Theatre(PAGE, VOCABULARY, levels=LEVELS, until=40_000, **given)


def move(page, place: int) -> None:
    page.get_by_role("slider").evaluate(
        "(input, v) => { input.value = v; input.dispatchEvent(new Event('input', {bubbles: true})) }", place
    )


def bits(one: Stop) -> np.ndarray:
    return -np.log2(one.probability)


def test_the_slider_drives_everything_at_once(mount):
    page = mount(widget(token=2))
    for place, one in enumerate(STOPS):
        move(page, place)
        assert f"{one.tokens:,} tokens read" in page.locator(".ll-value").inner_text()
        assert f"{bits(one).sum():.0f} bits" in page.locator(".ll-cost").inner_text()
        assert page.locator(".ll-sample").inner_text() == "the" + one.written
        said = page.locator(".ll-dist .n").all_inner_texts()
        assert len(said) == 4  # three candidates, one of which is the token that came, and all others
        now = page.locator(".ll-then li.on")
        assert now.locator(".n").inner_text() == f"{bits(one)[2]:.1f}"
        assert page.locator(".pin.on").count() == 1
        names = page.locator(".ll-page .tok").evaluate_all("(all) => all.map((t) => t.ariaLabel)")
        assert [name.split(", ")[-1] for name in names] == [f"{b:.2f} bits" for b in bits(one)]
    assert page.problems == []


def test_the_bar_of_a_token_is_as_long_as_its_bits(mount):
    page = mount(widget())
    heights = page.locator(".ll-page .tok i").evaluate_all(
        "(all) => all.map((i) => i.getBoundingClientRect().height)"
    )
    longest = heights[int(np.argmax(bits(STOPS[-1])))] / bits(STOPS[-1]).max()
    assert heights == pytest.approx((longest * bits(STOPS[-1])).tolist(), abs=1.5)


def test_the_token_that_came_is_always_among_the_candidates(mount):
    page = mount(widget())
    for place in range(len(PAGE)):
        page.locator(".ll-page .tok").nth(place).click()
        came = page.locator(".ll-dist .came")
        assert came.count() == 1
        assert came.locator(".t").inner_text().strip() == VOCABULARY[PAGE[place]].decode().strip()
    assert page.evaluate("window.model.get('token')") == len(PAGE) - 1


PARTS = ".ll-page .ink, .ll-sample, .ll-token, .ll-moves, .ll-plot"
PLACES = """(parts) => [...document.querySelectorAll(parts)].map((c) => {
  const box = c.getBoundingClientRect();
  return [box.left, box.top, box.width, box.height].map(Math.round);
})"""


def test_nothing_jumps(mount):
    page = mount(widget())
    before = page.evaluate(PLACES, PARTS)
    for place in (0, 1, 2):
        move(page, place)
        assert page.evaluate(PLACES, PARTS) == before


def test_what_a_model_writes_is_never_markup(mount):
    page = mount(widget())
    assert page.locator(".ll-theatre :is(b b, .tok b, .ll-sample i)").count() == 0
    assert "<i>ferry</i>" in page.locator(".ll-sample").inner_text()


def test_a_level_stands_where_the_axis_says(mount):
    page = mount(widget())
    box = page.locator(".ll-plot").bounding_box()
    for (_, nats), level in zip(LEVELS, page.locator(".ll-plot .level").all(), strict=True):
        at = level.bounding_box()
        share = (box["y"] + box["height"] - at["y"] - at["height"]) / box["height"]
        assert share == pytest.approx(nats / (1.12 * math.log(8)), abs=0.02)


def test_a_run_that_grows_is_followed_and_a_run_that_is_looked_back_at_stays(mount):
    live = widget(curve=CURVE[:2], stops=STOPS[:1], live=True)
    assert live.at == 0
    live.play_to(CURVE[:3], STOPS[:2])
    assert live.at == 1
    live.at = 0
    live.play_to(CURVE, STOPS)
    assert live.at == 0
    page = mount(live)
    assert page.get_by_role("slider").get_attribute("max") == "2"


@pytest.mark.parametrize(
    "order", ["stops numbers curve at", "at curve stops numbers", "numbers at stops curve"]
)
def test_news_may_arrive_in_any_order(mount, order):
    """marimo sets one traitlet after the other and tells of each at once, in the order of a Python set."""
    live = widget(curve=CURVE[:2], stops=STOPS[:1], live=True)
    page = mount(live)
    live.play_to(CURVE, STOPS)
    page.evaluate(
        """(news) => { for (const [name, value] of news)
            window.model.set(name, name === "at" ? value : new DataView(new Uint8Array(value).buffer)); }""",
        [[name, live.at if name == "at" else list(getattr(live, name))] for name in order.split()],
    )
    assert f"{bits(STOPS[2]).sum():.0f} bits" in page.locator(".ll-cost").inner_text()
    assert page.problems == []


def test_before_there_is_anything_it_says_what_to_do(mount):
    page = mount(widget(curve=(), stops=(), empty="Press Start."))
    assert page.locator(".ll-cost").inner_text() == "Press Start."
    assert page.get_by_role("button", name="Play").is_disabled()
    assert page.problems == []


def test_the_keyboard_reaches_it_all(mount):
    page = mount(widget(), still=True)
    move(page, 0)
    page.locator(".ll-page .tok").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("window.model.get('token')") == 1
    page.keyboard.press(" ")  # one moment on, since nothing may move by itself
    assert page.evaluate("window.model.get('at')") == 1
    page.keyboard.press("t")
    rows = page.locator(".ll-table tbody tr").all_inner_texts()
    assert len(rows) == len(STOPS) and f"{bits(STOPS[1]).sum():.0f}" in rows[1]
    page.keyboard.press("Escape")
    assert page.locator(".ll-table").is_hidden()


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits(mount, width):
    page = mount(widget(), width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
