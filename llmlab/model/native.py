"""run.c, compiled for this machine: once, then kept in the user's cache; and page.c, compiled for every browser.

Any C compiler will do: `cc` of the system, or zig's, which comes as a Python package (`pip install ziglang`) and
needs no rights on the machine. The program's name in the cache says what it was made from and for, so that a change
of the sources, another compiler or another machine makes a new one.

The page's program, engine.wasm, is in the repository, because nobody should need zig to take the course. After a
change of page.c or of what it includes:

    python -m llmlab.model.native
"""

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from llmlab.errors import LabError
from llmlab.paths import cache_dir

FOLDER = Path(__file__).resolve().parent
SOURCES = tuple(FOLDER / f"{name}.c" for name in ("tokens", "load", "engine", "run"))  # as one reads them
# some compilers (Apple's, on some chips) do not know `native`; some systems have no threads
FLAGS = (("-O3", "-march=native", "-pthread"), ("-O3", "-pthread"), ("-O3", "-DONE_THREAD"))
ZIG = (sys.executable, "-m", "ziglang")
WASM = FOLDER / "engine.wasm"
# a program without main, with zig's own C library linked in, and with no name or path that another machine would change
FOR_THE_PAGE = ("--target=wasm32-wasi", "-mexec-model=reactor", "-std=c11", "-O3", "-msimd128", "-s")
COMPILE_S = 120


def compiler() -> list[str]:
    """The command that compiles C here. LabError where there is none."""
    for name in ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return [found]
    if importlib.util.find_spec("ziglang"):
        return [*ZIG, "cc"]
    raise LabError(
        "There is no C compiler on this machine. Install one with `pip install ziglang`, which needs no rights, "
        "or with your system's packages (gcc or clang; on macOS `xcode-select --install`)."
    )


def build() -> Path:
    """The program `run`, compiled from SOURCES if the cache does not have it yet.

    LabError where there is no compiler, or where it fails.
    """
    command = compiler()
    program = cache_dir() / "native" / f"run-{_key(command)}{'.exe' if os.name == 'nt' else ''}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        for flags in FLAGS:
            said = compile_c(command, flags, SOURCES[-1], program)
            if said is None:
                break
        else:
            raise LabError(f"The C compiler {' '.join(command)} could not compile run.c: {said}")
    return program


def build_wasm() -> bytes:
    """The content of engine.wasm, compiled anew: the same bytes on every machine with the same version of zig.

    LabError where zig is missing, or where it fails.
    """
    if not importlib.util.find_spec("ziglang"):
        raise LabError("Only zig compiles for the page. Install it with: pip install 'llmlab[zig]'")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / WASM.name
        if said := compile_c([*ZIG, "cc"], FOR_THE_PAGE, FOLDER / "page.c", program):
            raise LabError(f"zig could not compile page.c: {said}")
        return program.read_bytes()


def compile_c(command: list[str], flags: tuple[str, ...], source: Path, program: Path) -> str | None:
    """Compile one C file to a program, which appears only when it is whole. Returns None, or why it failed."""
    try:
        with tempfile.TemporaryDirectory(
            dir=program.parent
        ) as folder:  # several students may compile at once
            beside = Path(folder) / program.name
            done = subprocess.run(
                [*command, *flags, "-o", str(beside), str(source), "-lm"],
                capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=COMPILE_S,
            )  # fmt: skip
            if done.returncode == 0:
                os.replace(beside, program)
                return None
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return next((line for line in done.stderr.splitlines() if "error" in line), "it gives no reason")


def _key(command: list[str]) -> str:
    """A name for what would be compiled: the sources, the compiler, and the machine whose instructions it may use."""
    key = hashlib.sha256(repr((command, FLAGS, platform.machine(), platform.node())).encode())
    for source in SOURCES:
        key.update(source.read_bytes())
    return key.hexdigest()[:16]


if __name__ == "__main__":
    WASM.write_bytes(build_wasm())
