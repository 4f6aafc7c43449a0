"""The training loop: it learns, it stops when asked, it goes on as if it had never stopped."""

import json
import math
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from llmlab.errors import LabError
from llmlab.model import checkpoint, zoo
from llmlab.model.gpt import GPT
from llmlab.train.config import TIERS, tier
from llmlab.train.pretrain import pretrain


def logged(out: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def same_model(one: Path, other: Path) -> bool:
    return (one / "model/model.safetensors").read_bytes() == (other / "model/model.safetensors").read_bytes()


def test_the_loss_falls_from_ln_v(corpus, config, tmp_path):
    steps = list(pretrain(replace(config, tokens=60 * 128), corpus, tmp_path / "r"))
    assert steps[0].loss == pytest.approx(math.log(config.model.vocab_size), abs=0.15)
    assert steps[-1].loss < 0.6 * steps[0].loss
    assert [s.step for s in steps] == list(range(1, 61))
    assert steps[-1].tokens == 60 * 128
    assert [s.context for s in steps] == [16] * 24 + [32] * 36
    assert steps[-1].valid["all"] == pytest.approx(steps[-1].bits_per_byte, rel=0.4)
    assert set(steps[-1].valid) == {"letter", "poem", "all"}


def test_every_step_is_logged(uninterrupted, config):
    assert len(logged(uninterrupted)) == config.steps
    assert all(map(math.isfinite, logged(uninterrupted)))


def test_the_finished_model_knows_where_it_comes_from(uninterrupted, corpus, config):
    model = checkpoint.load(uninterrupted / "model")
    assert model.config == config.model
    assert model.provenance["config"] == json.loads(json.dumps(asdict(config)))
    assert model.provenance["data"]["train"] == corpus.train.hash
    assert model.provenance["valid"]["all"] > 0


def test_the_last_two_checkpoints_are_kept(uninterrupted):
    names = sorted(path.name for path in (uninterrupted / "checkpoints").iterdir())
    assert names == ["step-000020", "step-000024"]


def test_moments_on_the_way_are_kept_and_change_nothing(corpus, config, tmp_path, uninterrupted):
    """A quarter and half of 24 steps; a pause between them makes no difference."""
    asked = replace(config, keep=(0.25, 0.5))
    for step in pretrain(asked, corpus, tmp_path / "r"):
        if step.step == 8:
            break
    for _ in pretrain(asked, corpus, tmp_path / "r"):
        pass
    assert logged(tmp_path / "r") == logged(uninterrupted)
    born, *kept, last = zoo.on_the_way(as_model(tmp_path))
    assert [one.provenance["step"] for one in (born, *kept, last)] == [0, 6, 12, 24]
    run = pretrain(config, corpus, tmp_path / "other")
    for _ in range(12):
        next(run)
    run.close()
    half = checkpoint.load(tmp_path / "other/checkpoints/step-000012").model.embed_tokens.weight
    assert torch.equal(kept[-1].model.embed_tokens.weight, half.half().float())
    assert torch.equal(born.model.embed_tokens.weight, GPT(config.model, config.seed).embed_tokens.weight)


def as_model(out: Path) -> Path:
    """A finished run as it is shipped: the model's files, with the kept moments beside them."""
    shutil.copytree(out / "r/model", out / "shipped")
    shutil.copytree(out / "r/kept", out / "shipped/kept")
    return out / "shipped"


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_moment_lies_inside_the_run(config, share):
    with pytest.raises(LabError, match="Change keep"):
        replace(config, keep=(share,))


@pytest.mark.parametrize("stops", [(1,), (7, 8), (5, 10, 23), (24,)])
def test_resume_gives_the_same_losses(corpus, config, tmp_path, uninterrupted, stops):
    losses = []
    for stop in (*stops, math.inf):
        for step in pretrain(config, corpus, tmp_path / "r"):
            losses.append(step.loss)
            if step.step == stop:
                break
    assert losses == logged(uninterrupted) == logged(tmp_path / "r")
    assert same_model(tmp_path / "r", uninterrupted)


def test_accumulated_gradients_are_those_of_the_whole_batch(corpus, config, tmp_path, uninterrupted):
    losses = [s.loss for s in pretrain(replace(config, micro_rows=1), corpus, tmp_path / "r")]
    assert losses == pytest.approx(logged(uninterrupted), rel=2e-2)
    assert losses[:3] == pytest.approx(logged(uninterrupted)[:3], rel=2e-3)


def test_a_finished_run_has_nothing_left_to_do(uninterrupted, corpus, config):
    assert list(pretrain(config, corpus, uninterrupted)) == []


def test_other_settings_need_another_folder(uninterrupted, corpus, config):
    with pytest.raises(LabError, match="another seed"):
        next(pretrain(replace(config, seed=9), corpus, uninterrupted))
    with pytest.raises(LabError, match="holds a run already"):
        next(pretrain(config, corpus, uninterrupted, resume=False))


def test_a_run_can_start_from_a_trained_model(uninterrupted, corpus, config, tmp_path):
    start = checkpoint.load(uninterrupted / "model")
    fresh, trained = logged(uninterrupted)[0], logged(uninterrupted)[-1]
    steps = list(pretrain(config, corpus, tmp_path / "r", start=start))
    assert steps[0].loss == pytest.approx(trained, abs=0.25 * (fresh - trained))
    said = checkpoint.load(tmp_path / "r/model").provenance["start"]
    assert said["tokens"] == config.steps * config.tokens_per_step
    assert said["config"] == start.provenance["config"] and said["data"] == start.provenance["data"]
    with pytest.raises(LabError, match=r"another .*tokens, weights"):
        next(pretrain(config, corpus, tmp_path / "r"))


def test_only_a_model_of_the_same_shape_and_vocabulary_can_be_the_start(
    uninterrupted, corpus, config, tmp_path
):
    start = checkpoint.load(uninterrupted / "model")
    wider = replace(config, model=replace(config.model, n_hidden=config.model.n_hidden + 8))
    with pytest.raises(LabError, match="another shape"):
        next(pretrain(wider, corpus, tmp_path / "r", start=start))
    assert not (tmp_path / "r").exists()


def test_ctrl_c_ends_the_step_saves_and_stops(corpus, config, tmp_path, uninterrupted):
    before = signal.getsignal(signal.SIGINT)
    steps = []
    for step in pretrain(config, corpus, tmp_path / "r"):
        steps.append(step)
        if step.step == 3:
            signal.raise_signal(signal.SIGINT)
    assert [s.step for s in steps] == [1, 2, 3]
    assert signal.getsignal(signal.SIGINT) is before
    assert logged(tmp_path / "r") == logged(uninterrupted)[:3]
    for _ in pretrain(config, corpus, tmp_path / "r"):
        pass
    assert logged(tmp_path / "r") == logged(uninterrupted)


def test_a_place_where_nothing_can_be_written_is_refused_before_the_first_step(corpus, config, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(LabError, match="Choose another folder"):
        next(pretrain(config, corpus, tmp_path / "file" / "run"))


def test_a_full_disk_leaves_the_last_checkpoint_whole(corpus, config, tmp_path, uninterrupted, monkeypatch):
    run = pretrain(config, corpus, tmp_path / "r")
    for _ in range(7):
        next(run)
    import os

    write = os.fsync

    def no_room(handle):
        write(handle)
        if "step-000010" in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(28, "No space left on device")

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc to know which file is written")
    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(LabError, match=r"No space left.*Make room"):
        list(run)
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "r/checkpoints").iterdir()] == ["step-000005"]
    for _ in pretrain(config, corpus, tmp_path / "r"):
        pass
    assert logged(tmp_path / "r") == logged(uninterrupted)
    assert same_model(tmp_path / "r", uninterrupted)


@pytest.mark.parametrize("name", ["model.safetensors", "optimiser.safetensors", "training.json"])
def test_a_damaged_checkpoint_is_one_sentence_with_the_way_out(corpus, config, tmp_path, uninterrupted, name):
    run = pretrain(config, corpus, tmp_path / "r")
    for _ in range(12):
        next(run)
    run.close()
    newest = tmp_path / "r/checkpoints/step-000012"
    (newest / name).write_bytes((newest / name).read_bytes()[:-20])
    with pytest.raises(LabError, match=r"delete .*step-000012"):
        next(pretrain(config, corpus, tmp_path / "r"))
    for path in newest.iterdir():
        path.unlink()
    newest.rmdir()
    for _ in pretrain(config, corpus, tmp_path / "r"):
        pass
    assert logged(tmp_path / "r") == logged(uninterrupted)


def test_a_loss_that_is_no_number_is_one_sentence_and_spoils_nothing(corpus, config, tmp_path):
    wild = replace(config, muon_lr=1e30, adam_lr=1e30, checkpoint_every=1)
    with pytest.raises(LabError, match="not a number"):
        list(pretrain(wild, corpus, tmp_path / "r"))
    checkpoint.load(sorted((tmp_path / "r/checkpoints").iterdir())[0])


def test_the_model_must_have_the_vocabulary_of_the_corpus(corpus, config, tmp_path):
    with pytest.raises(LabError, match="tokenizer"):
        next(pretrain(tier("pocket"), corpus, tmp_path / "r"))
    assert not (tmp_path / "r").exists()


def test_an_unknown_tier_is_one_sentence():
    with pytest.raises(LabError, match="Choose one of: pocket, course"):
        tier("huge")


@pytest.mark.parametrize("config", TIERS.values(), ids=TIERS)
def test_a_tiers_learning_rate_goes_up_and_down_to_nearly_zero(config):
    scales = [config.lr_scale(t) for t in range(config.steps)]
    assert scales[0] < 0.2
    assert max(scales) == 1.0
    assert 0 < scales[-1] < 0.01


def test_the_global_generator_is_left_alone(corpus, config, tmp_path):
    before = torch.get_rng_state()
    next(pretrain(config, corpus, tmp_path / "r"))
    assert torch.equal(torch.get_rng_state(), before)


def test_training_needs_neither_marimo_nor_plotly():
    code = "import sys, llmlab.train.pretrain; print({'marimo', 'plotly'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
