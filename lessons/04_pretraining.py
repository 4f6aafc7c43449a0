# /// script
# requires-python = ">=3.11"
#
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Pretraining, LLM Lab",
    css_file="../assets/llmlab.css",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from llmlab.course import page, pretraining, tables
    from llmlab.course import pretraining_cost as cost
    from llmlab.course import pretraining_measured as measured
    from llmlab.course.exercises import Sheet, student_progress
    from llmlab.course.next_token import source
    from llmlab.course.page import caption
    from llmlab.course.pretraining_exercises import QUIZ, exercises
    from llmlab.measure.arithmetic_coding import Encoder, Interval
    from llmlab.train.pretrain import train_step

    return (
        Encoder,
        Interval,
        QUIZ,
        Sheet,
        caption,
        cost,
        exercises,
        measured,
        mo,
        page,
        pretraining,
        source,
        student_progress,
        tables,
        train_step,
    )


@app.cell(hide_code=True)
def _(measured, page):
    page.head("04", measured.about())
    return


@app.cell(hide_code=True)
def _(mo):
    mo.Html('<span id="ll-touch"></span>')
    return


@app.cell(hide_code=True)
def _(mo, pretraining):
    mo.ui.anywidget(pretraining.theatre())
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at everything at once while you move the slider.",
            "At its left end there are random numbers, at its right end a model, and between them nothing but reading. "
            "The dotted lines say what a loss means. The darker a token of the page, the likelier the model found it; "
            "the bar below it is what it cost. Press a token to see what was expected in its place.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Training is one sentence long: *read a text, and at each place make the token that really came a little more
    likely.* The **[loss](#word-loss)** is how surprised the model still is, on average: minus the logarithm of
    the probability that it gave to what came. With the natural logarithm the unit is a *nat*, with the
    logarithm to the base of two a *bit*: one bit is a question with yes and no. One nat is 1.44 bits.

    A curve alone says little; the dotted lines give it a meaning. Who knows nothing pays for a guess among all
    tokens. Who has counted how often each token comes pays less, and who has counted which token follows which pays
    less again. The model passes one after the other, without having been told that such things exist. Below the
    last line no model gets: what the writer of a page decided by chance, nobody can foresee. (On our invented
    internet we know that line, because we wrote the writer. For the real one nobody does.)

    In this run hardly any text is read twice. So every loss on the curve was measured on pages that were new to the
    model at that moment.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("guess", "Guess: what is learned first, and what last?")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    We sort the tokens of pages that no model has read into kinds. Before any reading all kinds cost the same.
    After the longest training that we have, **which kind costs least, and which most?** Decide before you look.
    """)
    return


@app.cell(hide_code=True)
def _(measured, mo):
    bet = measured.Guess()
    cheapest = mo.ui.radio(list(bet.options), label="Cheapest in the end")
    most = mo.ui.radio(list(bet.options), label="Dearest in the end")
    commit = mo.ui.run_button(label="That is my guess")
    mo.vstack([mo.hstack([cheapest, most], justify="start", wrap=True, gap=3), commit])
    return bet, cheapest, commit, most


@app.cell(hide_code=True)
def _(bet, cheapest, commit, mo, most):
    mo.Html(bet.reply(cheapest.value, most.value, commit.value))
    return


@app.cell(hide_code=True)
def _(page):
    page.step("see", "See: why prediction forces knowledge")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    To foresee the rest of a word you must know how it is spelled. To foresee a comma, a little grammar. To foresee
    the name after “is the child of”, there is no trick: **you must know whose child it is.** Here is a page
    that no model has read, seen by three readers. A green line marks what is a fact.
    """)
    return


@app.cell(hide_code=True)
def _(mo, pretraining):
    _names = list(pretraining.pages())
    who = mo.ui.radio(_names, value=_names[0], inline=True, label="The page about")
    who
    return (who,)


@app.cell(hide_code=True)
def _(measured, mo, tables, who):
    _names = {
        "untrained": "Before any reading",
        "pocket": "After the pocket run",
        "course": "The course model",
    }
    mo.Html(
        tables.columns(
            list(_names.values()),
            [mo.ui.anywidget(measured.coloured(who.value, reader)) for reader in _names],
        )
    )
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at what stays pale on the right.",
            "Everything is pale on the left: each token is a surprise. In the middle words and phrases have turned "
            "dark, and on the right the page is dark but for the places where a new sentence begins, which nobody "
            "could foresee, and for those facts that the model does not know.",
        )
    )
    return


@app.cell(hide_code=True)
def _(measured, mo, who):
    mo.Html(measured.facts_table(who.value))
    return


@app.cell(hide_code=True)
def _(caption, measured, mo, who):
    mo.Html(caption("Look for the largest number in the last column.", measured.facts_sentence(who.value)))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    One page is one example. The same on more pages, by kind of token. Of a fact, its first token counts here: that
    is where one has to know it; how the name goes on is spelling.
    """)
    return


@app.cell(hide_code=True)
def _(measured, page):
    page.later(measured.kinds_table, rows=7.5)
    return


@app.cell(hide_code=True)
def _(caption, measured, page):
    page.later(lambda: caption("Look at each row from left to right.", measured.kinds_sentence()), rows=4.2)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### A model is a compressor

    Whoever predicts well needs few bits to say what came. That is no figure of speech. An **[arithmetic
    coder](#word-arithmetic-coder)** cuts the line from 0 to 1 into one piece a token, each as wide as the model
    finds it likely, goes into the piece of the token that came, and cuts again. In the end one number names the
    whole text. The other side has the same model, cuts in the same way, and reads the tokens off. Choose a
    text: it is packed and unpacked now.
    """)
    return


@app.cell(hide_code=True)
def _(measured, mo, page, pretraining):
    archive, its_factor = page.Scene(rows=10), page.Scene(rows=2.4)
    packer = mo.ui.radio(["course", "pocket"], value="course", inline=True, label="Packed by the")
    packed_text = mo.ui.text_area(
        value=pretraining.article(pretraining.first_page()), rows=4, max_length=measured.LONGEST, full_width=True,
        label="A page that was never read; or write your own, and press Ctrl and Enter",
    )  # fmt: skip
    mo.vstack([packer, packed_text])
    return archive, its_factor, packed_text, packer


@app.cell(hide_code=True)
def _(archive, measured, packed_text, packer):
    archive.show(lambda: measured.archive_picture(packed_text.value, packer.value))
    return


@app.cell(hide_code=True)
def _(caption, its_factor, measured, packed_text, packer):
    its_factor.show(
        lambda: caption(
            "Look at the shortest bar, and at the broken one.",
            measured.archive_sentence(packed_text.value, packer.value),
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### A zip of the internet?

    In the talk the file is called *a zip of the internet*, a lossy one. Coder and model **together** lose nothing.
    The model **alone** cannot give a page back. It can only write one that is like it, because the corrections are
    missing: exactly those bits that you saw above. So there are two honest ways to count, and the talk's factor
    is of the second kind.
    """)
    return


@app.cell(hide_code=True)
def _(measured, mo):
    mo.Html(measured.crawl_table())
    return


@app.cell(hide_code=True)
def _(caption, measured, mo):
    mo.Html(caption("Look at the two last rows.", measured.crawl_sentence()))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### What it costs

    Each parameter takes part in about six [operations](#word-flop) for each token: two on the way forward, four
    on the way back. All else is division. Change a number.
    """)
    return


@app.cell(hide_code=True)
def _(cost, mo):
    preset = mo.ui.dropdown(list(cost.PRESETS), value=next(iter(cost.PRESETS)), label="Begin with")
    preset
    return (preset,)


@app.cell(hide_code=True)
def _(cost, mo, preset):
    numbers = mo.ui.dictionary(
        {
            name: mo.ui.number(start=0, step=None, value=value, label=cost.LABELS[name])
            for name, value in cost.PRESETS[preset.value].items()
        }
    )
    rent = mo.ui.number(start=0, value=0.1, step=0.01, label="Rent of this machine, $ an hour")
    mo.hstack([*numbers.elements.values(), rent], justify="start", wrap=True, gap=1)
    return numbers, rent


@app.cell(hide_code=True)
def _(cost, learning, mine, mo, numbers, rent):
    learning()
    mo.Html(cost.cost_table(numbers.value, mine.training.steps, rent.value))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the first row, then at the last.",
            "In the talk it is a factor of about 100; 10 TB over 140 GB are 71. In the last column stands the run of "
            "this page: yours as soon as you have trained, the shipped one before. The rent of a small machine with "
            "two cores, about ten cents an hour, is our assumption; change it.",
        )
    )
    return


@app.cell(hide_code=True)
def _(page):
    page.step("hood", "Under the hood: the step that is repeated")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    From `llmlab/train/pretrain.py`, as it is: read some rows, compare what was expected with what came (`loss_of`), ask
    each weight in which direction it should have been (`backward`), and move it a little that way (`step`).
    """)
    return


@app.cell(hide_code=True)
def _(mo, source, train_step):
    mo.md(f"```python\n{source(train_step)}\n```")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    And the heart of the arithmetic coder, from `llmlab/measure/arithmetic_coding.py`. A property test packs and unpacks
    arbitrary messages with it.
    """)
    return


@app.cell(hide_code=True)
def _(Encoder, Interval, mo, source):
    mo.md(f"```python\n{source(Interval.narrow, Encoder.encode)}\n```")
    return


@app.cell(hide_code=True)
def _(page):
    page.step("train", "Train it yourself")
    return


@app.cell(hide_code=True)
def _(mo, pretraining):
    mo.md(f"""
    The same run on your machine: {pretraining.until():,} tokens, about three minutes on two idle cores. You can read on
    meanwhile. **Pause** saves and ends it; **Go on** continues with the very losses that it would have had. Another
    seed begins with other random weights and reads the pages in another order. Does it end in the same place?
    """)
    return


@app.cell(hide_code=True)
def _(mo, pretraining):
    mine = pretraining.Live()
    learning, set_learning = mo.state(False)
    seed = mo.ui.number(1, 999, value=2, label="Seed")
    start = mo.ui.run_button(label="Start")
    pause, go_on = mo.ui.run_button(label="Pause"), mo.ui.run_button(label="Go on")
    stop = mo.ui.run_button(label="Stop")
    mo.hstack([start, pause, go_on, stop, seed], justify="start", wrap=True)
    return go_on, learning, mine, pause, seed, set_learning, start, stop


@app.cell(hide_code=True)
def _(mine, seed, set_learning, start):
    if start.value:
        mine.begin(int(seed.value or 1))
        set_learning(True)
    return


@app.cell(hide_code=True)
def _(go_on, mine, pause, set_learning, stop):
    if pause.value:
        mine.training.pause()
    if stop.value:
        mine.training.stop()
    if go_on.value:
        mine.training.resume()
        set_learning(True)
    return


@app.cell(hide_code=True)
def _(learning, mo):
    tick = mo.ui.refresh(default_interval="1s") if learning() else None
    mo.Html(f'<div style="display: none">{tick}</div>')
    return (tick,)


@app.cell(hide_code=True)
def _(mine, mo, set_learning, tables, tick):
    _ended = tick is not None and not mine.training.running  # asked first, so that no last word is missed
    mine.look()
    if _ended:
        set_learning(False)
    mo.Html(tables.note(mine.sentence))
    return


@app.cell(hide_code=True)
def _(mine, mo):
    mo.ui.anywidget(mine.picture)
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the dark curve beside the pale one.",
            "The pale one is the shipped run. The slider holds the moments of yours that were saved so far; leave it "
            "at its end, and the page colours itself while the model learns.",
        )
    )
    return


@app.cell(hide_code=True)
def _(QUIZ, Sheet, exercises, page, student_progress):
    progress = student_progress()
    sheet = Sheet("04_pretraining", exercises(), QUIZ, progress)
    page.step("exercises")
    return (sheet,)


@app.cell(hide_code=True)
def _(sheet):
    first_loss = sheet.ask("first_loss")
    first_loss
    return (first_loss,)


@app.cell(hide_code=True)
def _(first_loss, sheet):
    sheet.reply("first_loss", first_loss)
    return


@app.cell(hide_code=True)
def _(sheet):
    twice = sheet.ask("twice")
    twice
    return (twice,)


@app.cell(hide_code=True)
def _(sheet, twice):
    sheet.reply("twice", twice)
    return


@app.cell(hide_code=True)
def _(sheet):
    bits = sheet.ask("bits")
    bits
    return (bits,)


@app.cell(hide_code=True)
def _(bits, sheet):
    sheet.reply("bits", bits)
    return


@app.cell(hide_code=True)
def _(sheet):
    missing = sheet.ask("missing")
    missing
    return (missing,)


@app.cell(hide_code=True)
def _(missing, sheet):
    sheet.reply("missing", missing)
    return


@app.cell(hide_code=True)
def _(sheet):
    bill = sheet.ask("bill")
    bill
    return (bill,)


@app.cell(hide_code=True)
def _(bill, sheet):
    sheet.reply("bill", bill)
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
def _(cost, mo):
    mo.Html(cost.real_table())
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    A run of this kind is rare: a company does it once a year or so, because it takes months and millions. What comes
    after it, and makes an assistant of the model, is cheap beside it; that is lesson 07.

    The same count was made for a real model, too. Chinchilla, of 70 billion parameters, packs the first gigabyte of
    the English Wikipedia to 8.3% of its size, where gzip needs 32.3%. With its own 140 GB counted it is 14,008%.

    Sources: the talk (A. Karpathy 2023) from 4:17; GPT-3, Brown et al. 2020 (arXiv:2005.14165), table 2.1; Llama 2,
    Touvron et al. 2023 (arXiv:2307.09288), tables 1 and 2; Llama 3, Grattafiori et al. 2024 (arXiv:2407.21783), section
    3; six operations, Kaplan et al. 2020 (arXiv:2001.08361), section 2.1; peak of the A100, NVIDIA's data sheet;
    compression, Shannon 1948, and Delétang et al. 2024, *Language Modeling Is Compression* (arXiv:2309.10668), table 1;
    the coder, Witten, Neal and Cleary 1987.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("next", "What you can say now")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    - Training makes what really came more likely, some billion times. The loss is the
      [surprise](#word-surprise) that is left.
    - It begins at ln V. It passes the counts of tokens and of pairs, and cannot pass the writer's own dice.
    - Spelling and grammar stand everywhere and are learned early. A fact stands on a few pages, and costs
      reading.
    - A model with a coder is a lossless archive. The model alone is a lossy one, and that is the file of the
      talk.
    - The bill is six operations for each parameter and token, divided by what the machines can do.

    You are at 8:58 of the talk.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.farewell("04")
    return


if __name__ == "__main__":
    app.run()
