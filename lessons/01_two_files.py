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
    app_title="Two files, LLM Lab",
    css_file="../assets/llmlab.css",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from llmlab.course import page, tables, two_files, two_files_map, two_files_measured
    from llmlab.course.exercises import Sheet, student_progress
    from llmlab.course.next_token import POCKET_TOKENS, size_of
    from llmlab.course.page import caption
    from llmlab.course.speaking import Speaker
    from llmlab.course.training import Training
    from llmlab.course.two_files_exercises import QUIZ, exercises
    from llmlab.errors import LabError
    from llmlab.model import zoo
    from llmlab.show import Theme

    return (
        LabError,
        POCKET_TOKENS,
        QUIZ,
        Sheet,
        Speaker,
        Theme,
        Training,
        caption,
        exercises,
        mo,
        page,
        size_of,
        student_progress,
        tables,
        two_files,
        two_files_map,
        two_files_measured,
        zoo,
    )


@app.cell(hide_code=True)
def _(page, size_of, two_files, zoo):
    checkpoint = zoo.load("course")
    presets = two_files.presets("course")
    page.head("01", f"live, run.c, {size_of(checkpoint)}")
    return checkpoint, presets


@app.cell(hide_code=True)
def _(mo, presets):
    preset = mo.ui.radio(list(presets), value=next(iter(presets)), inline=True)
    mo.vstack([mo.Html('<span id="ll-touch"></span>'), preset])
    return (preset,)


@app.cell(hide_code=True)
def _(mo, two_files):
    touch = two_files.touch("course")
    mo.ui.anywidget(touch)
    return (touch,)


@app.cell(hide_code=True)
def _(caption, mo, preset, presets, touch):
    _shown = presets[preset.value]
    with touch.hold_sync():
        touch.prompt, touch.temperature, touch.seed = _shown.prompt, _shown.temperature, _shown.seed
    mo.Html(caption(_shown.look, _shown.text))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    A large language model is **two files**. One holds the *[parameters](#word-parameters)*: a few million
    numbers here, 70 billion in the talk. The other is the program that computes with them. Llama 2 70B is a
    file of 140 GB and about 500 lines of C; nothing else is needed. No company answers, no page is fetched.

    Here are two such files, small enough for any laptop: `model.bin`, which this repository trained, and
    `run.c`. What you see above is the program itself, compiled on this machine, writing one token after
    another.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("guess", "Guess: how much is read for one token?")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    To write one more token, the program must read something from `model.bin`. How much of it? Decide; then
    two models of different size are timed on this machine, which takes some seconds.
    """)
    return


@app.cell(hide_code=True)
def _(mo, two_files, two_files_measured):
    bet, speeds = two_files.Bet(), two_files_measured.Speeds()
    guess = mo.ui.radio(list(bet.OPTIONS), label="For one token it reads")
    commit = mo.ui.run_button(label="That is my guess")
    mo.vstack([guess, commit])
    return bet, commit, guess, speeds


@app.cell(hide_code=True)
def _(bet, commit, guess, mo, speeds):
    if commit.value and guess.value and not speeds.found:
        with mo.status.spinner("Timing two models …"):
            speeds.measure()
    mo.Html(bet.reply(guess.value, commit.value, speeds.found))
    return


@app.cell(hide_code=True)
def _(page):
    page.step("see", "See: the two files on a desk")
    return


@app.cell(hide_code=True)
def _(checkpoint, mo, two_files):
    mo.Html(two_files.desk(checkpoint))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the dot in the ring, then at the small square.",
            "Areas are bytes. On the left the talk’s file, with ours in its corner; on the right ours, with the "
            "program in its corner. The program stays as small as it is when the model grows: what is large "
            "about a large language model is one file of numbers.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo, two_files):
    mo.Html(two_files.lines_table())
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the last line.",
            "The lines are counted now, from the files that are compiled. Ours are more than the talk’s, "
            "because text becomes tokens here without a library, and a broken file must end in a sentence. "
            "Lines that only explain are not counted as code.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### What is in model.bin

    A header, the letters of all tokens, and then numbers: the weights, row by row. Nothing else.
    """)
    return


@app.cell(hide_code=True)
def _(checkpoint, mo, two_files_map):
    file_map = mo.ui.anywidget(two_files_map.file_map(checkpoint))
    file_map
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at how much is letters.",
            "Each row is a part of the network, in the order of the file, and lengths are to scale (the thin "
            "norms are drawn wider than they are). Point at a piece, or walk there with the arrow keys, to see "
            "its shape and the first of its numbers.",
        )
    )
    return


@app.cell(hide_code=True)
def _(checkpoint, mo, two_files):
    mo.Html(two_files.search_sentence(checkpoint))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### Pull the plug

    The talk’s laptop is in flight mode. You can do the same now: switch off Wi-Fi and press Write again. Or
    let the system take the network away from the program alone, and *prove* that it is gone: a probe calls
    this machine, first with the network, then without.
    """)
    return


@app.cell(hide_code=True)
def _(mo):
    pull = mo.ui.run_button(label="Pull the plug")
    pull
    return (pull,)


@app.cell(hide_code=True)
def _(checkpoint, mo, presets, pull, tables, two_files_measured):
    _text = presets[next(iter(presets))].prompt
    if pull.value:
        with mo.status.spinner("Running both programs twice …"):
            _said = two_files_measured.plug_table(checkpoint, _text)
    else:
        _said = tables.note("Press the button: the table comes in a moment.")
    mo.Html(_said)
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the last column.",
            "The probe shows that the plug was really out: without a network not even this very machine can be "
            "called. run.c does not notice. On Linux the program at the top always runs without a network.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo, two_files_measured):
    mo.Html(two_files_measured.headers_sentence())
    return


@app.cell(hide_code=True)
def _(mo, two_files):
    mo.Html(two_files.poem_sentence("course"))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### The same tokens as torch

    Is so small a program the real thing? Three programs read the same weights: `run.c`, the course’s engine
    in Python, and torch, in which the model was trained. At temperature 0 there is no chance, so all must
    write the same.
    """)
    return


@app.cell(hide_code=True)
def _(mo, two_files):
    said = mo.ui.text(value=f"The founder of {two_files.company()}", label="Text", full_width=True)
    said
    return (said,)


@app.cell(hide_code=True)
def _(LabError, checkpoint, said, two_files_measured):
    try:
        found, problem = two_files_measured.compare(checkpoint, said.value), ""
    except LabError as error:
        found, problem = None, str(error)
    return found, problem


@app.cell(hide_code=True)
def _(found, mo, problem, tables, two_files_measured):
    mo.Html(two_files_measured.same_sentence(found) if found else tables.note(problem))
    return


@app.cell(hide_code=True)
def _(checkpoint, found, mo, tables, two_files_measured):
    _texts = two_files_measured.both_texts(checkpoint, found) if found else []
    mo.Html(
        tables.columns(
            ["run.c", "the Python engine"][: len(_texts)], [mo.ui.anywidget(text) for text in _texts]
        )
    )
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at two tokens at the same place.",
            "Blue is torch’s probability for the token that run.c chose; point at a token to see what torch "
            "would have taken. The scores are not equal to the last digit: each program adds the same numbers "
            "in another order.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### How fast, and what sets the limit

    All weights for each token: so bytes times tokens a second is what the program reads from memory. The
    last column compares it with what one core of this machine reads when it does nothing else. With
    `--int8`, the program rounds each weight to one byte in place of four: nearly the same scores, from a
    quarter of the bytes.
    """)
    return


@app.cell(hide_code=True)
def _(mo):
    measure = mo.ui.run_button(label="Measure")
    measure
    return (measure,)


@app.cell(hide_code=True)
def _(commit, measure, mo, speeds, tables):
    if measure.value:
        with mo.status.spinner("Timing …"):
            speeds.measure()
    commit.value  # the guess may have measured them already
    mo.Html(tables.columns(["Speed and memory"], [speeds.show()]))
    return


@app.cell(hide_code=True)
def _(caption, commit, measure, mo, speeds):
    measure.value, commit.value
    mo.Html(caption("Look at the column “together”.", speeds.sentence()))
    return


@app.cell(hide_code=True)
def _(page):
    page.step("hood", "Under the hood: the lines that do the work")
    return


@app.cell(hide_code=True)
def _(mo, two_files):
    mo.md(f"""
    From `llmlab/model/engine.c`, as it was compiled. A matrix lies in the file as one long row of numbers;
    `dot` multiplies one row of it with the numbers that flow through the network, and adds up. Nearly all
    of the time goes here. `mlp` is one half of a layer: three matrices, each multiplied so.

    ```c
    {two_files.c_function("dot")}

    {two_files.c_function("mlp")}
    ```

    And from `run.c`, the loop: read what is new, score all tokens, choose one, print it, again.

    ```c
    {two_files.c_function("speak")}
    ```
    """)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    A compiler turns this into instructions of the processor, once. How hard it should try is a matter of
    one letter. Compile at different levels, and let each program write.
    """)
    return


@app.cell(hide_code=True)
def _(checkpoint, mo, two_files_measured):
    workshop = two_files_measured.Workshop(checkpoint)
    level = mo.ui.dropdown(list(two_files_measured.LEVELS), value="-O3", label="Optimisation")
    compile_it = mo.ui.run_button(label="Compile")
    mo.hstack([level, compile_it], justify="start", gap=2)
    return compile_it, level, workshop


@app.cell(hide_code=True)
def _(compile_it, level, mo, tables, two_files_measured, workshop):
    if compile_it.value:
        with mo.status.spinner("Compiling run.c …"):
            workshop.make(level.value)
    mo.Html(tables.columns([two_files_measured.compiler_words()], [workshop.show()]))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at -O0 and -O3.",
            "The same lines of C, the same text. Without optimisation the processor does one multiplication at "
            "a time, and fetches each number from memory; with it, the compiler finds instructions that do "
            "eight or sixteen at once.",
        )
    )
    return


@app.cell(hide_code=True)
def _(page):
    page.step("train", "Train it yourself")
    return


@app.cell(hide_code=True)
def _(POCKET_TOKENS, mo):
    mo.md(f"""
    Make your own first file. A `pocket` model, about a million weights, learns from the crawl of the Isles:
    {POCKET_TOKENS:,} tokens, some minutes on two free cores. Each time it is saved, it becomes a model.bin,
    and the same run.c runs it. You can stop at any time.
    """)
    return


@app.cell(hide_code=True)
def _(POCKET_TOKENS, Speaker, Training, mo):
    pocket, trained = Training("course", POCKET_TOKENS), Speaker()
    learning, set_learning = mo.state(False)
    new_model, set_new_model = mo.state(0)
    run, stop = mo.ui.run_button(label="Train"), mo.ui.run_button(label="Stop")
    mo.hstack([run, stop], justify="start", gap=2)
    return (
        learning,
        new_model,
        pocket,
        run,
        set_learning,
        set_new_model,
        stop,
        trained,
    )


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
def _(mo, pocket, set_learning, set_new_model, tables, tick, trained):
    _ended = tick is not None and not pocket.running  # asked first, so that no last word is missed
    if pocket.look():
        trained.checkpoint = pocket.learned
        set_new_model(pocket.learned_step)
    if _ended:
        set_learning(False)
    mo.Html(tables.note(pocket.sentence))
    return


@app.cell(hide_code=True)
def _(Theme, mo):
    theme = mo.ui.anywidget(Theme())
    theme
    return (theme,)


@app.cell(hide_code=True)
def _(learning, pocket, theme):
    learning()
    pocket.picture(theme.value["theme"])
    return


@app.cell(hide_code=True)
def _(checkpoint, mo, new_model, pocket, two_files):
    new_model()
    mo.Html(two_files.own_table(checkpoint, pocket.learned, pocket.learned_step))
    return


@app.cell(hide_code=True)
def _(mo, trained, two_files):
    mo.ui.anywidget(two_files.own(trained))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the text after the first save, and at the end.",
            "The program is the same all the time; what changes is the file of numbers. With numbers that have "
            "learned little it writes as fast, and nonsense.",
        )
    )
    return


@app.cell(hide_code=True)
def _(QUIZ, Sheet, checkpoint, exercises, page, student_progress):
    progress = student_progress()
    sheet = Sheet("01_two_files", exercises(checkpoint), QUIZ, progress)
    page.step("exercises")
    return (sheet,)


@app.cell(hide_code=True)
def _(sheet):
    four_bits = sheet.ask("four_bits")
    four_bits
    return (four_bits,)


@app.cell(hide_code=True)
def _(four_bits, sheet):
    sheet.reply("four_bits", four_bits)
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
    fastest = sheet.ask("fastest")
    fastest
    return (fastest,)


@app.cell(hide_code=True)
def _(fastest, sheet):
    sheet.reply("fastest", fastest)
    return


@app.cell(hide_code=True)
def _(sheet):
    linear = sheet.ask("linear")
    linear
    return (linear,)


@app.cell(hide_code=True)
def _(linear, sheet):
    sheet.reply("linear", linear)
    return


@app.cell(hide_code=True)
def _(sheet):
    flipped = sheet.ask("flipped")
    flipped
    return (flipped,)


@app.cell(hide_code=True)
def _(flipped, sheet):
    sheet.reply("flipped", flipped)
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
def _(checkpoint, mo, two_files):
    mo.Html(two_files.real_table(checkpoint))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    The arithmetic is the same everywhere: parameters times bytes. On the stage of the talk a 7B model is
    shown, because the 70B model would have run about ten times more slowly on that laptop. Files for sale
    or for free have other names (`safetensors`, `GGUF`), but the same content. Ours can be written in both:
    `llmlab export --to hf` makes a folder that Hugging Face’s `transformers` loads, `llmlab export --to
    gguf` a file for `llama.cpp`, and both then write the same tokens at temperature 0.

    Getting these numbers is the expensive part: lesson 04.

    Sources: the talk, 0:00:20 to 0:04:17; llama2.c by A. Karpathy (its README for sizes and speeds; `run.c`
    counted in May 2024); Llama 2, Touvron et al. 2023 (arXiv:2307.09288).
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("next", "What you can say now")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    - A language model is a file of numbers and a short program. Both fit on a disk, and need no internet.
    - The file holds no sentences: what it knows is in all its weights together.
    - For each token all weights are read once. Bytes and memory set the speed.
    - The same weights give the same tokens in any program that computes the same.
    - What the model knows ends where its training ended.

    Next: how the program chooses the next token.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.farewell("01")
    return


if __name__ == "__main__":
    app.run()
