"""Lesson 02 in a real browser: what the picture shows is what Python computes from the same model."""

import re

import numpy as np
import pytest

from llmlab.course.next_token import presets
from llmlab.generate.engine import encode_prompt, logits
from llmlab.model import zoo

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
    field = bars.get_by_role("textbox", name="Text the model reads")
    field.fill("The ferry waits for the lantern")
    field.press("Enter")
    bars.locator(".ll-text", has_text="lantern").wait_for()
    agree(bars, "The ferry waits for the lantern", 1.0, 1.0)
    before = bars.locator(".ll-text button").count()
    bars.locator(".ll-row").first.click()
    page.wait_for_function(
        "n => document.querySelectorAll('.ll-text button').length >= 0 && n > 0", arg=before
    )
    bars.locator(f".ll-text button:nth-of-type({before + 1})").wait_for()
    assert bars.locator(".ll-text button").count() == before + 1
