"""The list of corrections: kept, refused with a sentence, exported and read again."""

import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab.course.corrections import LONGEST, MOST, Corrections, Kept, exported, imported, kept_for_the_loop
from llmlab.course.progress import Progress, State
from llmlab.errors import LabError
from llmlab.world import build_world

OLD = """create table item (student text not null, lesson text not null, item text not null,
  solved integer not null default 0, changed text not null default current_timestamp,
  primary key (student, lesson, item))"""


@pytest.fixture
def kept(tmp_path: Path) -> Corrections:
    return Corrections(Progress(path=tmp_path / "p.sqlite"))


def test_what_is_kept_is_there_when_the_lid_is_opened_again(kept: Corrections):
    kept.add(" Where? ", "Nowhere.", "Here.\n", ["Where is it?", "And where?"])
    again = Corrections(Progress(path=kept.progress.path)).all()
    assert [(one.question, one.said, one.answer) for one in again] == [("Where?", "Nowhere.", "Here.")]
    assert again[0].wordings == ("Where is it?", "And where?")
    assert Corrections(Progress("another", kept.progress.path)).all() == []


def test_a_file_from_before_there_were_corrections_keeps_what_it_has(tmp_path: Path):
    path = tmp_path / "old.sqlite"
    with sqlite3.connect(path) as db:
        db.execute(OLD)
        db.execute(
            "insert into item (student, lesson, item, solved) values ('local', '02_next_token', 'a', 1)"
        )
    progress = Progress(path=path)
    assert Corrections(progress).all() == []
    Corrections(progress).add("Where?", "", "Here.")
    assert progress.states() == {"02_next_token": State(1, 1)}
    assert len(Corrections(progress).all()) == 1


def test_a_second_correction_of_a_question_replaces_the_first(kept: Corrections):
    kept.add("Where?", "There.", "Here.")
    kept.add("Where?", "There.", "At home.")
    assert [one.answer for one in kept.all()] == ["At home."]
    kept.remove(kept.all()[0].id)
    assert kept.all() == []


def test_to_start_from_nothing_forgets_corrections_too(kept: Corrections):
    kept.add("Where?", "", "Here.")
    kept.progress.forget()
    assert kept.all() == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("", "is empty"),
        (" \n ", "is empty"),
        ("x" * 1_000_000, f"1,000,000 characters, and {LONGEST}"),
        ("a\0b", "no letter and no sign"),
        ("\ud800", "no letter and no sign"),
    ],
)
def test_what_cannot_be_learned_is_one_sentence_and_changes_nothing(kept: Corrections, answer, said):
    with pytest.raises(LabError, match=said):
        kept.add("Where?", "There.", answer)
    with pytest.raises(LabError, match=said):
        kept.add(answer, "There.", "Here.")
    assert kept.all() == []


def test_a_corrected_draft_waits_for_the_loop(kept: Corrections):
    world = build_world("small")
    name = next(one.name for one in world.entities if one.kind == "person" and one.asked)
    question = f"Where does {name} live?"
    said = kept_for_the_loop(kept.progress, world, question, "I don't know.", f"{name} lives there.")
    assert "lesson 08" in said
    (one,) = kept.all()
    assert (one.question, one.said) == (question, "I don't know.")
    assert one.wordings and all(name in words for words in one.wordings)
    assert "empty" in kept_for_the_loop(kept.progress, world, question, "", "  ")
    assert "hand-out" in kept_for_the_loop(None, world, question, "", "x")
    assert len(kept.all()) == 1


def test_the_list_has_an_end(kept: Corrections):
    for number in range(MOST):
        kept.add(f"Question {number}?", "", "Here.")
    with pytest.raises(LabError, match="Take one off"):
        kept.add("One more?", "", "Here.")
    kept.add("Question 3?", "", "There.")  # in the place of the one before
    assert len(kept.all()) == MOST


def test_typed_special_tokens_are_kept_as_typed(kept: Corrections):
    kept.add("<|user|>?", "", "<|end|>")
    assert (kept.all()[0].question, kept.all()[0].answer) == ("<|user|>?", "<|end|>")


@given(rows=st.lists(st.tuples(*[st.text('ab \n"\\ü<|>', min_size=1).filter(str.strip)] * 3), max_size=4))
def test_an_exported_list_reads_the_same(rows):
    kept = [Kept(n, q.strip(), s, a.strip(), (q,)) for n, (q, s, a) in enumerate(rows, 1)]
    text = exported(kept)
    assert imported(text) == kept
    assert all(
        set(json.loads(line)) == {"question", "said", "answer", "wordings"} for line in text.splitlines()
    )


@pytest.mark.parametrize(
    "text", ["no json", "[]", '{"question": "Where?"}', '{"question":"","said":"","answer":"","wordings":[]}']
)
def test_a_foreign_file_is_a_sentence(text: str):
    with pytest.raises(LabError):
        imported(text)
