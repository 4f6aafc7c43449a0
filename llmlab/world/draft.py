"""Writing one page: walking over a form, drawing its cast, noting which facts it states.

A draft never invents: a slot prints a fact of the world or the form is not used. It counts the bits of
every choice (log2 of how many alternatives there were), so that a loss chart can show the level below
which no model can go.

Read next: kinds.py, the page kinds that need more than a grammar.
"""

import math
import random
from bisect import bisect
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from llmlab.world.english import APPLY, PRONOUNS, capital
from llmlab.world.facts import Entity, World
from llmlab.world.genesis import word_lists
from llmlab.world.grammar import (
    KINDS_OF_LETTER,
    WORDS_FOR_A_PERSON,
    Choice,
    Form,
    Grammar,
    Number,
    Ref,
    Slot,
    Value,
)

FAMOUS = 1.15  # Zipf exponent of how often an entity is written about
ASKED = 0.5  # of how often it is asked about: a reader learns to answer from many subjects, not from a few famous ones


class Unfit(Exception):
    """A form asks for a fact that does not exist, or not yet, or for a cast that cannot be had."""


@dataclass
class Fame:
    """Entities of one kind with their Zipf weights, to draw a cast from."""

    entities: list[Entity]
    exponent: float = FAMOUS
    shift: float = 5.0

    @cached_property
    def cumulative(self) -> list[float]:
        return list(accumulate((e.rank + self.shift) ** -self.exponent for e in self.entities))

    def draw(self, u: float) -> tuple[Entity, float]:
        """The entity at `u` in [0, 1), and the bits that this draw cost."""
        total = self.cumulative[-1]
        at = min(bisect(self.cumulative, u * total), len(self.entities) - 1)
        share = (self.cumulative[at] - (self.cumulative[at - 1] if at else 0.0)) / total
        return self.entities[at], -math.log2(share)


class Casting:
    """Who may be drawn for a page: per kind and, for questions, only those that may be asked about."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._fames: dict[tuple[str, bool], Fame] = {}

    def fame(self, kind: str, asked: bool) -> Fame:
        if (kind, asked) not in self._fames:
            pool = [e for e in self.world.of_kind(kind) if not e.oneoff and (e.asked or not asked)]
            if kind == "mother":  # a mother is a subject only where the way back is told
                pool = [e for e in pool if e.asked]
            self._fames[kind, asked] = Fame(pool, ASKED if asked else FAMOUS)
        return self._fames[kind, asked]


class Draft:
    """One page in the making."""

    def __init__(self, casting: Casting, grammar: Grammar, seed: int, year: int, asked: bool = False) -> None:
        self.casting, self.world, self.grammar = casting, casting.world, grammar
        self.random = random.Random(seed).random
        self.year, self.asked = year, asked
        self.cast: dict[str, Entity] = {}
        self.memory: dict[str, str] = {}
        self.stated: dict[int, None] = {}
        self.used: set[int] = set()
        self.bits = 0.0

    # chance, counted

    def below(self, n: int) -> int:
        self.bits += math.log2(n)
        return int(self.random() * n)

    def pick(self, options):
        return options[self.below(len(options))]

    # cast

    def entity(self, letter: str, required: tuple[str, ...] = ()) -> Entity:
        """Who stands behind a letter; drawn at first use, among those who have the required attributes."""
        if letter in self.cast:
            return self.cast[letter]
        kind = KINDS_OF_LETTER[letter]
        fame = self.casting.fame(kind, self.asked)
        others = {e.id for e in self.cast.values()}
        for _ in range(40):
            entity, bits = fame.draw(self.random())
            if entity.id not in others and all(self.fact(entity, name) for name in required):
                self.bits += bits
                self.cast[letter] = entity
                return entity
        raise Unfit(letter)

    def fact(self, entity: Entity, attribute: str):
        """The fact, if it exists and may be written in the page's year."""
        fact = self.world.fact(entity.id, attribute)
        return fact if fact is not None and fact.date <= self.year else None

    def facts_needed(self, form: Form) -> list[int] | None:
        """Ids of the facts that a form states about the present cast; None where one cannot be had."""
        ids = []
        for letter, path in form.needs:
            entity = self.cast.get(letter)
            if entity is None:
                if path:
                    ids.append(-1)  # a new face always has something to tell
                continue
            for name in path:
                fact = self.fact(entity, name)
                if fact is None:
                    return None
                if fact.target is not None:
                    entity = self.world.entities[fact.target]
            if path:
                ids.append(fact.id)
        return ids

    # walking

    def expand(self, rule: str) -> str:
        """One alternative of a rule, not used before on this page as long as others are left."""
        options = [form for form in self.grammar.rules[rule] if self.fits(form)]
        fresh = [form for form in options if id(form) not in self.used]
        options = fresh or options
        while options:
            form = self.weighted(options)
            keep = len(self.stated), self.bits, dict(self.cast)
            try:
                text = self.render(form)
            except Unfit:
                options.remove(form)
                for fact in list(self.stated)[keep[0] :]:
                    del self.stated[fact]
                self.bits, self.cast = keep[1], keep[2]
                continue
            self.used.add(id(form))
            return text
        raise Unfit(rule)

    def fits(self, form: Form) -> bool:
        if not form.needs:
            return True
        ids = self.facts_needed(form)
        return ids is not None and (not ids or any(i not in self.stated for i in ids))

    def weighted(self, options: list[Form]) -> Form:
        total = sum(form.weight for form in options)
        at = self.random() * total
        for form in options:
            at -= form.weight
            if at < 0:
                break
        self.bits += math.log2(total / form.weight)
        return form

    def render(self, form: Form) -> str:
        wanted: dict[str, list[str]] = {}
        for letter, path in form.needs:
            if letter not in self.cast:
                wanted.setdefault(letter, []).extend(path[:1])
        for letter, required in wanted.items():
            self.entity(letter, tuple(required))
        return self.walk(form.nodes)

    def walk(self, nodes: tuple) -> str:
        return "".join([node if isinstance(node, str) else self.node(node) for node in nodes])

    def node(self, node) -> str:
        if isinstance(node, Slot):
            return filtered(self.slot(node), node.filters)
        if isinstance(node, Choice):
            options = [form for form in node.options if not form.needs or self.facts_needed(form) is not None]
            if not options:
                raise Unfit("choice")
            return self.render(self.weighted(options))
        if isinstance(node, Ref):
            return self.ref(node)
        if isinstance(node, Value):
            return filtered(self.value(node), node.filters)
        return str(node.low + self.below(node.high - node.low + 1))  # Number

    def ref(self, node: Ref) -> str:
        count = node.low + (self.below(node.high - node.low + 1) if node.high > node.low else 0)
        parts: list[str] = []
        before = len(self.used)
        for _ in range(count):
            try:
                parts.append(self.expand(node.rule))
            except Unfit:
                break
            if len(self.used) == before + len(parts) - 1:  # only used forms are left: enough said
                parts.pop() if len(parts) > 1 else None
                break
        if not parts:
            raise Unfit(node.rule)
        return node.joiner.join(parts)

    def slot(self, node: Slot) -> str:
        """Print a fact, and note it as stated; on a longer road only where the fact before it was stated too.

        (`{p.town.island}` says where a town lies only to a reader who has been told the town.)
        """
        entity = self.entity(node.letter)
        name = node.path[-1] if node.path else ""
        told = True
        for attribute in node.path[:-1] if name in WORDS_FOR_A_PERSON or name == "age" else node.path:
            fact = self.fact(entity, attribute)
            if fact is None:
                raise Unfit(attribute)
            last = attribute == name
            if last and told:
                self.stated[fact.id] = None
            told = fact.id in self.stated
            if fact.target is None:
                return fact.value
            entity = self.world.entities[fact.target]
        return (
            entity.name if name not in WORDS_FOR_A_PERSON and name != "age" else self.word_for(entity, name)
        )

    def word_for(self, entity: Entity, name: str) -> str:
        if name in ("first", "last"):
            return entity.name.split(" ")[0 if name == "first" else -1]
        if name == "age":
            fact = self.fact(entity, "born")
            if fact is None or int(fact.value) + 15 > self.year:
                raise Unfit("age")
            self.stated[fact.id] = None
            return str(self.year - int(fact.value))
        word = PRONOUNS[entity.gender][name.lower()]
        return capital(word) if name[0].isupper() else word

    def value(self, node: Value) -> str:
        if node.name not in self.memory:
            if node.made is not None:
                text = self.made(node.made)
            elif node.name == "year":
                text = str(self.year)
            elif node.name == "date":
                text = (
                    f"{filtered(str(1 + self.below(30)), ('ordinal',))} of {self.pick(word_lists()['month'])}"
                )
            elif node.name in ("month", "weekday"):
                text = self.pick(word_lists()[node.name])
            else:
                raise Unfit(f"{{{node.name}}} is used before it is made")
            if not node.name:
                return text
            self.memory[node.name] = text
        elif node.made is not None:  # made again: a second event of the same form
            self.memory[node.name] = self.made(node.made)
        return self.memory[node.name]

    def made(self, nodes: tuple) -> str:
        if isinstance(nodes[0], Number):
            return filtered(self.node(nodes[0]), nodes[1:])
        return self.walk(nodes)


def filtered(text: str, filters: tuple[str, ...]) -> str:
    for name in filters:
        text = APPLY[name](text)
    return text
