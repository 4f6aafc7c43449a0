"""The doctor has one line for each need, and a broken check is a line too."""

import shutil

import pytest
from typer.testing import CliRunner

from llmlab import cli
from llmlab.course import doctor
from llmlab.errors import LabError
from llmlab.model import native
from llmlab.train import machine


def test_one_line_for_each_need():
    names = [check.name for check in doctor.examine()]
    assert names == ["Python", "torch", "device", "memory", "disk", "C", "training", "browser", "assets"]


def no_compiler() -> list[str]:
    raise LabError("There is no C compiler on this machine.")


def test_every_failure_has_a_remedy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(native, "compiler", no_compiler)
    monkeypatch.setattr(machine, "compiler", lambda place: None)
    monkeypatch.setattr(doctor.sys, "platform", "linux")
    monkeypatch.setattr(doctor, "MEMORY_NEEDED", 1e18)
    monkeypatch.setattr(doctor, "DISK_NEEDED", 1e18)
    failed = {check.name: check for check in doctor.examine() if not check.ok}
    assert {"memory", "disk", "C", "training"} <= failed.keys()
    assert all(check.remedy for check in failed.values())
    assert not failed["C"].stops and not failed["training"].stops and failed["memory"].stops


def test_ziglang_compiles_run_c_and_no_training(monkeypatch: pytest.MonkeyPatch):
    """Only zig's compiler is there: one line is OK, the other says that it does not help."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(native.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(doctor.sys, "platform", "linux")
    check = doctor.CHECKS["C"]()
    assert check.ok and check.found.endswith("-m ziglang cc compiles run.c")
    check = doctor.CHECKS["training"]()
    assert not check.ok and not check.stops and "zig" in check.remedy


@pytest.mark.parametrize(
    ("platform", "system"), [("linux", "apt install g++"), ("darwin", "xcode-select"), ("win32", None)]
)
def test_without_a_compiler_the_remedy_is_one_for_this_system(monkeypatch, platform: str, system: str | None):
    monkeypatch.setattr(native, "compiler", no_compiler)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(doctor.sys, "platform", platform)
    assert "pip install ziglang" in doctor.CHECKS["C"]().remedy
    training = doctor.CHECKS["training"]()
    assert training.ok == (system is None) and (system or "") in training.remedy


def test_a_check_that_breaks_is_a_failure_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch):
    def broken() -> doctor.Check:
        raise OSError("no such thing")

    monkeypatch.setitem(doctor.CHECKS, "memory", broken)
    checks = {check.name: check for check in doctor.examine()}
    assert not checks["memory"].ok and "no such thing" in checks["memory"].found
    assert len(checks) == 9


@pytest.mark.parametrize(("stops", "status"), [(True, 2), (False, 0)])
def test_the_command_ends_with_2_where_the_course_cannot_go_on(monkeypatch, stops: bool, status: int):
    checks = [doctor.Check("Python", True, "3.11"), doctor.Check("disk", False, "full", "Make room.", stops)]
    monkeypatch.setattr(doctor, "examine", lambda: iter(checks))
    done = CliRunner().invoke(cli.app, ["doctor"])
    assert done.exit_code == status
    assert "OK    Python" in done.output and "FAIL  disk" in done.output and "Make room." in done.output
