"""Readings: the same letters read twice, as the tokens that a model learned with, and with one token for each byte.

Both questions are for the scores of a whole vocabulary (asking.py); what is shown of them, the widget computes from
these scores: the best tokens, the sum of all others, and the share of tokens that begin with a blank.

    widget = mo.ui.anywidget(Readings(vocabulary, answer=answer, bos=4086, room=510, prompt="The lamp is in the"))

Read next: bars.py, one distribution and the rules that pick from it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import traitlets

from llmlab.show.asking import Answer, Asking, vocabulary_bytes
from llmlab.show.bundle import script, style


class Readings(Asking):
    """A text, and what a model expects after it: read as its tokens, and read letter by letter.

    vocabulary: the bytes of the V tokens, in order of their ids; the first 256 are the single bytes. answer: gets the
    two `questions`; its replies are best made with `asking.logits_reply`. bos: the token that is read first. room: so
    many bytes fit behind it. special: ids of the reserved tokens, shown as boxes. source: who answers.

    Out: prompt, the text that was read last. Set from Python, it is read.
    """

    _esm = script("core.js", "policy.js", "asking.js", "engine.js", "readings.js")
    _css = style("core.css", "readings.css")

    vocabulary = traitlets.Bytes().tag(sync=True)
    initials = traitlets.Bytes().tag(sync=True)  # the first byte of each token, which its text may not show
    special = traitlets.List(traitlets.Int()).tag(sync=True)
    bos = traitlets.Int().tag(sync=True)
    room = traitlets.Int().tag(sync=True)
    live = traitlets.Bool().tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)
    first = traitlets.List(traitlets.Dict()).tag(sync=True)
    first_0 = traitlets.Bytes().tag(sync=True)
    first_1 = traitlets.Bytes().tag(sync=True)
    prompt = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        vocabulary: Sequence[bytes],
        *,
        answer: Answer | None = None,
        bos: int,
        room: int,
        prompt: str = "",
        special: Collection[int] = (),
        source: str = "",
        **traits: Any,
    ) -> None:
        asked = questions(prompt, bos) if answer is not None and prompt.strip() else []
        replies = [answer(question) for question in asked]
        logits = {f"first_{i}": buffers[0] for i, (_, buffers) in enumerate(replies)}
        super().__init__(
            answer,
            vocabulary=vocabulary_bytes(vocabulary),
            initials=bytes(token[0] for token in vocabulary),
            special=sorted(special),
            bos=bos,
            room=room,
            live=answer is not None,
            source=source,
            first=[reply for reply, _ in replies],
            prompt=prompt,
            **logits,
            **traits,
        )


def questions(text: str, bos: int) -> list[dict[str, Any]]:
    """The same letters twice: as their tokens, and with the token of each byte, whose id is the byte."""
    letters = text.encode("utf-8", errors="replace")
    return [{"kind": "logits", "text": text}, {"kind": "logits", "ids": [bos, *letters]}]
