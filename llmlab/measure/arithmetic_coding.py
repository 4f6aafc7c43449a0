"""Arithmetic coding: a whole message becomes one number between 0 and 1.

Cut the interval from 0 to 1 into one piece a symbol, each as wide as the symbol is likely, and go into the piece of
the symbol that comes. Cut that piece in the same way, and again. At the end any number inside names the whole
message, and the fewer bits it needs the wider the last interval is: -log2 of the product of all probabilities, less
than two bits more. No code that gives each symbol bits of its own can do that: a symbol of probability 0.99
costs 0.0145 bits here.

The interval is kept in 32 bits. As soon as both of its ends lie in the same half, that half is a bit of the result,
and the half is stretched to full width; an interval that stays around the middle is stretched too, and the bit is
owed until it is known. Probabilities are whole numbers: frequencies that add up to a total.

Read next: compress.py, where a language model says how likely each symbol is.
Source: Witten, Neal and Cleary 1987, "Arithmetic coding for data compression" (CACM 30:6), the same steps.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import numpy as np

BITS = 32
QUARTER, HALF, FULL = 1 << BITS - 2, 1 << BITS - 1, 1 << BITS
LARGEST_TOTAL = QUARTER  # an interval is never narrower than that, so each frequency has room


class Interval:
    """All whole numbers from `low` to `high`: where the message can still lie."""

    def __init__(self) -> None:
        self.low, self.high = 0, FULL - 1

    def narrow(self, cumulative: Sequence[int], symbol: int) -> Iterator[int]:
        """Go into the piece of `symbol`; yields 0, HALF or QUARTER for each doubling: what was cut off below.

        cumulative (V + 1,): the sum of the frequencies before each symbol, then their total.
        """
        width, total = self.high - self.low + 1, int(cumulative[-1])
        self.high = self.low + width * int(cumulative[symbol + 1]) // total - 1
        self.low = self.low + width * int(cumulative[symbol]) // total
        while (below := self.stretchable()) is not None:
            self.low, self.high = 2 * (self.low - below), 2 * (self.high - below) + 1
            yield below

    def stretchable(self) -> int | None:
        """The start of the half that holds the interval: lower, upper, or middle one; None while it is in none."""
        if self.high < HALF:
            return 0
        if self.low >= HALF:
            return HALF
        return QUARTER if self.low >= QUARTER and self.high < HALF + QUARTER else None


class Encoder:
    """Symbols in, bytes out: `encode` each symbol, then `finish`."""

    def __init__(self) -> None:
        self.interval, self.bits, self.owed = Interval(), bytearray(), 0

    def encode(self, cumulative: Sequence[int], symbol: int) -> None:
        """Add one symbol. cumulative (V + 1,) rising from 0 to at most LARGEST_TOTAL; the symbol's piece not empty."""
        for below in self.interval.narrow(cumulative, symbol):
            if below == QUARTER:
                self.owed += 1  # around the middle: 01… or 10…, the next bit will tell
            else:
                self.write(below // HALF)

    def write(self, bit: int) -> None:
        self.bits += bytes([bit, *[1 - bit] * self.owed])
        self.owed = 0

    def finish(self) -> bytes:
        """The message. After its last bit the decoder reads zeros, so two bits point into the interval."""
        self.owed += 1
        self.write(0 if self.interval.low < QUARTER else 1)
        return np.packbits(np.frombuffer(self.bits, np.uint8)).tobytes()


class Decoder:
    """Bytes in, symbols out, as many as the caller asks for with the frequencies that the encoder had."""

    def __init__(self, packed: bytes) -> None:
        self.interval, self.bits, self.at = Interval(), np.unpackbits(np.frombuffer(packed, np.uint8)), 0
        self.value = 0
        for _ in range(BITS):
            self.value = 2 * self.value + self.bit()

    def bit(self) -> int:
        """The next bit; zeros after the end. EOFError where no message of these bytes goes on so long."""
        self.at += 1
        if self.at > len(self.bits) + BITS:
            raise EOFError("the bits have ended before the message")
        return int(self.bits[self.at - 1]) if self.at <= len(self.bits) else 0

    def decode(self, cumulative: Sequence[int]) -> int:
        """The next symbol: the one in whose piece the number lies. cumulative (V + 1,) as for the encoder."""
        width = self.interval.high - self.interval.low + 1
        share = ((self.value - self.interval.low + 1) * int(cumulative[-1]) - 1) // width
        symbol = bisect_right(cumulative, share) - 1  # an empty piece is stepped over
        for below in self.interval.narrow(cumulative, symbol):
            self.value = 2 * (self.value - below) + self.bit()
        return symbol
