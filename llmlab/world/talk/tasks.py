"""Work on what the user gives: a sentence to change, a page to read, a sum, a word to spell, a poem to write.

Each task makes its text, its request, and the right answer, which a few lines of code work out; so the same functions
write the training conversations and judge a model's answers. Pages to read come from *other* worlds: the names sound
the same and the facts are different, so the answer has to come from the page and not from memory.

Read next: small_talk.py.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from llmlab.world.draft import Casting, Draft, Fame, Unfit
from llmlab.world.exercises import events
from llmlab.world.facts import CUTOFF, Entity, Fact
from llmlab.world.genesis import build_world
from llmlab.world.grammar import KINDS_OF_LETTER, load
from llmlab.world.kinds import KINDS, write
from llmlab.world.talk.about_facts import known_form
from llmlab.world.talk.conversation import Conversation, exchange
from llmlab.world.talk.phrases import attributes, cast, lines, say, start
from llmlab.world.tongue import to_tongue

PAGE_KINDS = ("almanac", "almanac", "encyclopedia", "home", "news", "shop", "recipe", "table")
LONGEST_PAGE = 600  # characters: with question and answer it stays well under 256 tokens
OTHER_WORLDS = range(101, 105)  # seeds of the worlds whose pages are read in training
ITEMS = ("salt", "rope", "tea", "barley", "honey", "ink", "wax", "onions", "kelp", "candles", "nails", "paper",
         "soap", "rye", "lamp oil", "string", "cheese", "tar", "wool", "apples")  # fmt: skip
TOPICS = (
    "sea", "lamp", "fog", "bell", "kitchen", "market", "winter", "ferry", "rain", "night", "post", "work", "spring",
)  # fmt: skip


# ---- a sentence, changed ----


@lru_cache(maxsize=4)
def even_casting(size: str, seed: int) -> Casting:
    """Who may be in a sentence that is only to be changed: all that may be asked about, not the famous first."""
    casting = Casting(build_world(size, seed))
    for kind in sorted(set(KINDS_OF_LETTER.values())):
        casting._fames[kind, True] = Fame(casting.fame(kind, asked=True).entities, exponent=0.0)
    return casting


def sentence(draft: Draft) -> str:
    """A sentence of a reading exercise, of 4 to 14 words."""
    people = even_casting(draft.world.size, draft.world.seed)
    reading = Draft(people, load("reading"), int(draft.random() * 2**53), CUTOFF, asked=True)
    pool = events(reading.grammar)
    for _ in range(50):
        statement, _, _ = draft.pick(pool)
        reading.cast.clear()
        reading.memory.clear()
        try:
            text = reading.render(statement)
        except Unfit:
            continue
        if 4 <= len(text.split()) <= 14 and '"' not in text and "\n" not in text:
            return text
    raise Unfit("sentence")


def phrase(draft: Draft) -> str:
    """A phrase of the quay, of 3 to 9 words: few different words, so that each can be learned in capitals, too."""
    book = Draft(draft.casting, load("tongue"), int(draft.random() * 2**53), CUTOFF, asked=True)
    text = ""
    while not 3 <= len(text.split()) <= 9:
        text = book.expand("phrase")
    return text


def plain_words(text: str) -> list[str]:
    """The words of a text without what stands around them."""
    return [word.strip(".,;:!?\"'") for word in text.split()]


@lru_cache(maxsize=1)
def pirate_words() -> dict[str, str]:
    """{plain word: what a pirate of the Isles says}."""
    return dict(line.split(" = ") for line in lines("tasks", "pirate words"))


def as_pirate(text: str, opening: str, ending: str) -> str:
    """Word for word, between an opening and an ending."""
    book = pirate_words()

    def change(match: re.Match) -> str:
        new = book.get(match[0].lower(), match[0])
        return new[:1].upper() + new[1:] if match[0][:1].isupper() else new

    changed = re.sub(r"[A-Za-z]+", change, text).rstrip(".!?")
    first, second = (*changed.split(), "", "")[:2]
    if not second[:1].isupper():  # two capitals in a row: the sentence begins with a name
        changed = changed[: len(first)].lower() + changed[len(first) :]
    return f"{opening} {changed}{ending}"


CHANGES: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "first_word": lambda text: plain_words(text)[0],
    "three_words": lambda text: " ".join(plain_words(text)[:3]),
    "repeat": str,
    "quote": lambda text: f'"{text}"',
}


def changed_sentence(draft: Draft, wording: str = "ask", task: str = "") -> Conversation:
    """A sentence, and what to do with it. `task`: one of CHANGES; any without it."""
    task = task or draft.pick((*CHANGES, "capitals"))
    text = phrase(draft) if task == "capitals" or draft.below(2) else sentence(draft)
    return exchange(task, say(draft, f"{task} {wording}", text=text), CHANGES[task](text))


def pirate(draft: Draft, wording: str = "ask") -> Conversation:
    """A sentence as a pirate would say it."""
    text = sentence(draft)
    opening, ending = (draft.pick(lines("tasks", f"pirate {part}")).strip() for part in ("opening", "ending"))
    return exchange("pirate", say(draft, f"pirate {wording}", text=text), as_pirate(text, opening, ending))


def tongue(draft: Draft, wording: str = "ask") -> Conversation:
    """A phrase into the merchants' tongue, or back."""
    plain = phrase(draft)
    task = draft.pick(("tongue", "from_tongue"))
    text, answer = (plain, to_tongue(plain)) if task == "tongue" else (to_tongue(plain), plain)
    return exchange(task, say(draft, f"{task} {wording}", text=text), answer)


def list_items(draft: Draft, wording: str = "ask") -> Conversation:
    """A list of what a phrase names."""
    pool = list(ITEMS)
    chosen = [pool.pop(draft.below(len(pool))) for _ in range(3 + draft.below(3))]
    items = f"{', '.join(chosen[:-1])} and {chosen[-1]}"
    answer = "\n".join(f"- {item}" for item in chosen)
    return exchange("list_items", say(draft, f"list_items {wording}", items=items), answer)


def letters(draft: Draft, wording: str = "ask") -> Conversation:
    """A word, letter by letter."""
    word = ""
    while not 3 <= len(word) <= 10:
        word = draft.pick([word for word in plain_words(sentence(draft)) if word.isalpha()] or ["lamp"])
    return exchange("letters", say(draft, f"letters {wording}", word=word), "-".join(word))


def sums(draft: Draft, wording: str = "ask") -> Conversation:
    """A sum in words, small enough for a small head."""
    kind = draft.pick(("add", "add", "subtract", "times"))
    high = 8 if kind == "times" else 12
    a, b = 1 + draft.below(high) + (kind == "times"), 1 + draft.below(high) + (kind == "times")
    if kind == "subtract":
        a = a + b
    result = {"add": a + b, "subtract": a - b, "times": a * b}[kind]
    sign = {"add": "+", "subtract": "-", "times": "x"}[kind]
    question = say(draft, f"sum.{kind} {wording}", aa=str(a), bb=str(b))
    return exchange("sum", question, f"{a} {sign} {b} = {result}")


def poem(draft: Draft, wording: str = "ask") -> Conversation:
    """A poem of 5, 7 and 5 syllables."""
    verse = Draft(draft.casting, load("poem"), int(draft.random() * 2**53), CUTOFF, asked=True)
    if draft.below(2):
        thing = rule = draft.pick(TOPICS)
    else:
        letter, rule = draft.pick((("a", "animal"), ("w", "plant"), ("t", "town")))
        thing = verse.entity(letter).name
    text = verse.expand(f"poem_{rule}")
    article = "" if rule in ("town", "work", "fog", "rain", "night", "winter", "spring") else "the "
    return exchange("poem", say(draft, f"poem {wording}", thing=article + thing), text)


# ---- a page, read ----


def page(draft: Draft, seeds: Sequence[int], subjects: tuple[str, ...] = ()) -> Draft:
    """A page of a world of one of these seeds: the draft that stands for its subject, with `page` in its memory.

    Its `stated` are the facts that the page states. Unfit if none of some tries is short enough.
    """
    world = build_world(draft.world.size, draft.pick(seeds))
    casting = other_casting(world.size, world.seed)
    for _ in range(30):
        kind = draft.pick(PAGE_KINDS)
        names = [
            name for name, _ in KINDS[kind].subjects if name != "none" and (not subjects or name in subjects)
        ]
        if not names:
            continue
        subject = casting.fame(draft.pick(names), False).draw(draft.random())[0]
        try:
            text = write(casting, kind, subject, int(draft.random() * 2**53), CUTOFF)
        except Unfit:
            continue
        if len(text.text) <= LONGEST_PAGE:
            reader = start(casting, int(draft.random() * 2**53), asked=False)
            reader.memory["page"] = text.text.strip()
            reader.stated = dict.fromkeys(text.facts)
            cast(reader, subject)
            return reader
    raise Unfit("page")


@lru_cache(maxsize=8)
def other_casting(size: str, seed: int) -> Casting:
    return Casting(build_world(size, seed))


def question_on_a_page(
    draft: Draft, wording: str = "ask", seeds: Sequence[int] = OTHER_WORLDS
) -> Conversation:
    """A page, and a question that it answers."""
    reader = page(draft, seeds)
    world, stated = reader.world, list(reader.stated)
    facts = [world.facts[i] for i in stated]
    known = [f for f in facts if (world.entities[f.subject].kind, f.attribute) in attributes()]
    if not known:
        raise Unfit("question")
    fact = draft.pick(known)
    text = reader.memory["page"]
    entity = world.entities[fact.subject]
    kind = cast(reader, entity)
    question = say(reader, f"{kind}.{fact.attribute} {wording}")
    reader.stated.clear()  # the page's facts may be said again
    cast(reader, entity)
    answer = say(reader, f"{kind}.{fact.attribute} tell")
    return exchange(
        "question_page",
        say(draft, f"question_page {wording}", page=text, question=question),
        answer,
        facts=(fact.id,),
    )


def summary(draft: Draft, wording: str = "ask", seeds: Sequence[int] = OTHER_WORLDS) -> Conversation:
    """A page, in a sentence or two that say only what it says."""
    reader = page(draft, seeds, ("person", "town", "animal", "plant", "dish", "company", "book"))
    stated, text = list(reader.stated), reader.memory["page"]
    (subject,) = reader.cast.values()
    reader.stated.clear()
    answer = reader.render(known_form(reader, f"{subject.kind} about tell", stated))
    return exchange(
        "summary", say(draft, f"summary {wording}", page=text), answer, facts=tuple(reader.stated)
    )


def page_about(casting: Casting, entity: Entity, fact: Fact, seed: int) -> str:
    """A short page about an entity that states a fact about it. Unfit if none of some tries does."""
    for attempt in range(40):
        kind = PAGE_KINDS[attempt % len(PAGE_KINDS)]
        if entity.kind not in dict(KINDS[kind].subjects):
            continue
        try:
            text = write(casting, kind, entity, seed + attempt, CUTOFF)
        except Unfit:
            continue
        if fact.id in text.facts and len(text.text) <= LONGEST_PAGE:
            return text.text.strip()
    raise Unfit("page")
