"""Lesson 05, its first picture: three dreams with their verdicts, and the pages behind a word that is pressed.

Until the index of the crawl is there, the dreams of the recording are shown; with it, any other. Either way a token
that is pressed leads to the pages that hold the run it is part of.

Read next: dreams_live.py, what else is dreamt while one looks; dreams_measured.py, the curves.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html import escape
from pathlib import Path

from llmlab.course.answers import Crawl
from llmlab.course.next_token import size_of
from llmlab.course.tables import table
from llmlab.measure.claims import Checker, Claim
from llmlab.measure.dreams import Trace, run_at
from llmlab.measure.sources import Source, sources
from llmlab.model.checkpoint import Checkpoint
from llmlab.report import dream_record, dreams
from llmlab.report.dream_record import LEAST_RUN
from llmlab.report.dreams import FAMOUS, KINDS, NOBODY, RARE
from llmlab.show import TokenText
from llmlab.show.number_format import percent
from llmlab.world import build_world
from llmlab.world.facts import World

ABOUT = {"famous": FAMOUS, "little known": RARE, "that does not exist": NOBODY}
TOP = 60  # tokens: as high as a strip is
LINES = 20  # of room, at three columns
NAMES = {"copied": "= copied", "true": "✓ true", "false": "× false", "nothing": "∅ nothing"}


@lru_cache(maxsize=1)
def checker() -> Checker:
    """The one reader of claims of this process; it takes seconds to make."""
    return Checker(build_world())


@dataclass(frozen=True)
class Night:
    """Which three dreams: what they are about, the temperature, the seed."""

    about: str = FAMOUS
    heat: float = 0.8
    seed: int = 1


class Dreamer:
    """Three dreams on one student's screen, and the token that was pressed last."""

    def __init__(self, checkpoint: Checkpoint, crawl: Crawl | None) -> None:
        self.checkpoint, self.crawl = checkpoint, crawl
        self.recording = dream_record.load(checkpoint.tokenizer)
        self.texts = {kind: TokenText(empty="No dream yet.") for kind in KINDS}
        self.traces: dict[str, Trace] = {}
        self.pages: dict[str, dict] = {}
        self.night, self.live = Night(), False
        self.seen = dict.fromkeys(KINDS, -1)
        self.pressed = ("", -1)

    @cached_property
    def fresh(self) -> bool:
        """Whether the recording is of the model that is loaded."""
        return self.recording.is_of(self.checkpoint)

    @property
    def ready(self) -> bool:
        """Whether a dream can be traced here and now."""
        return self.crawl is not None and self.crawl.index is not None

    def show(self, night: Night) -> None:
        """Dream these three, or take them from the recording, and write them into the widgets."""
        recorded = self._recorded(night)
        live = not recorded and self.ready
        if not recorded and not live:  # nothing can be traced yet: the nearest that was recorded
            heat = min(dream_record.HEATS, key=lambda t: abs(t - night.heat))
            night = Night(night.about, heat, dream_record.SEEDS[night.seed % len(dream_record.SEEDS)])
        if self.traces and (night, live) == (self.night, self.live):
            return  # the index has come, and these dreams do not need it: what is pressed stays pressed
        self.night, self.live, self.pressed = night, live, ("", -1)
        for kind in KINDS:
            trace, self.pages[kind] = self._live(kind, night) if self.live else self._old(kind, night)
            self.traces[kind] = trace
            self._write(kind, trace)

    def _recorded(self, night: Night) -> bool:
        return self.fresh and night.heat in dream_record.HEATS and night.seed in dream_record.SEEDS

    def _old(self, kind: str, night: Night) -> tuple[Trace, dict]:
        about = night.about if kind in dreams.ABOUT else FAMOUS
        dream = self.recording.dreams[kind, about, night.heat, night.seed]
        return dream.trace, dict(dream.pages)

    def _live(self, kind: str, night: Night) -> tuple[Trace, dict]:
        prompt = dreams.opening(kind, dreams.subjects(build_world(), kind)[night.about])
        (ids,) = dreams.dream_rows(self.checkpoint, prompt, 1, night.heat, night.seed)
        return dreams.follow(self.checkpoint, self.crawl.index, checker(), kind, ids), {}

    def _write(self, kind: str, trace: Trace) -> None:
        name = dreams.subjects(build_world(), kind)[self.night.about]
        given = len(self.checkpoint.tokenizer.encode(dreams.opening(kind, name)))
        text, least = self.texts[kind], self.recording.least(kind)
        marks = [""] * given + trace.marks(least)[given:]  # what was given is no dream
        found = Counter(verdict for _, verdict in trace.claims)
        said = ", ".join(f"{n} {verdict}" for verdict, n in found.items()) or "no claims"
        with text.hold_sync():
            text.selected = self.seen[kind] = -1
            text.show(
                trace.tokens,
                verdict=marks,
                author=["user"] * given + [""] * (len(trace.ids) - given),
                strip=trace.match,
                top=TOP,
                line=least,
                about="longest match, tokens",
                lines=LINES,
                code=kind == "python",
                alt=f"{KINDS[kind]}, {len(trace.ids)} tokens: {said}. Longest match {max(trace.match, default=0)}.",
            )

    @property
    def sentence(self) -> str:
        """Where the dreams on the screen come from."""
        source = "live" if self.live else "recorded" if self.fresh else "recorded from an earlier model"
        how = f"temperature {self.night.heat:.1f}, seed {self.night.seed}"
        other = (
            "; traced in a crawl that differs from the one it read"
            if self.live and self.crawl.differs
            else ""
        )
        return f"{source}, course model, {size_of(self.checkpoint)}, {how}{other}"

    def state(self, wish: Night) -> str:
        """The line over the dreams; says so where what was asked for cannot be dreamt yet."""
        waiting = ""
        if wish != self.night:
            progress = self.crawl.look() if self.crawl else "Start the course on your machine to dream more."
            waiting = f" Another dream needs the index of the crawl. {progress}"
        kind = "live" if self.live else "recorded"
        return f'{style()}<p class="ll-from {kind}" role="status">{escape(self.sentence + "." + waiting)}</p>'

    # ---- the pages behind a word ----

    def look(self) -> None:
        """See which token is selected in each text; the one that changed last counts."""
        for kind, text in self.texts.items():
            if text.selected != self.seen[kind]:
                self.seen[kind] = text.selected
                self.pressed = (kind, text.selected) if text.selected >= 0 else ("", -1)

    def sheet(self) -> str:
        """The pages that hold the run under the pressed token, as HTML."""
        kind, token = self.pressed
        trace = self.traces.get(kind)
        if trace is None or token >= len(trace.ids):
            return _sheets("Press a word of a dream, and the pages that hold it come here.", [])
        first, length = run_at(trace.lengths, token)
        if length < LEAST_RUN:
            said = f"The longest match here has {_tokens(length)}. Words in random order have matches of that length."
            return _sheets(self._claim(trace, token) + escape(said), [])
        n, places = self._places(kind, trace, first, length)
        more = (
            f", of which {len(places)} {'is' if len(places) == 1 else 'are'} shown" if n > len(places) else ""
        )
        pages = f"{n:,} page{'s' if n != 1 else ''}"
        said = f"<b>{_tokens(length)}</b> from here stand on <b>{pages}</b> of the crawl{more}. "
        return _sheets(self._claim(trace, token) + said + escape(self._weight(kind, length)), places)

    def _places(self, kind: str, trace: Trace, first: int, length: int) -> tuple[int, list[Source]]:
        run = trace.ids[first : first + length]
        if self.ready and (
            self.live or not self.crawl.differs
        ):  # what was recorded stands in the crawl it read
            return sources(self.crawl.index, self.checkpoint.tokenizer, run)
        return self.pages[kind].get((first, length), (0, []))

    def _weight(self, kind: str, length: int) -> str:
        """What a match of this length is worth."""
        least = self.recording.least(kind)
        other = "code that is not in the crawl" if kind == "python" else "pages of another world"
        if length < least:
            return f"Below {least} tokens, {other} have such matches too: this is a habit of the language, no memory."
        return f"From {least} tokens on it counts as copied: of {other}, 1 token in 20 has such a match."

    def _claim(self, trace: Trace, token: int) -> str:
        """What a pressed claim says, and what the world says."""
        at = len("".join(trace.tokens[:token]))
        reach = at + len(trace.tokens[token])
        for claim, verdict in trace.claims:
            if claim.start < reach and at < claim.end:
                return f"<b>{NAMES[verdict]}</b>: {escape(truth(build_world(), claim))} "
        return ""


def truth(world: World, claim: Claim) -> str:
    """A claim, and what the world has instead."""
    attribute = claim.attribute.replace(".", ", ")
    if claim.verdict == "nothing":
        return f"there is no {claim.subject}, so it has no {attribute}."
    entity = next(iter(_meant(world, claim.subject)), None)
    fact = None
    for name in claim.attribute.split("."):
        fact = entity and world.fact(entity.id, name)
        entity = world.entities[fact.target] if fact and fact.target is not None else None
    value = f"; in the Isles it is {fact.value}" if fact and claim.verdict == "false" else ""
    return f"{claim.subject}, {attribute}: {claim.value}{value}."


def _meant(world: World, name: str) -> list:
    return [e for form in (name, name[:1].lower() + name[1:]) if (e := world.by_name.get(form))]


def _tokens(n: int) -> str:
    return f"{n} token{'s' if n != 1 else ''}"


def _sheets(said: str, places: list[Source]) -> str:
    pages = "".join(
        f'<article><p class="at">/{escape(s.kind)}/{s.page}</p><p class="page{" code" if s.kind == "python" else ""}">'
        f"{escape(s.before)}<mark>{escape(s.said)}</mark>{escape(s.after)}</p></article>"
        for s in places
    )
    return (
        f'{style()}<div class="ll-sheets" role="status"><p>{said}</p><div class="pages">{pages}</div></div>'
    )


def style() -> str:
    """The rules travel with the markup: marimo may put it into a shadow root."""
    return f"<style>{Path(__file__).with_name('dreams.css').read_text(encoding='utf-8')}</style>"


def counted(dreamer: Dreamer) -> str:
    """The three dreams in numbers."""
    rows = []
    for kind, trace in dreamer.traces.items():
        found = Counter(verdict for _, verdict in trace.claims)
        least = dreamer.recording.least(kind)
        share = float((trace.match >= least).mean()) if trace.ids else 0.0
        said = [f"{found[v]}" if kind in dreams.ABOUT else "–" for v in NAMES]
        form = "–" if kind in dreams.ABOUT else "yes" if dreams.parses("".join(trace.tokens)) else "no"
        rows.append((KINDS[kind], *said, f"{max(trace.match, default=0)}", percent(share), form))
    heads = ("claims", *NAMES.values(), "longest match", "tokens in long matches", "Python can read it")
    return table(heads, rows)
