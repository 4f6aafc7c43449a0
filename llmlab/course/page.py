"""What every page of the course has: the top line, and the head of a lesson with its nine steps.

The looks and the few lines of script (presenter size, light and dark, the step being read) are put into each page by
the server, so a lesson only says what stands in its head.
"""

from collections.abc import Callable
from html import escape
from pathlib import Path

import marimo as mo

from llmlab.course import glossary
from llmlab.course.lessons import available, clock, find

STEPS = {
    "question": "Question",
    "touch": "Touch",
    "guess": "Guess",
    "see": "See",
    "hood": "Under the hood",
    "train": "Train it yourself",
    "exercises": "Exercises",
    "real": "In the real thing",
    "next": "What next",
}


def head(number: str, source: str = "", live: bool = True) -> mo.Html:
    """The first thing of a lesson. `source` says whose numbers these are: "live, course, seed 7"."""
    lesson = find(number)
    dot = f'<span class="ll-source{" live" if live else ""}">{escape(source)}</span>' if source else ""
    steps = "".join(f'<li><a href="#ll-{name}">{title}</a></li>' for name, title in STEPS.items())
    return mo.Html(
        f'<div class="ll-page">{bar(f"{lesson.number} {lesson.title}", dot)}<section class="ll-head" id="ll-question">'
        f"<div><h1>{escape(lesson.title)}</h1><p>{escape(lesson.question)}</p></div>"
        f'<div class="meta"><span>About {lesson.minutes} minutes</span><span>In the talk from {clock(lesson.start)}'
        f'</span></div></section><ol class="ll-steps">{steps}</ol></div>'
    )


def step(name: str, title: str = "") -> mo.Html:
    """The heading of one of the nine steps; the line at the top leads here. The title may say more than the name."""
    return mo.Html(f'<h2 class="ll-step" id="ll-{name}">{escape(title or STEPS[name])}</h2>')


def farewell(number: str) -> mo.Html:
    """The end of a lesson: its words, and where to go from here."""
    onward = [lesson for lesson in available() if lesson.number > number][:1]
    link = "".join(f'<a class="next" href="{x.url}">Next: {x.number} {escape(x.title)}</a>' for x in onward)
    return mo.Html(
        f'<section class="ll-page ll-farewell"><h3>Words of this lesson</h3>{glossary.listed(number)}'
        f'<p>{link}<a href="/">Back to the course</a></p></section>'
    )


def caption(look: str, text: str) -> str:
    """What to look at (a command, "Look at the black line.") and how to read it: two to four sentences."""
    return f'<p class="ll-caption"><b>{escape(look)}</b> {escape(text)}</p>'


class Scene:
    """A place of the page whose numbers take a moment: made when it is scrolled to. It keeps room for `rows` lines.

    From then on it is made at once, so that after a control was moved the old stays until the new is there.
    In a script or a hand-out nobody scrolls, so there it is made at once, too.
    """

    def __init__(self, rows: float) -> None:
        self.room, self.seen = f'<div style="min-height: {2.2 * rows:.1f}rem">', False

    def show(self, make: Callable[[], str]) -> mo.Html:
        """The HTML that `make` gives; widgets may stand in it."""
        if self.seen or mo.app_meta().mode not in ("run", "edit"):
            return mo.Html(f"{self.room}{make()}</div>")

        def first() -> mo.Html:
            self.seen = True
            return mo.Html(make())

        return mo.Html(f"{self.room}{mo.lazy(first, show_loading_indicator=True)}</div>")


def later(make: Callable[[], str], rows: float) -> mo.Html:
    """A scene that no control changes."""
    return Scene(rows).show(make)


def bar(where: str = "", status: str = "") -> str:
    """The top line: the course, where we are, a status (HTML), and the two buttons."""
    place = f'<span class="wide">{escape(where)}</span>' if where else ""
    return (
        f'<header class="ll-bar"><a class="word" href="/">LLM Lab</a>{place}<span class="gap"></span>{status}'
        '<button type="button" data-ll-act="size" aria-label="Larger, for a lecture hall">Aa</button>'
        '<button type="button" data-ll-act="theme">Light / dark</button></header>'
    )


def for_head() -> str:
    """What the server puts into every page's <head>."""
    here = Path(__file__)
    style = here.with_name("page.css").read_text(encoding="utf-8")
    script = here.with_name("page.js").read_text(encoding="utf-8")
    return f"<style>{style}</style><script>{script}</script>"
