"""The speaking widget in a browser: it asks until the text is there, shows it as it is, and can be stopped."""

import pytest

from llmlab.errors import LabError
from llmlab.show import Speaking

pytestmark = pytest.mark.browser
PIECES = ["The", " <b>fog</b>", " wa", "its", ".\n"]


class Program:
    """Answers as a program that has one more token ready each time it is asked."""

    def __init__(self, pieces=PIECES, fails: str = "") -> None:
        self.pieces, self.fails, self.asked = list(pieces), fails, []

    def __call__(self, request: dict):
        self.asked.append(request)
        kind = request["kind"]
        if kind == "speak" and self.fails:
            raise LabError(self.fails)
        if kind == "speak":
            return self.report("compiling", [], 0), []
        if kind == "stop":
            return self.report("stopped", [], 0), []
        seen = request["seen"]
        new = self.pieces[seen : seen + 1]
        return self.report("running" if new else "done", new, seen), []

    def report(self, state: str, new: list[str], seen: int) -> dict:
        ids = list(range(seen, seen + len(new)))
        return {"state": state, "pieces": new, "ids": ids, "seconds": 0.01 * len(self.pieces), "error": ""}


def widget(program: Program, **traits) -> Speaking:
    return Speaking(program, call="./run model.bin", prompt="A prompt", temperature=0.5, seed=7, **traits)


def kinds(page, program: Program, last: str) -> list[str]:
    """What was asked for, as soon as the last of it is `last`: messages take a moment."""
    for _ in range(100):
        if program.asked and program.asked[-1]["kind"] == last:
            break
        page.wait_for_timeout(20)
    return [asked["kind"] for asked in program.asked]


def test_it_writes_what_the_program_says_and_how_fast(mount):
    program = Program()
    page = mount(widget(program))
    page.get_by_role("button", name="Write").click()
    page.locator(".ll-said", has_text="5 tokens, 100 tokens/s").wait_for()
    page.wait_for_function("window.model.get('text').length > 0")
    assert page.locator(".ll-sheet").text_content() == "A prompt" + "".join(PIECES)
    assert page.locator(".ll-sheet b").count() == 0
    assert page.evaluate("[window.model.get('ids'), window.model.get('rate')]") == [[0, 1, 2, 3, 4], 100]
    asked = {"kind": "speak", "text": "A prompt", "temperature": 0.5, "seed": 7, "tokens": 200}
    assert program.asked[0] == asked and program.asked[-1] == {"kind": "more", "seen": 5}
    assert page.problems == []


def test_the_command_can_be_copied_whatever_the_prompt_is(mount):
    page = mount(widget(Program()))
    field, call = page.get_by_role("textbox", name="Text to continue"), page.locator(".ll-call")
    end = "-t 0.5 --top-p 0.95 -n 200 -s 7"
    for typed, written in (
        ("it's", r"'it'\''s'"),
        ("two\n\nlines\\", r"$'two\n\nlines\\'"),
        ("$(rm)", "'$(rm)'"),
        ("", "''"),
    ):
        field.fill(typed)
        assert call.text_content() == f"./run model.bin -p {written} {end}"


def test_enter_writes_and_a_new_seed_is_another_text(mount):
    program = Program()
    page = mount(widget(program))
    page.get_by_role("textbox", name="Text to continue").press("Enter")
    page.wait_for_function("window.model.get('text').length > 0")
    page.get_by_role("button", name="Next seed").click()
    page.wait_for_function("window.saved.length > 0 && window.model.get('seed') === 8")
    while kinds(page, program, "more").count("speak") < 2:
        page.wait_for_timeout(20)
    assert [asked["seed"] for asked in program.asked if asked["kind"] == "speak"] == [7, 8]


def test_a_slow_text_can_be_stopped(mount):
    program = Program([f" {n}" for n in range(500)])
    page = mount(widget(program))
    page.get_by_role("button", name="10 tokens a second").click()
    page.get_by_role("button", name="Write").click()
    page.locator(".ll-tok").nth(2).wait_for()
    page.get_by_role("button", name="Stop").click()
    page.locator(".ll-said", has_text="Stopped after").wait_for()
    shown = page.locator(".ll-tok").count()
    page.wait_for_timeout(400)
    assert page.locator(".ll-tok").count() == shown < 100
    assert kinds(page, program, "stop")[-1] == "stop"


def test_a_sentence_takes_the_place_of_a_text(mount):
    page = mount(widget(Program(fails="There is no C compiler on this machine.")))
    page.get_by_role("button", name="Write").click()
    page.locator(".ll-state", has_text="no C compiler").wait_for()
    assert page.get_by_role("button", name="Stop").is_disabled()


def test_the_first_text_is_there_at_once(mount):
    first = {"state": "done", "pieces": PIECES, "ids": [1, 2, 3, 4, 5], "seconds": 0.01, "error": ""}
    page = mount(widget(Program(), first=first))
    page.locator(".ll-tok").nth(4).wait_for()
    assert page.locator(".ll-said").text_content() == "When this page was opened: 5 tokens, 500 tokens/s"
    page = mount(widget(Program(), first={**first, "pieces": [], "error": "No compiler."}))
    page.locator(".ll-state", has_text="No compiler.").wait_for()


def test_a_phone_has_no_sideways_scroll_and_the_sheet_keeps_its_height(mount):
    page = mount(widget(Program([" word"] * 300)), 390, 844, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    height = page.locator(".ll-sheet").bounding_box()["height"]
    page.get_by_role("button", name="Write").click()
    page.locator(".ll-tok").nth(40).wait_for()
    assert page.locator(".ll-sheet").bounding_box()["height"] == height
