"""Packing: all bytes come back, the file is as small as the model's surprise, and a bad file is a sentence."""

import copy
import math
from zlib import crc32

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmlab.errors import LabError
from llmlab.generate.reader import NumpyReader, lay_out
from llmlab.measure.compress import (
    HEADER,
    MAGIC,
    SEAL,
    TOTAL,
    compare,
    exact_tokens,
    frequencies,
    model_id,
    pack,
    pack_steps,
    unpack,
    unpack_steps,
)
from llmlab.model.checkpoint import Checkpoint

TEXT = b"the ferry waits for the fog and the fog waits. "
START = HEADER.size + SEAL.size


@settings(max_examples=40)
@given(st.binary(max_size=90) | st.text(max_size=40).map(str.encode))
@example(b"")
@example(b"\0")
@example(b"\xff\xfe\x80 fog \xed\xb2\x80")  # no UTF-8, and a surrogate written as if it were
@example(b"<|bos|><|end|> the ferry<|user|>")
@example("Ångström 船で三日 👩‍🚀".encode()[:-2])
def test_any_bytes_come_back(tiny, data):
    assert unpack(tiny, pack(tiny, data)) == data


@given(st.binary(max_size=300))
def test_tokens_stand_for_exactly_the_bytes_and_are_never_special(tiny, data):
    ids = exact_tokens(tiny.tokenizer, data)
    assert b"".join(map(tiny.tokenizer.token_bytes, ids)) == data
    assert set(ids).isdisjoint(tiny.tokenizer.special.values())


def test_a_text_longer_than_the_context_comes_back(tiny):
    data = TEXT * 12
    assert len(exact_tokens(tiny.tokenizer, data)) > 3 * tiny.config.block_size
    assert unpack(tiny, pack(tiny, data)) == data


def test_the_file_is_as_small_as_torch_is_surprised(tiny):
    """Cross-entropy by model/gpt.py in fp32; the coder may lose a byte, and rounding a little."""
    ids = [tiny.tokenizer.bos, *exact_tokens(tiny.tokenizer, TEXT)]
    assert len(ids) <= tiny.config.block_size
    losses = torch.nn.functional.cross_entropy(
        tiny.model(torch.tensor([ids[:-1]]))[0], torch.tensor(ids[1:]), reduction="sum"
    )
    bits = float(losses) / math.log(2)
    assert bits - 1 < 8 * (len(pack(tiny, TEXT)) - START) < bits + 10


def test_the_window_is_bos_and_the_last_half_of_the_context(tiny):
    """The token after a full context costs what torch says, given <|bos|> and the 16 tokens before."""
    data = TEXT * 4
    ids, full = exact_tokens(tiny.tokenizer, data), tiny.config.block_size
    bits = [step.bits for step in pack_steps(tiny, data)]
    for end, window in ((full - 1, ids[: full - 1]), (full, ids[full // 2 : full])):
        logits = tiny.model(torch.tensor([[tiny.tokenizer.bos, *window]]))[0, -1]
        assert bits[end] == pytest.approx(-float(logits.log_softmax(-1)[ids[end]]) / math.log(2), abs=0.05)


def test_records_add_up_and_both_sides_tell_the_same(tiny):
    there, back = list(pack_steps(tiny, TEXT)), list(unpack_steps(tiny, pack(tiny, TEXT)))
    assert [(s.token, s.text, s.bits, s.done, s.total) for s in there] == [
        (s.token, s.text, s.bits, s.done, s.total) for s in back
    ]
    assert b"".join(s.text for s in there) == TEXT and there[-1].done == there[-1].total == len(TEXT)
    assert sum(s.bits for s in there) < 8 * (len(pack(tiny, TEXT)) - START) + 1


@given(st.lists(st.floats(-60, 60), min_size=2, max_size=50))
def test_frequencies_are_whole_positive_and_follow_softmax(logits):
    z = np.array(logits)
    counts = frequencies(z)
    assert counts.dtype == np.int64 and counts.min() >= 1 and counts.sum() == TOTAL
    p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    assert np.abs(counts / TOTAL - p).max() < 0.01  # half a step of 1/64, both ways


def test_another_order_of_the_sums_gives_the_same_frequencies(tiny):
    """Matrix products over all places at once, or torch in float64, round otherwise; nobody may notice."""
    ids = np.random.default_rng(0).integers(0, tiny.config.vocab_size, 32)
    weights = lay_out(tiny.model, torch.float64)
    at_once = NumpyReader(tiny.model, weights=weights).read(ids[None])[0]
    reader = NumpyReader(tiny.model, weights=weights)
    stepwise = np.concatenate([reader.read(ids[None, t : t + 1])[0] for t in range(32)])
    by_torch = copy.deepcopy(tiny.model).double()(torch.from_numpy(ids[None]))[0].numpy()
    assert at_once.dtype == np.float64 and ((at_once != stepwise) | (at_once != by_torch)).any()
    for other in (stepwise, by_torch):
        assert all((frequencies(a) == frequencies(b)).all() for a, b in zip(at_once, other, strict=True))


def test_a_model_that_learns_on_is_another_model(tiny):
    model = copy.deepcopy(tiny.model).requires_grad_(True)
    learner = Checkpoint(model, tiny.config, tiny.tokenizer, {})
    packed = pack(learner, TEXT)
    assert packed == pack(tiny, TEXT)
    with torch.no_grad():
        model.norm.weight *= 1.5
    with pytest.raises(LabError, match="another model"):
        unpack(learner, packed)
    assert unpack(learner, pack(learner, TEXT)) == TEXT


def test_another_model_is_named_as_the_reason(tiny, another):
    with pytest.raises(LabError, match="another model"):
        unpack(another, pack(tiny, TEXT))


def test_every_damaged_byte_and_every_cut_is_a_sentence(tiny):
    packed = pack(tiny, b"fog")
    for place in range(len(packed)):
        damaged = bytearray(packed)
        damaged[place] ^= 0x10
        with pytest.raises(LabError):
            unpack(tiny, bytes(damaged))
        with pytest.raises(LabError):
            unpack(tiny, packed[:place])
    with pytest.raises(LabError, match="damaged"):
        unpack(tiny, packed + b"\0")


@settings(max_examples=25)
@given(body=st.binary(max_size=12), total=st.sampled_from([0, 1, 40, 2**32 - 1]))
def test_a_forged_file_with_right_checksums_ends_with_a_sentence(tiny, body, total):
    header = HEADER.pack(MAGIC, model_id(tiny), total, 1)
    with pytest.raises(LabError, match="other bytes"):
        unpack(tiny, header + SEAL.pack(crc32(header + body)) + body)


@pytest.mark.parametrize("foreign", [b"", b"LL", b"\x1f\x8b\x08", b"the ferry"])
def test_a_foreign_file_is_a_sentence(tiny, foreign):
    with pytest.raises(LabError, match="llmlab pack"):
        unpack(tiny, foreign)


def test_sizes_are_counted_with_the_model_and_without():
    sizes = {size.name: size for size in compare(b"fog " * 100, b"12345", 1_000)}
    assert sizes["text"].bits_per_byte == 8
    assert (sizes["model"].n_bytes, sizes["model, itself counted"].n_bytes) == (5, 1_005)
    assert sizes["model"].bits_per_byte == pytest.approx(0.1)
    assert 20 < sizes["gzip -9"].n_bytes < 60 and 60 <= sizes["xz -9"].n_bytes < 100
    assert math.isnan(compare(b"", b"1", 0)[0].bits_per_byte)
