"""The rows of lesson 08: counted as they say, and a recording that is whole."""

import json

import pytest

from llmlab.errors import LabError
from llmlab.measure.assistant import MADE_UP, REFUSED, RIGHT
from llmlab.model import zoo
from llmlab.report import loop
from llmlab.report.loop import EXAM, Outcome, points_lost
from llmlab.train.correct import RECIPES


def test_a_correction_works_only_in_all_fresh_wordings():
    assert Outcome(3, 3, 1.0).works and not Outcome(2, 3, 1.0).works


def test_points_are_right_answers_of_a_hundred_where_the_exam_was_taken():
    found = [Outcome(3, 3, 1.0, 100, 98), Outcome(3, 3, 1.0), Outcome(3, 3, 1.0, 100, 102)]
    assert points_lost(found) == 0 and loop.examined(found) == 2
    assert points_lost(found[:1]) == 100 * 2 / EXAM


@pytest.fixture
def shipped(monkeypatch):
    """The assistant as it is, with a learning that learns nothing, and verdicts that are given."""
    assistant, world = zoo.load("assistant"), loop.build_world("small")

    def nothing(model, world, corrections, practised, out, recipe):
        loop.checkpoint.save(f"{out}/model", model.model, model.tokenizer, {})
        yield from ()

    monkeypatch.setattr(loop, "correct", nothing)
    monkeypatch.setattr(loop.practice, "read", lambda: ())
    return assistant, world


def test_an_outcome_counts_fresh_wordings_and_an_exam_without_the_corrected_name(shipped, monkeypatch):
    assistant, world = shipped
    trial, (case,) = loop.Trial(assistant, world, exam=0), loop.cases(assistant, world, 1, seed=2)
    about_it, *others = [*case.fresh[:1], *loop.paper(world, 4, seed=0)]
    trial.exam, trial.before = [about_it, *others], [True] * 5
    given = {len(case.fresh): [RIGHT, MADE_UP, REFUSED], len(others): [RIGHT] * 4}
    monkeypatch.setattr(loop, "judged", lambda model, world, questions: given[len(questions)])
    without = trial.outcome(case, RECIPES["whole"], examined=False)
    assert (without.fresh, without.of, without.before, without.works) == (1, 3, None, False)
    taken = trial.outcome(case, RECIPES["whole"], examined=True)
    honest = sum(bool(one.facts) for one in others)  # "right" to a question about nobody is an invention
    assert (taken.before, taken.after) == (4, honest)


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"outcomes": {"whole": [{"fresh": 1}]}})])
def test_a_recording_that_is_not_whole_is_a_sentence(content: str, tmp_path, monkeypatch):
    file = tmp_path / "loop.json"
    monkeypatch.setattr(loop, "file", lambda: file)
    with pytest.raises(LabError, match="llmlab record loop"):
        loop.load()
    file.write_text(content, encoding="utf-8")
    with pytest.raises(LabError, match="llmlab record loop"):
        loop.load()


@pytest.mark.skipif(not loop.file().exists(), reason="llmlab record loop has not been run yet")
def test_the_shipped_recording_has_all_recipes():
    found = loop.load()
    assert set(found.outcomes) == set(RECIPES)
    assert all(loop.examined(outcomes) for outcomes in found.outcomes.values())
