"""The figures of lesson 06: each row says what it counts."""

import pytest
import torch

from llmlab.measure.copying import copying
from llmlab.measure.reversal import Answers
from llmlab.model import zoo
from llmlab.report import inside


def test_the_score_is_a_mean_with_its_interval():
    course = zoo.load("course")
    rows = {row[0]: row for row in inside.of_the_heads(course, n=4, seed=0)}
    own, other = (rows[f"induction.head_score{end}"] for end in ("", "_twin"))
    whole, without = (rows[f"induction.gain_bits{end}"][1] for end in ("", "_without_copier"))
    assert without < whole
    scores = copying(course.model, course.tokenizer.bos, 4, 0).scores.mean(0)
    assert torch.isclose(scores, torch.tensor(own[1]), atol=1e-6).any()
    assert own[3] < own[1] < own[4] and own[2] == 4
    assert other[1] < own[1]


def test_each_direction_has_its_row(monkeypatch: pytest.MonkeyPatch):
    ways = [(told, asked) for told in ("one way", "both ways") for asked in ("as told", "the other way")]
    answers = [Answers(told, asked, right, 10) for right, (told, asked) in enumerate(ways)]
    monkeypatch.setattr(inside, "both_directions", lambda checkpoint, told: answers)
    monkeypatch.setattr(inside, "pairs", lambda world: [])
    rows = {id: (right, n) for id, right, n, _ in inside.of_the_reversal(None, None, None)}
    assert rows["reversal.forward"] == rows["reversal.base.forward"] == (0, 10)
    assert rows["reversal.backward"] == rows["reversal.base.backward"] == (1, 10)
    assert rows["reversal.backward_cured"] == rows["reversal.base.backward_both_ways"] == (3, 10)
    assert len(rows) == 8
