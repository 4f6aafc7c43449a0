"""The words of the conversations: plain text files in the format of docs/voices.md, one rule for each use.

`== person.town ask` holds questions for the town of a person, `held` those that are kept for the exam and never trained
on, `again` follow-ups with a pronoun, `tell` answers, `short` answers in a word. Other topics have `ask`, `held` and
`tell`.

Read next: about_facts.py.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

from llmlab.world.draft import Casting, Draft
from llmlab.world.facts import CUTOFF, Entity
from llmlab.world.grammar import LETTER_OF_KIND, Form, Grammar, parse, read_rules

FOLDER = Path(__file__).parent
WRITERS = ("about_facts", "mix", "phrases", "small_talk", "tasks")
FILES = ("people", "nature", "things", "smalltalk", "tasks")


@lru_cache(maxsize=1)
def grammar() -> Grammar:
    """All rules of all files but terms.txt. LabError with file and line where a form is wrong."""
    made = Grammar("talk")
    for stem in FILES:
        for name, lines in read_rules(FOLDER / f"{stem}.txt").items():
            if name.endswith(" words"):
                continue  # a list of pairs, not of forms
            made.rules[name] = [parse(line, f"{stem}.txt:{number}", set()) for number, line in lines]
    return made


def lines(stem: str, rule: str) -> list[str]:
    """The lines of one rule as they stand in the file."""
    return [line for _, line in read_rules(FOLDER / f"{stem}.txt")[rule]]


@lru_cache(maxsize=1)
def words_hash() -> str:
    """SHA-256 over the words of this folder and the code that makes conversations of them."""
    total = hashlib.sha256()
    for path in sorted((*(FOLDER / f"{stem}.py" for stem in WRITERS), *FOLDER.glob("*.txt"))):
        total.update(path.name.encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()


@lru_cache(maxsize=1)
def attributes() -> tuple[tuple[str, str], ...]:
    """(kind of entity, attribute) of everything that can be asked."""
    names = (rule.removesuffix(" tell").split(".") for rule in grammar().rules if rule.endswith(" tell"))
    return tuple((name[0], name[1]) for name in names if len(name) == 2)


def start(casting: Casting, seed: int, asked: bool = True) -> Draft:
    """A sheet of paper for one conversation, written in the last year that the models know."""
    return Draft(casting, grammar(), seed, CUTOFF, asked=asked)


def cast(draft: Draft, entity: Entity) -> str:
    """Let the letter of its kind stand for this entity, in what is said from here on; returns the kind."""
    draft.cast = {LETTER_OF_KIND[entity.kind]: entity}
    return entity.kind


def say(draft: Draft, rule: str, **words: str) -> str:
    """One line of a rule. `words` fill slots such as {text}."""
    draft.memory.update(words)
    return draft.expand(rule)


def forms(rule: str) -> list[Form]:
    """The lines of a rule, parsed."""
    return grammar().rules[rule]
