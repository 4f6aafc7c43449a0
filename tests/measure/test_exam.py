"""The exam: questions end where the fact begins, and an answer is right only token for token."""

from types import SimpleNamespace

import pytest
import torch

from llmlab.measure.exam import ask, by_exposure, pages_per_fact, questions, sit, templates
from llmlab.text.tokenizer import Tokenizer
from llmlab.world.crawl import crawl
from llmlab.world.genesis import build_world


@pytest.fixture(scope="module")
def asked():
    world = build_world("small", 1)
    counts = pages_per_fact(crawl("small", 1, workers=1))
    return questions(world, counts, per_bucket=40)


def test_every_question_goes_on_with_its_fact(asked):
    world = build_world("small", 1)
    assert len(asked) > 120 and len({q.fact.attribute for q in asked}) > 15
    for question in asked:
        assert question.answer.endswith(question.fact.value)
        subject = world.entities[question.fact.subject].name
        assert subject.casefold() in question.prompt.casefold()
        assert question.fact.value not in question.prompt or question.fact.value in subject


def test_only_training_pages_count_as_reading():
    counts = pages_per_fact(crawl("small", 1, workers=1))
    train = [p for p in crawl("small", 1, workers=1) if p.split == "train"]
    assert counts.total() == sum(len(p.facts) for p in train)


def test_a_model_that_knows_is_right_and_one_that_does_not_is_wrong(asked):
    """A stand-in that always continues with the row itself is always right; shifted by one token, never."""
    words = Tokenizer.train([q.prompt + q.answer for q in asked], 900)

    class Oracle:
        def __init__(self, shift: int) -> None:
            self.shift = shift

        def parameters(self):
            yield torch.zeros(1)

        def __call__(self, idx):
            following = torch.roll(idx, -1, dims=1) + self.shift
            return torch.nn.functional.one_hot(following % words.vocab_size, words.vocab_size).float()

    right = list(sit(SimpleNamespace(tokenizer=words, model=Oracle(0)), asked))
    wrong = list(sit(SimpleNamespace(tokenizer=words, model=Oracle(1)), asked))
    assert all(r.right for r in right) and not any(r.right for r in wrong)
    assert sum(point.n for point in by_exposure(right)) == len(asked)


def test_a_fact_without_a_sentence_is_not_asked():
    world = build_world("small", 1)
    person = world.of_kind("person")[0]
    assert ask(world, world.fact(person.id, "habit"), 3) is None
    assert ("person", "town") in templates()
