"""The coder: what goes in comes out, in as few bytes as Shannon allows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab.measure.arithmetic_coding import LARGEST_TOTAL, Decoder, Encoder

ALMOST_CERTAIN = [0, LARGEST_TOTAL - 1, LARGEST_TOTAL]
HARDLY_EVER = [0, 1, LARGEST_TOTAL]


def through(tables: list, symbols: list[int]) -> bytes:
    """Encode, and check that decoding with the same tables gives the same symbols."""
    encoder = Encoder()
    for table, symbol in zip(tables, symbols, strict=True):
        encoder.encode(table, symbol)
    packed = encoder.finish()
    decoder = Decoder(packed)
    assert [decoder.decode(table) for table in tables] == symbols
    return packed


def ideal_bits(tables: list, symbols: list[int]) -> float:
    each = zip(tables, symbols, strict=True)
    return sum(math.log2(int(t[-1]) / int(t[s + 1] - t[s])) for t, s in each)


@st.composite
def messages(draw) -> tuple[list, list[int]]:
    """A table of its own for each symbol, zeros in it too; any symbol that is not impossible."""
    tables, symbols = [], []
    for _ in range(draw(st.integers(0, 40))):
        counts = draw(st.lists(st.integers(0, 3) | st.integers(0, 1 << 24), min_size=1, max_size=12))
        counts[draw(st.integers(0, len(counts) - 1))] += 1
        tables.append(np.concatenate(([0], np.cumsum(counts))))
        symbols.append(draw(st.sampled_from([i for i, count in enumerate(counts) if count])))
    return tables, symbols


@given(messages())
def test_every_message_comes_back_within_two_bytes_of_the_ideal(message):
    tables, symbols = message
    assert 8 * len(through(tables, symbols)) <= ideal_bits(tables, symbols) + 16


def test_a_long_message_wastes_nothing():
    chance = np.random.default_rng(0)
    tables = [np.concatenate(([0], np.cumsum(chance.integers(1, 50_000, 300)))) for _ in range(2_000)]
    symbols = chance.integers(0, 300, 2_000).tolist()
    assert 8 * len(through(tables, symbols)) < ideal_bits(tables, symbols) + 24


@pytest.mark.parametrize("table", [ALMOST_CERTAIN, HARDLY_EVER], ids=["almost certain", "hardly ever"])
@pytest.mark.parametrize("symbol", [0, 1])
def test_the_largest_total_and_the_smallest_frequency(table, symbol):
    symbols = [symbol] * 200 + [1 - symbol] * 3
    tables = [table] * len(symbols)
    assert 8 * len(through(tables, symbols)) < ideal_bits(tables, symbols) * 1.001 + 24


def test_an_interval_that_stays_around_the_middle():
    """Symbol 1 of three is the middle third again and again: no bit is known until the end."""
    tables = [[0, 1, 2, 3]] * 3_000
    assert 8 * len(through(tables, [1] * 3_000)) < 3_000 * math.log2(3) + 24


def test_two_bits_are_two_bits():
    """By hand: four equally likely symbols are the numbers 00, 01, 10, 11, and a one closes the message."""
    encoder = Encoder()
    for symbol in (2, 0, 3):
        encoder.encode([0, 1, 2, 3, 4], symbol)
    assert encoder.finish() == bytes([0b10001101])


@pytest.mark.parametrize("packed", [b"", b"\x55"])
def test_a_message_that_is_too_short_ends(packed):
    decoder = Decoder(packed)
    with pytest.raises(EOFError):
        for _ in range(100):
            decoder.decode([0, 1, 2])
