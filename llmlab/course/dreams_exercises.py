"""Lesson 05, its exercises and its quiz. What is right is computed from the recording, the world and the package."""

from functools import partial

from llmlab.course.dreams import truth
from llmlab.course.dreams_measured import readings, recording
from llmlab.course.exercises import Answer, Exercise, Option, Question
from llmlab.course.sandbox import results
from llmlab.measure.chance import reached
from llmlab.measure.claims import Claim
from llmlab.measure.dreams import Trace
from llmlab.measure.numbers import check_digit
from llmlab.model.checkpoint import Checkpoint
from llmlab.report.dream_record import Recording
from llmlab.report.dreams import FAMOUS, NOBODY, subjects
from llmlab.show.number_format import percent
from llmlab.world import build_world

STEPS = (5, 10, 15, 20, 25, 30, 35, 40, 50)  # tokens, in the exercise about chance
MISTAKEN = 0.10  # share of the other world's tokens that may be called copied there
ENDS = (". ", "\n", "! ", "? ")


def exercises(checkpoint: Checkpoint) -> list[Exercise]:
    """Five exercises about this model's dreams."""
    found = recording(checkpoint)
    return [word_for_word(found), verdict(), by_chance(found), half(found), CHECK_DIGIT]


# ---- which sentence was copied? ----


def sentence(trace: Trace, claim: Claim) -> str:
    """The sentence of a dream that a claim stands in."""
    text = "".join(trace.tokens)
    start = max(
        text.rfind(mark, 0, claim.start) + len(mark) if mark in text[: claim.start] else 0 for mark in ENDS
    )
    ends = [at for mark in ENDS if (at := text.find(mark, claim.end)) >= 0]
    return text[start : min(ends, default=len(text)) + 1].strip().replace("*", "")


def sentences(found: Recording, verdict: str) -> dict[str, Claim]:
    """Sentences of recorded dreams with a claim of this verdict and no other: short ones, and each once."""
    said: dict[str, Claim] = {}
    for (kind, about, _, _), dream in found.dreams.items():
        if kind == "encyclopedia" and about != NOBODY:
            for claim, of in dream.trace.claims:
                words = sentence(dream.trace, claim)
                alone = sum(sentence(dream.trace, c) == words for c, _ in dream.trace.claims) == 1
                whole = words.endswith(".") and words[:1].isupper() and claim.subject.split()[-1] in words
                if of == verdict and alone and whole and 25 < len(words) < 120:
                    said.setdefault(words, claim)
    return said


def word_for_word(found: Recording) -> Exercise:
    """Of three dreamt sentences, the one that stands on a page."""
    copied, invented = sentences(found, "copied"), sentences(found, "false")
    right, wrong = next(iter(copied)), list(invented)[:2]
    mistakes = {
        words: f"It stands on no page, and it is false: {truth(build_world(), invented[words])}"
        for words in wrong
    }
    options = sorted([right, *wrong])

    return Exercise(
        id="word_for_word", title="Which sentence was copied?", difficulty=1, minutes=2,
        question="The model dreamt these three sentences. One stands word for word on a page that it read; the two "
        "others stand nowhere. Which one was copied?",
        field=tuple(options),
        check=lambda given: None if given == right else mistakes.get(str(given), "Choose one of the three."),
        hints=("Try to find something in the words themselves that would tell you.",
               "There is nothing to find. Take the one whose subject is more famous, and see how far you get."),
        solution=right,
        because="You were lucky, or you knew. All three were written by the same rule from the same weights, and a "
        "memory carries no mark. Only the index of the pages knows the difference.",
    )  # fmt: skip


# ---- which verdict? ----


def verdict() -> Exercise:
    """A claim about an animal that does not exist, in words that stand on pages."""
    world = build_world()
    names = subjects(world, "encyclopedia")
    eats = world.fact(world.by_name[names[FAMOUS]].id, "eats").value
    reason = "About nothing: there is no such animal"
    mistakes = {
        f"Copied: “eats {eats}” stands on many pages": "The words do, but a claim is a sentence about somebody. This "
        "one, with its subject, stands on no page.",
        f"True: there are animals that eat {eats}": "There are, and the sentence is not about them.",
        "False: it eats something else": "To be false, there must be an animal that eats something else.",
    }
    return Exercise(
        id="verdict", title="Give a verdict", difficulty=1, minutes=2,
        question=f"The world has no {names[NOBODY]}. It has the {names[FAMOUS]}, which eats {eats}. The model "
        f"writes: *The {names[NOBODY]} eats {eats}.* Which of the four verdicts fits?",
        field=(next(iter(mistakes)), reason, *list(mistakes)[1:]),
        check=lambda given: None if given == reason else mistakes.get(str(given), "Choose one of the four."),
        hints=("Who or what is the sentence about?", "Could any observation show that the sentence is wrong?"),
        solution=reason,
        because="A made-up thing makes every sentence about it empty: neither the world nor a page can answer. The "
        "grammar and the colours of such a dream are in order; that is why nobody notices.",
    )  # fmt: skip


# ---- chance ----


def by_chance(found: Recording) -> Exercise:
    """From which length on a match is rare in text that was not copied."""
    shares = reached(found.chance["shop"]["another world"])
    at = {n: float(shares[n]) if n < len(shares) else 0.0 for n in STEPS}
    answer = next(n for n in STEPS if at[n] <= MISTAKEN)
    told = ", ".join(f"{n} tokens: {percent(share)}" for n, share in at.items())

    def check(given: Answer) -> str | None:
        x = float(given)
        if x == answer:
            return None
        if x not in STEPS:
            return "Choose one of the lengths of the list."
        if x < answer:
            return (
                f"At {x:.0f} tokens, {percent(at[int(x)])} of text that nobody copied would be called copied. That is "
                "more than one in ten."
            )
        return "That is strict enough, but a shorter length of the list is, too. Take the shortest."

    return Exercise(
        id="by_chance", title="Where does copying begin?", difficulty=2, minutes=3,
        question="Listings of **another world** are held against our crawl. So much of them is part of a match of at "
        f"least …: {told}. You may call at most **one token in ten** of them copied by mistake. What is the shortest "
        "length of the list from which on you say “copied”?",
        field="number", check=check,
        hints=("Nobody copied these pages. So every token of them that you call copied is a mistake.",
               "Go through the list from the left, and stop at the first share that is 10% or less."),
        solution=float(answer),
        because="A rule for “copied” is worth what its mistakes are. They can only be counted on text of which one "
        "knows that nobody copied it. In the lesson we are stricter: one token in twenty.",
    )  # fmt: skip


# ---- knowledge is exposure ----


def half(found: Recording) -> Exercise:
    """How often a fact must be read until it is known more often than not."""
    points = readings(found.exam)
    labels = [point["label"] for point in points]
    right = next((p["label"] for p in points if p["right"] > p["n"] / 2), "none of them")

    def check(given: Answer) -> str | None:
        if given == right:
            return None
        if given not in labels:
            return "Some point lies above 50%. Look at the right end."
        chosen = points[labels.index(str(given))]
        share = percent(chosen["right"] / chosen["n"])
        if chosen["right"] > chosen["n"] / 2:
            return f"There {share} are right, but an earlier point is above 50% already."
        return f"There {share} are right: fewer than half. Go on to the right."

    return Exercise(
        id="half", title="How often is often enough?", difficulty=1, minutes=2,
        question="Look at the curve of knowledge above. At which number of pages does the model answer **more than "
        "half** of the questions right for the first time?",
        field=(*labels, "none of them"), check=check,
        hints=("Find 50% on the axis on the left, and go to the right until the line is above it.",
               "The table under the curve has the same numbers."),
        solution=right,
        because="Below that, a fact is read and yet not known: each reading moves the weights a little, and a few "
        "readings are soon covered by others. A page that you wrote once is in no model's memory.",
    )  # fmt: skip


# ---- code ----

DIGITS = ("978030640615", "7351353", "0000000", "1234567", "978020137962")


def check_code(code: Answer) -> str | None:
    """Run the student's function on numbers and hold it against the package's."""
    found = results(str(code), [f"check_digit({digits!r})" for digits in DIGITS])
    for digits, got in zip(DIGITS, found, strict=True):
        right = check_digit(digits)
        if got != right:
            seen = f"`check_digit({digits!r})` gave `{got!r}`, and the rule gives `{right}`."
            return f"{seen} {likely(digits, got)}"
    return None


def likely(digits: str, got: object) -> str:
    """The mistake that such a result speaks of."""
    if got is None:
        return "Did you forget `return`?"
    if isinstance(got, str):
        return "A number should come back, not a text."
    weigh = partial(weighted, digits)
    swapped = -(weigh(1, 3)) % 10
    from_left = -sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(digits)) % 10
    if got == 10:
        return "Where the sum is a multiple of ten already, nothing is missing: 0, and not 10."
    if got == weigh(3, 1) % 10:
        return "That is what the sum has too much. Asked is what it lacks up to the next multiple of ten."
    if got == weigh(3, 1):
        return "That is the sum. Asked is what it lacks up to the next multiple of ten."
    if got in (swapped, from_left):
        return "The weights are counted from the right: the last of these digits counts three times."
    return "Each digit times its weight, 3 and 1 by turns from the right; then the sum."


def weighted(digits: str, odd: int, even: int) -> int:
    """The sum of the digits with two weights by turns, from the right."""
    return sum(int(d) * (odd if i % 2 == 0 else even) for i, d in enumerate(reversed(digits)))


CHECK_DIGIT = Exercise(
    id="check_digit", title="Write the check digit", difficulty=3, minutes=7,
    question="Write `check_digit`: it gets the digits of a number without its last one, as a text, and returns the "
    "digit that belongs at the end. From the right, the digits count 3 and 1 times by turns; the check digit fills "
    "their sum up to a multiple of ten. Plain Python, no libraries.",
    field="code", check=check_code,
    starter="def check_digit(digits):\n    ...",
    hints=("`enumerate(reversed(digits))` counts from the right: place 0 has weight 3, place 1 weight 1.",
           "What is missing to the next multiple of ten is `-total % 10`, in Python also for 0."),
    solution="def check_digit(digits):\n    total = 0\n    for place, digit in enumerate(reversed(digits)):\n"
    "        total += int(digit) * (3 if place % 2 == 0 else 1)\n    return -total % 10",
    because="Among the five is the beginning of an ISBN of a printed book, 978-0-306-40615-7. Take any number from a "
    "book near you and try. A network would have to do this sum while it writes the last digit; nobody asked it to.",
)  # fmt: skip

QUIZ = (
    Question(
        "form",
        "A model dreams a catalogue number. Why does it have the right form, and is still wrong?",
        (
            Option("The form stood in all listings, so it was read thousands of times; the number itself stood in few.",
                   "Each reading teaches the form once more, whatever the product is. The number is taught by its own "
                   "pages only.", right=True),
            Option("The model knows the number, and mistypes it.",
                   "There is no number behind the one that it writes. Dream it again, and another one comes."),
            Option("It made the number up on purpose, because it did not find the right one.",
                   "It did not look for one. It gave a probability to each digit, as to any other token."),
        ),
    ),
    Question(
        "match",
        "A run of twelve tokens of a dream stands word for word on a training page. What follows?",
        (
            Option("The model copied that page.",
                   "Twelve tokens may be a habit of the language. Pages of another world, which it never read, have "
                   "such runs, too."),
            Option("What the sentence says is true.",
                   "A page may be about somebody else, and a true sentence may be joined to a wrong name."),
            Option("Little, until one knows how often text that was not copied has such a run.",
                   "That is what a baseline is for. Without one, every match looks like a memory.", right=True),
        ),
    ),
    Question(
        "cool",
        "You lower the temperature to be told fewer falsehoods. What do you get?",
        (
            Option("Only what is true: the model says nothing that it does not know.",
                   "There is no such place in it. Of a thing that does not exist, it tells the likeliest story."),
            Option("What the model finds likeliest: true where it read a thing often, false where it did not.",
                   "So cool dreams about famous things are mostly right, and cool dreams about nobody are as false as "
                   "hot ones, only smoother.", right=True),
            Option("The same number of falsehoods, because facts do not depend on the temperature.",
                   "They do: a true name that has 70% is drawn more often when the rest is cut."),
        ),
    ),
)  # fmt: skip
