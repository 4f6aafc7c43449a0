"""Lesson 07, what stands behind its first screen: two models on one prompt, and everything between them.

The base model reads the student's words as the beginning of a document and goes on; the assistant reads them as what a
user said, and answers. Both are the same network with other numbers in it.

Read next: finetuning_chat.py; finetuning_measured.py, what was counted; finetuning_live.py, what the student trains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from llmlab.course.tables import note
from llmlab.errors import LabError
from llmlab.generate.engine import encode_prompt, generate
from llmlab.generate.policy import Policy
from llmlab.measure.shift import MARGINAL, SHIFTED, UNSHIFTED, Shift, shifts
from llmlab.model import zoo
from llmlab.model.blend import blend
from llmlab.model.checkpoint import Checkpoint
from llmlab.paths import assets
from llmlab.show import Blend, TokenText
from llmlab.show.asking import Reply, readable
from llmlab.show.number_format import percent
from llmlab.text.dialogue import prompt_tokens
from llmlab.train import lora
from llmlab.world.facts import World
from llmlab.world.talk.conversation import USER, Turn
from llmlab.world.talk.small_talk import terms

BASE, ASSISTANT = "course", "assistant"
GOES_ON, ANSWERS = 60, 100  # tokens: of the base's text, of the assistant's
BLENDED = 60  # tokens of a blended model's answer
MOST_NATS = 8.0  # of the strip: what is higher is cut
LONGEST = 600  # characters of a prompt
TERM = "the Council of Lamps"
NOBODY = "Mirelda Zanth"


def presets(world: World) -> dict[str, str]:
    """Prompts to begin with, by what they are."""
    somebody = world.of_kind("person")[0].name
    assert TERM in terms()
    return {
        "A question": f"Where does {somebody} live?",
        "A term": f"Can you write a short introduction about {TERM}?",
        "About nobody": f"Where does {NOBODY} live?",
        "A task": "Write this in capitals: The ferry left without the clerk.",
        "A poem": "Write a short poem about the fog.",
    }


# ---- two columns ----


@dataclass(frozen=True)
class Pair:
    """What both models made of one prompt. All tokens, the prompt's included; `given` of each were read."""

    base: tuple[int, ...]
    assistant: tuple[int, ...]
    given: tuple[int, int]
    shifts: tuple[Shift, ...]


def as_turn(text: str, checkpoint: Checkpoint) -> list[int]:
    """The tokens of a user's turn, up to where the assistant is to speak. LabError if it is too long or empty."""
    if not text.strip():
        raise LabError("There is nothing to answer yet. Write a question or a task.")
    return encode_prompt(checkpoint, prompt_tokens([Turn(USER, text[:LONGEST])], checkpoint.tokenizer))


@lru_cache(maxsize=64)
def pair(text: str) -> Pair:
    """Both models on one prompt, at temperature 0, and where the answer's tokens would have surprised the base."""
    base, assistant = zoo.load(BASE), zoo.load(ASSISTANT)
    turn, document = as_turn(text, assistant), encode_prompt(base, text[:LONGEST])
    greedy = Policy(temperature=0)
    dreamt = [step.token for step in generate(base, document, greedy, max_tokens=GOES_ON, stop=("<|bos|>",))]
    said = [step.token for step in generate(assistant, turn, greedy, max_tokens=ANSWERS, stop=("<|bos|>",))]
    said = up_to(assistant.tokenizer.special["<|end|>"], said)
    found = tuple(shifts(base, assistant, turn, said)) if said else ()
    return Pair((*document, *dreamt), (*turn, *said), (len(document), len(turn)), found)


def up_to(end: int, ids: list[int]) -> list[int]:
    """The tokens up to the first `end`, it included; all of them where there is none."""
    return ids[: ids.index(end) + 1] if end in ids else ids


def spelled(ids: Sequence[int], checkpoint: Checkpoint) -> list[str]:
    return [readable(checkpoint.tokenizer.token_bytes(token)) for token in ids]


def special(ids: Sequence[int], checkpoint: Checkpoint) -> list[int]:
    """The places of reserved tokens."""
    reserved = set(checkpoint.tokenizer.special.values())
    return [i for i, token in enumerate(ids) if token in reserved]


class Stage:
    """The three texts of the first screen, for one student: base, assistant, and the answer token by token."""

    def __init__(self) -> None:
        waiting = "Write something, and both go on from it."
        self.base, self.assistant = TokenText(empty=waiting, lines=7), TokenText(empty=waiting, lines=7)
        self.strip = TokenText(empty=waiting, lines=3)
        self.shown: Pair | None = None
        self.problem = ""

    def show(self, text: str) -> None:
        """Read this prompt with both models. What cannot be read leaves the picture as it is and says why."""
        try:
            self.shown = pair(text.strip())
            self.problem = ""
        except LabError as problem:
            self.problem = str(problem)
            return
        self._columns(self.shown)
        self._strip(self.shown)

    def _columns(self, shown: Pair) -> None:
        sides = (
            (self.base, BASE, shown.base, shown.given[0], ""),
            (self.assistant, ASSISTANT, shown.assistant, shown.given[1], "assistant"),
        )
        for widget, model, ids, given, author in sides:
            checkpoint = zoo.load(model)
            widget.show(
                spelled(ids, checkpoint),
                author=["user"] * given + [author] * (len(ids) - given),
                special=special(ids, checkpoint),
                lines=7,
                alt=f"{model}: what was given, then what the model wrote",
            )

    def _strip(self, shown: Pair) -> None:
        checkpoint = zoo.load(ASSISTANT)
        words = lambda token: readable(checkpoint.tokenizer.token_bytes(token))  # noqa: E731
        ids = [one.token for one in shown.shifts]
        self.strip.show(
            spelled(ids, checkpoint),
            probability=[one.base for one in shown.shifts],
            shift=[one.kind for one in shown.shifts],
            details=[
                {
                    "assistant": percent(one.assistant),
                    "base’s rank": f"{one.rank:,}",
                    "base would write": words(one.instead),
                }
                for one in shown.shifts
            ],
            strip=[one.kl for one in shown.shifts],
            top=MOST_NATS,
            digits=2,
            about="difference of the two distributions (KL), nats",
            special=special(ids, checkpoint),
            lines=3,
            alt="The assistant’s answer, token by token, with what the base model would have expected",
        )

    def sentence(self) -> str:
        """How many tokens are of which kind, or what is wrong with the prompt, as HTML."""
        if self.problem:
            return note(self.problem)
        kinds = [one.kind for one in self.shown.shifts]
        count = {kind: kinds.count(kind) for kind in (UNSHIFTED, MARGINAL, SHIFTED)}
        return note(
            f"Of the {len(kinds)} tokens of this answer, the base model would have written {count[UNSHIFTED]} itself "
            f"(unshifted); {count[MARGINAL]} stand among its first three (marginal); {count[SHIFTED]} it would not "
            "have written (shifted).",
            "said",
        )


# ---- a correction, put on and taken off ----


@lru_cache(maxsize=1)
def adapted() -> Checkpoint:
    """The base model with the shipped adapter on it."""
    return lora.worn(zoo.load(BASE), adapter_folder())


def adapter_folder() -> Path:
    return assets() / "models" / "adapter"


def adapter_sizes() -> str:
    """How large the adapter's file is beside the base model's."""
    thin, whole = (
        file.stat().st_size / 1e6
        for file in (adapter_folder() / "adapter.safetensors", zoo.find(BASE) / "model.safetensors")
    )
    return f"{thin:.2f} MB beside {whole:.2f} MB"


@lru_cache(maxsize=64)
def asked_once(text: str, on: bool) -> tuple[tuple[int, ...], int]:
    """All tokens of a user's turn and of what the base model, with its adapter or without, makes of it; and how many
    of them were given. At temperature 0."""
    model = adapted() if on else zoo.load(BASE)
    turn = as_turn(text, model)
    steps = generate(model, turn, Policy(temperature=0), max_tokens=BLENDED, stop=("<|bos|>",))
    said = up_to(model.tokenizer.special["<|end|>"], [step.token for step in steps])
    return (*turn, *said), len(turn)


class Wearing:
    """One question, asked of the base model with its adapter on or off, for one student."""

    def __init__(self) -> None:
        self.text = TokenText(empty="Write something, and the model goes on from it.", lines=4)

    def show(self, text: str, on: bool) -> str:
        """Write what the model says into the widget; returns a sentence: who speaks, or what is wrong."""
        try:
            ids, given = asked_once(text.strip(), on)
        except LabError as problem:
            return str(problem)
        model = zoo.load(BASE)
        self.text.show(
            spelled(ids, model),
            author=["user"] * given + ["assistant" if on else ""] * (len(ids) - given),
            special=special(ids, model),
            lines=4,
            alt=f"The base model {'with' if on else 'without'} the adapter: the question, then what it wrote",
        )
        return (
            "The adapter is on: base weights plus a correction."
            if on
            else "The adapter is off: the base alone."
        )


# ---- between them ----


@lru_cache(maxsize=2048)
def blended_answer(text: str, share: float) -> tuple[str, bool]:
    """What the model at this share of the way answers at temperature 0, and whether it ended by itself."""
    between = blend(zoo.load(BASE), zoo.load(ASSISTANT), share)
    prompt, words = as_turn(text, between), between.tokenizer
    steps = [
        step.token
        for step in generate(
            between, prompt, Policy(temperature=0), max_tokens=BLENDED, stop=("<|bos|>", "<|end|>")
        )
    ]
    return words.decode(steps).strip(), len(steps) < BLENDED


def blended(request: dict) -> Reply:
    """Answers the questions of a `Blend`."""
    said, ended = blended_answer(str(request["text"]).strip(), min(1.0, max(0.0, float(request["share"]))))
    return {"said": said, "ended": ended}, []


def blending(prompt: str) -> Blend:
    """The slider, with this prompt."""
    return Blend(
        answer=blended, prompt=prompt, names=["base", "assistant"], source="base and assistant, blended"
    )
