"""Where things are on the disk, and how a file is written so that it is never half there.

Three places: `assets()` came with the course and is only read; `cache_dir()` can be deleted at any time and is
built again; `data_dir()` holds what a student would miss (progress, own models).
"""

import os
import shutil
from pathlib import Path

import psutil
from platformdirs import user_cache_dir, user_data_dir


def assets() -> Path:
    """The folder with the shipped models, tokenizer and style."""
    return Path(__file__).resolve().parent.parent / "assets"


def cache_dir() -> Path:
    """The user's cache folder, made if needed. The environment variable LLMLAB_CACHE replaces it."""
    return _made(os.environ.get("LLMLAB_CACHE") or user_cache_dir("llmlab", appauthor=False))


def data_dir() -> Path:
    """The user's data folder, made if needed. The environment variable LLMLAB_DATA replaces it."""
    return _made(os.environ.get("LLMLAB_DATA") or user_data_dir("llmlab", appauthor=False))


def _made(folder: str) -> Path:
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    return path


def part_of(path: Path) -> Path:
    """Where this process writes what it will rename to `path`: beside it, under a name that no other process has.

    What killed processes have left there is removed first.
    """
    for left in path.parent.glob(f".{path.name}.*.part"):
        owner = left.name.split(".")[-2]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def atomic_write(path: Path | str, content: bytes) -> None:
    """Write `content` to `path` so that a reader sees the old file or the new one, never a part of it.

    Written beside, forced to the disk, then renamed: the rename is the moment at which the new file exists. If
    the disk is full the OSError comes before that moment and the old file stays.
    """
    path = Path(path)
    beside = part_of(path)
    try:
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Force a folder's list of names to the disk, so that a rename survives a power cut (POSIX only)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
