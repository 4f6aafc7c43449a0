"""The front page: what you will be able to do, where you are, and the lessons on the talk's own clock.

Everything is computed: the lessons from the registry, their state from the progress file, the chart from the world,
the device from the machine. The wires from the clock to the rows need the rows' heights, so those are numbers here
and the stylesheet (home.css) uses the same ones.

Read next: lessons.py, the registry; chart.py, the sea chart.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from llmlab.course import glossary
from llmlab.course.chart import count, sea_chart
from llmlab.course.lessons import CHAPTERS, Lesson, available, clock
from llmlab.course.page import bar
from llmlab.course.progress import Progress, State
from llmlab.errors import LabError
from llmlab.world import build_world

FIRST_PART, PART, CHAPTER, LESSON = 32, 56, 30, 60  # row heights in px at size 1, as in home.css
CLOCK_WIDTH, RAIL, WIRE_END = (
    200,
    52,
    190,
)  # px: the column of the clock, its rail, where a wire meets its row
HOUR = 60 * 60


@dataclass(frozen=True)
class Row:
    """One line of the map: a part's heading, a chapter of the talk, or a lesson."""

    kind: str
    start: int
    title: str
    lesson: Lesson | None = None


def rows(lessons: list[Lesson]) -> Iterator[Row]:
    """The talk's chapters in order with the lessons in their places.

    A lesson that starts with a chapter stands for it; one that starts inside a chapter follows it.
    """
    part = ""
    ends = [chapter.start for chapter in CHAPTERS[1:]] + [HOUR]
    for chapter, end in zip(CHAPTERS, ends, strict=True):
        if chapter.part != part:
            part = chapter.part
            yield Row("part", chapter.start, part)
        inside = [lesson for lesson in lessons if chapter.start <= lesson.start < end]
        if not inside or inside[0].start != chapter.start:
            yield Row("chapter", chapter.start, chapter.title)
        yield from (Row("lesson", lesson.start, lesson.title, lesson) for lesson in inside)


def students_page(device: str) -> str:
    """The front page of whoever sits here. Where their progress cannot be read it says so, and all lessons are open."""
    try:
        return front_page(Progress().states(), device)
    except (LabError, OSError) as error:
        return front_page({}, device, f"Your progress cannot be shown. {error}")


def front_page(states: dict[str, State], device: str, trouble: str = "") -> str:
    """The whole page as HTML. `states` is how far each opened lesson is, the latest last."""
    lessons = available()
    style = Path(__file__).with_name("home.css").read_text(encoding="utf-8")
    top = bar(status=f'<span class="wide">{escape(device)} Everything runs.</span>')
    parts = top, _top(lessons, states, device, trouble), _able(lessons), _map(lessons, states), _words()
    return f'<style>{style}</style><div class="ll-home ll-page">{"".join(parts)}</div>'


def current(lessons: list[Lesson], states: dict[str, State]) -> Lesson | None:
    """Where the big button leads: the lesson worked on last, else the first that is not done."""
    begun = [lesson for slug in states for lesson in lessons if lesson.slug == slug]
    unfinished = [lesson for lesson in reversed(begun) if states[lesson.slug].word == "in progress"]
    fresh = [lesson for lesson in lessons if lesson.slug not in states]
    return next(iter([*unfinished, *fresh, *lessons]), None)


def _top(lessons: list[Lesson], states: dict[str, State], device: str, trouble: str) -> str:
    said = f'<p class="trouble" role="status">{escape(trouble)}</p>' if trouble else ""
    caption = f"The Quill Isles: {count(build_world())}. All that the models know, they read here."
    return f"""
<section class="top"><div>
<h1>A one-hour talk about large language models, with every minute of it running</h1>
<p class="lead">You train small models on an internet that we invented. So for each thing they say, you can see
where it comes from, and whether it is true.</p>
<div class="go">{_button(current(lessons, states), states)}</div>{said}
<p class="device">{escape(device)} Everything runs.</p>
</div><figure>{sea_chart()}<figcaption>{caption}</figcaption></figure></section>"""


def _button(lesson: Lesson | None, states: dict[str, State]) -> str:
    if lesson is None:
        return ""
    state = states.get(lesson.slug, State())
    verb = {"not started": "Begin", "in progress": "Continue", "done": "Look again"}[state.word]
    where = (
        f"<b>{state.solved} of {state.items}</b> questions and exercises solved"
        if state.items
        else f"<b>About {lesson.minutes} minutes</b><br>nothing to prepare"
    )
    link = f'<a href="{lesson.url}">{verb}: {lesson.number} {escape(lesson.title)}</a>'
    return f'{link}<span class="where">{where}</span>'


def _able(lessons: list[Lesson]) -> str:
    items = "".join(
        f"<li><b>After {x.number} {escape(x.title)}</b> you can {escape(x.ability)}.</li>" for x in lessons
    )
    return (
        f'<section class="able"><h2>What you will be able to do</h2><ul>{items}</ul></section>'
        if lessons
        else ""
    )


def _map(lessons: list[Lesson], states: dict[str, State]) -> str:
    lines = list(rows(lessons))
    now = current(lessons, states)
    now = now if now and states.get(now.slug, State()).word == "in progress" else None
    words = ("done", "in progress", "not started")
    done = sum(states.get(lesson.slug, State()).word == "done" for lesson in lessons)
    total = sum(lesson.minutes for lesson in lessons)
    many = f"{len(lessons)} lesson{'s' if len(lessons) != 1 else ''}, about {total} minutes; {done} done"
    items = "".join(_row(line, states, line.lesson is not None and line.lesson is now) for line in lines)
    legend = "".join(f"<span>{_sign(word)}{word}</span>" for word in words)
    return f"""
<section class="map"><h2>The course, on the talk’s own clock</h2>
<p>Each lesson starts where the talk speaks about it, and opens with trained models. The quiet lines are the
talk’s chapters.</p>
<div class="lines">{_clock(lines, now)}{_rail()}<ol>{items}</ol></div>
<div class="states">{legend}<span>{many}</span></div></section>"""


def _words() -> str:
    return f'<section class="words"><h2>The words of the course</h2>{glossary.listed()}</section>'


def _row(row: Row, states: dict[str, State], now: bool) -> str:
    if row.kind == "part":
        return f'<li class="part">{escape(row.title)}</li>'
    if row.lesson is None:
        title = f'<span class="title">{escape(row.title)}</span>'
        return f'<li class="chapter"><span>{clock(row.start)}</span>{title}</li>'
    state = states.get(row.lesson.slug, State())
    time = f"{state.solved} of {state.items}" if state.word == "in progress" else f"{row.lesson.minutes} min"
    return (
        f'<li><a class="row{" now" if now else ""}" href="{row.lesson.url}">'
        f'<span class="no">{row.lesson.number}</span><span class="title">{escape(row.title)}</span>'
        f'<span class="at">{clock(row.start)}</span><span class="effect">{escape(row.lesson.effect)}</span>'
        f'<span class="time">{time}</span>{_sign(state.word)}<span class="sr">{state.word}</span></a></li>'
    )


def _sign(word: str) -> str:
    """Empty, a third, full with a tick: readable without colour."""
    full, begun = word == "done", word == "in progress"
    inside = (
        '<path d="M5 8.3l2.2 2.2L11.2 6" fill="none" stroke="var(--ll-paper)" stroke-width="1.7"/>'
        if full
        else ""
    )
    inside += '<path d="M8 8V1.8A6.2 6.2 0 0 1 13.4 11.1Z" fill="currentColor"/>' if begun else ""
    return (
        f'<svg class="state" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6.2" '
        f'fill="{"currentColor" if full else "none"}" stroke="currentColor" stroke-width="1.4" '
        f'opacity="{1 if full or begun else 0.45}"/>{inside}</svg>'
    )


def _clock(lines: list[Row], now: Lesson | None) -> str:
    """The talk's hour as a ruler, with a wire from each moment to its row. For wide screens."""
    heights = [
        FIRST_PART,
        *({"part": PART, "chapter": CHAPTER, "lesson": LESSON}[row.kind] for row in lines[1:]),
    ]
    tops = [sum(heights[:k]) for k in range(len(heights) + 1)]
    middle = [top + height / 2 for top, height in zip(tops, heights, strict=False)]
    first, last = middle[1] - 6, middle[-1] + 6
    y = [first + (last - first) * minute / 60 for minute in range(61)]
    parts = [f'<rect class="rail" x="{RAIL - 3}" y="{first:.1f}" width="6" height="{last - first:.1f}"/>']
    for minute in range(0, 60, 2):
        height = y[minute + 1] - y[minute]
        parts.append(
            f'<rect class="minute" x="{RAIL - 3}" y="{y[minute]:.1f}" width="6" height="{height:.1f}"/>'
        )
    for minute in range(0, 61, 10):
        parts.append(f'<text x="{RAIL - 12}" y="{y[minute] + 4:.1f}" text-anchor="end">{minute}:00</text>')
    for row, b in zip(lines, middle, strict=True):
        if row.kind == "part":
            continue
        a = first + (last - first) * row.start / HOUR
        mark = " now" if now and row.lesson is now else ""
        radius = 5 if mark else 4 if row.lesson else 2.6
        curve = f"M{RAIL + 4} {a:.1f} C{RAIL + 50} {a:.1f} {WIRE_END - 62} {b:.1f} {WIRE_END} {b:.1f}"
        parts.append(f'<path class="wire{mark}" d="{curve}"/>')
        parts.append(f'<circle class="stop{mark}" cx="{RAIL}" cy="{a:.1f}" r="{radius}"/>')
    box = f"0 0 {CLOCK_WIDTH} {tops[-1]}"
    return f'<svg class="wide" viewBox="{box}" preserveAspectRatio="none" aria-hidden="true">{"".join(parts)}</svg>'


def _rail() -> str:
    """The same ruler for a phone: no wires, as long as the list."""
    minutes = "".join(
        f'<rect class="minute" y="{minute}" width="8" height="1"/>' for minute in range(0, 60, 2)
    )
    return (
        f'<svg class="phone" viewBox="0 0 8 60" preserveAspectRatio="none" aria-hidden="true">{minutes}</svg>'
    )
