"""Every lesson as a hand-out for Jupyter: exported, then run from top to bottom by nbval."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from llmlab.course import handout
from llmlab.course.lessons import Lesson, available


@pytest.mark.parametrize("lesson", available(), ids=lambda lesson: lesson.slug)
def test_runs_in_jupyter(lesson: Lesson, tmp_path: Path):
    file = handout.write(lesson, tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # none of our own settings
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:xdist", str(file)]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=500
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("lesson", available(), ids=lambda lesson: lesson.slug)
def test_same_lesson_gives_the_same_file(lesson: Lesson, tmp_path: Path):
    first = handout.write(lesson, tmp_path / "a").read_text(encoding="utf-8")
    assert handout.write(lesson, tmp_path / "b").read_text(encoding="utf-8") == first
    assert all(cell["source"] for cell in json.loads(first)["cells"])
