"""Lesson 08, how it looks: the board, what was heard, before and after, the versions. All of it is plain HTML.

Read next: the_loop_measured.py, a hundred corrections.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from llmlab.course.corrections import Kept
from llmlab.course.tables import note, table
from llmlab.course.the_loop import STATIONS, Heard, Loop, Retraining
from llmlab.course.versions import SHIPPED

CHANGES = 8  # changed answers that are shown; the rest is counted
NONE_YET = "Nothing has been retrained yet. Both tables come here when a version is made."


def style() -> str:
    """The rules travel with the markup: marimo may put it into a shadow root."""
    return f"<style>{Path(__file__).with_name('the_loop.css').read_text(encoding='utf-8')}</style>"


def board(loop: Loop, retraining: Retraining) -> str:
    """The five stations, with what lies at each, and where there is something to do."""
    here, kept, trouble = loop.station(retraining), loop.corrections.all(), loop.answering()[1]
    newest = loop.versions.numbers()[-1]
    lies = (
        f"version {loop.deployed} answers",
        f"{count(len(loop.heard), 'answer')} heard" + (", one marked" if loop.marked else ""),
        f"{count(len(kept), 'correction')} on the list",
        "running" if retraining.running else f"{loop.waiting()} not learned by version {loop.deployed}",
        f"version {loop.deployed} of {newest}" if newest > SHIPPED else "only the shipped version",
    )
    cells = "".join(
        f"<li{' class=here aria-current=step' if place == here else ''}><b><small>{place + 1}</small>{name}</b>"
        f"<span>{escape(what)}</span></li>"
        for place, (name, what) in enumerate(zip(STATIONS, lies, strict=True))
    )
    after = escape(trouble) or "↺ and from Deploy back to Monitor: the loop has no end."
    return f'{style()}<ol class="ll-round" aria-label="The loop">{cells}</ol><p class="ll-again">{after}</p>'


def count(n: int, thing: str) -> str:
    return f"{n} {thing}{'' if n == 1 else 's'}"


def heard(answers: Sequence[Heard], marked: Heard | None) -> str:
    """Questions and answers, numbered."""
    rows = "".join(
        f'<li{" class=marked" if one is marked else ""}><small>{place}</small><q class="u">{escape(one.question)}</q>'
        f'<q class="a">{escape(one.answer) or "(nothing)"}</q></li>'
        for place, one in enumerate(answers, 1)
    )
    return f'{style()}<ol class="ll-heard" aria-label="Questions, and what the deployed version answers">{rows}</ol>'


def marked(loop: Loop) -> str:
    """The answer that is being corrected, and what the pages of the Isles say."""
    if loop.marked is None:
        return note("Mark an answer above. It comes here, with what the pages of the Isles say.")
    truth = loop.looked_up(loop.marked.question)
    said = (
        f"The pages say: <b>{escape(truth)}</b>"
        if truth
        else "The pages of the Isles say nothing about this."
    )
    return note(f"“{escape(loop.marked.question)}” “{escape(loop.marked.answer)}” {said}", "said")


def kept_table(kept: Sequence[Kept], learned: Sequence[str]) -> str:
    """The list of corrections."""
    if not kept:
        return note("The list is empty.")
    rows = [
        (
            one.question,
            one.said,
            one.answer,
            f"{len(one.wordings)}",
            "yes" if one.question in learned else "not yet",
        )
        for one in kept
    ]
    return table(
        ("question", "what it said", "what it should say", "wordings", "learned by the deployed version"),
        rows,
    )


def pairs(rows: Sequence[Mapping], names: tuple[str, str]) -> str:
    """Two answers to each question; ✓ and × say whether an answer is right."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in ("question", *names))
    body = "".join(
        f'<tr><th scope="row">{escape(row["question"])}</th>'
        f'<td class="{sign(row["was"])}">{escape(row["before"])}</td>'
        f'<td class="{sign(row["is"])}">{escape(row["after"])}</td></tr>'
        for row in rows
    )
    return f'{style()}<div class="ll-pairs"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def sign(right: bool) -> str:
    return "yes" if right else "no"


def progress(retraining: Retraining) -> str:
    """How a retraining stands: a bar and a sentence."""
    bar = f'<progress class="ll-doing" max="1" value="{retraining.done:.3f}" aria-label="How much is done"></progress>'
    return f"{style()}{bar}{note(escape(retraining.sentence))}"


def fresh_table(report: Mapping) -> str:
    """The corrected questions in wordings that were not practised."""
    if not report:
        return note(NONE_YET)
    good = sum(row["is"] for row in report["fresh"])
    said = note(
        f"<b>{good} of {len(report['fresh'])}</b> fresh wordings now get the corrected answer; before, "
        f"{sum(row['was'] for row in report['fresh'])} did.",
        "said",
    )
    return said + pairs(report["fresh"], ("version 1", "the new version"))


def exam_table(report: Mapping) -> str:
    """Which answers to everything else have become others."""
    if not report:
        return ""
    lost = [row for row in report["exam"] if row["was"] and not row["is"]]
    won = [row for row in report["exam"] if row["is"] and not row["was"]]
    shown = [*lost, *won, *(row for row in report["exam"] if row["was"] == row["is"])][:CHANGES]
    n, same = report["asked"], report["asked"] - len(report["exam"])
    rest = len(report["exam"]) - len(shown)
    said = note(
        f"Of {n} questions about everything else <b>{same}</b> got the same answer, word for word. "
        f"{report['right_before']} were right before, <b>{report['right_after']}</b> are right now: {len(lost)} lost, "
        f"{len(won)} won.{f' {rest} more changed answers are not shown.' if rest else ''}",
        "said",
    )
    return said + (pairs(shown, ("version 1", "the new version")) if shown else "")


def history(loop: Loop) -> str:
    """All versions with what was found out about each."""
    rows = []
    for version in loop.versions.all():
        report = version.report
        here = "deployed" if version.number == loop.deployed else "kept"
        if version.number == SHIPPED:
            rows.append((f"{version.number}", here, "none: it came with the course", "–", "–"))
        elif not report:
            rows.append((f"{version.number}", here, "nothing is known: its report is gone", "–", "–"))
        else:
            good = f"{sum(row['is'] for row in report['fresh'])} of {len(report['fresh'])}"
            exam = f"{report['right_after']} of {report['asked']} ({report['right_before']})"
            rows.append((f"{version.number}", here, "; ".join(report["corrections"]), good, exam))
    return table(
        (
            "version",
            "state",
            "corrections that it has learned",
            "right in fresh wordings",
            "exam (version 1)",
        ),
        rows,
    )


# ---- in the real thing ----

REAL = (
    (
        "InstructGPT (2022)",
        "13,000 prompts with answers, 33,000 with comparisons",
        "about 40 people",
        "some exams got worse; pretraining text mixed in won most of it back",
    ),
    (
        "Llama 2 Chat (2023)",
        "27,540 answers, 1.4 million comparisons",
        "batches from week to week",
        "five versions, one after the other",
    ),
    (
        "GPT-4o (2025)",
        "an update that flattered",
        "seen after some days",
        "taken back: the version before was deployed again",
    ),
)


def real_table() -> str:
    """Loops of models that people use."""
    return table(("assistant", "collected", "by whom, how often", "what came of it"), REAL)
