"""The versions of the assistant that a student has made, and the one that is deployed.

Version 1 is the assistant that came with the course. Each later one is an adapter (train/lora.py) on top of it, which
has learned all corrections that were on the list at that time, with a report of what it answers. A version is a folder
in the student's data folder, and it is there whole or not at all; going back is a number in a file.

Read next: correcting.py, which makes a version.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from llmlab.errors import LabError
from llmlab.model.checkpoint import Checkpoint, read_json
from llmlab.paths import atomic_write, data_dir, part_of
from llmlab.train import lora

SHIPPED = 1
REPORT = "report.json"


@dataclass(frozen=True, slots=True)
class Version:
    """One version and what was found out about it. `report`: see correcting.py; empty for version 1."""

    number: int
    report: Mapping


class Versions:
    """The versions of one student on top of the shipped assistant."""

    def __init__(self, base: Checkpoint, student: str, folder: Path | None = None) -> None:
        self.base = base
        self.folder = folder or data_dir() / "assistants" / hashlib.sha256(student.encode()).hexdigest()[:16]

    def numbers(self) -> list[int]:
        """All versions, the shipped one first."""
        found = (path.name.removeprefix("v") for path in self.folder.glob("v*"))
        return [SHIPPED, *sorted(int(name) for name in found if name.isdecimal())]

    @property
    def deployed(self) -> int:
        """The number of the version that answers; that of the shipped one where nothing else was ever said."""
        try:
            return int((self.folder / "deployed").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return SHIPPED

    def deploy(self, number: int) -> None:
        """Let this version answer from now on. LabError, and nothing changes, where it is not whole."""
        self.load(number)
        self._write(lambda: atomic_write(self.folder / "deployed", str(number).encode()))

    def load(self, number: int) -> Checkpoint:
        """A version, ready to answer. LabError where it was deleted, is damaged, or corrects another assistant."""
        if number == SHIPPED:
            return self.base
        folder = self.folder / f"v{number}"
        if not folder.is_dir():
            raise LabError(
                f"Version {number} was deleted. Deploy another one; its corrections are still on the list."
            )
        try:
            return _merged(folder, (folder / "adapter.safetensors").stat().st_mtime_ns, _Same(self.base))
        except (LabError, OSError) as error:
            raise LabError(
                f"Version {number} cannot be used ({error}) Deploy another one, and retrain: the corrections are kept."
            ) from None

    def report(self, number: int) -> Mapping:
        """What was found out about a version; empty where nothing is known."""
        try:
            return read_json(self.folder / f"v{number}" / REPORT)
        except LabError:
            return {}

    def all(self) -> list[Version]:
        return [Version(number, self.report(number)) for number in self.numbers()]

    def add(self, run: Path) -> int:
        """Take in the version that a finished run has left in its folder: its adapter and its report."""
        beside = part_of(self.folder / "v")
        number = self.numbers()[-1] + 1

        def write() -> None:
            shutil.rmtree(beside, ignore_errors=True)
            shutil.copytree(run / "adapter", beside)
            shutil.copy(run / REPORT, beside / REPORT)

        self._write(write)
        while True:  # somebody in another window may have taken the number
            try:
                os.rename(beside, self.folder / f"v{number}")
                return number
            except OSError:
                if not (self.folder / f"v{number}").exists():
                    raise
                number += 1

    def _write(self, write) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write()
        except OSError as error:
            raise LabError(
                f"The version could not be written to {self.folder} ({error.strerror or error}). Make room there."
            ) from error


class _Same:
    """A model as a key of a cache: equal to itself only."""

    def __init__(self, base: Checkpoint) -> None:
        self.base = base

    def __hash__(self) -> int:
        return id(self.base)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.base is self.base


@lru_cache(maxsize=8)
def _merged(folder: Path, changed: int, base: _Same) -> Checkpoint:
    """The whole model of an adapter; `changed` makes a folder that was written again another version."""
    return lora.worn(base.base, folder)


def saved_report(out: Path, report: Mapping) -> None:
    """Put a report beside a run's adapter, for `Versions.add`."""
    atomic_write(out / REPORT, json.dumps(report, ensure_ascii=False).encode("utf-8"))
