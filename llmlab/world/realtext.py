"""Real text that every machine already has: Python's own library and language reference.

So the base model dreams Python as well as encyclopedia articles. The text is read from the interpreter
that runs and is therefore not the same on another Python version; its hash goes into the provenance.
A folder of text files, or a data set of the Hugging Face hub, can stand beside it.
"""

import hashlib
import importlib
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from llmlab.errors import LabError

LEFT_OUT = (
    "test", "tests", "idlelib", "lib2to3", "turtledemo", "ensurepip", "encodings", "site-packages", "pydoc_data",
    "__pycache__", "config-", "msilib", "distutils", "tkinter", "__phello__",
)  # fmt: skip
HELD_OUT_EVERY = 60
FIRST_ID = 10_000_000
PIECE = 1_100  # characters: most pieces fit into one row of a batch


@dataclass(frozen=True, slots=True)
class Document:
    """A text that is no page of the Isles. `kind` is where it comes from: python, reference, folder, hub."""

    kind: str
    title: str
    text: str
    id: int = 0
    split: str = "train"


def numbered(documents: Iterator[Document]) -> Iterator[Document]:
    """The same with ids above those of all pages, and every HELD_OUT_EVERY-th one held out."""
    for number, document in enumerate(documents):
        split = "valid" if number % HELD_OUT_EVERY == 11 else "train"
        yield replace(document, id=FIRST_ID + number, split=split)


def library() -> Iterator[Document]:
    """The standard library's source, file by file, each in pieces that begin at a definition."""
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py"), key=lambda p: p.relative_to(root).as_posix()):
        name = path.relative_to(root).as_posix()
        if any(part.startswith(LEFT_OUT) for part in name.split("/")):
            continue
        try:
            source = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for piece in pieces(source):
            yield Document("python", name, f"# {name}\n{piece}")


def reference() -> Iterator[Document]:
    """The language reference that `help()` shows, topic by topic."""
    topics = importlib.import_module("pydoc_data.topics").topics
    for name in sorted(topics):
        for piece in pieces(topics[name].strip() + "\n"):
            yield Document("reference", name, piece)


def pieces(source: str) -> Iterator[str]:
    """Cut at line ends, best before an unindented line, into pieces of about PIECE characters."""
    lines, size = [], 0
    for line in source.splitlines(keepends=True):
        fresh = line[:1].strip() != "" and not line.startswith((")", "]", "}", "else", "except", "finally"))
        if size > 2 * PIECE or (size > PIECE and fresh):
            yield "".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if "".join(lines).strip():
        yield "".join(lines)


def python_text() -> Iterator[Document]:
    yield from library()
    yield from reference()


def folder_text(folder: Path) -> Iterator[Document]:
    """A student's own text files, in pieces, without hidden ones. LabError where there is nothing to read."""
    folder = Path(folder)
    if not folder.is_dir():
        raise LabError(f"There is no folder {folder}. Give the path of a folder with text files.")
    found = False
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):  # .git is no text of anybody
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            continue
        if "\0" in text:
            continue
        for piece in pieces(text):
            found = True
            yield Document("folder", path.relative_to(folder).as_posix(), piece)
    if not found:
        raise LabError(f"No readable text (UTF-8) was found in {folder}. Put .txt or .md files there.")


def hub_text(name: str, column: str, most: int) -> Iterator[Document]:
    """Up to `most` documents of a data set of the Hugging Face hub, or of a local folder of one, read as a stream.

    Needs `pip install 'llmlab[hub]'`. LabError where there is no such data set, no such column, or no text in it.
    """
    try:
        datasets = importlib.import_module("datasets")
    except ImportError as missing:
        raise LabError(
            "Data sets of the hub need an extra package. Run: pip install 'llmlab[hub]'"
        ) from missing
    found = 0
    try:
        for number, row in enumerate(
            islice(datasets.load_dataset(name, split="train", streaming=True), most)
        ):
            if column not in row:
                raise LabError(
                    f"{name} has no column {column!r}; it has {', '.join(row)}. Choose one with --column."
                )
            if isinstance(row[column], str) and row[column].strip():
                found += 1
                yield Document("hub", f"{name}/{number}", row[column])
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise LabError(
            f"The data set {name} cannot be read: {reason.rstrip('.')}. Check its name and the network."
        ) from error
    if not found:
        raise LabError(f"The column {column!r} of {name} holds no text. Choose another one with --column.")


def digest(documents: Iterator[Document]) -> str:
    """SHA-256 over all texts: says whether two interpreters read the same library."""
    total = hashlib.sha256()
    for document in documents:
        total.update(document.text.encode("utf-8"))
        total.update(b"\0")
    return total.hexdigest()
