"""Token text in a real browser: marks, selection, keyboard, table."""

import numpy as np
import pytest

from llmlab.show import TokenText
from llmlab.show.number_format import percent

pytestmark = pytest.mark.browser

TOKENS = [
    "<|user|>",
    "The",
    " grey",
    " fer",
    "rel",
    " nests",
    " on",
    " <b>Blot</b>",
    ".",
    "\n\n",
    "It",
    " lays",
    " four",
    " eggs",
    ".",
]
P = np.array([np.nan, 0.0005, 0.005, 0.03, 0.1, 0.3, 0.7, 0.95, 1.0, 0.5, 0.2, 0.05, 0.01, 0.001, 0.9])


def ink(page, place: int) -> str:
    return page.evaluate(
        "(i) => getComputedStyle(document.querySelectorAll('.ll-tok')[i].querySelector('.ll-ink')).backgroundColor",
        place,
    )


def test_the_text_is_as_written_and_never_markup(mount):
    page = mount(TokenText(TOKENS, special=[0]))
    assert page.locator(".ll-run").inner_text().replace("↵", "") == "".join(TOKENS)
    assert page.locator(".ll-run b").count() == 0
    assert page.locator(".ll-box").inner_text() == "<|user|>"
    assert page.problems == []


@pytest.mark.parametrize("dark", [False, True])
def test_depth_of_blue_is_probability(mount, dark):
    """More probable is further from the paper: lightness falls on paper, rises on night."""
    page = mount(TokenText(TOKENS, probability=P), dark=dark)
    order = np.argsort(P[1:9]) + 1
    light = [sum(int(v) for v in ink(page, int(i))[4:-1].split(",")) for i in order]
    steps = np.diff(light) * (1 if dark else -1)
    assert (steps >= 0).all() and (steps > 0).sum() == 6  # eight tokens, seven depths


@pytest.mark.parametrize(
    "name, style", [("copied", "double"), ("true", "solid"), ("false", "wavy"), ("nothing", "dotted")]
)
def test_a_verdict_is_a_line_of_its_own_kind(mount, name, style):
    page = mount(TokenText(TOKENS, verdict=[""] * 5 + [name] * 3 + [""] * 7))
    lines = page.locator(f".ll-run .ll-v-{name}")
    assert lines.count() == 3
    assert lines.first.evaluate("(e) => getComputedStyle(e).textDecorationStyle") == style
    assert lines.first.inner_text() == "nests"  # the line of a run starts at its first letter
    assert page.locator(".ll-key").inner_text().split() == [
        {"copied": "=", "true": "✓", "false": "×", "nothing": "∅"}[name],
        name,
    ]


def test_author_and_verdict_fit_on_one_word(mount):
    page = mount(TokenText(["a", " b"], author=["user", "tool"], verdict=["true", "false"]))
    grounds = page.evaluate(
        "() => [...document.querySelectorAll('.ll-run .ll-tok')].map((e) => getComputedStyle(e).backgroundColor)"
    )
    assert grounds == ["rgb(252, 233, 221)", "rgb(219, 242, 249)"]
    assert page.locator(".ll-run .ll-v").count() == 2


def test_details_are_shown_for_the_hovered_the_focused_and_the_chosen(mount):
    page = mount(TokenText(TOKENS, probability=P, details=[{"pages": str(i)} for i in range(len(TOKENS))]))
    detail = page.locator(".ll-detail")
    assert "Point at a token" in detail.inner_text()
    page.locator(".ll-run .ll-tok").nth(3).hover()
    assert detail.locator("dd").all_inner_texts() == [
        "4 of 15",
        percent(0.03),
        f"{-np.log2(0.03):.2f} bits",
        "3",
    ]
    high = detail.bounding_box()["height"]
    page.locator(".ll-run .ll-tok").nth(6).click()
    page.mouse.move(1200, 700)
    page.locator(".ll-run .ll-tok").nth(6).evaluate("(e) => e.blur()")
    assert detail.locator("dd").first.inner_text() == "7 of 15"
    assert detail.bounding_box()["height"] == high
    assert page.evaluate("window.saved.at(-1).selected") == 6


def test_the_keyboard_moves_selects_and_clears(mount):
    page = mount(TokenText(TOKENS * 20, probability=np.tile(P, 20)), 700)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    place = "[...document.querySelectorAll('.ll-run .ll-tok')].indexOf(document.activeElement)"
    assert page.evaluate(place) == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(place) == 2
    page.keyboard.press("ArrowDown")
    below = page.evaluate(place)
    assert below > 2
    page.keyboard.press("ArrowUp")
    assert page.evaluate(place) < below
    page.keyboard.press("Enter")
    assert page.evaluate("window.model.get('selected')") == page.evaluate(place)
    page.keyboard.press("Escape")
    assert page.evaluate("window.model.get('selected')") == -1
    assert page.evaluate("document.querySelectorAll('.ll-run .ll-tok[tabindex=\"0\"]').length") == 1


def test_the_table_has_a_line_for_each_token(mount):
    page = mount(TokenText(TOKENS, probability=P, verdict=["true"] * 15))
    high = page.locator(".ll-run").bounding_box()["height"]
    page.get_by_role("button", name="Table").click()
    assert page.locator(".ll-table tbody tr").count() == 15
    assert page.locator(".ll-table tbody tr").nth(4).inner_text().split() == [
        "rel",
        "5",
        percent(0.1),
        f"{-np.log2(0.1):.2f}",
        "bits",
        "✓",
        "true",
    ]
    assert page.locator(".ll-table").bounding_box()["height"] == pytest.approx(high, abs=1)


def test_an_empty_text_says_what_to_do(mount):
    page = mount(TokenText([], empty="Press Dream to begin."))
    assert page.locator(".ll-detail").inner_text() == "Press Dream to begin."


def test_another_text_replaces_the_first(mount):
    widget = TokenText(["a"])
    page = mount(widget)
    page.evaluate(
        "(json) => window.model.set('data', new DataView(new TextEncoder().encode(json).buffer))",
        '{"tokens": ["x", " y"], "gap": true}',
    )
    assert page.locator(".ll-run").inner_text().strip() == "x y" and page.locator(".ll-gap").count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": ["true"]},
        {"verdict": ["made up", "", ""]},
        {"author": ["", "", "god"]},
        {"probability": [0.1]},
    ],
)
def test_marks_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match=r"values for 3 tokens|is not one of"):
        TokenText(["a", "b", "c"], **wrong)


def test_a_phone_has_no_sideways_scroll(mount):
    page = mount(TokenText(TOKENS * 10, probability=np.tile(P, 10)), 390, 844, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_strip_draws_a_number_a_token_and_leads_to_it(mount):
    heights = [0, 2, 4, 8, 8, 16, 20, 3, 1, 0, 5, 10, 10, 10, 2]
    widget = TokenText(
        TOKENS, strip=heights, top=16, line=8, about="tokens of the match", verdict=["true"] * 15
    )
    page = mount(widget)
    hills = page.locator(".ll-hills")
    full = hills.bounding_box()
    bars = [bar.bounding_box() for bar in page.locator(".ll-hills i").all()]
    assert len(bars) == len(TOKENS)
    for bar, height in zip(bars, heights, strict=True):
        assert bar["height"] == pytest.approx(
            full["height"] * min(1, height / 16), abs=1.5
        )  # the border counts
    across = page.locator(".ll-across").bounding_box()
    assert across["y"] == pytest.approx(full["y"] + full["height"] / 2, abs=2)
    hills.click(position={"x": full["width"] * 5.5 / len(TOKENS), "y": 5})
    assert page.evaluate("window.model.get('selected')") == 5
    assert "16" in page.locator(".ll-detail").inner_text()
    assert page.locator(".ll-hills .ll-on").count() == 1
    assert page.problems == []


def test_without_numbers_there_is_no_strip(mount):
    page = mount(TokenText(TOKENS))
    assert page.locator(".ll-strip").is_hidden()


def test_room_for_lines_does_not_depend_on_the_text(mount):
    high = [
        mount(TokenText(tokens, lines=9)).locator(".ll-run").bounding_box()["height"]
        for tokens in (["a"], TOKENS)
    ]
    assert high[0] == high[1]
    code = mount(TokenText(["x" + " " * 300], lines=9, code=True), 390, 844)
    assert code.evaluate("document.documentElement.scrollWidth") <= 390
