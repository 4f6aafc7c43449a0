"""What is half written has a name of its own, and does not stay for ever."""

import os
import subprocess
import sys
from pathlib import Path

from llmlab.paths import atomic_write, part_of


def test_leftovers_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path: Path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    file, folder = (tmp_path / f".corpus.{gone.pid}.part", tmp_path / f".tokens.{gone.pid}.part")
    file.write_bytes(b"half")
    (folder / "train").mkdir(parents=True)
    living = tmp_path / f".corpus.{os.getppid()}.part"
    living.mkdir()
    other = tmp_path / f".corpus2.{gone.pid}.part"
    other.mkdir()
    assert part_of(tmp_path / "corpus") == tmp_path / f".corpus.{os.getpid()}.part"
    assert not file.exists() and folder.exists() and living.exists() and other.exists()
    part_of(tmp_path / "tokens")
    assert not folder.exists()


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch):
    atomic_write(tmp_path / "a", b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    try:
        atomic_write(tmp_path / "a", b"new")
    except OSError as error:
        assert error.errno == 28
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"
