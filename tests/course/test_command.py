"""The command line: quick to answer, one sentence when something is wrong, nothing imported for nothing."""

import os
import subprocess
import sys

import pytest


def llmlab(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "llmlab.cli", *arguments],
        capture_output=True, text=True, encoding="utf-8", timeout=120, env=os.environ | environment,
    )  # fmt: skip


def test_help_names_every_command():
    said = llmlab("--help").stdout
    for name in (
        "course",
        "doctor",
        "test",
        "handout",
        "world",
        "tokenizer",
        "pretrain",
        "generate",
        "exam",
        "reversal",
        "trace",
        "pack",
        "unpack",
        "export",
    ):
        assert name in said


def test_help_imports_nothing_heavy():
    heavy = ("torch", "marimo", "plotly", "numpy", "tiktoken")
    code = f"import sys, llmlab.cli; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_training_imports_neither_marimo_nor_plotly():
    code = "import sys, llmlab.train.pretrain; print([m for m in ('marimo', 'plotly') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ("generate", "--model", "no-such-model"),
        ("generate", "--temperature", "-1"),
        ("pretrain", "--tier", "no-such-tier"),
        ("pretrain", "--text", "no-such-folder"),
        ("world", "--size", "no-such-size"),
        ("handout", "99"),
        ("pack", "no-such-file"),
        ("unpack", "no-such-file.llz"),
        ("export", "--to", "no-such-format", "--out", "x"),
        ("course", "--edit", "99"),
        ("course", "--port", "99999"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_one_sentence_and_status_2(arguments: tuple[str, ...], tmp_path):
    done = llmlab(*arguments, LLMLAB_CACHE=str(tmp_path))
    assert done.returncode == 2, done.stderr
    assert done.stderr.lstrip().startswith("llmlab: ") and "Traceback" not in done.stderr
    assert list(tmp_path.rglob("*.*")) == []


def test_a_full_disk_is_a_sentence(monkeypatch, capsys):
    from llmlab import cli

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cli, "app", full)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2 and "disk is full" in capsys.readouterr().err
