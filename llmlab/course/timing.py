"""How fast a lesson is in a real browser, for `llmlab bench`: when it is alive, and what its server holds in memory.

A course of its own is started for it, as a student would, with a progress file that is thrown away.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil

from llmlab.course.browser import find_chromium
from llmlab.course.lessons import available
from llmlab.errors import LabError
from llmlab.report.bench import Row

# every cell has run (a lesson's head names its nine steps: all have come), and none is running again
ALIVE = """() => document.querySelector('[data-connection-state="OPEN"]') && document.querySelector('.output-area')
  && !document.querySelector('[data-testid="loading-indicator"]') && document.querySelector('h1')
  && [...document.querySelectorAll('.ll-steps a')].every((step) => document.querySelector(step.hash))"""

# a slider is moved n times; each time counts the script, the style and the layout of the new picture
MOVES = """async (root, n) => {
  const input = root.querySelector('input[type=range]'), times = [], [low, high] = [+input.min, +input.max];
  for (let i = 0; i < n; i++) {
    await new Promise(requestAnimationFrame);
    const from = performance.now();
    input.value = low + (i * 37) % (high - low + 1);
    input.dispatchEvent(new Event('input', {bubbles: true}));
    root.getBoundingClientRect();
    times.push(performance.now() - from);
  }
  return times;
}"""
# a new text is read; the time until a frame shows its tokens and its distribution
PICTURES = """async (root, texts) => {
  const field = root.querySelector('.ll-field'), times = [];
  const frame = () => new Promise(requestAnimationFrame);
  for (const text of texts) {
    const last = text.split(' ').at(-1), from = performance.now();
    field.value = text;
    field.form.requestSubmit();
    const shown = () => root.querySelector('.ll-text').textContent.includes(last) && root.dataset.state !== 'loading';
    while (!shown()) await frame();
    times.push(performance.now() - from);
    await new Promise((done) => setTimeout(done, 200));
  }
  return times;
}"""
WORDS = "harbour lamp moth rope kettle winter letter orchard ladder anchor button compass barrel candle window island"


def rows(device: str, visits: int = 3) -> Iterator[Row]:
    """`lesson.NN.alive_s` (median of some first visits) and `lesson.NN.memory_mib`, for each lesson there is."""
    for lesson in available():
        with served() as (address, server), chromium() as browser:
            seconds = [_visit(browser, address.rstrip("/") + lesson.url) for _ in range(visits)]
            yield Row(f"lesson.{lesson.number}.alive_s", statistics.median(seconds), "s", 5, device)
            yield Row(f"lesson.{lesson.number}.memory_mib", _memory(server), "MiB", 1536, device)
            yield from _controls(browser, address.rstrip("/") + lesson.url, lesson.number, device)


@contextmanager
def chromium() -> Iterator[Any]:
    """This machine's Chromium, driven by Playwright. LabError where one of them is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as missing:
        raise LabError("Pages are measured by Playwright. Run: pip install 'llmlab[test]'") from missing
    path = find_chromium()
    if path is None:
        raise LabError("Pages are measured in a browser. Install Chromium, Chrome or Edge.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=sandbox_arguments())
        yield browser
        browser.close()


@contextmanager
def served() -> Iterator[tuple[str, psutil.Process]]:
    """A course on a free port: its address and its process."""
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "llmlab.cli", "course", "--port", "0", "--no-browser"]
        environment = os.environ | {"LLMLAB_DATA": data, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment
        )
        try:
            yield re.search(r"http://\S+", process.stdout.readline())[0], psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(10)


def sandbox_arguments() -> list[str]:
    """Chromium refuses to run as root (in a container, say) with its own sandbox."""
    return ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def _visit(browser, url: str) -> float:
    """Seconds from asking for the page until every cell has run, with nothing in the browser's cache."""
    page = browser.new_context().new_page()
    began = time.perf_counter()
    page.goto(url)
    page.wait_for_function(ALIVE, timeout=120_000)
    seconds = time.perf_counter() - began
    page.context.close()
    return seconds


def _controls(browser, url: str, number: str, device: str) -> Iterator[Row]:
    """The 95th percentiles of a slider's move and of a new text, where the lesson's first picture takes them."""
    from playwright.sync_api import TimeoutError as TooLate

    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(url)
    page.wait_for_function(ALIVE, timeout=120_000)
    with suppress(TooLate):  # a lesson may begin without a picture
        page.wait_for_selector(".ll:visible", timeout=10_000)
    picture = page.locator(":is(.ll-bars, .ll-merges, .ll-tree, .ll-theatre, .ll-inside):visible").first
    if not picture.count():
        page.context.close()
        return  # no picture here whose numbers come from the model at each move
    if picture.get_by_role("slider").count():
        shared = picture.evaluate(
            "(e) => e.classList.contains('ll-bars')"
        )  # the widget that most lessons have
        name = "widget" if shared else f"lesson.{number}"
        yield Row(f"{name}.slider.p95_ms", _p95(picture.evaluate(MOVES, 200)), "ms", 16, device)
    if picture.locator(".ll-field").count():
        times = picture.evaluate(PICTURES, [f"The ferry waits for the {word}" for word in WORDS.split()])
        yield Row(f"lesson.{number}.picture.p95_ms", _p95(times), "ms", 100, device)
    page.context.close()


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


def _memory(server: psutil.Process) -> float:
    """Resident memory of the server and its children, in MiB."""
    family = [server, *server.children(recursive=True)]
    return sum(process.memory_info().rss for process in family) / 2**20
