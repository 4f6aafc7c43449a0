"""Lesson 05, what is measured: matches by chance, verdicts at each temperature, numbers, knowledge against reading.

The numbers come from the recording (`llmlab record dreams`), which says whose they are; one temperature at a time can
be measured again while the lesson is open.

Read next: report/dreams.py, the measuring; dreams_exercises.py.
"""

from collections import Counter
from collections.abc import Callable
from html import escape
from typing import Any

import marimo as mo

from llmlab.course import jobs, page
from llmlab.course.dreams import style
from llmlab.course.next_token import size_of
from llmlab.course.tables import table
from llmlab.measure.chance import reached
from llmlab.measure.exam import Exposure
from llmlab.measure.numbers import Dreamt, catalogue
from llmlab.model.checkpoint import Checkpoint
from llmlab.report import dream_record
from llmlab.report.dream_record import Recording
from llmlab.report.dreams import ABOUT, EACH, SPREAD
from llmlab.show.dream_figures import HEIGHT, match_curve, share_curve
from llmlab.show.figures import exposure_curve
from llmlab.show.number_format import measured, percent
from llmlab.world import build_world

CURVE = 400  # px: the height of exposure_curve
OFTEN = 50  # pages


def recording(checkpoint: Checkpoint) -> Recording:
    return dream_record.load(checkpoint.tokenizer)


def framed(make: Callable[[], Any], height: int) -> mo.Html:
    """A figure with its text alternative, made when it is scrolled to, in a frame that has its height before."""

    def shown() -> str:
        import plotly.graph_objects as go  # a widget of 4 MB: only where a figure is shown

        figure = make()
        widget = go.FigureWidget(figure)
        widget._config |= {"displayModeBar": False}  # plotly has no public name for it in a widget
        alt = escape(figure.layout.meta["alt"])
        return (
            f'<div role="img" aria-label="{alt}" style="display: grid; grid-template-columns: minmax(0, 1fr)">'
            f"{mo.ui.anywidget(widget)}</div>"
        )

    return mo.Html(f'<div style="min-height: {height}px">{page.later(shown, rows=0)}</div>')


def folded(inside: str) -> str:
    """The numbers of a figure, for whoever wants to read them."""
    return (
        f'{style()}<details class="ll-fold"><summary>The same numbers as a table</summary>{inside}</details>'
    )


# ---- how long is a match by chance ----

PAGES = {"shop listings": "shop", "encyclopedia articles": "encyclopedia", "Python code": "python"}
NAMED = {
    "shuffled": "words in random order",
    "another world": "another world’s pages",
    "held out": "pages it never read",
}


def texts_of(found: Recording, kind: str) -> dict[str, Any]:
    """Shares (L + 1,) for what chance gives, then for dreams at temperature 1."""
    names = NAMED | (
        {"another world": "code of this course", "held out": "code it never read"} if kind == "python" else {}
    )
    texts = {name: reached(found.chance[kind][key]) for key, name in names.items()}
    at_one = next(row for row in found.tallies if row["kind"] == kind and row["heat"] == 1.0)
    return texts | {"dreams": reached(at_one["matches"])}


def chance_picture(checkpoint: Checkpoint, kind: str, theme: str) -> mo.Html:
    """The shares of tokens in matches of each length."""
    found = recording(checkpoint)
    return framed(lambda: match_curve(texts_of(found, kind), least=found.least(kind), theme=theme), HEIGHT)


def chance_table(checkpoint: Checkpoint, kind: str) -> str:
    """The same as numbers, at some lengths."""
    found = recording(checkpoint)
    texts = texts_of(found, kind)
    lengths = sorted({3, 5, 10, 20, 30, 40, found.least(kind)})
    rows = [
        (name, *(percent(float(shares[n])) if n < len(shares) else "0" for n in lengths))
        for name, shares in texts.items()
    ]
    return table(("tokens in matches of at least", *(f"{n} tokens" for n in lengths)), rows)


def chance_sentence(checkpoint: Checkpoint, kind: str) -> str:
    """What the picture says, from its own numbers."""
    found = recording(checkpoint)
    texts, least = texts_of(found, kind), found.least(kind)
    share = lambda name, n: percent(float(texts[name][n])) if n < len(texts[name]) else "0"  # noqa: E731
    words, other, unread, dreams = texts
    n = int(sum(found.chance[kind]["another world"]))
    return (
        f"A match of 3 tokens holds {share(words, 3)} of the tokens even in random order, and one of 5 tokens "
        f"{share(words, 5)}. Of {other}, which this crawl does not hold, {share(other, least)} are in matches "
        f"of {least} tokens or more (n = {n:,}): from there on we say “copied”. Of dreams at temperature 1 it is "
        f"{share(dreams, least)}, and of {unread} {share(unread, least)}: their writers have habits, too."
    )


# ---- temperature ----


def verdicts_at(found: Recording) -> list[tuple[float, Counter[str]]]:
    """The claims of listings and articles together, at each temperature."""
    points: dict[float, Counter[str]] = {}
    for row in found.tallies:
        if row["kind"] in ABOUT:
            points.setdefault(row["heat"], Counter()).update(row["verdicts"])
    return sorted(points.items())


def heat_picture(checkpoint: Checkpoint, theme: str) -> mo.Html:
    """The four shares at each temperature."""
    return framed(lambda: share_curve(verdicts_at(recording(checkpoint)), theme=theme), HEIGHT)


def heat_table(checkpoint: Checkpoint) -> str:
    rows = []
    for heat, counts in verdicts_at(recording(checkpoint)):
        total = sum(counts.values())
        rows.append(
            (
                f"{heat:.1f}",
                *(percent(counts[v] / total) for v in ("copied", "true", "false", "nothing")),
                f"{total:,}",
            )
        )
    return table(("temperature", "= copied", "✓ true", "× false", "∅ nothing", "claims"), rows)


def heat_sentence(checkpoint: Checkpoint) -> str:
    """What the picture says, from its own numbers."""
    points = verdicts_at(recording(checkpoint))
    right = {heat: (c["copied"] + c["true"]) / max(1, sum(c.values())) for heat, c in points}
    best, worst = max(right, key=right.get), min(right, key=right.get)
    n = len(SPREAD) * EACH * len(ABOUT)
    code = [row for row in recording(checkpoint).tallies if row["kind"] == "python"]
    parsed = "; ".join(
        f"{measured(r['parsed'], r['dreams'])} at {r['heat']:.1f}" for r in (code[0], code[-1])
    )
    return (
        f"Listings and articles about things of all degrees of fame, {n} dreams at each temperature. The share of "
        f"right claims (copied or true) is highest at {best:.1f}, {percent(right[best])}, and lowest at {worst:.1f}, "
        f"{percent(right[worst])}. Of the code dreams Python can read {parsed}."
    )


class Again:
    """The shares at one temperature, measured anew in a child process with other seeds."""

    def __init__(self, model: str, each: int = EACH) -> None:
        self.model, self.each = model, each
        self.job: jobs.Job | None = None
        self.heat, self.seed = 1.0, 100

    def begin(self, heat: float) -> None:
        self.stop()
        self.heat, self.seed = heat, self.seed + 100
        asked = ["--temperature", str(heat), "--each", str(self.each), "--seed", str(self.seed)]
        self.job = jobs.start("dreams", self.model, *asked)

    def stop(self) -> None:
        if self.job is not None:
            self.job.stop()

    @property
    def running(self) -> bool:
        return self.job is not None and not self.job.ended

    @property
    def counts(self) -> tuple[int, Counter[str]]:
        """Dreams so far, and their claims."""
        latest: dict[str, dict[str, Any]] = {}
        for record in self.job.records if self.job else ():
            if "verdicts" in record:
                latest[record["kind"]] = record
        total: Counter[str] = Counter()
        for record in latest.values():
            total.update(record["verdicts"])
        return sum(record["dreams"] for record in latest.values()), total

    def look(self) -> None:
        if self.job is not None:
            self.job.poll()

    @property
    def sentence(self) -> str:
        """How it stands, for a person."""
        if self.job is None:
            return "Nothing is measured again yet."
        if self.job.state == "failed":
            return self.job.error
        if self.job.state == "waiting":
            return jobs.waiting(self.job)
        dreams, counts = self.counts
        total = len(ABOUT) * len(SPREAD) * self.each
        if not dreams:
            return (
                "Looking for the crawl and its index …" if self.running else "Stopped before the first dream."
            )
        word = {"running": "Dreaming", "done": "Done"}.get(self.job.state, "Stopped")
        return f"{word}: {dreams} of {total} dreams, {sum(counts.values()):,} claims, seed {self.seed}."


def again_table(checkpoint: Checkpoint, again: Again, heat: float) -> str:
    """The recorded shares nearest to a temperature, and beside them what was just measured."""
    nearest, recorded = min(verdicts_at(recording(checkpoint)), key=lambda point: abs(point[0] - heat))
    _, now = again.counts
    cell = lambda counts, v: measured(counts[v], sum(counts.values())) if sum(counts.values()) else "–"  # noqa: E731
    names = {"copied": "= copied", "true": "✓ true", "false": "× false", "nothing": "∅ nothing"}
    rows = [(name, cell(recorded, v), cell(now, v)) for v, name in names.items()]
    live = f"live, at {again.heat:.1f}" if again.job else "live"
    return table(("claims", f"recorded, at {nearest:.1f}", live), rows)


# ---- numbers ----


def judged(checkpoint: Checkpoint) -> list[tuple[Dreamt, int]]:
    """The recorded numbers, each with the pages that state the true one."""
    owners = catalogue(build_world())
    rows = recording(checkpoint).numbers
    return [(Dreamt(r["product"], r["written"], owners.get(r["written"], "")), r["pages"]) for r in rows]


def numbers_table(checkpoint: Checkpoint) -> str:
    """Dreamt numbers, the catalogue's own, and what chance gives."""
    dreamt = [card for card, _ in judged(checkpoint)]
    own = [Dreamt(name, number, name) for number, name in catalogue(build_world()).items()]
    asked = {
        "has the form": lambda c: c.has_form,
        "has the digit of the rule": lambda c: c.has_check_digit,
        "is in the catalogue": lambda c: bool(c.owner),
        "is the number of the product named": lambda c: c.is_real,
    }
    rows = [
        (name, measured(sum(map(ask, dreamt)), len(dreamt)), measured(sum(map(ask, own)), len(own)))
        for name, ask in asked.items()
    ]
    return table(("a number that …", "dreamt, temperature 1", "the catalogue itself"), rows)


def numbers_sentence(checkpoint: Checkpoint) -> str:
    """What the table says, and whose numbers are right, from its own numbers."""
    cards = judged(checkpoint)
    often = [card.is_real for card, pages in cards if pages >= OFTEN]
    rarely = [card.is_real for card, pages in cards if pages < 10]
    form, real = (sum(map(ask, (c for c, _ in cards))) for ask in (lambda c: c.has_form, lambda c: c.is_real))
    return (
        f"{percent(form / len(cards))} look like numbers of the shop, and {percent(real / len(cards))} are the number "
        f"of the product. Where that number stood on {OFTEN} pages or more, {measured(sum(often), len(often))} are "
        f"right; on fewer than ten, {measured(sum(rarely), len(rarely))}. Nobody guesses eight digits: what is right "
        "was read."
    )


# ---- knowledge is exposure ----


def readings(points: list[Exposure]) -> list[dict[str, Any]]:
    """The exam's groups as points of a curve: each stands at the middle of its pages, on a log axis."""
    rows = []
    for p in points:
        open_end = p.high > 10_000
        middle = 2 * p.low if open_end else (p.low * p.high) ** 0.5
        name = f"{p.low}+" if open_end else f"{p.low}" if p.low == p.high else f"{p.low}–{p.high}"
        rows.append({"readings": middle, "right": p.right, "n": p.n, "label": name})
    return rows


def exam_picture(checkpoint: Checkpoint, theme: str) -> mo.Html:
    """Accuracy of the fact exam against pages read."""

    def figure() -> Any:
        curve = exposure_curve(readings(recording(checkpoint).exam), theme=theme)
        curve.update_xaxes(title="training pages that state the fact (log axis)")
        return curve.update_traces(
            hovertemplate="stated on %{customdata[0]} pages<br>right: %{customdata[1]}<extra></extra>"
        )

    return framed(figure, CURVE)


def exam_table(checkpoint: Checkpoint) -> str:
    rows = [(r["label"], measured(r["right"], r["n"])) for r in readings(recording(checkpoint).exam)]
    return table(("pages that state the fact", "answered right"), rows)


def seen_often(points: list[Exposure], least: int = OFTEN) -> tuple[int, int]:
    """(right, asked) of the facts on at least so many pages."""
    here = [p for p in points if p.low >= least]
    return sum(p.right for p in here), sum(p.n for p in here)


def exam_sentence(checkpoint: Checkpoint) -> str:
    """What the curve says, from its own numbers."""
    points = recording(checkpoint).exam
    once, somebody = points[0], build_world().of_kind("person")[0].name
    return (
        f"Facts on {OFTEN} pages or more: {measured(*seen_often(points))} right. Facts on a single page: "
        f"{measured(once.right, once.n)}. The questions are beginnings that only one fact can end, such as “{somebody} "
        "lives in”; right is what the model would write next, at temperature 0."
    )


# ---- in the real thing ----


def real_table(checkpoint: Checkpoint) -> str:
    """This lesson's findings for models that people use."""
    found, cards = recording(checkpoint), judged(checkpoint)
    often, once = seen_often(found.exam), found.exam[0]
    invented = sum(not card.is_real for card, _ in cards)
    ours = (
        (
            f"ours, {size_of(checkpoint)}",
            f"facts on one page / on {OFTEN} and more",
            f"{percent(once.right / once.n)} / {percent(often[0] / often[1])}",
        ),
        (
            f"ours, {size_of(checkpoint)}",
            "catalogue numbers that are not the product’s",
            percent(invented / len(cards)),
        ),
    )
    return table(("model", "what was measured", "found"), (*ours, *REAL))


REAL = (
    ("BLOOM 176B (2022)", "trivia questions with 10 / 10,000 pages about them", "25% / above 55%"),
    ("GPT-3.5 / GPT-4 (2023)", "works cited in short reviews that do not exist", "55% / 18%"),
    ("GPT-J 6B (2021)", "of its training set, memorised word for word", "at least 1%"),
)
