"""Token text: words as the model reads them, with a number, a verdict or an author on each.

Probability is depth of blue, a verdict a line under the word, an author the ground it stands on; all
three fit on one word. A press selects a token and gives its place back to Python. One more number a token,
such as the length of its longest match, stands in a strip under the text.

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
SHIFTS = ("unshifted", "marginal", "shifted")
AUTHORS = ("system", "user", "assistant", "tool")


class TokenText(anywidget.AnyWidget):
    """A text, a token at a time.

    tokens: n strings, as written. probability (n,): 0 to 1, NaN for none. verdict: one of VERDICTS or ""
    a token; shift: one of SHIFTS or "", how far another model would have written something else. author: one of
    AUTHORS or "" a token. details: for each token a mapping of short names to values, shown when it is chosen.
    special: places of the reserved words, shown as boxes. gap: a dashed place for the next token.
    alt: the text alternative; empty: the sentence while there are no tokens.
    strip (n,): a number a token, drawn as a bar each up to `top`, with a dashed `line` across, named `about`
    ("tokens of the longest match") and written with so many `digits`. lines: room for so many lines of text, so
    that nothing jumps when another text is written. code: the text is a program.

    Out: `selected`, the chosen place, -1 for none. `show(...)` writes another text into the widget.
    """

    _esm = script("core.js", "token_text.js")
    _css = style("core.css", "token_text.css")

    data = traitlets.Bytes().tag(sync=True)
    probability = traitlets.Bytes().tag(sync=True)
    strip = traitlets.Bytes().tag(sync=True)
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
        shift: Sequence[str] | None = None,
        author: Sequence[str] | None = None,
        details: Sequence[Mapping[str, str]] | None = None,
        special: Collection[int] = (),
        gap: bool = False,
        alt: str = "",
        empty: str = "",
        strip: np.ndarray | Sequence[float] | None = None,
        top: float = 1.0,
        line: float = 0.0,
        about: str = "",
        digits: int = 0,
        lines: int = 0,
        code: bool = False,
    ) -> None:
        """Write these tokens; the selection is kept while its place exists."""
        for name, marks, allowed in (
            ("verdict", verdict, VERDICTS),
            ("shift", shift, SHIFTS),
            ("author", author, AUTHORS),
        ):
            if unknown := set(marks or ()) - {*allowed, ""}:
                raise ValueError(f"{name} {sorted(unknown)[0]!r} is not one of {', '.join(allowed)} or ''.")
        for name, marks in (
            ("probability", probability),
            ("verdict", verdict),
            ("shift", shift),
            ("author", author),
            ("details", details),
            ("strip", strip),
        ):
            if marks is not None and len(marks) != len(tokens):
                raise ValueError(f"{name} has {len(marks)} values for {len(tokens)} tokens.")
        content = {
            "tokens": list(tokens),
            "verdict": verdict and list(verdict),
            "shift": shift and list(shift),
            "author": author and list(author),
            "details": details and [dict(d) for d in details],
            "special": sorted(special),
            "gap": gap,
            "alt": alt,
            "empty": empty,
            "top": top,
            "line": line,
            "about": about,
            "digits": digits,
            "lines": lines,
            "code": code,
        }
        with self.hold_sync():
            self.data = json.dumps(
                {k: v for k, v in content.items() if v or k == "tokens"}, ensure_ascii=False
            ).encode()
            for name, numbers in (("probability", probability), ("strip", strip)):
                setattr(self, name, b"" if numbers is None else np.asarray(numbers, dtype="<f4").tobytes())
            if self.selected >= len(tokens):
                self.selected = -1
