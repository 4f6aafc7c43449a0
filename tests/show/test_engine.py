"""The engine in the page, in a real browser: torch's numbers, the tokenizer's tokens, Python's trees."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from llmlab.course.answers import Answers, Judge, judge
from llmlab.course.inside import Answers as Inside
from llmlab.course.inside import answers
from llmlab.course.next_token import HALF_KNOWN, KNOWN, asked, question
from llmlab.course.page_report import engine_on, same_tokens
from llmlab.errors import LabError
from llmlab.generate.engine import encode_prompt
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.report.run_c import first_words
from llmlab.show.inside import MOST, opening
from llmlab.show.tree import TEMPERATURES
from llmlab.world import build_world
from llmlab.world.crawl import VALID_EVERY, press
from tests.show.engine_page import TEXT, WORDS, lively

pytestmark = pytest.mark.browser
STRANGE = [
    TEXT,
    "",
    " ",
    "<|bos|><|end|> <|user|>",
    "\u3000½ Ⅷ ſ'LL 🏽👩‍🚀 e\u0301",
    "\ufeffa\x00b\x7f\x85c",
    "'s'S'ſ  \r\n \n\t x",
    "x" * 300,
]


@pytest.fixture(scope="module")
def course(browser) -> Callable:
    """The engine with the course's own model."""
    return engine_on(browser.new_page(), zoo.load("course"))


@pytest.fixture(scope="module")
def small(browser) -> Callable:
    return engine_on(browser.new_page(), lively())


def floats(buffer: bytes) -> np.ndarray:
    return np.frombuffer(buffer, "<f4")


@torch.inference_mode()
def in_torch(checkpoint: Checkpoint, ids: list[int]) -> np.ndarray:
    return checkpoint.model(torch.tensor([ids]))[0].numpy()


def held_out(n: int) -> list[str]:
    """The first words of pages that no model has read."""
    return [first_words(press("course", 1).page(7 + i * VALID_EVERY).text) for i in range(n)]


def test_greedy_text_equals_torch_on_a_hundred_prompts(course):
    assert all(same_tokens(course, zoo.load("course"), prompt) for prompt in held_out(100))


def test_logits_equal_torch_at_every_place(course):
    model = zoo.load("course")
    for text in [*held_out(6), TEXT, "def f(x):\n    return " * 20]:
        reply, [logits], _ = course({"kind": "logits", "text": text, "all": True})
        assert reply["ids"] == encode_prompt(model, text)
        ours = floats(logits).reshape(len(reply["ids"]), -1)
        np.testing.assert_allclose(ours, in_torch(model, reply["ids"]), atol=1e-3)


def test_what_was_read_before_changes_nothing(small):
    """The cache is used again for what two texts have in common; shorter, longer, another, and the same once more."""
    made = lively()
    ids = [WORDS.bos, *WORDS.encode(TEXT)][:40]
    for part in (ids, ids[:7], ids[:7], ids[:20] + ids[3:9], [ids[0]], ids[1:], ids):
        _, [last], _ = small({"kind": "logits", "ids": part})
        np.testing.assert_allclose(floats(last), in_torch(made, part)[-1], atol=1e-3)


@pytest.mark.parametrize("text", STRANGE, ids=ascii)
def test_tokens_and_text_are_the_tokenizers(course, text: str):
    """Also what looks like a special token: nobody can type one."""
    words = zoo.load("course").tokenizer
    reply, _, _ = course({"kind": "logits", "text": text})
    assert reply["ids"] == [words.bos, *words.encode(text)]
    assert reply["text"] == words.decode(reply["ids"][1:])
    assert not set(reply["ids"][1:]) & set(words.special.values())


def test_half_a_letter_is_shown_as_python_shows_it(small):
    ids = [WORDS.bos, 0xE6, 0x9D, 65, 0xF0, 0x9F, 0x98, 0xC0, 66]
    reply, _, _ = small({"kind": "logits", "ids": ids})
    assert reply["text"] == WORDS.decode(ids[1:])


@pytest.mark.parametrize(
    "request_", [{"text": "goat " * 100}, {"ids": [5] * 64}, {"text": "x" * 1_000_000}], ids=ascii
)
def test_a_text_that_is_too_long_gets_the_sentence_that_python_says(small, request_):
    with pytest.raises(LabError) as said:
        encode_prompt(lively(), request_.get("text") or request_["ids"])
    with pytest.raises(Exception, match="more than 62 tokens") as in_the_page:
        small({"kind": "logits", **request_})
    assert str(said.value) in str(in_the_page.value)
    assert small({"kind": "logits", "text": "a"})[0]["ids"], "and the next question is answered"


def test_a_token_that_does_not_exist_is_a_sentence(small):
    with pytest.raises(Exception, match="cannot read these tokens"):
        small({"kind": "logits", "ids": [WORDS.vocab_size]})
    assert small({"kind": "logits", "text": "a"})[0]["ids"]


# ---- the inside


WHO = {"who": "model", "most": MOST}
LONG = (
    "On Monday the kettle came back to Mirelda Zanth, and the ferryman asked her whether she had sold it. "
    * 2
)


def same(ours, theirs, scale: float = 1e-3) -> None:
    """Two replies: the same words, and numbers that differ by no more than `scale`."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key in theirs:
            same(ours[key], theirs[key], scale)
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other, scale)
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, abs=scale)
    else:
        assert ours == theirs


@pytest.mark.parametrize("text", [TEXT, "fog", LONG], ids=["strange", "one word", "60 tokens"])
def test_every_view_of_the_inside_is_pythons(browser, text: str):
    """Heads that share keys and values, so that nothing depends on a shape of the course's model."""
    made = lively(block_size=128)
    page, python = engine_on(browser.new_page(), made), Inside(made)
    text = WORDS.decode(WORDS.encode(text)[: MOST - 1])
    for request in (
        {"kind": "attention"},
        {"kind": "stream", "place": -1, "token": -1},
        {"kind": "stream", "place": 1, "token": 70},
        {"kind": "knockout", "heads": [], "mlps": []},
        {"kind": "knockout", "heads": [[1, 2], [0, 0]], "mlps": [0]},
        {"kind": "path", "place": -1},
        {"kind": "path", "place": 0},
    ):
        asked = {**request, **WHO, "text": text}
        (reply, buffers, _), (theirs, their_buffers) = page(asked), python(asked)
        same(reply | {"dtype": ""}, theirs | {"dtype": ""})
        for i, (one, other) in enumerate(zip(buffers, their_buffers, strict=True)):
            dtype = {("attention", 0): "<f2", ("stream", 1): "<u4"}.get((request["kind"], i), "<f4")
            own = np.frombuffer(one, "<u4" if dtype == "<u4" else "<f4")
            np.testing.assert_allclose(own, np.frombuffer(other, dtype).astype(own.dtype), atol=1e-3)


def test_the_inside_of_the_course_model_and_its_twin_is_pythons(browser, course):
    """The numbers that lesson 06 shows, with the sentences of a wrong text."""
    python, text = answers("course"), "The lamp is in the house, and the lamp"
    twin = engine_on(browser.new_page(), replace(python.checkpoint, model=python.minds["twin"]))
    for who, page in (("model", course), ("twin", twin)):
        for request in (
            {"kind": "attention"},
            {"kind": "stream", "place": -1, "token": -1},
            {"kind": "knockout", "heads": [[3, 1]], "mlps": [0, 5]},
            {"kind": "path", "place": 4},
        ):
            asked = {**request, "who": who, "most": MOST, "text": text}
            (reply, buffers, _), (theirs, their_buffers) = page(asked), python(asked)
            same(reply | {"dtype": ""}, theirs | {"dtype": ""})
            if request["kind"] != "attention":
                pairs = zip(buffers, their_buffers, strict=True)
                assert all(np.allclose(floats(one), floats(other), atol=1e-3) for one, other in pairs)
        wanted = {"kind": "surprise", "ids": python.pages()[0], "who": who, "heads": [[3, 1]], "mlps": []}
        np.testing.assert_allclose(floats(page(wanted)[1][0]), floats(python(wanted)[1][0]), atol=1e-3)
    for text in ("", "fog " * 100, "\u4eba" * 900):
        asked = {**opening("attention", text), **WHO}
        with pytest.raises(LabError) as said:
            python(asked)
        with pytest.raises(Exception, match="tokens") as in_the_page:
            course(asked)
        assert str(said.value) in str(in_the_page.value)


def test_a_knocked_out_part_comes_back(small):
    """The next reader finds the whole model, also where what was read before is in the cache."""
    made, ids = lively(), [WORDS.bos, *WORDS.encode(TEXT)][:20]
    every = [[layer, head] for layer in range(2) for head in range(4)]
    _, [bits], _ = small({"kind": "surprise", "ids": ids, "heads": every, "mlps": [0, 1]})
    bare = made.model.norm(made.model.embed_tokens.weight[ids[:-1]]) @ made.model.embed_tokens.weight.T
    expected = torch.nn.functional.cross_entropy(bare, torch.tensor(ids[1:]), reduction="none")
    np.testing.assert_allclose(floats(bits) * np.log(2), expected, atol=1e-3)  # nobody wrote anything
    _, [last], _ = small({"kind": "logits", "ids": ids})
    np.testing.assert_allclose(floats(last), in_torch(made, ids)[-1], atol=1e-3)


# ---- trees


def answers_for(name: str) -> Answers:
    checkpoint, world = zoo.load("course"), build_world()
    fact = asked("course", name)
    said = question(world, fact)
    start = encode_prompt(checkpoint, said.prompt)
    truth = checkpoint.tokenizer.encode(said.prompt + said.answer)[len(start) - 1 :]
    return Answers(checkpoint, None, judge(checkpoint, world, fact), tuple(start), tuple(truth))


@pytest.mark.parametrize("name", [KNOWN, HALF_KNOWN])
@pytest.mark.parametrize("steps", [0, 1])
def test_a_tree_is_the_one_that_python_grows(course, name: str, steps: int):
    """From the question, and from one token along the true road; without verdicts where nothing can be judged."""
    python = answers_for(name)
    ids = [*python.question, *python.truth[:steps]]
    for judged in (python, Answers(python.checkpoint)):
        request = {
            "kind": "tree",
            "ids": ids,
            "temperatures": TEMPERATURES.tolist(),
            "judging": judged.judging(),
        }
        reply, [scores, rest], _ = course(request)
        theirs, [their_scores, their_rest] = judged.tree(ids).reply()
        assert reply == theirs
        np.testing.assert_allclose(floats(scores), floats(their_scores), atol=1e-3)
        np.testing.assert_allclose(floats(rest), floats(their_rest), rtol=1e-3, atol=2e-3)
    assert {"true", "false"} & set(python.tree(ids).reply()[0]["verdicts"])


def test_a_continuation_is_judged_as_python_judges_it(browser):
    """Whatever continues a question: names, beginnings of names, articles, small letters, nothing."""
    from llmlab.show.bundle import worker

    page = browser.new_page()
    page.add_script_tag(content=worker())
    values = ["Skellstow", "Skell", "Nibhaven", "old Harrow", "anvil"]
    said = [
        *(value[:n] for value in values for n in range(len(value) + 1)),
        *(
            "the Skell",
            " a Nib",
            "an anvil.",
            "the",
            "the ",
            "a",
            "this house",
            "Mara",
            "Éire",
            "ßa",
            "4",
            ".",
            "\n Skellstow",
        ),
    ]
    for value in values:
        python = Judge(WORDS, value, frozenset(values))
        ours = page.evaluate(
            "([said, names]) => said.map((s) => verdictOn(s, names))",
            [said, {"value": value, "values": values}],
        )
        assert ours == [python(WORDS.encode(text)) for text in said]
        assert set(ours) == {"true", "false", "nothing", ""}
    page.close()
