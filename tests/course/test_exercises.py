"""Exercises wait when blank, name the mistake when wrong, remember when right, and fit their own solutions."""

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab.course.exercises import Exercise, Option, Question, Sheet, check_calls
from llmlab.course.progress import Progress
from llmlab.course.sandbox import CodeError, results

HALF = Exercise(
    id="half", title="Half {of} it", difficulty=1, minutes=2, question="What is $\\frac{1}{2}$ of 3?", field="number",
    check=lambda x: None if x == 1.5 else "Did you forget the half?", hints=("Divide.", "By two."), solution=1.5,
    because="3 / 2 = 1.5",
)  # fmt: skip
CODE = Exercise(
    id="code", title="Double", difficulty=2, minutes=5, question="Write `double`.", field="code",
    check=lambda code: None if results(code, ["double(4)"]) == [8] else "double(4) should be 8.",
    hints=("`*`", "`return`"), solution="def double(x):\n    return 2 * x", because="Twice.",
    starter="def double(x):\n    ...",
)  # fmt: skip
QUIZ = (
    Question(
        "first",
        "Which?",
        (Option("this", "Because.", True), Option("that", "It looks so."), Option("so", "No.")),
    ),
)


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(path=tmp_path / "p.sqlite")


@pytest.fixture
def sheet(progress: Progress) -> Sheet:
    return Sheet("02_next_token", [HALF, CODE], QUIZ, progress)


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_blank_waits_and_raises_nothing(sheet: Sheet, progress: Progress, blank):
    assert "as soon as you give one" in sheet.reply("half", blank).text
    assert "as soon as you give one" in sheet.reply("code", CODE.starter).text
    assert progress.states()["02_next_token"].solved == 0


def test_a_wrong_answer_names_the_likely_mistake(sheet: Sheet):
    assert "Did you forget the half?" in sheet.reply("half", 3).text


def test_a_right_answer_is_explained_and_remembered(sheet: Sheet, progress: Progress):
    assert "3 / 2 = 1.5" in sheet.reply("half", 1.5).text
    assert progress.states()["02_next_token"].solved == 1


def test_asking_shows_everything_and_answers_with_its_field(sheet: Sheet):
    asked = sheet.ask("half")
    for words in ("Half {of} it", "about 2", "Divide.", "By two.", "3 / 2 = 1.5"):
        assert words in asked.text
    assert asked.value == {"answer": None}
    assert "as soon as you give one" in sheet.reply("half", asked).text


def test_with_solutions_the_fields_are_filled_and_all_checks_agree(sheet: Sheet, progress, monkeypatch):
    monkeypatch.setenv("LLMLAB_SOLUTIONS", "1")
    for name in sheet.exercises:
        assert "<b>Right.</b>" in sheet.reply(name, sheet.ask(name)).text
    assert "Right." in sheet.marks(sheet.quiz()).text
    assert progress.states()["02_next_token"].word == "done"
    with pytest.raises(AssertionError, match="refuses its own solution"):
        sheet.reply("half", 7)


def test_each_option_of_the_quiz_is_explained(sheet: Sheet, progress: Progress):
    assert "It looks so." in sheet.marks({"first": "that"}).text
    assert "Because." not in sheet.marks({"first": "that"}).text
    said = sheet.marks({"first": "this"}).text
    assert all(words in said for words in ("Because.", "It looks so.", "No."))
    assert progress.states()["02_next_token"].solved == 1


def test_a_student_who_types_markup_sees_letters(sheet: Sheet):
    assert "<script>" not in sheet.reply("code", "<script>alert(1)</script>").text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def double(x)\n  return", "cannot read"),
        ("def double(x):\n    return y", "y"),
        ("import os\ndef double(x):\n    return os.listdir('/')", "stopped with"),
        ("def double(x):\n    while True:\n        pass", "within a second"),
        ("def double(x):\n    return 'a' * 10**10", "stopped with"),
    ],
)
def test_code_that_fails_is_a_sentence(sheet: Sheet, code: str, words: str):
    assert words in sheet.reply("code", code).text


def test_a_progress_file_that_fails_costs_no_lesson(tmp_path: Path):
    (tmp_path / "p.sqlite").write_bytes(b"this is no database, and long enough to be looked at" * 20)
    sheet = Sheet("02_next_token", [HALF], QUIZ, Progress(path=tmp_path / "p.sqlite"))
    for said in (sheet.reply("half", 1.5).text, sheet.marks({"first": "this"}).text):
        assert "Right." in said and "could not be remembered" in said
    (tmp_path / "p.sqlite").unlink()
    assert "remembered" not in sheet.reply("half", 1.5).text


def test_a_students_function_is_held_against_ours_and_the_mistake_named():
    check = partial(
        check_calls,
        name="double",
        cases=[(1,), ([2],)],
        right=lambda x: x * 2,
        likely=lambda *all: f"Likely {all}.",
    )
    assert check("def double(x):\n    return x + x") is None
    assert check("def double(x):\n    x + x") == (
        "`double(1)` gave `None`, and the package gives `2`. Did you forget `return`?"
    )
    assert check("def double(x):\n    return 2 if x == 1 else 4").endswith(
        "`[2, 2]`. A list should come back."
    )
    assert check("def double(x):\n    return 3").endswith("Likely ((1,), 3, 2).")


def test_what_a_students_function_returns_stays_short_and_letters(sheet: Sheet):
    """It stands in a code span of Markdown: nothing in it may end the span, or fill the page."""
    code = 'def double(x):\n    return "`<img src=x onerror=alert(1)>`" * 10000'
    said = check_calls(code, "double", [(1,)], lambda x: "no", lambda *_: "Mistake.")
    assert len(said) < 400 and said.count("`") == 6
    shown = Exercise(**{**CODE.__dict__, "check": lambda given: said})
    assert "<img" not in Sheet("x", [shown]).reply("code", "anything").text
    assert "<img" not in sheet.reply("code", "def double(x):\n    raise ValueError('<img src=x>')").text


def test_code_reaches_no_file_and_no_network():
    for code in (
        "open('/etc/passwd').read()",
        "import socket",
        "import subprocess",
        "__import__('os').getcwd()",
    ):
        with pytest.raises(CodeError):
            results("", [code])


@given(a=st.lists(st.integers(-(10**6), 10**6), max_size=20), k=st.integers(0, 25))
def test_the_sandbox_computes_like_python(a: list[int], k: int):
    assert results("def top(a, k):\n    return sorted(a, reverse=True)[:k]", [f"top({a}, {k})"]) == [
        sorted(a, reverse=True)[:k]
    ]
