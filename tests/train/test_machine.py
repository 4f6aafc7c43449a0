"""What is asked of the machine, and that asking twice or elsewhere does no harm."""

import os
import sys
from pathlib import Path

import pytest
import torch

from llmlab.train import machine


def test_memory_is_kept_on_linux_and_left_alone_elsewhere(monkeypatch):
    machine.keep_memory.cache_clear()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert machine.keep_memory() is False
    machine.keep_memory.cache_clear()


def test_a_childs_environment_says_how_to_wait(monkeypatch):
    monkeypatch.setenv("LLMLAB_MARK", "here")
    assert machine.child_environment(threads=1, polite=True).items() >= {
        ("OMP_NUM_THREADS", "1"),
        ("OMP_WAIT_POLICY", "PASSIVE"),
        ("LLMLAB_MARK", "here"),
    }
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert "OMP_WAIT_POLICY" not in machine.child_environment()


def test_there_is_always_a_device():
    assert machine.device().type in {"cpu", "cuda", "mps"}
    assert not machine.has_bf16("abacus")
    assert torch.zeros(1, device=machine.device()).item() == 0


@pytest.mark.skipif(os.name == "nt", reason="programs have other names there")
@pytest.mark.parametrize(
    ("platform", "device", "there", "found"),
    [
        ("linux", "cpu", ["g++"], "g++"),
        ("linux", "cpu", ["clang++"], None),  # torch does not look for it by itself
        ("linux", "cpu", ["cc", "gcc", "zig"], None),
        ("darwin", "cpu", ["clang++"], "clang++"),
        ("linux", "cuda", ["clang"], "clang"),
        ("linux", "cuda", ["g++"], None),
        ("win32", "cpu", ["g++"], None),
        ("darwin", "mps", ["clang++"], None),
    ],
)
def test_compiling_asks_for_the_program_that_torch_will_start(
    monkeypatch, tmp_path: Path, platform: str, device: str, there: list[str], found: str | None
):
    for name in there:
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("CC", "CXX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    place = torch.device(device)
    assert machine.compiler(place) == (found and str(tmp_path / found))
    monkeypatch.setenv("CC" if device == "cuda" else "CXX", "no-such-compiler")
    assert machine.compiler(place) is None


def test_torch_looks_for_the_same_compiler(monkeypatch):
    """Against torch's own configuration, so that a new torch with other names is noticed."""
    from torch._inductor import config

    if "CXX" not in os.environ and sys.platform in ("linux", "darwin"):
        assert config.cpp.cxx[-1] == ("clang++" if sys.platform == "darwin" else "g++")
