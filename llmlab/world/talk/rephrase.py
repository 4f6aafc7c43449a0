"""A corrected answer, asked in many ways: what a person wrote once becomes some dozen examples.

One example teaches a model to answer one string of letters. So the machine proposes other wordings of the same
question: it looks for the name in it, and for the kind of question whose own wordings have most words in common with
it. Where it recognises nothing, the question is only framed in polite phrases.

Read next: ../../train/correct.py.
"""

import random
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle, islice

from llmlab.world.draft import Casting, Draft, Unfit
from llmlab.world.facts import Entity, World
from llmlab.world.grammar import LETTER_OF_KIND, Form
from llmlab.world.talk.conversation import Conversation, exchange
from llmlab.world.talk.phrases import attributes, forms, start

# words in common, as a share of all words of both, from which on a kind of question is recognised
ALIKE = 0.25
NAME = re.compile(r"[A-Z][a-z]+(?: [A-Z][a-z]+)+")
TWO_WORDS = ("person", "company", "festival", "book")  # kinds whose names are two words in capitals
FRAMES = (
    "{question}", "Please tell me: {question}", "{question} Please answer.", "I would like to know: {question}",
    "Quick question: {question}", "Hello! {question}", "{lower}", "A question: {question}", "{question} Thank you.",
)  # fmt: skip
HELD_FRAMES = (  # never practised: kept for asking afterwards
    "I forgot to ask: {lower}",
    "{question} I need it for a letter.",
    "Excuse me, clerk. {question}",
)
TRIES = 8  # for each wording that is looked for, before the search ends: there are only so many


@dataclass(frozen=True, slots=True)
class Correction:
    """A question that was answered badly, and what the assistant should have said.

    `wordings` are the other ways to ask for it that a person has left standing; none: the machine's proposals.
    """

    question: str
    answer: str
    wordings: tuple[str, ...] = ()


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
    return {
        (kind, attribute): tuple(
            plain(form) for use in ("ask", "again") for form in forms(f"{kind}.{attribute} {use}")
        )
        for kind, attribute in attributes()
    }


@lru_cache(maxsize=1)
def frame_of_answers() -> frozenset[str]:
    """All words that answers have beside what they tell: "lives", "in", "the", …"""
    return frozenset().union(
        *(plain(form) for kind, attribute in attributes() for form in forms(f"{kind}.{attribute} tell"))
    )


def plain(form: Form) -> frozenset[str]:
    """The words of a form, without what its slots print."""
    return words(re.sub(r"\{[^{}]*\}", " ", form.source))


def proposals(world: World, question: str, count: int, seed: int = 0) -> list[str]:
    """Up to `count` different ways to ask the same; the first is the question as it was typed."""
    what, rng = recognise(world, question), random.Random(seed)
    casting, said = Casting(world), question.strip()
    found: dict[str, None] = {said: None}
    for number in range(1, TRIES * count):
        if len(found) >= count:
            break
        if what is None or number % 4 == 0:
            frames = FRAMES if what is None else FRAMES[:4]
            words = framed(frames[number % len(frames)], said)
        else:
            words = in_other_words(start(casting, rng.getrandbits(40), asked=False), what)
        found.setdefault(words)
    return list(found)


def fresh(world: World, question: str, count: int, seed: int = 0) -> list[str]:
    """Up to `count` ways to ask the same that `proposals` never makes, and that nobody typed just now."""
    what, rng = recognise(world, question), random.Random(seed)
    if what is None:
        return [framed(frame, question.strip()) for frame in HELD_FRAMES[:count]]
    held = forms(f"{what.entity.kind}.{what.attribute} held")
    draft = start(Casting(world), rng.getrandbits(40), asked=False)
    other = (worded(draft, what, form) for form in rng.sample(held, k=len(held)))
    return [words for words in other if words != question.strip()][:count]


def rephrased(world: World, correction: Correction, count: int, seed: int = 0) -> list[Conversation]:
    """`count` conversations that ask for the same and are answered as the correction says.

    Where there are fewer wordings than that, they come again: how much is practised does not depend on their number.
    """
    wordings = correction.wordings or proposals(world, correction.question, count, seed)
    return [
        exchange("correction", question, correction.answer.strip())
        for question in islice(cycle(wordings), count)
    ]


def framed(frame: str, question: str) -> str:
    """A question inside a polite phrase."""
    return frame.replace("{question}", question).replace("{lower}", question[:1].lower() + question[1:])


def in_other_words(draft: Draft, what: Recognised) -> str:
    """The question in one of the wordings that conversations are written in."""
    return worded(draft, what, draft.pick(forms(f"{what.entity.kind}.{what.attribute} ask")))


def worded(draft: Draft, what: Recognised, form: Form) -> str:
    """One wording; the plainest one where this one does not suit the name."""
    for one in (form, forms(f"{what.entity.kind}.{what.attribute} ask")[0]):
        draft.cast = {LETTER_OF_KIND[what.entity.kind]: what.entity}
        with suppress(Unfit):
            return draft.render(one)
    raise Unfit(what.attribute)
