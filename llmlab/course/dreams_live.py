"""Lesson 05, what is dreamt while one looks: a riddle, catalogue numbers, one prompt a hundred times, a new model.

None of it needs the index of the crawl: numbers and names are held against the world alone.

Read next: dreams_measured.py, the curves; dreams_exercises.py.
"""

import random
from collections import Counter
from collections.abc import Mapping
from html import escape

from llmlab.course.answers import Answers, Judge, judge
from llmlab.course.dreams import NAMES, Dreamer, checker
from llmlab.course.next_token import question, size_of
from llmlab.course.page_engine import engine_for
from llmlab.course.tables import note, table
from llmlab.generate.engine import encode_prompt, generate_many
from llmlab.generate.policy import Policy
from llmlab.measure.dreams import trace
from llmlab.measure.numbers import Dreamt, check_digit, dream_numbers
from llmlab.model.checkpoint import Checkpoint
from llmlab.report import dream_record, dreams
from llmlab.report.dream_record import RIDDLE
from llmlab.report.dreams import FAMOUS, NOBODY, RARE
from llmlab.show import TokenText, Tree
from llmlab.world import build_world
from llmlab.world.facts import Fact

CARDS = 8  # numbers that are dreamt at one press
ROADS = 100  # dreams of one prompt
ANSWER = 8  # tokens of each


class Riddle:
    """Three articles without their colours: one about a famous animal, one about a rare one, one about none."""

    HIDDEN = (RARE, NOBODY, FAMOUS)  # of the articles A, B, C
    OPTIONS = ("a famous animal", "an animal rarely read about", "no animal at all")

    def __init__(self, dreamer: Dreamer) -> None:
        self.dreamer, self.answer = dreamer, ""
        self.traces = [dreamer.recording.riddle[about].trace for about in self.HIDDEN]
        self.texts = [
            TokenText(one.tokens, lines=14, alt=f"Article {letter}")
            for letter, one in zip("ABC", self.traces, strict=True)
        ]
        by_option = dict(zip((FAMOUS, RARE, NOBODY), self.OPTIONS, strict=True))
        self.right = {letter: by_option[about] for letter, about in zip("ABC", self.HIDDEN, strict=True)}

    def reply(self, guess: Mapping[str, str | None], commit: bool) -> str:
        """What there is to say to a guess. Once all three are committed, the verdicts show."""
        if self.answer or not commit:
            return self.answer or note("The verdicts and the answer come with your guess.")
        if not all(guess.values()):
            return note("All three articles need an answer before you press the button.")
        names = dreams.subjects(build_world(), RIDDLE, place=1)
        read = self.dreamer.recording.about[RIDDLE]
        said = []
        for letter, about, text, one in zip("ABC", self.HIDDEN, self.texts, self.traces, strict=True):
            text.show(one.tokens, verdict=one.verdicts, lines=14, alt=f"Article {letter}, with its verdicts")
            found = Counter(verdict for _, verdict in one.claims)
            parts = ", ".join(f"{found[v]} {name}" for v, name in NAMES.items() if found[v]) or "no claim"
            said.append(
                f"{letter} is about the {names[about]}, on which there are {read[names[about]]:,} pages: {parts}"
            )
        right = sum(guess[letter] == option for letter, option in self.right.items())
        self.answer = note(f"<b>{right} of 3.</b> {escape('; '.join(said))}.", "said")
        return self.answer


# ---- numbers that look right ----


def dreamt(checkpoint: Checkpoint, seed: int) -> list[Dreamt]:
    """Numbers for some products, drawn evenly from the catalogue."""
    world = build_world()
    products = random.Random(seed).sample(world.of_kind("product"), CARDS)
    return list(dream_numbers(checkpoint, world, products, Policy(), 1_000 * seed))


def numbers(checkpoint: Checkpoint, seed: int) -> str:
    """Some dreamt numbers with the three questions to each, and the arithmetic of one, as HTML."""
    cards = dreamt(checkpoint, seed)
    return cards_table(cards) + arithmetic_sentence(cards)


def cards_table(cards: list[Dreamt]) -> str:
    """The three questions to each number."""
    rows = []
    for card in cards:
        digits = "".join(c for c in card.written if c.isdigit())
        due = f"{check_digit(digits[:-1])}" if card.has_form else "–"
        whose = "its own" if card.is_real else card.owner or "nobody’s"
        right = "–" if not card.has_form else "yes" if card.has_check_digit else "no"
        rows.append(
            (
                card.product,
                on_one_line(card.written[:20]),
                "yes" if card.has_form else "no",
                due,
                right,
                whose,
            )
        )
    heads = (
        "product",
        "number in the dream",
        "has the form",
        "digit by the rule",
        "has that digit",
        "whose number",
    )
    return table(heads, rows)


def on_one_line(number: str) -> str:
    """A number that no table breaks."""
    return number.replace(" ", "\u00a0").replace("-", "\u2011")


def arithmetic(written: str) -> str:
    """The check digit of the first seven digits, step by step."""
    digits = [int(c) for c in written if c.isdigit()]
    weights = [3, 1] * 4
    steps = " + ".join(f"{d}×{w}" for d, w in zip(digits[:-1], weights, strict=False))
    total = sum(d * w for d, w in zip(digits[:-1], weights, strict=False))
    up = -(-total // 10) * 10
    return f"{written}: {steps} = {total}, and {up} − {total} = {up - total}; the last digit is {digits[-1]}."


def arithmetic_sentence(cards: list[Dreamt]) -> str:
    """The arithmetic of the first number that has the form."""
    card = next((card for card in cards if card.has_form), None)
    return note(
        escape(arithmetic(card.written)) if card else "None of these has the form of a number.", "said"
    )


# ---- a model that is still learning ----


def worth(shipped: Checkpoint, learned: Checkpoint | None, step: int) -> str:
    """The same listings by the student's model and by the shipped one: form and truth."""
    both = {f"yours, after {step:,} steps" if learned else "yours": learned, "shipped": shipped}
    asked = {
        "has the form": lambda card: card.has_form,
        "is in the catalogue": lambda card: bool(card.owner),
        "is the number of the product named": lambda card: card.is_real,
    }
    world = build_world()
    products = world.of_kind("product")[:CARDS]  # the famous ones: what can be known, they show
    cards = {
        name: list(dream_numbers(m, world, products, Policy(), 7)) if m else [] for name, m in both.items()
    }
    rows = [
        (name, *(f"{sum(map(ask, found))} of {CARDS}" if found else "–" for found in cards.values()))
        for name, ask in asked.items()
    ]
    return table((f"numbers for the {CARDS} most famous products", *cards), rows)


def article(learned: Checkpoint | None) -> TokenText:
    """An article about the most famous animal by a model that is still learning, its claims marked."""
    if learned is None:
        return TokenText(empty="Your model has written nothing yet.", lines=5)
    name = dreams.subjects(build_world(), "encyclopedia")[FAMOUS]
    (ids,) = dreams.dream_rows(learned, dreams.opening("encyclopedia", name), 1, 0.8, 1)
    found = trace(ids, learned.tokenizer, None, checker())
    return TokenText(
        found.tokens, verdict=found.verdicts, lines=5, alt="An article by the model that you train"
    )


# ---- many dreams of one prompt ----


def mothers(checkpoint: Checkpoint) -> dict[str, Fact]:
    """Three people's mothers, by how often they were read."""
    facts = dream_record.load(checkpoint.tokenizer).mothers
    return {
        f"read on {pages:,} page{'s' if pages != 1 else ''}": build_world().facts[fact]
        for fact, pages in facts
    }


def roads_of(checkpoint: Checkpoint, fact: Fact) -> tuple[Tree, Judge, list[int], str]:
    """The tree of one question, its judge, the question in tokens and in words."""
    world = build_world()
    said = question(world, fact)
    start = encode_prompt(checkpoint, said.prompt)
    truth_ids = checkpoint.tokenizer.encode(said.prompt + said.answer)[len(start) - 1 :]
    verdict = judge(checkpoint, world, fact)
    answers = Answers(checkpoint, None, verdict, tuple(start), tuple(truth_ids))
    tree = Tree(
        answers.tree(start),
        prompt=said.prompt,
        answer=answers,
        engine=engine_for(checkpoint),
        judging=answers.judging(),
        source=f"course model, {size_of(checkpoint)}",
        alt=f"The roads after “{said.prompt}”; the true one says “{said.answer.strip()}”.",
    )
    return tree, verdict, start, said.prompt


def hundred(checkpoint: Checkpoint, fact: Fact, seed: int, shown: int = 6) -> str:
    """The prompt dreamt ROADS times at temperature 1: which names, how often, and does anybody bear them?"""
    _, verdict, start, prompt = roads_of(checkpoint, fact)
    names, verdicts = Counter(), Counter()
    for row in generate_many(checkpoint, start, ROADS, Policy(), seed, ANSWER):
        n = next((n for n in range(1, len(row) + 1) if verdict(row[:n])), 0)
        found = verdict(row[:n]) if n else ""
        name = " ".join(checkpoint.tokenizer.decode(row).replace(".", " . ").split()[:2]) or "nothing at all"
        verdicts[found] += 1
        names[name, found] += 1
    rows = [(name, f"{n}", NAMES.get(found, "not decided")) for (name, found), n in names.most_common(shown)]
    rows += [("", "", "")] * (shown - len(rows))
    rest = len(names) - shown
    if rest > 0:
        rows.append((f"{rest} other names", f"{sum(n for _, n in names.most_common()[shown:])}", ""))
    else:
        rows.append(("no other names", "0", ""))
    total = ", ".join(f"{verdicts[v]} {NAMES[v]}" for v in ("true", "false", "nothing"))
    said = f"{escape(prompt)} … <b>{ROADS} dreams</b>: {total}, {verdicts['']} not decided."
    return note(said, "said") + table(
        (f"{len(names)} different names", f"of {ROADS} dreams", "verdict"), rows
    )
