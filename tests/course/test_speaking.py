"""run.c for a widget: the same text as in a terminal, new tokens as they come, a sentence where something is wrong."""

import os
import subprocess
import time

import pytest
import torch

from llmlab.course import speaking
from llmlab.course.plug import headers, probe, without_network
from llmlab.course.speaking import Speaker, Text, model_file, written
from llmlab.errors import LabError
from llmlab.model import native, zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT


@pytest.fixture(scope="module")
def pocket() -> Checkpoint:
    return zoo.load("pocket")


@pytest.fixture(scope="module")
def compiler() -> None:
    try:
        native.build()
    except LabError as error:
        sentence = f"NO COMPILER: {error}"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)


def spoken(answer: Speaker, **request) -> dict:
    """Ask as the widget does, until the text is there."""
    asked = {"text": "", "temperature": 0.8, "seed": 1, "tokens": 30, **request}
    report, _ = answer({"kind": "speak", **asked})
    pieces, ids, until = [], [], time.monotonic() + 120
    while time.monotonic() < until:
        pieces += report["pieces"]
        ids += report["ids"]
        if report["state"] in ("done", "stopped", "failed") and not report["pieces"]:
            return {**report, "pieces": pieces, "ids": ids}
        time.sleep(0.01)
        report, _ = answer({"kind": "more", "seen": len(ids)})
    raise AssertionError("the text never ended")


@pytest.mark.parametrize("prompt", ["The ferry to", "", "a\x00b", "Zürich 東京\n\n", "<|end|>", "\ud800"])
def test_it_is_the_text_of_the_terminal(compiler, pocket: Checkpoint, prompt: str):
    found = spoken(Speaker(pocket), text=prompt)
    typed = prompt.encode("utf-8", errors="replace")
    call = [
        native.build(),
        model_file(pocket),
        "-p",
        "-",
        "-t",
        "0.8",
        "--top-p",
        "0.95",
        "-n",
        "30",
        "-s",
        "1",
    ]
    said = subprocess.run([*map(str, call), "--ids"], input=typed, capture_output=True, timeout=60).stdout
    start = 1 + len(pocket.tokenizer.encode(typed.decode()))
    assert found["state"] == "done" and found["seconds"] > 0
    assert found["ids"] == [int(number) for number in said.split()][start:]
    assert "".join(found["pieces"]) == pocket.tokenizer.decode(found["ids"]).rstrip("\ufffd")


def test_a_text_too_long_for_the_context_is_one_sentence(compiler, pocket: Checkpoint):
    for prompt in ("fog " * 600, "x" * 2**20):
        found = spoken(Speaker(pocket), text=prompt)
        assert found["state"] == "failed" and found["ids"] == []
        assert "Shorten it" in found["error"] and "\n" not in found["error"]


def test_without_a_compiler_or_a_model_there_is_a_sentence(pocket: Checkpoint, monkeypatch):
    def none() -> None:
        raise LabError("There is no C compiler on this machine.")

    monkeypatch.setattr(native, "build", none)
    assert "no C compiler" in spoken(Speaker(pocket))["error"]
    with pytest.raises(LabError, match="no C compiler"):
        written(pocket, "a", 1, 1.0, 5)
    with pytest.raises(LabError, match="no model yet"):
        Speaker()({"kind": "speak"})


def test_a_cut_file_is_written_again_and_a_broken_one_is_a_sentence(
    compiler, pocket: Checkpoint, monkeypatch
):
    file = model_file(pocket)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert model_file(pocket).read_bytes() == whole
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    found = spoken(Speaker(pocket))
    file.write_bytes(whole)
    assert found["state"] == "failed" and "is damaged" in found["error"]


def test_a_program_that_cannot_be_started_is_a_sentence(pocket: Checkpoint, monkeypatch, tmp_path):
    monkeypatch.setattr(native, "build", lambda: tmp_path / "run")
    monkeypatch.setattr(speaking, "without_network", lambda: ())
    assert "could not be started" in spoken(Speaker(pocket))["error"]


def test_stop_ends_the_child(compiler, pocket: Checkpoint, monkeypatch):
    monkeypatch.setattr(speaking, "command", lambda program, file, request: ["sleep", "60"])
    answer = Speaker(pocket)
    answer({"kind": "speak", "text": "", "temperature": 1, "seed": 1, "tokens": 5})
    while answer.text.child is None:
        time.sleep(0.01)
    answer({"kind": "stop"})
    assert answer.text.child.wait(10) != 0
    until = time.monotonic() + 10
    while answer.text.state != "stopped" and time.monotonic() < until:
        time.sleep(0.01)
    assert answer.text.state == "stopped"


def test_only_some_model_files_are_kept(pocket: Checkpoint, monkeypatch, tmp_path):
    monkeypatch.setenv("LLMLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(speaking, "KEPT", 2)
    made = [Checkpoint(GPT(pocket.config, seed), pocket.config, pocket.tokenizer, {}) for seed in range(4)]
    files = [model_file(one) for one in made]
    assert len(set(files)) == 4
    assert [file.exists() for file in files] == [False, False, True, True]
    assert not torch.equal(made[0].model.embed_tokens.weight, made[1].model.embed_tokens.weight)


# ---- the plug ----


def test_the_probe_reaches_this_machine_and_not_without_a_network():
    assert probe() == ""
    if not without_network():
        pytest.skip("this system has no way to take the network from one program")
    assert "unreachable" in probe(without_network())


def test_the_program_writes_the_same_with_the_plug_pulled(compiler, pocket: Checkpoint, monkeypatch):
    texts = []
    for before in (without_network(), ()):
        monkeypatch.setattr(speaking, "without_network", lambda before=before: before)
        one = Text(pocket, {"text": "The ferry", "temperature": 0.7, "seed": 3, "tokens": 20})
        one.run()
        texts.append(one.pieces)
    assert texts[0] == texts[1] != []


def test_headers_are_read_from_the_sources(tmp_path):
    file = tmp_path / "a.c"
    file.write_text('#include <stdio.h>\n # include <sys/socket.h>\n#include "own.h"\n', encoding="utf-8")
    assert headers([file]) == ["stdio.h", "sys/socket.h"]
    assert "stdio.h" in headers(native.SOURCES) and "sys/socket.h" not in headers(native.SOURCES)
