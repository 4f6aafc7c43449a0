"""All conversations of a seed, in the shares in which an assistant practises them.

The shares follow what was hard for a model of this size (docs/decisions.md): facts and work on texts most, greetings
least. The entities of facts are those that may be asked about (`Entity.asked`); the others are never asked for in any
conversation, so that answers about them show what pretraining knew.

Read next: text/dialogue.py, where speakers become tokens.
"""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import accumulate

from llmlab.world.draft import Casting, Draft, Unfit
from llmlab.world.facts import Entity, Fact, World
from llmlab.world.talk import about_facts, small_talk, tasks
from llmlab.world.talk.conversation import Conversation
from llmlab.world.talk.phrases import start

Writer = Callable[[Draft], Conversation]
SHARES: dict[str, float] = {
    "fact": 32, "unknown": 4, "nobody": 12, "follow_ups": 9, "corrected": 1, "about": 4, "question_page": 20,
    "summary": 3, "changed_sentence": 18, "pirate": 6, "tongue": 3, "list_items": 2, "letters": 3, "sum": 4,
    "poem": 3, "small_talk": 4, "explain": 3,
}  # fmt: skip


def may_be_asked(entity: Entity) -> bool:
    """Whether an entity may be in a conversation; nobody else ever is.

    Of the one-off people, about whom nothing is known, every second; of the forbidden recipes, too, for what they are.
    """
    return entity.asked or ((entity.oneoff or entity.kind == "forbidden") and entity.id % 2 == 0)


class Interviewer:
    """Writes conversations of one world for a model that knows the facts `known` and has no idea of `unknown` (ids).

    Other facts, of which it has half an idea, are in no conversation: whoever is taught to refuse those also refuses
    what it knows but was never asked (docs/decisions.md). wording: "ask", or "held" for what no training has.
    """

    def __init__(
        self, world: World, known: Collection[int], unknown: Collection[int], wording: str = "ask"
    ) -> None:
        self.world, self.casting, self.wording = world, Casting(world), wording
        self.known, self.unknown = frozenset(known), frozenset(unknown)
        self.people: dict[str, list[Entity]] = {}  # of whom something is known, by kind
        self.strangers: list[Entity] = []  # of whom something is not known
        for entity in filter(may_be_asked, world.entities):
            facts = about_facts.askable(world, entity)
            if any(fact.id in self.known for fact in facts):
                self.people.setdefault(entity.kind, []).append(entity)
            if any(fact.id in self.unknown for fact in facts):
                self.strangers.append(entity)

    def facts(self, entity: Entity, among: Collection[int]) -> list[Fact]:
        """Those of an entity's facts that are `among` these."""
        return [fact for fact in about_facts.askable(self.world, entity) if fact.id in among]

    def entity(self, draft: Draft) -> Entity:
        """Somebody or something known: half of the time a person, the famous more often."""
        kind = "person" if draft.below(2) else draft.pick(list(self.people))
        pool = self.people.get(kind) or draft.pick(list(self.people.values()))
        return pool[int(len(pool) * draft.random() ** 1.5)]

    def known_fact(self, draft: Draft) -> Fact:
        return draft.pick(self.facts(self.entity(draft), self.known))

    def unknown_fact(self, draft: Draft) -> Fact:
        if not self.strangers:
            raise Unfit("unknown")
        return draft.pick(self.facts(draft.pick(self.strangers), self.unknown))

    def follow_ups(self, draft: Draft) -> Conversation:
        entity = self.entity(draft)
        others = [other for other in self.people[entity.kind] if other.id != entity.id]
        other = draft.pick(others) if entity.kind == "person" and others and draft.below(4) == 0 else None
        asked, meant = (self.facts(one, self.known | self.unknown) if one else [] for one in (entity, other))
        return about_facts.follow_ups(draft, entity, asked, self.known, meant)

    def writers(self) -> dict[str, Writer]:
        """Who writes each kind of conversation; a writer takes the draft, and `self.wording` for its question."""
        way, known = self.wording, self.known
        one = about_facts.one_question
        written = {
            "fact": lambda draft: one(draft, self.known_fact(draft), known, way),
            "unknown": lambda draft: one(draft, self.unknown_fact(draft), known, way),
            "corrected": lambda draft: about_facts.corrected(draft, self.known_fact(draft), known, way),
            "about": lambda draft: about_facts.several_facts(draft, self.entity(draft), known, way),
            "follow_ups": self.follow_ups,
        }
        others = {
            "nobody": about_facts.about_nobody, "question_page": tasks.question_on_a_page, "summary": tasks.summary,
            "changed_sentence": tasks.changed_sentence, "pirate": tasks.pirate, "tongue": tasks.tongue,
            "list_items": tasks.list_items, "letters": tasks.letters, "sum": tasks.sums, "poem": tasks.poem,
            "small_talk": small_talk.small_talk, "explain": small_talk.explain,
        }  # fmt: skip
        return written | {name: partial(writer, wording=way) for name, writer in others.items()}

    def conversation(self, number: int, seed: int, shares: dict[str, float] = SHARES) -> Conversation:
        """Conversation `number` of a seed: a function of both alone."""
        writers, names = self.writers(), list(shares)
        totals = list(accumulate(shares.values()))
        for attempt in range(50):
            draft = start(self.casting, seed * 1_000_000_007 + number * 101 + attempt)
            at = draft.random() * totals[-1]
            name = next(name for name, total in zip(names, totals, strict=True) if at < total)
            try:
                return writers[name](draft)
            except Unfit:
                continue
        raise RuntimeError(f"conversation {number} of seed {seed} could not be written")


def conversations(
    world: World,
    known: Collection[int],
    unknown: Collection[int],
    count: int,
    seed: int = 1,
    shares: dict[str, float] = SHARES,
) -> Iterator[Conversation]:
    """`count` conversations for a model that knows some facts and has no idea of others; the same for the same seed."""
    interviewer = Interviewer(world, known, unknown)
    for number in range(count):
        yield interviewer.conversation(number, seed, shares)
