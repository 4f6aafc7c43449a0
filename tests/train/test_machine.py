"""What is asked of the machine, and that asking twice or elsewhere does no harm."""

import sys

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
