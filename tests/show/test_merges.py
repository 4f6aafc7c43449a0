"""Merges in a real browser: what the slider shows is what a plain reading of the borders says, and no letter moves."""

import numpy as np
import pytest

from llmlab.show import Merges
from llmlab.show.merges import NEVER, merges_reply

pytestmark = pytest.mark.browser

TEXT = "the fog 👩‍🚀 <b>é"
BYTES = TEXT.encode()
# " fog" grows at merges 3, 5 and 9; "the" at 1 and 2; é at 7; between words nothing ever falls
FALLS = [None] * (len(BYTES) - 1)
FALLS[0:2] = [2, 1]
FALLS[3:6] = [9, 5, 3]
FALLS[-1] = 7
STEPS = [1, 2, 3, 5, 7, 9]
COUNTS = dict(zip(STEPS, (60, 50, 40, 30, 20, 10), strict=True))


def tokens_after(m: int) -> list[bytes]:
    """The tokens after m merges, by cutting the bytes at the borders that stand."""
    cuts = [i + 1 for i, fall in enumerate(FALLS) if fall is None or fall > m]
    return [BYTES[a:b] for a, b in zip([0, *cuts], [*cuts, len(BYTES)], strict=True)]


def answer(request: dict):
    if request["text"] == TEXT:
        return merges_reply(TEXT, FALLS, 12, COUNTS)
    n = len(request["text"].encode())
    return merges_reply(request["text"], [1] * (n - 1), 1)


def widget(**how) -> Merges:
    return Merges({"a": "the crawl", "b": "this text"}, answer=answer, prompt=TEXT, **how)


def numbers(page) -> list[str]:
    return page.locator(".ll-sums dd").all_inner_texts()


def move(page, place: int) -> None:
    page.get_by_role("slider").evaluate(
        "(input, v) => { input.value = v; input.dispatchEvent(new Event('input', {bubbles: true})) }", place
    )


PLACES = """() => [...document.querySelectorAll('.c')].map((c) => {
  const box = c.getBoundingClientRect();
  return [box.left, box.top, box.width, box.height];
})"""


def test_each_place_of_the_slider_shows_the_tokens_and_no_letter_moves(mount):
    page = mount(widget())
    letters = page.evaluate(PLACES)
    page.get_by_role("button", name="Table").click()
    for place, merges in enumerate([0, *STEPS]):
        move(page, place)
        right = tokens_after(merges)
        assert numbers(page) == [str(len(BYTES)), str(len(right)), f"{len(BYTES) / len(right):.2f}"]
        assert page.locator(".ll-slider .ll-value").inner_text() == f"{merges} of 12"
        sizes = page.locator(".ll-table tbody td:nth-child(4)").all_inner_texts()
        assert [int(size) for size in sizes] == list(map(len, right))
    page.get_by_role("button", name="Table").click()
    assert page.evaluate(PLACES) == letters
    assert page.problems == []


def test_the_text_is_as_written_and_never_markup(mount):
    page = mount(widget())
    assert page.locator(".ll-text").text_content() == TEXT
    assert page.locator(".ll-text b").count() == 0
    assert page.locator(".c").count() == 8 + 1 + 1 + 4  # the astronaut is one letter of eleven bytes
    assert page.locator(".c").nth(8).locator("i").count() == len("👩‍🚀".encode())


def test_a_chosen_token_tells_what_it_is_made_of(mount):
    page = mount(widget())
    page.locator(".c").nth(5).click()
    page.mouse.move(1200, 700)
    assert page.locator(".ll-detail dd").all_inner_texts() == [
        f"2 of {len(tokens_after(12))}",
        str(255 + 9),
        "4",
        "9",
        "“␣” + “fog”",
    ]
    assert page.locator(".c.ll-chosen").all_inner_texts() == list(" fog")
    move(page, 0)
    assert page.locator(".c.ll-chosen").count() == 1
    assert page.locator(".ll-detail dd").nth(3).inner_text() == "none: a byte"


def test_the_slider_says_what_was_merged_and_how_often(mount):
    page = mount(widget())
    move(page, 1)
    assert (
        "“h” + “e” is now one token: they stood side by side 60 times"
        in page.locator(".ll-note").inner_text()
    )
    assert page.locator(".c.new").all_inner_texts() == ["h", "e"]


def test_the_keyboard_plays_chooses_and_shows_the_table(mount):
    page = mount(widget(), still=True)
    page.locator(".ll-text").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator(".c.ll-chosen").all_inner_texts() == list(" fog")
    page.keyboard.press("Escape")
    assert page.locator(".c.ll-chosen").count() == 0
    page.keyboard.press("Space")  # without motion it goes to the other end at once
    assert page.locator(".ll-slider .ll-value").inner_text() == "0 of 12"
    page.keyboard.press("t")
    assert page.locator(".ll-table tbody tr").count() == len(BYTES)


def test_another_vocabulary_and_another_text_are_asked_for(mount):
    page = mount(widget())
    page.get_by_role("textbox").fill("fogs")
    page.get_by_role("textbox").press("Enter")
    page.locator(".c").nth(3).wait_for()
    page.wait_for_function("document.querySelectorAll('.c').length === 4")
    assert numbers(page) == ["4", "1", "4.00"]
    page.get_by_role("button", name="this text").click()
    page.wait_for_function("window.model.get('vocabulary') === 'b'")
    assert page.get_by_role("button", name="this text").get_attribute("aria-pressed") == "true"


def test_a_phone_has_no_sideways_scroll(mount):
    page = mount(widget(), 390, 844, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_borders_must_fit_the_text():
    with pytest.raises(ValueError, match="borders"):
        merges_reply("fog", [1], 1)
    _, (falls, counts) = merges_reply("fog", [1, None], 1)
    assert np.frombuffer(falls, "<u4").tolist() == [1, NEVER] and counts == b""
