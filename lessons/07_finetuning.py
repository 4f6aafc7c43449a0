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
    app_title="Finetuning into an assistant, LLM Lab",
    css_file="../assets/llmlab.css",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from llmlab.course import finetuning, finetuning_chat, finetuning_live, page, tables
    from llmlab.course import finetuning_measured as measured
    from llmlab.course.exercises import Sheet, student_progress
    from llmlab.course.finetuning_exercises import QUIZ, exercises
    from llmlab.course.next_token import source
    from llmlab.course.page import caption
    from llmlab.model.blend import blend
    from llmlab.show import Theme
    from llmlab.text.dialogue import dialogue, parts
    from llmlab.train.finetune import answer_loss
    from llmlab.train.lora import Adapter
    from llmlab.world import build_world

    return (
        Adapter,
        QUIZ,
        Sheet,
        Theme,
        answer_loss,
        blend,
        build_world,
        caption,
        dialogue,
        exercises,
        finetuning,
        finetuning_chat,
        finetuning_live,
        measured,
        mo,
        page,
        parts,
        source,
        student_progress,
        tables,
    )


@app.cell(hide_code=True)
def _(measured, page):
    page.head("07", measured.about())
    return


@app.cell(hide_code=True)
def _(build_world, finetuning, mo):
    presets = finetuning.presets(build_world())
    stage = finetuning.Stage()
    preset = mo.ui.dropdown(list(presets), value=next(iter(presets)), label="Begin with")
    mo.vstack([mo.Html('<span id="ll-touch"></span>'), preset])
    return preset, presets, stage


@app.cell(hide_code=True)
def _(mo, preset, presets):
    prompt = mo.ui.text(
        value=presets[preset.value],
        label="Say this to both (Enter)",
        max_length=600,
        full_width=True,
        debounce=True,
    )
    prompt
    return (prompt,)


@app.cell(hide_code=True)
def _(mo, prompt, stage, tables):
    stage.show(prompt.value)
    left, middle = (mo.ui.anywidget(text) for text in (stage.base, stage.assistant))
    mo.Html(
        tables.columns(["Base model: a document goes on", "Assistant: a user is answered"], [left, middle])
    )
    return


@app.cell(hide_code=True)
def _(mo, prompt, stage):
    prompt
    strip = mo.ui.anywidget(stage.strip)
    mo.vstack([mo.Html(stage.sentence()), strip])
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the boxes in the right column, then at the bars below.",
            "Both columns come from one network with different numbers in it. The boxes are special tokens: they tell "
            "the assistant who speaks. A bar is as high as the two models differ at this token; the paler a word, "
            "the less the base model expected it. Press a token to read what the base model would have written.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    The base model has read pages, and does one thing: it goes on. Give it a question, and it writes a page on which
    such a question could stand, often with more questions. It is not stubborn. Nobody has told it that there is
    somebody who wants to know.

    **[Finetuning](#word-finetuning)** is the second stage of training, and it is the first one again: the same
    network, the same loop, the next token. Only the data is different: most of what the model reads now are
    *conversations*, and in them [what counts is only](#word-loss-mask) what the assistant says.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("guess", "Guess: where do the dreams go?")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    The base model dreams. You have measured it in lesson 05. Now it is trained on conversations in which a good
    assistant answers, and says “I don't know” where nothing is known. **What becomes of its made-up answers?**
    """)
    return


@app.cell(hide_code=True)
def _(measured, mo):
    bet = mo.ui.radio(list(measured.BET), label="After the finetuning they are")
    commit = mo.ui.run_button(label="That is my guess")
    mo.vstack([bet, commit])
    return bet, commit


@app.cell(hide_code=True)
def _(bet, commit, measured, mo):
    mo.Html(measured.bet_reply(bet.value, commit.value))
    return


@app.cell(hide_code=True)
def _(page):
    page.step("see", "See: directed, not gone")
    return


@app.cell(hide_code=True)
def _(Theme, mo):
    theme = mo.ui.anywidget(Theme())
    theme
    return (theme,)


@app.cell(hide_code=True)
def _(measured, theme):
    measured.made_up_picture(theme.value["theme"])
    return


@app.cell(hide_code=True)
def _(caption, measured, mo):
    mo.Html(
        caption("Look at the right end of the three lines.", measured.made_up_sentence())
        + measured.made_up_table()
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Questions in wordings that no conversation had, about people and things that were in none. The base model is
    asked in its own form, as a quiz page would: *Q:*, the question, *A:*. The third line is the same assistant with
    a page in front of the question that holds the answer.

    So nothing was switched off. The model still writes what is likeliest; it has learned that after some questions “I
    don't know” is likely. **The dreams do not go away, they are directed.**

    ### From the one to the other, by hand

    Both models began with the same numbers, so they lie close together. Move each number a part of the way from the
    base model to the assistant. Each stop of the slider is a model of its own, and answers the prompt from the top.
    """)
    return


@app.cell(hide_code=True)
def _(finetuning, mo, presets):
    between = mo.ui.anywidget(finetuning.blending(next(iter(presets.values()))))
    between
    return (between,)


@app.cell(hide_code=True)
def _(between, prompt):
    if prompt.value.strip() and between.widget.prompt != prompt.value:
        between.widget.prompt = prompt.value
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look for the place where the text becomes an answer, and for the place where it ends by itself.",
            "Each dot is one of the models; it is full where the text ended by itself. Move the slider slowly. "
            "Nothing is switched at any point: a little more of the same change, and the manner is different.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### What was forgotten

    Whoever learns something new with the same numbers loses some of the old. How much is lost, we measure as in
    lesson 04: by the bits that a model pays for pages which it has never read. If they rise, it writes worse pages.
    """)
    return


@app.cell(hide_code=True)
def _(measured, mo):
    mo.Html(measured.forgotten_table())
    return


@app.cell(hide_code=True)
def _(caption, measured, mo):
    mo.Html(caption("Look at the last column.", measured.forgotten_sentence()))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### All weights, or a thin correction

    Large models are often finetuned with **[LoRA](#word-lora)**: the weights stay as they are, and what is
    learned is a [correction of low rank](#word-adapter) beside each matrix: the product of a matrix with few
    columns and a matrix with few rows (the *rank*), which is added to it.
    """)
    return


@app.cell(hide_code=True)
def _(measured, mo):
    mo.Html(measured.ways_table())
    return


@app.cell(hide_code=True)
def _(caption, measured, mo):
    mo.Html(caption("Look at the first two columns, then at the exam.", measured.ways_sentence()))
    return


@app.cell(hide_code=True)
def _(finetuning, mo):
    mo.md(f"""
    One such correction came with the course: a file of {finetuning.adapter_sizes()} for the whole model. Ask
    something, then put it on.
    """)
    return


@app.cell(hide_code=True)
def _(finetuning, mo, presets):
    wearing = finetuning.Wearing()
    adapter_on = mo.ui.switch(label="Adapter on")
    asked_of_both = mo.ui.text(
        value=presets["A question"], label="Ask (Enter)", max_length=300, full_width=True, debounce=True
    )
    mo.vstack([asked_of_both, adapter_on])
    return adapter_on, asked_of_both, wearing


@app.cell(hide_code=True)
def _(adapter_on, asked_of_both, mo, tables, wearing):
    who = wearing.show(asked_of_both.value, adapter_on.value)
    worn = mo.ui.anywidget(wearing.text)
    mo.vstack([mo.Html(tables.note(who, "said")), worn])
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the end of the text while you switch.",
            "The base model has never read these boxes, and does not know what they ask of it; with the adapter on, it "
            "answers and stops. No weight of the base was changed: take the adapter off, and it is as before.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### Talk with it

    Say something. **Stop** ends an answer; what was said stays in the conversation. The model remembers nothing:
    before each answer it reads everything again, as one text, and of a long talk as much as fits into its context.
    """)
    return


@app.cell(hide_code=True)
def _(finetuning_chat, presets):
    chat = finetuning_chat.chat(list(presets.values()))
    chat
    return (chat,)


@app.cell(hide_code=True)
def _(chat, finetuning_chat, mo):
    mo.accordion({"The same as the model reads it": mo.ui.anywidget(finetuning_chat.raw(chat.value))})
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the boxes in the raw stream.",
            "They are the only thing that says whose turn it is. Try to type one of them, such as <|end|>: it becomes "
            "ordinary letters, and no box. Nobody can speak in the assistant’s name.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ### The people behind it

    In the talk a company hires people, gives them **[labelling instructions](#word-labeller)**, and lets them
    write questions and ideal answers. Real instructions have hundreds of pages. Ours are short enough to read;
    all conversations that our assistant learned from keep to them.
    """)
    return


@app.cell(hide_code=True)
def _(measured):
    measured.instructions()
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Writing from nothing is slow. So today the model **drafts**, somebody **corrects**, and the corrected draft is
    training data. Here are drafts of our assistant. Correct one; the checker knows the world's facts.
    """)
    return


@app.cell(hide_code=True)
def _(measured, mo):
    drafts = measured.drafts_to_correct()
    which_draft = mo.ui.dropdown(list(drafts), value=next(iter(drafts)), label="Question", full_width=True)
    which_draft
    return drafts, which_draft


@app.cell(hide_code=True)
def _(drafts, mo, which_draft):
    draft = drafts[which_draft.value]
    correction = mo.ui.text_area(
        value=draft.draft, rows=2, max_length=300, full_width=True, label="The draft; correct it"
    )
    keep_draft = mo.ui.run_button(label="Keep it as training data, for lesson 08")
    mo.vstack([correction, keep_draft])
    return correction, draft, keep_draft


@app.cell(hide_code=True)
def _(
    build_world,
    correction,
    draft,
    keep_draft,
    measured,
    mo,
    student_progress,
    tables,
):
    _said = measured.corrected_reply(draft, correction.value)
    if keep_draft.value:
        _kept = measured.kept_draft(student_progress(), build_world(), draft, correction.value)
        _said += tables.note(_kept, "said")
    mo.Html(_said)
    return


@app.cell(hide_code=True)
def _(measured, mo):
    mo.Html(measured.cost_table())
    return


@app.cell(hide_code=True)
def _(caption, measured, mo):
    mo.Html(caption("Look at the last two columns.", measured.cost_sentence()))
    return


@app.cell(hide_code=True)
def _(page):
    page.step("hood", "Under the hood: whose words count")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    How a conversation becomes tokens, and which of them are learned, from `llmlab/text/dialogue.py`:
    """)
    return


@app.cell(hide_code=True)
def _(dialogue, mo, parts, source):
    mo.md(f"```python\n{source(parts, dialogue)}\n```")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    The loss from `llmlab/train/finetune.py` looks only there; LoRA's correction from `llmlab/train/lora.py`; and the
    blend of the slider, from `llmlab/model/blend.py`:
    """)
    return


@app.cell(hide_code=True)
def _(Adapter, answer_loss, blend, mo, source):
    mo.md(f"```python\n{source(answer_loss, Adapter, blend)}\n```")
    return


@app.cell(hide_code=True)
def _(page):
    page.step("train", "Train it yourself: a hundred good, or a thousand sloppy")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Two labellers have answered questions. One took care and wrote a hundred. The other one was in a hurry and wrote a
    thousand: half sentences, chatter, guesses, and questions that nobody asked.
    """)
    return


@app.cell(hide_code=True)
def _(finetuning_live, page):
    page.later(finetuning_live.examples_table, rows=14)
    return


@app.cell(hide_code=True)
def _(finetuning_live, mo):
    mo.md(f"""
    Each run begins at the base model and reads {finetuning_live.LIVE_TOKENS:,} tokens of one of the two: about a
    minute on two idle cores. Then both sit the same exam: {finetuning_live.QUESTIONS} questions for facts that the
    crawl tells often, and {finetuning_live.QUESTIONS} about names that nobody bears. **Which one do you expect to
    do better, and at what?**
    """)
    return


@app.cell(hide_code=True)
def _(finetuning_live, mo):
    tutoring = finetuning_live.Tutoring()
    learning, set_learning = mo.state(False)
    which = mo.ui.dropdown(
        list(finetuning_live.WHICH), value=next(iter(finetuning_live.WHICH)), label="Learn from"
    )
    run, stop = mo.ui.run_button(label="Train"), mo.ui.run_button(label="Stop")
    mo.hstack([which, run, stop], justify="start", wrap=True, gap=2)
    return learning, run, set_learning, stop, tutoring, which


@app.cell(hide_code=True)
def _(run, set_learning, stop, tutoring, which):
    if run.value:
        tutoring.begin_with(which.value)
    if stop.value:
        tutoring.stop()
    if run.value:
        set_learning(True)
    return


@app.cell(hide_code=True)
def _(learning, mo):
    tick = mo.ui.refresh(default_interval="1s") if learning() else None
    mo.Html(f'<div style="display: none">{tick}</div>')
    return (tick,)


@app.cell(hide_code=True)
def _(mo, set_learning, tables, tick, tutoring):
    _ended = tick is not None and not tutoring.running  # asked first, so that no last word is missed
    tutoring.look()
    if _ended:
        set_learning(False)
    mo.Html(tables.note(tutoring.sentence))
    return


@app.cell(hide_code=True)
def _(learning, theme, tutoring):
    learning()
    tutoring.picture(theme.value["theme"])
    return


@app.cell(hide_code=True)
def _(measured, mo, tick, tutoring):
    tick
    mo.Html(measured.labellers_table(tutoring.marks))
    return


@app.cell(hide_code=True)
def _(caption, measured, mo):
    mo.Html(caption("Look down the last two columns.", measured.labellers_sentence()))
    return


@app.cell(hide_code=True)
def _(mo, page, presets):
    answers_of_all = page.Scene(rows=6)
    same_question = mo.ui.text(
        value=presets["A question"],
        label="Ask all of them (Enter)",
        max_length=300,
        full_width=True,
        debounce=True,
    )
    same_question
    return answers_of_all, same_question


@app.cell(hide_code=True)
def _(answers_of_all, finetuning_live, learning, same_question, tutoring):
    learning()
    answers_of_all.show(lambda: finetuning_live.asked_of_all(tutoring, same_question.value))
    return


@app.cell(hide_code=True)
def _(QUIZ, Sheet, build_world, exercises, page, student_progress):
    progress = student_progress()
    sheet = Sheet("07_finetuning", exercises(build_world()), QUIZ, progress)
    page.step("exercises")
    return (sheet,)


@app.cell(hide_code=True)
def _(sheet):
    shifted = sheet.ask("shifted")
    shifted
    return (shifted,)


@app.cell(hide_code=True)
def _(sheet, shifted):
    sheet.reply("shifted", shifted)
    return


@app.cell(hide_code=True)
def _(sheet):
    special = sheet.ask("special")
    special
    return (special,)


@app.cell(hide_code=True)
def _(sheet, special):
    sheet.reply("special", special)
    return


@app.cell(hide_code=True)
def _(sheet):
    mask = sheet.ask("mask")
    mask
    return (mask,)


@app.cell(hide_code=True)
def _(mask, sheet):
    sheet.reply("mask", mask)
    return


@app.cell(hide_code=True)
def _(sheet):
    page_first = sheet.ask("page")
    page_first
    return (page_first,)


@app.cell(hide_code=True)
def _(page_first, sheet):
    sheet.reply("page", page_first)
    return


@app.cell(hide_code=True)
def _(sheet):
    lora = sheet.ask("lora")
    lora
    return (lora,)


@app.cell(hide_code=True)
def _(lora, sheet):
    sheet.reply("lora", lora)
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
def _(measured, mo):
    mo.Html(measured.real_table())
    return


@app.cell(hide_code=True)
def _(caption, mo):
    mo.Html(
        caption(
            "Look at the third column beside the second.",
            "Finetuning sets are small. The talk says some 100,000 conversations and a day of training; "
            "pretraining takes months, and is done perhaps once a year.",
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    **Known:** most tokens of an aligned model's answer are the base model's own first choice; Lin et al. found about
    78% unshifted and 5 to 7% shifted, mostly words of style. **Known:** a thousand well chosen examples can be enough
    (LIMA). **Known:** teaching answers that the base model does not know makes it invent more. **Not known:** how
    many examples a new manner needs, and what finetuning can teach that pretraining has not.

    Sources: InstructGPT and its labelling, Ouyang et al. 2022 (arXiv:2203.02155); LIMA, Zhou et al. 2023
    (arXiv:2305.11206); Llama 2, Touvron et al. 2023 (arXiv:2307.09288), section 3.1; shifted tokens, Lin et al. 2023
    (arXiv:2312.01552); LoRA, Hu et al. 2021 (arXiv:2106.09685); new knowledge and hallucination, Gekhman et al. 2024
    (arXiv:2405.05904); blending weights, Wortsman et al. 2021 (arXiv:2109.01903). The talk, from 14:14.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.step("next", "What you can say now")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    - An assistant is a base model that went on learning, on conversations instead of pages.
    - Special tokens say who speaks, and nobody can type them.
    - What the labels do, the model does: a hundred good ones teach a different manner than a thousand sloppy ones.
    - Knowledge comes from the first stage, manner from the second. Dreams are directed, not removed.
    - A page in the context is a second source beside memory. How much it helps has to be measured.

    You are at 17:52 of the talk.
    """)
    return


@app.cell(hide_code=True)
def _(page):
    page.farewell("07")
    return


if __name__ == "__main__":
    app.run()
