"""Two processes under torchrun learn what one learns alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = str(Path(__file__).with_name("child.py"))


def test_two_processes_have_the_losses_of_one(corpus, config, tmp_path, uninterrupted):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1"]
    command += [f"--master-port={29000 + os.getpid() % 1000}", CHILD]
    command += [str(corpus.train.folder.parent), str(tmp_path / "r"), json.dumps(config.as_dict()), "never"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]

    def logged(out):
        lines = (out / "log.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["loss"] for line in lines]

    assert logged(tmp_path / "r") == pytest.approx(logged(uninterrupted), rel=2e-2)
    assert logged(tmp_path / "r")[:3] == pytest.approx(logged(uninterrupted)[:3], rel=2e-3)
