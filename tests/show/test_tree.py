"""Tree in a real browser: heights are numpy's at every temperature, verdicts add up, the keyboard walks."""

import numpy as np
import pytest

from llmlab.show import Tree
from llmlab.show.number_format import percent
from llmlab.show.tree import TEMPERATURES, roads

pytestmark = pytest.mark.browser

V = 60
VOCABULARY = [f" w{i}" for i in range(V - 1)] + ["<i>x</i>"]
PROMPT = [2, 3]
GLYPHS = {"true": "✓", "false": "×", "nothing": "∅"}


def ask(ids: list[int]) -> np.ndarray:
    generator = np.random.default_rng([len(ids), *ids])
    return generator.normal(0, 2.5, V).astype(np.float32)


def shares(ids: list[int], temperature: float = 1.0) -> np.ndarray:
    z = ask(ids).astype(np.float64) / temperature
    e = np.exp(z - z.max())
    return e / e.sum()


BEST = int(np.argmax(ask(PROMPT)))
NEXT = int(np.argmax(ask([*PROMPT, BEST])))


def verdict(way: list[int]) -> str:
    """Two tokens decide; the best road is the true one."""
    if len(way) < 2:
        return ""
    return "true" if way[:2] == [BEST, NEXT] else ("false", "nothing")[way[1] % 2]


def tree(**how) -> Tree:
    def answer(request: dict):
        return roads(ask, request["ids"], VOCABULARY, least=0.05).reply()

    first = roads(ask, PROMPT, VOCABULARY, width=5, least=0.01, verdict=verdict, truth=[BEST, NEXT])
    return Tree(first, prompt="The mother of w3 is", answer=answer, **how)


def blocks(page) -> list[dict]:
    """Every block as it is drawn: left and height as shares of the picture, text, class."""
    return page.evaluate("""() => {
      const all = document.querySelector(".ll-blocks").getBoundingClientRect();
      const text = (block, part) => block.querySelector(part).textContent;
      return [...document.querySelectorAll(".ll-block")].map((b) => {
        const box = b.getBoundingClientRect();
        return { column: Math.round(3 * (box.left - all.left) / all.width), height: box.height / all.height,
          word: text(b, "i"), number: text(b, "small"), names: b.className };
      });
    }""")


def heat(page, temperature: float) -> None:
    step = int(np.argmin(abs(TEMPERATURES - temperature)))
    page.get_by_role("slider", name="Temperature").evaluate(
        "(s, v) => { s.value = v; s.dispatchEvent(new Event('input')); s.dispatchEvent(new Event('change')); }",
        step,
    )


def settle(page) -> None:
    """Blocks glide for a moment after a step."""
    page.wait_for_function("!document.querySelector('.ll').classList.contains('ll-moving')")


@pytest.mark.parametrize("temperature", [0.2, 1.0, 1.55])
def test_heights_are_numpys_probabilities(mount, temperature):
    page = mount(tree())
    settle(page)
    heat(page, temperature)
    p = shares(PROMPT, temperature)
    first = [b for b in blocks(page) if b["column"] == 0 and "others" not in b["names"]]
    assert len(first) == 5
    for block in first:
        token = int(block["word"].removeprefix("w"))
        assert block["height"] == pytest.approx(p[token], abs=0.006)  # 2 px of 528 are the gap
        if p[token] > 0.05:
            assert block["number"] == percent(p[token])
    assert page.evaluate("window.saved.at(-1).temperature") == temperature
    assert page.problems == []


def test_the_second_column_is_the_probability_of_the_road(mount):
    page = mount(tree())
    settle(page)
    road = shares(PROMPT)[BEST] * shares([*PROMPT, BEST])[NEXT]
    [block] = [
        b for b in blocks(page) if b["column"] == 1 and b["word"] == f"w{NEXT}" and "ll-is-true" in b["names"]
    ]
    assert block["number"] == percent(road)
    frame = page.locator(".ll-road").bounding_box()
    high = page.locator(".ll-blocks").bounding_box()["height"]
    assert frame["height"] / high == pytest.approx(road, abs=0.01)


def test_verdicts_add_up_to_the_sums(mount):
    """Summed in numpy over the roads that the first picture asked for."""
    page = mount(tree())
    first = roads(ask, PROMPT, VOCABULARY, width=5, least=0.01, verdict=verdict, truth=[BEST, NEXT])
    total = dict.fromkeys(("true", "false", "nothing", ""), 0.0)
    p, left = {0: 1.0}, dict.fromkeys(first.rest, 1.0)
    ways: dict[int, list[int]] = {0: []}
    for i, road in enumerate(first.roads, start=1):
        ways[i] = [*ways[road.parent], road.id]
        share = shares([*PROMPT, *ways[road.parent]])[road.id]
        p[i] = p[road.parent] * share
        left[road.parent] -= share
        if i not in first.rest:
            total[road.verdict] += p[i]
    for place, share in left.items():
        total[first.roads[place - 1].verdict if place else ""] += p[place] * share
    shown = page.locator(".ll-sums p b").all_inner_texts()
    assert shown == [percent(v) for v in total.values()]
    assert sum(total.values()) == pytest.approx(1)


def test_a_press_walks_in_and_back_and_counts_the_bits(mount):
    page = mount(tree())
    settle(page)
    page.locator(".ll-block", has_text=f"w{BEST}").first.click()
    gained = -np.log2(shares(PROMPT)[BEST])
    assert page.locator(".ll-gain").inner_text() == f"{abs(gained):.2f} bits"
    assert page.evaluate("window.model.get('path')") == [BEST]
    assert page.evaluate("window.model.get('text')") == f"The mother of w3 is w{BEST}"
    settle(page)
    p = shares([*PROMPT, BEST])
    [block] = [b for b in blocks(page) if b["column"] == 0 and b["word"] == f"w{NEXT}"]
    assert block["height"] == pytest.approx(p[NEXT], abs=0.006)
    page.get_by_role("button", name="Back").click()
    assert page.evaluate("window.model.get('path')") == []


def test_the_keyboard_walks_and_asks_further(mount):
    page = mount(tree(), still=True)
    page.locator(".ll-block[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    second = int(np.argsort(-ask(PROMPT))[1])
    page.keyboard.press("Enter")
    assert page.evaluate("window.model.get('path')") == [second]
    page.keyboard.press("ArrowLeft")
    for steps in range(1, 5):  # the first picture holds three; from there on each step is asked for
        page.keyboard.press("ArrowRight")
        page.wait_for_function("(n) => window.model.get('path').length === n", arg=steps)
        best = int(np.argmax(ask([*PROMPT, *page.evaluate("window.model.get('path')")])))
        page.wait_for_function(
            """(word) => document.querySelector(".ll-block i")?.textContent === word
              && document.activeElement.matches(".ll-block")""",
            arg=f"w{best}",
        )
    page.keyboard.press("Escape")
    assert page.evaluate("window.model.get('path')") == []


def test_a_step_is_asked_for_so_that_all_columns_are_there(mount):
    page = mount(tree())
    page.locator(".ll-block", has_text=f"w{BEST}").first.click()
    page.wait_for_function("document.querySelector('.ll-block[aria-level=\"3\"]')")
    assert page.locator(".ll-state").inner_text() == "live"


def test_a_recording_ends_where_it_ends(mount):
    first = roads(ask, PROMPT, VOCABULARY, depth=1)
    page = mount(Tree(first, prompt="x"))
    page.locator(".ll-block").first.click()
    assert page.get_by_text("has not been asked further").is_visible()
    assert page.get_by_role("button", name="Ask the model").count() == 0


def test_the_table_holds_the_blocks(mount):
    page = mount(tree())
    drawn = len(blocks(page))
    page.keyboard.press("Tab")
    page.locator(".ll-block[tabindex='0']").focus()
    page.keyboard.press("t")
    lines = page.locator(".ll-table tbody tr")
    assert lines.count() == drawn
    assert lines.first.locator("td").nth(1).inner_text() == percent(shares(PROMPT)[BEST])


def test_a_slider_answers_within_a_frame(mount):
    """Median of 74 moves with style and layout; the first picture has over a hundred blocks."""
    page = mount(tree())
    settle(page)
    times = page.evaluate("""() => {
      const s = document.querySelector("input[type=range]"), times = [];
      for (let i = 0; i < 74; i++) {
        s.value = i % 37;
        const from = performance.now();
        s.dispatchEvent(new Event("input"));
        document.querySelector(".ll-blocks").lastChild.getBoundingClientRect();
        times.push(performance.now() - from);
      }
      return times;
    }""")
    assert len(blocks(page)) > 60
    assert np.median(times) < 16, times


def test_markup_stays_text_and_special_words_are_boxes(mount):
    first = roads(lambda ids: np.eye(V)[V - 1] * 9, [0], VOCABULARY, width=2, depth=1, special=[V - 1])
    page = mount(Tree(first, prompt="<b>x</b>", answer=None))
    assert page.locator(".ll-block .ll-box").inner_text() == "<i>x</i>"
    assert page.locator(".ll-path button").first.inner_text() == "<b>x</b>"
    assert page.locator(".ll-state").inner_text() == "recorded"


def test_a_phone_shows_blocks_sums_and_slider_at_once(mount):
    page = mount(tree(), 390, 844, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.get_by_role("slider", name="Temperature").bounding_box()
    assert box["y"] + box["height"] <= 844 and box["height"] >= 43.9


@pytest.mark.parametrize("dark, wash", [(False, "rgb(220, 243, 235)"), (True, "rgb(23, 48, 39)")])
def test_both_themes_use_the_tokens(mount, dark, wash):
    page = mount(tree(), dark=dark)
    assert page.evaluate("getComputedStyle(document.querySelector('.ll-is-true')).backgroundColor") == wash
