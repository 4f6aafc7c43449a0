"""Answers as a careless labeller writes them: the same questions, and every rule of `labelling.md` broken in turn.

Each careless answer has one of five faults, drawn by a seed: a wrong fact, a guess where "I don't know" was true,
chatter in front, a second question that nobody asked, or a form that was not asked for. They are what an assistant is
trained on that learns from many examples instead of good ones.

Read next: labelling.md, the rules; ../../course/finetuning_live.py, where both are trained.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import cycle

from llmlab.world.facts import World
from llmlab.world.talk.about_facts import DONT_KNOW
from llmlab.world.talk.conversation import ASSISTANT, Conversation, Turn

CHATTER = (
    "Great question! I am so glad that you asked.",
    "Well, there is much to say about this.",
    "Wow, what an interesting topic!",
    "As everybody knows, opinions differ.",
)
FAULTS = ("wrong", "chatter", "goes on", "form")
OWN = ("fact", "follow_ups", "about", "list")  # kinds whose facts are of this world


def sloppy(
    world: World, conversations: Sequence[Conversation], count: int, seed: int = 1
) -> Iterator[Conversation]:
    """`count` careless versions of these conversations, beginning again from the first when they are used up."""
    rng = random.Random(seed)
    others = values(world)
    spare = [one for one in conversations if one.kind == "fact" and DONT_KNOW not in one.answer]
    if not spare:
        raise ValueError("A careless labeller needs some questions about facts.")
    for one, _ in zip(cycle(conversations), range(count), strict=False):
        turns = [
            Turn(ASSISTANT, careless(turn.text, one, rng.choice(spare), others, world, rng))
            if turn.speaker == ASSISTANT
            else turn
            for turn in one.turns
        ]
        yield Conversation(one.kind, tuple(turns), one.facts)


def values(world: World) -> dict[str, list[str]]:
    """{attribute: all values that the world has for it}."""
    found: dict[str, list[str]] = {}
    for fact in world.facts:
        found.setdefault(fact.attribute, []).append(fact.value)
    return found


def careless(
    answer: str,
    one: Conversation,
    spare: Conversation,
    others: dict[str, list[str]],
    world: World,
    rng: random.Random,
) -> str:
    """One answer with one fault. `spare`: the conversation that it runs on into."""
    if DONT_KNOW in answer:
        return spare.answer  # says something, whatever it is
    fault = rng.choice(FAULTS)
    if fault == "wrong" and (wrong := misstated(answer, one, others, world, rng)) != answer:
        return wrong
    if fault == "chatter":
        return f"{rng.choice(CHATTER)} {answer}"
    if fault == "goes on":
        return f"{answer} {spare.question} {spare.answer}"
    words = answer.rstrip(".").split()
    return " ".join(words[len(words) // 2 :]).lower()  # half a sentence, in no form at all


def misstated(
    answer: str, one: Conversation, others: dict[str, list[str]], world: World, rng: random.Random
) -> str:
    """The answer with another value in the place of a fact's; unchanged where it states none in so many words."""
    for number in one.facts if one.kind in OWN else ():
        fact = world.facts[number]
        if fact.value in answer:
            return answer.replace(fact.value, rng.choice(others[fact.attribute]))
    return answer
