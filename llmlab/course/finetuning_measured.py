"""Lesson 07, what was measured: made-up answers, what was forgotten, LoRA against full, and what labels cost.

The numbers come from the recording (`llmlab record assistant`); `llmlab figures` measures them anew.

Read next: ../report/assistant_record.py, the measuring; finetuning_exercises.py.
"""

from html import escape
from pathlib import Path

import marimo as mo

from llmlab.course.corrections import kept_for_the_loop
from llmlab.course.dreams_measured import folded, framed
from llmlab.course.finetuning import ASSISTANT, BASE
from llmlab.course.next_token import size_of
from llmlab.course.progress import Progress
from llmlab.course.tables import note, table
from llmlab.measure.drafts import Draft, passes, typed
from llmlab.measure.small_exam import Marks
from llmlab.model import zoo
from llmlab.report.assistant import READ, WHO, Told
from llmlab.report.assistant_record import load
from llmlab.show.assistant_figures import HEIGHT, made_up_lines
from llmlab.show.number_format import measured, percent
from llmlab.world import talk
from llmlab.world.facts import World

NAMES = {"base": "base model", "memory": "assistant", "context": "assistant, with the page"}
GROUPS = {"often": "on 50 pages and more", "once": "on one page", "never": "on no page"}
BET = {  # the guess: what becomes of made-up answers
    "They are gone: an assistant is trained to tell the truth": "gone",
    "Fewer: it has learned to say “I don't know”, and still makes things up": "fewer",
    "As many as before: the weights know what they know": "same",
}


# ---- made up ----


def cell(who: str, read: str) -> Told:
    return next(row for row in load().told if (row.who, row.read) == (who, read))


def made_up_picture(theme: str) -> mo.Html:
    """Shares of made-up answers: three who answer, three degrees of reading."""
    counts = {NAMES[who]: [(cell(who, read).made_up, cell(who, read).n) for read in READ] for who in WHO}
    return framed(lambda: made_up_lines(list(GROUPS.values()), counts, theme=theme), HEIGHT)


def made_up_table() -> str:
    """The same as numbers, with what was said instead."""
    rows = []
    for who in WHO:
        for read in READ:
            one = cell(who, read)
            shares = (measured(count, one.n) for count in (one.right, one.refused, one.made_up))
            rows.append((f"{NAMES[who]}, {GROUPS[read]}", *shares))
    return folded(table(("who, and where the fact stands", "right", "“I don't know”", "made up"), rows))


def made_up_sentence() -> str:
    """What the picture says, from its own numbers."""
    share = lambda who, read: percent(cell(who, read).made_up / cell(who, read).n)  # noqa: E731
    n = cell("base", "never").n
    return (
        f"Of questions for facts on no page the base model makes up {share('base', 'never')} of its answers, the "
        f"assistant {share('memory', 'never')}, the assistant with the page in front of it {share('context', 'never')} "
        f"(n = {n} each). Of facts that were read often: {share('base', 'often')}, {share('memory', 'often')} and "
        f"{share('context', 'often')}. Finetuning has not removed the dreaming; it has directed it."
    )


def bet_reply(choice: str | None, committed: bool) -> str:
    """What the measurement says to the guess, as HTML; it waits until somebody has committed."""
    if not committed or choice is None:
        return note("Choose one, then press the button. The answer is measured, not written here.")
    total = {who: sum(cell(who, read).made_up for read in READ) for who in WHO}
    n = sum(cell("base", read).n for read in READ)
    before, after = total["base"] / n, total["memory"] / n
    right = "gone" if after < 0.01 else "same" if abs(after - before) < 0.05 else "fewer"
    first = "So it is." if BET[choice] == right else "Not so."
    return note(
        f"<b>{first}</b> Over all {n} questions the base model made up {percent(before)} of its answers and the "
        f"assistant {percent(after)}. The picture below shows for which.",
        "said",
    )


# ---- forgotten ----


def forgotten_table() -> str:
    """Bits a byte of held-out pages before and after, the kinds that lost most first, and everything."""
    found = load()
    lost = {kind: found.after[kind] - bits for kind, bits in found.before.items()}
    kinds = sorted((kind for kind in lost if kind != "all"), key=lambda kind: -lost[kind])
    shown = [*dict.fromkeys((*kinds[:3], *kinds[-2:])), "all"]
    row = lambda kind: (  # noqa: E731
        "everything" if kind == "all" else kind,
        f"{found.before[kind]:.3f}",
        f"{found.after[kind]:.3f}",
        f"{lost[kind]:+.3f}",
    )
    return table(("held-out pages, bits a byte", "base", "assistant", "difference"), list(map(row, shown)))


def forgotten_sentence() -> str:
    found = load()
    lost = found.after["all"] - found.before["all"]
    return (
        f"The assistant pays {abs(lost):.3f} bits a byte {'more' if lost > 0 else 'less'} for pages that neither has "
        f"read, {percent(abs(lost) / found.before['all'])} of what the base pays. A part of what it reads while it "
        "is finetuned is pages of the crawl as before. The two small runs further down read no pages: there it is "
        f"{found.labellers[0].forgotten:+.3f} and {found.labellers[1].forgotten:+.3f}, after fewer steps."
    )


# ---- ways to train ----


def cells(one: Marks) -> tuple[str, ...]:
    """Three marks of the small exam."""
    total = one.n + one.nobodies
    return measured(one.right, one.n), measured(one.admitted, one.nobodies), measured(one.in_form, total)


def ways_table() -> str:
    """All weights against LoRA: what is moved, how long it takes, the exam, what is forgotten."""
    rows = [
        (way.name, f"{way.parameters:,}", f"{way.seconds:.0f}", *cells(way.marks), f"{way.forgotten:+.3f}")
        for way in load().ways
    ]
    heads = (
        "",
        "numbers learned",
        "seconds of one core",
        "right",
        "admits not knowing",
        "in form",
        "forgotten, bits a byte",
    )
    return table(heads, rows)


def ways_sentence() -> str:
    full, thin = load().ways
    return (
        f"LoRA learns {percent(thin.parameters / full.parameters)} as many numbers, in "
        f"{thin.seconds / full.seconds:.1f} times the time of all weights, on the same {full.tokens:,} tokens. "
        "What it saves is memory and storage: the "
        "correction of a 140 GB model is a file of some hundred MB, and many of them can share one base."
    )


def labellers_table(mine: dict[str, dict] | None = None) -> str:
    """Base, the two labellers' assistants, the student's own beside them, and the shipped one."""
    found, names = load(), {"good": "100 good examples", "sloppy": "1,000 sloppy examples"}
    rows = [("base model", *cells(found.marks["base"]))]
    for way in found.labellers:
        rows.append((f"{names[way.name]}, recorded", *cells(way.marks)))
        own = (mine or {}).get(way.name)
        rows.append(
            (f"{names[way.name]}, yours", *(cells(Marks(**own)) if own else ("not trained yet",) * 3))
        )
    rows.append(("the shipped assistant", *cells(found.marks["assistant"])))
    return table(("trained on", "right", "admits not knowing", "in form"), rows)


# ---- labels ----


def instructions() -> mo.Html:
    """The labelling instructions, the whole document, in a frame of its own."""
    text = Path(talk.__file__).with_name("labelling.md").read_text(encoding="utf-8")
    text = text.replace("\n## ", "\n#### ").replace("# Labelling", "### Labelling", 1)
    frame = "max-height: 26rem; overflow: auto; border: 1px solid var(--ll-rule); padding: 0 1.2rem"
    return mo.Html(
        f'<div role="region" aria-label="Labelling instructions" tabindex="0" style="{frame}">{mo.md(text).text}</div>'
    )


def cost_table() -> str:
    """Characters to type for a good example, written from nothing and corrected from a draft."""
    found = load().drafts
    groups = {
        "a fact that was told often": [one for one in found if one.value],
        "a name that nobody bears": [one for one in found if not one.value],
    }
    made = []
    for name, some in groups.items():
        kept, n = sum(one.kept for one in some), len(some)
        made.append(
            (
                name,
                measured(kept, n),
                f"{sum(len(one.good) for one in some) / n:.1f}",
                f"{sum(one.typed for one in some) / n:.1f}",
            )
        )
    heads = (
        "question about",
        "drafts that needed no change",
        "characters, from nothing",
        "characters, by correcting",
    )
    return table(heads, made)


def cost_sentence() -> str:
    found = load().drafts
    nothing, corrected = sum(len(d.good) for d in found), sum(d.typed for d in found)
    return (
        f"Over {len(found)} questions: {corrected / len(found):.1f} characters to type for each good example "
        f"instead of {nothing / len(found):.1f}. This table counts no reading, which takes time in real work: a smooth "
        "wrong answer has to be noticed. Here the checker has the world's facts; a person has to look them up."
    )


def drafts_to_correct() -> dict[str, Draft]:
    """Some recorded drafts to try it on, those that need a change first, by their questions."""
    found = sorted(load().drafts, key=lambda one: one.kept)
    chosen = [*found[:4], *found[-2:]]
    return {one.question: one for one in chosen}


def corrected_reply(draft: Draft, written: str) -> str:
    """What the checker says to a student's correction, what it cost, and a good answer, folded away."""
    keys = typed(draft.draft, written.strip())
    verdict = "passes the checker" if passes(written, draft.value) else "does not pass the checker yet"
    return note(
        f"This answer <b>{verdict}</b>. Typed: {keys} characters; from nothing it would be {len(draft.good)}."
        f"<details><summary>A good answer</summary>{escape(draft.good)}</details>",
        "said",
    )


def kept_draft(progress: Progress | None, world: World, draft: Draft, written: str) -> str:
    """Keep a corrected draft for lesson 08, if the checker passes it: a wrong label would be learned as well."""
    if not passes(written, draft.value):
        return "Not kept: it does not pass the checker, and what is wrong would be learned, too. Correct it first."
    return kept_for_the_loop(progress, world, draft.question, draft.draft, written)


# ---- in the real thing ----


def real_table() -> str:
    """This lesson's numbers for models that people use."""
    provenance = zoo.load(ASSISTANT).provenance
    ours = (
        "ours",
        size_of(zoo.load(BASE)),
        f"{provenance['n_conversations']:,} conversations, written by code",
        "",
    )
    return table(("model", "parameters", "finetuned on", "labels by"), (ours, *REAL))


REAL = (
    ("InstructGPT (2022)", "1.3B to 175B", "about 13,000 prompts with answers", "some 40 contractors"),
    ("LIMA (2023)", "65B", "1,000 chosen examples", "its authors, and forums"),
    ("Llama 2-Chat (2023)", "7B to 70B", "27,540 examples", "paid annotators"),
)


def about() -> str:
    return f"base and assistant, {size_of(zoo.load(ASSISTANT))} each, live"


def labellers_sentence() -> str:
    """What the table of labellers says, from its own numbers."""
    good, sloppy = (next(one for one in load().labellers if one.name == name) for name in ("good", "sloppy"))
    in_form = lambda way: percent(way.marks.in_form / (way.marks.n + way.marks.nobodies))  # noqa: E731
    admits = lambda way: percent(way.marks.admitted / way.marks.nobodies)  # noqa: E731
    right = lambda way: percent(way.marks.right / way.marks.n)  # noqa: E731
    return (
        "An answer is in form when it is one sentence or more with a full stop, asks nothing back, and ends by itself. "
        f"After equally many steps {in_form(good)} of the answers are in form after the good examples, and "
        f"{in_form(sloppy)} after the sloppy ones; asked about nobody, {admits(good)} and {admits(sloppy)} admit it. "
        f"Right on facts: {right(good)} and {right(sloppy)}. "
        "A model imitates what it is shown, and it is shown the faults, too."
    )
