"""Lesson 06, what stands behind its cells: a text inside the model, and inside its random twin.

Here the requests of show/inside.py are answered with torch. In the course a student's texts are answered by the engine
in the page (static/inside_worker.js), from the same weights and with the same numbers; the first picture, and all of
them where the page has no engine, come from here.

Read next: inside_path.py, one number followed; inside_measured.py, what was counted; reversal.py, mothers and children.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import log

import torch
from torch import Tensor

from llmlab.course.inside_path import path, steps
from llmlab.course.next_token import Preset, question, size_of
from llmlab.course.page_engine import engine_for
from llmlab.course.tables import table
from llmlab.errors import LabError
from llmlab.generate.engine import encode_prompt
from llmlab.generate.reader import TorchReader
from llmlab.measure import inside
from llmlab.measure.copying import best_head, copying
from llmlab.measure.samples import held_out
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT
from llmlab.show import Inside
from llmlab.show.asking import Reply, readable
from llmlab.show.inside import MOST, attention_reply, knockout_reply, path_reply, stream_reply
from llmlab.world.facts import World

WRITES = 16  # tokens that are written after it
PAGE = 96  # tokens of each held-out page on which a knock-out is judged
TWIN = 1  # the seed of the twin
PROSE = ("encyclopedia", "news", "diary", "letter", "forum", "interview")


class Answers:
    """Answers the questions of an `Inside` widget for one model and its twin."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint, self.words = checkpoint, checkpoint.tokenizer
        self.minds = {"model": checkpoint.model, "twin": inside.twin(checkpoint.model, TWIN)}
        # what many students ask alike is computed once; a text is asked in several views, and head by head
        self.look = lru_cache(maxsize=32)(lambda who, ids: inside.look(self.minds[who], ids))
        self.whole = lru_cache(maxsize=32)(lambda who, ids: self.worth(self.minds[who], ids))
        self.on_pages = lru_cache(maxsize=64)(self._on_pages)
        self.without = lru_cache(maxsize=2)(
            lambda who, heads, mlps: inside.knock_out(self.minds[who], heads, mlps)
        )

    def __call__(self, request: dict) -> Reply:
        who = str(request["who"])
        if request["kind"] == "surprise":
            return self.surprise(request, who)
        ids = self.ids(str(request["text"]))
        view = {
            "attention": self.attention,
            "stream": self.stream,
            "knockout": self.knockout,
            "path": self.path,
        }
        return view[request["kind"]](request, who, ids)

    def ids(self, text: str) -> tuple[int, ...]:
        """The tokens of a text, <|bos|> first. LabError if there are none, or more than a map can show.

        The page reads texts by the same rule, in the same words.
        """
        ids = (self.words.bos, *self.words.encode(text[: 40 * MOST]))
        if not 2 <= len(ids) <= MOST:
            has = "no" if len(ids) < 2 else f"more than {MOST - 1}"
            raise LabError(
                f"This text has {has} tokens. Use between 1 and {MOST - 1}, so that each can be seen."
            )
        return ids

    def spelled(self, ids: Sequence[int]) -> list[str]:
        return [readable(self.words.token_bytes(token)) for token in ids]

    def text(self, ids: Sequence[int]) -> tuple[list[str], list[int]]:
        """The tokens as written, and which places hold special ones."""
        return self.spelled(ids), [i for i, token in enumerate(ids) if token in self.words.special.values()]

    def attention(self, _: dict, who: str, ids: tuple[int, ...]) -> Reply:
        return attention_reply(*self.text(ids), self.look(who, ids).attention.numpy())

    def stream(self, request: dict, who: str, ids: tuple[int, ...]) -> Reply:
        seen, model = self.look(who, ids), self.minds[who]
        best = inside.lens(model, seen).softmax(-1).max(-1)  # (L + 1, T)
        place = place_of(request, ids)
        token = int(request["token"]) if request["token"] >= 0 else int(best.indices[-1, place])
        found = inside.parts(model, seen, place, token)
        return stream_reply(
            *self.text(ids),
            [self.spelled(row) for row in best.indices.tolist()],
            best.indices.numpy(),
            best.values.numpy(),
            place=place,
            word=self.spelled([token])[0],
            token=token,
            score=found.score,
            parts=[found.embedding, *torch.cat((found.heads, found.mlps[:, None]), 1).flatten().tolist()],
        )

    def knockout(self, request: dict, who: str, ids: tuple[int, ...]) -> Reply:
        without = self.without(who, *knocked_out(request))
        (before, text), (after, other) = self.whole(who, ids), self.worth(without, ids)
        bits = [(nats / log(2)).numpy() for nats in (before, after)]
        return knockout_reply(*self.text(ids), bits, [self.spelled(text), self.spelled(other)])

    def surprise(self, request: dict, who: str) -> Reply:
        """Bits of each token but the first of other pages."""
        ids = encode_prompt(self.checkpoint, [int(token) for token in request["ids"]])
        nats = inside.surprise(self.without(who, *knocked_out(request)), [ids])[0]
        return {}, [(nats / log(2)).numpy().astype("<f4").tobytes()]

    def path(self, request: dict, who: str, ids: tuple[int, ...]) -> Reply:
        place = place_of(request, ids)
        return path_reply(
            *self.text(ids), place, path(self.minds[who], self.look(who, ids), place, self.spelled)
        )

    def worth(self, model: GPT, ids: tuple[int, ...]) -> tuple[Tensor, list[int]]:
        """The surprise of a text in nats, and how the model goes on with it at temperature 0."""
        return inside.surprise(model, [ids])[0], goes_on(model, ids, set(self.words.special.values()))

    def _on_pages(self, who: str, heads: tuple[tuple[int, int], ...], mlps: tuple[int, ...]) -> float:
        model = inside.knock_out(self.minds[who], heads, mlps)
        return float(inside.surprise(model, self.pages()).mean()) / log(2)

    @lru_cache(maxsize=1)  # noqa: B019  (there is one answerer a model, for as long as the process lives)
    def pages(self) -> list[list[int]]:
        """The beginnings of held-out pages, all of the same length; made when something is knocked out."""
        found: dict[str, list[int]] = {}
        for page in held_out():
            ids = [self.words.bos, *self.words.encode(page.text)][:PAGE]
            if page.kind in PROSE and len(ids) == PAGE:
                found.setdefault(page.kind, ids)
            if len(found) == len(PROSE):
                break
        return list(found.values())


def knocked_out(request: dict) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """The heads (layer, head) and the MLPs that a request wants gone."""
    heads = tuple(sorted((int(layer), int(head)) for layer, head in request["heads"]))
    return heads, tuple(sorted(int(layer) for layer in request["mlps"]))


def place_of(request: dict, ids: Sequence[int]) -> int:
    """The place that is asked about; the last one for -1, and where the text has become shorter."""
    place = int(request["place"])
    return place if 0 <= place < len(ids) else len(ids) - 1


def goes_on(model: GPT, ids: Sequence[int], stop: set[int], n: int = WRITES) -> list[int]:
    """The likeliest continuation, without the policy's records: a knocked-out model is used once and thrown away."""
    reader, written = TorchReader(model), []
    scores = reader.read(torch.tensor([list(ids)]).numpy())
    while len(written) < n and (token := int(scores[0, -1].argmax())) not in stop:
        written.append(token)
        scores = reader.read(torch.tensor([[token]]).numpy())
    return written


@lru_cache(maxsize=4)
def answers(model: str) -> Answers:
    """The one answerer of this model in this process."""
    return Answers(zoo.load(model))


@lru_cache(maxsize=4)
def copying_head(model: str) -> tuple[int, int]:
    """(layer, head) of the head that copies most, counted from 0; found on other texts than it is measured on."""
    checkpoint = zoo.load(model)
    return best_head(copying(checkpoint.model, checkpoint.tokenizer.bos, n=6, seed=100).scores)


def view(model: str, kind: str, prompt: str) -> Inside:
    """One of the views, with this text."""
    checkpoint, ask, (layer, head) = zoo.load(model), answers(model), copying_head(model)
    own = {
        "path": lambda: {"steps": steps(checkpoint.model)},
        "knockout": lambda: {"pages": ask.pages(), "page_bits": ask.on_pages("model", (), ())},
    }
    return Inside(
        kind,
        (checkpoint.config.n_layer, checkpoint.config.n_head),
        answer=ask,
        prompt=prompt,
        source=f"course model, {size_of(checkpoint)}",
        engine=engine_for(checkpoint),
        twin_engine=engine_for(replace(checkpoint, model=ask.minds["twin"])),
        layer=layer,
        head=head,
        **own.get(kind, dict)(),
    )


# ---- texts to begin with ----


def presets(model: str, world: World) -> dict[str, Preset]:
    """Four texts that show four different things, by name."""
    layer, head = (n + 1 for n in copying_head(model))
    child = world.of_kind("person")[0]
    mother = question(world, world.fact(child.id, "mother"))
    made = (
        Preset(
            "A mother",
            f"{child.name} was born in {world.fact(child.id, 'born').value}. {mother.prompt}",
            "Look at the last row.",
            f"The last token has to find out whose mother is asked for. The map is that of head {head} in layer "
            f"{layer}: a row is a token that reads, and blue says from where it takes. Try the other heads, "
            f"then press "
            "“its random twin”: it has patterns, too.",
        ),
        Preset(
            "A name again",
            "Mirelda Zanth sold the kettle to the ferryman. On Monday the kettle came back to Mirelda",
            "Look at the row of the last token, and at the token after the earlier name.",
            "Nobody on the Isles has this name, so it cannot be remembered, only copied. A head that copies looks at "
            "what stood after the same piece before. Below you can measure which head does it.",
        ),
        Preset(
            "Words in a row",
            "one two three four one two three four one two",
            "Look for slanted lines.",
            "A line beside the diagonal is a head that looks a fixed distance back. A second line, further away, "
            "follows the repetition.",
        ),
        Preset(
            "Python code",
            "for name in names:\n    print(",
            "Look at what the brackets take from.",
            "The same heads read code. Some take nearly everything from the first token, <|bos|>: a place to look at "
            "when there is nothing to look for.",
        ),
    )
    return {preset.name: preset for preset in made}


# ---- in the real thing ----


def real_table(checkpoint: Checkpoint) -> str:
    """This lesson's numbers for models that people use."""
    c, n = checkpoint.config, checkpoint.model.n_params()
    ours = (
        "ours",
        f"{n / 1e6:.1f}M",
        f"{c.n_layer}",
        f"{c.n_head}",
        f"{c.n_layer * c.n_head}",
        f"{c.n_embd:,}",
    )
    return table(
        ("model", "parameters", "layers", "heads a layer", "heads in all", "channels of the stream"),
        (ours, *REAL),
    )


REAL = (
    ("GPT-2 (2019)", "1.5B", "48", "25", "1,200", "1,600"),
    ("Llama 2 70B (2023)", "70B", "80", "64", "5,120", "8,192"),
    ("Llama 3.1 405B (2024)", "405B", "126", "128", "16,128", "16,384"),
)
