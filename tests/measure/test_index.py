"""The index against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmlab.measure.index import Index, build_index, sort_suffixes
from llmlab.text.packing import prepare
from llmlab.text.tokenizer import Tokenizer
from llmlab.world.realtext import Document

TEXTS = [
    "the fog waits for the ferry",
    "the ferry waits for nobody",
    "fog and ferry, ferry and fog",
    "nobody waits",
]


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Index:
    words = Tokenizer.train([" ".join(TEXTS) * 5], 290)
    pages = [Document("x", str(i), text, id=100 + i) for i, text in enumerate(TEXTS)]
    file = prepare(pages, words, tmp_path_factory.mktemp("index") / "tokens").train
    found = build_index(file)
    found.words = words
    return found


def brute(haystack: list[int], needle: list[int]) -> list[int]:
    return [i for i in range(len(haystack)) if haystack[i : i + len(needle)] == needle]


def test_suffixes_are_in_order():
    tokens = np.random.default_rng(0).integers(0, 5, 300).astype("<u2")
    order = sort_suffixes(tokens)
    suffixes = [tokens[i:].tolist() for i in order]
    assert suffixes == sorted(suffixes) and sorted(order) == list(range(300))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_occurrences_matches_and_followers_equal_brute_force(index, data):
    all_tokens = index.file.tokens.tolist()
    at = data.draw(st.integers(0, len(all_tokens) - 4))
    needle = all_tokens[at : at + data.draw(st.integers(1, 5))]
    if data.draw(st.booleans()):
        needle[-1] = data.draw(st.integers(0, 255))
    assert sorted(index.occurrences(needle).tolist()) == brute(all_tokens, needle)
    lengths = index.longest_matches(needle)
    for i, length in enumerate(lengths):
        assert length == max(
            n for n in range(len(needle) - i + 1) if not n or brute(all_tokens, needle[i : i + n])
        )
    found = index.followers(needle)
    suffix = needle[len(needle) - found.length :]
    after = [
        all_tokens[i + len(suffix)] for i in brute(all_tokens, suffix) if i + len(suffix) < len(all_tokens)
    ]
    assert dict(zip(found.tokens.tolist(), found.counts.tolist(), strict=True)) == {
        t: after.count(t) for t in after
    }


def test_pages_that_hold_a_phrase(index):
    assert index.pages(index.words.encode(" for")) == [100, 101]
    assert index.pages(index.words.encode(" and")) == [102]


def test_it_is_opened_from_the_disk_the_second_time(index):
    path = index.file.folder / "suffixes.bin"
    before = path.stat().st_mtime_ns
    build_index(index.file)
    assert path.stat().st_mtime_ns == before
