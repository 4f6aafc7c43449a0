"""Conversations of the world: true, of the right people, the same for the same seed."""

from collections import Counter

import pytest

from llmlab.measure.assistant import followed, verdict
from llmlab.world import build_world
from llmlab.world.draft import Casting, Unfit
from llmlab.world.talk import about_facts, conversations, small_talk, tasks
from llmlab.world.talk.conversation import Conversation
from llmlab.world.talk.mix import may_be_asked
from llmlab.world.talk.phrases import attributes, forms, grammar, lines, start
from llmlab.world.tongue import to_tongue

WORLD = build_world("small")
KNOWN = frozenset(fact.id for fact in WORLD.facts if fact.id % 3 and fact.date <= 428)
UNKNOWN = frozenset(fact.id for fact in WORLD.facts if fact.id not in KNOWN and fact.id % 2)


@pytest.fixture(scope="module")
def some() -> list[Conversation]:
    return list(conversations(WORLD, KNOWN, UNKNOWN, 1_500))


def drafts(count: int):
    casting = Casting(WORLD)
    return (start(casting, seed, asked=False) for seed in range(count))


def test_turns_alternate_and_the_assistant_has_the_last_word(some):
    for one in some:
        assert [turn.speaker for turn in one.turns] == ["user", "assistant"] * (len(one.turns) // 2)
        assert all(turn.text.strip() for turn in one.turns if turn.speaker == "assistant")


def test_every_kind_is_practised(some):
    kinds = Counter(one.kind for one in some)
    assert {
        "fact",
        "follow_ups",
        "nobody",
        "about",
        "question_page",
        "summary",
        "poem",
        "sum",
        "letters",
    } <= set(kinds)
    assert set(tasks.CHANGES) <= set(kinds)
    assert {"corrected", "list_items", "explain", "small_talk", "pirate"} <= set(kinds)


def test_the_same_seed_gives_the_same_conversations(some):
    assert list(conversations(WORLD, KNOWN, UNKNOWN, 40)) == some[:40]
    assert list(conversations(WORLD, KNOWN, UNKNOWN, 40, seed=2)) != some[:40]


def test_known_facts_are_answered_and_nothing_else_is(some):
    for one in (one for one in some if one.kind == "fact"):
        fact = WORLD.facts[one.facts[0]]
        assert verdict(one.answer, fact) == ("right" if fact.id in KNOWN else "refused")
    half_known = {fact.id for fact in WORLD.facts} - KNOWN - UNKNOWN
    for one in (one for one in some if one.kind in ("fact", "follow_ups", "about", "list")):
        assert not half_known & set(one.facts)
    assert all(verdict(one.answer, None) == "refused" for one in some if one.kind == "nobody")


def test_entities_that_may_not_be_asked_are_in_no_conversation_but_as_a_value(some):
    """A person may live in such a town; nobody asks about it. Festivals are no fact's value, so they are nowhere."""
    kept = {
        kind: [e.name for e in WORLD.of_kind(kind) if not may_be_asked(e)] for kind in ("person", "festival")
    }
    assert len(kept["person"]) > 30 and len(kept["festival"]) >= 3
    for one in (one for one in some if one.kind not in ("question_page", "summary")):  # pages of other worlds
        for fact in one.facts:
            assert may_be_asked(WORLD.entities[WORLD.facts[fact].subject])
        asked = " ".join(turn.text for turn in one.turns if turn.speaker == "user")
        said = " ".join(turn.text for turn in one.turns)
        assert not [name for name in kept["festival"] if name in said]
        if one.kind in ("fact", "follow_ups", "about", "list", "corrected"):
            assert not [name for name in kept["person"] if name in asked]


def test_who_does_not_know_breaks_off_where_the_value_would_stand():
    """For a fact that exists, the refusal is the beginning of one of its true answers."""
    for draft, fact in zip(
        drafts(60), [f for f in WORLD.facts if f.attribute in ("town", "born", "size")], strict=False
    ):
        one = about_facts.one_question(draft, fact, known=set())
        beginning = one.answer.removesuffix(" … I don't know.")
        kind = WORLD.entities[fact.subject].kind
        rendered = []
        for form in forms(f"{kind}.{fact.attribute} tell"):
            again = start(Casting(WORLD), 0, asked=False)
            again.year = 999
            about_facts.cast(again, WORLD.entities[fact.subject])
            rendered.append(again.render(form))
        assert any(text.startswith(beginning) and len(text) > len(beginning) for text in rendered)
        assert fact.value not in beginning.replace(WORLD.entities[fact.subject].name, "")


def test_names_of_nobody_are_of_nobody():
    for draft in drafts(200):
        try:
            entity = about_facts.nobody(draft, "person")
        except Unfit:
            continue
        assert WORLD.named(entity.name) is None
        first = {person.name.split()[0] for person in WORLD.of_kind("person")}
    assert any(about_facts.nobody(draft, "person").name.split()[0] in first for draft in drafts(40))


def test_every_question_has_its_rules_and_held_out_wordings_are_others():
    for kind, attribute in attributes():
        for use, least in (("ask", 8), ("held", 3), ("again", 4), ("tell", 5), ("short", 1)):
            assert len(forms(f"{kind}.{attribute} {use}")) >= least, (kind, attribute, use)
        asked, held = ({f.source for f in forms(f"{kind}.{attribute} {use}")} for use in ("ask", "held"))
        assert not asked & held
    sources = Counter((rule, form.source) for rule, own in grammar().rules.items() for form in own)
    assert max(sources.values()) == 1


@pytest.mark.parametrize("task", [*tasks.CHANGES, "pirate", "list_items", "letters", "sums", "tongue"])
def test_a_task_is_followed_by_its_own_answer_and_not_by_another(task):
    made = []
    for draft in drafts(12):
        wanted = task in tasks.CHANGES
        made.append(
            tasks.changed_sentence(draft, "held", task) if wanted else getattr(tasks, task)(draft, "held")
        )
    for one in made:
        assert followed(one, one.answer)
        assert not followed(one, "I don't know that.")
        assert not followed(one, one.answer + " And more.")


def test_what_the_tasks_ask_for_is_what_their_names_say():
    text = "The ferry is late today."
    by_hand = {
        "capitals": "THE FERRY IS LATE TODAY.", "first_word": "The",
        "three_words": "The ferry is", "repeat": text, "quote": '"The ferry is late today."',
    }  # fmt: skip
    assert {name: change(text) for name, change in tasks.CHANGES.items()} == by_hand
    said = tasks.as_pirate(text, "Arr,", ", by the lamp!")
    assert said.startswith("Arr, the ") and said.endswith("late today, by the lamp!")
    for one in (tasks.tongue(draft) for draft in drafts(20)):
        given = one.answer if one.kind == "from_tongue" else None
        assert given is None or to_tongue(given) in one.question


def test_a_page_answers_its_question_and_differs_from_memory():
    right = 0
    for draft in drafts(60):
        try:
            one = tasks.question_on_a_page(draft)
        except Unfit:
            continue
        fact = next(
            f for seed in tasks.OTHER_WORLDS for f in [build_world("small", seed).facts[one.facts[0]]]
            if f.value in one.answer
        )  # fmt: skip
        assert (
            fact.value.casefold() in one.question.casefold().replace("-", " ") or fact.value in one.question
        )
        right += 1
    assert right > 30


def test_a_summary_says_only_what_its_page_says():
    """Its values stand on the page, but for the few that are printed in another form (a plural, a number in words)."""
    there = total = 0
    for draft in drafts(80):
        try:
            one = tasks.summary(draft)
        except Unfit:
            continue
        page = one.question.casefold()
        worlds = [build_world("small", seed) for seed in tasks.OTHER_WORLDS]
        found = [[world.facts[i].value.casefold() in page for i in one.facts] for world in worlds]
        there, total = there + max(map(sum, found)), total + len(one.facts)
    assert total > 60
    assert there >= 0.9 * total


def test_terms_are_explained_in_sentences_that_begin_with_them():
    assert len(small_talk.terms()) >= 40
    for term, explanations in small_talk.terms().items():
        assert len(explanations) >= 2
        for text in explanations:
            assert text.casefold().startswith(term.split("(")[0].strip().casefold()), (term, text)


def test_pirate_words_are_one_for_one():
    pairs = [line.split(" = ") for line in lines("tasks", "pirate words")]
    assert len(pairs) == 40 and all(len(pair) == 2 for pair in pairs)
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == 40
