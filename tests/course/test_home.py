"""The front page lists what exists and nothing else, in the talk's order."""

import re
import xml.etree.ElementTree as ET

from llmlab.course import home, lessons
from llmlab.course.chart import draw, sea_chart
from llmlab.course.lessons import CHAPTERS, END, LESSONS, Lesson, at, clock
from llmlab.course.progress import State
from llmlab.world import build_world

DREAMS = Lesson("05", "dreams", "Dreams <b>", "See", "Why?", "see", 20, at("0:08:58"))
TOOLS = Lesson("12", "tools", "Tool use", "Search", "How?", "search", 25, at("0:30:00"))


def test_every_chapter_is_there_once_and_in_order():
    shown = [row for row in home.rows([]) if row.kind == "chapter"]
    assert [row.title for row in shown] == [chapter.title for chapter in CHAPTERS]
    assert [row.start for row in shown] == sorted(row.start for row in shown)
    assert shown[-1].start < END < home.HOUR


def test_a_lesson_at_a_chapters_start_stands_for_it_and_one_inside_follows_it():
    titles = [row.title for row in home.rows([DREAMS, TOOLS])]
    assert "LLM dreams" not in titles and "Dreams <b>" in titles
    assert titles.index("Tool use") + 1 == titles.index("Tool use", titles.index("Tool use") + 1)
    starts = [row.start for row in home.rows([DREAMS, TOOLS]) if row.kind != "part"]
    assert starts == sorted(starts)


def test_a_lesson_that_is_not_there_is_not_promised(monkeypatch):
    missing = Lesson("77", "nowhere", "Nowhere land", "", "", "", 20, at("0:10:00"))
    monkeypatch.setattr(lessons, "LESSONS", (*LESSONS, missing))
    assert "Nowhere land" not in home.front_page({}, "2 CPU cores.")


def test_the_page_shows_how_far_each_lesson_is(monkeypatch):
    monkeypatch.setattr(home, "available", lambda: [DREAMS, TOOLS])
    page = home.front_page({"12_tools": State(2, 2), "05_dreams": State(1, 3)}, "2 CPU cores.")
    assert "Continue: 05 Dreams &lt;b&gt;" in page and "<b>1 of 3</b>" in page
    assert page.count('class="row now"') == 1
    assert "2 lessons, about 45 minutes; 1 done" in page


def test_the_button_leads_to_the_first_lesson_that_is_not_done():
    assert home.current([DREAMS, TOOLS], {}) is DREAMS
    assert home.current([DREAMS, TOOLS], {DREAMS.slug: State(1, 1)}) is TOOLS
    assert home.current([DREAMS, TOOLS], {TOOLS.slug: State(0, 1)}) is TOOLS
    assert home.current([DREAMS], {DREAMS.slug: State(1, 1)}) is DREAMS
    assert home.current([], {}) is None


def test_the_wires_end_at_the_rows_that_the_stylesheet_draws():
    css = (lessons.FOLDER.parent / "llmlab" / "course" / "home.css").read_text(encoding="utf-8")
    for selector, height in ((".row", home.LESSON), (".chapter", home.CHAPTER), (".part", home.PART)):
        assert re.search(
            rf"\.ll-home {re.escape(selector)} {{ height: calc\({height} \* var\(--u\)\)", css
        ), selector
    assert f".ll-home .part:first-child {{ height: calc({home.FIRST_PART} * var(--u))" in css
    assert f"--clock: calc({home.CLOCK_WIDTH} * var(--u))" in css


def test_the_chart_draws_the_worlds_own_islands_and_towns():
    world = build_world()
    svg = ET.fromstring(draw(world))
    names = {text.text for text in svg.iter("text") if text.get("class") == "name"}
    towns = {title.text for title in svg.iter("title")}
    assert names == {island.name for island in world.of_kind("island")}
    assert towns == {town.name for town in world.of_kind("town")}


def test_the_chart_is_the_same_each_time():
    assert draw(build_world("small")) == draw(build_world("small"))
    assert sea_chart() == draw(build_world())


def test_towns_lie_on_land_and_names_lie_on_the_chart():
    svg = ET.fromstring(sea_chart())
    for text in (text for text in svg.iter("text") if text.get("class") == "name"):
        width = len(text.text) * float(text.get("font-size")) * 0.55
        x = float(text.get("x")) - (width / 2 if text.get("text-anchor") == "middle" else 0)
        assert x >= 15 and x + width <= 481, text.text
    lands = [[tuple(map(float, p.split(","))) for p in path.get("d")[1:-1].split("L")] for path in svg.iter("path")
             if path.get("class") == "land"]  # fmt: skip
    for town in (c for c in svg.iter("circle") if c.get("class") == "town"):
        x, y = float(town.get("cx")), float(town.get("cy"))
        assert any(_inside(x, y, land) for land in lands), (x, y)


def _inside(x: float, y: float, points: list[tuple[float, float]]) -> bool:
    """Whether a ray to the right crosses the outline an odd number of times."""
    edges = zip(points, [*points[1:], points[0]], strict=True)
    return (
        sum(
            (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1) for (x1, y1), (x2, y2) in edges
        )
        % 2
        == 1
    )


def test_the_clock_is_read_both_ways():
    assert at("0:04:17") == 257 and clock(257) == "4:17" and clock(at("0:20:05")) == "20:05"


def test_a_damaged_progress_file_is_said_and_the_lessons_are_open(monkeypatch, tmp_path):
    monkeypatch.setenv("LLMLAB_DATA", str(tmp_path))
    assert "trouble" not in re.sub(r"<style>.*?</style>", "", home.students_page("2 CPU cores."), flags=re.S)
    (tmp_path / "progress.sqlite").write_bytes(b"this is no database, and long enough to be looked at" * 20)
    page = home.students_page("2 CPU cores.")
    assert "delete the file" in page and LESSONS[0].url in page
    monkeypatch.setenv("LLMLAB_DATA", str(tmp_path / "progress.sqlite" / "below"))
    assert "Your progress cannot be shown" in home.students_page("2 CPU cores.")
