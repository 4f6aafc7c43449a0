"""The map of a file in a browser: lengths are bytes, and every part can be reached by hand and by keyboard."""

import pytest

from llmlab.show import FileMap
from llmlab.show.filemap import Part

pytestmark = pytest.mark.browser
ROWS = [
    ("beginning", [Part("header", "", "8 bytes", 0, 8, "It says what follows.")]),
    (
        "layer 0",
        [
            Part("q_proj", "q", "(20, 10)", 8, 400, "Asks <i>all</i>.", "0.5, −1.0", "attention"),
            Part("up_proj", "up", "(40, 10)", 408, 800, "Fills.", "0.1", "mlp"),
        ],
    ),
]


def test_lengths_are_bytes(mount):
    page = mount(FileMap(ROWS, "model.bin"))
    q, up = (page.locator(".ll-part").nth(i).bounding_box()["width"] for i in (1, 2))
    assert up / q == pytest.approx(2, abs=0.02)
    assert page.locator(".ll-map").get_attribute("aria-label") == (
        "model.bin, 1,208 bytes in 3 parts, in the order of the file"
    )
    assert page.problems == []


def test_a_part_says_what_it_is(mount):
    page = mount(FileMap(ROWS, "model.bin"))
    page.locator(".ll-part").nth(1).click()
    page.mouse.move(1200, 700)
    assert page.evaluate("window.model.get('selected')") == 1
    assert page.locator(".ll-detail p").text_content() == "q_proj Asks <i>all</i>."
    said = dict(
        zip(*(page.locator(f".ll-detail {tag}").all_text_contents() for tag in ("dt", "dd")), strict=True)
    )
    assert said == {
        "shape": "(20, 10)", "bytes": "400", "of the file": "33%", "from byte": "8", "begins with": "0.5, −1.0",
    }  # fmt: skip


def test_the_keyboard_walks_chooses_and_shows_the_table(mount):
    page = mount(FileMap(ROWS, "model.bin"))
    page.locator(".ll-part").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.locator(".ll-detail b").text_content() == "up_proj"
    page.keyboard.press("Enter")
    assert page.evaluate("window.model.get('selected')") == 2
    page.keyboard.press("Escape")
    assert page.evaluate("window.model.get('selected')") == -1
    page.keyboard.press("t")
    cells = page.locator(".ll-table tbody tr").all_inner_texts()
    assert [cell.split("\t") for cell in cells] == [
        ["header", "8 bytes", "0", "8"], ["q_proj", "(20, 10)", "8", "400"], ["up_proj", "(40, 10)", "408", "800"],
    ]  # fmt: skip


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_has_no_sideways_scroll(mount, dark: bool):
    page = mount(FileMap(ROWS, "model.bin"), 390, 844, dark=dark, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".ll-part").nth(2).tap()
    assert page.locator(".ll-detail b").text_content() == "up_proj"
