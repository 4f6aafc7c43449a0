"""Costs, worked out by hand and held against what was published."""

from types import SimpleNamespace

import pytest

from llmlab.errors import LabError
from llmlab.report.cost import (
    A100_PEAK,
    HOUR,
    LLAMA_2_70B,
    LLAMA_2_70B_GPU_HOURS,
    Run,
    own_run,
    plan,
    training_flops,
    training_seconds,
)


def test_a_plan_by_hand():
    """2 parameters and 5 tokens: 60 operations; 3 devices of 4 a second at half: 10 s; 0.5 device minutes."""
    run = plan("x", 2, 5, 100, devices=3, peak=4, utilisation=0.5, dollars_per_hour=6, bytes_per_param=4)
    assert training_flops(2, 5) == run.flops == 60
    assert training_seconds(60, 3, 4, 0.5) == run.seconds == 10
    assert run.device_hours == pytest.approx(30 / 3600) and run.dollars == pytest.approx(0.05)
    assert run.model_bytes == 8 and run.compression == 12.5
    assert run.utilisation(4) == pytest.approx(0.5)


def test_llama_2_70b_is_what_the_talk_says():
    assert LLAMA_2_70B.model_bytes == 140e9
    assert LLAMA_2_70B.flops == pytest.approx(8.4e23)
    assert LLAMA_2_70B.compression == pytest.approx(71.43, abs=0.01)
    assert LLAMA_2_70B.tokens / LLAMA_2_70B.params == pytest.approx(28.57, abs=0.01)


def test_the_talks_gpus_and_days_are_the_papers_hours():
    """6,000 × 12 × 24 = 1,728,000; 8.4e23 / (1,728,000 × 3,600 × 312e12) = 0.4328."""
    assert LLAMA_2_70B.device_hours == 1_728_000
    assert LLAMA_2_70B.device_hours == pytest.approx(LLAMA_2_70B_GPU_HOURS, rel=0.005)
    assert LLAMA_2_70B.utilisation(A100_PEAK) == pytest.approx(0.4328, abs=1e-4)
    assert LLAMA_2_70B.dollars / LLAMA_2_70B.device_hours == pytest.approx(1.157, abs=1e-3)


def test_the_calculator_gives_the_published_days_back():
    at = LLAMA_2_70B.utilisation(A100_PEAK)
    again = plan("again", 70e9, 2e12, 10e12, 6_000, A100_PEAK, at, 1.157)
    assert again.seconds == pytest.approx(12 * 24 * HOUR) and again.dollars == pytest.approx(2e6, rel=1e-3)


def checkpoint(provenance: dict) -> SimpleNamespace:
    return SimpleNamespace(provenance=provenance, model=SimpleNamespace(n_params=lambda: 3_000))


def test_our_own_run_is_read_from_the_provenance():
    """10 steps of 8 rows of 64 tokens are 5,120; 6 × 3,000 × 5,120 operations in 20 s are 4,608,000 a second."""
    said = {
        "config": {"rows": 8, "model": {"block_size": 64}},
        "step": 10,
        "seconds": 20.0,
        "train_bytes": 18_000,
    }
    run = own_run(checkpoint(said), "ours")
    assert run == Run("ours", 3_000, 5_120, 18_000, 1, 20.0, 0.0)
    assert run.flops / run.seconds == 4_608_000 and run.compression == 3
    assert run.utilisation(9_216_000) == 0.5


@pytest.mark.parametrize("provenance", [{}, {"config": None}, {"config": {"rows": 8}, "step": 1}])
def test_a_model_without_a_past_is_a_sentence(provenance):
    with pytest.raises(LabError, match="how it was trained"):
        own_run(checkpoint(provenance))


@pytest.mark.parametrize(
    ("devices", "peak", "utilisation"), [(0, 1, 0.5), (1, 0, 0.5), (1, 1, 0), (1, 1, 1.1)]
)
def test_a_plan_that_cannot_be_is_a_sentence(devices, peak, utilisation):
    with pytest.raises(LabError, match="at least one device"):
        training_seconds(1, devices, peak, utilisation)
