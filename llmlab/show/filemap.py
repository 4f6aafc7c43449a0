"""File map: all bytes of a file as bars to scale, part by part; each part says what it is when it is touched.

    widget = mo.ui.anywidget(FileMap([("layer 0", [Part("q_proj", "(192, 192)", 1024, 73728, "…")])]))
    widget.value["selected"]

Read next: speaking.py, the other widget of lesson 01.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import anywidget
import traitlets

from llmlab.show.bundle import script, style


@dataclass(frozen=True)
class Part:
    """A run of bytes. short: what stands on it where there is room. first: its first numbers, as text."""

    name: str
    short: str
    shape: str
    at: int
    n_bytes: int
    about: str
    first: str = ""
    kind: Literal["text", "table", "attention", "mlp", "norm"] = "text"


class FileMap(anywidget.AnyWidget):
    """Rows of parts, in the order of the file; a part's length is its share of the longest row's bytes.

    Out: `selected`, the number of the chosen part from the file's beginning, -1 for none.
    """

    _esm = script("core.js", "filemap.js")
    _css = style("core.css", "filemap.css")

    data = traitlets.Bytes().tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)

    def __init__(self, rows: Sequence[tuple[str, Sequence[Part]]], name: str = "") -> None:
        super().__init__()
        listed = [{"label": label, "parts": [asdict(part) for part in parts]} for label, parts in rows]
        self.data = json.dumps({"name": name, "rows": listed}, ensure_ascii=False).encode()
