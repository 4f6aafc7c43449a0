"""The frame of a lesson as HTML strings: top line, head, the nine steps, captions.

Pure functions from words to markup, for `mo.Html` and for a hand-out alike. All words are escaped; a
caption takes its bold command apart from its text, so no markup has to be passed in.
"""

from __future__ import annotations

from html import escape

STEPS = (
    "Question",
    "Touch",
    "Guess",
    "See",
    "Under the hood",
    "Train it",
    "Exercises",
    "In the real thing",
    "Now you can say",
)


def top_line(number: str, source: str = "", *, live: bool = True, home: str = "/") -> str:
    """The line above a lesson: the course, the lesson's number, who makes the numbers."""
    state = "live" if live else "recorded"
    names = f"ll-page-source{' ll-live' if live else ''}"
    more = f'<span class="ll-wide">, {escape(source)}</span>' if source else ""
    return (
        f'<div class="ll-page-top"><a href="{escape(home)}">LLM Lab</a><span>{escape(number)}</span>'
        f'<span class="ll-grow"></span><span class="{names}"><span>{state}{more}</span></span></div>'
    )


def lesson_head(title: str, question: str, *, minutes: int, talk: str, talk_url: str = "") -> str:
    """Title, the question, how long it takes, and the place in the talk ("2:36")."""
    place = f"talk, from {escape(talk)}"
    link = f'<a href="{escape(talk_url)}">{place}</a>' if talk_url else f"<span>{place}</span>"
    return (
        f'<section class="ll-lesson-head"><div><h1>{escape(title)}</h1>'
        f'<p class="ll-question">{escape(question)}</p></div>'
        f'<div class="ll-meta"><span>{minutes} minutes</span>{link}</div></section>'
    )


def steps_line(now: int) -> str:
    """The nine steps of a lesson; `now` counts from 0, those before it are done."""
    if not 0 <= now < len(STEPS):
        raise ValueError(f"A lesson has {len(STEPS)} steps; there is no step {now}.")
    items = []
    for i, name in enumerate(STEPS):
        mark = ' class="ll-now" aria-current="step"' if i == now else ' class="ll-done"' if i < now else ""
        items.append(f"<li{mark}>{name}</li>")
    return f'<ol class="ll-steps" aria-label="Steps of the lesson">{"".join(items)}</ol>'


def caption(look: str, text: str) -> str:
    """What to look at (a command, "Look at the black line.") and how to read it: two to four sentences."""
    return f'<p class="ll-caption"><b>{escape(look)}</b> {escape(text)}</p>'


def frame(picture: str, *, look: str, text: str, alt: str) -> str:
    """A figure: markup of the picture (trusted, ours), its caption, and its text alternative."""
    return (
        f'<figure class="ll-frame" aria-label="{escape(alt)}">{picture}'
        f"<figcaption>{caption(look, text)}</figcaption></figure>"
    )
