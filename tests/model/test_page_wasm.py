"""engine.wasm: it is what page.c compiles to, byte for byte, and it can reach nothing but its own memory."""

import os
import shutil
from pathlib import Path

import pytest

from llmlab.errors import LabError
from llmlab.model import native

ZIG = [*native.ZIG, "cc"]


@pytest.fixture(scope="module")
def built() -> bytes:
    """What the sources compile to, here and now."""
    try:
        return native.build_wasm()
    except LabError as error:
        sentence = f"NO ZIG: {error}"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)


def test_the_committed_program_is_built_from_these_sources(built: bytes):
    assert built == native.WASM.read_bytes(), "Build it again: python -m llmlab.model.native"


def test_another_folder_gives_the_same_bytes(built: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for source in native.FOLDER.glob("*.c"):
        shutil.copy(source, tmp_path)
    monkeypatch.setattr(native, "FOLDER", tmp_path)
    assert native.build_wasm() == built
    with (tmp_path / "engine.c").open("a", encoding="utf-8") as source:
        source.write('__attribute__((export_name("one_more"))) int one_more(void) { return 1; }\n')
    assert native.build_wasm() != built


def test_a_program_that_does_not_compile_is_one_sentence(
    built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "page.c").write_text("int nothing(void) { return missing; }", encoding="utf-8")
    monkeypatch.setattr(native, "FOLDER", tmp_path)
    with pytest.raises(LabError, match=r"could not compile page.c: .*missing"):
        native.build_wasm()


def test_without_zig_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(LabError, match=r"llmlab\[zig\]"):
        native.build_wasm()


def test_it_is_plain_c_without_a_warning(built, tmp_path: Path):
    strict = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror")
    flags = (*native.FOR_THE_PAGE, *strict)
    assert native.compile_c(ZIG, flags, native.FOLDER / "page.c", tmp_path / "engine.wasm") is None


def sections(program: bytes) -> dict[int, bytes]:
    """A WebAssembly file's parts by their number (https://webassembly.github.io/spec/core/binary/modules.html)."""
    assert program[:8] == b"\0asm\1\0\0\0"
    found, at = {}, 8
    while at < len(program):
        number, size, shift, at = program[at], 0, 0, at + 1
        while True:  # LEB128: seven bits a byte, the eighth says that more follow
            size, more, shift, at = size | (program[at] & 127) << shift, program[at] & 128, shift + 7, at + 1
            if not more:
                break
        found[number], at = program[at : at + size], at + size
    return found


def test_it_imports_nothing(built: bytes):
    """No import section: the program cannot call the page, a file or a network, because it knows none of them."""
    parts = sections(built)
    assert 2 not in parts and 10 in parts
    assert b"page_read" in parts[7] and len(built) < 100_000
