"""`llmlab pack` and `llmlab unpack` on files: there and back, and nothing written over or half."""

import json

import pytest
from typer.testing import CliRunner

from llmlab import cli
from llmlab.errors import LabError
from llmlab.model import checkpoint, zoo
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    words = Tokenizer.train(["the ferry waits for the fog. " * 20], 290)
    config = GPTConfig(words.vocab_size, 32, n_layer=1, n_head=1, n_kv_head=1, n_embd=16, n_hidden=16)
    folder = tmp_path_factory.mktemp("zoo") / "tiny"
    checkpoint.save(folder, GPT(config), words, {})
    return str(folder)


def llmlab(*arguments) -> str:
    done = CliRunner().invoke(cli.app, [str(a) for a in arguments])
    if done.exception:
        raise done.exception
    return done.stdout


@pytest.mark.parametrize("data", [b"the ferry waits\n" * 20, b"", b"\xff\0<|bos|>"])
def test_there_and_back(tmp_path, model, data):
    file = tmp_path / "a.txt"
    file.write_bytes(data)
    said = llmlab("pack", file, "--model", model)
    assert f"{len(data):,}" in said and "gzip -9" in said and "xz -9" in said and "itself counted" in said
    packed = tmp_path / "a.txt.llz"
    back = llmlab("unpack", packed, "--out", tmp_path / "b.txt", "--model", model)
    assert (tmp_path / "b.txt").read_bytes() == data
    assert f"{packed.stat().st_size:,} bytes became {len(data):,} again" in back
    file.unlink()
    llmlab("unpack", packed, "--model", model)
    assert file.read_bytes() == data


def test_json_counts_the_model_too(tmp_path, model):
    file = tmp_path / "a.txt"
    file.write_bytes(b"the fog")
    sizes = {
        row["name"]: row["n_bytes"]
        for row in json.loads(llmlab("pack", file, "--json", "--model", model))["sizes"]
    }
    assert sizes["model"] == (tmp_path / "a.txt.llz").stat().st_size and sizes["text"] == 7
    assert sizes["model, itself counted"] - sizes["model"] == zoo.n_bytes(model)


def test_nothing_is_written_over_or_beside(tmp_path, model):
    file = tmp_path / "a.txt"
    file.write_bytes(b"the fog")
    (tmp_path / "a.txt.llz").write_bytes(b"mine")
    for wrong, sentence in (
        (("pack", file), "there already"),
        (("unpack", tmp_path / "a.txt.llz"), "there already"),
        (("unpack", file), "does not end in"),
        (("unpack", tmp_path / "a.txt.llz", "--out", tmp_path / "b.txt"), "llmlab pack"),
        (("pack", file, "--out", tmp_path / "nowhere" / "b"), "There can be no file"),
        (("pack", file, "--out", tmp_path), "There can be no file"),
        (("pack", tmp_path), "cannot be read"),
    ):
        with pytest.raises(LabError, match=sentence):
            llmlab(*wrong, "--model", model)
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "a.txt.llz"}
    assert (tmp_path / "a.txt.llz").read_bytes() == b"mine"
