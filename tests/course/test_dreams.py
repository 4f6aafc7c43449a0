"""Lesson 05: what it shows is what was traced, and its exercises know right from wrong."""

import re
from html import unescape
from types import SimpleNamespace

import pytest

from llmlab.course import dreams, dreams_exercises, dreams_live, dreams_measured
from llmlab.course.dreams import Dreamer, Night
from llmlab.course.dreams_exercises import CHECK_DIGIT, QUIZ, check_code, exercises
from llmlab.course.jobs import Job
from llmlab.measure.claims import Claim
from llmlab.measure.dreams import run_at
from llmlab.measure.numbers import Dreamt, check_digit
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.report.dream_record import HEATS, LEAST_RUN, SEEDS
from llmlab.report.dreams import FAMOUS, KINDS, NOBODY, RARE, opening, subjects
from llmlab.world import build_world


@pytest.fixture(scope="module")
def course() -> Checkpoint:
    return zoo.load("course")


@pytest.fixture
def dreamer(course: Checkpoint) -> Dreamer:
    """As it is before the index is there."""
    made = Dreamer(course, SimpleNamespace(index=None, look=lambda: "Preparing the counts: 1 of 2 …"))
    made.show(Night())
    return made


def text_of(html: str) -> str:
    return unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "", html, flags=re.S))


# ---- the three dreams ----


def test_the_recording_is_of_the_shipped_model(course: Checkpoint):
    """Where this fails, the model was trained again: `llmlab record dreams`."""
    found = dreams_measured.recording(course)
    assert found.is_of(course)
    assert len(found.dreams) == len(HEATS) * len(SEEDS) * (2 * 3 + 1)


@pytest.mark.parametrize("about", [FAMOUS, RARE, NOBODY])
def test_every_recorded_dream_can_be_shown(dreamer: Dreamer, about: str):
    for heat in HEATS:
        for seed in SEEDS:
            dreamer.show(Night(about, heat, seed))
            assert not dreamer.live and dreamer.night == Night(about, heat, seed)
            for kind, text in dreamer.texts.items():
                begun = opening(kind, subjects(build_world(), kind)[about])
                assert "".join(dreamer.traces[kind].tokens).startswith(begun)
                assert text.data and text.strip and text.selected == -1
    assert "recorded" in dreamer.sentence


def test_what_does_not_exist_is_never_right(dreamer: Dreamer):
    """Whatever the model says about it, the verdict is "nothing"."""
    dreamer.show(Night(NOBODY))
    for kind in ("shop", "encyclopedia"):
        name = subjects(build_world(), kind)[NOBODY]
        claims = [verdict for claim, verdict in dreamer.traces[kind].claims if claim.subject == name]
        assert set(claims) <= {"nothing"}


def test_another_dream_waits_for_the_index_and_says_so(dreamer: Dreamer):
    wish = Night(FAMOUS, 1.3, 17)
    dreamer.show(wish)
    assert dreamer.night.heat in HEATS and dreamer.night.seed in SEEDS
    assert "needs the index of the crawl. Preparing the counts" in text_of(dreamer.state(wish))
    dreamer.show(Night())
    assert "needs the index" not in dreamer.state(Night())


def test_a_pressed_word_leads_to_its_page(dreamer: Dreamer):
    assert "Press a word" in dreamer.sheet()
    for kind, trace in dreamer.traces.items():
        for token in range(0, len(trace.ids), 7):
            dreamer.texts[kind].selected = token
            dreamer.look()
            first, length = run_at(trace.lengths, token)
            html = dreamer.sheet()
            if length < LEAST_RUN:
                assert "random order" in html and "<mark>" not in html
                continue
            marked = unescape(re.search(r"<mark>(.*?)</mark>", html, flags=re.S)[1])
            assert marked == "".join(trace.tokens[first : first + length])
            assert f"{length} token" in text_of(html)
        dreamer.texts[kind].selected = -1
        dreamer.look()
    assert "Press a word" in dreamer.sheet()


def test_what_a_model_writes_is_never_markup(dreamer: Dreamer):
    trace = dreamer.traces["shop"]
    place = next(t for t in range(len(trace.ids)) if run_at(trace.lengths, t)[1] >= LEAST_RUN)
    run = run_at(trace.lengths, place)
    n, (source,) = dreamer.pages["shop"][run]
    bad = source.__class__(source.kind, source.page, "<script>", "<b>", "<img>")
    dreamer.pages["shop"][run] = (n, [bad])
    dreamer.texts["shop"].selected = place
    dreamer.look()
    assert "<script>" not in dreamer.sheet() and "&lt;script&gt;" in dreamer.sheet()


def test_the_table_counts_what_is_marked(dreamer: Dreamer):
    rows = re.findall(r"<tr>(.*?)</tr>", dreams.counted(dreamer), flags=re.S)[1:]
    for row, (kind, trace) in zip(rows, dreamer.traces.items(), strict=True):
        cells = re.findall(r"<td>(.*?)</td>", row)
        if kind == "python":
            assert cells[:4] == ["–"] * 4 and cells[-1] in ("yes", "no")
        else:
            assert sum(map(int, cells[:4])) == len(trace.claims)
        assert int(cells[4]) == trace.match.max()


def test_a_false_claim_is_answered_with_the_truth():
    world = build_world()
    animal = world.of_kind("animal")[0]
    eats = world.fact(animal.id, "eats").value
    said = dreams.truth(world, Claim(0, 1, animal.name, "eats", "stones", "false"))
    assert "stones" in said and eats in said
    nobody = dreams.truth(world, Claim(0, 1, "glass nobody", "eats", eats, "nothing"))
    assert "there is no glass nobody" in nobody


def test_a_new_dream_forgets_what_was_pressed(dreamer: Dreamer):
    dreamer.texts["shop"].selected = 20
    dreamer.look()
    assert "Press a word" not in dreamer.sheet()
    dreamer.show(Night(RARE))
    dreamer.look()
    assert "Press a word" in dreamer.sheet()


# ---- the riddle, numbers, mothers ----


def test_the_riddle_keeps_its_answer_until_all_three_are_committed(dreamer: Dreamer):
    riddle = dreams_live.Riddle(dreamer)
    assert "of 3" not in riddle.reply({**riddle.right, "A": None}, True) + riddle.reply(riddle.right, False)
    assert b"verdict" not in riddle.texts[0].data
    assert "3 of 3" in riddle.reply(riddle.right, True)
    assert "3 of 3" in riddle.reply(dict.fromkeys("ABC", "no animal at all"), True)  # committed is committed


def test_numbers_are_judged_one_by_one(course: Checkpoint):
    cards = [
        Dreamt("rope", "QI 735-1353-7", "rope"),
        Dreamt("rope", "QI 735-1353-8", ""),
        Dreamt("rope", "12", ""),
    ]
    rows = re.findall(r"<tr>(.*?)</tr>", dreams_live.cards_table(cards), flags=re.S)[1:]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    assert [c[1:] for c in cells] == [
        ["yes", "7", "yes", "its own"],
        ["yes", "7", "no", "nobody’s"],
        ["no", "–", "–", "nobody’s"],
    ]
    said = text_of(dreams_live.arithmetic_sentence(cards))
    total = int(re.search(r"= (\d+),", said)[1])
    assert total == 7 * 3 + 3 + 5 * 3 + 1 + 3 * 3 + 5 + 3 * 3 and "= 7;" in said
    assert len(dreams_live.dreamt(course, 2)) == dreams_live.CARDS
    assert dreams_live.dreamt(course, 2) == dreams_live.dreamt(course, 2)


def test_what_was_read_often_is_dreamt_truly_and_what_was_read_once_is_not(course: Checkpoint):
    often, _, once = dreams_live.mothers(course).values()
    right = [int(re.search(r"(\d+) ✓", dreams_live.hundred(course, fact, 3))[1]) for fact in (often, once)]
    assert right[0] > 60 and right[1] < 20
    rows = re.findall(r"<td>(\d+)</td>", dreams_live.hundred(course, often, 3))
    assert sum(map(int, rows)) == dreams_live.ROADS


def test_a_new_model_is_compared_with_the_shipped_one(course: Checkpoint):
    table = dreams_live.worth(course, None, 0)
    assert table.count("<td>–</td>") == 3
    assert dreams_live.worth(course, course, 9).count("of 8") == 6
    assert b"nothing yet" in dreams_live.article(None).data
    assert b"verdict" in dreams_live.article(course).data


# ---- what was measured ----


def test_knowledge_grows_with_reading(course: Checkpoint):
    points = dreams_measured.recording(course).exam
    shares = [p.right / p.n for p in points]
    assert shares[0] < 0.1 and shares[-1] > 0.8
    assert [r["label"] for r in dreams_measured.readings(points)][:2] == ["1", "2–4"]
    right, n = dreams_measured.seen_often(points)
    assert n == sum(p.n for p in points[-3:]) and right / n > 0.7


def test_a_number_that_looks_right_is_hardly_ever_right(course: Checkpoint):
    cards = [card for card, _ in dreams_measured.judged(course)]
    assert len(cards) == 400
    form, real = (sum(getattr(c, name) for c in cards) / len(cards) for name in ("has_form", "is_real"))
    assert form > 0.9 and real < 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_the_sentence_about_chance_says_the_pictures_numbers(course: Checkpoint, kind: str):
    found = dreams_measured.recording(course)
    said = dreams_measured.chance_sentence(course, kind)
    assert f"of {found.least(kind)} tokens or more" in said
    *others, dreamt = dreams_measured.texts_of(found, kind).values()
    assert len(others) == 3 and dreamt[0] == 1
    assert len(others[0]) < 6 or others[0][5] < 0.05  # words in random order
    assert dreams_measured.chance_table(course, kind).count("<tr>") == 5


def test_verdicts_at_each_temperature_are_both_kinds_together(course: Checkpoint):
    found = dreams_measured.recording(course)
    for heat, counts in dreams_measured.verdicts_at(found):
        rows = [t for t in found.tallies if t["heat"] == heat and t["kind"] != "python"]
        assert counts.total() == sum(sum(t["verdicts"].values()) for t in rows) > 20
    shown = dreams_measured.heat_table(course)
    assert shown.count("<tr>") == len(dreams_measured.verdicts_at(found)) + 1


def test_measuring_again_adds_up_what_the_child_says(course: Checkpoint):
    again = dreams_measured.Again("course", each=2)
    assert "Nothing is measured" in again.sentence
    again.job = Job([])
    again.job.state = "running"
    assert "Looking for the crawl" in again.sentence
    again.job.records += [
        {"stage": "world", "done": 1, "total": 2},
        {"kind": "shop", "dreams": 2, "verdicts": {"true": 1}},
        {"kind": "shop", "dreams": 4, "verdicts": {"true": 1, "false": 3}},
        {"kind": "encyclopedia", "dreams": 2, "verdicts": {"copied": 5}},
    ]
    assert again.counts == (6, {"true": 1, "false": 3, "copied": 5})
    assert "6 of 16 dreams, 9 claims" in again.sentence
    assert "5 of 9" in dreams_measured.again_table(course, again, 1.0)


# ---- exercises ----


def exercise(name: str):
    return next(one for one in exercises(zoo.load("course")) if one.id == name)


@pytest.mark.parametrize("name", ["word_for_word", "verdict", "by_chance", "half", "check_digit"])
def test_every_solution_passes_its_own_check(name: str):
    one = exercise(name)
    assert one.check(one.solution) is None
    assert one.is_blank(one.starter)
    if isinstance(one.field, tuple):
        assert one.solution in one.field and len(set(one.field)) == len(one.field) >= 3
        assert all(one.check(choice) for choice in one.field if choice != one.solution)


def test_the_copied_sentence_stands_on_a_page_of_the_recording(course: Checkpoint):
    found = dreams_measured.recording(course)
    said = exercise("word_for_word").solution
    assert dreams_exercises.sentences(found, "copied")[said]
    assert said not in dreams_exercises.sentences(found, "false")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def check_digit(digits):\n    sum(map(int, digits))", "return"),
        ("def check_digit(digits):\n    return '7'", "not a text"),
        (
            "def check_digit(digits):\n    t = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in "
            "enumerate(reversed(digits)))\n    return 10 - t % 10",
            "and not 10",
        ),
        (
            "def check_digit(digits):\n    t = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in "
            "enumerate(reversed(digits)))\n    return t % 10",
            "too much",
        ),
        (
            "def check_digit(digits):\n    return -sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in "
            "enumerate(digits)) % 10",
            "from the right",
        ),
        ("def check_digit(digits):\n    return 42", "Each digit times"),
    ],
)
def test_check_digit_names_the_likely_mistakes(code: str, said: str):
    assert said in check_code(code)


def test_the_packages_rule_is_the_solution():
    assert check_code(CHECK_DIGIT.solution) is None
    assert {check_digit(digits) for digits in dreams_exercises.DIGITS} >= {0, 7}


def test_by_chance_names_the_likely_mistakes():
    one = exercise("by_chance")
    assert "would be called copied" in one.check(5.0)
    assert "Take the shortest" in one.check(50.0) or one.solution == 50
    assert "of the list" in one.check(7.0)


def test_each_question_has_one_right_option_and_explains_all():
    for question in QUIZ:
        assert sum(option.right for option in question.options) == 1
        assert all(option.because for option in question.options)
