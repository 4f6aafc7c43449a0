"""The frame of a lesson: words in, markup out, and no words become markup."""

from html.parser import HTMLParser

import pytest

from llmlab.show import page


class Outline(HTMLParser):
    """Tags with their attributes, and the text between them; a tag left open raises."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags, self.words, self.open = [], [], []
        self.feed(markup)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


NASTY = '<script>alert("1")</script> & "quotes"'


@pytest.mark.parametrize(
    "markup",
    [
        page.top_line(NASTY, NASTY),
        page.lesson_head(NASTY, NASTY, minutes=18, talk=NASTY, talk_url=NASTY),
        page.caption(NASTY, NASTY),
        page.frame("<svg></svg>", look=NASTY, text=NASTY, alt=NASTY),
    ],
)
def test_words_are_escaped(markup):
    outline = Outline(markup)
    assert "script" not in [tag for tag, _ in outline.tags]
    assert NASTY in "".join(outline.words)


def test_the_steps_are_nine_and_one_is_now():
    outline = Outline(page.steps_line(3))
    marks = [attrs.get("class") for tag, attrs in outline.tags if tag == "li"]
    assert marks == ["ll-done"] * 3 + ["ll-now"] + [None] * 5
    assert [a.get("aria-current") for t, a in outline.tags if t == "li"].index("step") == 3
    assert outline.words == list(page.STEPS)
    with pytest.raises(ValueError, match="9 steps"):
        page.steps_line(9)


def test_a_figure_has_a_text_alternative():
    outline = Outline(
        page.frame("<svg></svg>", look="Look at the line.", text="It falls.", alt="Line chart: 8 to 2.")
    )
    assert outline.tags[0] == ("figure", {"class": "ll-frame", "aria-label": "Line chart: 8 to 2."})
    assert outline.words == ["Look at the line.", " It falls."]


def test_the_source_of_the_numbers_is_named():
    assert "live" in Outline(page.top_line("02", "course model")).words[2]
    outline = Outline(page.top_line("02", live=False))
    assert outline.words == ["LLM Lab", "02", "recorded"]
