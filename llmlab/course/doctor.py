"""Is this machine ready? One line for each thing that the course needs, with the remedy.

Read next: server.py, which opens the course.
"""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata

import psutil

from llmlab.course import browser
from llmlab.errors import LabError
from llmlab.model import native
from llmlab.paths import assets, cache_dir

GIB = 1024**3
MEMORY_NEEDED = 1.5 * GIB  # one lesson
COMPILERS = {"linux": "sudo apt install g++", "darwin": "xcode-select --install"}
DISK_NEEDED = 1.0 * GIB  # the crawl, its tokens and its suffix array, and room for a training


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    found: str
    remedy: str = ""
    stops: bool = True  # whether the course cannot go on without it


def examine() -> Iterator[Check]:
    """One check after another. A check that breaks is itself a FAIL, not the end of the examination."""
    for name, check in CHECKS.items():
        try:
            yield check()
        except Exception as error:  # whatever is wrong with a machine, the other lines still help
            yield Check(
                name, False, f"{type(error).__name__}: {error}", "Run `make course` again; then ask for help."
            )


@cache
def device_sentence() -> str:
    """For the front page: '2 CPU cores with bf16, no GPU.'"""
    import torch

    from llmlab.train.machine import has_bf16

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cpu = f"{cores} CPU core{'s' if cores > 1 else ''}{' with bf16' if has_bf16('cpu') else ''}"
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, {cpu}."
    if torch.backends.mps.is_available():
        return f"Apple GPU, {cpu}."
    return f"{cpu}, no GPU."


def _python() -> Check:
    ok = sys.version_info >= (3, 11)
    return Check(
        "Python", ok, platform.python_version(), "Install Python 3.11, 3.12 or 3.13 from python.org."
    )


def _torch() -> Check:
    version = metadata.version("torch")
    major, minor = map(int, version.split(".")[:2])
    remedy = 'Delete .venv and run `make course`, or: pip install "torch>=2.9,<2.14".'
    return Check("torch", (2, 9) <= (major, minor) < (2, 14), version, remedy)


def _device() -> Check:
    return Check("device", True, device_sentence().rstrip("."))


def _memory() -> Check:
    free = psutil.virtual_memory().available
    return Check(
        "memory",
        free >= MEMORY_NEEDED,
        f"{free / GIB:.1f} GiB free",
        "Close other programs: a lesson needs 1.5 GiB.",
    )


def _disk() -> Check:
    free = shutil.disk_usage(cache_dir()).free
    remedy = f"Free 1 GiB, or set LLMLAB_CACHE to a folder on a larger disk (now {cache_dir()})."
    return Check("disk", free >= DISK_NEEDED, f"{free / GIB:.1f} GiB free for the cache", remedy)


def _compiler() -> Check:
    """Any C compiler will do for run.c, also zig's."""
    try:
        return Check("C", True, f"{' '.join(native.compiler())} compiles run.c")
    except LabError:
        remedy = "Without one run.c can't be compiled. Run: pip install ziglang (it needs no rights)."
        return Check("C", False, "no compiler for run.c", remedy, stops=False)


def _training() -> Check:
    """torch.compile looks for the system's own compiler; without it training is slower, and the same."""
    from llmlab.train import machine

    place = machine.device()
    if found := machine.compiler(place):
        return Check("training", True, f"compiled with {found}")
    if not (system := COMPILERS.get(sys.platform)) or place.type == "mps":
        return Check("training", True, "without a compiler, which torch does not use on this machine")
    remedy = (
        f"Training works, but takes half as long again. Run: {system}. (zig's compiler is not used for this.)"
    )
    return Check("training", False, "no compiler that torch would use", remedy, stops=False)


def _browser() -> Check:
    chromium = browser.find_chromium()
    found = str(chromium or ("the system's default" if browser.can_open() else "none"))
    remedy = "The course prints its address; open it in any browser that reaches this machine."
    return Check("browser", bool(chromium) or browser.can_open(), found, remedy, stops=False)


# what lessons open
ASSETS = (
    "llmlab.css",
    *(f"models/{name}/model.safetensors" for name in ("pocket", "course", "cured", "assistant")),
    "models/pocket/kept",
    "models/adapter/adapter.safetensors",
    *(
        f"recorded/{name}"
        for name in ("pretraining.json", "dreams.json", "assistant.json", "loop.json", "practice.jsonl.gz")
    ),
)


def _assets() -> Check:
    missing = [name for name in ASSETS if not (assets() / name).exists()]
    found = f"{assets()}" if not missing else f"{', '.join(missing)} not in {assets()}"
    return Check(
        "assets",
        not missing,
        found,
        "Get the files again: git checkout assets. Or make them: llmlab pretrain, finetune, record.",
    )


CHECKS: dict[str, Callable[[], Check]] = {
    "Python": _python,
    "torch": _torch,
    "device": _device,
    "memory": _memory,
    "disk": _disk,
    "C": _compiler,
    "training": _training,
    "browser": _browser,
    "assets": _assets,
}
