"""A hand-out is a notebook that Jupyter can run, with living widgets and cells to answer in."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from llmlab.course import handout, lessons
from llmlab.course.lessons import Lesson
from llmlab.errors import LabError

LESSON = """
import marimo

app = marimo.App()

@app.cell
def _():
    import anywidget
    import marimo as mo
    from llmlab.course.exercises import Exercise, Sheet
    return Exercise, Sheet, anywidget, mo

@app.cell
def _(anywidget, mo):
    class Still(anywidget.AnyWidget):
        _esm = "export default { render() {} }"
    still = mo.ui.anywidget(Still())
    still
    return (still,)

@app.cell
def _(Exercise, Sheet):
    one = Exercise("one", "One", 1, 1, "1?", "number", lambda x: None if x == 1 else "No.", ("a", "b"), 1, "It is.")
    sheet = Sheet("99_trial", [one])
    return (sheet,)

@app.cell
def _(sheet):
    answer = sheet.ask("one")
    answer
    return (answer,)

@app.cell
def _(answer, sheet):
    sheet.reply("one", answer)
    return
"""


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lesson:
    monkeypatch.setattr(lessons, "FOLDER", tmp_path)
    lesson = Lesson("99", "trial", "Trial", "", "", "", 1, 0)
    lesson.file.write_text(LESSON, encoding="utf-8")
    return lesson


def run(file: Path, answer: str = "None") -> list[str]:
    """All outputs of a hand-out, in which the student has written `answer`."""
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        cell.source = cell.source.replace("None  # your answer", answer)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [str(output.get("data", output)) for cell in notebook.cells for output in cell.get("outputs", [])]


def test_widgets_live_and_a_blank_exercise_waits(trial: Lesson, tmp_path: Path):
    said = run(handout.write(trial, tmp_path / "out"))
    assert any("application/vnd.jupyter.widget-view+json" in output for output in said)
    assert any("as soon as you give one" in output for output in said)


def test_an_answer_in_its_cell_is_checked(trial: Lesson, tmp_path: Path):
    file = handout.write(trial, tmp_path / "out")
    assert any("It is." in output and "Right." in output for output in run(file, "1")[-1:])
    assert any("No." in output for output in run(file, "2")[-1:])


def test_a_lesson_that_cannot_be_read_is_a_sentence(trial: Lesson, tmp_path: Path):
    trial.file.write_text("def (", encoding="utf-8")
    with pytest.raises(LabError, match="could not be exported"):
        handout.write(trial, tmp_path / "out")
