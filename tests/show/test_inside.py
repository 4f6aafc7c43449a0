"""Inside in a real browser: four views of one text, with invented numbers of which each is different."""

import re

import numpy as np
import pytest

from llmlab.show import Inside
from llmlab.show.inside import (
    VIEWS,
    attention_reply,
    knockout_reply,
    opening,
    path_reply,
    stream_reply,
)

L, H = 2, 3
TOKENS = ["<|bos|>", "the", " fog", " <b>", " fog"]
T = len(TOKENS)


def maps(who: str) -> np.ndarray:
    """Rows that make 1 and see no future; other ones for the twin."""
    draw = np.random.default_rng(1 if who == "model" else 2)
    raw = np.tril(draw.random((L, H, T, T)) ** 3)
    return raw / raw.sum(-1, keepdims=True)


def answer(request: dict):
    kind, who, tokens = request["kind"], request["who"], TOKENS
    if kind == "surprise":
        out = len(request["heads"]) + len(request["mlps"])
        return {}, [np.full(len(request["ids"]) - 1, out + request["ids"][0], "<f4").tobytes()]
    if request["text"] != "the fog":
        tokens = ["<|bos|>", request["text"]]
    n = len(tokens)
    if kind == "attention":
        return attention_reply(tokens, {0}, maps(who)[:, :, :n, :n])
    if kind == "stream":
        place = request["place"] if 0 <= request["place"] < n else n - 1
        token = request["token"] if request["token"] >= 0 else 100 * L + place
        ids = np.array([[100 * level + t for t in range(n)] for level in range(L + 1)])
        shares = np.linspace(0.001, 1, ids.size).reshape(ids.shape)
        words = [[f" w{i}" for i in row] for row in ids.tolist()]
        parts = [0.5, 1.25, -0.75, 2.0, 0.25, -1.5, 3.0, 0.125, token / 100]
        return stream_reply(
            tokens,
            {0},
            words,
            ids,
            shares,
            place=place,
            word=f" w{token}",
            token=token,
            score=sum(parts),
            parts=parts,
        )
    if kind == "knockout":
        out = len(request["heads"]) + len(request["mlps"])
        before = np.full(n - 1, 2.0)
        after = before + out * np.arange(n - 1)
        texts = [" waits", " for", " it"], [" waits", " in" if out else " for", " it"]
        return knockout_reply(tokens, {0}, (before, after), texts)
    return path_reply(
        tokens, {0}, n - 1, {"x": -0.5, "p": 0.25, "id": 4096, "here": " <b>", "list": [1, ["fog", 2.5]]}
    )


STEPS = [
    {
        "name": f"step {i}", "code": f"x = f{i}(x)", "before": "{x}", "after": f"{i}: {{p%}}",
        "said": "“{here}” is {id,}", "rows": [["{list.1.0}", "{list.1.1}"], ["{list.7.0}", "{list.7.1}"]],
    }
    for i in range(3)
]  # fmt: skip


def widget(view: str, **how) -> Inside:
    how = {"steps": STEPS, "pages": [[1, 7, 7], [2, 7]], "page_bits": 1.5} | how
    return Inside(view, (L, H), answer=answer, prompt="the fog", source="a toy", **how)


@pytest.mark.parametrize("view", VIEWS)
def test_opening_is_a_question_that_is_answered(view: str):
    reply, buffers = answer(opening(view, "the fog"))
    assert reply["tokens"] == TOKENS and reply["special"] == [0]
    assert all(isinstance(buffer, bytes) for buffer in buffers)


def test_an_unknown_view_is_refused():
    with pytest.raises(ValueError, match="not one of"):
        Inside("brain", (1, 1))


def rows_of(page) -> list[list[str]]:
    rows = page.locator(".ll-picture > .ll-table tbody tr").all()
    return [row.locator("th, td").all_inner_texts() for row in rows]


pytestmark = pytest.mark.browser


def test_attention_shows_the_row_of_the_chosen_token(mount):
    page = mount(widget("attention", layer=1, head=2))
    page.keyboard.press("Tab")
    page.get_by_role("option").nth(2).click()
    page.mouse.move(5, 5)
    page.get_by_role("button", name="Table").click()
    shares = [float(row[2].strip("%<")) / 100 for row in rows_of(page)]
    assert shares == pytest.approx(maps("model")[1, 2, 2, :3].tolist(), abs=0.006)
    page.keyboard.press("t")
    assert page.locator(".ll-title").inner_text() == "Layer 2, head 3"
    assert page.locator(".ll-text b, .ll-takes b:not(.n)").count() == 0
    assert page.problems == []


def test_small_maps_keep_their_brightest_places(mount):
    """Of a long text a small map shows fewer squares, and the bright one among them."""
    page = mount(widget("attention"))
    script = (
        "import(URL.createObjectURL(new Blob([s + '; export { shrink };'], { type: 'text/javascript' })))"
    )
    for n, side in ((7, 7), (40, 12), (61, 12)):
        small, found = page.evaluate(
            f"""async ([s, n]) => {{ const {{ shrink }} = await {script}, big = new Float64Array(n * n);
            [big[(n - 1) * n + n - 2], big[2 * n + 1]] = [1, .5];
            return shrink(big, n).map((x) => x.length ? [...x] : x); }}""",
            [widget("attention")._esm, n],
        )
        squares = np.array(small).reshape(side, side)
        assert found == side and squares.max() == squares[-1, -2 if n == side else -1] == 1
        assert sorted(squares[squares > 0]) == [0.5, 1]


def test_another_head_is_there_at_once_and_the_twin_is_asked(mount):
    page = mount(widget("attention"))
    page.evaluate(
        "() => { window.asked = window.answerInPython; window.answerInPython = () => new Promise(() => {}); }"
    )
    page.get_by_role("radio", name="layer 2, head 1").click()
    assert page.locator(".ll-title").inner_text() == "Layer 2, head 1"
    page.get_by_role("button", name="Table").click()
    shares = [float(row[2].strip("%<")) / 100 for row in rows_of(page)]
    assert shares == pytest.approx(maps("model")[1, 0, T - 1].tolist(), abs=0.006)
    page.keyboard.press("t")
    page.evaluate("() => { window.answerInPython = window.asked; }")
    page.get_by_role("button", name="random twin").click()
    page.get_by_role("button", name="Table").click()
    wanted = f"{100 * maps('twin')[1, 0, T - 1, 0]:.0f}"
    page.wait_for_function(
        "(w) => document.querySelector('.ll-table tbody td:last-child')?.textContent.startsWith(w)",
        arg=wanted,
    )
    assert page.get_by_role("button", name="random twin").get_attribute("aria-pressed") == "true"


def test_the_map_is_painted_where_the_shares_are(mount):
    page = mount(widget("attention"))
    dark = page.evaluate(
        """() => { const c = document.querySelector('.ll-map'), pen = c.getContext('2d'), n = 5, s = c.width / n;
        return [...Array(n * n).keys()].map((i) => {
          const p = pen.getImageData((i % n + .5) * s, (Math.floor(i / n) + .5) * s, 1, 1).data;
          return p[3] ? 765 - p[0] - p[1] - p[2] : -1; }); }"""
    )
    shares = maps("model")[0, 0].astype("<f2").astype(float)
    edges = np.array([0.001, 0.01, 0.05, 0.2, 0.5, 0.9])
    for i, ink in enumerate(dark):
        row, column = divmod(i, T)
        assert (ink < 0) == (column > row)
        for j, other in enumerate(dark):
            a, b = ((shares[divmod(k, T)] >= edges).sum() for k in (i, j))
            if ink >= 0 and other >= 0 and a < b:
                assert ink < other


def test_parts_add_up_and_a_cell_asks_for_its_own_token(mount):
    page = mount(widget("stream"))
    numbers = [float(n.replace("−", "-")) for n in page.locator(".ll-parts .n").all_inner_texts()]
    assert numbers == pytest.approx([0.5, 1.25, -0.75, 2.0, 0.25, -1.5, 3.0, 0.12, 2.04], abs=0.011)
    said = [
        float(x.replace("−", "-")) for x in re.findall(r"[+−][\d.]+", page.locator(".ll-sum").inner_text())
    ]
    assert said == pytest.approx([sum(numbers)] * 2, abs=0.03)  # the second is the model's own score
    page.get_by_role("button", name="after layer 1, at “the”").click()
    page.wait_for_function("document.querySelector('.ll-stream .ll-title').textContent.includes('w101')")
    assert page.locator(".ll-cell.ll-taken").inner_text() == "w101"
    assert page.evaluate("window.model.get('place')") == 1


def test_switches_knock_out_and_come_back(mount):
    page = mount(widget("knockout"))
    assert page.locator(".ll-new").count() == 0
    page.get_by_role("switch", name="layer 1, head 2").click()
    page.get_by_role("button", name="all of layer 2").click()
    page.wait_for_function("document.querySelectorAll('.ll-two dd')[3].textContent === '6.50 bits a token'")
    assert page.locator(".ll-two dd").nth(1).inner_text() == "1.50 bits a token"
    assert page.locator(".ll-switch[aria-checked=false]").count() == 1 + H + 1
    assert page.locator(".ll-two h4").nth(1).inner_text() == "Without 5 parts"
    assert page.locator(".ll-new").all_inner_texts() == [" in", " it"]
    assert page.locator(".ll-text .ll-much").count() == 3
    page.get_by_role("button", name="All in again").click()
    page.wait_for_function("document.querySelectorAll('.ll-new').length === 0")
    assert page.locator(".ll-switch[aria-checked=false]").count() == 0


def test_steps_go_on_and_back_with_the_keys(mount):
    page = mount(widget("path"))
    page.get_by_role("button", name="Next step").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator(".ll-step-panel code").inner_text() == "x = f2(x)"
    assert page.get_by_role("button", name="Next step").get_attribute("aria-disabled") == "true"
    page.keyboard.press("ArrowLeft")
    assert page.locator(".ll-count").inner_text() == "2 of 3"
    assert page.locator(".ll-change").inner_text() == "−0.500 → 1: 25%"
    assert page.locator(".ll-step-panel .ll-says").inner_text() == "“<b>” is 4,096"
    assert page.locator(".ll-numbers").inner_text().split() == ["fog", "2.500"], (
        "and no line for what is not there"
    )


def test_a_new_text_is_read_and_an_empty_one_is_not(mount):
    page = mount(widget("attention"))
    field = page.get_by_role("textbox")
    field.fill("<i>lamp</i>")
    field.press("Enter")
    page.wait_for_function("document.querySelectorAll('.ll-text .ll-tok').length === 2")
    assert page.locator(".ll-text").inner_text().endswith("<i>lamp</i>")
    assert page.evaluate("window.model.get('text')") == "<i>lamp</i>"
    field.fill(" ")
    field.press("Enter")
    assert "Write a few words" in page.locator(".ll-state").inner_text()


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_has_no_sideways_scroll(mount, view: str):
    page = mount(widget(view), 390, 844, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.problems == []
