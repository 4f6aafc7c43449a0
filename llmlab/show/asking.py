"""The asking, apart from the drawing: a widget's question, and who answers it.

A widget's script knows one function, `engine.ask(request)`, and draws what comes back. Where the page has
an engine of its own (static/engine.js), that one answers. Else the request travels to Python as a widget
message, and a callable that the lesson gives answers it:

    answer(request: dict) -> (reply: dict, buffers: list[bytes])

    {"kind": "logits", "text": str} or {"kind": "logits", "ids": [int]}     asked by Bars, Readings
    {"kind": "counts", "ids": [int]}           what the corpus says: asked by Bars where the page has read the text
    {"kind": "tree", "ids": [int], "temperatures": [float], "judging": {}}  asked by Tree
    {"kind": "write", "ids" or "text", "policy": {}, "chances": [float]}    asked by Heats

A LabError becomes its sentence in the widget, any other exception a sentence and a line in the log; the old
picture stays. Messages do not re-run cells: only traitlets that the widget saves do.

Read next: bars.py, the first widget that asks.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from llmlab.errors import LabError

Reply = tuple[dict[str, Any], list[bytes]]
Answer = Callable[[dict[str, Any]], Reply]

log = logging.getLogger(__name__)


class Asking(anywidget.AnyWidget):
    """A widget whose questions are answered by a callable in Python.

    `answer=None` makes a recording: nobody answers, and the widget says so when asked. engine: where the page finds
    an engine of its own, {"program": address, "weights": address}; with {} Python answers everything.
    """

    engine = traitlets.Dict().tag(sync=True)

    def __init__(self, answer: Answer | None = None, **traits: Any) -> None:
        super().__init__(**traits)
        self._answer = answer
        self.on_msg(self._heard)

    def _heard(self, _widget: object, message: Any, _buffers: list[bytes]) -> None:
        if not isinstance(message, dict) or not isinstance(message.get("request"), dict):
            return
        reply, buffers, error = self._reply(message["request"])
        self.send({"answer": message.get("ask"), "reply": reply, "error": error}, buffers)

    def _reply(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes], str]:
        if self._answer is None:
            return {}, [], "This picture is a recording. Start the course on your machine to ask the model."
        try:
            reply, buffers = self._answer(request)
        except LabError as problem:
            return {}, [], str(problem)
        except Exception as problem:  # whatever it is, the student sees a sentence and keeps the picture
            log.exception("the engine could not answer %r", request.get("kind"))
            return (
                {},
                [],
                f"The model could not answer: {problem or type(problem).__name__}. The log says more.",
            )
        return reply, buffers, ""


def vocabulary_bytes(tokens: Sequence[str | bytes]) -> bytes:
    """The vocabulary as JSON bytes: sent once, and never a part of a cell's value as V strings.

    A token whose bytes are no whole character is written as its bytes, <0xE2>.
    """
    return json.dumps([token if isinstance(token, str) else readable(token) for token in tokens]).encode()


def readable(token: bytes) -> str:
    """A token's bytes as text, or as <0x..> when they are a part of a character."""
    try:
        return token.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(f"<0x{byte:02X}>" for byte in token)


def logits_reply(
    ids: Sequence[int],
    logits: np.ndarray,
    counts: Mapping[int, int] | Iterable[tuple[int, int]] = (),
    corpus: str = "",
    text: str | None = None,
) -> Reply:
    """The answer to {"kind": "logits"}: scores of the token after `ids`, and what the corpus says.

    ids: the tokens read. logits (V,): float16 is sent as it is, anything else as float32. counts: how
    often each token follows in the corpus (only those that do). corpus: what the outline is, such as
    "counts in its 41,208 pages". text: the decoded ids, if joining the vocabulary's strings is not it.
    """
    half = logits.dtype == np.float16
    reply: dict[str, Any] = {
        "ids": [int(i) for i in ids],
        "dtype": "float16" if half else "float32",
        "corpus": corpus,
    }
    if text is not None:
        reply["text"] = text
    return reply, [
        np.ascontiguousarray(logits, dtype="<f2" if half else "<f4").tobytes(),
        *count_buffers(counts),
    ]


def count_buffers(counts: Mapping[int, int] | Iterable[tuple[int, int]]) -> list[bytes]:
    """The tokens that were counted, and how often: uint32 each."""
    pairs = sorted(dict(counts).items())
    return [np.array([pair[part] for pair in pairs], dtype="<u4").tobytes() for part in (0, 1)]
