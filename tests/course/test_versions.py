"""Versions: whole or not there, deployed and taken back, and one sentence where one cannot be used."""

import json
from pathlib import Path

import pytest
import torch

from llmlab.course.versions import SHIPPED, Versions, saved_report
from llmlab.errors import LabError
from llmlab.model.checkpoint import Checkpoint
from llmlab.train import lora
from tests.measure.conftest import random_checkpoint


@pytest.fixture(scope="module")
def base() -> Checkpoint:
    return random_checkpoint()


def run_of(base: Checkpoint, folder: Path, seed: int = 1) -> Path:
    """A finished run: an adapter that changes something, and a report."""
    learned = lora.adapter(base.model, 2, 4.0, seed)
    for tensor in learned.b.values():
        tensor.normal_(0, 0.1, generator=torch.Generator().manual_seed(seed))
    lora.save(folder / "adapter", learned, base, {"stage": "test"})
    saved_report(folder, {"corrections": ["Where?"], "seed": seed})
    return folder


@pytest.fixture
def versions(base: Checkpoint, tmp_path: Path) -> Versions:
    return Versions(base, "local", tmp_path / "versions")


def test_at_first_there_is_the_shipped_one(versions: Versions, base: Checkpoint):
    assert versions.numbers() == [SHIPPED] and versions.deployed == SHIPPED
    assert versions.load(SHIPPED) is base
    assert versions.report(SHIPPED) == {}


def test_a_version_answers_as_its_adapter_says_and_can_be_taken_back(versions, base, tmp_path):
    number = versions.add(run_of(base, tmp_path / "run"))
    assert versions.numbers() == [SHIPPED, number] and versions.deployed == SHIPPED
    versions.deploy(number)
    again = Versions(base, "local", versions.folder)
    assert again.deployed == number and again.report(number)["corrections"] == ["Where?"]
    x = torch.tensor([[1, 2, 3]])
    own = lora.merged(base.model, lora.load(tmp_path / "run/adapter", base))
    assert torch.equal(again.load(number).model(x), own(x))
    assert not torch.equal(again.load(number).model(x), base.model(x))
    again.deploy(SHIPPED)
    assert versions.deployed == SHIPPED and versions.load(versions.deployed) is base


def test_numbers_go_up_and_nothing_is_overwritten(versions, base, tmp_path):
    first = versions.add(run_of(base, tmp_path / "a", seed=1))
    second = versions.add(run_of(base, tmp_path / "b", seed=2))
    assert (first, second) == (2, 3)
    assert [one.report.get("seed") for one in versions.all()] == [None, 1, 2]
    assert not [path for path in versions.folder.iterdir() if path.name.startswith(".")]


def cut(folder: Path) -> None:
    file = folder / "adapter.safetensors"
    file.write_bytes(file.read_bytes()[:-20])


def another_base(folder: Path) -> None:
    about = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    (folder / "provenance.json").write_text(json.dumps(about | {"base": "0" * 16}), encoding="utf-8")


def deleted(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


@pytest.mark.parametrize(
    ("harm", "said"), [(cut, "cannot be used"), (another_base, "another model"), (deleted, "was deleted")]
)
def test_a_harmed_version_is_one_sentence_and_is_not_deployed(versions, base, tmp_path, harm, said):
    number = versions.add(run_of(base, tmp_path / "run"))
    harm(versions.folder / f"v{number}")
    with pytest.raises(LabError, match=said):
        versions.load(number)
    with pytest.raises(LabError):
        versions.deploy(number)
    assert versions.deployed == SHIPPED


def test_a_half_made_version_is_none(versions, base, tmp_path):
    run = run_of(base, tmp_path / "run")
    (run / "report.json").unlink()
    with pytest.raises(LabError, match="could not be written"):
        versions.add(run)
    assert versions.numbers() == [SHIPPED]


def test_a_damaged_note_of_what_is_deployed_means_the_shipped_one(versions, base, tmp_path):
    versions.deploy(versions.add(run_of(base, tmp_path / "run")))
    (versions.folder / "deployed").write_text("two?", encoding="utf-8")
    assert versions.deployed == SHIPPED


@pytest.mark.parametrize("student", ["local", "../../etc", "a/b\\c", ""])
def test_any_student_has_a_folder_of_their_own(base, student, tmp_path, monkeypatch):
    monkeypatch.setenv("LLMLAB_DATA", str(tmp_path))
    folder = Versions(base, student).folder
    assert folder.parent == tmp_path / "assistants"
    assert folder != Versions(base, student + "x").folder
