"""Is it true? Claims found in a text, each held against the world.

The sentences that the world writes are also the sentences by which a text is read: each hand-written form
becomes a pattern ("…, {p.trade|a} from {p.town}…"), and where a model has written such a sentence with its own
words in the slots, it has made a claim. A claim about somebody who exists is true or false; a claim about
somebody who does not exist is about nothing.

Forms whose subject is only "she" are read too, with the person named last as the subject; forms in which that
goes wrong on true pages are not used (see `careful`).

Read next: dreams.py.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from llmlab.paths import atomic_write, cache_dir
from llmlab.world.corpus import recipe_hash
from llmlab.world.crawl import Press
from llmlab.world.english import PRONOUNS, capital, in_words, plural, with_article
from llmlab.world.facts import Entity, World
from llmlab.world.genesis import build_world
from llmlab.world.grammar import KINDS_OF_LETTER, WORDS_FOR_A_PERSON, Choice, Form, Slot, load
from llmlab.world.kinds import KINDS
from llmlab.world.names import DISH_FIRST, LAST_FIRST, TOWN_FIRST

PROSE = [kind for kind, entry in KINDS.items() if entry.writer is None]
NAME = {
    "person": r"[A-Z][a-z]+ [A-Z][a-z]+", "mother": r"[A-Z][a-z]+ [A-Z][a-z]+", "town": r"[A-Z][a-z]+",
    "island": r"(?:Great )?[A-Z][a-z]+", "product": r"[A-Z][a-z]+ [a-z]+(?: [a-z]+)?",
    "company": r"[A-Z][a-z]+ (?:and )?[A-Z][a-z]+(?: [A-Z][a-z]+)?", "book": r"The [A-Z][a-z]+ [A-Z][a-z]+",
    "festival": r"[A-Z][a-z]+ [A-Z][a-z]+", "round": r"[A-Z][^\n,.]+, \w+ round", "dish": r"[A-Za-z][a-z]+",
    "oil": r"[A-Za-z][a-z]+ oil", "animal": r"[A-Za-z][a-z-]+ [a-z]+", "plant": r"[A-Za-z][a-z]+ [a-z]+",
    "forbidden": r"[A-Za-z]+ [a-z]+", "harmless": r"[A-Za-z]+ [a-z]+",
}  # fmt: skip
NUMBER = r"\d[\d,]*"
VALUE = {
    "born": r"\d{3}", "founded": r"\d+", "year": r"\d{3}", "people": NUMBER, "hill": NUMBER, "staff": NUMBER,
    "pages": NUMBER, "minutes": NUMBER, "hours": NUMBER, "price": r"\d+ marks(?: \d\d)?", "raised": r"[\d,]+ marks",
    "valuation": r"[\d,]+ marks", "number": r"QI [\d-]+", "length": r"\d+ cm", "size": r"\d+ cm", "weight": r"[\d,]+ g",
    "label": r"\w+ round", "trade": r"[a-z-]+(?: [a-z-]+)?", "thing": r"[a-z-]+ [a-z-]+",
}  # fmt: skip
MADE_OF_WORDS = ("thing", "trade")
PHRASE = r"[^\n.;:!?]{2,60}?"
PHRASE_END = r"(?=\s*(?:[.,;:!?)\n—*<\"]|$))"
NAME_STARTS = {
    kind: tuple(part.casefold() for part in parts)
    for kind, parts in (
        ("person", LAST_FIRST),
        ("mother", LAST_FIRST),
        ("town", TOWN_FIRST),
        ("dish", DISH_FIRST),
    )
}
RECIPES = {"forbidden", "harmless"}  # told in the same words
LEAST_LITERAL = 6  # letters of its own that a pattern must have


@dataclass(frozen=True, slots=True)
class Claim:
    """text[start:end] says that `subject`'s `attribute` is `value`; `verdict` is true, false or nothing."""

    start: int
    end: int
    subject: str
    attribute: str
    value: str
    verdict: str


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """One sentence of a form, ready to be searched for."""

    anchor: str  # literal text that must be there: a quick test before the slow one
    regex: re.Pattern
    slots: tuple[Slot, ...]  # group g0, g1, … in order
    place: str


def sentences(form: Form) -> Iterator[list]:
    """The nodes of a form, cut where a sentence ends."""
    current: list = []
    for node in form.nodes:
        if not isinstance(node, str):
            current.append(node)
            continue
        pieces = re.split(r"(?<=[.!?])[\"”]?\s+|\n+", node)
        for piece in pieces[:-1]:
            yield [*current, piece]
            current = []
        current.append(pieces[-1])
    yield current


def value_pattern(slot: Slot) -> str:
    """A regular expression for what the slot may print."""
    letter_kind = KINDS_OF_LETTER[slot.letter]
    if not slot.path:
        return NAME[letter_kind]
    last = slot.path[-1]
    if last == "first" or last == "last":
        return r"[A-Z][a-z]+"
    if last in WORDS_FOR_A_PERSON:
        words = {PRONOUNS[g][last.lower()] for g in PRONOUNS}
        return "(?:" + "|".join(sorted(words | {capital(w) for w in words})) + ")"
    if last == "age":
        return r"(?:\d+|[A-Za-z-]+)"
    if "words" in slot.filters or "ordinal" in slot.filters:
        return r"[A-Za-z\d-]+(?: [a-z-]+)*?"
    target = target_kind(letter_kind, slot.path)
    if target:
        return NAME[target]
    body = VALUE.get(last, PHRASE)
    return f"(?:an? )?{body}" if "a" in slot.filters else body


@lru_cache(maxsize=512)
def target_kind(kind: str, path: tuple[str, ...]) -> str | None:
    """The kind of entity that a path of attributes leads to; None where it ends in a plain value."""
    world = build_world("small")
    for name in path:
        found = next((f for e in world.of_kind(kind) if (f := world.fact(e.id, name))), None)
        if found is None or found.target is None:
            return None
        kind = world.entities[found.target].kind
    return kind


def compile_sentence(nodes: list, place: str) -> Pattern | None:
    """A pattern for one sentence; None where it states no fact or has too few words of its own."""
    slots: list[Slot] = []

    def expression(nodes) -> str:
        out = []
        for node in nodes:
            if isinstance(node, str):
                out.append(re.sub(r"(\\ |\\\n|\s)+", r"\\s+", re.escape(node)))
            elif isinstance(node, Slot):
                out.append(f"(?P<g{len(slots)}>{value_pattern(node)})")
                slots.append(node)
            elif isinstance(node, Choice):
                out.append("(?:" + "|".join(expression(option.nodes) for option in node.options) + ")")
            else:
                out.append(r"[^\n]{1,80}?")
        return "".join(out)

    literal = [node.strip() for node in nodes if isinstance(node, str)]
    body = expression(nodes)
    stated = [slot for slot in slots if is_fact(slot)]
    longest = max(literal, key=len, default="")
    if not stated or sum(map(len, literal)) < LEAST_LITERAL or len(longest) < 3:
        return None
    start = r"(?<!\w)" if re.match(r"\\?[\w(]", body) else ""
    end = PHRASE_END if slots and not isinstance(nodes[-1], str) else r"(?!\w)"
    return Pattern(longest, re.compile(start + body + end), tuple(slots), place)


def is_fact(slot: Slot) -> bool:
    return bool(slot.path) and slot.path[-1] not in (*WORDS_FOR_A_PERSON, "age")


@lru_cache(maxsize=1)
def patterns() -> tuple[Pattern, ...]:
    """Every sentence of every prose voice that states a fact."""
    found = []
    for kind in PROSE:
        for name, forms in load(kind).rules.items():
            for form in forms:
                if form.place.startswith(kind) and name != "event parts":
                    found += [p for nodes in sentences(form) if (p := compile_sentence(nodes, form.place))]
    return tuple(found)


class Checker:
    """Reads texts against one world."""

    def __init__(self, world: World, readers: tuple[Pattern, ...] | None = None) -> None:
        self.world = world
        self.patterns = careful() if readers is None else readers
        self.name_words = {k: {w for e in world.of_kind(k) for w in e.name.casefold().split()} for k in NAME}
        self.values: dict[str, set[str]] = {}
        for fact in world.facts:
            self.values.setdefault(fact.attribute, set()).update(ways(fact.value))
        self.value_words = {a: {w for v in self.values.get(a, ()) for w in v.split()} for a in MADE_OF_WORDS}
        self.plurals = {plural(e.name): e.name for kind in ("animal", "plant") for e in world.of_kind(kind)}

    def claims(self, text: str) -> list[Claim]:
        """The claims of a text in the order of their values' places; one claim a place."""
        return list(self.found(text).values())

    def found(self, text: str) -> dict[int, Claim]:
        by_place: dict[int, tuple[tuple[int, int, int], Claim]] = {}
        for pattern in self.patterns:
            if pattern.anchor not in text:
                continue
            for match in pattern.regex.finditer(text):
                # of two readings the one counts that names more, then the longer, then the one with more own words
                explicit = sum(1 for slot in pattern.slots if not slot.path)
                blanks = sum(len(said or "") for said in match.groups())
                strength = explicit, len(match[0]), len(match[0]) - blanks
                for claim in self.read(pattern, match, text):
                    if claim.start not in by_place or by_place[claim.start][0] < strength:
                        by_place[claim.start] = (strength, claim)
        return {place: by_place[place][1] for place in sorted(by_place)}

    def read(self, pattern: Pattern, match: re.Match, text: str) -> Iterator[Claim]:
        names = {
            slot.letter: match[f"g{i}"]
            for i, slot in enumerate(pattern.slots)
            if not slot.path and match[f"g{i}"] is not None
        }
        for i, slot in enumerate(pattern.slots):
            said = match[f"g{i}"]
            if said is None or not is_fact(slot):
                continue
            kind = KINDS_OF_LETTER[slot.letter]
            subject = names.get(slot.letter) or self.last_named(kind, text, match.start())
            value = self.value_in(slot, said)
            if subject and value and self.could_be(kind, subject):
                start = match.start(f"g{i}")
                yield self.judge(start, start + len(value), subject, slot, value)

    def last_named(self, kind: str, text: str, before: int) -> str | None:
        """The name of this kind that stands nearest before a place, looking back one paragraph or so."""
        pattern = NAME[kind]
        best = None
        for match in re.finditer(pattern, text[max(0, before - 600) : before]):
            if self.entity(kind, match[0]):
                best = match[0]
        return best

    def could_be(self, kind: str, name: str) -> bool:
        """Whether this looks like a name of the kind: "the others" is no animal, "paper orlit" might be one."""
        if self.entity(kind, name):
            return True
        if any(self.bearers(name)):
            return False  # there is a plant of this name, so it is not the name of an unknown animal
        if kind in NAME_STARTS:
            return name.split()[-1].casefold().startswith(NAME_STARTS[kind])
        return any(word in self.name_words[kind] for word in name.casefold().split())

    def value_in(self, slot: Slot, said: str) -> str | None:
        """What a blank says, cut to a value that this attribute can have; None where it says something else.

        ("is made of horn, so it may be the hat" says horn; "is a bird" says no colour.) Names and numbers have a form
        of their own and are taken as they are.
        """
        attribute, target = slot.path[-1], target_kind(KINDS_OF_LETTER[slot.letter], slot.path)
        if target:
            return said if self.could_be(target, said) else None
        if attribute in VALUE and attribute not in MADE_OF_WORDS:
            return said
        if attribute in MADE_OF_WORDS:  # a new pair of known words is a thing that might be
            return said if set(plain(said).split()) <= self.value_words[attribute] else None
        ends = [len(said), *(m.start() for m in reversed(list(re.finditer(r"[ ,]", said))))]
        return next((said[:end] for end in ends if plain(said[:end]) in self.values.get(attribute, ())), None)

    def entity(self, kind: str, name: str):
        """The entity of this kind that a text calls so: first letter, plural and article do not matter."""
        for entity in self.bearers(name):
            if entity.kind == kind or {entity.kind, kind} == RECIPES:
                return entity
        return None

    def bearers(self, name: str) -> Iterator[Entity]:
        """Whoever a text may mean by a name, of whatever kind."""
        lower = name[:1].lower() + name[1:]
        for form in (name, name.partition(" ")[2], lower, self.plurals.get(lower, "")):
            if entity := self.world.by_name.get(form):
                yield entity

    def judge(self, start: int, end: int, subject: str, slot: Slot, said: str) -> Claim:
        entity = self.entity(KINDS_OF_LETTER[slot.letter], subject)
        fact = None
        for name in slot.path:
            fact = entity and self.world.fact(entity.id, name)
            entity = (fact and fact.target is not None and self.world.entities[fact.target]) or None
        attribute = ".".join(slot.path)
        verdict = "nothing" if fact is None else "true" if same(said, fact.value) else "false"
        return Claim(start, end, subject, attribute, said, verdict)


def ways(value: str) -> set[str]:
    """The ways in which pages write a value: articles, numbers in words, plurals; case does not matter."""
    value = value.casefold()
    forms = {value, in_words(value), with_article(value), plural(value)}
    return forms | {form.removeprefix("the ") for form in forms}


def plain(said: str) -> str:
    return said.casefold().strip(' —*"').removeprefix("the ")


def same(said: str, value: str) -> bool:
    """Whether a text says this value."""
    return plain(said) in ways(value)


@lru_cache(maxsize=1)
def careful() -> tuple[Pattern, ...]:
    """The patterns that make no mistake on 4,000 true pages of another world.

    A pattern that finds a false claim in a text where every statement is true reads badly (its "she" is somebody
    else, or its blank is too wide): such a reader is not used on the dreams of a model. Finding them takes some
    seconds, so which they are is kept in the cache.
    """
    everyone = patterns()
    made_by = hashlib.sha256(Path(__file__).read_bytes().replace(b"\r\n", b"\n") + recipe_hash().encode())
    kept = cache_dir() / f"readers-{made_by.hexdigest()[:16]}.json"
    try:
        bad = set(json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        careless = careless_ones()
        bad = {place for place, pattern in enumerate(everyone) if pattern in careless}
        with suppress(OSError):  # no room: then they are found again next time
            atomic_write(kept, json.dumps(sorted(bad)).encode())
    return tuple(pattern for place, pattern in enumerate(everyone) if place not in bad)


def careless_ones() -> set[Pattern]:
    """The patterns that do make one."""
    checker = Checker(build_world("small", seed=99), patterns())
    press, bad = Press(checker.world), set()
    for i in range(4_000):
        page = press.page(i)
        if page.kind not in PROSE:
            continue
        for pattern in checker.patterns:
            if pattern.anchor in page.text and pattern not in bad:
                for match in pattern.regex.finditer(page.text):
                    if any(claim.verdict != "true" for claim in checker.read(pattern, match, page.text)):
                        bad.add(pattern)
                        break
    return bad
