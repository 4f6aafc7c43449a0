"""Merges: one text under a growing vocabulary, with a slider from single bytes to the last merge.

A merge takes away borders between bytes and never brings one back. So all segmentations of a text fit into one
number for each border, the merge at which it falls; it travels once, and the widget re-collapses the text without
asking again. Letters never move: a token is the ground behind them and a line below them.

    widget = mo.ui.anywidget(Merges({"crawl": "the crawl"}, answer=answer, prompt="The ferry waits."))
    widget.value["text"], widget.value["merges"]

Read next: asking.py, how a new text is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets

from llmlab.show.asking import Answer, Asking, Reply
from llmlab.show.bundle import script, style

NEVER = 2**32 - 1  # a border that no merge takes away
LONGEST = 600  # letters of a text that is shown


class Merges(Asking):
    """A text whose tokens flow together, merge by merge.

    vocabularies: key -> name of each list of merges that the text can be shown with; a button for each if there
    are two or more. answer: gets {"kind": "merges", "text": str, "vocabulary": key} and gives `merges_reply`.
    source: who answers.

    Out: text (what was read), merges (where the slider stands), vocabulary. `prompt` and `vocabulary` can be set
    from Python; raising `edition` asks again for the same text, because the merges are others now.
    """

    _esm = script("core.js", "asking.js", "merges.js")
    _css = style("core.css", "merges.css")

    vocabularies = traitlets.Dict(traitlets.Unicode()).tag(sync=True)
    vocabulary = traitlets.Unicode().tag(sync=True)
    live = traitlets.Bool().tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)
    longest = traitlets.Int(LONGEST).tag(sync=True)
    first = traitlets.Dict().tag(sync=True)
    first_falls = traitlets.Bytes().tag(sync=True)
    first_counts = traitlets.Bytes().tag(sync=True)

    edition = traitlets.Int(0).tag(sync=True)
    prompt = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    merges = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        vocabularies: Mapping[str, str],
        *,
        answer: Answer | None = None,
        prompt: str = "",
        first: Reply | None = None,
        source: str = "",
        **traits: Any,
    ) -> None:
        vocabulary = traits.pop("vocabulary", next(iter(vocabularies)))
        if first is None and answer is not None:
            first = answer({"kind": "merges", "text": prompt, "vocabulary": vocabulary})
        reply, buffers = first or ({}, [])
        falls, counts = [*buffers, b"", b""][:2]
        super().__init__(
            answer,
            vocabularies=dict(vocabularies),
            vocabulary=vocabulary,
            live=answer is not None,
            source=source,
            first=reply,
            first_falls=falls,
            first_counts=counts,
            prompt=prompt,
            text=reply.get("text", prompt),
            merges=reply.get("total", 0),
            **traits,
        )


def merges_reply(
    text: str, falls: Sequence[int | None], total: int, counts: Mapping[int, int] | None = None
) -> Reply:
    """The answer to {"kind": "merges"}.

    falls: for each border between two bytes of the text, the number of merges after which it is gone, or None.
    total: how many merges there are. counts: for a merge, by its number from 1, how often its pair was there.
    """
    n_bytes = len(text.encode("utf-8"))
    if len(falls) != max(0, n_bytes - 1):
        raise ValueError(f"{len(falls)} borders for a text of {n_bytes} bytes.")
    gone = np.array([NEVER if fall is None else fall for fall in falls], dtype="<u4")
    known = np.array([(counts or {}).get(int(m), 0) for m in np.unique(gone[gone != NEVER])], dtype="<u4")
    return {"text": text, "total": total}, [gone.tobytes(), known.tobytes() if counts else b""]
