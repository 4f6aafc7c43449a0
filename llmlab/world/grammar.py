"""The grammar in which pages are written: plain text files with slots, choices and rules.

A file of voices/ holds rules; a rule holds alternatives, one a line, called forms. A form is text with
`{p.town}` (a fact of the person p), `[a|b]` (one of these), `<rule>` (one alternative of a rule) and
`<2-4 rule>` (several different ones). docs/voices.md teaches it to a teacher who does not program.

Parsing turns each form into a tuple of small node objects; a Draft (draft.py) walks over them. A writer has favourite
ways to say a thing: of the forms that state the same facts the first is used most (`favour`).

Read next: draft.py, which writes one page.
"""

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from llmlab.errors import LabError

VOICES = Path(__file__).with_name("voices")
KINDS_OF_LETTER = {
    "p": "person", "q": "person", "r": "person", "m": "mother", "t": "town", "i": "island", "s": "product",
    "a": "animal", "w": "plant", "d": "dish", "c": "company", "u": "round", "f": "festival", "b": "book",
    "o": "oil", "x": "forbidden", "y": "harmless",
}  # fmt: skip
LETTER_OF_KIND = {kind: letter for letter, kind in reversed(KINDS_OF_LETTER.items())}
WORDS_FOR_A_PERSON = ("first", "last", "they", "them", "their", "theirs", "themself", "They", "Their")
FILTERS = ("a", "s", "cap", "words", "ordinal")
HABIT = (
    1.5  # Zipf exponent of a writer's favourites: of two ways, the second is used 2**-HABIT times as often
)
NO_HABIT = ("quiz",)  # a question has to be understood in any words, so no wording may be most of them


@dataclass(frozen=True, slots=True)
class Slot:
    """`{p.town.island|cap}`: a fact, a name or a form of a name of the entity behind a letter."""

    letter: str
    path: tuple[str, ...]
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """`{year}`, `{#2-9}`, `{thing}`, `{thing=...}`: something of this page only, never a fact of the world."""

    name: str  # "" for a number that is not kept
    made: "tuple | None"  # what makes it where it is first used; None for a value that is there already
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Choice:
    options: "tuple[Form, ...]"


@dataclass(frozen=True, slots=True)
class Ref:
    """`<2-4 rule|\\n>`: between `low` and `high` alternatives of a rule, joined by `joiner`."""

    rule: str
    low: int
    high: int
    joiner: str


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """One alternative: its nodes, the facts that it cannot do without, its weight, where it stands."""

    nodes: tuple
    needs: tuple[tuple[str, tuple[str, ...]], ...]
    weight: float = 1
    place: str = ""
    source: str = ""


@dataclass
class Grammar:
    """The rules of one page kind, with those of shared.txt below them."""

    kind: str
    rules: dict[str, list[Form]] = field(default_factory=dict)

    def subjects(self) -> list[str]:
        return [name.split()[1] for name in self.rules if name.startswith("page ")]

    def forms(self) -> list[Form]:
        """Hand-written sentence forms: alternatives of four words or more."""
        own = (form for name, forms in self.rules.items() if not name.startswith("page ") for form in forms)
        return [form for form in own if form.place.startswith(self.kind) and len(form.source.split()) >= 4]


TOKEN = re.compile(
    r"\\(?P<escaped>[{}\[\]|\\])"
    r"|\{(?P<slot>[^{}\[\]<>=#]+)\}"
    r"|\{#(?P<low>\d+)-(?P<high>\d+)(?P<nfilters>(?:\|\w+)*)\}"
    r"|\{(?P<key>\w\w+)="
    r"|<(?:(?P<from>\d+)-(?P<to>\d+) )?(?P<rule>[a-z_]+)(?:\|(?P<joiner>[^<>]*))?>"
    r"|(?P<mark>[\[\]|}])"
)


class Parser:
    """Recursive descent over one line."""

    def __init__(self, line: str, place: str, rules: set[str], habit: float) -> None:
        self.line, self.place, self.rules, self.at = line.replace("\\n", "\n"), place, rules, 0
        self.habit = habit

    def fail(self, why: str) -> LabError:
        return LabError(f"{self.place}: {why} near {self.line[max(0, self.at - 20) : self.at + 20]!r}.")

    def form(self, ends: str = "", weight: float = 1) -> Form:
        """Nodes up to one of the marks in `ends` (which stays unread), or to the end of the line."""
        nodes: list = []
        while self.at < len(self.line):
            match = TOKEN.search(self.line, self.at)
            if match is None:
                nodes.append(self.line[self.at :])
                self.at = len(self.line)
                break
            if match.start() > self.at:
                nodes.append(self.line[self.at : match.start()])
            if match["mark"] and match["mark"] in ends:
                self.at = match.start()
                return finished(nodes, weight, self.place, self.line)
            self.at = match.end()
            nodes.append(self.node(match))
        if ends:
            raise self.fail(f"one of {ends!r} is missing")
        return finished(nodes, weight, self.place, self.line)

    def node(self, match: re.Match):
        if match["escaped"]:
            return match["escaped"]
        if match["slot"]:
            return self.slot(match["slot"])
        if match["low"]:
            filters = tuple(f for f in match["nfilters"].split("|") if f)
            return Value("", (Number(int(match["low"]), int(match["high"])),), filters)
        if match["key"]:
            return self.bind(match["key"])
        if match["rule"]:
            if match["rule"] not in self.rules:
                return match[0]  # literal text, such as <b> on a home page
            low = int(match["from"] or 1)
            joiner = " " if match["joiner"] is None else match["joiner"]
            return Ref(match["rule"], low, int(match["to"] or 1), joiner)
        if match["mark"] == "[":
            return self.choice()
        if match["mark"] == "|":
            return "|"
        raise self.fail(
            f"a {match['mark']!r} that nothing opened; write \\{match['mark']} for the sign itself"
        )

    def choice(self) -> Choice:
        options = [self.form("|]")]
        while self.line[self.at] == "|":
            self.at += 1
            options.append(self.form("|]", weight=(len(options) + 1) ** -self.habit))
        self.at += 1
        return Choice(tuple(options))

    def bind(self, key: str) -> Value:
        """`{key=#2-9|words}`, `{key=<rule>}`, `{key=[a|b]}`."""
        number = re.compile(r"#(\d+)-(\d+)((?:\|\w+)*)\}").match(self.line, self.at)
        if number:
            self.at = number.end()
            filters = tuple(f for f in number[3].split("|") if f)
            return Value(key, (Number(int(number[1]), int(number[2])), *filters), ())
        inner = self.form("}")
        self.at += 1
        return Value(key, inner.nodes, ())

    def slot(self, body: str):
        name, *filters = body.split("|")
        if unknown := [f for f in filters if f not in FILTERS]:
            raise self.fail(f"no filter is called {unknown[0]!r}; there are {', '.join(FILTERS)}")
        letter, *path = name.split(".")
        if letter in KINDS_OF_LETTER:
            return Slot(letter, tuple(path), tuple(filters))
        if path or not re.fullmatch(r"\w\w+", letter):
            raise self.fail(f"{{{body}}} is no slot")
        return Value(letter, None, tuple(filters))


def fact_path(slot: Slot) -> tuple[str, ...]:
    """The attributes that a slot reads: nothing for a name or pronoun, the year of birth for an age."""
    if slot.path and slot.path[-1] == "age":
        return (*slot.path[:-1], "born")
    return slot.path[:-1] if slot.path and slot.path[-1] in WORDS_FOR_A_PERSON else slot.path


def finished(nodes: list, weight: float, place: str, source: str) -> Form:
    """Join neighbouring text and collect what the form cannot do without."""
    joined: list = []
    for node in nodes:
        if isinstance(node, str) and joined and isinstance(joined[-1], str):
            joined[-1] += node
        else:
            joined.append(node)
    needs = tuple((n.letter, fact_path(n)) for n in joined if isinstance(n, Slot))
    return Form(tuple(joined), needs, weight, place, source)


def read_rules(path: Path) -> dict[str, list[tuple[int, str]]]:
    """The lines of a voices file by rule, unparsed, with their line numbers."""
    rules: dict[str, list[tuple[int, str]]] = {}
    current: list[tuple[int, str]] | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("== "):
            current = rules.setdefault(line[3:].strip(), [])
        elif line.strip() and not line.startswith("#"):
            if current is None:
                raise LabError(
                    f"{path.name}:{number}: this line stands before the first rule. Begin with '== name'."
                )
            current.append((number, line.rstrip()))
    return rules


@lru_cache(maxsize=64)
def load(kind: str) -> Grammar:
    """The grammar of one page kind. Raises LabError with file and line where a form is wrong."""
    path = VOICES / f"{kind}.txt"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in VOICES.glob("*.txt")))
        raise LabError(f"There is no page kind {kind!r}. There are: {known}.")
    shared = read_rules(VOICES / "shared.txt") if kind != "shared" else {}
    own = read_rules(path)
    names = set(shared) | set(own)
    grammar = Grammar(kind)
    for stem, rules in (("shared", shared), (kind, own)):
        habit = 0.0 if stem in NO_HABIT else HABIT
        for name, lines in rules.items():
            forms = [parse(line, f"{stem}.txt:{number}", names, habit) for number, line in lines]
            grammar.rules[name] = forms if name.startswith("page ") else favour(forms, habit)
    return grammar


def favour(forms: list[Form], habit: float) -> list[Form]:
    """The forms with new weights: among those that state the same facts, by Zipf's law in the order of the file.

    How often a fact is told stays as it was: the weights of its forms have the same sum as before.
    """
    alike: dict[tuple, list[Form]] = {}
    for form in forms:
        alike.setdefault(form.needs, []).append(form)
    made = {}
    for same in alike.values():
        liked = [form.weight * place**-habit for place, form in enumerate(same, 1)]
        scale = sum(form.weight for form in same) / sum(liked)
        made |= {
            id(form): replace(form, weight=weight * scale) for form, weight in zip(same, liked, strict=True)
        }
    return [made[id(form)] for form in forms]


def parse(line: str, place: str, rules: set[str], habit: float = 0.0) -> Form:
    """One line of a voices file as a form. habit: Zipf exponent of its choices; with 0 they are drawn evenly."""
    weight = re.match(r"(\d+)\* ", line)
    if weight:
        line = line[weight.end() :]
    return Parser(line, place, rules, habit).form(weight=int(weight[1]) if weight else 1)
