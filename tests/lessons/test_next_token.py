"""Lesson 02 in a real browser: what the picture shows is what Python computes from the same model."""

import math
import re
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch

from llmlab.course.next_token import presets
from llmlab.course.timing import served
from llmlab.generate.engine import encode_prompt, logits
from llmlab.generate.policy import Policy
from llmlab.model import zoo
from tests.show.engine_page import dice

pytestmark = pytest.mark.browser
LESSON = "/02_next_token/"


def expected(prompt: str, temperature: float, top_p: float) -> tuple[np.ndarray, float]:
    """Probabilities after temperature and nucleus, most likely first, and their entropy in bits: plain numpy."""
    model = zoo.load("course")
    scores = np.sort(logits(model, encode_prompt(model, prompt))[-1].astype(np.float64))[::-1] / temperature
    p = np.exp(scores - scores.max())
    p /= p.sum()
    kept = np.cumsum(p) - p < top_p
    q = np.where(kept, p, 0) / p[kept].sum()
    return q, float(-(q[q > 0] * np.log2(q[q > 0])).sum())


def shown(bars) -> tuple[list[float], float]:
    """The percentages of the rows that are not cut, and the uncertainty, as they stand on the screen."""
    numbers = bars.locator(".ll-row:not(.ll-gone):not(.ll-tail) .n").all_inner_texts()
    values = [
        0.0 if n.startswith(("<", "0")) and "." not in n else float(n.rstrip("%")) / 100 for n in numbers
    ]
    return values, float(re.search(r"[\d.]+", bars.locator(".ll-bits").inner_text())[0])


def agree(bars, prompt: str, temperature: float, top_p: float) -> None:
    q, entropy = expected(prompt, temperature, top_p)
    values, uncertainty = shown(bars)
    assert values and uncertainty == pytest.approx(entropy, abs=0.011)
    for value, true in zip(values, q, strict=False):
        assert value == pytest.approx(true, abs=0.0051)  # the screen rounds to whole percents


def live_in_the_page(picture) -> None:
    """Wait until the picture says that the engine in the page answers."""
    picture.locator(".ll-state", has_text="live, in this page").wait_for(timeout=60_000)


def read(bars, text: str) -> None:
    field = bars.get_by_role("textbox", name="Text the model reads")
    field.fill(text)
    field.press("Enter")
    bars.locator(".ll-text", has_text=text.split()[-1]).wait_for()


def test_sliders_show_what_python_computes(visit, keep_screenshot):
    page = visit(LESSON).page
    bars = page.locator(".ll-bars:visible").first
    bars.locator(".ll-row").first.wait_for()
    prompt = next(iter(presets("course").values())).prompt
    agree(bars, prompt, 1.0, 1.0)
    for name, value in (("Temperature", 60), ("Keep the top p", 80)):
        slider = bars.get_by_role("slider", name=name)
        slider.evaluate(
            "(input, v) => { input.value = v; input.dispatchEvent(new Event('input', {bubbles: true})) }",
            value,
        )
    agree(bars, prompt, 0.6, 0.8)


def test_a_new_text_and_a_taken_token_are_read_by_the_model(visit):
    page = visit(LESSON).page
    bars = page.locator(".ll-bars:visible").first
    bars.locator(".ll-row").first.wait_for()
    live_in_the_page(bars)
    read(bars, "The ferry waits for the lantern")
    agree(bars, "The ferry waits for the lantern", 1.0, 1.0)
    before = bars.locator(".ll-text button").count()
    bars.locator(".ll-row").first.click()
    page.wait_for_function(
        "n => document.querySelectorAll('.ll-text button').length >= 0 && n > 0", arg=before
    )
    bars.locator(f".ll-text button:nth-of-type({before + 1})").wait_for()
    assert bars.locator(".ll-text button").count() == before + 1


def test_the_pictures_share_one_engine_of_this_server(visit):
    """Bars and Tree are two scripts; the program and the weights are fetched once, from where the page came from."""
    page = visit(LESSON).page
    page.get_by_role(
        "heading", name="All roads at once"
    ).scroll_into_view_if_needed()  # the tree is made there
    page.locator(".ll-tree:visible").first.scroll_into_view_if_needed()
    for name in (".ll-bars:visible", ".ll-tree:visible"):
        live_in_the_page(page.locator(name).first)
    entries = page.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    assert page.evaluate("llmlabEngines.size") == 1
    assert all(urlsplit(url).netloc == urlsplit(page.url).netloc for url in entries if url.startswith("http"))
    tree = page.locator(".ll-tree:visible").first
    blocks = tree.locator(".ll-block").count()
    tree.locator(".ll-block").first.evaluate("(block) => block.click()")
    tree.locator(".ll-path button").nth(1).wait_for()
    page.wait_for_function("document.querySelector('.ll-tree')?.dataset.state !== 'loading'")
    assert blocks > 6 and tree.locator(".ll-block[aria-level='2']").count() > 0


def test_the_picture_answers_when_its_server_is_gone(browser):
    """A lesson whose Python was killed: new texts and taken tokens are still read, by the engine in the page."""
    with served() as (address, server):
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.goto(address.rstrip("/") + LESSON)
        bars = page.locator(".ll-bars:visible").first
        bars.locator(".ll-row").first.wait_for(timeout=60_000)
        live_in_the_page(bars)
        server.kill()
        server.wait(10)
        read(bars, "The ferry waits for the lantern")
        agree(bars, "The ferry waits for the lantern", 1.0, 1.0)
        before = bars.locator(".ll-text button").count()
        bars.locator(".ll-row").first.click()
        bars.locator(f".ll-text button:nth-of-type({before + 1})").wait_for()
        page.context.close()


def heat_rows(heats) -> dict[str, list[list[str]]]:
    """The rows of the table, by temperature, as soon as all texts are written."""
    heats.locator(".ll-columns[aria-busy=false]").wait_for(state="attached")
    heats.get_by_role("button", name="Table").click()
    lines = heats.locator(".ll-table tbody tr").evaluate_all(
        "(all) => all.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    heats.get_by_role("button", name="Table").click()
    return {t: [line for line in lines if line[1] == t] for t in ("0.3", "1.0", "1.8")}


def drawn_as_said(rows: list[list[str]], prompt: str, temperature: float, top_p: float, seed: int) -> None:
    """Each token is one that torch gives this probability, and on which the seed's number falls (weights of 16 bits
    move it a little)."""
    model = zoo.load("course")
    ids = encode_prompt(model, prompt)
    scores = logits(model, [*ids, *(int(row[3]) for row in rows)]).astype(np.float64)[len(ids) - 1 :]
    policy = Policy(temperature, top_p=top_p)
    for row, z, chance in zip(rows, torch.from_numpy(scores), dice(seed, len(rows)), strict=False):
        token, order = int(row[3]), z.argsort(descending=True)
        p, q = z.softmax(-1), policy.cut(policy.scores(z)).softmax(-1)
        place = int((order == token).nonzero())
        below = float(q[order][:place].sum())
        assert below - 0.02 <= chance <= below + float(q[token]) + 0.02
        for said, true in ((row[4], p[token]), (row[6], q[token])):
            number = (
                0.0 if said.startswith(("<", "0")) and "." not in said else float(said.strip("<>%")) / 100
            )
            assert number == pytest.approx(float(true), abs=0.01)
        assert float(row[5].split()[0]) == pytest.approx(-math.log2(float(p[token])), abs=0.05)


def test_three_heats_are_written_in_the_page(visit):
    """The menus are the widget's own: a choice writes three new texts, and no cell runs."""
    one = visit(LESSON)
    heats = one.page.locator(".ll-heats:visible").first
    heats.scroll_into_view_if_needed()
    live_in_the_page(heats)
    first = heat_rows(heats)
    assert all(first.values())
    heats.evaluate("(root) => { root.marked = true; }")
    heats.get_by_label("Begin with").select_option("Take the")
    heats.get_by_label("Rule").select_option("keep the top 90% (top p)")
    heats.get_by_label("Seed", exact=True).fill("12")
    heats.get_by_label("Seed", exact=True).press("Enter")
    heats.locator(".ll-prompt", has_text="Take the").first.wait_for()
    shown = heat_rows(heats)
    for temperature, rows in shown.items():
        drawn_as_said(rows, "Take the", float(temperature), 0.9, seed=12)
    assert shown != first and heats.evaluate("(root) => root.marked"), "the widget was made anew"
