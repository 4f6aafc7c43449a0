# /// script
# requires-python = ">=3.11"
#
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Dreams, LLM Lab", css_file="../assets/llmlab.css")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from llmlab.course import answers, dreams, dreams_live, dreams_measured, page, tables
    from llmlab.course.dreams_exercises import QUIZ, exercises
    from llmlab.course.exercises import Sheet, student_progress
    from llmlab.course.next_token import POCKET_TOKENS, size_of, source
    from llmlab.course.page import caption
    from llmlab.course.training import Training
    from llmlab.measure import chance, index
    from llmlab.measure.dreams import run_at, stands
    from llmlab.model import zoo
    from llmlab.show import Theme

    return (
        POCKET_TOKENS,
        QUIZ,
        Sheet,
        Theme,
        Training,
        answers,
        caption,
        chance,
        dreams,
        dreams_live,
        dreams_measured,
        exercises,
        index,
        mo,
        page,
        run_at,
        size_of,
        source,
        stands,
        student_progress,
        tables,
        zoo,
    )


@app.cell(hide_code=True)
def _(page, size_of, zoo):
    checkpoint = zoo.load("course")
    page.head("05", f"course model, {size_of(checkpoint)}")
    return (checkpoint,)


@app.cell(hide_code=True)
def _(dreams, mo):
    about = mo.ui.radio(
        list(dreams.ABOUT), value=next(iter(dreams.ABOUT)), inline=True, label="Dream of something"
    )
    again = mo.ui.button(value=1, on_click=lambda seed: seed + 1, label="Dream again")
    heat = mo.ui.slider(0.2, 1.5, 0.1, value=0.8, show_value=True, debounce=True, label="Temperature")
    mo.vstack(
        [
            mo.Html('<span id="ll-touch"></span>'),
            mo.hstack([again, about, heat], justify="start", wrap=True, gap=2),
        ]
    )
    return about, again, heat


@app.cell(hide_code=True)
def _(count_tick, crawl, dreamer, mo, set_counting, set_indexed, wish):
    _state = dreamer.state(wish)
    if count_tick is not None and crawl.look() and crawl.index is not None:
        set_counting(False)
        set_indexed(True)
    mo.Html(_state)
    return


@app.cell(hide_code=True)
def _(dreamer, mo, tables):
    left, middle, right = (mo.ui.anywidget(text) for text in dreamer.texts.values())
    mo.Html(
        tables.columns(["A shop listing", "An encyclopedia article", "Python code"], [left, middle, right])
    )
    return left, middle, right


@app.cell(hide_code=True)
def _(dreamer, left, middle, mo, right, wish):
    wish, left, middle, right
    dreamer.look()
    mo.Html(dreamer.sheet())
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the lines under the words, then at the hills.",
            "A line is a verdict on a claim, or on a long run that stands on a page. A hill is as high as the longest "
            "run of tokens, around this place, that stands anywhere in the crawl; the dashed line says from which "
            "height on it counts as copied. The beginning on the coloured ground was given. Press any word.",
        )
    )
    return


@app.cell(hide_code=True)
def _(dreamer, dreams, mo, wish):
    wish
    mo.Html(dreams.counted(dreamer))
    return


@app.cell(hide_code=True)
def _(answers, checkpoint, dreams, student_progress):
    progress = student_progress()
    crawl = answers.crawl("course")
    dreamer = dreams.Dreamer(checkpoint, crawl if progress else None)
    return crawl, dreamer, progress


@app.cell(hide_code=True)
def _(crawl, mo, progress):
    if progress:
        crawl.prepare()
        crawl.look()
    counting, set_counting = mo.state(progress is not None and crawl.index is None)
    indexed, set_indexed = mo.state(crawl.index is not None)
    return counting, indexed, set_counting, set_indexed


@app.cell(hide_code=True)
def _(about, again, dreamer, dreams, heat, indexed, mo):
    indexed()
    wish = dreams.Night(dreams.ABOUT[about.value], heat.value, again.value)
    with mo.status.spinner("Dreaming, and looking up every word …"):
        dreamer.show(wish)
    return (wish,)


@app.cell(hide_code=True)
def _(counting, mo):
    count_tick = mo.ui.refresh(default_interval="1s") if counting() else None
    mo.Html(f'<div style="display: none">{count_tick}</div>')
    return (count_tick,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    A model that has only read, and was not yet taught to answer, does one thing: it goes on. Give it the
    beginning of a page, or nothing at all, and it **[dreams](#word-dream)** a page of its internet. In the talk
    there are three such dreams: code, a shop's product with its ISBN, and an article about a fish.

    Nobody there could say which words were memory. Here we can. We invented this internet, so we have every
    page that the model has read, and the truth about everything on them. Each [claim](#word-claim) of a dream
    gets one of four verdicts:

    - **= copied**: it is true, and the whole sentence up to it stands on a page.
    - **✓ true**: it is true, in words that stand together on no page.
    - **× false**: the thing exists, and the world says otherwise.
    - **∅ nothing**: there is no such thing.

    Words that claim nothing about the Isles get no verdict. They are marked as copied only where they are part of
    a run that is longer than chance allows.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("guess", "Guess: who exists?")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Three dreams, three animals. One animal is famous, and the model has read much about it. One is real, and was
    rarely written about. One does not exist: we made up its name. You see the words and no verdict, like everybody
    who reads what a model writes. Which is which?
    """)
    return


@app.cell(hide_code=True)
def _(dreamer, dreams_live, mo, tables):
    riddle = dreams_live.Riddle(dreamer)
    mo.Html(tables.columns("ABC", [mo.ui.anywidget(text) for text in riddle.texts]))
    return (riddle,)


@app.cell(hide_code=True)
def _(mo, riddle):
    guess = mo.ui.dictionary(
        {letter: mo.ui.radio(riddle.OPTIONS, inline=True, label=f"{letter} is about") for letter in "ABC"}
    )
    commit = mo.ui.run_button(label="That is my guess")
    mo.vstack([*guess.elements.values(), commit])
    return commit, guess


@app.cell(hide_code=True)
def _(commit, guess, mo, riddle):
    mo.Html(riddle.reply(guess.value, commit.value))
    return


@app.cell(hide_code=True)
def _(page):
    page.step("see", "See: memory, habit, invention")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### How long is a match by chance?

    Some words of a dream stand on a page. Is that a memory? Three words together always stand somewhere. And our
    crawl has writers with habits: their phrases are on hundreds of pages. So we take texts that **nobody can have
    copied** from this crawl, and measure how long their matches are: words in random order; pages of another
    world, by the same writers, about other people and things; pages of this world that the model never saw.
    """)
    return


@app.cell(hide_code=True)
def _(Theme, dreams_measured, mo):
    theme = mo.ui.anywidget(Theme())
    pages = mo.ui.radio(dreams_measured.PAGES, value=next(iter(dreams_measured.PAGES)), inline=True)
    mo.vstack([theme, pages])
    return pages, theme


@app.cell(hide_code=True)
def _(checkpoint, dreams_measured, pages, theme):
    dreams_measured.chance_picture(checkpoint, pages.value, theme.value["theme"])
    return


@app.cell(hide_code=True)
def _(caption, checkpoint, dreams_measured, mo, pages):
    mo.Html(
        caption(
            "Look at the dashed line that stands upright.",
            dreams_measured.chance_sentence(checkpoint, pages.value),
        )
        + dreams_measured.folded(dreams_measured.chance_table(checkpoint, pages.value))
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    So a short match is worth nothing, and a long one is worth what the [baseline](#word-baseline) says. A match
    also proves no theft: it shows that the model *could* have copied these words, not that it did.

    ### Cool dreams and hot dreams

    Temperature decides how far a dream may stray from what is likeliest. Does a cool dream tell more truth?
    """)
    return


@app.cell(hide_code=True)
def _(checkpoint, dreams_measured, theme):
    dreams_measured.heat_picture(checkpoint, theme.value["theme"])
    return


@app.cell(hide_code=True)
def _(caption, checkpoint, dreams_measured, mo):
    mo.Html(
        caption("Look at the line of what is false.", dreams_measured.heat_sentence(checkpoint))
        + dreams_measured.folded(dreams_measured.heat_table(checkpoint))
    )
    return


@app.cell(hide_code=True)
def _(dreams_measured, mo):
    measuring = dreams_measured.Again("course")
    running, set_running = mo.state(False)
    at = mo.ui.slider(0.2, 1.5, 0.1, value=1.0, show_value=True, label="Temperature")
    count, halt = mo.ui.run_button(label="Measure here again"), mo.ui.run_button(label="Stop")
    mo.hstack([at, count, halt], justify="start", wrap=True, gap=2)
    return at, count, halt, measuring, running, set_running


@app.cell(hide_code=True)
def _(at, count, halt, measuring, set_running):
    if count.value:
        measuring.begin(at.value)
    if halt.value:
        measuring.stop()
    if count.value:
        set_running(True)
    return


@app.cell(hide_code=True)
def _(mo, running):
    measure_tick = mo.ui.refresh(default_interval="1s") if running() else None
    mo.Html(f'<div style="display: none">{measure_tick}</div>')
    return (measure_tick,)


@app.cell(hide_code=True)
def _(at, checkpoint, dreams_measured, measure_tick, measuring, mo, set_running, tables):
    _ended = measure_tick is not None and not measuring.running  # asked first, so that no last word is missed
    measuring.look()
    if _ended:
        set_running(False)
    mo.Html(tables.note(measuring.sentence) + dreams_measured.again_table(checkpoint, measuring, at.value))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### A number that looks right

    In the talk, the dreamt product has an ISBN, and probably no such book exists. The shop of the Isles numbers its
    products, too. We give the model the first line of a listing, and it writes the number. Three questions can be
    asked about it. Has it the **form**? Has it the **check digit** of a real ISBN, the last digit that a rule
    makes from the others? And is it **the number of this product**?
    """)
    return


@app.cell(hide_code=True)
def _(mo, page):
    cards = page.Scene(rows=12)
    deal = mo.ui.button(value=1, on_click=lambda seed: seed + 1, label="Dream other numbers")
    deal
    return cards, deal


@app.cell(hide_code=True)
def _(cards, checkpoint, deal, dreams_live):
    cards.show(lambda: dreams_live.numbers(checkpoint, deal.value))
    return


@app.cell(hide_code=True)
def _(checkpoint, dreams_measured, mo):
    mo.Html(dreams_measured.numbers_table(checkpoint))
    return


@app.cell(hide_code=True)
def _(caption, checkpoint, dreams_measured, mo):
    mo.Html(caption("Look from the first line to the last.", dreams_measured.numbers_sentence(checkpoint)))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    The second line needs an honest word: the shop of the Isles draws its last digit by lot, so even its own numbers
    follow the rule one time in ten, and dreamt ones do not more often. With real ISBNs, where all true numbers
    follow it, that line would unmask most dreams by arithmetic alone. **The model knows what a thing looks like,
    not what it is.**

    ### Knowledge is exposure

    When does it know what a thing is? We ask for facts, and count how many training pages state each of them.
    """)
    return


@app.cell(hide_code=True)
def _(checkpoint, dreams_measured, theme):
    dreams_measured.exam_picture(checkpoint, theme.value["theme"])
    return


@app.cell(hide_code=True)
def _(caption, checkpoint, dreams_measured, mo):
    mo.Html(
        caption("Look at the left end, then at the right end.", dreams_measured.exam_sentence(checkpoint))
        + dreams_measured.folded(dreams_measured.exam_table(checkpoint))
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### All dreams of one prompt

    One dream is one road; the model holds all of them at once. Below are the roads after a question about
    somebody's mother: high is likely, the ink frame is the truth. Move the temperature, and walk into a block.
    Then let the model really dream it a hundred times.
    """)
    return


@app.cell(hide_code=True)
def _(checkpoint, dreams_live, mo):
    mothers = dreams_live.mothers(checkpoint)
    whose = mo.ui.radio(list(mothers), value=list(mothers)[1], inline=True, label="A mother who was")
    whose
    return mothers, whose


@app.cell(hide_code=True)
def _(checkpoint, dreams_live, mo, mothers, whose):
    tree, *_ = dreams_live.roads_of(checkpoint, mothers[whose.value])
    mo.ui.anywidget(tree)
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the column on the right, and change whose mother it is.",
            "What was read on many pages is one tall block. What was read once is a fan of names that sound like names "
            "of the Isles, and most of them belong to nobody. No road says “I do not know”.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo, page):
    many = page.Scene(rows=11)
    hundred = mo.ui.button(value=1, on_click=lambda seed: seed + 1, label="Dream it 100 times again")
    hundred
    return hundred, many


@app.cell(hide_code=True)
def _(checkpoint, dreams_live, hundred, many, mothers, whose):
    many.show(lambda: dreams_live.hundred(checkpoint, mothers[whose.value], 1_000 * hundred.value))
    return


@app.cell(hide_code=True)
def _(page):
    page.step("hood", "Under the hood: every word looked up")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    The index is a **suffix array**: all places of the crawl, sorted by what follows them, like the words of a
    dictionary. Then any run of tokens is found by opening the dictionary in the middle, again and again: some 24
    looks for 14 million places. From `llmlab/measure/`, as it is: finding a place, the longest run at a token,
    whether a sentence stands on a page, and where “copied” begins.
    """)
    return


@app.cell(hide_code=True)
def _(chance, index, mo, run_at, source, stands):
    mo.md(f"```python\n{source(index.Index.place, run_at, stands, chance.reached, chance.threshold)}\n```")
    return


@app.cell(hide_code=True)
def _(page):
    page.step("train", "Train it yourself")
    return


@app.cell(hide_code=True)
def _(POCKET_TOKENS, mo):
    mo.md(f"""
    What comes first, the form or the fact? Train a small model on {POCKET_TOKENS:,} tokens of the crawl, two to
    three minutes on two cores, and watch: it dreams an article about the most famous animal and the numbers of
    the most famous products, each time that it is saved.
    """)
    return


@app.cell(hide_code=True)
def _(POCKET_TOKENS, Training, mo, page):
    pocket, worth = Training("course", POCKET_TOKENS), page.Scene(rows=5)
    learning, set_learning = mo.state(False)
    new_model, set_new_model = mo.state(0)
    run, stop = mo.ui.run_button(label="Train a pocket model"), mo.ui.run_button(label="Stop")
    mo.hstack([run, stop], justify="start")
    return learning, new_model, pocket, run, set_learning, set_new_model, stop, worth


@app.cell(hide_code=True)
def _(pocket, run, set_learning, stop):
    if run.value:
        pocket.begin()
    if stop.value:
        pocket.stop()
    if run.value:
        set_learning(True)
    return


@app.cell(hide_code=True)
def _(learning, mo):
    tick = mo.ui.refresh(default_interval="1s") if learning() else None
    mo.Html(f'<div style="display: none">{tick}</div>')
    return (tick,)


@app.cell(hide_code=True)
def _(mo, pocket, set_learning, set_new_model, tables, tick):
    _ended = tick is not None and not pocket.running  # asked first, so that no last word is missed
    if pocket.look():
        set_new_model(pocket.learned_step)
    if _ended:
        set_learning(False)
    mo.Html(tables.note(pocket.sentence))
    return


@app.cell(hide_code=True)
def _(checkpoint, dreams_live, mo, new_model, pocket, worth):
    new_model()
    mo.vstack(
        [
            worth.show(lambda: dreams_live.worth(checkpoint, pocket.learned, pocket.learned_step)),
            mo.ui.anywidget(dreams_live.article(pocket.learned)),
        ]
    )
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at which line of the table moves first.",
            "The form comes within seconds of reading, because every listing shows it. The numbers themselves stay "
            "wrong: they would need a hundred times as much reading. The article sounds like an article long before "
            "anything in it is true.",
        )
    )
    return


@app.cell(hide_code=True)
def _(QUIZ, Sheet, checkpoint, exercises, page, progress):
    sheet = Sheet("05_dreams", exercises(checkpoint), QUIZ, progress)
    page.step("exercises")
    return (sheet,)


@app.cell(hide_code=True)
def _(sheet):
    word_for_word = sheet.ask("word_for_word")
    word_for_word
    return (word_for_word,)


@app.cell(hide_code=True)
def _(sheet, word_for_word):
    sheet.reply("word_for_word", word_for_word)
    return


@app.cell(hide_code=True)
def _(sheet):
    verdict = sheet.ask("verdict")
    verdict
    return (verdict,)


@app.cell(hide_code=True)
def _(sheet, verdict):
    sheet.reply("verdict", verdict)
    return


@app.cell(hide_code=True)
def _(sheet):
    by_chance = sheet.ask("by_chance")
    by_chance
    return (by_chance,)


@app.cell(hide_code=True)
def _(by_chance, sheet):
    sheet.reply("by_chance", by_chance)
    return


@app.cell(hide_code=True)
def _(sheet):
    half = sheet.ask("half")
    half
    return (half,)


@app.cell(hide_code=True)
def _(half, sheet):
    sheet.reply("half", half)
    return


@app.cell(hide_code=True)
def _(sheet):
    check_digit = sheet.ask("check_digit")
    check_digit
    return (check_digit,)


@app.cell(hide_code=True)
def _(check_digit, sheet):
    sheet.reply("check_digit", check_digit)
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
def _(checkpoint, dreams_measured, mo):
    mo.Html(dreams_measured.real_table(checkpoint))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    The talk's third dream, about the blacknose dace, is roughly right: the fish exists, and was written about. Its
    ISBN looks like one and probably is none. With real models both are hard to check, because few have an index of
    what they read, and nobody has a list of what is true.

    Sources: Karpathy 2023, *Intro to Large Language Models*, from 8:58. Copying: Carlini et al. 2021
    (arXiv:2012.07805) and 2022 (arXiv:2202.07646), where “memorised” means that 50 tokens come back after the 50
    before them, or more. Facts and documents: Kandpal et al. 2022 (arXiv:2211.08411). Citations: Walters and Wilder
    2023, *Scientific Reports* 13:14045. Why a calibrated model must make up what it read once: Kalai and Vempala 2023
    (arXiv:2311.14648). An index over a real training set: Liu et al. 2025, *OLMoTrace* (arXiv:2504.07096).
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("next", "What you can say now")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    - A base model dreams pages. Some of their words are memory, some are knowledge, some are invention, and all are
      made in the same way.
    - From the words alone nobody can tell which is which, and neither can the model.
    - A match of a few tokens is a habit of the language. Only a baseline says from where on it is a copy.
    - What was read often is known. What was read once or never is made up, in the right form.
    - A lower temperature gives the likeliest words. They are true where the model has read enough.

    You are at 11:22 of the talk.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.farewell("05")
    return


if __name__ == "__main__":
    app.run()
