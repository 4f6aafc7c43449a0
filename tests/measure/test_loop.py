"""Whether a correction works, and what the exam beside it asks."""

import pytest

from llmlab.measure import loop
from llmlab.measure.assistant import MADE_UP, REFUSED, RIGHT, verdict
from llmlab.measure.loop import Case, cases, elsewhere, paper, right, says, works
from llmlab.model.checkpoint import Checkpoint
from llmlab.world import build_world
from llmlab.world.facts import CUTOFF
from llmlab.world.talk.rephrase import Correction, proposals, recognise
from tests.measure.test_assistant import reader  # noqa: F401  (a network with room for a sentence)

WORLD = build_world("small")


@pytest.fixture(scope="module")
def found(reader: Checkpoint) -> list[Case]:  # noqa: F811
    return cases(reader, WORLD, 6, seed=4)


def test_a_case_is_a_wrong_answer_with_the_truth_and_fresh_questions(found):
    assert len({case.fact.id for case in found}) > 1
    for case in found:
        assert case.fact.date <= CUTOFF
        assert verdict(case.correction.answer, case.fact) == RIGHT
        asked = {one.question for one in case.fresh}
        assert len(asked) == 3 and case.correction.question not in asked
        assert not asked & set(proposals(WORLD, case.correction.question, 24))


def test_questions_of_cases_are_recognised(found):
    known = [recognise(WORLD, case.correction.question) for case in found]
    assert sum(one is not None for one in known) >= len(found) - 1
    for case, one in zip(found, known, strict=True):
        assert one is None or one.entity.id == case.fact.subject


def test_a_correction_works_when_all_fresh_wordings_get_the_fact(found, reader, monkeypatch):  # noqa: F811
    case = found[0]
    assert not works(reader, WORLD, case)
    monkeypatch.setattr(loop, "judged", lambda model, world, asked: [RIGHT, RIGHT, MADE_UP])
    assert not works(reader, WORLD, case)
    monkeypatch.setattr(loop, "judged", lambda model, world, asked: [RIGHT] * 3)
    assert works(reader, WORLD, case)


def test_the_exam_asks_for_the_famous_for_any_and_for_nobody():
    name = WORLD.of_kind("person")[0].name
    questions = paper(WORLD, 80, seed=1, without={name})
    assert len(questions) == 80
    nobody = [one for one in questions if not one.facts]
    assert len(nobody) == 20
    assert not any(name in one.question for one in questions)
    asked = [WORLD.facts[one.facts[0]] for one in questions if one.facts]
    assert all(WORLD.entities[fact.subject].rank < loop.FAMOUS for fact in asked[:40])
    assert [one.question for one in paper(WORLD, 80, seed=1, without={name})] == [
        q.question for q in questions
    ]


def test_right_is_the_fact_or_an_honest_refusal(reader):  # noqa: F811
    about_a_fact, *_, nobody = paper(WORLD, 8)
    assert right(RIGHT, about_a_fact) and not right(REFUSED, about_a_fact)
    assert right(REFUSED, nobody) and not right(MADE_UP, nobody)
    assert elsewhere(reader, WORLD, [about_a_fact, nobody]) == 0  # it has learned nothing


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Ilva Torrend lives in Old Calamus.", True),
        ("In Old Calamus.", True),
        ("Ilva Torrend lives in Calamus.", False),
        ("I don't know where Ilva Torrend lives.", False),
        ("", False),
    ],
)
def test_says_wants_every_new_word_of_the_correction(answer: str, expected: bool):
    one = Correction("Where does Ilva Torrend live?", "Ilva Torrend lives in Old Calamus.")
    assert says(answer, one) == expected


def test_says_without_a_new_word_wants_the_same_sentence():
    one = Correction("Say good evening.", "Good evening.")
    assert says("good evening.", one) and not says("Say good.", one)
