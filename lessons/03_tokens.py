# /// script
# requires-python = ">=3.11"
#
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Tokens, LLM Lab", css_file="../assets/llmlab.css")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from llmlab.course import learning, page, tables, tokens, tokens_measured
    from llmlab.course.exercises import Sheet, student_progress
    from llmlab.course.next_token import size_of, source
    from llmlab.course.page import caption
    from llmlab.course.tokens_exercises import QUIZ, exercises
    from llmlab.measure import samples
    from llmlab.model import zoo
    from llmlab.text import bpe

    return (
        QUIZ,
        Sheet,
        bpe,
        caption,
        exercises,
        learning,
        mo,
        page,
        samples,
        size_of,
        source,
        student_progress,
        tables,
        tokens,
        tokens_measured,
        zoo,
    )


@app.cell(hide_code=True)
def _(page, size_of, tokens, zoo):
    checkpoint = zoo.load("course")
    presets = tokens.presets(checkpoint.tokenizer)
    V = checkpoint.tokenizer.vocab_size
    page.head("03", f"live, course model, {size_of(checkpoint)}")
    return V, checkpoint, presets


@app.cell(hide_code=True)
def _(mo, presets):
    preset = mo.ui.radio(list(presets), value=next(iter(presets)), inline=True)
    mo.vstack([mo.Html('<span id="ll-touch"></span>'), preset])
    return (preset,)


@app.cell(hide_code=True)
def _(checkpoint, mo, tokens):
    touch = tokens.touch(checkpoint)
    mo.ui.anywidget(touch)
    return (touch,)


@app.cell(hide_code=True)
def _(caption, mo, preset, presets, touch):
    _shown = presets[preset.value]
    touch.prompt = _shown.prompt
    mo.Html(caption(_shown.look, _shown.text))
    return


@app.cell(hide_code=True)
def _(V, mo):
    mo.md(f"""
    In lesson 02 the model gave a number to each of {V:,} tokens. Here is where they come from.

    A computer stores a text as **bytes**: numbers from 0 to 255, one for a plain letter, two to four for all
    others. A model could read them as they are; then a page would be some thousand steps long, and most of them
    would say little. So before anything is trained, a **[vocabulary](#word-vocabulary)** is learned, by a rule
    that fits into one sentence: *find the two neighbours that stand side by side most often, and make them one
    new token; again, and again.* This is called [byte pair encoding](#word-byte-pair-encoding). Each step is a
    **merge**, and the slider above goes through them in the order of learning.

    Nobody chose these pieces, and nothing in them is grammar. What is frequent becomes short; what was never
    read stays bytes. Since all 256 bytes are in the vocabulary, no text is impossible. It only costs more or less.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("guess", "Guess: which text costs how much?")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Four texts. The first three say the same; the numbers of letters stand beside them. How many **tokens** of
    our model's vocabulary does each take? The four right numbers are given; which belongs to which? Decide
    before you try it above.
    """)
    return


@app.cell(hide_code=True)
def _(checkpoint, mo, tokens):
    bet = tokens.Bet(checkpoint.tokenizer)
    mo.Html(bet.show())
    return (bet,)


@app.cell(hide_code=True)
def _(bet, mo):
    guess = mo.ui.dictionary(
        {name: mo.ui.radio(bet.options, inline=True, label=f"{name} takes") for name in bet.texts}
    )
    commit = mo.ui.run_button(label="That is my guess")
    mo.vstack([*guess.elements.values(), commit])
    return commit, guess


@app.cell(hide_code=True)
def _(bet, commit, guess, mo):
    mo.Html(bet.reply(guess.value, commit.value))
    return


@app.cell(hide_code=True)
def _(page):
    page.step("see", "See: what a token holds, and what it hides")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### The price of a text

    A model has a limited number of tokens in its context, and each token costs the same work. So the number
    of **bytes per token** says how much text you get for your money. It depends on one thing alone: how much
    a text is like the pages from which the vocabulary was learned.
    """)
    return


@app.cell(hide_code=True)
def _(checkpoint, mo, tokens):
    mo.Html(tokens.kinds_table(checkpoint.tokenizer))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the two last columns.",
            "A text of the Isles gets several letters into one token. Where the crawl has no pages, each byte "
            "pays for itself, and a letter of another script costs two to four tokens. The same sentence is "
            "expensive for some people and cheap for others.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### The same letters, other tokens

    For the model a text is a row of numbers, and nothing else of it arrives. You can spell the same letters
    with other numbers: every byte has a token of its own. Here the model reads a text twice: in the tokens that
    it learned with, and as **exactly the same letters**, one token each. Write your own, and press Enter.
    """)
    return


@app.cell(hide_code=True)
def _(checkpoint, mo, tokens):
    mo.ui.anywidget(tokens.readings(checkpoint))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at what it expects letter by letter.",
            "The pale ␣ is a blank: a token with one begins a new word. Where a single letter stands in its pages, a "
            "word was broken, and its rest must follow; a whole text of single letters it has hardly ever read. The "
            "model does not see that the two texts are the same.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo, tokens_measured):
    mo.Html(tokens_measured.surprise_table("course"))
    return


@app.cell(hide_code=True)
def _(caption, mo, tokens_measured):
    mo.Html(caption("Look at the first line, then at the last.", tokens_measured.surprise_sentence("course")))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### Why spelling is hard

    Ask a model how many r there are in *strawberry*, and it has never seen an r: it has seen a number or two.
    Could it know the letters nevertheless? Each token has a vector, a list of numbers that the model learned,
    and that is all it knows about it. We try to read the spelling out of these vectors: a simple reader is
    fitted on four fifths of the words, and judged on the rest.
    """)
    return


@app.cell(hide_code=True)
def _(mo, tokens_measured):
    mo.Html(tokens_measured.letters_table("course"))
    return


@app.cell(hide_code=True)
def _(caption, mo, tokens_measured):
    mo.Html(caption("Look at the last column.", tokens_measured.letters_sentence("course")))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### Why sums are hard, and why our digits stand alone

    Suppose that digits may be merged, too. Then the vocabulary learns some numbers as one piece, and cuts the
    others as it happens. Three vocabularies are learned from the same pages of sums when the lesson is opened;
    they differ only in the rule for digits.
    """)
    return


@app.cell(hide_code=True)
def _(mo, tokens_measured):
    mo.Html(tokens_measured.numbers_table())
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at 1987, then at 2007.",
            "When digits merge, each place of a number is sometimes a token, sometimes a part of one, and adding "
            "has to be learned for every cut anew. The last column counts the tokens in which a 7 in the hundreds "
            "can hide. With digits alone there is one, and a number is longer.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo, tables, tokens_measured):
    mo.Html(tables.note(tokens_measured.sums_sentence("course"), "said"))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### Words that cannot be typed

    Ten tokens of our vocabulary were not learned. They structure a conversation: `<|user|>` says that a
    person speaks, `<|end|>` that a turn is over. **Programs put them in, by their number.** Text that
    somebody wrote is encoded with them switched off. Try to forge one.
    """)
    return


@app.cell(hide_code=True)
def _(mo, tokens):
    typed = mo.ui.text(value=tokens.TYPED, label="You type", full_width=True)
    typed
    return (typed,)


@app.cell(hide_code=True)
def _(checkpoint, mo, tokens, typed):
    mo.ui.anywidget(tokens.conversation(checkpoint, typed.value))
    return


@app.cell(hide_code=True)
def _(checkpoint, mo, tokens, typed):
    mo.Html(tokens.wall_sentence(checkpoint, typed.value))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the boxes.",
            "A box is one special token; the program set it. What you typed stands on the ground of the user, in "
            "ordinary pieces, even where it looks the same. Without this wall every text box would be a way to "
            "speak in somebody else’s name.",
        )
    )
    return


@app.cell(hide_code=True)
def _(page):
    page.step("hood", "Under the hood: the merge that just ran")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    From `llmlab/text/bpe.py`, as it is. `merge` is one step on one word. `encode` says in three lines what a
    vocabulary is: a list of merges, applied in the order of learning. To *learn* the list, the same step is
    repeated with the most frequent pair; read `train_bpe` in the same file for how that takes seconds instead
    of hours.
    """)
    return


@app.cell(hide_code=True)
def _(bpe, mo, source):
    mo.md(f"```python\n{source(bpe.merge, bpe.encode)}\n```")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Real programs do not apply some thousand merges one by one. **tiktoken** is the library that encodes texts
    for GPT-4; it gets our list, and looks for the earliest merge that is possible, again and again. Both must
    give the same tokens.
    """)
    return


@app.cell
def _(checkpoint, mo, tokens):
    mo.Html(tokens.same_table(checkpoint.tokenizer))
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the middle column.",
            "Two programs by different people, one rule, the same numbers. The times are from this machine, just "
            "now; for the course itself tiktoken does the work, and the slow one is there to be read.",
        )
    )
    return


@app.cell(hide_code=True)
def _(page):
    page.step("train", "Train it yourself")
    return


@app.cell(hide_code=True)
def _(learning, mo):
    mo.md(f"""
    Choose pages, and let a vocabulary of {learning.COUNT:,} merges grow from them. It takes seconds. The text
    below is cut with your merges while they come, and the table compares yours with the model's: learn from
    sums, and see what happens to a diary.
    """)
    return


@app.cell(hide_code=True)
def _(learning, mo, samples):
    mine = learning.Learning()
    own = learning.view(mine)
    growing, set_growing = mo.state(False)
    grown, set_grown = mo.state(0)
    pages = mo.ui.dropdown(samples.SOURCES, value=next(iter(samples.SOURCES)), label="Learn from")
    size = mo.ui.dropdown(
        {"100 KB": 100, "300 KB": 300, "1 MB": 1000, "3 MB": 3000}, value="300 KB", label="Text"
    )
    run, stop = mo.ui.run_button(label="Learn the merges"), mo.ui.run_button(label="Stop")
    mo.hstack([pages, size, run, stop], justify="start", wrap=True, gap=2)
    return grown, growing, mine, own, pages, run, set_growing, set_grown, size, stop


@app.cell(hide_code=True)
def _(mine, pages, run, set_growing, size, stop):
    if run.value:
        mine.begin(pages.value, size.value)
    if stop.value:
        mine.stop()
    if run.value:
        set_growing(True)
    return


@app.cell(hide_code=True)
def _(growing, mo):
    tick = mo.ui.refresh(default_interval="1s") if growing() else None
    mo.Html(f'<div style="display: none">{tick}</div>')
    return (tick,)


@app.cell(hide_code=True)
def _(mine, mo, own, set_grown, set_growing, tables, tick):
    _ended = tick is not None and not mine.running  # asked first, so that no last word is missed
    if mine.look():
        own.edition += 1
        set_grown(len(mine.merges))
    if _ended:
        set_growing(False)
    mo.Html(tables.note(mine.sentence))
    return


@app.cell(hide_code=True)
def _(mo, own):
    mo.ui.anywidget(own)
    return


@app.cell(hide_code=True)
def _(checkpoint, grown, learning, mine, mo, tables):
    grown()
    mo.Html(
        tables.columns(
            ["The first merges", "What yours is worth"],
            [learning.first_merges(mine), learning.compared(checkpoint, mine)],
        )
    )
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the first merges, then at the table.",
            "Short and frequent pieces come first, whatever the pages are. Then the pages show: what they are "
            "full of becomes cheap, and the rest stays expensive. The shipped vocabulary has read all kinds, and has "
            "more merges.",
        )
    )
    return


@app.cell(hide_code=True)
def _(QUIZ, Sheet, checkpoint, exercises, page, student_progress):
    progress = student_progress()
    sheet = Sheet("03_tokens", exercises(checkpoint), QUIZ, progress)
    page.step("exercises")
    return (sheet,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    The picture at the top is your instrument: it reads what you write, and tells about each token that you
    press.
    """)
    return


@app.cell(hide_code=True)
def _(sheet):
    born = sheet.ask("born")
    born
    return (born,)


@app.cell(hide_code=True)
def _(born, sheet):
    sheet.reply("born", born)
    return


@app.cell(hide_code=True)
def _(sheet):
    by_hand = sheet.ask("by_hand")
    by_hand
    return (by_hand,)


@app.cell(hide_code=True)
def _(by_hand, sheet):
    sheet.reply("by_hand", by_hand)
    return


@app.cell(hide_code=True)
def _(sheet):
    dear = sheet.ask("dear")
    dear
    return (dear,)


@app.cell(hide_code=True)
def _(dear, sheet):
    sheet.reply("dear", dear)
    return


@app.cell(hide_code=True)
def _(sheet):
    merge = sheet.ask("merge")
    merge
    return (merge,)


@app.cell(hide_code=True)
def _(merge, sheet):
    sheet.reply("merge", merge)
    return


@app.cell(hide_code=True)
def _(sheet):
    swapped = sheet.ask("swapped")
    swapped
    return (swapped,)


@app.cell(hide_code=True)
def _(sheet, swapped):
    sheet.reply("swapped", swapped)
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
def _(checkpoint, mo, tokens):
    mo.Html(tokens.real_table(checkpoint))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    GPT-4 has read much more than the Isles, and can afford more tokens: about 100,000, learned in the same
    way. A larger vocabulary makes texts shorter, but by less and less: the authors of Llama 3 report that
    their step from 32,000 to 128,000 tokens raised English from 3.17 to 3.94 letters per token. About digits
    the makers disagree, as you see.

    In the talk it is always “the next word”, and that is good enough to think with. Now you know what the
    word is.

    Sources: GPT-2, Radford et al. 2019, *Language Models are Unsupervised Multitask Learners*; GPT-2's,
    GPT-4's and GPT-4o's numbers and rules for digits, the file `openai_public.py` of OpenAI's tiktoken, which
    is installed with this course (GPT-4's number counts some places that are not used); Llama 2, Touvron et
    al. 2023 (arXiv:2307.09288), section 2.2; Llama 3, Grattafiori et al. 2024 (arXiv:2407.21783), section 3,
    and the `tokenizer.py` that comes with the weights. Byte pair encoding for words: Sennrich et al. 2016
    (arXiv:1508.07909). The sentence in three languages: Universal Declaration of Human Rights, article 1.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("next", "What you can say now")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    - A model reads neither letters nor words, but numbers of pieces that were frequent in some pages.
    - The pieces are learned before the model is, by merging the most frequent pair, again and again.
    - Text unlike those pages costs more tokens: another script, emoji, odd names.
    - Letters and digits inside a token are hidden. What a model knows of them it had to learn by reading
      about them.
    - A [special token](#word-special-token) is set by a program. No typed text ever becomes one.

    You are still before 4:17 of the talk.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.farewell("03")
    return


if __name__ == "__main__":
    app.run()
