"""Lesson 05 in a real browser: dreams, pages, curves and roads are those of the model and of its recording."""

import json
import re
from collections import Counter, deque
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from llmlab.course import dreams_live, dreams_measured
from llmlab.course.answers import Answers
from llmlab.course.dreams import ABOUT, Dreamer, Night, checker, counted
from llmlab.course.dreams_exercises import QUIZ, exercises
from llmlab.course.dreams_measured import recording
from llmlab.course.next_token import POCKET_TOKENS
from llmlab.course.work import training_set
from llmlab.generate.engine import logits
from llmlab.measure.dreams import run_at
from llmlab.measure.index import build_index
from llmlab.model import checkpoint as checkpoints
from llmlab.model import zoo
from llmlab.report.dream_record import HEATS, LEAST_RUN, SEEDS
from llmlab.report.dreams import EACH, FAMOUS, NOBODY, SPREAD, opening, subjects, tallies
from llmlab.show.dream_figures import match_curve, share_curve
from llmlab.show.figures import exposure_curve
from llmlab.show.number_format import measured
from llmlab.show.tree import TEMPERATURES, Roads
from llmlab.stages import finish
from llmlab.train.folder import RunFolder
from llmlab.world import build_world
from tests.lessons.conftest import run_folder
from tests.lessons.reading import (
    MOVE,
    SOON,
    draws,
    exercises_answer,
    quiz_answers,
    says,
    slide,
    table_says,
    text_says,
)

pytestmark = pytest.mark.browser
LESSON = "/05_dreams/"
LOW, HIGH = 0.2, 1.5  # of the lesson's temperatures
PREPARING = 300_000  # ms, on a machine that has no crawl yet


@pytest.fixture(scope="module")
def model():
    return zoo.load("course")


@pytest.fixture(scope="module")
def dreamer(model) -> Dreamer:
    """What a page shows whose crawl has no index yet: the recording."""
    made = Dreamer(model, None)
    made.show(Night())
    return made


@pytest.fixture(scope="module")
def crawl(model) -> SimpleNamespace:
    """The training set with its index, as the lesson's child process makes it."""
    read = finish(training_set("course", "course")).train
    known = model.provenance.get("data", {}).get("train")
    return SimpleNamespace(index=build_index(read), differs=known != read.hash, look=str)


def scroll_to(page: Page, words: str) -> None:
    """Bring these words to the middle of the screen: what takes a moment is made when it is seen."""
    page.get_by_text(words, exact=True).first.evaluate("(e) => e.scrollIntoView({ block: 'center' })")


def night(page: Page) -> Night:
    """The dreams that are asked for now: whom they are about, the temperature, the seed."""
    about = page.locator("marimo-radio").first.get_by_role("radio", checked=True)
    said = page.locator(".ll-from").inner_text()
    heat, seed = re.search(r"temperature ([\d.]+), seed (\d+)", said).groups()
    return Night(ABOUT[about.get_attribute("value")], float(heat), int(seed))


def dream_at(page: Page, heat: float) -> None:
    """Move the temperature of the three dreams, and wait for dreams of that temperature."""
    slide(page.locator("marimo-slider").first, heat, LOW, HIGH)
    expect(page.locator(".ll-from")).to_contain_text(f"temperature {heat:.1f}", timeout=PREPARING)


def dreams_are(page: Page, dreamer: Dreamer, timeout: float = SOON) -> None:
    """The three texts with their marks and hills, where they come from, and the table that counts them."""
    expect(page.locator(".ll-from")).to_have_text(f"{dreamer.sentence}.", timeout=timeout)
    for text in dreamer.texts.values():
        text_says(page, text)
    table_says(page.locator("table", has_text="tokens in long matches"), counted(dreamer))


# ---- the three dreams ----


def test_the_first_dreams_are_there_and_a_word_leads_to_its_page(visit, dreamer: Dreamer):
    page = visit(LESSON).page
    dreamer.show(Night())
    dreams_are(page, dreamer)
    trace, text = dreamer.traces["shop"], text_says(page, dreamer.texts["shop"])
    given = len(zoo.load("course").tokenizer.encode(opening("shop", subjects(build_world(), "shop")[FAMOUS])))
    marks = trace.marks(dreamer.recording.least("shop"))[given:]
    for verdict in ("copied", "true", "false", "nothing"):
        expect(text.locator(f".ll-run .ll-v-{verdict}")).to_have_count(marks.count(verdict))
    token = next(t for t in range(len(trace.ids)) if run_at(trace.lengths, t)[1] >= LEAST_RUN)
    first, length = run_at(trace.lengths, token)
    text.locator(".ll-tok").nth(token).click()
    expect(page.locator(".ll-sheets mark").first).to_have_text("".join(trace.tokens[first : first + length]))
    n, _ = dreamer.pages["shop"][first, length]
    expect(page.locator(".ll-sheets")).to_contain_text(f"{length} tokens from here stand on {n:,} page")


@pytest.mark.parametrize("about", [*ABOUT][1:] + [*ABOUT][:1])
def test_dreams_are_about_whom_one_chooses(lesson: Page, dreamer: Dreamer, about: str):
    dream_at(lesson, HEATS[1])
    lesson.get_by_role("radio", name=about, exact=True).check()
    dreamer.show(night(lesson))
    dreams_are(lesson, dreamer)
    if ABOUT[about] == NOBODY:
        verdicts = {verdict for _, verdict in dreamer.traces["encyclopedia"].claims}
        assert verdicts <= {"nothing"}


def test_recorded_temperatures_and_seeds_are_shown_as_they_were_recorded(lesson: Page, dreamer: Dreamer):
    for heat in (HEATS[0], HEATS[-1]):
        dream_at(lesson, heat)
        dreamer.show(night(lesson))
        dreams_are(lesson, dreamer)
    before = night(lesson)
    lesson.get_by_role("button", name="Dream again").click()
    dreamer.show(Night(before.about, before.heat, before.seed + 1))
    assert before.seed + 1 in SEEDS
    dreams_are(lesson, dreamer)


def test_a_dream_that_was_not_recorded_is_dreamt_and_traced_here(lesson: Page, model, crawl):
    dream_at(lesson, 1.3)
    own = Dreamer(model, crawl)
    own.show(night(lesson))
    assert own.live and own.night.heat == 1.3
    dreams_are(lesson, own)
    for kind, trace in own.traces.items():
        tokens = text_says(lesson, own.texts[kind]).locator(".ll-run .ll-tok")
        lengths = [run_at(trace.lengths, token)[1] for token in range(len(trace.ids))]
        claimed = [token for token, verdict in enumerate(trace.verdicts) if verdict]
        for token in {int(np.argmax(lengths)), int(np.argmin(lengths)), *claimed[:1]}:
            tokens.nth(token).evaluate("(e) => e.click()")
            own.texts[kind].selected = token
            own.look()
            says(lesson.locator(".ll-sheets"), own.sheet())
        tokens.nth(token).evaluate("(e) => e.click()")
        expect(lesson.locator(".ll-sheets")).to_contain_text("Press a word of a dream", timeout=SOON)


def test_the_riddle_is_answered_when_all_three_are_guessed(lesson: Page, dreamer: Dreamer):
    riddle = dreams_live.Riddle(dreamer)
    for text in riddle.texts:
        place = text_says(lesson, text)
        expect(place.locator(".ll-run .ll-v")).to_have_count(0)
    reply = lesson.locator(".ll-said", has_text=re.compile(r"with your guess|All three articles|of 3\."))
    press = lesson.get_by_role("button", name="That is my guess")
    press.click()
    expect(reply).to_have_text("All three articles need an answer before you press the button.")
    for place, option in enumerate(riddle.right.values()):
        lesson.get_by_role("radio", name=option, exact=True).nth(place).check()
    press.click()
    says(reply, riddle.reply(riddle.right, True))
    expect(reply).to_contain_text("3 of 3.")
    for text in riddle.texts:
        text_says(lesson, text)


# ---- what was measured ----


@pytest.mark.parametrize("name", dreams_measured.PAGES)
def test_the_chance_baseline_is_that_of_the_chosen_pages(lesson: Page, model, name: str):
    kind, found = dreams_measured.PAGES[name], recording(model)
    lesson.get_by_role("radio", name=name, exact=True).check()
    scroll_to(lesson, "Look at the dashed line that stands upright.")
    caption = lesson.locator(".ll-caption", has_text="Look at the dashed line")
    expect(caption).to_contain_text(dreams_measured.chance_sentence(model, kind), timeout=SOON)
    draws(lesson, match_curve(dreams_measured.texts_of(found, kind), least=found.least(kind)))
    table_says(
        lesson.locator("table", has_text="tokens in matches of at least"),
        dreams_measured.chance_table(model, kind),
    )


def test_verdicts_at_each_temperature_are_those_of_the_recording(lesson: Page, model):
    scroll_to(lesson, "Look at the line of what is false.")
    caption = lesson.locator(".ll-caption", has_text="Look at the line of what is false")
    expect(caption).to_contain_text(dreams_measured.heat_sentence(model))
    draws(lesson, share_curve(dreams_measured.verdicts_at(recording(model))))
    table_says(lesson.locator(".ll-fold table", has_text="claims"), dreams_measured.heat_table(model))


def test_one_temperature_is_measured_again_and_stopped(lesson: Page, model, crawl):
    slider, table = lesson.locator("marimo-slider").last, lesson.locator("table", has_text="recorded, at")
    slider.scroll_into_view_if_needed()
    slide(slider, 0.5, LOW, HIGH)
    table_says(table, dreams_measured.again_table(model, dreams_measured.Again("course"), 0.5))
    states = "Nothing is measured|Waiting|Looking for|Dreaming|Stopped|Done"
    said = lesson.locator(".ll-said", has_text=re.compile(states))
    lesson.get_by_role("button", name="Measure here again").click()
    expect(said).to_contain_text("Dreaming:", timeout=PREPARING)
    lesson.get_by_role("button", name="Stop", exact=True).first.click()
    expect(said).to_contain_text("Stopped:", timeout=SOON)
    told = re.search(r"(\d+) of 96 dreams, (\d+) claims, seed (\d+)", said.inner_text()).groups()
    n, claims, seed = map(int, told)
    found = Counter()
    for place, kind in enumerate(("shop", "encyclopedia")):
        steps = max(0, n // EACH - place * len(SPREAD))
        parts = islice(tallies(model, crawl.index, checker(), kind, 0.5, EACH, seed), steps)
        for fullest in deque(parts, maxlen=1):
            found.update(fullest.verdicts)
    assert found.total() == claims
    cells = [measured(found[verdict], claims) for verdict in ("copied", "true", "false", "nothing")]
    expect(table.locator("td:last-child")).to_have_text(cells)


def test_other_numbers_are_dreamt_and_each_is_judged(lesson: Page, model):
    press = lesson.get_by_role("button", name="Dream other numbers")
    press.evaluate("(e) => e.scrollIntoView({ block: 'start' })")
    table = lesson.locator("table", has_text="number in the dream")
    sum_of = lesson.locator(".ll-said", has_text=re.compile("the last digit is|has the form of a number"))
    for seed in (1, 2):
        html = dreams_live.numbers(model, seed)
        table_says(table, html)
        says(sum_of, html[html.index("</table>") :])
        if seed == 1:
            press.click()
    table_says(
        lesson.locator("table", has_text="is the number of the product named").first,
        dreams_measured.numbers_table(model),
    )
    caption = lesson.locator(".ll-caption", has_text="Look from the first line to the last")
    expect(caption).to_contain_text(dreams_measured.numbers_sentence(model))


def test_knowledge_is_drawn_against_exposure(lesson: Page, model):
    scroll_to(lesson, "Look at the left end, then at the right end.")
    caption = lesson.locator(".ll-caption", has_text="Look at the left end, then")
    expect(caption).to_contain_text(dreams_measured.exam_sentence(model))
    draws(lesson, exposure_curve(dreams_measured.readings(recording(model).exam)))
    table_says(
        lesson.locator("table", has_text="pages that state the fact"), dreams_measured.exam_table(model)
    )


# ---- all roads ----


def softened(scores: np.ndarray, temperature: float) -> np.ndarray:
    z = scores.astype(np.float64) / temperature
    e = np.exp(z - z.max())
    return e / e.sum()


def together(found: Roads, step: int) -> Counter[str]:
    """The probability of all roads by verdict, at one step of the slider. What is not shown goes with its place."""
    reached, total = {0: (1.0, "")}, Counter()
    for place in sorted(found.rest):
        p, verdict = reached.pop(place)
        kids = [i for i, road in enumerate(found.roads, 1) if road.parent == place]
        logs = np.array(
            [found.roads[i - 1].score / TEMPERATURES[step] for i in kids] + [found.rest[place][step]]
        )
        *shares, rest = np.exp(logs - np.logaddexp.reduce(logs))
        reached |= {i: (p * share, found.roads[i - 1].verdict) for i, share in zip(kids, shares, strict=True)}
        total[verdict] += p * rest
    for p, verdict in reached.values():
        total[verdict] += p
    return total


def next_tokens(tree) -> list[tuple[str, str]]:
    """Probability and verdict of each block of the first column, from the top down."""
    labels = tree.locator(".ll-block[aria-level='1']:not(.ll-others)").evaluate_all(
        "(all) => all.sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top)).map((e) => e.ariaLabel)"
    )
    return [re.search(r", ([<>]?[\d.]+%?)(?:, (\w+))?$", label).groups("") for label in labels]


def share(said: str) -> float:
    return float(said.strip("<>%")) / 100


def column_says(tree, found: Roads, p: np.ndarray) -> None:
    """The first column has the likeliest tokens of these probabilities (V,), each with its verdict."""
    wanted = [(road.id, road.verdict) for road in found.roads if road.parent == 0]
    expect(tree.locator(".ll-block[aria-level='1']:not(.ll-others)")).to_have_count(len(wanted), timeout=SOON)
    for (shown, said), (token, verdict) in zip(next_tokens(tree), wanted, strict=True):
        assert (share(shown), said) == (pytest.approx(p[token], abs=0.0051), verdict)


def test_the_tree_shows_the_roads_of_each_mother_at_each_temperature(lesson: Page, model):
    for name, fact in dreams_live.mothers(model).items():
        radio = lesson.get_by_role("radio", name=name, exact=True)
        radio.scroll_into_view_if_needed()
        radio.check()
        widget, judge, start, _ = dreams_live.roads_of(model, fact)
        ask = Answers(model, None, judge, tuple(start), tuple(widget.judging["truth"]))
        found, scores = ask.tree(start), logits(model, start)[-1]
        own = lesson.get_by_role("tree", name=widget.alt, exact=True)
        tree = lesson.locator(".ll-tree").filter(has=own)
        tree.locator(".ll-block").first.wait_for(timeout=SOON)
        for step in (int(np.argmin(abs(TEMPERATURES - t))) for t in (0.5, 1.0)):
            tree.get_by_role("slider", name="Temperature").evaluate(MOVE, step)
            column_says(tree, found, softened(scores, TEMPERATURES[step]))
            sums = together(found, step)
            shown = tree.locator(".ll-sums p b").all_inner_texts()
            wanted = [sums[verdict] for verdict in ("true", "false", "nothing", "")]
            assert list(map(share, shown)) == pytest.approx(wanted, abs=0.0051)
    tree.locator(".ll-block[aria-level='1']").first.click()
    expect(tree.locator(".ll-path button")).to_have_count(2)
    tree.locator(".ll-state", has_text="live").wait_for(timeout=SOON)
    ids = [*start, found.roads[0].id]
    column_says(tree, ask.tree(ids), softened(logits(model, ids)[-1], 1.0))
    tree.get_by_role("button", name="Back").click()
    expect(tree.locator(".ll-path button")).to_have_count(1)
    column_says(tree, found, softened(scores, 1.0))


def test_one_prompt_is_dreamt_a_hundred_times(lesson: Page, model):
    name, fact = next(iter(dreams_live.mothers(model).items()))
    lesson.get_by_role("radio", name=name, exact=True).check()
    press = lesson.get_by_role("button", name="Dream it 100 times again")
    press.evaluate("(e) => e.scrollIntoView({ block: 'start' })")
    for seed in (1, 2):
        html = dreams_live.hundred(model, fact, 1_000 * seed)
        table_says(lesson.locator("table", has_text="different name"), html)
        says(lesson.locator(".ll-said", has_text="not decided."), html[: html.index("<table")])
        if seed == 1:
            press.click()


# ---- training, exercises ----


def test_a_pocket_model_is_trained_and_what_it_is_worth_is_counted(lesson: Page, model):
    press = lesson.get_by_role("button", name="Train a pocket model")
    press.evaluate("(e) => e.scrollIntoView({ block: 'start' })")
    worth = lesson.locator("table", has_text="most famous products")
    table_says(worth, dreams_live.worth(model, None, 0))
    press.click()
    said = lesson.locator(".ll-said", has_text="tokens read, loss")
    expect(said).to_contain_text("Learning:", timeout=PREPARING)
    run = RunFolder(run_folder("train"))
    lesson.get_by_role("button", name="Stop", exact=True).last.click()
    expect(said).to_contain_text("Stopped:", timeout=SOON)
    last = json.loads(run.log.read_text().splitlines()[-1])
    expect(said).to_have_text(
        f"Stopped: {last['tokens']:,} of {POCKET_TOKENS:,} tokens read, loss {last['loss']:.2f} nats."
    )
    learned = checkpoints.load(run.checkpoints()[-1])
    table_says(worth, dreams_live.worth(model, learned, last["step"]))
    text_says(lesson, dreams_live.article(learned))


def test_every_exercise_knows_right_from_wrong(lesson: Page, model):
    exercises_answer(lesson, exercises(model))


def test_every_option_of_the_quiz_is_explained(lesson: Page):
    quiz_answers(lesson, QUIZ)
