"""Token text: words as the model reads them, with a number, a verdict or an author on each.

Probability is depth of blue, a verdict a line under the word, an author the ground it stands on; all
three fit on one word. A press selects a token and gives its place back to Python.

    widget = mo.ui.anywidget(TokenText(tokens, verdict=verdicts, details=[{"pages": "3"}, ...]))
    widget.value["selected"]
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

import anywidget
import numpy as np
import traitlets

from llmlab.show.bundle import script, style

VERDICTS = ("copied", "true", "false", "nothing")
AUTHORS = ("system", "user", "assistant", "tool")


class TokenText(anywidget.AnyWidget):
    """A text, a token at a time.

    tokens: n strings, as written. probability (n,): 0 to 1, NaN for none. verdict: one of VERDICTS or ""
    a token. author: one of AUTHORS or "" a token. details: for each token a mapping of short names to
    values, shown when it is chosen. special: places of the reserved words, shown as boxes. gap: a dashed
    place for the next token. alt: the text alternative; empty: the sentence while there are no tokens.

    Out: `selected`, the chosen place, -1 for none. `show(...)` writes another text into the widget.
    """

    _esm = script("core.js", "token_text.js")
    _css = style("core.css", "token_text.css")

    data = traitlets.Bytes().tag(sync=True)
    probability = traitlets.Bytes().tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)

    def __init__(self, tokens: Sequence[str] = (), **marks) -> None:
        super().__init__()
        self.show(tokens, **marks)

    def show(
        self,
        tokens: Sequence[str],
        *,
        probability: np.ndarray | Sequence[float] | None = None,
        verdict: Sequence[str] | None = None,
        author: Sequence[str] | None = None,
        details: Sequence[Mapping[str, str]] | None = None,
        special: Collection[int] = (),
        gap: bool = False,
        alt: str = "",
        empty: str = "",
    ) -> None:
        """Write these tokens; the selection is kept while its place exists."""
        for name, marks, allowed in (("verdict", verdict, VERDICTS), ("author", author, AUTHORS)):
            if unknown := set(marks or ()) - {*allowed, ""}:
                raise ValueError(f"{name} {sorted(unknown)[0]!r} is not one of {', '.join(allowed)} or ''.")
        for name, marks in (
            ("probability", probability),
            ("verdict", verdict),
            ("author", author),
            ("details", details),
        ):
            if marks is not None and len(marks) != len(tokens):
                raise ValueError(f"{name} has {len(marks)} values for {len(tokens)} tokens.")
        content = {
            "tokens": list(tokens),
            "verdict": verdict and list(verdict),
            "author": author and list(author),
            "details": details and [dict(d) for d in details],
            "special": sorted(special),
            "gap": gap,
            "alt": alt,
            "empty": empty,
        }
        with self.hold_sync():
            self.data = json.dumps(
                {k: v for k, v in content.items() if v or k == "tokens"}, ensure_ascii=False
            ).encode()
            self.probability = b"" if probability is None else np.asarray(probability, dtype="<f4").tobytes()
            if self.selected >= len(tokens):
                self.selected = -1
