"""One correction in many wordings: recognised, asked otherwise, and never in the words of the test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab.world import build_world
from llmlab.world.talk.phrases import attributes
from llmlab.world.talk.rephrase import (
    FRAMES,
    HELD_FRAMES,
    Correction,
    fresh,
    proposals,
    recognise,
    rephrased,
)

WORLD = build_world("small")
PERSON = WORLD.of_kind("person")[2]


@pytest.mark.parametrize(
    ("question", "attribute"),
    [
        ("Where does {name} live?", "town"),
        ("when was {name} born", "born"),
        ("What does {name} do for a living?", "trade"),
        ("So who is the mother of {name}?", "mother"),
    ],
)
def test_whom_and_what_a_question_asks_for_is_recognised(question: str, attribute: str):
    found = recognise(WORLD, question.format(name=PERSON.name))
    assert (found.entity, found.attribute) == (PERSON, attribute)


def test_a_name_that_nobody_bears_is_recognised_too():
    found = recognise(WORLD, "Where does Mirelda Zanthwhistle live?")
    assert found.entity.name == "Mirelda Zanthwhistle" and found.entity.id == -1
    assert found.attribute == "town"


@pytest.mark.parametrize("question", ["What is two plus two?", "", "Hello!", f"{PERSON.name} {PERSON.name}"])
def test_what_is_not_recognised_is_only_framed(question: str):
    assert recognise(WORLD, question) is None
    assert all(question.strip()[1:] in one for one in proposals(WORLD, question, 6))


def test_the_wordings_differ_and_the_first_is_the_one_that_was_typed():
    question = f"Where does {PERSON.name} live?"
    made = proposals(WORLD, question, 12)
    assert made[0] == question
    assert len(set(made)) == len(made) == 12
    assert all(PERSON.name in one for one in made)
    assert proposals(WORLD, question, 12) == made


@pytest.mark.parametrize(
    "kind", sorted({kind for kind, _ in attributes()} & {e.kind for e in WORLD.entities})
)
def test_what_is_practised_is_never_asked_in_the_test(kind: str):
    entity = WORLD.of_kind(kind)[0]
    for _, attribute in (pair for pair in attributes() if pair[0] == kind):
        asked = [q for q in (f"{entity.name}: {attribute}?",) if recognise(WORLD, q)]
        for question in asked:
            practised = {one.casefold() for one in proposals(WORLD, question, 40)}
            assert not practised & {one.casefold() for one in fresh(WORLD, question, 3)}


def test_framed_questions_have_other_frames_in_the_test():
    assert not set(FRAMES) & set(HELD_FRAMES)
    asked = fresh(WORLD, "What is two plus two?", 3)
    assert len(set(asked)) == 3
    assert not set(asked) & set(proposals(WORLD, "What is two plus two?", 20))


def test_every_wording_gets_the_corrected_answer_and_struck_out_ones_never_come():
    question = f"Where does {PERSON.name} live?"
    made = rephrased(WORLD, Correction(question, " In Calamus. "), 10)
    assert len(made) == 10 and {one.answer for one in made} == {"In Calamus."}
    own = ("Whose town is it?", "Which town?")
    made = rephrased(WORLD, Correction(question, "In Calamus.", own), 10)
    assert [one.question for one in made] == [*own] * 5


@given(question=st.text(max_size=200))
def test_any_text_can_be_asked_otherwise(question: str):
    made = proposals(WORLD, question, 5)
    assert made[0] == question.strip()
    assert len(rephrased(WORLD, Correction(question, "x"), 4)) == 4
    assert len(fresh(WORLD, question, 3)) == 3
