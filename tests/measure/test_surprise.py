"""Surprise: bits are those of the model, facts are found where the page says them, nothing is counted twice."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from llmlab.measure.surprise import (
    KINDS,
    articles,
    bits_by_kind,
    fact_bits,
    stated,
    text_bits,
    token_kinds,
    token_starts,
    tokens_of,
)
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.world import build_world
from llmlab.world.crawl import VALID_EVERY, Page, press

FOG = "the ferry waits for the fog"


@pytest.fixture(scope="module")
def pocket() -> Checkpoint:
    return zoo.load("pocket")


@pytest.fixture(scope="module")
def pages() -> list[Page]:
    maker = press("course", 1)
    held_out = (maker.page(i) for i in range(7, maker.count // 4, VALID_EVERY))
    return [page for page in held_out if page.kind == "encyclopedia"]


def test_bits_are_torchs_cross_entropy(tiny):
    ids = [tiny.tokenizer.bos, *tiny.tokenizer.encode(FOG)]
    x = torch.tensor([ids])
    nats = F.cross_entropy(tiny.model(x[:, :-1])[0], x[0, 1:], reduction="none")
    assert text_bits(tiny, FOG) == pytest.approx(nats.numpy() / np.log(2), rel=1e-4)


def test_facts_are_found_where_the_page_says_them(pages):
    world = build_world()
    facts = sum(len(page.facts) for page in pages)
    found = [(page, one) for page in pages for one in stated(world, page)]
    assert len(found) > 0.85 * facts
    plain = 0
    for page, one in found:
        said = page.text[one.start : one.end].casefold()
        plain += one.fact.value.casefold().removeprefix("the ") in said
        assert one.fact.id in page.facts and said.strip()
    assert plain > 0.7 * len(found)  # the rest are ages, numbers in words, plurals
    for page in pages:
        places = stated(world, page)
        assert all(a.end <= b.start for a, b in pairwise(places))


def test_an_age_says_a_year_of_birth():
    world = build_world()
    born = next(fact for fact in world.facts if fact.attribute == "born")
    for words in (str(426 - int(born.value)), born.value):
        page = SimpleNamespace(facts=[born.id], year=426, text=f"Seen in the fog, aged {words}, they say.")
        (one,) = stated(world, page)
        assert page.text[one.start : one.end] == words


def test_a_value_covers_its_tokens_and_no_others(pocket):
    text = "Das Ö steht vor Calamus, am Ö."
    ids = pocket.tokenizer.encode(text)
    starts, at = token_starts(pocket.tokenizer, ids), text.index("Calamus")
    places = tokens_of(text, starts, at, at + len("Calamus"))
    said = pocket.tokenizer.decode([ids[i] for i in places])
    assert said.strip() == "Calamus"


def test_fact_bits_are_a_part_of_the_page(pocket, pages):
    (text, facts), *_ = articles(build_world(), pages, pocket)
    each, whole = fact_bits(pocket, text, facts)
    bits = text_bits(pocket, text)
    assert whole == pytest.approx(bits.sum()) and 0 < sum(each) < whole
    starts = token_starts(pocket.tokenizer, pocket.tokenizer.encode(text))
    for one, cost in zip(facts, each, strict=True):
        assert cost == pytest.approx(bits[list(tokens_of(text, starts, one.start, one.end))].sum())


def test_each_token_has_one_kind_and_the_mean_is_over_all(pocket, pages):
    texts = articles(build_world(), pages, pocket)[:4]
    counts = dict.fromkeys(KINDS, 0)
    for text, facts in texts:
        kinds = token_kinds(pocket.tokenizer, text, facts)
        assert len(kinds) == len(pocket.tokenizer.encode(text)) and kinds.count("facts") == len(facts)
        for kind in kinds:
            counts[kind] += 1
    means = bits_by_kind(pocket, texts)
    total = sum(text_bits(pocket, text).sum() for text, _ in texts)
    assert sum(counts[kind] * means[kind] for kind in KINDS) == pytest.approx(total)


def test_kinds_are_what_they_say(pocket):
    text = "The harbourmaster, of old."
    pieces = [pocket.tokenizer.decode([i]) for i in pocket.tokenizer.encode(text)]
    kinds = dict(zip(pieces, token_kinds(pocket.tokenizer, text, []), strict=True))
    assert kinds["The"] == kinds[" of"] == "small words"
    assert kinds[","] == "marks and blanks"
    first, rest = (
        (p for p in pieces if p.strip() and p.strip() in "harbour"),
        [p for p in pieces if p in "master"],
    )
    assert kinds[next(first)] == "other words" and all(kinds[p] == "the rest of a word" for p in rest)


def test_facts_are_what_more_reading_makes_cheaper_and_what_stays_dear(pocket, pages):
    """The lesson's effect: pocket knows more than nothing, course knows more than pocket, and lacks facts most."""
    texts = articles(build_world(), pages, pocket)[:6]
    readers = (zoo.newborn(pocket), pocket, zoo.load("course"))
    before, early, late = (sum(sum(fact_bits(one, *text)[0]) for text in texts) for one in readers)
    assert before > 2 * early > 2 * late
    best = bits_by_kind(zoo.load("course"), texts)
    assert max(best, key=best.get) == "facts"
