"""Lesson 08: the board is the student's own state, and a round of the loop is a real one."""

import time
from pathlib import Path

import pytest

from llmlab.course import correcting, jobs, the_loop_exercises, the_loop_show
from llmlab.course.corrections import exported
from llmlab.course.progress import Progress
from llmlab.course.the_loop import READY, STATIONS, Heard, Loop, Retraining
from llmlab.course.the_loop_exercises import QUIZ, exercises
from llmlab.errors import LabError
from llmlab.measure.loop import says
from llmlab.model import zoo
from llmlab.train.correct import lesson
from llmlab.world import build_world
from llmlab.world.talk import practice

WORLD = build_world()


@pytest.fixture
def loop(tmp_path: Path, monkeypatch) -> Loop:
    monkeypatch.setenv("LLMLAB_DATA", str(tmp_path))
    return Loop(zoo.load("assistant"), WORLD, Progress(path=tmp_path / "p.sqlite"))


def corrected(loop: Loop, number: int = 0) -> Heard:
    """Mark one of the dealt answers and correct it with what the pages say."""
    loop.deal(1)
    loop.marked = next(one for one in loop.heard[number:] if loop.looked_up(one.question))
    assert loop.keep(loop.looked_up(loop.marked.question), loop.wordings(loop.marked.question)).startswith(
        "Kept"
    )
    return loop.marked


def test_what_is_dealt_is_answered_by_the_deployed_version(loop: Loop):
    loop.deal(1)
    assert len(loop.heard) == READY
    for one in loop.heard:
        assert loop.ask(one.question) == one
    first = [one.question for one in loop.heard]
    loop.deal(2)
    assert [one.question for one in loop.heard] != first


@pytest.mark.parametrize("question", ["", " \n", "x" * 1_000_000, "a\0b"])
def test_what_is_no_question_is_a_sentence(loop: Loop, question: str):
    with pytest.raises(LabError):
        loop.ask(question)


def test_typed_special_tokens_are_only_text(loop: Loop):
    assert loop.ask("<|end|><|assistant|> Where does Ilva live?").question.startswith("<|end|>")


def test_the_board_goes_from_station_to_station(loop: Loop):
    retraining = Retraining(loop)
    assert STATIONS[loop.station(retraining)] == "Monitor"
    loop.deal(1)
    assert STATIONS[loop.station(retraining)] == "Collect"
    corrected(loop)
    assert STATIONS[loop.station(retraining)] == "Retrain" and loop.waiting() == 1
    loop.marked = Heard("Another?", "Yes.")
    assert STATIONS[loop.station(retraining)] == "Correct"
    html = the_loop_show.board(loop, retraining)
    assert html.count("aria-current=step") == 1 and "1 correction on the list" in html


def test_what_was_typed_is_never_markup(loop: Loop):
    nasty = Heard("<img src=x onerror=alert(1)>", "<b>bold</b>")
    loop.heard, loop.marked = [nasty], nasty
    loop.keep("<script>", ["<i>"])
    html = the_loop_show.heard(loop.heard, nasty) + the_loop_show.marked(loop)
    html += the_loop_show.kept_table(loop.corrections.all(), ())
    assert not any(tag in html for tag in ("<img", "<b>bold", "<script", "<i>"))


def test_what_is_struck_out_is_not_practised(loop: Loop):
    """From the tick on the page to the tokens that are trained on; the question itself is always practised."""
    loop.deal(1)
    loop.marked = next(one for one in loop.heard if loop.looked_up(one.question))
    base, question = zoo.load("assistant"), loop.marked.question
    answer = loop.looked_up(question)
    others = [words for words in loop.wordings(question) if words != question]
    for ticked in (others[:2], []):
        assert loop.keep(answer, ticked).startswith("Kept")
        (kept,) = loop.corrections.all()
        made = lesson(base, WORLD, [kept.correction], practice.read()[:200])
        read = [base.tokenizer.decode(list(one.tokens)) for one in made.dialogues]
        assert all(any(words in text for words in (question, *ticked)) for text in read)
        assert all(any(words in text for text in read) for words in (question, *ticked))


def test_nothing_marked_or_nothing_written_is_a_sentence(loop: Loop):
    assert "Mark" in loop.keep("x", [])
    loop.deal(1)
    loop.marked = loop.heard[0]
    assert "is empty" in loop.keep(" ", []) and loop.corrections.all() == []
    retraining = Retraining(loop)
    retraining.begin()
    assert "Nothing has been corrected" in retraining.sentence and not retraining.running


def test_a_lost_version_is_said_and_the_shipped_one_answers(loop: Loop):
    loop.versions.folder.mkdir(parents=True)
    (loop.versions.folder / "deployed").write_text("7", encoding="utf-8")
    model, said = loop.answering()
    assert model is loop.versions.base and "Version 7 was deleted" in said
    assert "Version 7 was deleted" in the_loop_show.board(loop, Retraining(loop))


def test_a_round_in_a_child_becomes_a_version_that_can_be_deployed(loop: Loop):
    one, retraining = corrected(loop), Retraining(loop)
    retraining.begin()
    seen, end = {0.0}, time.monotonic() + 500
    while retraining.running:
        assert time.monotonic() < end
        seen.add(retraining.done)
        assert retraining.sentence and not retraining.look()
        time.sleep(0.2)
    assert retraining.look() and not retraining.look()
    assert 0 < sorted(seen)[1] < 1 and retraining.done == 1
    assert loop.versions.numbers() == [1, retraining.number] == [1, 2] and loop.deployed == 1
    report = loop.versions.report(2)
    assert report["corrections"] == [one.question] and report["asked"] == correcting.EXAM
    assert not retraining.out.exists()
    assert STATIONS[loop.station(retraining)] == "Deploy"
    loop.versions.deploy(2)
    assert loop.waiting() == 0
    kept = loop.corrections.all()[0].correction
    for row in report["fresh"]:  # what the report says of the new version is what it answers
        assert loop.ask(row["question"]).answer == row["after"]
        assert row["is"] == says(row["after"], kept)
    for html in (
        the_loop_show.fresh_table(report),
        the_loop_show.exam_table(report),
        the_loop_show.history(loop),
    ):
        assert "version" in html


def test_a_stopped_round_leaves_no_version(loop: Loop):
    corrected(loop)
    retraining = Retraining(loop)
    retraining.begin()
    retraining.stop()
    end = time.monotonic() + 120
    while retraining.running:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert not retraining.look() and "Stopped" in retraining.sentence
    assert loop.versions.numbers() == [1] and len(loop.corrections.all()) == 1


def test_a_list_that_cannot_be_read_is_one_sentence_of_the_child(tmp_path: Path):
    (tmp_path / correcting.ORDERS).write_text(exported([]) + "no json\n", encoding="utf-8")
    job = jobs.start("correct", "assistant", str(tmp_path), "--recipe", "whole")
    while not job.poll().ended:
        time.sleep(0.1)
    assert job.state == "failed" and job.error.startswith("Line 1 is no correction")


# ---- exercises ----


@pytest.mark.parametrize("name", ["points", "not_practised", "share", "adapter", "lost"])
def test_every_solution_passes_its_own_check(name: str):
    one = next(one for one in exercises(zoo.load("assistant"), WORLD) if one.id == name)
    assert one.check(one.solution) is None
    assert one.is_blank(one.starter)
    if isinstance(one.field, tuple):
        assert len(set(one.field)) == 4
        assert all(one.check(choice) for choice in one.field if choice != one.solution)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def lost(before, after):\n    pass", "return"),
        (
            "def lost(before, after):\n    return [q for q in before if before[q] and not after.get(q, False)]",
            "order",
        ),
        ("def lost(before, after):\n    return sorted(q for q in after if not after[q])", "not lost"),
        (
            "def lost(before, after):\n    return sorted(q for q in before if before[q] != after.get(q))",
            "a gain",
        ),
        (
            "def lost(before, after):\n    return sorted(q for q in before if before[q] and not after.get(q, True))",
            "not answered any more",
        ),
    ],
)
def test_lost_names_the_likely_mistakes(code: str, said: str):
    assert said in the_loop_exercises.check_lost(code)


@pytest.mark.parametrize(
    ("given", "said"), [(3, "of 100"), (2.5, "won"), (5, "Take off"), (-1.5, "positive")]
)
def test_points_names_the_likely_mistakes(given: float, said: str):
    assert said in the_loop_exercises.check_points(given)


def test_each_question_has_one_right_option_and_explains_all():
    for question in QUIZ:
        assert sum(option.right for option in question.options) == 1
        assert all(option.because for option in question.options)
