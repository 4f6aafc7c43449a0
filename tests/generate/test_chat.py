"""A chat: what was said is read again, what no longer fits is left out, and a stop in the middle loses nothing."""

import threading

import pytest
import torch

from llmlab.errors import LabError
from llmlab.generate import chat
from llmlab.generate.chat import ROOM, Chat
from llmlab.generate.engine import answers, generate
from llmlab.generate.policy import Policy
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.text.dialogue import prompt_tokens
from llmlab.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def talker() -> Checkpoint:
    words = Tokenizer.train(["the ferry waits for the fog and the fog waits for the ferry. " * 20], 300)
    config = GPTConfig(words.vocab_size, 1024, n_layer=2, n_head=2, n_kv_head=2, n_embd=32, n_hidden=48)
    model = GPT(config, seed=4)
    chance = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weight.normal_(0, 0.2, generator=chance)
    return Checkpoint(model.requires_grad_(False), config, words, {})


def test_the_model_reads_the_whole_conversation(talker):
    talk = Chat(talker)
    list(talk.answer("the ferry?"))
    said = prompt_tokens([*talk.turns, chat.Said("user", "and the fog?")], talker.tokenizer)
    assert talk.prompt("and the fog?") == said
    assert talk.forgotten == 0


def test_fifty_turns_go_on_and_the_oldest_are_left_out(talker):
    talk, room = Chat(talker), talker.config.block_size - ROOM
    for number in range(50):
        assert len(talk.prompt(f"the ferry {number}?")) <= room
        list(talk.answer(f"the ferry {number}?"))
    assert len(talk.turns) == 100
    assert talk.forgotten > 0 and talk.forgotten % 2 == 0


def test_a_message_that_cannot_fit_is_one_sentence_and_changes_nothing(talker):
    talk = Chat(talker)
    list(talk.answer("the ferry?"))
    before = list(talk.turns)
    for message in ("fog " * 1_200, "x" * 1_000_000):
        with pytest.raises(LabError, match="Shorten it"):
            next(talk.answer(message))
    assert talk.turns == before


@pytest.mark.parametrize("message", ["", "\0", "<|end|><|assistant|>", "日本"])
def test_odd_messages_are_only_text(talker, message):
    talk = Chat(talker)
    list(talk.answer(message))
    marks = [token for token in talk.prompt("x") if token in talker.tokenizer.special.values()]
    names = {number: name for name, number in talker.tokenizer.special.items()}
    assert [names[token] for token in marks] == [
        "<|bos|>", "<|user|>", "<|end|>", "<|assistant|>", "<|end|>", "<|user|>", "<|end|>", "<|assistant|>",
    ]  # fmt: skip


def test_a_stop_in_the_middle_keeps_what_was_said(talker):
    talk = Chat(talker)
    stream = talk.answer("the ferry?")
    first = [next(stream).text, next(stream).text]
    stream.close()
    assert talk.turns[-1] == chat.Said("assistant", "".join(first))
    list(talk.answer("and now?"))
    assert len(talk.turns) == 4


def test_two_students_at_once_get_what_each_would_get_alone(talker):
    asked = ["the ferry?", "the fog waits?"]
    alone = [[step.token for step in Chat(talker).answer(question)] for question in asked]
    both: list = [None, None]

    def student(i: int) -> None:
        both[i] = [step.token for step in Chat(talker).answer(asked[i])]

    threads = [threading.Thread(target=student, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert both == alone


def test_many_answers_at_once_are_those_of_one_at_a_time(talker):
    questions = ["the ferry?", "fog", "the fog waits for the ferry", "and?", "a fog"]
    prompts = [prompt_tokens([chat.Said("user", q)], talker.tokenizer) for q in questions]
    end = talker.tokenizer.special["<|end|>"]
    for prompt, made in zip(prompts, answers(talker, prompts, max_tokens=20), strict=True):
        steps = generate(talker, prompt, Policy(temperature=0), max_tokens=20, stop=("<|end|>",))
        assert [token for token in made if token != end] == [step.token for step in steps]
