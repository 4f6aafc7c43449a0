"""Speaking: the fast reader agrees with the network, and the records with each other."""

import math

import numpy as np
import pytest
import torch

from llmlab.errors import LabError
from llmlab.generate.engine import generate, generate_many, logits
from llmlab.generate.policy import Policy
from llmlab.generate.reader import NumpyReader, TorchReader, reader_for
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tiny() -> Checkpoint:
    words = Tokenizer.train(["the ferry waits for the fog and the fog waits for the ferry. " * 20], 300)
    config = GPTConfig(words.vocab_size, 64, n_layer=2, n_head=4, n_kv_head=2, n_embd=32, n_hidden=48)
    model = GPT(config, seed=3)
    chance = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):  # zero at the start: wake them up
                weight.normal_(0, 0.2, generator=chance)
    return Checkpoint(model.requires_grad_(False), config, words, {})


def test_numpy_reads_as_torch_does_at_once_and_token_by_token(tiny):
    ids = np.random.default_rng(0).integers(0, tiny.config.vocab_size, (3, 20))
    reference = tiny.model(torch.from_numpy(ids)).numpy()
    assert np.abs(NumpyReader(tiny.model, 3).read(ids) - reference).max() < 1e-4
    for kind in (NumpyReader, TorchReader):
        reader = kind(tiny.model, 3)
        stepwise = [reader.read(ids[:, :7])] + [reader.read(ids[:, t : t + 1]) for t in range(7, 20)]
        assert np.abs(np.concatenate(stepwise, 1) - reference).max() < 1e-4


def test_a_model_that_still_learns_is_read_by_torch(tiny):
    assert isinstance(reader_for(tiny.model), NumpyReader)
    assert isinstance(reader_for(GPT(tiny.config)), TorchReader)


def test_greedy_text_equals_torch(tiny):
    ids = [tiny.tokenizer.bos, *tiny.tokenizer.encode("the fog")]
    for _ in range(20):
        ids.append(int(tiny.model(torch.tensor([ids]))[0, -1].argmax()))
    made = [s.token for s in generate(tiny, "the fog", Policy(temperature=0), max_tokens=20, stop=())]
    assert made == ids[-20:]


def test_the_same_seed_gives_the_same_text_and_a_batch_the_same_rows(tiny):
    one = [s.token for s in generate(tiny, "the", seed=5, max_tokens=30)]
    assert one == [s.token for s in generate(tiny, "the", seed=5, max_tokens=30)]
    rows = generate_many(tiny, "the", 3, seed=4, max_tokens=30)
    assert rows[1] == one and rows[0] != one


def test_records_say_what_the_policy_did(tiny):
    policy = Policy(temperature=0.7, top_k=5)
    for step in generate(tiny, "the", policy, seed=1, max_tokens=10, stop=()):
        assert 0 < step.prob <= step.kept_prob <= 1
        assert 0 <= step.entropy <= math.log2(tiny.config.vocab_size)
        assert sum(c.kept for c in step.top) == pytest.approx(1, abs=1e-5)
        assert [c.prob for c in step.top] == sorted((c.prob for c in step.top), reverse=True)
        assert step.token in [c.token for c in step.top[:5]]


def test_probabilities_are_those_of_the_logits(tiny):
    (step,) = generate(tiny, "the", seed=1, max_tokens=1, stop=())
    z = logits(tiny, [tiny.tokenizer.bos, *tiny.tokenizer.encode("the")])[-1].astype(np.float64)
    p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    assert step.prob == pytest.approx(p[step.token], rel=1e-3)
    assert step.entropy == pytest.approx(-(p * np.log2(p)).sum(), rel=1e-3)


def test_text_ends_with_the_context_and_not_with_an_error(tiny):
    assert len(list(generate(tiny, "", max_tokens=500, stop=()))) == tiny.config.block_size - 1


@pytest.mark.parametrize("prompt", ["fog " * 100, "x" * 1_000_000])
def test_a_prompt_that_is_too_long_is_refused_with_a_sentence(tiny, prompt):
    with pytest.raises(LabError, match="Shorten it"):
        list(generate(tiny, prompt))


@pytest.mark.parametrize("prompt", ["", "\0", "<|end|>", "\ud83d", "\N{HOURGLASS}"])
def test_odd_prompts_are_text(tiny, prompt):
    steps = list(generate(tiny, prompt, max_tokens=3, stop=()))
    assert len(steps) == 3
