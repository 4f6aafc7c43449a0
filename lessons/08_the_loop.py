# /// script
# requires-python = ">=3.11"
#
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="The loop, LLM Lab", css_file="../assets/llmlab.css")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from llmlab.course import page, tables
    from llmlab.course import the_loop_measured as measured
    from llmlab.course import the_loop_show as show
    from llmlab.course.corrections import exported
    from llmlab.course.exercises import Sheet, student_progress
    from llmlab.course.finetuning_chat import as_markdown
    from llmlab.course.next_token import size_of, source
    from llmlab.course.page import caption
    from llmlab.course.the_loop import Loop, Retraining
    from llmlab.course.the_loop_exercises import QUIZ, exercises
    from llmlab.errors import LabError
    from llmlab.model import zoo
    from llmlab.train.correct import lesson
    from llmlab.train.finetune import kept_loss
    from llmlab.train.lora import corrected
    from llmlab.world import build_world
    from llmlab.world.talk.rephrase import proposals, recognise

    return (
        LabError,
        Loop,
        QUIZ,
        Retraining,
        Sheet,
        as_markdown,
        build_world,
        caption,
        corrected,
        exercises,
        exported,
        kept_loss,
        lesson,
        measured,
        mo,
        page,
        proposals,
        recognise,
        show,
        size_of,
        source,
        student_progress,
        tables,
        zoo,
    )


@app.cell(hide_code=True)
def _(page, size_of, zoo):
    assistant = zoo.load("assistant")
    page.head("08", f"live, assistant, {size_of(assistant)}")
    return (assistant,)


@app.cell(hide_code=True)
def _(Loop, Retraining, assistant, build_world, mo, student_progress):
    progress, world = student_progress(), build_world()
    loop = Loop(assistant, world, progress)
    retraining = Retraining(loop)
    turn, set_turn = mo.state(0)  # goes up whenever something lies at another station
    return loop, progress, retraining, set_turn, turn, world


@app.cell(hide_code=True)
def _(loop, mo, retraining, show, tick, turn):
    turn(), tick
    mo.vstack([mo.Html('<span id="ll-touch"></span>'), mo.Html(show.board(loop, retraining))])
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the filled station: there is something to do.",
            "The stations are those of the talk’s summary, and they are yours. The version that is deployed answers "
            "below, your corrections are kept, and a version that you deploy stays deployed when you close the lid.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### 1 Monitor, 2 collect

    You listen in on the [deployed](#word-deploy) version. Below are five questions that people might ask, and
    its answers. All five are wrong, or say “I don't know” where the pages of the Isles know; a real company
    would have to find such ones among thousands. You may also ask your own.
    """)
    return


@app.cell(hide_code=True)
def _(mo):
    deal = mo.ui.button(value=1, on_click=lambda seed: seed + 1, label="Listen to five others")
    own = mo.ui.text(
        placeholder="Where does … live?", label="Or ask it yourself", full_width=True, debounce=True
    )
    mo.vstack([deal, own])
    return deal, own


@app.cell(hide_code=True)
def _(deal, deployment, loop, mo, set_turn):
    deployment()
    with mo.status.spinner("Listening …"):
        loop.deal(deal.value)
    set_turn(lambda n: n + 1)
    dealt = tuple(loop.heard)
    return (dealt,)


@app.cell(hide_code=True)
def _(LabError, dealt, loop, mo, own, set_turn, tables):
    _said = tables.note("What you ask is added to the list as its last line.")
    loop.heard = list(dealt)
    if own.value:
        try:
            loop.heard.append(loop.ask(own.value))
            _said = tables.note("Asked. It is the last line of the list.", "said")
        except LabError as _error:
            _said = tables.note(str(_error))
    set_turn(lambda n: n + 1)
    listened = tuple(loop.heard)
    mo.Html(_said)
    return (listened,)


@app.cell(hide_code=True)
def _(listened, mo):
    mark = mo.ui.radio(
        {f"{place}": one for place, one in enumerate(listened, 1)}, inline=True, label="Mark a bad answer"
    )
    return (mark,)


@app.cell(hide_code=True)
def _(listened, loop, mark, mo, set_turn, show):
    loop.marked = mark.value
    set_turn(lambda n: n + 1)
    mo.vstack([mo.Html(show.heard(listened, mark.value)), mark])
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look for an answer that you would not want to be asked about.",
            "On the left what was asked, on the right what the deployed version answers. Mark one with its number.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### 3 Correct

    Now you are the one whom the talk calls a labeller: you write what should have been said. Answer first, with
    the full name, in one sentence. Look it up; do not guess.
    """)
    return


@app.cell(hide_code=True)
def _(loop, mark, mo, show):
    mark
    mo.Html(show.marked(loop))
    return


@app.cell(hide_code=True)
def _(as_markdown, loop, mark, mo):
    _words = loop.wordings(mark.value.question) if mark.value else []
    better = mo.ui.text_area(
        placeholder="The answer as it should have been.", rows=2, full_width=True, label="It should have said"
    )
    practised = mo.ui.dictionary(
        {words: mo.ui.checkbox(value=True, label=as_markdown(words)) for words in _words}
    )
    keep = mo.ui.run_button(label="Keep this correction")
    mo.vstack(
        [
            better,
            mo.md(
                "The machine will practise it in these wordings. Strike out what does not ask for the same."
            )
            if _words
            else mo.md("The machine’s proposals for other wordings come here."),
            mo.vstack(list(practised.elements.values()), gap=0),
            keep,
        ]
    )
    return better, keep, practised


@app.cell(hide_code=True)
def _(better, keep, loop, mo, practised, set_turn, tables):
    _said = "Mark an answer, write a better one, and keep it."
    if keep.value:
        _said = loop.keep(better.value, [words for words, ticked in practised.value.items() if ticked])
        set_turn(lambda n: n + 1)
    mo.Html(tables.note(_said))
    return


@app.cell(hide_code=True)
def _(exported, loop, mo, turn):
    turn()
    _kept = loop.corrections.all()
    off = mo.ui.dropdown({one.question: one.id for one in _kept}, label="Take off the list")
    take = mo.ui.run_button(label="Take it off")
    export = mo.download(
        data=lambda: exported(loop.corrections.all()).encode(),
        filename="corrections.jsonl",
        label="Export the list (JSONL)",
    )
    return export, off, take


@app.cell(hide_code=True)
def _(loop, off, set_turn, take):
    if take.value and off.value is not None:
        loop.corrections.remove(off.value)
        set_turn(lambda n: n + 1)
    return


@app.cell(hide_code=True)
def _(export, loop, mo, off, show, take, turn):
    turn()
    _learned = loop.versions.report(loop.deployed).get("corrections", ())
    mo.vstack(
        [
            mo.Html(show.kept_table(loop.corrections.all(), _learned)),
            mo.hstack([off, take, export], justify="start", wrap=True, gap=1),
        ]
    )
    return


@app.cell(hide_code=True)
def _(page):
    page.step("guess", "Guess: what will one correction do?")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Before you retrain: your corrected question will be asked again in **three wordings that were neither typed
    nor practised**. And an exam about everything else, other people, other things, names that nobody bears, is
    taken before and after. Commit yourself.
    """)
    return


@app.cell(hide_code=True)
def _(measured, mo):
    bet = measured.Guess()
    _fresh = mo.ui.radio(bet.FRESH, inline=True, label="Right afterwards, of three fresh wordings")
    _lost = mo.ui.radio(bet.LOST, inline=True, label="Right answers lost elsewhere, of a hundred")
    guess = mo.ui.dictionary({"fresh": _fresh, "lost": _lost})
    commit = mo.ui.run_button(label="That is my guess")
    mo.vstack([*guess.elements.values(), commit])
    return bet, commit, guess


@app.cell(hide_code=True)
def _(bet, commit, guess, mo):
    mo.Html(bet.reply(guess.value["fresh"], guess.value["lost"], commit.value))
    return


@app.cell(hide_code=True)
def _(page):
    page.step("see", "See: retrain, compare, deploy")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### 4 Retrain

    All corrections on your list are learned at once, by an adapter (LoRA) on top of the assistant that came with
    the course. It takes some seconds on two idle cores; the exam afterwards takes as long again.
    """)
    return


@app.cell(hide_code=True)
def _(mo):
    running, set_running = mo.state(False)
    again, halt = mo.ui.run_button(label="Retrain"), mo.ui.run_button(label="Stop")
    mo.hstack([again, halt], justify="start")
    return again, halt, running, set_running


@app.cell(hide_code=True)
def _(again, halt, retraining, set_running):
    if again.value:
        retraining.begin()
    if halt.value:
        retraining.stop()
    if again.value:
        set_running(True)
    return


@app.cell(hide_code=True)
def _(mo, running):
    tick = mo.ui.refresh(default_interval="1s") if running() else None
    mo.Html(f'<div style="display: none">{tick}</div>')
    return (tick,)


@app.cell(hide_code=True)
def _(again, mo, retraining, set_running, set_turn, show, tick):
    again
    _ended = tick is not None and not retraining.running  # asked first, so that no last word is missed
    if retraining.look():
        set_turn(lambda n: n + 1)
    if _ended:
        set_running(False)
    mo.Html(show.progress(retraining))
    return


@app.cell(hide_code=True)
def _(mo, retraining, show, turn):
    turn()
    mo.Html(show.fresh_table(retraining.report))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the last column.",
            "None of these wordings was practised. ✓ says that an answer holds all that your correction says.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo, retraining, show, turn):
    turn()
    mo.Html(show.exam_table(retraining.report))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look for a ✓ that became a ×.",
            "These questions have nothing to do with your correction. Answers that were lost stand first, then those "
            "that were won, then those that changed in their words only. ✓ and × are the verdicts of the world.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### 5 Deploy

    You have seen what the new version gained and what it lost. If you want it to answer from now on, deploy it.
    If it turns out badly, go back: no version is ever overwritten.
    """)
    return


@app.cell(hide_code=True)
def _(loop, mo, turn):
    turn()
    choice = mo.ui.radio(
        {f"version {number}": number for number in loop.versions.numbers()},
        value=f"version {loop.deployed}" if loop.deployed in loop.versions.numbers() else None,
        inline=True,
        label="To be deployed",
    )
    release = mo.ui.run_button(label="Deploy")
    mo.hstack([choice, release], justify="start", wrap=True, gap=2)
    return choice, release


@app.cell(hide_code=True)
def _(mo):
    deployment, set_deployment = mo.state(0)
    return deployment, set_deployment


@app.cell(hide_code=True)
def _(LabError, choice, loop, mo, release, set_deployment, set_turn, tables):
    _said = tables.note("The version that is deployed answers at the top of the page.")
    if release.value and choice.value is not None:
        try:
            loop.versions.deploy(choice.value)
            _said = tables.note(
                f"Version {choice.value} is deployed: it answers at the top of the page now.", "said"
            )
            set_deployment(choice.value)
            set_turn(lambda n: n + 1)
        except LabError as _error:
            _said = tables.note(str(_error))
    mo.Html(_said)
    return


@app.cell(hide_code=True)
def _(loop, mo, show, turn):
    turn()
    mo.Html(show.history(loop))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at what each version has learned, and at what its exam says.",
            "In brackets: the right answers of version 1 in the same exam. Version 1 cannot be lost.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### Many corrections, one after the other

    One case is an anecdote. So the same was done with random wrong answers, each on a fresh copy of the
    assistant.
    """)
    return


@app.cell(hide_code=True)
def _(measured, mo):
    mo.Html(measured.recipes_table())
    return


@app.cell(hide_code=True)
def _(caption, measured, mo):
    mo.Html(caption("Look at each column from the first row down.", measured.recipes_sentence()))
    return


@app.cell(hide_code=True)
def _(page):
    page.step("hood", "Under the hood: one answer becomes a lesson")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    From one example a model learns to answer one string of letters. So the machine first finds out *whom* and
    *what* the question is about, and asks for it in the wordings that conversations are written in. Beside them
    stand old conversations in which nothing should change. From `llmlab/world/talk/rephrase.py` and
    `llmlab/train/correct.py`, as they are:
    """)
    return


@app.cell(hide_code=True)
def _(lesson, mo, proposals, recognise, source):
    mo.md(f"```python\n{source(recognise, proposals, lesson)}\n```")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    What is learned is an **adapter**: beside each matrix *W* stand two thin ones, and the network works with *W* +
    *BA*. *W* stays as it is. So a version is a small file, and going back means leaving it off. And in the old
    conversations the loss compares with no right answer: it is the distance to what the assistant said before. From
    `llmlab/train/lora.py` and `finetune.py`:
    """)
    return


@app.cell(hide_code=True)
def _(corrected, kept_loss, mo, source):
    mo.md(f"```python\n{source(corrected, kept_loss)}\n```")
    return


@app.cell(hide_code=True)
def _(page):
    page.step("train", "Train it yourself: leave a part out")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    What is each part of the recipe for? Leave one out, learn **the same list** again, and compare with your
    version above. Nothing of this is deployed.
    """)
    return


@app.cell(hide_code=True)
def _(Retraining, loop, mo):
    trial = Retraining(loop, keep=False)
    trying, set_trying = mo.state(False)
    without = mo.ui.radio(
        {
            "other wordings: only the question as it was typed": "one wording",
            "the old conversations": "no practice",
        },
        value="the old conversations",
        label="Leave out",
    )
    attempt, cease = mo.ui.run_button(label="Train without it"), mo.ui.run_button(label="Stop")
    mo.vstack([without, mo.hstack([attempt, cease], justify="start")])
    return attempt, cease, set_trying, trial, trying, without


@app.cell(hide_code=True)
def _(attempt, cease, set_trying, trial, without):
    if attempt.value:
        trial.begin(without.value)
    if cease.value:
        trial.stop()
    if attempt.value:
        set_trying(True)
    return


@app.cell(hide_code=True)
def _(mo, trying):
    trial_tick = mo.ui.refresh(default_interval="1s") if trying() else None
    mo.Html(f'<div style="display: none">{trial_tick}</div>')
    return (trial_tick,)


@app.cell(hide_code=True)
def _(attempt, mo, set_trying, show, trial, trial_tick):
    attempt
    _ended = trial_tick is not None and not trial.running
    trial.look()
    if _ended:
        set_trying(False)
    mo.vstack(
        [
            mo.Html(show.progress(trial)),
            mo.Html(show.fresh_table(trial.report)),
            mo.Html(show.exam_table(trial.report)),
        ]
    )
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the fresh wordings without other wordings, and at the exam without old conversations.",
            "The dose is the same: the corrected answer is practised as often as before. Only what stands around it is "
            "missing.",
        )
    )
    return


@app.cell(hide_code=True)
def _(QUIZ, Sheet, assistant, exercises, page, progress, world):
    sheet = Sheet("08_the_loop", exercises(assistant, world), QUIZ, progress)
    page.step("exercises")
    return (sheet,)


@app.cell(hide_code=True)
def _(sheet):
    points = sheet.ask("points")
    points
    return (points,)


@app.cell(hide_code=True)
def _(points, sheet):
    sheet.reply("points", points)
    return


@app.cell(hide_code=True)
def _(sheet):
    not_practised = sheet.ask("not_practised")
    not_practised
    return (not_practised,)


@app.cell(hide_code=True)
def _(not_practised, sheet):
    sheet.reply("not_practised", not_practised)
    return


@app.cell(hide_code=True)
def _(sheet):
    share_of = sheet.ask("share")
    share_of
    return (share_of,)


@app.cell(hide_code=True)
def _(share_of, sheet):
    sheet.reply("share", share_of)
    return


@app.cell(hide_code=True)
def _(sheet):
    adapter = sheet.ask("adapter")
    adapter
    return (adapter,)


@app.cell(hide_code=True)
def _(adapter, sheet):
    sheet.reply("adapter", adapter)
    return


@app.cell(hide_code=True)
def _(sheet):
    lost = sheet.ask("lost")
    lost
    return (lost,)


@app.cell(hide_code=True)
def _(lost, sheet):
    sheet.reply("lost", lost)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### Three questions
    """)
    return


@app.cell(hide_code=True)
def _(sheet):
    quiz = sheet.quiz()
    quiz
    return (quiz,)


@app.cell(hide_code=True)
def _(quiz, sheet):
    sheet.marks(quiz)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("real")
    return


@app.cell(hide_code=True)
def _(mo, show):
    mo.Html(show.real_table())
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    The talk's summary of the second stage is this very board: write labelling instructions, hire people, collect
    ideal answers, finetune, evaluate, deploy, monitor, collect misbehaviours, and start again. Pretraining, it
    says, is done perhaps once a year; this round perhaps every week, because it is so much cheaper. People who
    edit facts in models ask the same three questions as this page: is the edit there, in other wordings too, and
    is everything else as before?

    A warning that this page cannot show with one correction: a model that is finetuned on many facts that
    pretraining never gave it learns to make up others. So companies prefer to correct *behaviour* in the loop, and
    leave facts to pages and tools.

    Sources: Karpathy 2023, *Intro to Large Language Models*, from 17:52. Ouyang et al. 2022, *InstructGPT*
    (arXiv:2203.02155). Touvron et al. 2023, *Llama 2* (arXiv:2307.09288). Hu et al. 2021, *LoRA*
    (arXiv:2106.09685). Facts edited: Meng et al. 2022, *ROME* (arXiv:2202.05262). New facts and made-up ones:
    Gekhman et al. 2024 (arXiv:2405.05904). The way back: OpenAI 2025, *Sycophancy in GPT-4o: what happened and
    what we're doing about it*.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("next", "What you can say now")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    - An assistant is never finished. It is monitored, corrected, retrained and deployed, again and again.
    - A correction is a piece of data. It outlives the version that learned it.
    - One example teaches one string of letters; many wordings teach the answer.
    - Beside it the assistant is held to what it said before in old conversations, or the rest changes, too.
    - Before deploying, look at the list of what was lost, not only at the average; and keep the way back open.
    - The loop teaches what people write. Whether it is true, they must know.

    You are at 21:05 of the talk.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.farewell("08")
    return


if __name__ == "__main__":
    app.run()
