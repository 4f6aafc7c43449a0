"""Every lesson runs from top to bottom as a script: with its exercises blank, and with their solutions.

With the solutions, `Sheet.reply` raises where a check refuses its own solution, so a green run means that all fit.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmlab.course.lessons import FOLDER, LESSONS

FILES = sorted(FOLDER.glob("[0-9][0-9]_*.py"))


def test_every_lesson_file_is_listed_and_every_listed_lesson_is_there():
    assert [file.stem for file in FILES] == ["00_home", *(lesson.slug for lesson in LESSONS)]


@pytest.mark.parametrize("solutions", [False, True], ids=["blank", "solutions"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_runs_as_a_script(file: Path, solutions: bool):
    environment = os.environ | {"LLMLAB_SOLUTIONS": str(int(solutions))}
    done = subprocess.run(
        [sys.executable, str(file)],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
