"""The head of a lesson: words in, markup out, and no words become markup."""

from html.parser import HTMLParser
from types import SimpleNamespace

from llmlab.course import page


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


def test_words_are_escaped():
    for markup in (page.caption(NASTY, NASTY), page.head("02", NASTY).text, page.bar(NASTY)):
        outline = Outline(markup)
        assert "script" not in [tag for tag, _ in outline.tags]
        assert NASTY in "".join(outline.words)


def test_every_step_of_a_lesson_has_a_place_to_go_to():
    links = [
        attrs["href"]
        for tag, attrs in Outline(page.head("02").text).tags
        if tag == "a" and attrs["href"] != "/"
    ]
    assert len(links) == 9
    places = {Outline(page.step(name).text).tags[0][1]["id"] for name in page.STEPS if name != "question"}
    assert {f"#{place}" for place in places} | {"#ll-question"} == set(links)


def test_a_caption_begins_with_what_to_look_at():
    assert Outline(page.caption("Look at the line.", "It falls.")).words == [
        "Look at the line.",
        " It falls.",
    ]


def test_a_scene_is_made_when_it_is_seen_and_from_then_on_at_once(monkeypatch):
    seen = []
    lazy = lambda make, show_loading_indicator: seen.append(make) or "waiting"  # noqa: E731
    monkeypatch.setattr(page.mo, "app_meta", lambda: SimpleNamespace(mode="run"))
    monkeypatch.setattr(page.mo, "lazy", lazy)
    scene = page.Scene(rows=10)
    assert "waiting" in scene.show(lambda: "<p>first</p>").text
    assert "waiting" in scene.show(lambda: "<p>second</p>").text  # nobody has been there yet
    assert seen[-1]().text == "<p>second</p>"
    third = scene.show(lambda: "<p>third</p>").text
    assert "<p>third</p>" in third and "min-height: 22.0rem" in third  # the same room as before


def test_where_nobody_scrolls_a_scene_is_made_at_once():
    assert "<p>now</p>" in page.later(lambda: "<p>now</p>", rows=3).text
