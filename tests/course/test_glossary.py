"""The glossary: one file, from which each lesson shows its own words, and to which new words in its text lead."""

import re

from llmlab.course import glossary, page
from llmlab.course.lessons import available

LINK = re.compile(r"\]\(#(word-[^)]*)\)")


def test_a_word_stands_once_and_under_a_lesson_that_exists():
    words = glossary.words()
    assert len({word.anchor for word in words}) == len(words) > 40
    assert {word.lesson for word in words} == {lesson.number for lesson in available()}
    assert all(word.meaning.endswith((".", "others.")) and len(word.meaning) < 220 for word in words)


def test_links_in_a_lesson_lead_to_the_words_below_it():
    for lesson in available():
        below = {word.anchor for word in glossary.words() if word.lesson == lesson.number}
        linked = LINK.findall(lesson.file.read_text(encoding="utf-8"))
        assert linked and len(linked) == len(set(linked)) and set(linked) <= below, lesson.slug
        assert all(f'id="{anchor}"' in glossary.listed(lesson.number) for anchor in linked)


def test_a_lesson_ends_with_the_way_to_the_next():
    first, *_, last = available()
    assert available()[1].url in page.farewell(first.number).text
    assert "Next:" not in page.farewell(last.number).text and 'href="/"' in page.farewell(last.number).text
