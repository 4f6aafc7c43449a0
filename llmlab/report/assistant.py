"""The figures of lesson 07: what the assistant knows, admits, keeps to, and has forgotten.

Read next: ../measure/assistant.py, how it is judged.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from llmlab.measure.assistant import (
    INSTRUCTIONS,
    MADE_UP,
    REFUSED,
    RIGHT,
    TEST_WORLD,
    asked,
    continued,
    exam,
    facts_by_pages,
    followed,
    judged,
    mixture,
    never_read,
    unknown,
    verdicts,
    with_page,
    work,
)
from llmlab.measure.exam import pages_per_fact
from llmlab.measure.knowledge import Statement, completed, memory, statements
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.report.figure import Figure, share
from llmlab.report.figures import Evidence
from llmlab.train.evaluate import evaluate
from llmlab.world.draft import Unfit
from llmlab.world.facts import Fact, World
from llmlab.world.genesis import build_world
from llmlab.world.talk.conversation import Conversation

OFTEN = 50  # pages, from which on a fact was read often
Row = tuple[str, int, int, str]  # id, cases, n, goal


def figures(evidence: Evidence) -> Iterator[Figure]:
    """Every row of lesson 07, as soon as it is measured."""
    base, assistant, seed = evidence.checkpoint, zoo.load("assistant"), evidence.seed
    n, counts = (60 if evidence.quick else 300), pages_per_fact(evidence.pages)
    parts = (
        of_knowledge(base, assistant, evidence.world, counts, n, seed),
        of_the_form(assistant, evidence.world, 200 if evidence.quick else 1_000, seed),
        of_work(assistant, evidence.world, n, seed),
        of_made_up(base, assistant, evidence.world, counts, n // 3, seed),
    )
    for id, cases, total, goal in chain.from_iterable(parts):
        yield share(id, cases, total, goal, seed)
    before, after = (evaluate(model.model, evidence.tokens.valid, 400) for model in (base, assistant))
    lost, n_bytes = after["all"] - before["all"], int(evidence.tokens.valid.n_bytes.sum())
    goal = f"reported; {before['all']:.3f} before, {after['all']:.3f} after"
    yield Figure("assistant.forgotten_bits_per_byte", lost, n_bytes, None, None, seed, goal)


def of_knowledge(
    base: Checkpoint, assistant: Checkpoint, world: World, counts: Counter[int], n: int, seed: int
) -> Iterator[Row]:
    """Facts on 50 pages and more, about entities that no conversation names; and questions without an answer."""
    questions = exam(world, facts_by_pages(world, counts, OFTEN), n, seed)
    found = judged(assistant, world, questions)
    yield "assistant.exam.seen50", found.count(RIGHT), len(found), "at least 0.90"
    yield "assistant.exam.seen50_refused", found.count(REFUSED), len(found), "reported"
    known = known_to(base, world, [world.facts[one.facts[0]] for one in questions])
    lost = [verdict != RIGHT for one, verdict in zip(questions, found, strict=True) if one.facts[0] in known]
    yield "assistant.known_lost", sum(lost), len(lost), "at most 0.10"
    nobody = judged(assistant, world, unknown(world, n, seed))
    yield "assistant.unknown_refused", nobody.count(REFUSED), len(nobody), "at least 0.80"
    unread = judged(assistant, world, exam(world, facts_by_pages(world, counts, 0, 0), n, seed))
    yield "assistant.unread_refused", unread.count(REFUSED), len(unread), "reported"


def known_to(model: Checkpoint, world: World, facts: list[Fact]) -> set[int]:
    """Those of the facts that a model can complete (measure/knowledge.py)."""
    tried: list[Statement] = list(statements(world, facts))
    return set(memory(completed(model, tried)).known)


def of_the_form(assistant: Checkpoint, world: World, n: int, seed: int) -> Iterator[Row]:
    """One reply that ends by itself, in conversations of all kinds."""
    ended = [reply.ended for reply in asked(assistant, mixture(world, n, seed))]
    yield "assistant.format", sum(ended), len(ended), "at least 0.99"


def of_work(assistant: Checkpoint, world: World, n: int, seed: int) -> Iterator[Row]:
    """Instructions on given texts, poems, and questions that a page answers, a page that differs from memory."""
    tasks = work(world, INSTRUCTIONS, n, seed)
    right = done(assistant, tasks)
    yield "assistant.instructions", sum(right), n, "at least 0.90"
    for kind in INSTRUCTIONS:
        here = [ok for task, ok in zip(tasks, right, strict=True) if task.kind == kind]
        yield f"assistant.instructions.{kind}", sum(here), len(here), "reported"
    for kind, id in (("poem", "poem_5_7_5"), ("tongue", "tongue"), ("letters", "letters"), ("sums", "sums")):
        right = done(assistant, work(world, (kind,), n // 3, seed))
        yield f"assistant.{id}", sum(right), len(right), "reported"
    other = build_world(world.size, TEST_WORLD)
    verdicts = judged(assistant, other, work(world, ("question_page",), n, seed))
    yield "assistant.page_answers", verdicts.count(RIGHT), n, "reported"


def done(assistant: Checkpoint, tasks: list[Conversation]) -> list[bool]:
    """Whether each task was done as it was asked for."""
    return [followed(task, reply.text) for task, reply in zip(tasks, asked(assistant, tasks), strict=True)]


@dataclass(frozen=True, slots=True)
class Told:
    """Answers of one of WHO to `n` questions for facts that stand on many pages, on one, or on none."""

    who: str
    read: str
    n: int
    right: int
    refused: int
    made_up: int


WHO = (
    "base",
    "memory",
    "context",
)  # the base model; the assistant; the assistant with a page that holds the answer
READ = ("often", "once", "never")


def told(
    base: Checkpoint, assistant: Checkpoint, world: World, counts: Counter[int], n: int, seed: int
) -> Iterator[Told]:
    """Who answers right, says "I don't know", or makes something up, by how often the fact was read."""
    other = build_world(world.size, TEST_WORLD)
    groups = {
        "often": (world, exam(world, facts_by_pages(world, counts, OFTEN), n, seed)),
        "once": (world, exam(world, facts_by_pages(world, counts, 1, 1), n, seed)),
        "never": (other, never_read(other, n, seed)),
    }
    for read, (own, questions) in groups.items():
        pairs = list(answered_by_a_page(own, questions))
        alone, with_pages = ([pair[k] for pair in pairs] for k in (0, 1))
        given = {
            "base": continued(base, alone),
            "memory": asked(assistant, alone),
            "context": asked(assistant, with_pages),
        }
        for who, replies in given.items():
            found = Counter(verdicts(own, alone, replies))
            yield Told(who, read, len(pairs), found[RIGHT], found[REFUSED], found[MADE_UP])


def of_made_up(
    base: Checkpoint, assistant: Checkpoint, world: World, counts: Counter[int], n: int, seed: int
) -> Iterator[Row]:
    """Made-up answers of each of WHO: to facts read often, once and never, and to all of them."""
    rows = list(told(base, assistant, world, counts, n, seed))
    for row in rows:
        yield f"assistant.made_up.{row.who}.{row.read}", row.made_up, row.n, "reported"
    for who in WHO:
        own = [row for row in rows if row.who == who]
        yield (
            f"assistant.made_up.{who}",
            sum(row.made_up for row in own),
            sum(row.n for row in own),
            "reported",
        )


def answered_by_a_page(
    world: World, questions: list[Conversation]
) -> Iterator[tuple[Conversation, Conversation]]:
    """Each question alone, and with a page that answers it; those for which no short page is found are left out."""
    for number, question in enumerate(questions):
        with suppress(Unfit):
            yield question, with_page(world, question, 1_000 * number)
