"""`llmlab pack` and `llmlab unpack`: the packer of measure/compress.py with a bar, on files.

What can be known to go wrong (no such file, no place to write) is said before the work begins, and the work is
written only when it is whole.
"""

from pathlib import Path

from llmlab.course.terminal import watch
from llmlab.errors import LabError
from llmlab.measure.compress import Size, compare, pack_steps, unpack_steps
from llmlab.model import zoo
from llmlab.paths import atomic_write

SUFFIX = ".llz"


def pack(file: Path, out: Path | None, model: str) -> tuple[Path, list[Size]]:
    """Pack `file` into `out` (FILE.llz without it); returns where it is, and its size beside others'."""
    data, target = content(file), free(out, file.with_name(file.name + SUFFIX))
    packed = watch(pack_steps(zoo.load(model), data))
    write(target, packed)
    return target, compare(data, packed, zoo.n_bytes(model))


def unpack(file: Path, out: Path | None, model: str) -> tuple[Path, int, int]:
    """Unpack `file` into `out` (FILE without .llz); returns where it is, and the bytes before and after."""
    if out is None and file.suffix != SUFFIX:
        raise LabError(f"{file} does not end in {SUFFIX}. Say with --out where its text goes.")
    packed, target = content(file), free(out, file.with_suffix(""))
    data = watch(unpack_steps(zoo.load(model), packed))
    write(target, data)
    return target, len(packed), len(data)


def content(file: Path) -> bytes:
    """All bytes of a file; LabError if it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise LabError(f"{file} cannot be read ({error.strerror}). Give another file.") from None


def free(out: Path | None, usual: Path) -> Path:
    """Where to write: `out`, else `usual`, which must not exist yet. LabError if no file can be there."""
    if out is None and usual.exists():
        raise LabError(f"{usual} is there already. Say with --out where to write.")
    target = out or usual
    if target.is_dir() or not target.parent.is_dir():
        raise LabError(f"There can be no file {target}. Give another name with --out.")
    return target


def write(target: Path, data: bytes) -> None:
    """Write a file that is whole or not there; LabError where nobody may write."""
    try:
        atomic_write(target, data)
    except PermissionError:
        raise LabError(f"{target} cannot be written. Give another name with --out.") from None
