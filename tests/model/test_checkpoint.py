"""A model's folder: what is saved comes back; what is broken is one sentence."""

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from llmlab.errors import LabError
from llmlab.model import checkpoint, zoo
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.text.tokenizer import Tokenizer

TOKENIZER = Tokenizer.train(["a goat on a ferry, a ferry on the sea"], 280)
CONFIG = GPTConfig(TOKENIZER.vocab_size, 16, n_layer=1, n_head=2, n_kv_head=1, n_embd=16, n_hidden=24)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    checkpoint.save(tmp_path / "m", GPT(CONFIG, 2), TOKENIZER, {"seed": 2})
    return tmp_path / "m"


def test_what_is_saved_comes_back(folder):
    loaded = checkpoint.load(folder)
    assert (loaded.config, loaded.provenance, loaded.tokenizer.hash) == (CONFIG, {"seed": 2}, TOKENIZER.hash)
    for ours, theirs in zip(loaded.model.parameters(), GPT(CONFIG, 2).parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert not loaded.model.training


def test_half_precision_is_half_the_size_and_computes_in_fp32(folder, tmp_path):
    checkpoint.save(tmp_path / "h", GPT(CONFIG, 2), TOKENIZER, {}, dtype=torch.float16)
    small, large = ((f / "model.safetensors").stat().st_size for f in (tmp_path / "h", folder))
    assert small < 0.65 * large
    ids = torch.arange(10)[None]
    ours = checkpoint.load(tmp_path / "h").model(ids)
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, checkpoint.load(folder).model(ids), atol=5e-3, rtol=5e-3)


def test_nothing_but_whole_files_stays(folder):
    names = {"model.safetensors", "config.json", "tokenizer.json", "provenance.json"}
    assert {path.name for path in folder.iterdir()} == names
    assert [path.name for path in folder.parent.iterdir()] == ["m"]


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "provenance.json"])
@pytest.mark.parametrize("break_it", [cut_in_half, Path.unlink, lambda path: path.write_bytes(b"\x00" * 99)])
def test_a_broken_file_is_one_sentence(folder, name, break_it):
    break_it(folder / name)
    with pytest.raises(LabError):
        checkpoint.load(folder)


def with_weights(folder: Path, change) -> None:
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    change(weights)
    safetensors.torch.save_file(weights, folder / "model.safetensors")


def test_nan_weights_are_refused(folder):
    with_weights(folder, lambda weights: weights["norm.weight"].__setitem__(3, float("nan")))
    with pytest.raises(LabError, match="not finite"):
        checkpoint.load(folder)


def test_weights_of_another_network_are_refused(folder):
    with_weights(folder, lambda weights: weights.update({"conv1.weight": torch.zeros(3)}))
    with pytest.raises(LabError, match="another network"):
        checkpoint.load(folder)


def test_weights_of_another_shape_are_refused(folder):
    with_weights(folder, lambda weights: weights.update({"norm.weight": torch.zeros(3)}))
    with pytest.raises(LabError, match="shape"):
        checkpoint.load(folder)


def test_a_foreign_configuration_is_refused(folder):
    (folder / "config.json").write_text(json.dumps({"hidden_size": 64}), encoding="utf-8")
    with pytest.raises(LabError, match="does not describe"):
        checkpoint.load(folder)


def test_the_tokenizer_of_another_model_is_refused(folder):
    Tokenizer.train(["another goat"], 268).save(folder / "tokenizer.json")
    with pytest.raises(LabError, match="tokenizer"):
        checkpoint.load(folder)


def test_a_full_disk_leaves_the_old_model_whole(folder, monkeypatch):
    def no_room(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(LabError, match=r"No space left.*Make room"):
        checkpoint.save(folder, GPT(CONFIG, 3), TOKENIZER, {"seed": 3})
    monkeypatch.undo()
    assert checkpoint.load(folder).provenance == {"seed": 2}
    assert [path.name for path in folder.parent.iterdir()] == ["m"]


def test_the_zoo_keeps_one_read_only_copy(folder):
    assert zoo.load(folder) is zoo.load(str(folder))
    assert not any(weight.requires_grad for weight in zoo.load(folder).model.parameters())


def test_the_zoo_notices_a_model_trained_again(folder):
    first = zoo.load(folder)
    checkpoint.save(folder, GPT(CONFIG, 9), TOKENIZER, {"seed": 9})
    assert zoo.load(folder) is not first


def test_an_unknown_model_is_one_sentence(tmp_path):
    with pytest.raises(LabError, match="no model 'gpt-5'"):
        zoo.load("gpt-5")
    with pytest.raises(LabError, match="no model"):
        checkpoint.load(tmp_path)
