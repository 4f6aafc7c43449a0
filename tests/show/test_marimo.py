"""The widgets in a real marimo server: shadow roots, messages, reruns, themes."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

pytestmark = pytest.mark.browser

NOTEBOOK = """# /// script
# [tool.marimo.display]
# theme = "system"
# ///
import marimo

app = marimo.App(css_file="llmlab.css", width="medium")


@app.cell
def _():
    import marimo as mo
    import numpy as np

    from llmlab.show import Bars, Theme, TokenText, Tree
    from llmlab.show.asking import logits_reply
    from llmlab.show.tree import roads

    def scores(ids):
        return np.random.default_rng([len(ids), *ids]).normal(0, 2, 300).astype(np.float32)

    def answer(request):
        if request["kind"] == "tree":
            return roads(scores, request["ids"], words).reply()
        return logits_reply(request.get("ids") or [5, 6], scores(request.get("ids") or [5, 6]), {7: 3}, "counts")

    words = [f" w{i}" for i in range(300)]
    return Bars, Theme, TokenText, Tree, answer, mo, roads, scores, words


@app.cell
def _(Bars, answer, mo, words):
    bars = mo.ui.anywidget(Bars(words, answer=answer, prompt="w5 w6"))
    bars
    return (bars,)


@app.cell
def _(bars, mo):
    mo.Html(f"<p id='heard'>{bars.value['text']}|{bars.value['temperature']}</p>")
    return


@app.cell
def _(Tree, answer, mo, roads, scores, words):
    tree = mo.ui.anywidget(Tree(roads(scores, [5, 6], words), prompt="w5 w6", answer=answer))
    tree
    return (tree,)


@app.cell
def _(TokenText, mo):
    tokens = mo.ui.anywidget(TokenText(["one", " two"], verdict=["true", "false"]))
    tokens
    return (tokens,)


@app.cell
def _(mo, tokens, tree):
    mo.Html(f"<p id='rest'>{tree.value['path']}|{tokens.value['selected']}</p>")
    return


@app.cell
def _(Theme, mo):
    theme = mo.ui.anywidget(Theme())
    theme
    return (theme,)


@app.cell
def _(mo, theme):
    mo.Html(f"<p id='theme'>{theme.value['theme']}</p>")
    return


if __name__ == "__main__":
    app.run()
"""
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The notebook's address, served as a lesson is."""
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "notebook.py").write_text(NOTEBOOK, encoding="utf-8")
    (folder / "llmlab.css").write_bytes((ROOT / "assets" / "llmlab.css").read_bytes())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "marimo",
        "-q",
        "run",
        str(folder / "notebook.py"),
        "--headless",
        "--no-token",
    ]
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(ROOT)])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url, until = f"http://127.0.0.1:{port}", monotonic() + 60
    while monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/health", timeout=2).close()
            break
        except (urllib.error.URLError, OSError):
            sleep(0.2)
    yield url
    server.terminate()
    server.wait(20)


@pytest.fixture(params=["light", "dark"])
def page(request, browser, address):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=request.param)
    page = context.new_page()
    page.scheme, page.problems = request.param, []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
    page.on(
        "request",
        lambda r: None if r.url.startswith((address, "blob:", "data:")) else page.problems.append(r.url),
    )
    page.goto(address)
    page.wait_for_selector(".ll-bars .ll-row", timeout=60_000)
    page.wait_for_selector(".ll-tokens .ll-tok")
    yield page
    context.close()


def test_the_widgets_live_in_a_notebook(page):
    scores = np.random.default_rng([2, 5, 6]).normal(0, 2, 300).astype(np.float32)
    best = int(np.argmax(scores))
    paper = {"light": "rgb(251, 252, 250)", "dark": "rgb(16, 24, 29)"}[page.scheme]
    for widget in (".ll-bars", ".ll-tree", ".ll-tokens"):
        assert page.locator(widget).evaluate("(e) => getComputedStyle(e).backgroundColor") == paper
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == paper
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "16px"
    page.wait_for_function("(t) => document.querySelector('#theme')?.textContent === t", arg=page.scheme)

    # a token taken: Python answers by message, the picture changes, and the cell below runs again
    assert page.locator(".ll-bars .ll-row .t").first.inner_text() == f"w{best}"
    page.locator(".ll-bars .ll-row").first.click()
    page.wait_for_function(
        "(t) => document.querySelector('#heard')?.textContent === t", arg=f" w5 w6 w{best}|1.0"
    )
    after = np.random.default_rng([3, 5, 6, best]).normal(0, 2, 300).astype(np.float32)
    assert page.locator(".ll-bars .ll-row .t").first.inner_text() == f"w{int(np.argmax(after))}"

    # a slider: no cell runs while it moves, one when it is let go
    slider = page.get_by_role("slider", name="Temperature").first
    slider.evaluate("(s) => { s.value = 40; s.dispatchEvent(new Event('input')); }")
    page.wait_for_timeout(300)
    assert page.locator("#heard").inner_text().endswith("|1.0")
    slider.evaluate("(s) => s.dispatchEvent(new Event('change'))")
    page.wait_for_function("document.querySelector('#heard')?.textContent.endsWith('|0.4')")

    # selections return to Python
    page.locator(".ll-tree .ll-block").first.click()
    page.locator(".ll-tokens .ll-tok").nth(1).click()
    page.wait_for_function("(t) => document.querySelector('#rest')?.textContent === t", arg=f"[{best}]|1")
    assert page.problems == []
