"""A correction becomes a lesson, and the lesson an adapter."""

from dataclasses import replace

import pytest
import torch

from llmlab.errors import LabError
from llmlab.model import checkpoint
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.text.dialogue import IGNORED, dialogue
from llmlab.text.tokenizer import Tokenizer
from llmlab.train import lora
from llmlab.train.correct import RECIPES, WIDTH, Recipe, correct, lesson, like, recipe_named
from llmlab.train.finetune import FinetuneConfig, answer_loss, finetune, kept_loss
from llmlab.world import build_world
from llmlab.world.talk.conversation import ASSISTANT, USER, Conversation, Turn
from llmlab.world.talk.mix import SHARES, conversations
from llmlab.world.talk.rephrase import Correction, fresh

WORLD = build_world("small")
PERSON = WORLD.of_kind("person")[1]
WRONG = Correction(f"Where does {PERSON.name} live?", f"{PERSON.name} lives in Lampwick.")
SMALL = Recipe(wordings=6, examples=6, alike=4, others=10, steps=2, more=1, rank=2)


@pytest.fixture(scope="module")
def practised() -> list[Conversation]:
    known, unknown = (
        {fact.id for fact in WORLD.facts if bool(fact.id % 4) == is_known} for is_known in (True, False)
    )
    return list(conversations(WORLD, known, unknown, 150, shares={**SHARES, "fact": 60}))


@pytest.fixture(scope="module")
def assistant(practised, tmp_path_factory) -> Checkpoint:
    """A network with room for the answers, which has read enough for an adapter to have something to work with."""
    words = Tokenizer.train([turn.text for one in practised for turn in one.turns], 600)
    config = GPTConfig(words.vocab_size, 160, n_layer=2, n_head=2, n_kv_head=1, n_embd=48, n_hidden=64)
    start = Checkpoint(GPT(config, seed=1), config, words, {})
    talk = [one for one in (dialogue(c.turns, words) for c in practised) if len(one.tokens) <= WIDTH]
    run = FinetuneConfig(
        tokens=100 * 8 * WIDTH, rows=8, width=WIDTH, replay=0.0, lr=1.0, compile="off", checkpoint_every=10**9
    )
    out = tmp_path_factory.mktemp("assistant") / "r"
    for _ in finetune(run, start, talk, out):
        pass
    return checkpoint.load(out / "model")


def learned_texts(dialogues, assistant) -> list[str]:
    words = assistant.tokenizer
    return [
        words.decode([t for t, own in zip(one.tokens, one.learned, strict=True) if own][:-1])
        for one in dialogues
    ]


def test_a_lesson_holds_the_wordings_and_old_conversations(assistant, practised):
    made = lesson(assistant, WORLD, [WRONG], practised, SMALL)
    assert learned_texts(made.dialogues, assistant) == [WRONG.answer] * 6
    texts = learned_texts(made.kept, assistant)
    assert 4 <= len(texts) <= 4 + 10  # what is too long for a row is left out
    assert WRONG.answer not in texts
    assert made.config.steps == 3 and made.config.rank == 2 and made.config.adapter_lr == SMALL.rate
    bare = lesson(assistant, WORLD, [WRONG], practised, replace(SMALL, alike=0, others=0, kept=0))
    assert bare.kept == [] and learned_texts(bare.dialogues, assistant) == [WRONG.answer] * 6


def test_one_wording_is_practised_as_often_as_many(assistant, practised):
    one = lesson(assistant, WORLD, [WRONG], practised, replace(SMALL, wordings=1))
    words = assistant.tokenizer
    asked = {words.decode([t for t in d.tokens if t < 590]).split(WRONG.answer)[0] for d in one.dialogues[:6]}
    assert len(asked) == 1 and WRONG.question in asked.pop()


def test_alike_are_those_that_ask_the_same_of_others(practised):
    found = like(WORLD, WRONG, practised)
    assert found
    for one in found:
        fact = WORLD.facts[one.facts[0]]
        assert fact.attribute == "town" and fact.subject != PERSON.id
        assert PERSON.name not in one.question


@pytest.mark.parametrize(
    ("correction", "said"),
    [
        (Correction("", "yes"), "needs a question and an answer"),
        (Correction("Where?", " \n"), "needs a question and an answer"),
        (Correction("Where?", "so far away " * 4 * WIDTH), "Shorten it"),
    ],
)
def test_what_cannot_be_learned_is_a_sentence(assistant, practised, correction, said):
    with pytest.raises(LabError, match=said):
        lesson(assistant, WORLD, [correction], practised, SMALL)


def test_no_correction_and_no_such_recipe_are_sentences(assistant, practised):
    with pytest.raises(LabError, match="Nothing has been corrected"):
        lesson(assistant, WORLD, [], practised)
    with pytest.raises(LabError, match="Choose one of: whole"):
        recipe_named("magic")
    assert recipe_named("whole") is RECIPES["whole"]


def test_typed_special_tokens_stay_text(assistant, practised):
    typed = Correction("<|end|><|assistant|>?", "Say <|end|> to him.", ("<|user|> now",))
    made = lesson(assistant, WORLD, [typed], practised, replace(SMALL, kept=0))
    special = set(assistant.tokenizer.special.values())
    assert all(sum(token in special for token in one.tokens) == 5 for one in made.dialogues)
    assert learned_texts(made.dialogues, assistant) == [typed.answer] * 6


def test_an_adapter_learns_the_answer_and_the_base_stays(assistant, practised, tmp_path):
    before = {name: weight.clone() for name, weight in assistant.model.named_parameters()}
    recipe = replace(SMALL, wordings=8, examples=8, alike=0, others=0, kept=0, steps=160, rank=8, rate=2e-2)
    list(correct(assistant, WORLD, [WRONG], practised, tmp_path / "r", recipe))
    after = checkpoint.load(tmp_path / "r/model")
    for question in fresh(WORLD, WRONG.question, 3):
        turns = [Turn(USER, question), Turn(ASSISTANT, WRONG.answer)]
        x, y = _tensors(dialogue(turns, assistant.tokenizer))
        assert answer_loss(after.model(x), y) < 0.7 * answer_loss(assistant.model(x), y)
    assert all(torch.equal(before[name], weight) for name, weight in assistant.model.named_parameters())
    assert lora.load(tmp_path / "r/adapter", assistant).rank == 8


def test_held_rows_keep_other_answers_where_they_were(assistant, practised, tmp_path):
    known = [one for one in practised if one.kind == "fact" and PERSON.name not in one.question][:20]
    talk = [dialogue(one.turns, assistant.tokenizer) for one in known]
    moved = {}
    for name, kept in (("held", 6), ("free", 0)):
        recipe = replace(SMALL, alike=20, others=60, kept=kept, steps=60, rank=4, rate=1e-2)
        for _ in correct(assistant, WORLD, [WRONG], practised, tmp_path / name, recipe):
            pass
        after = checkpoint.load(tmp_path / name / "model").model
        moved[name] = sum(
            kept_loss(after(x), assistant.model(x), y).item() for x, y in (_tensors(one) for one in talk)
        )
    assert moved["held"] < 0.5 * moved["free"]


def _tensors(one) -> tuple[torch.Tensor, torch.Tensor]:
    """A conversation as inputs and targets."""
    targets = [t if own else IGNORED for t, own in zip(one.tokens, one.learned, strict=True)]
    return torch.tensor([one.tokens[:-1]]), torch.tensor([targets[1:]])
