"""The compiled step computes what the plain one does, for both contexts of the curriculum."""

from dataclasses import replace

import pytest

from llmlab.train import machine
from llmlab.train.compiled import worth_compiling
from llmlab.train.config import tier
from llmlab.train.pretrain import pretrain


def test_compiled_losses_are_the_plain_ones(corpus, config, tmp_path):
    if machine.compiler(machine.device()) is None:
        pytest.skip("needs a compiler that torch knows")
    one_layer = replace(config.model, n_layer=1)
    short = replace(
        config, model=one_layer, tokens=5 * 128
    )  # two steps of the short context, three of the full one
    plain = [step.loss for step in pretrain(short, corpus, tmp_path / "plain")]
    fast = [step.loss for step in pretrain(replace(short, compile="on"), corpus, tmp_path / "fast")]
    assert fast == pytest.approx(plain, rel=2e-3)


def test_only_long_runs_are_compiled(monkeypatch):
    monkeypatch.setattr(machine, "compiler", lambda place: "g++")
    cpu = machine.torch.device("cpu")
    assert worth_compiling(tier("course"), 0, cpu)
    assert not worth_compiling(tier("course"), tier("course").steps - 50, cpu)
    assert not worth_compiling(tier("pocket"), 0, cpu)
    assert not worth_compiling(tier("course", compile="off"), 0, cpu)
    assert worth_compiling(tier("pocket", compile="on"), 0, cpu)
    monkeypatch.setattr(machine, "compiler", lambda place: None)
    assert not worth_compiling(tier("course"), 0, cpu)
