"""Syllables: the rule and its list against every line of the Isles' poems, which people counted."""

import pytest

from llmlab.measure.syllables import is_haiku, syllables
from llmlab.world.grammar import VOICES, read_rules


def counted_lines() -> list[tuple[int, str]]:
    wanted = {"five": 5, "seven": 7}
    return [
        (wanted[rule.split("_")[0]], line)
        for rule, lines in read_rules(VOICES / "poem.txt").items()
        for _, line in lines
        if rule.split("_")[0] in wanted and not set("[{<") & set(line)
    ]


def test_every_line_of_the_isles_poems_has_its_syllables():
    lines = counted_lines()
    assert len(lines) > 400
    assert [(n, syllables(line), line) for n, line in lines if syllables(line) != n] == []


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("lamp", 1),
        ("lighthouse", 2),
        ("harbour", 2),
        ("trembled", 2),
        ("walked", 1),
        ("needed", 2),
        ("people", 2),
    ],
)
def test_words_that_are_in_no_poem(word, count):
    assert syllables(word) == count


def test_a_poem_has_five_seven_and_five():
    assert is_haiku("A moth at the glass.\nOutside, the boats turn their heads.\nThe dark minds its own.")
    assert not is_haiku("A moth at the glass.\nOutside, the boats turn.\nThe dark minds its own.")
    assert not is_haiku("A moth at the glass. Outside, the boats turn their heads.")
