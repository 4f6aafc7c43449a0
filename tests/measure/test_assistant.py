"""The judges of an assistant's answers."""

from collections import Counter

import pytest
import torch

from llmlab.measure import assistant, knowledge
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.text.tokenizer import Tokenizer
from llmlab.world import build_world
from llmlab.world.talk.conversation import Turn
from llmlab.world.talk.mix import may_be_asked

WORLD = build_world("small")


@pytest.fixture(scope="module")
def reader() -> Checkpoint:
    """A network with room for a sentence."""
    words = Tokenizer.train(["A lives in Calamus and was born in the year 371. "] * 9, 290)
    config = GPTConfig(words.vocab_size, 128, n_layer=1, n_head=1, n_kv_head=1, n_embd=16, n_hidden=16)
    return Checkpoint(GPT(config).requires_grad_(False), config, words, {})


def fact(attribute: str):
    return next(
        f for f in WORLD.facts if f.attribute == attribute and WORLD.entities[f.subject].kind == "person"
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("{name} lives in {value}.", "right"),
        ("In {lower}.", "right"),
        ("I don't know where {name} lives.", "refused"),
        ("{name} lives in Nowheremouth.", "made up"),
        ("{name} lives in {value}ton.", "made up"),
        ("", "made up"),
    ],
)
def test_an_answer_is_right_refused_or_made_up(answer, expected):
    one = fact("town")
    name = WORLD.entities[one.subject].name
    said = answer.format(name=name, value=one.value, lower=one.value.lower())
    assert assistant.verdict(said, one) == expected


def test_where_nothing_is_true_only_a_refusal_is_honest():
    assert assistant.verdict("I don't know that.", None) == "refused"
    assert assistant.verdict("She lives in Calamus.", None) == "made up"


def test_the_exam_asks_about_entities_that_no_conversation_names():
    counts = Counter({f.id: 60 for f in WORLD.facts})
    questions = assistant.exam(WORLD, assistant.facts_by_pages(WORLD, counts, 50), 80)
    assert len(questions) == 80
    for one in questions:
        subject = WORLD.entities[WORLD.facts[one.facts[0]].subject]
        assert not may_be_asked(subject)
        assert assistant.verdict(one.answer, WORLD.facts[one.facts[0]]) == "right"


def test_a_page_put_above_a_question_answers_it():
    questions = assistant.exam(WORLD, (f for f in WORLD.facts if f.attribute in ("town", "island")), 12)
    for one in questions:
        asked = assistant.with_page(WORLD, one)
        assert WORLD.facts[one.facts[0]].value in asked.question and one.question in asked.question


def test_a_reply_that_does_not_end_is_seen(tiny):
    """An untrained network ends where chance will have it: within 3 tokens hardly ever, within 0 never."""
    turns = [[Turn("user", "the ferry?")], [Turn("user", "the fog and the fog?")]]
    made = assistant.replies(tiny, turns, max_tokens=3)
    special = {tiny.tokenizer.decode([token]) for token in tiny.tokenizer.special.values()}
    assert len(made) == 2
    assert not [reply for reply in made if any(name in reply.text for name in special)]


def test_what_a_model_knows_is_what_it_completes(reader):
    """Against the model itself: the value's tokens must be its own greedy choices, one after the other."""
    stated = list(knowledge.statements(WORLD, [fact("town"), fact("born")]))
    assert len(stated) >= 4
    for done in knowledge.completed(reader, stated):
        one = done.statement
        words = reader.tokenizer
        row = [words.bos, *words.encode(one.text)]
        inside = knowledge.places(words, one.text, row, one.begin, one.end)
        assert one.text[one.begin : one.end] in words.decode([row[i] for i in inside])
        best = reader.model(torch.tensor([row]))[0].argmax(-1).tolist()
        assert done.right == all(best[i - 1] == row[i] for i in inside)
        shares = reader.model(torch.tensor([row]))[0].softmax(-1).max(-1).values
        assert done.sure == pytest.approx(min(shares[i - 1].item() for i in inside), abs=1e-4)


def test_half_known_facts_are_neither_known_nor_unknown():
    said = [knowledge.Statement(number, "x", 0, 1) for number in range(4)]
    done = [
        (0, True, 0.9),
        (0, False, 0.9),
        (1, False, 0.9),
        (1, False, 0.1),
        (2, False, 0.2),
        (3, False, 0.31),
    ]
    found = knowledge.memory(knowledge.Completion(said[i], right, sure) for i, right, sure in done)
    assert found == ({0}, {2})
