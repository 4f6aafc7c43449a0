# /// script
# requires-python = ">=3.11"
#
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Next token, LLM Lab", css_file="../assets/llmlab.css")


@app.cell(hide_code=True)
def _():
    from functools import partial

    import marimo as mo

    from llmlab.course import answers, next_token, page, tables
    from llmlab.course.exercises import Sheet, student_progress
    from llmlab.course.next_token_exercises import QUIZ, exercises
    from llmlab.course.page import caption
    from llmlab.course.training import Training
    from llmlab.generate.policy import Policy, draw, heat, keep_top_p
    from llmlab.model import zoo
    from llmlab.show import Theme
    from llmlab.world import build_world

    return (
        Policy,
        QUIZ,
        Sheet,
        Theme,
        Training,
        answers,
        build_world,
        caption,
        draw,
        exercises,
        heat,
        keep_top_p,
        mo,
        next_token,
        page,
        partial,
        student_progress,
        tables,
        zoo,
    )


@app.cell(hide_code=True)
def _(build_world, next_token, page, zoo):
    checkpoint, world = zoo.load("course"), build_world()
    presets = next_token.presets("course")
    V = checkpoint.config.vocab_size
    page.head("02", f"live, course model, {next_token.size_of(checkpoint)}")
    return V, checkpoint, presets, world


@app.cell(hide_code=True)
def _(mo, presets):
    preset = mo.ui.radio(list(presets), value=next(iter(presets)), inline=True)
    mo.vstack([mo.Html('<span id="ll-touch"></span>'), preset])
    return (preset,)


@app.cell(hide_code=True)
def _(answers, checkpoint, mo, next_token, presets, student_progress):
    progress = student_progress()
    crawl = answers.crawl("course")
    touch = next_token.bars(checkpoint, crawl if progress else None, next(iter(presets.values())).prompt)
    mo.ui.anywidget(touch)
    return crawl, progress, touch


@app.cell(hide_code=True)
def _(caption, mo, preset, presets, touch):
    _shown = presets[preset.value]
    touch.prompt = _shown.prompt
    mo.Html(caption(_shown.look, _shown.text))
    return


@app.cell(hide_code=True)
def _(crawl, mo, progress):
    if progress:
        crawl.prepare()
    counting, set_counting = mo.state(progress is not None and crawl.index is None)
    return counting, set_counting


@app.cell(hide_code=True)
def _(counting, mo):
    count_tick = mo.ui.refresh(default_interval="1s") if counting() else None
    mo.Html(f'<div style="display: none">{count_tick}</div>')
    return (count_tick,)


@app.cell(hide_code=True)
def _(count_tick, crawl, mo, set_counting, tables, touch):
    _said = crawl.look()
    if count_tick is not None and crawl.index is not None:
        touch.edition += 1
        set_counting(False)
    mo.Html(tables.note(_said))
    return


@app.cell(hide_code=True)
def _(V, mo):
    mo.md(f"""
    Everything that a language model does is in this picture. It reads a text, and gives **one number to each of
    the {V:,} [tokens](#word-token) that it knows**: how likely is this one to come next? A token is a word or a
    piece of a word; the box in front, `<|bos|>`, is one, too, and says that a page begins. The numbers are
    probabilities, so all bars together make 100%.

    Then a rule picks one token, the text is one token longer, and the model reads again. A poem, a
    program and a lie are made in the same way. **The model gives the numbers. The rule that picks is
    ours**, and it is a few lines of code. This lesson is about those lines.

    The outline beside each bar is no model at all: it counts what followed the same words in the crawl,
    the pages that the model has read. Where the words stood there often, blue and outline agree. Where
    they never stood together, nothing can be counted, and still the model has an answer. That is why we
    need a model.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("guess", "Guess: which temperature wrote which text?")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Here are three texts by the same model, with the same beginning and the same seed. Only one setting differs,
    the **[temperature](#word-temperature)**: 0.3, 1.0 or 1.8. You have not been told what it does, but you have
    moved the slider. Read, and decide before you see the answer: a guess that can be wrong is remembered better
    than an explanation.
    """)
    return


@app.cell(hide_code=True)
def _(checkpoint, mo, next_token, page, tables):
    riddle = next_token.Riddle(checkpoint, "The", seed=3)
    page.later(lambda: tables.columns("ABC", [mo.ui.anywidget(text) for text in riddle.texts]), rows=13.5)
    return (riddle,)


@app.cell(hide_code=True)
def _(mo):
    _heats = ["0.3", "1.0", "1.8"]
    guess = mo.ui.dictionary(
        {x: mo.ui.radio(_heats, inline=True, label=f"{x} was written at") for x in "ABC"}
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
    page.step("see", "See: four rules that pick")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    **Temperature.** The model's scores are divided by it before they become probabilities. Below 1 the
    differences grow: what is likely becomes more likely. Above 1 they shrink, and rare tokens get their
    chance. The order of the bars never changes. At 0 only the best token is left, and no chance is in it
    any more.

    **[Top k](#word-top-k).** Keep the k best tokens, cut the rest. Simple, and blind: it keeps k tokens where
    one is certain, and k where a thousand are good.

    **[Top p](#word-top-p)**, also called nucleus. Keep the best tokens until together they reach p. The number
    of tokens now follows the model's doubt. This is the rule that most programs use.

    **[Min p](#word-min-p).** Keep each token that has at least a share of the best one's probability. It asks
    how far a token is behind, and not how many are before it.
    """)
    return


@app.cell(hide_code=True)
def _(caption, checkpoint, mo, next_token, page, partial, presets):
    _sure, _unsure = presets[next_token.KNOWN], presets["In a recipe"]
    mo.vstack(
        [
            page.later(partial(next_token.rules_table, checkpoint, _sure, _unsure), rows=6.4),
            mo.Html(
                caption(
                    "Look at the columns “tokens left”.",
                    f"The left pair is “{_sure.prompt}”, the right pair “{_unsure.prompt}”. Top k leaves the same "
                    "number in both. With top p and min p, the text decides how many stay.",
                )
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### The same seed, three temperatures

    One token is a small thing; the effect shows over many. At a high temperature one strange token is
    enough: the model takes it for part of the text, and goes on from there. A cut takes away the strange
    ones and leaves the temperature.
    """)
    return


@app.cell(hide_code=True)
def _(checkpoint, mo, next_token):
    mo.ui.anywidget(next_token.heats(checkpoint))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the pale tokens.",
            "The darker a token, the more likely the model itself found it, before any rule. At 0.3 the text is "
            "dark and careful; at 1.8 it is pale and falls apart. Set the rule to top p, and read the third text "
            "again. Press a token to see its numbers, and which tokens the model would rather have seen.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### All roads at once

    You have drawn one road after the other. Here are all of them. The model never chooses a fact: it spreads
    its belief over everything that could follow. Because we invented the Isles, we know which road is true.
    """)
    return


@app.cell(hide_code=True)
def _(mo, next_token, page):
    roads = page.Scene(rows=20)
    fact = mo.ui.radio(next_token.ASKED, value=next_token.HALF_KNOWN, inline=True)
    fact
    return fact, roads


@app.cell(hide_code=True)
def _(checkpoint, fact, mo, next_token, roads, world):
    def _tree():
        asked = next_token.asked("course", fact.value)
        return f"{mo.ui.anywidget(next_token.roads_of(checkpoint, world, asked))}"

    roads.show(_tree)
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the heights.",
            "A block is as high as its road is likely; the blocks of a column make 100%. Green is true; red "
            "is another answer that exists, gold one that does not. Lower the temperature: a road grows because it is "
            "likely, not because it is true. Press a block to walk into it.",
        )
    )
    return


@app.cell(hide_code=True)
def _(page):
    page.step("hood", "Under the hood: the code that just ran")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    These three functions come from `llmlab/generate/policy.py`, as they are. Each takes scores and gives
    back scores (or a choice), so they can be put in a row, and you can stop after any of them. The
    pictures above do the same arithmetic in your browser; tests hold page and code together. Where they say “live,
    in this page”, the model itself runs there too: its weights have been fetched, and no other computer is asked.
    """)
    return


@app.cell(hide_code=True)
def _(draw, heat, keep_top_p, mo, next_token):
    mo.md(f"```python\n{next_token.source(heat, keep_top_p, draw)}\n```")
    return


@app.cell
def _(Policy, checkpoint, mo, next_token, presets):
    rules = Policy(temperature=0.7, top_p=0.8)
    mo.Html(next_token.steps_table(checkpoint, presets["In a recipe"].prompt, rules))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at one row from left to right.",
            "The score comes from the model. The heat divides it by 0.7, top p 0.8 turns what is cut into −∞, and "
            "what is left is made into probabilities. No step asks the model again.",
        )
    )
    return


@app.cell(hide_code=True)
def _(page):
    page.step("train", "Train it yourself")
    return


@app.cell(hide_code=True)
def _(mo, next_token):
    mo.md(f"""
    Where do the numbers come from? From reading. A new model has random weights, and every token is
    equally likely to it. Then it reads {next_token.POCKET_TOKENS:,} tokens of the crawl, a few thousand
    at a time; at each place it is told which token really came, and all weights move a little, so that
    this token becomes more likely. Press the button: a small model learns on your machine, in about two
    to three minutes, and its bars grow beside the others.
    """)
    return


@app.cell(hide_code=True)
def _(Training, mo, next_token, presets):
    pocket = Training("course", next_token.POCKET_TOKENS)
    learning, set_learning = mo.state(False)
    new_model, set_new_model = mo.state(0)
    run, stop = mo.ui.run_button(label="Train a pocket model"), mo.ui.run_button(label="Stop")
    compared = mo.ui.radio(
        {p.name: p.prompt for p in presets.values()},
        value=next_token.KNOWN,
        inline=True,
    )
    mo.hstack([run, stop], justify="start")
    return compared, learning, new_model, pocket, run, set_learning, set_new_model, stop


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
def _(caption, compared, mo):
    mo.vstack(
        [
            mo.Html(
                caption(
                    "Look at the beginning of the curve.",
                    "The dotted line is the loss of guessing among all tokens. The model leaves it within seconds: it "
                    "learns first which tokens are frequent, then which follow each other, and names come last. Below, "
                    "three models read the same text; choose which.",
                )
            ),
            compared,
        ]
    )
    return


@app.cell(hide_code=True)
def _(caption, checkpoint, compared, mo, new_model, next_token, pocket):
    new_model()
    mo.vstack(
        [
            mo.Html(next_token.three_models(checkpoint, pocket.learned, pocket.learned_step, compared.value)),
            mo.Html(
                caption(
                    "Look from left to right.",
                    "The same text, the same code, the same vocabulary: only the weights differ. Yours is drawn again "
                    "each time that the training saves it.",
                )
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(QUIZ, Sheet, checkpoint, exercises, page, progress):
    sheet = Sheet("02_next_token", exercises(checkpoint), QUIZ, progress)
    page.step("exercises")
    return (sheet,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    The picture at the top is your instrument: type the text into it, move the sliders, read the numbers.
    """)
    return


@app.cell(hide_code=True)
def _(sheet):
    road = sheet.ask("road")
    road
    return (road,)


@app.cell(hide_code=True)
def _(road, sheet):
    sheet.reply("road", road)
    return


@app.cell(hide_code=True)
def _(sheet):
    nucleus = sheet.ask("nucleus")
    nucleus
    return (nucleus,)


@app.cell(hide_code=True)
def _(nucleus, sheet):
    sheet.reply("nucleus", nucleus)
    return


@app.cell(hide_code=True)
def _(sheet):
    certain = sheet.ask("certain")
    certain
    return (certain,)


@app.cell(hide_code=True)
def _(certain, sheet):
    sheet.reply("certain", certain)
    return


@app.cell(hide_code=True)
def _(sheet):
    top_k = sheet.ask("top_k")
    top_k
    return (top_k,)


@app.cell(hide_code=True)
def _(sheet, top_k):
    sheet.reply("top_k", top_k)
    return


@app.cell(hide_code=True)
def _(sheet):
    circles = sheet.ask("circles")
    circles
    return (circles,)


@app.cell(hide_code=True)
def _(circles, sheet):
    sheet.reply("circles", circles)
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
def _(checkpoint, mo, next_token):
    mo.Html(next_token.real_table(checkpoint))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    In the talk the model is Llama 2 70B, and “cat sat on a” goes on with “mat”, 97%. For each single
    token it computes 32,000 scores like the ones above, and for that it must read all of its 70 billion
    weights once. The rules that pick are the same few lines.

    Sources: GPT-2, Radford et al. 2019, *Language Models are Unsupervised Multitask Learners*; Llama 2,
    Touvron et al. 2023 (arXiv:2307.09288), and the defaults of `generation.py` in Meta's own code;
    llama2.c, A. Karpathy, the defaults of `run.c`; Llama 3.1, Grattafiori et al. 2024 (arXiv:2407.21783),
    and the `generation_config.json` that comes with the weights. The sentence with the cat: the talk,
    from 2:36.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("next", "What you can say now")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    - A language model gives a probability to every token it knows, and that is all it does.
    - Which token is taken is decided by a rule outside the model. Temperature bends the probabilities, top k,
      top p and min p cut the tail.
    - Dull at 0.3 and wild at 1.8: the same weights, the same seed, another rule.
    - A low temperature makes a text likely. It does not make it true.

    You are at 4:17 of the talk.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.farewell("02")
    return


if __name__ == "__main__":
    app.run()
