"""The command line: quick to answer, one sentence when something is wrong, nothing imported for nothing."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from llmlab import __main__ as entrance
from llmlab import cli, install
from llmlab.world.crawl import press


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
        ("generate", "--temperature", "1e-300"),
        ("world", "--size", "small", "--page", "999999999"),
        ("pretrain", "--tokens", "5"),
        ("pretrain", "--start", "no-such-model"),
        ("handout", "02", "--out", str(Path(__file__) / "below-a-file")),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_one_sentence_and_status_2(arguments: tuple[str, ...], tmp_path):
    done = llmlab(*arguments, LLMLAB_CACHE=str(tmp_path))
    assert done.returncode == 2, done.stderr
    assert done.stderr.lstrip().startswith("llmlab: ") and "Traceback" not in done.stderr
    assert list(tmp_path.rglob("*.*")) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("generate", "--seed", "-1"),
        ("generate", "--seed", "99999999999999999999999"),
        ("generate", "--tokens", "0"),
        ("pretrain", "--tokens", "0"),
        ("pretrain", "--lr", "nan"),
        ("pretrain", "--decay", "-0.1"),
        ("world", "--page", "-1"),
        ("exam", "--questions", "0"),
    ],
    ids=" ".join,
)
def test_a_number_out_of_range_is_refused_by_name(arguments: tuple[str, ...]):
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 2 and f"'{arguments[1]}'" in done.output


def test_a_text_that_is_too_long_is_not_printed_before_it_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["llmlab", "generate", "--prompt", "fog " * 250_000])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert ended.value.code == 2 and said.out == "" and "Shorten it" in said.err


def test_what_is_no_text_can_be_traced(monkeypatch, capsys):
    """Bytes from another program: those that are no UTF-8 are read as replacement characters."""
    read = []
    nothing = SimpleNamespace(tokens=[], match=[], verdicts=[], claims=[])
    monkeypatch.setattr(
        "llmlab.course.terminal.watch", lambda stage: SimpleNamespace(train=SimpleNamespace(hash="another"))
    )
    monkeypatch.setattr("llmlab.measure.index.build_index", lambda file: None)
    monkeypatch.setattr(
        "llmlab.measure.dreams.trace", lambda ids, words, *_: read.append(words.decode(ids)) or nothing
    )
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\xff\0b")))
    monkeypatch.setattr(sys, "argv", ["llmlab", "trace", "-"])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    said = capsys.readouterr()
    assert read == ["a\ufffd\0b"] and said.out.startswith("token")
    assert "differs from the one that the model read" in said.err


def test_one_page_is_written_without_building_the_rest(tmp_path: Path):
    done = CliRunner(env={"LLMLAB_CACHE": str(tmp_path)}).invoke(
        cli.app, ["world", "--size", "small", "--page", "7"]
    )
    page = press("small", 1).page(7)
    assert done.output == f"{page.kind}, {page.year}: {page.title}\n\n{page.text}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_closed_is_a_sentence(monkeypatch, capsys):
    def closed() -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/some/where")

    monkeypatch.setattr(cli, "app", closed)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2 and "/some/where" in capsys.readouterr().err


def test_a_half_installed_course_says_how_to_install_it(monkeypatch, capsys):
    monkeypatch.setattr(install, "settle", lambda arguments: None)
    monkeypatch.delitem(sys.modules, "llmlab.cli", raising=False)
    monkeypatch.setitem(sys.modules, "typer", None)
    with pytest.raises(SystemExit) as ended:
        entrance.main()
    assert ended.value.code == 2 and "Run: python -m llmlab course" in capsys.readouterr().err


def test_a_full_disk_is_a_sentence(monkeypatch, capsys):
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cli, "app", full)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2 and "disk is full" in capsys.readouterr().err
