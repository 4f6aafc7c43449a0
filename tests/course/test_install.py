"""From an empty clone: which torch is asked for, when nothing is installed again, and what a person is told."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from llmlab import install

ROOT = Path(__file__).resolve().parents[2]


def test_without_a_gpu_linux_asks_for_the_cpu_build_first():
    ladder = install.torch_ladder("linux", has_gpu=False)
    assert install.CPU_TORCH in ladder[0]
    assert install.CPU_INDEX in ladder[1]
    assert ladder[-1] == [install.TORCH]


@pytest.mark.parametrize(("system", "has_gpu"), [("linux", True), ("darwin", False), ("win32", True)])
def test_elsewhere_the_plain_one_is_right(system: str, has_gpu: bool):
    assert install.torch_ladder(system, has_gpu) == [[install.TORCH]]


def test_the_range_of_torch_is_written_twice_and_equal():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert install.TORCH in project["dependencies"]


def test_the_modules_that_are_looked_for_are_there():
    assert all(install.util.find_spec(name) for name in install.TEST_MODULES)


def test_a_changed_pyproject_is_installed_again(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    (tmp_path / "pyproject.toml").write_text("one", encoding="utf-8")
    python = install._python_of(tmp_path / ".venv")
    python.parent.mkdir(parents=True)
    python.touch()
    install._stamp_file("test").write_text(install._fingerprint(), encoding="utf-8")
    assert install._stamped("test") and install._stamped("course")
    (tmp_path / "pyproject.toml").write_text("two", encoding="utf-8")
    assert not install._stamped("test") and not install._stamped("course")


def test_only_the_standard_library_is_needed_before_installing():
    """In an interpreter without site-packages, a command says what to do instead of a traceback."""
    copy = "import sys; sys.path.insert(0, sys.argv[1]); import llmlab.install as i, pathlib; "
    copy += "i.VENV = pathlib.Path('nowhere'); i.settle(['generate'])"
    done = subprocess.run([sys.executable, "-S", "-I", "-c", copy, str(ROOT)], capture_output=True, text=True)
    assert "Run: python -m llmlab course" in done.stderr
    assert "ModuleNotFoundError" not in done.stderr
