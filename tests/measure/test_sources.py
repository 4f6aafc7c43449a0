"""Pages behind a match, and matches by chance: against brute force on a small corpus."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab.measure import chance
from llmlab.measure.dreams import covering, run_at, trace
from llmlab.measure.index import build_index
from llmlab.measure.sources import sources
from llmlab.text.packing import prepare
from llmlab.text.tokenizer import Tokenizer
from llmlab.world.crawl import press
from llmlab.world.realtext import Document

TEXTS = [
    "The fog waits for the ferry, and the ferry waits for nobody at all.",
    "Nobody waits for the fog. The fog waits for the ferry, and so do we.",
    "We wait for the bell.",
]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    words = Tokenizer.train([" ".join(TEXTS) * 5], 300)
    pages = [Document("letter", str(i), text, id=10 + i) for i, text in enumerate(TEXTS)]
    file = prepare(pages, words, tmp_path_factory.mktemp("sources") / "tokens").train
    return build_index(file), words


def test_a_source_is_a_piece_of_its_page(library):
    index, words = library
    run = words.encode(" waits for the ferry, and")
    n, found = sources(index, words, run, most=5, around=4)
    assert n == 2 and [s.page for s in found] == [10, 11]
    for source in found:
        whole = source.before.removeprefix("… ") + source.said + source.after.removesuffix(" …")
        assert source.said == " waits for the ferry, and" and whole in TEXTS[source.page - 10]
        assert source.kind == "letter"
    assert (
        found[0].before == TEXTS[0][: TEXTS[0].index(" waits")]
    )  # the page begins there: nothing is left out
    assert sources(index, words, run, most=1)[0] == 2


def test_context_never_crosses_into_another_page(library):
    index, words = library
    _, (only,) = sources(index, words, words.encode(" the bell."), around=50)
    assert only.before + only.said + only.after == TEXTS[2]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=12), st.data())
def test_the_run_at_a_token_is_the_longest_that_covers_it(lengths, data):
    lengths = [min(length, len(lengths) - i) for i, length in enumerate(lengths)]
    token = data.draw(st.integers(0, len(lengths) - 1))
    first, length = run_at(lengths, token)
    assert length == covering(np.array(lengths))[token]
    assert length == 0 or (first <= token < first + length and lengths[first] == length)


def test_marks_say_copied_only_where_a_match_is_long_enough(library):
    index, words = library
    ids = words.encode("Nobody waits for the fog. Nobody ferry bell")
    found = trace(ids, words, index, None)
    assert set(found.verdicts) == {""}
    marks = found.marks(least=6)
    assert [mark == "copied" for mark in marks] == [m >= 6 for m in found.match]
    assert marks[0] == "copied" and marks[-1] == ""
    assert trace(ids, words, None, None).match.sum() == 0


def test_shares_and_threshold_are_counts():
    matches = [0, 1, 1, 2, 5, 5, 5, 9]
    counts = np.bincount(matches)
    for n in range(len(counts)):
        assert chance.reached(counts)[n] == sum(m >= n for m in matches) / len(matches)
    assert chance.threshold(counts, 0.5) == 3  # half of the tokens are in a match of 3 or more
    assert chance.threshold(counts, 0.2) == 6
    assert chance.threshold(counts, 0.01) == 10  # longer than all of them


def test_texts_by_chance(library):
    index, words = library
    rows = [words.encode(text) for text in TEXTS]
    (mixed,) = chance.shuffled(rows)
    assert sorted(mixed) == sorted([token for row in rows for token in row])
    own, random = (chance.histogram(texts, index) for texts in (rows, [mixed]))
    assert own.sum() == random.sum() == len(mixed)
    assert chance.threshold(random) < chance.threshold(own)
    assert sum(map(len, chance.enough(rows, 5))) >= 5 and len(chance.enough(rows, 5)) == 1


def test_another_world_speaks_of_others_in_the_same_voice():
    texts = list(chance.texts("shop", "small"))
    own = press("small", 1).world
    named = sum(any(p.name in text for p in own.of_kind("product")) for text in texts)
    assert len(texts) > 10 and named < len(texts) / 4
    assert "class LabError" in "".join(chance.texts("python", "small"))
