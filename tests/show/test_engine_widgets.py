"""Widgets and the engine in the page: who answers is seen in one line and nowhere else, and somebody always does."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from llmlab.course.page_report import address
from llmlab.model import flat, native
from llmlab.model.checkpoint import Checkpoint
from llmlab.show import Bars, Tree
from llmlab.show.asking import count_buffers, logits_reply
from llmlab.show.number_format import percent
from llmlab.show.tree import roads
from tests.show.conftest import _traits
from tests.show.engine_page import WORDS, lively
from tests.show.test_bars import rows, softmax, state, width

pytestmark = pytest.mark.browser
MODEL = lively()
VOCABULARY = [WORDS.token_bytes(i) for i in range(WORDS.vocab_size)]
COUNTS = {WORDS.encode(" ferry")[0]: 30, 5: 10}
ENGINE = {"program": address(native.WASM.read_bytes()), "weights": address(flat.pack(MODEL))}


@torch.inference_mode()
def torch_scores(ids: list[int], model: Checkpoint = MODEL) -> np.ndarray:
    return model.model(torch.tensor([ids]))[0, -1].numpy()


class Python:
    """Answers as a lesson's callable does, and notes what it was asked. Where it reads, it reads other numbers."""

    def __init__(self, scores: Callable[[list[int]], np.ndarray] = lambda ids: -torch_scores(ids)) -> None:
        self.scores = scores
        self.asked: list[str] = []

    def __call__(self, request: dict):
        self.asked.append(request["kind"])
        if request["kind"] == "counts":
            return {"corpus": "counts in its 41,208 pages"}, count_buffers(COUNTS)
        ids = request.get("ids") or [WORDS.bos, *WORDS.encode(request["text"])]
        if request["kind"] == "tree":
            return roads(self.scores, ids, VOCABULARY).reply()
        return logits_reply(
            ids, self.scores(ids), COUNTS, "counts in its 41,208 pages", WORDS.decode(ids[1:])
        )


# Python's answers wait until window.letGo() is called
HOLD = """() => {
  const answer = window.answerInPython, held = new Promise((done) => { window.letGo = done; });
  window.answerInPython = async (request) => { await held; return answer(request); };
}"""


def bars(python: Python | None = None, engine: dict = ENGINE) -> Bars:
    return Bars(
        VOCABULARY,
        answer=python or Python(),
        prompt="a ferry",
        special=list(WORDS.special.values()),
        engine=engine,
    )


def ready(page, words: str = "live, in this page") -> None:
    page.wait_for_function("(t) => document.querySelector('.ll-state').textContent.startsWith(t)", arg=words)


def read(page, text: str) -> list[int]:
    """Type a text and press Enter; its tokens."""
    field = page.get_by_role("textbox", name="Text the model reads")
    field.fill(text)
    field.press("Enter")
    page.locator(".ll-text", has_text=text).wait_for()
    return [WORDS.bos, *WORDS.encode(text)]


def numbers(page) -> list[str]:
    return [n for _, n in rows(page)[:12]]


def best_of(scores: np.ndarray) -> list[str]:
    return [percent(p) for p in np.sort(softmax(scores))[::-1][:12]]


def test_the_page_reads_and_python_counts(mount):
    python = Python()
    page = mount(bars(python))
    ready(page)
    page.evaluate(HOLD)  # Python is slow; the picture does not wait for it
    ids = read(page, "on the sea")
    assert numbers(page) == best_of(torch_scores(ids))
    assert page.locator(".ll-tie").count() == 0 and not page.locator(".ll-row .c:visible").count()
    page.evaluate("() => window.letGo()")
    page.locator(".ll-say", has_text="outline: counts in its 41,208 pages").wait_for()
    order = np.argsort(-torch_scores(ids), kind="stable").tolist()
    for token, count in COUNTS.items():
        if order.index(token) < 12:
            assert width(page, order.index(token), ".c") == pytest.approx(count / 40, abs=0.004)
    page.locator(".ll-row").first.click()
    page.wait_for_function("(n) => window.saved.at(-1).ids.length === n", arg=len(ids) + 1)
    assert numbers(page) == best_of(torch_scores([*ids, order[0]]))
    assert page.evaluate("window.saved.at(-1).text") == WORDS.decode([*ids[1:], order[0]])
    assert set(python.asked[1:]) == {"counts"}, "Python read the first text and no other"
    assert page.problems == []


def test_without_addresses_python_answers(mount):
    page = mount(bars(engine={}))
    ids = read(page, "on the sea")
    assert numbers(page) == best_of(-torch_scores(ids))
    assert page.locator(".ll-state").inner_text() == "live"
    assert page.evaluate("globalThis.llmlabEngines.size") == 0


def test_a_page_without_its_python_still_answers(mount):
    page = mount(bars())
    ready(page)
    page.evaluate("() => { window.answerInPython = () => new Promise(() => {}) }")
    ids = read(page, "on the sea")
    assert numbers(page) == best_of(torch_scores(ids)) and state(page) == "live"
    page.evaluate("() => { window.answerInPython = () => Promise.reject(new Error('closed')) }")
    ids = read(page, "a goat")
    assert numbers(page) == best_of(torch_scores(ids)) and state(page) == "live"


DAMAGED = flat.pack(MODEL)[:-3] + b"abc"


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        (ENGINE | {"weights": address(DAMAGED)}, "The model of this page is damaged."),
        (
            ENGINE | {"weights": address(b"GIF89a")},
            "The model of this page is not a model.bin of this course.",
        ),
        (ENGINE | {"weights": "data:oops"}, "The model of this page could not be fetched."),
        (ENGINE | {"program": address(b"GIF89a")}, "This browser cannot run the engine in the page."),
        (
            ENGINE | {"weights": "https://evil.example/model.bin"},
            "The model of this page lies on another machine.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_file_is_one_sentence_and_python_answers(mount, engine, says):
    page = mount(bars(engine=engine))
    ready(page, f"live. {says} Python answers.")
    ids = read(page, "on the sea")
    assert numbers(page) == best_of(-torch_scores(ids))
    assert page.locator(".ll-state").inner_text() == f"live. {says} Python answers."
    assert not [problem for problem in page.problems if "evil" in problem], "asked another machine"


def test_an_engine_that_breaks_down_leaves_the_question_to_python(mount):
    page = mount(bars())
    ready(page)
    page.evaluate("""async () => {
      const [engine] = await Promise.all(llmlabEngines.values());
      const broken = new Error("The engine in the page broke down.");
      engine.ask = () => { engine.isBroken = () => true; return Promise.reject(broken); };
    }""")
    ids = read(page, "on the sea")
    assert numbers(page) == best_of(-torch_scores(ids))
    assert "The engine in the page broke down. Python answers." in page.locator(".ll-state").inner_text()


def test_two_widgets_of_a_page_share_one_engine(mount):
    """One Worker, and the weights fetched once, although the scripts of Bars and Tree are two modules."""
    page = mount(bars())
    ready(page)
    page.evaluate("""() => {
      window.made = 0;
      const Plain = window.Worker;
      window.Worker = class extends Plain { constructor(...how) { super(...how); window.made++; } };
    }""")
    ids = [WORDS.bos, *WORDS.encode("a ferry")]
    tree = Tree(roads(torch_scores, ids, VOCABULARY), prompt="a ferry", answer=Python(), engine=ENGINE)
    page.evaluate("document.querySelector('#here').replaceChildren()")
    page.evaluate(
        "([script, traits, bytes]) => mountWidget(script, traits, bytes)", [tree._esm, *_traits(tree)]
    )
    ready(page)
    page.locator(".ll-block").first.evaluate("(block) => block.click()")
    page.wait_for_function("window.saved.length > 0")
    assert page.evaluate("[window.made, llmlabEngines.size]") == [0, 1]
    best = int(np.argmax(torch_scores(ids)))
    page.wait_for_function("document.querySelectorAll('.ll-block').length > 6")
    top = softmax(torch_scores([*ids, best])).max()
    assert page.locator(".ll-block").first.get_attribute("aria-label").endswith(percent(top))


def test_no_frame_waits_for_the_engine(mount):
    """Frames go by while the engine reads for long: it is not on the page's own thread."""
    large = lively(block_size=512, n_layer=6, n_embd=192, n_hidden=512)
    page = mount(bars(engine=ENGINE | {"weights": address(flat.pack(large))}))
    ready(page)
    frames, ms = page.evaluate("""async () => {
      const [engine] = await Promise.all(llmlabEngines.values());
      let frames = 0, reading = true;
      const count = () => { frames++; if (reading) requestAnimationFrame(count); };
      requestAnimationFrame(count);
      const from = performance.now();
      await engine.ask({ kind: "logits", ids: Array.from({ length: 500 }, (_, i) => i % 300), all: true });
      reading = false;
      return [frames, performance.now() - from];
    }""")
    assert ms > 100 and frames >= 4, f"{frames} frames in {ms:.0f} ms"
