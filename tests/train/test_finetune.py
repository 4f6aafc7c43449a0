"""Finetuning: on answers only, each conversation for itself, all weights or a thin correction."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from llmlab.errors import LabError
from llmlab.generate.engine import answers
from llmlab.model import checkpoint
from llmlab.model.gpt import document_mask
from llmlab.text.dialogue import dialogue, prompt_tokens
from llmlab.train import lora
from llmlab.train.finetune import FinetuneConfig, answer_loss, finetune, kept_loss
from llmlab.train.pretrain import pretrain

NOUNS = "goat ferry lamp harbour".split()


def turns(*texts: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(speaker=("user", "assistant")[i % 2], text=t) for i, t in enumerate(texts)]


@pytest.fixture(scope="module")
def base(corpus, config, tmp_path_factory):
    """A model that has read enough for its last norm to have grown: an adapter leaves it as it is."""
    out = tmp_path_factory.mktemp("base") / "r"
    for _ in pretrain(replace(config, tokens=300 * 128, checkpoint_every=300), corpus, out):
        pass
    return checkpoint.load(out / "model")


@pytest.fixture(scope="module")
def talk(base) -> list:
    return [
        dialogue(turns(f"A {noun}?", f"The {noun}."), base.tokenizer) for noun in NOUNS for _ in range(20)
    ]


SMALL = FinetuneConfig(
    tokens=24 * 128, rows=4, width=32, replay=0.25, checkpoint_every=5, compile="off", lr=0.5
)


def run(base, talk, corpus, out, **changes) -> list:
    return list(finetune(replace(SMALL, **changes), base, talk, out, corpus.train))


def losses(out) -> list[float]:
    return [json.loads(line)["loss"] for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("rank", [0, 4])
def test_it_learns_to_answer_and_to_stop(base, talk, corpus, tmp_path, rank):
    steps = run(base, talk, corpus, tmp_path / "r", tokens=300 * 128, rank=rank, replay=0.0)
    assert steps[-1].loss < 0.3 * steps[0].loss
    made = checkpoint.load(tmp_path / "r/model")
    prompts = [prompt_tokens(turns(f"A {noun}?"), made.tokenizer) for noun in NOUNS]
    texts = answers(made, prompts, max_tokens=12)
    end = made.tokenizer.special["<|end|>"]
    assert [made.tokenizer.decode(ids[:-1]) for ids in texts] == [f"The {noun}." for noun in NOUNS]
    assert all(ids[-1] == end for ids in texts)


def test_a_conversation_does_not_see_its_neighbour(base):
    words = base.tokenizer
    one = torch.tensor([dialogue(turns("A goat?", "The goat."), words).tokens])
    for before in ("The ferry met the lamp in 1950.", "harbour " * 3):
        other = torch.tensor([dialogue(turns(before, "Yes."), words).tokens])
        row = torch.cat((other, one), dim=1)[:, : base.config.block_size]
        together = base.model(row, mask=document_mask(row, words.bos))
        alone = base.model(one)[:, : row.shape[1] - other.shape[1]]
        assert torch.allclose(together[:, other.shape[1] :], alone, atol=1e-4)
        assert not torch.allclose(base.model(row)[:, other.shape[1] :], alone, atol=1e-2)


def test_the_loss_is_the_mean_over_what_is_to_be_learned():
    logits = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[1, -100, 2], [-100, -100, 4]])
    each = -logits.log_softmax(-1)
    by_hand = (each[0, 0, 1] + each[0, 2, 2] + each[1, 2, 4]) / 3
    assert answer_loss(logits, targets) == pytest.approx(by_hand.item(), rel=1e-6)
    assert answer_loss(logits, torch.full((2, 3), -100)) == 0


@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("stop", [3, 10])
def test_resume_gives_the_same_losses(base, talk, corpus, tmp_path, rank, stop):
    whole = run(base, talk, corpus, tmp_path / "whole", rank=rank)
    for step in finetune(replace(SMALL, rank=rank), base, talk, tmp_path / "r", corpus.train):
        if step.step == stop:
            break
    run(base, talk, corpus, tmp_path / "r", rank=rank)
    assert losses(tmp_path / "r") == losses(tmp_path / "whole") == [step.loss for step in whole]
    paths = [tmp_path / name / "model/model.safetensors" for name in ("r", "whole")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_pages_mixed_in_keep_the_loss_on_pages_low(base, talk, corpus, tmp_path):
    from llmlab.train.evaluate import evaluate

    after = {}
    for replay in (0.0, 0.5):
        run(base, talk, corpus, tmp_path / str(replay), tokens=120 * 128, replay=replay, lr=1.0)
        after[replay] = evaluate(checkpoint.load(tmp_path / str(replay) / "model").model, corpus.valid)["all"]
    assert after[0.5] < 0.9 * after[0.0]


def test_the_assistant_knows_where_it_comes_from(base, talk, corpus, tmp_path):
    run(base, talk, corpus, tmp_path / "r")
    said = checkpoint.load(tmp_path / "r/model").provenance
    assert said["n_conversations"] == len(talk)
    assert said["start"]["weights"] == checkpoint.fingerprint(base).hex()[:16]
    with pytest.raises(LabError, match="another conversations"):
        next(finetune(SMALL, base, talk[:-1], tmp_path / "r", corpus.train))


def test_what_has_moved_is_the_divergence_of_the_two_distributions():
    chance = torch.Generator().manual_seed(0)
    now, then = (torch.randn(2, 3, 5, generator=chance) for _ in range(2))
    targets = torch.tensor([[1, -100, 2], [-100, -100, 4]])
    p, q = then.softmax(-1), now.softmax(-1)
    each = (p * (p.log() - q.log())).sum(-1)
    assert kept_loss(now, then, targets) == pytest.approx(
        float(each[0, 0] + each[0, 2] + each[1, 2]) / 3, rel=1e-5
    )
    assert kept_loss(then, then, targets) == pytest.approx(0, abs=1e-6)


def test_rows_in_which_nothing_changes_need_an_adapter():
    for wrong in ({"kept_rows": 1}, {"kept_rows": 4, "rank": 2}):
        with pytest.raises(LabError, match="need an adapter"):
            replace(SMALL, **wrong)


def test_replay_needs_pages(base, talk, tmp_path):
    with pytest.raises(LabError, match="set replay to 0"):
        next(finetune(SMALL, base, talk, tmp_path / "r"))


def test_a_run_of_less_than_a_step_is_refused():
    with pytest.raises(LabError, match="ask for that many"):
        replace(SMALL, tokens=100)


# ---- LoRA ----


def test_a_new_adapter_changes_nothing(base):
    fresh = lora.adapter(base.model, rank=4, alpha=8.0)
    x = torch.tensor([[1, 2, 3]])
    same = torch.func.functional_call(base.model, lora.corrected(base.model, fresh), (x,))
    assert torch.equal(same, base.model(x))


def test_a_merged_model_speaks_as_the_corrected_one(base):
    learned = lora.adapter(base.model, rank=4, alpha=8.0)
    chance = torch.Generator().manual_seed(1)
    for tensor in learned.b.values():
        tensor.normal_(0, 0.1, generator=chance)
    x = torch.tensor([[1, 2, 3]])
    on = torch.func.functional_call(base.model, lora.corrected(base.model, learned), (x,))
    assert torch.allclose(lora.merged(base.model, learned)(x), on, atol=1e-5)
    assert not torch.allclose(on, base.model(x), atol=1e-2)


def test_an_adapter_is_small_and_belongs_to_its_base(base, talk, corpus, tmp_path):
    run(base, talk, corpus, tmp_path / "r", rank=2)
    loaded = lora.load(tmp_path / "r/adapter", base)
    assert loaded.n_params() < 0.2 * base.model.n_params()
    merged = checkpoint.load(tmp_path / "r/model").model
    x = torch.tensor([[1, 2, 3]])
    assert torch.allclose(lora.merged(base.model, loaded)(x), merged(x), atol=2e-2)
    with pytest.raises(LabError, match="another model"):
        lora.load(tmp_path / "r/adapter", checkpoint.load(tmp_path / "r/model"))
    file = tmp_path / "r/adapter/adapter.safetensors"
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(LabError, match="Copy it again"):
        lora.load(tmp_path / "r/adapter", base)
