"""Long work says how it stands, also where nobody can see a bar move."""

import pytest

from llmlab.course import terminal
from llmlab.errors import LabError
from llmlab.report.bench import Row
from llmlab.train.pretrain import Step


def steps(count: int):
    return (Step(t, count, 2.0, 0.5, 0.01, 100 * t, 50.0, 64) for t in range(1, count + 1))


def test_a_log_file_gets_a_line_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr(terminal, "LOG_EVERY_S", 0)
    last = terminal.losses(steps(3), 3)
    assert last is not None and last.step == 3
    said = capsys.readouterr().err
    assert "step 2, 0.500 bits a byte, 50 tokens/s (2 of 3 steps)" in said


def test_nothing_left_to_do_is_no_error():
    assert terminal.losses(steps(0), 0) is None


def test_rows_that_were_measured_are_told_before_the_rest_fails(capsys):
    """A long measurement that breaks off has not been for nothing."""

    def rows():
        yield Row("first.row", 1234.5, "s", None, "cpu")
        raise LabError("no disk")

    with pytest.raises(LabError):
        terminal.told(rows(), "name")
    assert capsys.readouterr().err == "first.row 1,234\n"
