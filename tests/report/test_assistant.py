"""How the rows of lesson 07 are counted: out of which questions, and what counts as lost, refused and made up."""

from collections import Counter
from types import SimpleNamespace

from llmlab.generate.chat import Chat
from llmlab.measure.assistant import MADE_UP, REFUSED, RIGHT, facts_by_pages
from llmlab.model import zoo
from llmlab.report import assistant as report
from llmlab.world import build_world

WORLD = build_world("small")
EVERYWHERE = Counter({fact.id: 60 for fact in WORLD.facts})


def rows(found) -> dict[str, tuple[int, int]]:
    return {id: (cases, n) for id, cases, n, _ in found}


def test_known_facts_are_lost_by_refusing_and_by_inventing(monkeypatch):
    """The base completes three of four facts: of these one is refused, and one is told wrongly."""
    verdicts = {"seen": [RIGHT, REFUSED, MADE_UP, REFUSED], "nobody": [REFUSED, REFUSED, MADE_UP, REFUSED]}
    asked: list[list] = []

    def judged(model, world, questions):
        asked.append(questions)
        return verdicts["nobody" if not questions[0].facts else "seen"]

    monkeypatch.setattr(report, "judged", judged)
    monkeypatch.setattr(report, "known_to", lambda base, world, facts: {fact.id for fact in facts[:3]})
    counts = EVERYWHERE.copy()
    unread = facts_by_pages(WORLD, EVERYWHERE, 60)[::2]
    for fact in unread:
        counts[fact.id] = 0
    found = rows(report.of_knowledge(None, None, WORLD, counts, 4, seed=0))
    assert found["assistant.exam.seen50"] == (1, 4)
    assert found["assistant.exam.seen50_refused"] == (2, 4)
    assert found["assistant.known_lost"] == (2, 3)
    assert found["assistant.unknown_refused"] == (3, 4)
    assert found["assistant.unread_refused"] == (2, 4)
    seen, nobody, never = asked
    assert all(counts[one.facts[0]] >= report.OFTEN for one in seen)
    assert not any(one.facts for one in nobody)
    assert all(counts[one.facts[0]] == 0 for one in never)
    named = {WORLD.entities[WORLD.facts[one.facts[0]].subject] for one in seen}
    assert not any(entity.asked for entity in named)  # of whom no conversation tells


def test_form_is_a_reply_that_ends_by_itself(monkeypatch):
    monkeypatch.setattr(
        report,
        "asked",
        lambda model, questions: [SimpleNamespace(ended=k != 1) for k in range(len(questions))],
    )
    assert rows(report.of_the_form(None, WORLD, 6, seed=0)) == {"assistant.format": (5, 6)}


def test_work_that_is_done_as_it_was_written_counts_in_its_kind(monkeypatch):
    """A model that gives each task's own answer, but for poems."""
    own = lambda model, tasks: [  # noqa: E731
        SimpleNamespace(text="No." if task.kind == "poem" else task.answer) for task in tasks
    ]
    monkeypatch.setattr(report, "asked", own)
    monkeypatch.setattr(report, "judged", lambda model, world, questions: [RIGHT, REFUSED] * 6)
    found = rows(report.of_work(None, WORLD, 12, seed=0))
    assert found["assistant.instructions"] == (12, 12)
    kinds = [found[f"assistant.instructions.{kind}"] for kind in report.INSTRUCTIONS]
    assert sum(n for _, n in kinds) == 12 and all(right == n for right, n in kinds)
    assert found["assistant.poem_5_7_5"] == (0, 4)
    assert found["assistant.sums"] == (4, 4)
    assert found["assistant.page_answers"] == (6, 12)


def test_made_up_answers_are_told_apart_by_who_and_by_how_often_it_was_read(monkeypatch):
    """The base invents, the assistant refuses, and with the page in front of it it is right."""
    answers = {"continued": MADE_UP, "alone": REFUSED, "page": RIGHT}
    counts = Counter({fact.id: (60, 1)[fact.id % 2] for fact in WORLD.facts})
    monkeypatch.setattr(report, "continued", lambda model, questions: ["continued"] * len(questions))
    monkeypatch.setattr(
        report,
        "asked",
        lambda model, questions: ["page" if "\n" in one.question else "alone" for one in questions],
    )
    monkeypatch.setattr(report, "verdicts", lambda world, questions, given: [answers[one] for one in given])
    found = rows(report.of_made_up(None, None, WORLD, counts, 4, seed=0))
    for read in report.READ:
        invented, n = found[f"assistant.made_up.base.{read}"]
        assert 0 < invented == n <= 4
        assert (
            found[f"assistant.made_up.memory.{read}"] == found[f"assistant.made_up.context.{read}"] == (0, n)
        )
    total = sum(found[f"assistant.made_up.base.{read}"][1] for read in report.READ)
    assert found["assistant.made_up.base"] == (total, total)


def test_the_shipped_assistant_ends_what_it_says():
    """End to end, small: the rows come out of the model that is shipped."""
    n, assistant = 3, zoo.load("assistant")
    (cases, total) = rows(report.of_the_form(assistant, WORLD, n, seed=0))["assistant.format"]
    assert 0 <= cases <= total == n
    said = "".join(step.text for step in Chat(assistant).answer("Who are you?"))
    assert said.strip()
