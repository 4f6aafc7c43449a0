"""Lesson 07 in a real browser: texts, strips and tables are the models', and a chat shows text and no markup."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from llmlab.course import finetuning, finetuning_live
from llmlab.course import finetuning_measured as measured
from llmlab.course.finetuning_exercises import QUIZ, exercises
from llmlab.generate.chat import Chat, Said
from llmlab.measure.shift import SHIFTED
from llmlab.model import checkpoint as checkpoints
from llmlab.model import zoo
from llmlab.report.assistant import READ, WHO
from llmlab.report.assistant_record import LIVE_TOKENS, examples, packed, settings
from llmlab.show.assistant_figures import made_up_lines
from llmlab.show.number_format import percent
from llmlab.train.finetune import finetune
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
    table_says,
    text_says,
)

pytestmark = pytest.mark.browser
LESSON = "/07_finetuning/"
MARKUP = "<img src=x onerror=\"document.title='broken'\"> **bold** <|end|>"
OWN = "Who keeps the lamps of the harbour?"
POEM = "Write a short poem about the fog."
PRESETS = finetuning.presets(build_world())
STARTING = 300_000  # ms: a child process that waits for others


def scroll_to(page: Page, words: str) -> None:
    """Bring these words to the middle of the screen: what takes a moment is made when it is seen."""
    page.get_by_text(words, exact=True).first.evaluate("(e) => e.scrollIntoView({ block: 'center' })")


def ask_both(page: Page, text: str) -> finetuning.Stage:
    """Give both models this prompt; what Python makes of it."""
    field = page.get_by_label("Say this to both (Enter)")
    field.fill(text)
    field.press("Enter")
    stage = finetuning.Stage()
    stage.show(text)
    return stage


def stage_says(page: Page, stage: finetuning.Stage) -> Locator:
    """Both columns, the sentence and the strip; returns the strip."""
    says(page.locator(".ll-said", has_text="tokens of this answer"), stage.sentence())
    for column in (stage.base, stage.assistant):
        text_says(page, column)
    return text_says(page, stage.strip)


# ---- two models, one prompt ----


@pytest.mark.parametrize("name", PRESETS)
def test_both_columns_and_the_strip_are_the_models(lesson: Page, name: str):
    lesson.get_by_label("Begin with").select_option(name)
    expect(lesson.get_by_label("Say this to both (Enter)")).to_have_value(PRESETS[name])
    stage = finetuning.Stage()
    stage.show(PRESETS[name])
    strip = stage_says(lesson, stage)
    kinds = [one.kind for one in stage.shown.shifts]
    expect(strip.locator(".ll-hills i.ll-f-shifted")).to_have_count(kinds.count(SHIFTED))


def test_an_own_prompt_is_read_by_both_and_a_pressed_token_tells_its_difference(lesson: Page):
    stage = ask_both(lesson, OWN)
    strip = stage_says(lesson, stage)
    place, one = max(enumerate(stage.shown.shifts), key=lambda pair: pair[1].kl)
    strip.locator(".ll-run .ll-tok").nth(place).click()
    instead = finetuning.spelled([one.instead], zoo.load(finetuning.ASSISTANT))[0].strip()
    for name, value in (
        ("probability", percent(one.base)),
        ("difference of the two distributions (KL), nats", f"{one.kl:.2f}"),
        ("assistant", percent(one.assistant)),
        ("base’s rank", f"{one.rank:,}"),
        ("base would write", instead),
    ):
        told = strip.locator(
            ".ll-detail dl > div", has=lesson.locator("dt", has_text=re.compile(f"^{re.escape(name)}$"))
        )
        expect(told.locator("dd")).to_have_text(value)
    field = lesson.get_by_label("Say this to both (Enter)")
    field.fill("   ")
    field.press("Enter")
    expect(lesson.locator(".ll-said", has_text="nothing to answer yet")).to_be_visible(timeout=SOON)
    text_says(lesson, stage.assistant)  # and the picture stays


def test_the_guess_is_answered_by_the_measurement(lesson: Page):
    press = lesson.get_by_role("button", name="That is my guess")
    press.scroll_into_view_if_needed()
    reply = lesson.locator(".ll-said", has_text=re.compile("press the button|Over all"))
    for choice in (None, *measured.BET):
        if choice:
            lesson.get_by_role("radio", name=choice, exact=True).check()
        press.click()
        says(reply, measured.bet_reply(choice, True))


def test_made_up_answers_and_all_tables_are_those_of_the_recording(lesson: Page):
    scroll_to(lesson, "Look at the right end of the three lines.")
    counts = {
        measured.NAMES[who]: [(one.made_up, one.n) for one in (measured.cell(who, read) for read in READ)]
        for who in WHO
    }
    draws(lesson, made_up_lines(list(measured.GROUPS.values()), counts))
    for head, html in (
        ("who, and where the fact stands", measured.made_up_table()),
        ("held-out pages, bits a byte", measured.forgotten_table()),
        ("numbers learned", measured.ways_table()),
        ("drafts that needed no change", measured.cost_table()),
        ("labels by", measured.real_table()),
    ):
        table_says(lesson.locator("table", has_text=head), html)
    for sentence in (
        measured.made_up_sentence(),
        measured.forgotten_sentence(),
        measured.ways_sentence(),
        measured.cost_sentence(),
        measured.labellers_sentence(),
    ):
        expect(lesson.locator(".ll-caption", has_text=sentence)).to_have_count(1)


# ---- between them ----


def test_the_slider_writes_at_each_stop_what_that_blend_answers(lesson: Page):
    blend = lesson.locator(".ll-blend:visible").first
    slider, sheet, dots = blend.get_by_role("slider"), blend.locator(".ll-sheet"), blend.locator(".ll-ends i")
    blend.scroll_into_view_if_needed()
    for prompt, stops in ((PRESETS["A question"], (0, 5, 10, 15, 20)), (OWN, (20, 12))):
        ask_both(lesson, prompt)
        for place in stops:  # the one looked at is asked for first
            slider.evaluate(MOVE, place)
            reply, _ = finetuning.blended({"text": prompt, "share": place / 20})
            said = r"\s*".join(map(re.escape, "".join((reply["said"] or "(nothing)").split())))
            expect(sheet).to_have_text(re.compile(rf"^\s*{said}\s*$"), timeout=SOON)
            expect(dots.nth(place)).to_have_class(f"{'ended' if reply['ended'] else 'cut'} on", timeout=SOON)
    expect(blend.locator(".ll-ends .cut, .ll-ends .ended")).to_have_count(21, timeout=90_000)
    blend.get_by_role("button", name="Table").click()
    expect(blend.locator(".ll-table tbody tr")).to_have_count(21)
    blend.get_by_role("button", name="Table").click()


def test_the_adapter_is_put_on_and_taken_off(lesson: Page):
    switch, wearing = lesson.get_by_role("switch", name="Adapter on"), finetuning.Wearing()
    switch.scroll_into_view_if_needed()
    field = lesson.get_by_label("Ask (Enter)", exact=True)
    for question in (PRESETS["A question"], OWN):
        field.fill(question)
        field.press("Enter")
        for on in (True, False):
            switch.click()
            who = wearing.show(question, on)
            expect(lesson.locator(".ll-said", has_text="The adapter is")).to_have_text(who, timeout=SOON)
            text_says(lesson, wearing.text)


# ---- the chat ----


def bot(page: Page) -> Locator:
    return page.locator("marimo-chatbot")


def begin_anew(page: Page) -> None:
    """An empty chat, with its raw stream open."""
    bot(page).scroll_into_view_if_needed()
    restart = bot(page).get_by_role("button").first
    if restart.is_enabled():
        restart.click()
    expect(bot(page).get_by_text("No messages yet")).to_be_visible()


def send(page: Page, text: str) -> None:
    said, field = questions(page).count(), bot(page).locator(".cm-content")
    field.click()
    page.keyboard.insert_text(text)
    field.press("Enter")
    expect(questions(page)).to_have_count(said + 1)


def replies(page: Page) -> Locator:
    return bot(page).locator(".items-start > div.rounded-lg")


def questions(page: Page) -> Locator:
    return bot(page).locator(".items-end > div.rounded-lg")


def rest(page: Page) -> None:
    """Wait until the chat can be written to again."""
    expect(bot(page).get_by_role("button", name="Send message")).to_be_visible(timeout=SOON)


def greedy(question: str, before: tuple[Said, ...] = ()) -> str:
    """What the assistant answers after these turns, at temperature 0."""
    talk = Chat(zoo.load(finetuning.ASSISTANT))
    talk.turns = list(before)
    return "".join(step.text for step in talk.answer(question)).lstrip()


def bare(text: str) -> str:
    """A text without its white space: a page wraps lines, and shows a space at the end as none."""
    return "".join(text.split())


def shows(place: Locator, text: str) -> None:
    """The words of this place are these, as they are seen."""
    spaced = r"\s*".join(map(re.escape, bare(text)))
    expect(place).to_have_text(re.compile(rf"^\s*{spaced}\s*$"), use_inner_text=True, timeout=SOON)


def raw_says(page: Page, *turns: Said) -> None:
    """The raw stream, one click away, is this conversation with its special tokens."""
    fold = page.get_by_role("button", name="The same as the model reads it")
    if fold.get_attribute("aria-expanded") == "false":
        fold.click()
    said = "".join(f"<|{turn.speaker}|>{turn.text}<|end|>" for turn in turns)
    run = page.get_by_role("listbox", name="The conversation in tokens, as the model reads it")
    spaced = r"[\s↵]*".join(map(re.escape, bare(f"<|bos|>{said}")))
    expect(run).to_have_text(re.compile(rf"^\s*{spaced}\s*$"), timeout=SOON)
    expect(run.locator(".ll-box", has_text="<|")).to_have_count(1 + 2 * len(turns))


def test_a_chat_answers_what_python_computes_and_shows_what_is_read(lesson: Page):
    begin_anew(lesson)
    before: tuple[Said, ...] = ()
    for question in (OWN, PRESETS["A question"]):
        send(lesson, question)
        wanted = greedy(question, before)
        rest(lesson)
        shows(replies(lesson).last, wanted)
        shows(questions(lesson).last, question)
        before += (Said("user", question), Said("assistant", wanted))
        raw_says(lesson, *before)


def test_what_is_typed_into_the_chat_stays_text(lesson: Page):
    begin_anew(lesson)
    send(lesson, MARKUP)
    rest(lesson)
    expect(questions(lesson).last).to_contain_text("<|end|>")  # marimo reads the rest as Markdown
    shows(replies(lesson).last, greedy(MARKUP))
    raw_says(lesson, Said("user", MARKUP), Said("assistant", greedy(MARKUP)))
    assert replies(lesson).locator("img").count() == 0 and lesson.title() != "broken"


def test_a_stopped_answer_keeps_its_half_and_one_can_ask_again(lesson: Page):
    begin_anew(lesson)
    question = max(PRESETS.values(), key=lambda one: len(greedy(one)))
    full = greedy(question)
    send(lesson, question)
    replies(lesson).last.filter(has_text=re.compile(r"\S{3}")).wait_for()
    bot(lesson).locator("form button:has(svg.fill-current)").click()
    rest(lesson)
    half = replies(lesson).last.inner_text()
    assert 0 < len(bare(half)) < len(bare(full)) and bare(full).startswith(bare(half))
    raw_says(lesson, Said("user", question), Said("assistant", half))
    send(lesson, OWN)
    rest(lesson)
    cuts = [
        full[:n] for n in range(len(full)) if bare(full[:n]) == bare(half)
    ]  # with a space behind it or not
    wanted = {bare(greedy(OWN, (Said("user", question), Said("assistant", cut)))) for cut in cuts}
    expect(replies(lesson)).to_have_count(2)
    assert bare(replies(lesson).last.inner_text()) in wanted
    shows(replies(lesson).first, half)


def test_a_ready_question_is_put_into_the_field(lesson: Page):
    begin_anew(lesson)
    bot(lesson).locator("form button[aria-haspopup=menu]").click()
    lesson.get_by_role("menuitem", name=POEM).click()
    expect(bot(lesson).locator(".cm-content")).to_have_text(POEM)
    bot(lesson).get_by_role("button", name="Send message").click()
    rest(lesson)
    shows(replies(lesson).last, greedy(POEM))


def test_a_deleted_answer_is_not_read_any_more(lesson: Page):
    begin_anew(lesson)
    send(lesson, POEM)
    rest(lesson)
    shows(replies(lesson).last, greedy(POEM))
    replies(lesson).last.hover()
    bot(lesson).locator(".items-start button").last.click()
    expect(replies(lesson)).to_have_count(0)
    raw_says(lesson, Said("user", POEM))
    send(lesson, OWN)
    rest(lesson)
    shows(replies(lesson).last, greedy(OWN))


def test_two_students_who_talk_at_once_get_their_own_answers(lesson: Page, visit):
    begin_anew(lesson)
    other = visit(LESSON).page
    begin_anew(other)
    talks = ((lesson, POEM), (other, PRESETS["A question"]))
    for page, question in talks:
        send(page, question)
    for page, question in talks:
        rest(page)
        shows(replies(page).last, greedy(question))
        raw_says(page, Said("user", question), Said("assistant", greedy(question)))


# ---- labels ----


def test_drafts_are_corrected_checked_and_kept_for_the_next_lesson(lesson: Page, visit):
    menu, field = lesson.get_by_label("Question", exact=True), lesson.get_by_label("The draft; correct it")
    menu.scroll_into_view_if_needed()
    reply = lesson.locator(".ll-said", has_text="the checker")
    drafts = measured.drafts_to_correct()
    for question, draft in [*drafts.items()][::-1]:
        menu.select_option(question)
        expect(field).to_have_value(draft.draft)
        says(reply.first, measured.corrected_reply(draft, draft.draft))
    keep = lesson.get_by_role("button", name="Keep it as training data, for lesson 08")
    assert not draft.kept
    keep.click()
    expect(reply.last).to_contain_text("Not kept: it does not pass the checker", timeout=SOON)
    field.fill(draft.good)
    field.blur()
    says(reply.first, measured.corrected_reply(draft, draft.good))
    keep.click()
    expect(lesson.locator(".ll-said", has_text="Kept: it waits on the list of lesson 08")).to_be_visible()
    loop = visit("/08_the_loop/").page
    expect(
        loop.get_by_role("row").filter(has_text=draft.question).filter(has_text=draft.good)
    ).to_be_visible()
    loop.get_by_label("Take off the list").select_option(draft.question)
    loop.get_by_role("button", name="Take it off").click()
    expect(loop.get_by_text("The list is empty.")).to_be_visible()  # no trace: the checks share one student


# ---- training, exercises ----


def test_the_examples_of_both_labellers_can_be_read(lesson: Page):
    lesson.get_by_text("Two labellers have answered questions.").evaluate("(e) => e.scrollIntoView()")
    table_says(lesson.locator("table", has_text="answered carelessly"), finetuning_live.examples_table())


def test_a_training_is_stopped_and_another_begun_and_what_was_learned_stays(lesson: Page, tmp_path):
    good, sloppy = finetuning_live.WHICH
    run = lesson.get_by_role("button", name="Train", exact=True)
    stop = lesson.get_by_role("button", name="Stop", exact=True).last
    said = lesson.locator(".ll-said", has_text="tokens read, loss")
    menu, field = lesson.get_by_label("Learn from"), lesson.get_by_label("Ask all of them (Enter)")
    field.evaluate("(e) => e.scrollIntoView({ block: 'center' })")
    answers = lesson.locator("table", has_text="the shipped assistant").last
    mine = finetuning_live.Tutoring()
    field.fill(OWN)
    field.press("Enter")
    table_says(answers, finetuning_live.asked_of_all(mine, OWN))
    table_says(lesson.locator("table", has_text="admits not knowing").last, measured.labellers_table())
    for name in (sloppy, good):
        menu.select_option(name)
        run.click()
        expect(said).to_contain_text("Learning:", timeout=STARTING)
        folder = RunFolder(run_folder("assistant"))
        stop.click()
        expect(said).to_contain_text("Stopped:", timeout=SOON)
        last = json.loads(folder.log.read_text().splitlines()[-1])
        loss = f"loss {last['loss']:.2f} nats"
        expect(said).to_have_text(f"Stopped: {last['tokens']:,} of {LIVE_TOKENS:,} tokens read, {loss}.")
        mine.models[finetuning_live.WHICH[name]] = checkpoints.load(folder.checkpoints()[-1])
        field.evaluate("(e) => e.scrollIntoView({ block: 'center' })")  # the answers come when they are seen
        table_says(answers, finetuning_live.asked_of_all(mine, OWN))
    lesson.get_by_role("button", name="Table", exact=True).last.click()
    base, talk = zoo.load(finetuning.BASE), examples(build_world(), finetuning_live.WHICH[good])
    first = next(finetune(settings(LIVE_TOKENS), base, packed(base, talk), tmp_path))
    row = lesson.locator("table", has_text="loss, nats a token").locator("tbody tr").first
    expect(row.locator("th, td")).to_have_text(
        [f"{first.tokens:,}", "1", f"{first.loss:.2f}", re.compile(r"[\d.]+")], timeout=SOON
    )


def test_every_exercise_knows_right_from_wrong(lesson: Page):
    exercises_answer(lesson, exercises(build_world()))


def test_every_option_of_the_quiz_is_explained(lesson: Page):
    quiz_answers(lesson, QUIZ)
