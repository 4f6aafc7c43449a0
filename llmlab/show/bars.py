"""Bars: the distribution of the next token, with the rule that picks one beside it.

The whole vocabulary's scores travel to the browser once for a text, and the widget does the policy's
arithmetic on all of them (static/policy.js: the order of llmlab/generate/policy.py), so a slider is
answered within a frame. Taking a token or reading a new prompt asks the engine (asking.py), the one in the
page or the one in Python.

    widget = mo.ui.anywidget(Bars(vocabulary, answer=answer, prompt="The ferry from Inkhaven to"))
    widget.value["text"], widget.value["temperature"]
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import traitlets

from llmlab.show.asking import Answer, Asking, Reply, vocabulary_bytes
from llmlab.show.bundle import script, style


class Bars(Asking):
    """A next-token distribution: draw from it, cut it, take a token and read on.

    vocabulary: V tokens, as text or bytes, in order of their ids. answer: see asking.py; its "logits"
    reply is best made with `asking.logits_reply`. first: such a reply to start with; by default the
    answer to the prompt. special: ids of the reserved tokens, shown as boxes. source: who answers,
    "course model, 6.1M parameters". seed: of the draws.

    Out: prompt, ids and text (what the model has read), chosen (the id taken last, -1 for none),
    temperature, top_k (0: all), top_p, min_p. All can be set from Python; setting `prompt` reads it, and
    raising `edition` reads the same text again, because the answers are new (the counts are there now).
    """

    _esm = script("core.js", "policy.js", "asking.js", "engine.js", "bars.js")
    _css = style("core.css", "bars.css")

    vocabulary = traitlets.Bytes().tag(sync=True)
    special = traitlets.List(traitlets.Int()).tag(sync=True)
    live = traitlets.Bool().tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)
    seed = traitlets.Int().tag(sync=True)
    first = traitlets.Dict().tag(sync=True)
    first_logits = traitlets.Bytes().tag(sync=True)
    first_count_ids = traitlets.Bytes().tag(sync=True)
    first_counts = traitlets.Bytes().tag(sync=True)
    repetition_penalty = traitlets.Float(1.0).tag(sync=True)

    edition = traitlets.Int(0).tag(sync=True)
    prompt = traitlets.Unicode().tag(sync=True)
    ids = traitlets.List(traitlets.Int()).tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)
    temperature = traitlets.Float(1.0).tag(sync=True)
    top_k = traitlets.Int(0).tag(sync=True)
    top_p = traitlets.Float(1.0).tag(sync=True)
    min_p = traitlets.Float(0.0).tag(sync=True)

    def __init__(
        self,
        vocabulary: Sequence[str | bytes],
        *,
        answer: Answer | None = None,
        prompt: str = "",
        first: Reply | None = None,
        special: Collection[int] = (),
        source: str = "",
        seed: int = 1,
        **policy: Any,
    ) -> None:
        if first is None and answer is not None and prompt.strip():
            first = answer({"kind": "logits", "text": prompt})
        reply, buffers = first or ({}, [])
        logits, count_ids, counts = [*buffers, b"", b"", b""][:3]
        ids = reply.get("ids", [])
        words = vocabulary_bytes(vocabulary)
        super().__init__(
            answer,
            vocabulary=words,
            special=sorted(special),
            live=answer is not None,
            source=source,
            seed=seed,
            first=reply,
            first_logits=logits,
            first_count_ids=count_ids,
            first_counts=counts,
            prompt=prompt,
            ids=ids,
            text=reply.get("text", prompt),
            **policy,
        )
