"""Blend in a real browser: every share is asked for once, and the slider shows the text of its place."""

import pytest

from llmlab.errors import LabError
from llmlab.show import Blend

pytestmark = pytest.mark.browser


def answer(request: dict):
    share = request["share"]
    return {"said": f"<b>{request['text']}</b> at {share:.2f}", "ended": share >= 0.5}, []


def move(page, place: int) -> None:
    page.get_by_role("slider").evaluate(
        "(input, v) => { input.value = v; input.dispatchEvent(new Event('input', {bubbles: true})) }", place
    )


def all_there(page) -> None:
    page.wait_for_function("document.querySelectorAll('.ll-ends .cut, .ll-ends .ended').length === 21")


def test_the_slider_shows_the_text_of_its_share(mount):
    asked = []
    page = mount(Blend(answer=lambda r: asked.append(r["share"]) or answer(r), prompt="the fog"))
    all_there(page)
    assert sorted(asked) == pytest.approx([i / 20 for i in range(21)])
    assert page.locator(".ll-ends .ended").count() == 11
    height = page.locator(".ll-blend").bounding_box()["height"]
    for place in (0, 7, 20):
        move(page, place)
        assert (
            page.locator(".ll-sheet").inner_text()
            == answer({"text": "the fog", "share": place / 20})[0]["said"]
        )
        assert page.locator(".ll-blend").bounding_box()["height"] == height
    assert page.locator(".ll-sheet b").count() == 0
    assert page.problems == []


def test_another_prompt_asks_anew(mount):
    page = mount(Blend(answer=answer, prompt="one"))
    all_there(page)
    page.evaluate("window.model.set('prompt', 'two')")
    all_there(page)
    page.wait_for_function("document.querySelector('.ll-sheet').textContent.includes('two')")
    page.get_by_role("button", name="Table").click()
    assert page.locator(".ll-table tbody tr").count() == 21
    assert "one" not in page.locator(".ll-table tbody td:last-child").all_inner_texts()[0]


def test_a_sentence_instead_of_an_answer(mount):
    def refuse(request: dict):
        raise LabError("There is nothing to answer yet.")

    page = mount(Blend(answer=refuse, prompt=""))
    page.locator(".ll-state", has_text="nothing to answer").wait_for()
