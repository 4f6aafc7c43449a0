"""run.c: compiled without a warning and only once; what it cannot do is one sentence."""

import subprocess
from pathlib import Path

import pytest

from llmlab.errors import LabError
from llmlab.model import native
from tests.model.conftest import expect_a_sentence, run


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("-t", "-1"), "-t wants a number from 0"),
        (("-t", "warm"), "-t wants"),
        (("--top-p", "0"), "--top-p wants"),
        (("--top-p", "nan"), "--top-p wants"),
        (("-n", "1.5"), "-n wants a whole number"),
        (("-s",), "-s wants"),
        (("--threads", "0"), "--threads wants a whole number from 1"),
        (("--threads", "two"), "--threads wants"),
        (("--ids", "--logits"), "want the same output"),
        (("--loud",), "don't understand --loud"),
        (("another.bin",), "don't understand another.bin"),
    ],
    ids=str,
)
def test_a_wrong_option_is_one_sentence(program, small, options, says):
    expect_a_sentence(run(program, small[1], *options), says)


def test_a_missing_file_is_one_sentence(program, tmp_path):
    expect_a_sentence(run(program, tmp_path / "none.bin"), "There is no")
    expect_a_sentence(run(program, tmp_path))


def test_it_is_plain_c_without_a_warning(program):
    flags = ("-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror")
    beside = Path(__file__).parent
    for source in (native.SOURCES[-1], beside / "fuzz_engine.c", beside / "inside_engine.c"):
        for threads in ((), ("-DONE_THREAD",)):
            done = subprocess.run(
                [*native.compiler(), *flags, *threads, source], capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr


def test_a_file_of_c_is_a_page_not_a_scroll():
    for source in native.SOURCES:
        lines = source.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 430 and max(map(len, lines)) <= 120, source.name


def test_where_there_are_no_threads_it_speaks_with_one(program, small, tmp_path):
    alone = tmp_path / f"alone{program.suffix}"
    assert native.compile_c(native.compiler(), native.FLAGS[-1], native.SOURCES[-1], alone) is None
    done = run(alone, small[1], "--threads", 2, "-t", 0, "-n", 10, prompt=b"The goat")
    assert done.returncode == 0 and b"threads" not in done.stderr
    assert done.stdout == run(program, small[1], "--threads", 2, "-t", 0, "-n", 10, prompt=b"The goat").stdout


def test_the_second_build_compiles_nothing(program, monkeypatch):
    monkeypatch.setattr(native, "compile_c", lambda *_: pytest.fail("compiled again"))
    assert native.build() == program


def test_without_a_compiler_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(LabError, match="pip install ziglang"):
        native.build()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    assert native.compiler()[1:] == ["-m", "ziglang", "cc"]


def test_a_compiler_that_fails_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("LLMLAB_CACHE", str(tmp_path))
    (tmp_path / "broken.c").write_text("int main(void) { return nothing; }", encoding="utf-8")
    monkeypatch.setattr(native, "compiler", lambda: ["no-such-compiler"])
    with pytest.raises(LabError, match="could not compile"):
        native.build()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "broken.c"]
