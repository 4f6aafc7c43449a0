"""What became of the base model? Questions to an assistant, and the judges of its answers.

Every judge here is a few lines that look at the text: whether the true value stands in an answer, whether it says that
it does not know, whether the sentence was really put into capitals. Questions are in wordings that no training
conversation had (`held`), about entities that were in none.

Read next: ../report/assistant.py, the figures.
"""

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llmlab.generate.engine import answers
from llmlab.measure.knowledge import facts_with_questions
from llmlab.measure.syllables import is_haiku
from llmlab.model.checkpoint import Checkpoint
from llmlab.text.dialogue import Turn, prompt_tokens
from llmlab.world.draft import Casting, Unfit
from llmlab.world.facts import CUTOFF, Fact, World
from llmlab.world.talk import tasks
from llmlab.world.talk.about_facts import DONT_KNOW, about_nobody, one_question
from llmlab.world.talk.conversation import Conversation, exchange
from llmlab.world.talk.mix import Interviewer, may_be_asked
from llmlab.world.talk.phrases import lines, say, start

RIGHT, REFUSED, MADE_UP = "right", "refused", "made up"
LONGEST_REPLY = 120  # tokens: the longest of the training conversations have some 90
LONGEST_QUIZ = 40  # tokens of a base model's answer: those of quiz pages have some 15
TEST_WORLD = 201  # seed of a world whose pages no training conversation showed


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered. `ended`: with <|end|>, and with no other special token before it."""

    text: str
    ended: bool


def replies(
    checkpoint: Checkpoint, conversations: Sequence[Sequence[Turn]], max_tokens: int = LONGEST_REPLY
) -> list[Reply]:
    """The greedy answer to each conversation, a list of turns that ends with the user's."""
    words = checkpoint.tokenizer
    special = set(words.special.values())
    made = []
    for ids in answers(checkpoint, [prompt_tokens(turns, words) for turns in conversations], max_tokens):
        own = [token for token in ids if token not in special]
        ended = bool(ids) and ids[-1] == words.special["<|end|>"] and len(own) == len(ids) - 1
        made.append(Reply(words.decode(own).strip(), ended))
    return made


def asked(checkpoint: Checkpoint, questions: Sequence[Conversation]) -> list[Reply]:
    """Each conversation's last answer as the model gives it."""
    return replies(checkpoint, [one.turns[:-1] for one in questions])


def continued(checkpoint: Checkpoint, questions: Sequence[Conversation]) -> list[Reply]:
    """What a base model writes as the answer, asked in the form of the quiz pages, up to the line's end.

    A base model answers no question that stands alone; where a page would have an answer, it writes one.
    """
    words, made = checkpoint.tokenizer, []
    prompts = [[words.bos, *words.encode(f"Q: {one.question}\nA:")] for one in questions]
    for ids in answers(checkpoint, prompts, LONGEST_QUIZ):
        text = words.decode([token for token in ids if token not in words.special.values()])
        made.append(Reply(text.split("\n")[0].strip(), "\n" in text))
    return made


# ---- facts ----


def verdict(answer: str, fact: Fact | None) -> str:
    """Whether an answer holds the fact's value, says that it does not know, or is made up. None: nothing is true."""
    said = answer.casefold()
    if DONT_KNOW.casefold() in said:  # first: the name in a refusal may hold the value
        return REFUSED
    return RIGHT if fact is not None and holds(answer, fact.value) else MADE_UP


def holds(answer: str, value: str) -> bool:
    """Whether a value stands in an answer as whole words."""
    return re.search(rf"(?<!\w){re.escape(value.casefold())}(?!\w)", answer.casefold()) is not None


def judged(checkpoint: Checkpoint, world: World, questions: Sequence[Conversation]) -> list[str]:
    """The verdict on the model's answer to each question for one fact."""
    return verdicts(world, questions, asked(checkpoint, questions))


def verdicts(world: World, questions: Sequence[Conversation], given: Sequence[Reply]) -> list[str]:
    """The verdict on each given answer."""
    facts = [world.facts[one.facts[0]] if one.facts else None for one in questions]
    return [verdict(reply.text, fact) for reply, fact in zip(given, facts, strict=True)]


def exam(world: World, facts: Iterable[Fact], n: int, seed: int = 0) -> list[Conversation]:
    """Up to `n` questions for these facts, about entities that no conversation names, in held-out wordings."""
    pool = [fact for fact in facts if not may_be_asked(world.entities[fact.subject])]
    rng = random.Random(seed)
    rng.shuffle(pool)
    casting, made = Casting(world), []
    for fact in pool:
        if len(made) == n:
            break
        try:
            made.append(
                one_question(start(casting, rng.getrandbits(40), asked=False), fact, {fact.id}, "held")
            )
        except Unfit:  # no sentence may say it yet
            continue
    return made


def facts_by_pages(world: World, counts: Counter[int], low: int, high: int = 10**9) -> list[Fact]:
    """The facts with a question that stand on `low` to `high` training pages."""
    return [fact for fact in facts_with_questions(world) if low <= counts[fact.id] <= high]


def unknown(world: World, n: int, seed: int = 0) -> list[Conversation]:
    """`n` questions about names that nobody bears, in held-out wordings: there is no answer on any page."""
    casting, rng, made = Casting(world), random.Random(seed), []
    while len(made) < n:
        try:
            made.append(about_nobody(start(casting, rng.getrandbits(40)), "held"))
        except Unfit:
            continue
    return made


def with_page(world: World, question: Conversation, seed: int = 0) -> Conversation:
    """The same question with a page above it that answers it. Unfit where no page of some tries is short enough."""
    casting, fact = Casting(world), world.facts[question.facts[0]]
    page = tasks.page_about(casting, world.entities[fact.subject], fact, seed)
    draft = start(casting, seed, asked=False)
    text = say(draft, "question_page held", page=page, question=question.question)
    return exchange("question_page", text, question.answer, facts=question.facts)


def never_read(world: World, n: int, seed: int = 0) -> list[Conversation]:
    """`n` questions about another world: names of the same parts, and no page of ours holds them."""
    return exam(world, facts_with_questions(world), n, seed)


# ---- work on texts ----


def work(world: World, names: Sequence[str], n: int, seed: int = 0) -> list[Conversation]:
    """`n` tasks on given texts, by turns of these names, in held-out wordings."""
    casting, rng, made = Casting(world), random.Random(seed), []
    while len(made) < n:
        name, draft = names[len(made) % len(names)], start(casting, rng.getrandbits(40), asked=False)
        try:
            if name in tasks.CHANGES:
                made.append(tasks.changed_sentence(draft, "held", name))
            elif name in ("question_page", "summary"):
                writer = {"question_page": tasks.question_on_a_page, "summary": tasks.summary}[name]
                made.append(writer(draft, "held", (TEST_WORLD,)))
            else:
                made.append(getattr(tasks, name)(draft, "held"))
        except Unfit:
            continue
    return made


INSTRUCTIONS = (*tasks.CHANGES, "pirate", "list_items")


def followed(task: Conversation, answer: str) -> bool:
    """Whether an answer is what the task asked for."""
    if task.kind == "pirate":
        openings, endings = (lines("tasks", f"pirate {part}") for part in ("opening", "ending"))
        middle = without(task.answer, openings, endings)
        return middle is not None and middle == without(answer, openings, endings)
    if task.kind == "poem":
        return is_haiku(answer)
    return answer == task.answer


def without(text: str, openings: Sequence[str], endings: Sequence[str]) -> str | None:
    """What stands between one of the openings and one of the endings; None where there is none."""
    for opening in openings:
        for ending in endings:
            if text.startswith(opening + " ") and text.endswith(ending):
                return text[len(opening) + 1 : len(text) - len(ending)]
    return None


# ---- everything ----


def mixture(world: World, n: int, seed: int = 0) -> list[Conversation]:
    """`n` conversations of all kinds in held-out wordings: for the form of the replies, not their truth."""
    facts = facts_with_questions(world)
    read, later = ({f.id for f in facts if (f.date <= CUTOFF) == before} for before in (True, False))
    interviewer = Interviewer(world, read, later, "held")
    return [interviewer.conversation(number, 900_000 + seed) for number in range(n)]
