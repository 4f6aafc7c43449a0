"""Heats in a real browser: what it writes is what torch and policy.py draw with the same numbers, whoever answers."""

import numpy as np
import pytest
import torch

from llmlab.course.answers import Answers
from llmlab.course.page_report import address
from llmlab.errors import LabError
from llmlab.generate.policy import Policy
from llmlab.model import flat, native
from llmlab.show import Heats
from llmlab.show.number_format import percent
from tests.show.engine_page import WORDS, dice, lively

pytestmark = pytest.mark.browser
MODEL = lively()
ENGINE = {"program": address(native.WASM.read_bytes()), "weights": address(flat.pack(MODEL))}
TEMPERATURES, RULES, TOKENS = (0.3, 1.0, 1.8), {"all": {}, "top p": {"top_p": 0.6}, "best": {"top_k": 3}}, 24
BEGINNINGS = {"a ferry": "a ferry", "nothing": ""}


class Python:
    """Answers as a lesson's callable does, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict] = []

    def __call__(self, request: dict):
        self.asked.append(request)
        return Answers(MODEL)(request)


def widget(answer, engine: dict | None = None, **traits) -> Heats:
    return Heats(TEMPERATURES, BEGINNINGS, RULES, answer=answer, engine=engine or {}, tokens=TOKENS, **traits)


@torch.inference_mode()
def drawn(prompt: str, temperature: float, cuts: dict, seed: int) -> list[tuple[str, str, str]]:
    """(id, probability, drawn with) of each token, as the table says them: the whole text is read for each."""
    policy, ids, rows = Policy(temperature, **cuts), [WORDS.bos, *WORDS.encode(prompt)], []
    for chance in dice(seed, TOKENS):
        z = MODEL.model(torch.tensor([ids]))[0, -1].double()
        q, best_first = (
            policy.cut(policy.scores(z)).softmax(-1).numpy(),
            np.argsort(-z.numpy(), kind="stable"),
        )
        token = int(best_first[np.searchsorted(q[best_first].cumsum(), chance, side="right")])
        rows.append((str(token), percent(float(z.softmax(-1)[token])), percent(float(q[token]))))
        ids.append(token)
        if token in (WORDS.special["<|bos|>"], WORDS.special["<|end|>"]):
            break
    return rows


def written(page) -> None:
    page.locator(".ll-columns[aria-busy=false]").wait_for(state="attached")


def change(page, **traits) -> None:
    """Set traitlets, as Python does, and wait until the texts are written."""
    page.evaluate(
        "async (t) => { for (const [k, v] of Object.entries(t)) window.model.set(k, v); await null; await null; }",
        traits,
    )
    written(page)


def rows(page, temperature: float) -> list[tuple[str, str, str]]:
    """(id, probability, drawn with), from the table."""
    if not page.locator(".ll-table").is_visible():
        page.get_by_role("button", name="Table").click()
    lines = page.locator(".ll-table tbody tr").evaluate_all(
        "(all) => all.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    return [(row[3], row[4], row[6]) for row in lines if row[1] == f"{temperature:.1f}"]


def test_the_page_writes_what_torch_draws(mount):
    python = Python()
    page = mount(widget(python, ENGINE))
    page.locator(".ll-state", has_text="live, in this page").wait_for()
    written(page)
    before = len(python.asked)  # asked while the engine was fetched
    for beginning, rule, seed in (("a ferry", "all", 8), ("nothing", "top p", 8), ("a ferry", "best", 950)):
        change(page, beginning=beginning, rule=rule, seed=seed)
        for temperature in TEMPERATURES:
            assert rows(page, temperature) == drawn(BEGINNINGS[beginning], temperature, RULES[rule], seed)
    assert len(python.asked) == before and page.problems == []


def test_python_writes_the_same_where_there_is_no_engine(mount):
    page = mount(widget(Python()))
    for seed, rule in ((7, "all"), (8, "top p")):
        change(page, seed=seed, rule=rule)
        for temperature in TEMPERATURES:
            assert rows(page, temperature) == drawn("a ferry", temperature, RULES[rule], seed)
    assert page.locator(".ll-state").inner_text() == "live"


def test_the_texts_grow_side_by_side_and_nothing_jumps(mount):
    python = Python()
    page = mount(widget(python))
    height = page.locator(".ll-heats").bounding_box()["height"]
    written(page)
    assert page.locator(".ll-heats").bounding_box()["height"] == height
    heats = [asked["policy"]["temperature"] for asked in python.asked]
    assert heats[:6] == [*TEMPERATURES] * 2 and all(len(asked["chances"]) <= 5 for asked in python.asked)
    assert python.asked[0]["chances"] == python.asked[1]["chances"] == pytest.approx(dice(7, 5))
    text = page.locator(".ll-run").first.evaluate("(run) => run.textContent")
    ids = [int(id) for id, *_ in rows(page, TEMPERATURES[0])]
    if "\ufffd" not in WORDS.decode(ids) and "<0x" not in text:
        assert text.replace("↵", "") == "a ferry" + WORDS.decode(ids)
    page.keyboard.press("t")
    assert page.locator(".ll-heats").bounding_box()["height"] == height


def test_a_new_choice_stops_the_old_writing(mount):
    python = Python()
    page = mount(widget(python))
    written(page)
    whole = len(python.asked)
    page.evaluate("window.pause = 60")  # a slow answer
    page.get_by_label("Rule").select_option("top p")
    page.locator(".ll-run:not(.ll-old)").first.wait_for()
    assert page.locator(".ll-old").count() > 0, "the old text stays until the new one comes"
    page.get_by_role("button", name="Next seed").click()
    written(page)
    assert len(python.asked) < 3 * whole
    for temperature in TEMPERATURES:
        assert rows(page, temperature) == drawn("a ferry", temperature, RULES["top p"], 8)
    assert page.evaluate("[window.saved.at(-1).rule, window.saved.at(-1).seed]") == ["top p", 8]


def test_a_token_tells_its_numbers_to_pointer_and_keys(mount):
    page = mount(widget(Python()))
    written(page)
    detail, tokens = page.locator(".ll-detail"), page.locator(".ll-run").nth(2).locator(".ll-tok")
    assert "Point at a token" in detail.inner_text()
    tokens.nth(3).hover()
    said = drawn("a ferry", 1.8, {}, 7)
    for part in (f"4 of {len(said)}", said[3][1], said[3][2], "bits"):
        assert part in detail.inner_text()
    page.mouse.move(0, 0)
    tokens.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert tokens.nth(1).get_attribute("aria-selected") == "true" and said[1][1] in detail.inner_text()
    page.keyboard.press("ArrowDown")
    assert page.locator(".ll-tok[tabindex='0']").count() == 3, "each text is one stop"
    page.keyboard.press("Escape")
    assert page.locator(".ll-chosen").count() == 0
    page.keyboard.press("T")
    assert page.locator(".ll-table").is_visible() and page.locator(".ll-columns").is_hidden()
    page.keyboard.press("Escape")
    assert page.locator(".ll-columns").is_visible() and page.problems == []


def test_with_reduced_motion_a_text_is_there_at_once(mount):
    python = Python()
    page = mount(widget(python), still=True)
    written(page)
    assert [len(asked["chances"]) for asked in python.asked] == [TOKENS] * 3


def test_a_sentence_instead_of_an_answer(mount):
    def refuse(request: dict):
        raise LabError("There is nothing to answer yet.")

    page = mount(widget(refuse))
    page.locator(".ll-state", has_text="nothing to answer").wait_for()
    assert page.locator(".ll-columns[aria-busy=false]").count() == 1


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_has_no_sideways_scroll_and_the_numbers_stay_in_sight(mount, dark):
    page = mount(widget(Python()), 390, 844, touch=True, dark=dark)
    written(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".ll-run").first.locator(".ll-tok").first.tap()
    box = page.locator(".ll-detail").bounding_box()
    assert box["y"] >= 0 and box["y"] + box["height"] <= 845
    assert "probability" in page.locator(".ll-detail").inner_text()
