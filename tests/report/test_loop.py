"""The rows of lesson 08: counted as they say, and a recording that is whole."""

import json

import pytest

from llmlab.errors import LabError
from llmlab.report import loop
from llmlab.report.loop import EXAM, Outcome, points_lost
from llmlab.train.correct import RECIPES


def test_a_correction_works_only_in_all_fresh_wordings():
    assert Outcome(3, 3, 1.0).works and not Outcome(2, 3, 1.0).works


def test_points_are_right_answers_of_a_hundred_where_the_exam_was_taken():
    found = [Outcome(3, 3, 1.0, 100, 98), Outcome(3, 3, 1.0), Outcome(3, 3, 1.0, 100, 102)]
    assert points_lost(found) == 0 and loop.examined(found) == 2
    assert points_lost(found[:1]) == 100 * 2 / EXAM


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
