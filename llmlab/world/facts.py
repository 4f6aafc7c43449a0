"""What is true in the Quill Isles: entities, facts about them, and a world that answers questions.

A fact is (subject, attribute, value, date). Everything else in this folder is a way of saying facts.
The date is the year in which a fact could first be written down: facts dated after the knowledge
cutoff are on the live web only, and facts dated NEVER are on no page at all.

Read next: genesis.py, which makes one world out of a seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

CUTOFF = 428  # the last year that a training page may know
NOW = 430  # the live web's present
FIRST_WEB_YEAR = 400
NEVER = 999  # true, and on no page


@dataclass(frozen=True, slots=True)
class Entity:
    id: int
    kind: str
    name: str
    gender: str = ""  # "she" or "he" for people
    oneoff: bool = False  # on one page of the whole web
    asked: bool = False  # may appear in a question with its answer
    rank: int = 0  # 0 is the most famous of its kind


@dataclass(frozen=True, slots=True)
class Fact:
    id: int
    subject: int
    attribute: str
    value: str
    date: int
    target: int | None = None  # the entity that the value names


@dataclass
class World:
    """All entities and facts. Lookups are dictionaries; nothing changes after genesis."""

    seed: int
    size: str
    entities: list[Entity] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    by_name: dict[str, Entity] = field(default_factory=dict)
    _facts: dict[tuple[int, str], Fact] = field(default_factory=dict)
    _kinds: dict[str, list[Entity]] = field(default_factory=dict)

    def add(self, kind: str, name: str, **more: object) -> Entity:
        rank = len(self._kinds.setdefault(kind, []))
        entity = Entity(len(self.entities), kind, name, rank=rank, **more)
        self.entities.append(entity)
        self._kinds[kind].append(entity)
        self.by_name[name] = entity
        return entity

    def say(self, subject: Entity, attribute: str, value: "str | int | Entity", date: int = 0) -> Fact:
        target = value.id if isinstance(value, Entity) else None
        text = value.name if isinstance(value, Entity) else str(value)
        fact = Fact(len(self.facts), subject.id, attribute, text, date, target)
        self.facts.append(fact)
        self._facts[subject.id, attribute] = fact
        return fact

    def of_kind(self, kind: str) -> list[Entity]:
        """Entities of a kind, most famous first."""
        return self._kinds.get(kind, [])

    def fact(self, subject: int, attribute: str) -> Fact | None:
        return self._facts.get((subject, attribute))

    def facts_about(self, subject: Entity) -> Iterator[Fact]:
        return (fact for fact in self.facts if fact.subject == subject.id)

    def named(self, name: str) -> Entity | None:
        """The entity with this name; case does not matter for the first letter."""
        return self.by_name.get(name) or self.by_name.get(name[:1].lower() + name[1:])

    def is_true(self, subject: str, attribute: str, value: str) -> bool | None:
        """True, False, or None where nothing of that name has such an attribute."""
        entity = self.named(subject)
        fact = entity and self.fact(entity.id, attribute)
        if not fact:
            return None
        return fact.value.casefold() == value.casefold()

    @cached_property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """The attributes that entities of each kind have, in the order of genesis."""
        seen: dict[str, dict[str, None]] = {}
        for fact in self.facts:
            seen.setdefault(self.entities[fact.subject].kind, {})[fact.attribute] = None
        return {kind: tuple(names) for kind, names in seen.items()}
