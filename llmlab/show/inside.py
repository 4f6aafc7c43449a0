"""Inside: one text on its way through a model, in four views.

    attention   how much each token takes from each earlier one, head by head: one big map, a small one for each head
    stream      what the model would say if it ended after each layer; and which parts speak for a token
    knockout    heads and MLPs as switches; the text, its surprise and its continuation with and without them
    path        one number, step by step, beside the line of code that makes it

Every view has the student's text at the top, and the random twin one press away. The widget asks

    {"kind": "attention", "text", "who", "most"}                   most: tokens that a text may have, <|bos|> too
    {"kind": "stream", "text", "who", "most", "place", "token"}    place and token: -1 for the last and the likeliest
    {"kind": "knockout", "text", "who", "most", "heads": [[layer, head]], "mlps": [layer]}
    {"kind": "surprise", "ids", "who", "heads", "mlps"}            of other pages, after the picture of a knock-out
    {"kind": "path", "text", "who", "most", "place"}

and the functions below make the replies of plain data. Where the page has an engine of its own, that one answers in
the same form. Layers, heads and places are counted from 0 here, and from 1 on the screen.

Read next: asking.py, how a question travels; static/inside.js, the frame of the four views; static/inside_worker.js,
the answers of the page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import traitlets

from llmlab.show.asking import Answer, Asking, Reply
from llmlab.show.bundle import script, style

MOST = 61  # tokens of a text, <|bos|> counted: more do not fit into a map that can be read
LONGEST = 400  # letters of it
VIEWS = ("attention", "stream", "knockout", "path")
Who = Literal["model", "twin"]


class Inside(Asking):
    """A text inside a model.

    view: one of VIEWS. layers, heads: the model's shape. answer: gets the requests above. prompt: the text to begin
    with. names: what the model and its twin are called. source: who answers; engine, twin_engine: where the page finds
    engines for the two (see asking.py). layer, head: the head to begin with. For "path" the `steps`: for each a `name`,
    the line of `code`, and sentences with gaps for the numbers of an answer (static/path.js): `before`, `after`, `said`
    and `rows` of two. For "knockout" the tokens of other `pages`, and `page_bits`, what they cost the whole model, bits
    a token.

    Out: text (what was read), who, place (the chosen token, -1 for the last), layer, head. `prompt`, `who`, `layer`
    and `head` can be set from Python.
    """

    _esm = script(
        "core.js",
        "asking.js",
        "engine.js",
        "attention.js",
        "stream.js",
        "knockout.js",
        "path.js",
        "inside.js",
    )
    _css = style("core.css", "inside.css")

    view = traitlets.Unicode().tag(sync=True)
    layers = traitlets.Int().tag(sync=True)
    heads = traitlets.Int().tag(sync=True)
    longest = traitlets.Int(LONGEST).tag(sync=True)
    most = traitlets.Int(MOST).tag(sync=True)
    twin_engine = traitlets.Dict().tag(sync=True)
    steps = traitlets.List(traitlets.Dict()).tag(sync=True)
    pages = traitlets.List(traitlets.List(traitlets.Int())).tag(sync=True)
    page_bits = traitlets.Float().tag(sync=True)
    live = traitlets.Bool().tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)
    names = traitlets.Dict(traitlets.Unicode()).tag(sync=True)
    first = traitlets.Dict().tag(sync=True)
    first_0 = traitlets.Bytes().tag(sync=True)
    first_1 = traitlets.Bytes().tag(sync=True)
    first_2 = traitlets.Bytes().tag(sync=True)

    prompt = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    who = traitlets.Unicode("model").tag(sync=True)
    place = traitlets.Int(-1).tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    head = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        view: str,
        shape: tuple[int, int],
        *,
        answer: Answer | None = None,
        prompt: str = "",
        first: Reply | None = None,
        names: Mapping[str, str] | None = None,
        source: str = "",
        **traits: Any,
    ) -> None:
        if view not in VIEWS:
            raise ValueError(f"{view!r} is not one of {', '.join(VIEWS)}.")
        if first is None and answer is not None:
            first = answer(opening(view, prompt))
        reply, buffers = first or ({}, [])
        super().__init__(
            answer,
            view=view,
            layers=shape[0],
            heads=shape[1],
            live=answer is not None,
            source=source,
            names=dict(names or {"model": "the trained model", "twin": "its random twin"}),
            first=reply,
            **dict(zip(("first_0", "first_1", "first_2"), [*buffers, b"", b"", b""], strict=False)),
            prompt=prompt,
            text=prompt,
            **traits,
        )


def opening(view: str, text: str) -> dict[str, Any]:
    """The question that a view asks first."""
    more = {
        "attention": {},
        "stream": {"place": -1, "token": -1},
        "knockout": {"heads": [], "mlps": []},
        "path": {"place": -1},
    }
    return {"kind": view, "text": text, "who": "model", "most": MOST, **more[view]}


def text_of(tokens: Sequence[str], special: Collection[int]) -> dict[str, Any]:
    """The part that all replies share: the tokens as written, and the places of the reserved ones."""
    return {"tokens": list(tokens), "special": sorted(special)}


def attention_reply(tokens: Sequence[str], special: Collection[int], maps: np.ndarray) -> Reply:
    """maps (L, H, T, T): how much each token (row) takes from each; of all heads, so that choosing one asks nobody."""
    return text_of(tokens, special) | {"dtype": "float16"}, [np.asarray(maps, dtype="<f2").tobytes()]


def stream_reply(
    tokens: Sequence[str],
    special: Collection[int],
    words: Sequence[Sequence[str]],
    ids: np.ndarray,
    shares: np.ndarray,
    *,
    place: int,
    word: str,
    token: int,
    score: float,
    parts: Sequence[float],
) -> Reply:
    """words, ids, shares (L + 1, T): the likeliest next token after each layer at each place, and its probability.

    parts: what each part adds to the score of `token` at `place`: the embedding, then for each layer its H heads
    and its MLP.
    """
    about = text_of(tokens, special) | {"words": [list(row) for row in words]}
    about |= {"place": place, "word": word, "token": token, "score": score}
    numbers = [np.asarray(shares, "<f4"), np.asarray(ids, "<u4"), np.asarray(parts, "<f4")]
    return about, [array.tobytes() for array in numbers]


def knockout_reply(
    tokens: Sequence[str],
    special: Collection[int],
    surprise: Sequence[np.ndarray],
    texts: Sequence[Sequence[str]],
) -> Reply:
    """Before and after, in this order. surprise (2, T - 1): bits of each token but the first; texts: the tokens that
    the model writes after the text.
    """
    about = text_of(tokens, special) | {"texts": [list(text) for text in texts]}
    return about, [np.asarray(surprise, "<f4").tobytes()]


def path_reply(
    tokens: Sequence[str], special: Collection[int], place: int, values: Mapping[str, Any]
) -> Reply:
    """values: what the gaps of `steps` are filled with: numbers, tokens, and lists of them."""
    return text_of(tokens, special) | {"place": place, "values": dict(values)}, []
