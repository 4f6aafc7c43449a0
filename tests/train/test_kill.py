"""kill -9 at any moment: the run goes on with the same losses, bit for bit.

A child process trains; it is killed without warning, among other moments while it writes a checkpoint.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHILD = str(Path(__file__).with_name("child.py"))


def child(corpus, config, out: Path, die_at: str = "never") -> subprocess.Popen:
    folder = str(corpus.train.folder.parent)
    command = [sys.executable, CHILD, folder, str(out), json.dumps(config.as_dict()), die_at]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


def losses(out: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")
def test_killed_at_several_points_gives_the_same_losses(corpus, config, tmp_path, uninterrupted):
    # One run, killed again and again: before a checkpoint, after one, and inside of the writing of one (a
    # checkpoint is about ten files and folders forced to the disk, one after the other).
    for die_at in ("step 3", "write 5", "step 7", "write 9", "write 1", "step 12"):
        process = child(corpus, config, tmp_path / "r", die_at)
        process.communicate(timeout=60)
        assert process.returncode == -9
    last = child(corpus, config, tmp_path / "r")
    assert last.wait(timeout=60) == 0
    assert losses(tmp_path / "r") == losses(uninterrupted)
    assert len(losses(tmp_path / "r")) == config.steps
    model = "model/model.safetensors"
    assert (tmp_path / "r" / model).read_bytes() == (uninterrupted / model).read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows")
def test_killed_from_outside_at_some_moment(corpus, config, tmp_path, uninterrupted):
    process = child(corpus, config, tmp_path / "r")
    process.stdout.readline()
    time.sleep(0.02)
    process.kill()
    process.communicate(timeout=60)
    assert child(corpus, config, tmp_path / "r").wait(timeout=60) == 0
    assert len(losses(tmp_path / "r")) == config.steps
    assert losses(tmp_path / "r") == losses(uninterrupted)
