"""The machine under the training: which device, which numbers, how many threads, how memory is kept.

None of this changes what is learned, only how fast. On two cores it is a factor of three.
"""

import ctypes
import os
import shutil
import sys
from functools import cache
from pathlib import Path

import torch


def device() -> torch.device:
    """The best device there is: cuda, then mps, then cpu. Under torchrun each process takes its own GPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


@cache
def has_bf16(kind: str) -> bool:
    """Whether this device multiplies in bf16 by itself; where it only pretends to, fp32 is faster.

    Where it has, matrix products run in bf16, and sums and weights stay in fp32.
    """
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    cpuinfo = Path("/proc/cpuinfo")
    if kind != "cpu" or not cpuinfo.exists():
        return False
    words = cpuinfo.read_text(encoding="utf-8", errors="replace").split()
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(words)


@cache
def keep_memory() -> bool:
    """Tell glibc to keep freed memory instead of returning it to the system; True if it listened.

    Each step frees and asks again for the same few hundred megabytes. By default glibc gives large blocks back
    at once, and the system hands out zeroed pages anew: up to a third of a step's time. Linux with glibc only.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library, such as musl
        return False
    trim_threshold, mmap_max, arena_max = -1, -4, -8  # the numbers of malloc.h
    return all([mallopt(mmap_max, 0), mallopt(trim_threshold, 2**31 - 1), mallopt(arena_max, 1)])


def child_environment(threads: int | None = None, polite: bool = False) -> dict[str, str]:
    """The environment for a child process that trains (these are read once, when torch is loaded).

    polite: waiting threads sleep instead of spinning. On a machine that others use too this is faster by a
    factor of ten and more; on one that is ours alone it costs a third.
    """
    wanted = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    return {**os.environ, **wanted, **({"OMP_WAIT_POLICY": "PASSIVE"} if polite else {})}


def compiler(place: torch.device) -> str | None:
    """The program with which torch.compile makes the training step here; None where it cannot.

    On a CPU that is a C++ compiler, under a GPU a C compiler for what Triton adds; torch looks for these names only.
    """
    if sys.platform == "win32" or place.type == "mps":
        return None
    if place.type == "cuda":
        names = [os.environ["CC"]] if os.environ.get("CC") else ["gcc", "clang"]
    else:
        names = [os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")]
    return next(filter(None, map(shutil.which, names)), None)
