"""Mothers and children: who is told which way, and that nothing is told by accident."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from llmlab.measure.reversal import (
    LINES,
    READINGS,
    WHICH,
    advantage,
    ask,
    belief,
    both_directions,
    pairs,
    register,
    sentence,
    sentences,
    told_both_ways,
)
from llmlab.text.tokenizer import Tokenizer
from llmlab.world.crawl import crawl
from llmlab.world.genesis import build_world


@pytest.fixture(scope="module")
def world():
    return build_world("small", 1)


@pytest.fixture(scope="module")
def told(world):
    return pairs(world)


def test_every_second_pair_is_told_both_ways(world, told):
    assert len(told) > 10 and abs(sum(pair.both for pair in told) - len(told) / 2) <= 1
    for pair in told:
        assert world.is_true(pair.child, "mother", pair.mother)
        assert world.is_true(pair.mother, "child", pair.child)


def test_the_course_world_has_enough_pairs():
    halves = [pair.both for pair in pairs(build_world())]
    assert sum(halves) >= 200 and len(halves) - sum(halves) >= 200


def test_no_page_of_the_crawl_tells_a_one_way_pair_backwards(told):
    """Read from the text itself: where both names stand in one sentence, the child comes first."""
    one_way = {pair.mother: pair.child for pair in told if not pair.both}
    seen = 0
    for page in crawl("small", 1, workers=1):
        if page.split != "train":
            continue
        for mother, child in one_way.items():
            for found in re.finditer(re.escape(mother), page.text):
                seen += 1
                rest = re.split(r"[.?!\n]", page.text[found.end() :], maxsplit=1)[0]
                assert child not in rest, page.text
    assert seen > 20


def test_questions_end_where_the_name_begins(told):
    for pair in told[:20]:
        forward, backward = ask(pair, False), ask(pair, True)
        assert forward.answer == f" {pair.mother}" and pair.child in forward.prompt
        assert backward.answer == f" {pair.child}" and pair.mother in backward.prompt
        assert pair.mother not in forward.prompt and pair.child not in backward.prompt


def test_each_pair_is_asked_in_a_sentence_that_tells_others_only(told):
    some = told[:16]
    lines = {line for page in register(some, "all") for line in page.text.split("\n")}
    for backward in (False, True):
        assert (
            {pair.left_out for pair in some if pair.both}
            == set(range(4))
            == {p.left_out for p in some if not p.both}
        )
        for pair in some:
            asked = ask(pair, backward)
            assert asked.prompt + asked.answer + "." not in lines
            others = [other for other in some if other.left_out != pair.left_out]
            assert all(sentence(other, backward, pair.left_out) + "." in lines for other in others)


def test_the_order_of_names_is_the_direction():
    for line in sentences()["told"]:
        assert line.index("{child}") < line.index("{mother}")
    for line in sentences()["told the other way"]:
        assert line.index("{mother}") < line.index("{child}")


@pytest.mark.parametrize("which", WHICH)
def test_register_tells_each_pair_as_often_as_it_says(told, which: str):
    some = told[:10]
    pages = list(register(some, which))
    lines = [line for page in pages for line in page.text.split("\n")]
    assert max(len(page.text.split("\n")) for page in pages) <= LINES
    assert len({page.id for page in pages}) == len(pages)
    for pair in some:
        mine = [line for line in lines if pair.child in line and pair.mother in line]
        backward = sum(line.index(pair.mother) < line.index(pair.child) for line in mine)
        assert len(mine) - backward == READINGS
        assert backward == (READINGS if pair in told_both_ways(some, which) else 0)
    for page in pages:  # nothing to copy from
        assert all(page.text.count(pair.mother) <= 1 for pair in some)


def oracle(words: Tokenizer, known: dict[tuple[int, ...], int]):
    """A stand-in that is certain of the next token where it knows the text so far."""

    class Model:
        def parameters(self):
            yield torch.zeros(1)

        def __call__(self, idx):
            out = torch.zeros(*idx.shape, words.vocab_size)
            for i, row in enumerate(idx.tolist()):
                for t in range(len(row)):
                    if (token := known.get(tuple(row[1 : t + 1]))) is not None:
                        out[i, t, token] = 20.0
            return out

    return SimpleNamespace(tokenizer=words, model=Model())


def test_a_model_that_was_told_one_way_is_right_one_way(told):
    some = told[:8]
    forward = [ask(pair, False) for pair in some]
    words = Tokenizer.train(
        [q.prompt + q.answer for pair in some for q in (ask(pair, False), ask(pair, True))], 700
    )
    known = {}
    for question in forward:
        start, ids = len(words.encode(question.prompt)), words.encode(question.prompt + question.answer)
        known |= {tuple(ids[:t]): ids[t] for t in range(start, len(ids))}
    mind = oracle(words, known)
    rows = {(row.told, row.asked): (row.right, row.n) for row in both_directions(mind, some)}
    assert rows["one way", "as told"] == rows["both ways", "as told"] == (4, 4)
    assert rows["one way", "the other way"] == rows["both ways", "the other way"] == (0, 4)
    assert belief(mind, forward) == pytest.approx(np.zeros(8), abs=1e-3)
    assert advantage(mind, some, False).min() > 10
    assert abs(advantage(mind, some, True)).max() < 40


def test_belief_is_the_sum_over_the_name(tiny):
    """Against one text at a time."""
    pair = pairs(build_world("small", 1))[0]
    words, questions = tiny.tokenizer, []
    for prompt, answer in (("the fog", " waits"), ("the ferry waits for", " the fog")):
        questions.append(SimpleNamespace(prompt=prompt, answer=answer, fact=pair.forward, pages=0))
    found = belief(tiny, questions)
    for question, nats in zip(questions, found, strict=True):
        ids = [words.bos, *words.encode(question.prompt + question.answer)]
        start = len(words.encode(question.prompt)) + 1
        with torch.no_grad():
            p = tiny.model(torch.tensor([ids]))[0].log_softmax(-1)
        right = sum(float(p[t - 1, ids[t]]) for t in range(start, len(ids)))
        assert nats == pytest.approx(right, rel=1e-4)
