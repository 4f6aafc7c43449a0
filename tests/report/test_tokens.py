"""The rows of lesson 03 say what the lesson says, and their intervals are those of the books."""

import re

import pytest

from llmlab.course import tokens, tokens_measured
from llmlab.model import zoo
from llmlab.report.figure import Figure, mean
from llmlab.report.tokens import of_the_tokens
from llmlab.show.number_format import measured, percent


@pytest.fixture(scope="module")
def rows() -> dict[str, Figure]:
    return {row.id: row for row in of_the_tokens(zoo.load("course"))}


def text(html: str) -> str:
    return re.sub(r"<style>.*?</style>|<[^>]*>", " ", html, flags=re.S)


def test_a_mean_has_its_normal_interval():
    """By hand: 1, 2, 3, 4 have the mean 2.5, the standard deviation 1.2910, the standard error 0.6455."""
    row = mean("x", [1, 2, 3, 4], "reported")
    assert (row.value, row.n) == (2.5, 4)
    assert (row.low, row.high) == (
        pytest.approx(2.5 - 1.2652, abs=1e-4),
        pytest.approx(2.5 + 1.2652, abs=1e-4),
    )


def test_the_lesson_shows_what_the_rows_say(rows: dict[str, Figure]):
    first, last = (rows[f"tokens.respelled.{place}_bits"].value for place in ("first", "last"))
    said = tokens_measured.surprise_sentence("course")
    assert f"costs {first:.2f} bits more" in said and f"the last ones {last:.2f}" in said
    knows = [row for id, row in rows.items() if id.startswith("tokens.vector_knows.")]
    table = text(tokens_measured.letters_table("course"))
    assert len(knows) == len(tokens_measured.QUESTIONS)
    assert all(percent(row.value) in table and f"of {row.n:,} words" in table for row in knows)
    assert measured(round(50 * rows["tokens.sums"].value), 50) in tokens_measured.sums_sentence("course")
    prices = [row.value for id, row in rows.items() if id.startswith("tokens.bytes_per_token.")]
    table = text(tokens.kinds_table(zoo.load("course").tokenizer))
    assert len(prices) == 8 and all(f"{price:.2f}" in table for price in prices)


def test_the_rows_reach_their_goals(rows: dict[str, Figure]):
    assert rows["tokens.same_as_tiktoken"].value == 1
    first, last = (rows[f"tokens.respelled.{place}_bits"] for place in ("first", "last"))
    assert first.low > 0 and last.value < first.value / 2
    for name in ("ways_to_cut", "tokens_for_a_7"):
        assert rows[f"tokens.digits.ours.{name}"].value == 1
        assert all(rows[f"tokens.digits.{rule}.{name}"].value > 1 for rule in ("gpt4", "gpt2"))
