# /// script
# requires-python = ">=3.11"
#
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="How do they work, LLM Lab", css_file="../assets/llmlab.css")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from llmlab.course import inside, inside_measured, page, reversal, tables
    from llmlab.course.exercises import Sheet, student_progress
    from llmlab.course.inside_exercises import QUIZ, exercises
    from llmlab.course.next_token import size_of, source
    from llmlab.course.page import caption
    from llmlab.measure.copying import gain
    from llmlab.measure.inside import knock_out, lens, parts
    from llmlab.model import zoo
    from llmlab.show import Theme
    from llmlab.world import build_world

    return (
        QUIZ,
        Sheet,
        Theme,
        build_world,
        caption,
        exercises,
        gain,
        inside,
        inside_measured,
        knock_out,
        lens,
        mo,
        page,
        parts,
        reversal,
        size_of,
        source,
        student_progress,
        tables,
        zoo,
    )


@app.cell(hide_code=True)
def _(build_world, inside, page, size_of, zoo):
    checkpoint, world = zoo.load("course"), build_world()
    presets = inside.presets("course", world)
    page.head("06", f"live, course model, {size_of(checkpoint)}")
    return checkpoint, presets, world


@app.cell(hide_code=True)
def _(mo, presets):
    preset = mo.ui.radio(list(presets), value=next(iter(presets)), inline=True)
    mo.vstack([mo.Html('<span id="ll-touch"></span>'), preset])
    return (preset,)


@app.cell(hide_code=True)
def _(inside, mo, presets):
    touch = mo.ui.anywidget(inside.view("course", "attention", next(iter(presets.values())).prompt))
    touch
    return (touch,)


@app.cell(hide_code=True)
def _(caption, mo, preset, presets, touch):
    _shown = presets[preset.value]
    touch.widget.prompt = _shown.prompt
    mo.Html(caption(_shown.look, _shown.text))
    return


@app.cell(hide_code=True)
def _(checkpoint, mo):
    mo.md(f"""
    Nothing in a model is hidden. This one has {checkpoint.model.n_params():,} numbers, and you may look at
    every one of them. Nevertheless, nobody can say what most of them do: they were not written by anyone,
    they were pushed a little, step by step, until the next token came out better. The talk says it of a
    hundred billion. It is as true of three million.

    What you see at the top is the part that can be drawn best. A model reads all tokens side by side, and at
    {checkpoint.config.n_layer} places (**layers**) each token may look back and take something from earlier
    ones. {checkpoint.config.n_head} **[heads](#word-head)** a layer do this, and each has a map of its own.
    Hover over a token, and its row shows from where it takes.

    The second button is a warning. The **twin** is the same network with all its numbers shuffled, so it has
    learned nothing. Whatever you find in a picture, look whether the twin has it, too.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("guess", "Guess: which map was learned?")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Four maps of the same sentence, the one about *Mirelda Zanth*. Some are heads of the trained model, some
    of its twin. Which are which? Decide before you look it up above.
    """)
    return


@app.cell(hide_code=True)
def _(checkpoint, inside_measured, mo, presets):
    riddle = inside_measured.Riddle(checkpoint, "course", presets["A name again"].prompt)
    mo.Html(riddle.show())
    return (riddle,)


@app.cell(hide_code=True)
def _(mo, riddle):
    guess = mo.ui.dictionary(
        {x: mo.ui.radio(riddle.options, inline=True, label=f"{x} is") for x in riddle.right}
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
    page.step("see", "See: what can be known about it")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### A stream that is only added to

    Each token is a vector of some hundred numbers. No layer ever replaces it. Each head and each
    **[MLP](#word-mlp)** (the part in which a token thinks alone) adds something to it, and at the end the sum
    is compared with the vector of every token that could follow. This sum is called the **[residual
    stream](#word-residual-stream)**.

    So one can stop early, and read the stream after any layer as if it were the end. That is the **logit
    lens**. And because everything is a sum, one can ask each part how much of a score it wrote. The text is
    the one at the top.
    """)
    return


@app.cell(hide_code=True)
def _(inside, mo, presets):
    stream = mo.ui.anywidget(inside.view("course", "stream", next(iter(presets.values())).prompt))
    stream
    return (stream,)


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look down the last column.",
            "Each row reads the stream after one more layer. First it says the token itself again: there is "
            "nothing else in it. The answer appears late. Press any cell, and the bars below take the score of "
            "its token apart; blue parts speak for it, brown ones against it. They add up exactly.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Two things to be careful about. The last matrix was trained for the end of the stream, so what the lens
    reads earlier is our reading, and not a thought of the model's. And the parts add up only because the size
    by which the last norm divides is held fixed at what it was; in truth every part has a small share in it.

    ### Knock something out

    To look is not enough. Whether a part matters shows when it is gone: switch it off, so that it writes
    nothing, and see what becomes of the text and of the surprise.
    """)
    return


@app.cell(hide_code=True)
def _(inside, mo, presets):
    switches = mo.ui.anywidget(inside.view("course", "knockout", next(iter(presets.values())).prompt))
    switches
    return (switches,)


@app.cell(hide_code=True)
def _(stream, switches, touch):
    _text = touch.value["text"]
    for _view in (stream.widget, switches.widget):
        if _view.prompt != _text:
            _view.prompt = _text
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the two texts.",
            "Both are written at temperature 0, so nothing but the missing parts makes them different; what "
            "differs is underlined. Lines below the tokens of your text show where the surprise grew. Begin "
            "with one head, then with the MLP of layer 1.",
        )
    )
    return


@app.cell(hide_code=True)
def _(inside_measured, page):
    page.later(lambda: inside_measured.losses("course"), rows=10)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### Two heads whose work has a name

    Most heads have no job that one could name. One kind does. Write random tokens and then the same ones
    again: nothing predicts the second half, except its first. Whoever copies must find the earlier place of
    the present token, and take what stood **after** it. A head that looks there is called an **induction
    head**. It needs a helper in a layer below: a head that tells each token which one stands before it.

    Both can be found by a number, and the number can be doubted: by chance, by the twin, and by knocking out.
    """)
    return


@app.cell(hide_code=True)
def _(inside_measured, page):
    page.later(lambda: inside_measured.heads("course"), rows=18)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    This is what "we understand it" means today: two heads of a model, one job, and a prediction that could
    have failed. For the rest we have names of parts and sizes of effects.

    ### The mother and her child

    In the talk, GPT-4 knows who Tom Cruise's mother is: Mary Lee Pfeiffer. Ask who Mary Lee Pfeiffer's son
    is, and it does not know. On the Isles we can say exactly why, because we know what was written. Every
    second mother has pages that name her child. The others are told in one direction only.

    Most of these pairs stand on too few pages to be learned at all. So a second copy of our model has read
    on: pages of a **family register**, in which each pair stands some hundred times in the direction of the
    crawl, and those pairs that have both directions in both. Each pair is asked in a sentence in which the
    register tells others, and never this pair.
    """)
    return


@app.cell(hide_code=True)
def _(mo, reversal):
    choices = reversal.choices()
    pair = mo.ui.dropdown(choices, value=list(choices)[1], label="Ask for")
    pair
    return (pair,)


@app.cell(hide_code=True)
def _(mo, pair, reversal):
    mo.Html(reversal.asked_both_ways(pair.value))
    return


@app.cell(hide_code=True)
def _(mo, pair, reversal):
    mo.Html(reversal.verdict(pair.value))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the pictures on the right.",
            "They show the first token of an answer; the line above says the whole. Told one way only, the "
            "question the other way gets somebody’s name. Choose a pair that was told both ways, and compare "
            "the lower right picture.",
        )
    )
    return


@app.cell(hide_code=True)
def _(page, reversal):
    page.later(reversal.both_ways, rows=8)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    A person who learns that B is A's mother has learned the other direction with it. A model has learned to
    continue one text. The facts in it are not in a table that can be read from both sides.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("hood", "Under the hood: one number, all the way")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Here is a single number of the last token, from the table of [embeddings](#word-embedding) to the
    probability. Each step shows the line of `llmlab` that makes it, taken from the file, and the number before
    and after it.
    """)
    return


@app.cell(hide_code=True)
def _(inside, mo, presets):
    number = mo.ui.anywidget(inside.view("course", "path", next(iter(presets.values())).prompt))
    number
    return (number,)


@app.cell(hide_code=True)
def _(number, touch):
    if number.widget.prompt != touch.value["text"]:
        number.widget.prompt = touch.value["text"]
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at “Added to the stream” and “Added again”.",
            "These two lines are the residual stream. Then press the other tokens of the text, or the twin: the "
            "lines stay the same, only the numbers change. All of a model’s knowledge is in the numbers.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Knocking out is even shorter. What a head writes goes through columns of its own of one matrix, so it is
    enough to put zeros there. The lens and the parts are a few lines, too; they are in
    `llmlab/measure/inside.py`.
    """)
    return


@app.cell(hide_code=True)
def _(gain, knock_out, lens, mo, parts, source):
    mo.md(f"```python\n{source(knock_out, lens, parts, gain)}\n```")
    return


@app.cell(hide_code=True)
def _(page):
    page.step("train", "Train it yourself: the cure")
    return


@app.cell(hide_code=True)
def _(mo, reversal):
    mo.md(f"""
    If the other direction is missing in the text, put it into the text. Press the button: the base model
    reads on, a register of the {reversal.LIVE} most famous pairs, with other pages of the crawl between,
    {reversal.LIVE_TOKENS:,} tokens: about a minute on two idle cores. You decide which pairs are told from
    the mother's side, too.
    """)
    return


@app.cell(hide_code=True)
def _(mo, page, reversal):
    curing, its_answers = reversal.Curing(), page.Scene(rows=5)
    reading, set_reading = mo.state(False)
    new_model, set_new_model = mo.state(0)
    which = mo.ui.dropdown(list(reversal.WHICH), value=next(iter(reversal.WHICH)), label="The register tells")
    run, stop = mo.ui.run_button(label="Let it read the register"), mo.ui.run_button(label="Stop")
    mo.hstack([which, run, stop], justify="start", wrap=True, gap=2)
    return (
        curing,
        its_answers,
        new_model,
        reading,
        run,
        set_new_model,
        set_reading,
        stop,
        which,
    )


@app.cell(hide_code=True)
def _(curing, run, set_reading, stop, which):
    if run.value:
        curing.begin_with(which.value)
    if stop.value:
        curing.stop()
    if run.value:
        set_reading(True)
    return


@app.cell(hide_code=True)
def _(mo, reading):
    tick = mo.ui.refresh(default_interval="1s") if reading() else None
    mo.Html(f'<div style="display: none">{tick}</div>')
    return (tick,)


@app.cell(hide_code=True)
def _(curing, mo, set_new_model, set_reading, tables, tick):
    _ended = tick is not None and not curing.running  # asked first, so that no last word is missed
    if curing.look():
        set_new_model(curing.learned_step)
    if _ended:
        set_reading(False)
    mo.Html(tables.note(curing.sentence))
    return


@app.cell(hide_code=True)
def _(Theme, mo):
    theme = mo.ui.anywidget(Theme())
    theme
    return (theme,)


@app.cell(hide_code=True)
def _(curing, reading, theme):
    reading()
    curing.picture(theme.value["theme"])
    return


@app.cell(hide_code=True)
def _(curing, its_answers, new_model, reversal):
    new_model()
    its_answers.show(lambda: reversal.compared(curing))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the columns “the other way”.",
            "The base model has read the crawl alone. Let the register tell one direction only, and the first "
            "question is answered ever better while the second stays where it is; then let it tell all pairs "
            "both ways.",
        )
    )
    return


@app.cell(hide_code=True)
def _(QUIZ, Sheet, exercises, page, student_progress, world):
    progress = student_progress()
    sheet = Sheet("06_inside", exercises("course", world), QUIZ, progress)
    page.step("exercises")
    return (sheet,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    The pictures are your instruments: the map at the top, the table of the stream, the switches.
    """)
    return


@app.cell(hide_code=True)
def _(sheet):
    row = sheet.ask("row")
    row
    return (row,)


@app.cell(hide_code=True)
def _(row, sheet):
    sheet.reply("row", row)
    return


@app.cell(hide_code=True)
def _(sheet):
    layer = sheet.ask("layer")
    layer
    return (layer,)


@app.cell(hide_code=True)
def _(layer, sheet):
    sheet.reply("layer", layer)
    return


@app.cell(hide_code=True)
def _(sheet):
    needed = sheet.ask("needed")
    needed
    return (needed,)


@app.cell(hide_code=True)
def _(needed, sheet):
    sheet.reply("needed", needed)
    return


@app.cell(hide_code=True)
def _(sheet):
    score = sheet.ask("score")
    score
    return (score,)


@app.cell(hide_code=True)
def _(score, sheet):
    sheet.reply("score", score)
    return


@app.cell(hide_code=True)
def _(sheet):
    cure = sheet.ask("cure")
    cure
    return (cure,)


@app.cell(hide_code=True)
def _(cure, sheet):
    sheet.reply("cure", cure)
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
def _(checkpoint, inside, mo):
    mo.Html(inside.real_table(checkpoint))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    All of them have the same parts as ours, only more. **Known:** [induction heads](#word-induction-head) were
    found in models from two layers to 13 billion parameters, and they appear rather suddenly in training,
    together with the ability to use the context. **Known:** the [reversal curse](#word-reversal-curse) is no
    matter of size. Asked for the parent of a celebrity GPT-4 was right for 79%, asked for the parent's child
    for 33%. **Not known:** what most heads, and nearly all numbers of the MLPs, are for; whether the names that
    we give to parts are the model's own joints. So people who use such models do with them as with an animal:
    they measure what it does.

    Sources: induction heads, Olsson et al. 2022 (arXiv:2209.11895); the residual stream, Elhage et al. 2021, *A
    Mathematical Framework for Transformer Circuits*; [logit lens](#word-logit-lens), nostalgebraist 2020,
    *interpreting GPT: the logit lens*; the reversal curse and its two percentages, Berglund et al. 2023
    (arXiv:2309.12288); both directions as the cure, Golovneva et al. 2024 (arXiv:2403.13799). GPT-2, Radford et
    al. 2019; Llama 2, Touvron et al. 2023 (arXiv:2307.09288), and the `config.json` of its weights; Llama 3.1,
    Grattafiori et al. 2024 (arXiv:2407.21783), table 3. The mother and her son: the talk, from 12:40.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("next", "What you can say now")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    - Every number of a model can be seen, and seeing is not understanding: a shuffled network has patterns,
      too.
    - A token is a vector that is only added to; so what each part wrote for a word can be counted exactly.
    - Whether a part matters is tried by [knocking it out](#word-ablation). What it is for must be predicted and
      then tested.
    - Some heads copy: they look at what stood after the same token before.
    - A model knows in the direction in which it was told. The cure is to tell it in both.

    You are at 14:14 of the talk.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.farewell("06")
    return


if __name__ == "__main__":
    app.run()
