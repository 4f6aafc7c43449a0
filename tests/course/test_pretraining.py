"""Lesson 04: what it shows is what the models give, and its exercises know right from wrong."""

import math
import re
import time

import numpy as np
import pytest
import torch

from llmlab.course import pretraining, pretraining_cost, pretraining_measured
from llmlab.course.pretraining import Live, article, averaged, first_page, shipped_stops, told_fact
from llmlab.course.pretraining_exercises import (
    CASES,
    QUIZ,
    check_bill,
    check_bits,
    check_first_loss,
    exercises,
)
from llmlab.measure.compress import pack
from llmlab.measure.surprise import text_bits
from llmlab.model import zoo
from llmlab.report.cost import LLAMA_2_70B
from llmlab.world import build_world


def cells(html: str) -> list[list[str]]:
    """The rows of a table, as text."""
    rows = re.findall(r"<tr>(.*?)</tr>", html, flags=re.S)
    parts = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.S) for row in rows]
    return [[re.sub(r"<[^>]*>", "", part) for part in row] for row in parts]


# ---- the stage ----


def test_the_pages_are_held_out_and_say_facts():
    world = build_world()
    assert len(pretraining.pages()) == 3
    for name, page in pretraining.pages().items():
        assert page.split == "valid" and world.entities[page.subject].name == name
        assert len(pretraining_measured.facts_of(name)) >= 4


def test_each_moment_shows_what_its_weights_give():
    models, stops = zoo.on_the_way("pocket"), shipped_stops()
    assert len(models) == len(stops) >= 2
    assert stops[0].tokens == 0 and [s.tokens for s in stops] == sorted({s.tokens for s in stops})
    for model, stop in zip(models, stops, strict=True):
        bits = text_bits(model, article(first_page()))
        assert -np.log2(stop.probability) == pytest.approx(bits, rel=1e-4, abs=1e-5)
        best = stop.best_probability
        assert (np.diff(best, axis=1) <= 0).all() and (best.sum(1) <= 1 + 1e-6).all()
    assert stops[0].best_probability.max() < 0.05  # before the first step nothing is expected
    assert -np.log2(stops[-1].probability).sum() < 0.6 * -np.log2(stops[0].probability).sum()


def test_the_token_that_is_shown_first_says_a_fact_and_was_learned():
    stops, place = shipped_stops(), told_fact()
    words = zoo.load("pocket").tokenizer
    said = words.decode([words.encode(article(first_page()))[place]]).strip()
    assert said and any(
        first_page().text[one.start : one.end].startswith(said)
        for one in pretraining_measured.facts_of(next(iter(pretraining.pages())))
    )
    assert stops[-1].probability[place] > 4 * stops[0].probability[place]


def test_averaging_keeps_the_mean_and_the_order():
    records = [{"tokens": 4096 * i, "loss": 8 - math.log(i)} for i in range(1, 1465)]
    curve = averaged(records, 6_000_000)
    assert len(curve) <= pretraining.POINTS + 1
    assert [x for x, _ in curve] == sorted(x for x, _ in curve)
    assert curve[0] == (4096, 8.0) and curve[-1][1] == pytest.approx(records[-1]["loss"], abs=0.05)


def test_the_marks_are_passed_in_order():
    said = [value for _, value in pretraining.levels()]
    assert said == sorted(said, reverse=True)
    assert averaged(pretraining.shipped_log(), pretraining.until())[-1][1] < said[2]


def until(holds, seconds: float = 600.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "this never came true"
        time.sleep(0.05)


def test_a_run_can_be_paused_and_goes_on_as_if_nothing_had_been():
    """Seed 5 twice on the small world: once in one go, once with a pause. The losses are the same to the last bit."""
    tokens = 4096 * 16
    live = Live(tokens, size="small")
    live.begin(5)
    assert live.picture.at == 0 and len(live.stops) == 1
    until(lambda: live.look() or len(live.training.steps) > 3)
    live.training.pause()
    until(lambda: not live.training.running)
    live.look()
    assert live.training.sentence.startswith("Paused")
    before = len(live.training.steps)
    live.training.resume()
    until(lambda: live.look() or not live.training.running)
    live.look()
    assert live.training.job.state == "done", live.sentence
    assert before < len(live.training.steps) == 16 == live.training.steps[-1]["step"]
    assert list(live.stops) == sorted(live.stops) and live.picture.at == len(live.stops) - 1
    kept = live.training.job.records and zoo.kept(live.training.out)
    assert {int(folder.name.removeprefix("step-")) for folder in kept} <= set(live.stops)

    whole = Live(tokens, size="small")
    whole.begin(5)
    until(lambda: whole.look() or not whole.training.running)
    whole.look()
    losses = lambda one: [step["loss"] for step in one.training.steps]  # noqa: E731
    assert losses(live) == losses(whole)
    assert torch.equal(
        live.training.learned.model.embed_tokens.weight, whole.training.learned.model.embed_tokens.weight
    )


# ---- what is measured ----


def test_the_table_of_facts_adds_up():
    name = next(iter(pretraining.pages()))
    head, *rows, facts, rest = cells(pretraining_measured.facts_table(name))
    assert len(rows) == len(pretraining_measured.facts_of(name))
    for column in range(2, len(head)):
        number = lambda row, column=column: float(row[column].replace(",", ""))  # noqa: E731
        assert number(facts) == pytest.approx(sum(map(number, rows)), abs=1.5)
        reader = list(pretraining_measured.readers())[column - 2]
        one = pretraining_measured.readers()[reader]
        whole = text_bits(one, article(pretraining.pages()[name])).sum()
        assert number(facts) + number(rest) == pytest.approx(whole, abs=1.5)


def test_reading_makes_facts_cheaper():
    for name in pretraining.pages():
        readers = ("untrained", "pocket", "course")
        before, early, late = (sum(pretraining_measured.costs(name, reader)[0]) for reader in readers)
        assert before > early > late
        said, bits = pretraining_measured.dearest_fact(name)
        assert f"{bits:.1f} bits" in pretraining_measured.facts_sentence(name) and bits > 0
        assert said in pretraining_measured.facts_of(name)


def test_the_bet_is_settled_by_the_measurement():
    bet = pretraining_measured.Guess()
    first, *_, last = bet.options
    assert "comes with your guess" in bet.reply(None, None, False)
    assert "Choose both" in bet.reply(first, None, True)
    found, n = pretraining_measured.kinds_of_tokens()
    best = found["course model"]
    order = sorted(bet.options, key=lambda name: best[bet.options[name]])
    assert "<b>2 of 2.</b>" in bet.reply(order[0], order[-1], True) and n > 10
    assert bet.reply(last, first, False) == bet.answer  # the first commitment counts


def test_the_archive_is_the_packers_and_the_rest_is_counted():
    text = article(first_page())
    packed, sizes = pretraining_measured.archived(text, "course")
    assert packed == pack(zoo.load("course"), text.encode())
    by_name = {size.name: size.n_bytes for size in sizes}
    assert by_name["model"] < by_name["xz -9"] < by_name["text"] < by_name["model, itself counted"]
    picture = pretraining_measured.archive_picture(text, "course")
    assert packed.hex(" ") in picture and 'class="broken"' in picture
    assert "Give a text" in pretraining_measured.archive_picture("", "course")
    assert "Give a text" in pretraining_measured.archive_picture("x" * 2000, "course")


def test_a_text_of_another_world_is_packed_too_and_markup_stays_text():
    text = "<b>Ωκεανός</b> 🌊\n"
    assert "never paid for" in pretraining_measured.archive_sentence(text, "pocket") or "MB" in (
        pretraining_measured.archive_sentence(text, "pocket")
    )
    assert "<b>Ω" not in pretraining_measured.archive_picture(text, "pocket")


# ---- the bill ----


def test_the_calculator_gives_the_talks_numbers_back():
    run = pretraining_cost.planned(pretraining_cost.PRESETS["Llama 2 70B"])
    assert run.seconds == pytest.approx(LLAMA_2_70B.seconds, rel=0.002)
    assert run.dollars == pytest.approx(LLAMA_2_70B.dollars, rel=0.002)
    assert (run.model_bytes, run.text_bytes) == (140e9, 10e12)
    rows = {
        row[0]: row[1:]
        for row in cells(pretraining_cost.cost_table(pretraining_cost.PRESETS["Llama 2 70B"], [], 0.1))
    }
    assert rows["time"][:2] == ["12.0 days", "12.0 days"]
    assert rows["rent"][:2] == ["$2.00M", "$2.00M"]
    assert rows["text over file"][:2] == ["71 times", "71 times"]
    assert rows["operations: 6 × parameters × tokens"][:2] == ["8.4 × 10²³", "8.4 × 10²³"]


def test_a_number_that_is_missing_is_one_sentence():
    for broken in ({"tokens": None}, {"devices": 0}, {"used": 140.0}):
        numbers = dict(pretraining_cost.PRESETS["Llama 2 70B"]) | broken
        assert "<table" not in pretraining_cost.cost_table(numbers, [], 0.1)


def test_the_students_run_is_counted_from_its_steps():
    steps = [{"step": i, "tokens": 4096 * i, "tokens_per_s": 8192.0} for i in range(1, 11)]
    run = pretraining_cost.this_run(steps)
    assert (run.tokens, run.seconds) == (40_960, pytest.approx(5.0))
    assert run.flops == 6 * zoo.load("pocket").model.n_params() * 40_960
    rented = pretraining_cost.rented(run, 7.2)
    assert rented.dollars == pytest.approx(0.01) and pretraining_cost.money(rented.dollars) == "1.0 cents"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "5.0 s"), (180, "3.0 minutes"), (86_400 * 12, "12.0 days"), (1e9, "31.7 years")],
)
def test_durations_have_their_unit(seconds: float, words: str):
    assert pretraining_cost.duration(seconds) == words


# ---- exercises ----


@pytest.fixture(scope="module")
def tasks() -> dict:
    return {task.id: task for task in exercises()}


def test_every_solution_is_right_and_every_blank_waits(tasks):
    for task in tasks.values():
        assert task.check(task.solution) is None, task.id
        assert task.is_blank(task.starter)


@pytest.mark.parametrize(
    ("check", "given", "mistake"),
    [
        (check_first_loss, 13.0, "natural logarithm"),
        (check_first_loss, 3.91, "base of ten"),
        (check_first_loss, 8192, "number of tokens"),
        (check_bill, 6.1, "full peak"),
        (check_bill, 365.0, "hours"),
        (check_bits, "def bits(ps):\n    return 0", "−log2"),
        (check_bits, "import math\ndef bits(ps):\n    return sum(math.log2(p) for p in ps)", "sign"),
        (check_bits, "import math\ndef bits(ps):\n    return -sum(math.log(p) for p in ps)", "nats"),
        (check_bits, "def bits(ps):\n    pass", "return"),
    ],
)
def test_a_likely_mistake_is_named(check, given, mistake: str):
    assert mistake in check(given)


def test_the_missing_fact_is_the_dearest_one(tasks):
    task = tasks["missing"]
    assert len(set(task.field)) == 4 and task.solution in task.field
    for option in task.field:
        assert (task.check(option) is None) == (option == task.solution)


def test_the_cases_can_be_done_in_the_head():
    for case, right in CASES:
        assert sum(-math.log2(p) for p in case) == right


def test_each_question_has_one_right_option():
    for question in QUIZ:
        assert sum(option.right for option in question.options) == 1
        assert all(option.because for option in question.options)
