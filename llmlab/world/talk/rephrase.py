"""A corrected answer, asked in many ways: what a person wrote once becomes some dozen examples.

One example teaches a model to answer one string of letters. So the machine proposes other wordings of the same
question: it looks for the name in it, and for the kind of question whose own wordings have most words in common with
it. Where it recognises nothing, the question is only framed in polite phrases.

Read next: ../../train/correct.py.
"""

import random
import re
from dataclasses import dataclass
from functools import lru_cache

from llmlab.world.draft import Casting, Draft, Unfit
from llmlab.world.facts import Entity, World
from llmlab.world.grammar import LETTER_OF_KIND
from llmlab.world.talk.conversation import Conversation, exchange
from llmlab.world.talk.phrases import attributes, forms, start

ALIKE = (
    0.25  # words in common, as a share of all words of both, from which on a kind of question is recognised
)
NAME = re.compile(r"[A-Z][a-z]+(?: [A-Z][a-z]+)+")
TWO_WORDS = ("person", "company", "festival", "book")  # kinds whose names are two words in capitals
FRAMES = (
    "{question}", "Please tell me: {question}", "{question} Please answer.", "I would like to know: {question}",
    "Quick question: {question}", "Hello! {question}", "{lower}", "A question: {question}", "{question} Thank you.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Correction:
    """A question that was answered badly, and what the assistant should have said."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a question asks for: an attribute of an entity, which need not exist."""

    entity: Entity
    attribute: str


def recognise(world: World, question: str) -> Recognised | None:
    """Whom and what a question asks about; None where no kind of question is like it."""
    best, found = ALIKE, None
    for entity in named_in(world, question):
        rest = words(question.replace(entity.name, " ").casefold())
        for (kind, attribute), wordings in vocabulary().items():
            if kind != entity.kind:
                continue
            score = max(len(rest & one) / max(1, len(rest | one)) for one in wordings)
            if score > best:
                best, found = score, Recognised(entity, attribute)
    return found


def named_in(world: World, question: str) -> list[Entity]:
    """The entities whose names stand in a question, the longest name only.

    Two words in capitals that nobody bears are taken for the name of anything that has such names.
    """
    lower = question.casefold()
    found = [e for e in world.entities if e.kind != "round" and e.name.casefold() in lower]
    if found:
        longest = max(len(entity.name) for entity in found)
        return [entity for entity in found if len(entity.name) == longest]
    names = NAME.findall(question)
    return [Entity(-1, kind, name, gender="she") for name in names for kind in TWO_WORDS]


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", text.casefold()))


@lru_cache(maxsize=1)
def vocabulary() -> dict[tuple[str, str], tuple[frozenset[str], ...]]:
    """For each kind of question the words of each of its wordings, without what the slots print."""
    plain = lambda source: words(re.sub(r"\{[^{}]*\}", " ", source))  # noqa: E731
    return {
        (kind, attribute): tuple(
            plain(form.source) for use in ("ask", "again") for form in forms(f"{kind}.{attribute} {use}")
        )
        for kind, attribute in attributes()
    }


def rephrased(world: World, correction: Correction, count: int, seed: int = 0) -> list[Conversation]:
    """`count` conversations that ask for the same and are answered as the correction says."""
    what, rng = recognise(world, correction.question), random.Random(seed)
    casting, made = Casting(world), []
    for number in range(count):
        if what is None or number % 4 == 0:
            said = correction.question.strip()
            frame = FRAMES[number % len(FRAMES)] if what is None else FRAMES[number // 4 % len(FRAMES)]
            question = frame.format(question=said, lower=said[:1].lower() + said[1:])
        else:
            question = in_other_words(start(casting, rng.getrandbits(40), asked=False), what)
        made.append(exchange("correction", question, correction.answer.strip()))
    return made


def in_other_words(draft: Draft, what: Recognised) -> str:
    """The question in one of the wordings that conversations are written in."""
    draft.cast = {LETTER_OF_KIND[what.entity.kind]: what.entity}
    form = draft.pick(forms(f"{what.entity.kind}.{what.attribute} ask"))
    try:
        return draft.render(form)
    except Unfit:
        return draft.render(forms(f"{what.entity.kind}.{what.attribute} ask")[0])
