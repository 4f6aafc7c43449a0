"""Texts for the lessons: what is shown was held out, and a source gives as much as is asked."""

import pytest

from llmlab.errors import LabError
from llmlab.measure import samples


def test_pages_that_are_shown_were_held_out():
    from llmlab.world.crawl import press

    maker = press("small", 1)
    valid = [i for i in range(300) if maker.page(i).split == "valid"]
    pages = samples.held_out()
    assert [next(pages).id for _ in valid] == valid
    assert next(samples.held_out()).split == "valid"


@pytest.mark.parametrize("source", samples.SOURCES.values())
def test_sources_give_as_much_text_as_is_asked(source: str):
    found = list(samples.texts(source, 5000))
    assert 5000 <= sum(len(text.encode()) for text in found) < 5000 + len(found[-1].encode()) + 1
    assert found == list(samples.texts(source, 5000))


def test_an_unknown_source_is_a_sentence():
    with pytest.raises(LabError, match="Choose one of"):
        next(samples.texts("Mars", 10))
