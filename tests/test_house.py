"""The house rules: style, the order of imports, what may not be in what we ship, and no network."""

import ast
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from llmlab.course.lessons import FOLDER

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = sorted([*(ROOT / "llmlab").rglob("*.py"), *FOLDER.glob("*.py")])


def tool(*command: str) -> None:
    """Run a tool of this environment and show what it says if it is not content."""
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", errors="replace"
    )
    assert done.returncode == 0, f"\n{done.stdout}\n{done.stderr}"


def test_ruff_finds_nothing():
    tool(sys.executable, "-m", "ruff", "check", "--output-format", "concise", ".")


def test_ruff_would_format_nothing():
    tool(sys.executable, "-m", "ruff", "format", "--check", ".")


def test_imports_go_one_way():
    tool(sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()")


def test_marimo_check_finds_nothing_in_the_lessons():
    tool(sys.executable, "-m", "marimo", "check", "--strict", *map(str, sorted(FOLDER.glob("*.py"))))


FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_what_we_ship_cannot_run_data(file: Path):
    """No pickle, eval, exec, shell=True, torch.load, read from the syntax tree."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name.split(".")[0] for alias in node.names}
            names |= {(node.module or "").split(".")[0]} if isinstance(node, ast.ImportFrom) else set()
            assert not names & FORBIDDEN_IMPORTS, f"line {node.lineno}"
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name):
                assert called.id not in FORBIDDEN_CALLS, f"line {node.lineno}: {called.id}"
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
                assert (called.value.id, called.attr) != ("torch", "load"), f"line {node.lineno}"
            for keyword in node.keywords:
                on = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
                assert not (keyword.arg == "shell" and on), f"line {node.lineno}: shell=True"


PAGES = [file for file in SHIPPED if file.parent != FOLDER]  # a third of a lesson's lines are marimo's own


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_file_is_a_page_not_a_scroll(file: Path):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400


def test_files_are_opened_as_utf8():
    """`open`, `read_text` and `write_text` without an encoding mean another one on Windows."""
    missing = []
    for file in SHIPPED:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            given = {keyword.arg for keyword in node.keywords}
            mode = next(
                (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)), ""
            )
            binary = name == "open" and "b" in mode
            owner = getattr(getattr(node.func, "value", None), "id", "")  # the x of x.open(...)
            text = (
                name in ("open", "read_text", "write_text")
                and not binary
                and owner not in ("os", "webbrowser")
            )
            if text and "encoding" not in given:
                missing.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert not missing


def test_the_network_is_blocked_here_and_in_children():
    with pytest.raises(OSError, match="without a network"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.returncode and "without a network" in child.stderr
