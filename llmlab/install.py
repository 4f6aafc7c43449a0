"""From an empty clone to a working environment, with nothing but Python: a `.venv`, and the right torch.

On Linux the package index offers torch with gigabytes of GPU libraries. A machine without an NVIDIA GPU should not
fetch them, so we ask for the CPU build first: from the index that pip is set up for, then from PyTorch's own.
macOS and Windows get a CPU (or Metal) build from the index anyway.

Only the standard library is used here, and no syntax that an old Python cannot read: the sentence about the version
has to reach the person who needs it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from importlib import metadata, util
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OLDEST = (3, 11)
TORCH = "torch>=2.9,<2.14"  # the range of pyproject.toml
CPU_TORCH = "torch==2.13.0+cpu"  # one version by name: only a name can ask for "+cpu"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
TEST_MODULES = (
    "pytest",
    "xdist",
    "pytest_timeout",
    "hypothesis",
    "playwright",
    "nbval",
    "ruff",
    "importlinter",
    "ziglang",
)


class InstallError(Exception):
    """What is wrong, and what to do about it (`errors.LabError` is not importable everywhere yet)."""


def settle(arguments):
    """Return if this interpreter can run the command; otherwise start again in `.venv`, made first if need be.

    `course` and `test` may install. Every other command uses what is there and says what to do if nothing is.
    """
    if sys.version_info < OLDEST:
        _restart(_newer_python(), arguments)
    command = arguments[0] if arguments else ""
    extra = "test" if command == "test" else "course"
    inside = Path(sys.prefix).resolve() == VENV.resolve()
    if not inside and _own_environment(extra):
        return
    if command in ("course", "test"):
        if not _stamped(extra):
            install(extra)
    elif not _python_of(VENV).exists():
        raise InstallError("The course is not installed yet. Run: python -m llmlab course")
    if not inside:
        _restart(_python_of(VENV), arguments)


def install(extra):
    """Create `.venv` if there is none, and install the course and, for "test", what its checks need."""
    python = _python_of(VENV)
    if not python.exists():
        print(f"Creating {VENV}", flush=True)
        made = subprocess.run(
            [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True
        )
        if made.returncode:
            raise InstallError(
                "Python could not create a virtual environment. On Debian and Ubuntu: sudo apt install python3-venv. "
                + (made.stdout + made.stderr).strip()
            )
    _install_torch(python)
    print("Installing the course" + (" and its checks" if extra == "test" else ""), flush=True)
    target = f"{ROOT}[test]" if extra == "test" else str(ROOT)
    if _pip(python, ["--quiet", "--editable", target]):
        raise InstallError(
            "pip could not install the course; its last lines say why. Check the network and the free disk space "
            "(3 GB), then run the same command again: it goes on where it stopped."
        )
    if extra == "test":
        _install_optional(python)
    _stamp_file(extra).write_text(_fingerprint(), encoding="utf-8")


def _install_optional(python):
    """What the checks of other programs' formats need, where the index has it built; else they are skipped."""
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    for name in ("export", "llama"):
        wanted = ["--quiet", "--only-binary", ":all:", *extras[name]]
        if _pip(python, wanted, quiet=True):
            print(f"Not to be had ready-made: {', '.join(extras[name])}. Its checks are skipped.", flush=True)


def torch_ladder(system, has_gpu):
    """The arguments for pip to try in order, the first that works wins."""
    if system != "linux" or has_gpu:
        return [[TORCH]]
    quick = ["--retries", "0", "--timeout", "15"]
    return [[*quick, CPU_TORCH], [*quick, TORCH, "--index-url", CPU_INDEX], [TORCH]]


def _install_torch(python):
    if _has_torch(python):
        return
    ladder = torch_ladder(sys.platform, _has_nvidia_gpu())
    print("Installing torch" + (" (CPU build)" if len(ladder) > 1 else ""), flush=True)
    for rung, arguments in enumerate(ladder):
        last = rung == len(ladder) - 1
        if last and rung:
            print(
                "\n*** NO CPU BUILD OF TORCH WAS FOUND. The plain one follows: on Linux it brings GPU libraries of "
                f"several gigabytes.\n*** Stop with Ctrl-C if that is too much, and see '{CPU_INDEX}' in the README.\n",
                flush=True,
            )
        # the first rung fails on most machines within a second: its complaint would only worry
        if _pip(python, arguments, quiet=rung == 0 and not last) == 0:
            return
    raise InstallError(
        "pip could not install torch; its last lines say why. The README tells how to get it by hand."
    )


def _pip(python, arguments, quiet=False):
    output = subprocess.DEVNULL if quiet else None
    command = [str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *arguments]
    return subprocess.call(command, stdout=output, stderr=output)


def _has_torch(python):
    """Whether torch is there in a version that we can use; `pip install` settles the rest."""
    code = "import importlib.metadata as m; v = m.version('torch').split('.'); print(int(v[0]) * 1000 + int(v[1]))"
    found = subprocess.run([str(python), "-c", code], capture_output=True, text=True)
    return found.returncode == 0 and 2009 <= int(found.stdout) < 2014


def _has_nvidia_gpu():
    tool = shutil.which("nvidia-smi")
    return (
        bool(tool)
        and subprocess.call([tool, "-L"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    )


def _own_environment(extra):
    """Whether somebody installed the course into the environment that runs this line (conda, or one of their own)."""
    try:
        metadata.distribution("llmlab")
    except metadata.PackageNotFoundError:
        return False
    return extra == "course" or all(util.find_spec(name) for name in TEST_MODULES)


def _stamped(extra):
    """Whether `.venv` holds what the pyproject.toml of today asks for. The checks' set includes the course's."""
    names = ("test",) if extra == "test" else ("course", "test")
    files = [file for file in map(_stamp_file, names) if file.exists()]
    return _python_of(VENV).exists() and any(f.read_text(encoding="utf-8") == _fingerprint() for f in files)


def _stamp_file(extra):
    return VENV / f"llmlab-{extra}.stamp"


def _fingerprint():
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()


def _python_of(folder):
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _newer_python():
    for minor in (13, 12, 11):
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return found
    here = ".".join(map(str, sys.version_info[:2]))
    raise InstallError(f"LLM Lab needs Python 3.11 or newer; this is {here}. Install one from python.org.")


def _restart(python, arguments):
    """Run the same command with another interpreter, in place of this process where the system can."""
    command = [str(python), "-m", "llmlab", *arguments]
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)
