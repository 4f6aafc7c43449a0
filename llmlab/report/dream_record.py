"""The recording of lesson 05: dreams with their sources, and all that it measures, in one file of assets/.

`llmlab record dreams` makes it, in two to three minutes once the crawl and its index are there. The lesson shows it,
and says so, until the student's own machine has an index; a model that was trained again wants a new one.

Read next: course/dreams.py, which shows it.
"""

import json
from dataclasses import asdict, astuple, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from llmlab.errors import LabError
from llmlab.generate.policy import Policy
from llmlab.measure import chance
from llmlab.measure.claims import Claim
from llmlab.measure.dreams import Trace, covering, run_at
from llmlab.measure.exam import Exposure, by_exposure, pages_per_fact
from llmlab.measure.numbers import dream_numbers
from llmlab.measure.sources import Source, sources
from llmlab.model.checkpoint import Checkpoint, fingerprint
from llmlab.paths import assets, atomic_write
from llmlab.pipeline import Progress, Stage
from llmlab.report import dreams
from llmlab.report.figures import Evidence
from llmlab.text.tokenizer import Tokenizer

FILE = "recorded/dreams.json"
SEEDS, HEATS = (1, 2, 3), (0.5, 0.8, 1.1)  # of the recorded dreams
LEAST_RUN = 4  # tokens: shorter matches are what shuffled words have
AROUND = 25  # tokens beside a match in the recording
HALF_KNOWN = 75  # pages
RIDDLE = "encyclopedia"  # the kind of page that the riddle is about
Key = tuple[str, str, float, int]  # kind, whom it is about, temperature, seed


@dataclass(frozen=True)
class Dream:
    """A recorded dream: its trace, and for each run of at least LEAST_RUN tokens its pages, by (first, length)."""

    trace: Trace
    pages: dict[tuple[int, int], tuple[int, list[Source]]]


@dataclass(frozen=True)
class Recording:
    """All that was recorded of one model. `chance`: {kind: {text: tokens by length of their longest match}}."""

    model: str  # fingerprint
    chance: dict[str, dict[str, np.ndarray]]
    dreams: dict[Key, Dream]
    riddle: dict[str, Dream]  # articles about other animals, by how famous these are
    tallies: list[dict[str, Any]]
    numbers: list[dict[str, Any]]
    exam: list[Exposure]
    mothers: list[tuple[int, int]]  # (fact, pages that state it), most read first
    about: dict[str, dict[str, int]]  # {kind: {name: pages about it}}

    def least(self, kind: str) -> int:
        """How many tokens a match must have to count as copied, in pages of this kind."""
        return chance.threshold(self.chance[kind]["another world"])

    def is_of(self, checkpoint: Checkpoint) -> bool:
        return self.model == name_of(checkpoint)


def name_of(checkpoint: Checkpoint) -> str:
    return fingerprint(checkpoint).hex()[:16]


# ---- making it ----


def record(evidence: Evidence) -> Stage[Path]:
    """Measure everything and write the file, whole or not at all."""
    made: dict[str, Any] = {"model": name_of(evidence.checkpoint)}
    for name, part in (
        ("chance", of_chance),
        ("dreams", of_dreams),
        ("riddle", of_riddle),
        ("tallies", of_tallies),
        ("numbers", of_numbers),
        ("exam", of_exam),
    ):
        made[name] = yield from part(evidence)
    made["mothers"] = mothers(evidence)
    made["about"] = pages_about(evidence)
    path = assets() / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, lines(made).encode("utf-8"))
    return path


def lines(made: dict[str, Any]) -> str:
    """JSON with one record a line, so that a new recording can be compared with the old one."""
    dump = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))  # noqa: E731
    parts = []
    for name, value in made.items():
        listed = isinstance(value, list) and value and isinstance(value[0], dict | list)
        inside = "[\n" + ",\n".join(map(dump, value)) + "\n]" if listed else dump(value)
        parts.append(f'"{name}": {inside}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def of_chance(evidence: Evidence) -> Stage[dict[str, dict[str, list[int]]]]:
    index, found = evidence.sources[0], {}
    for done, kind in enumerate(dreams.KINDS):
        yield Progress("chance", done, len(dreams.KINDS))
        texts = dreams.by_chance(
            evidence.checkpoint, index, evidence.tokens.valid, kind, evidence.size, dreams.CHANCE_TOKENS
        )
        found[kind] = {name: counts.tolist() for name, counts in texts.items()}
    return found


def of_dreams(evidence: Evidence) -> Stage[list[dict[str, Any]]]:
    """Three kinds, three subjects, three temperatures, three seeds; code has no subject."""
    rows = []
    for done, kind in enumerate(dreams.KINDS):
        for about, name in dreams.subjects(evidence.world, kind).items():
            if kind not in dreams.ABOUT and about != dreams.FAMOUS:
                continue
            for heat in HEATS:
                yield Progress("dreams", done, len(dreams.KINDS))
                for seed in SEEDS:
                    key = kind, about, heat, seed
                    rows.append(dict(zip(("kind", "about", "heat", "seed"), key, strict=True)))
                    rows[-1] |= one_dream(evidence, kind, name, heat, seed)
    return rows


def of_riddle(evidence: Evidence) -> Stage[list[dict[str, Any]]]:
    """Articles about animals that the dreams above do not give away."""
    yield Progress("riddle", 0, 1)
    names = dreams.subjects(evidence.world, RIDDLE, place=1)
    return [
        {"about": about} | one_dream(evidence, RIDDLE, name, HEATS[len(HEATS) // 2], SEEDS[0])
        for about, name in names.items()
    ]


def one_dream(evidence: Evidence, kind: str, name: str, heat: float, seed: int) -> dict[str, Any]:
    """One dream as plain data."""
    words, (index, checker) = evidence.checkpoint.tokenizer, evidence.sources
    (ids,) = dreams.dream_rows(evidence.checkpoint, dreams.opening(kind, name), 1, heat, seed)
    traced = dreams.follow(evidence.checkpoint, index, checker, kind, ids)
    runs = {run_at(traced.lengths, token) for token in range(len(traced.ids))}
    pages = []
    for first, length in sorted(run for run in runs if run[1] >= LEAST_RUN):
        n, places = sources(index, words, traced.ids[first : first + length], 1, AROUND)
        pages.append([first, length, n, *(v for k, v in asdict(places[0]).items() if k != "said")])
    return {
        "ids": traced.ids,
        "lengths": traced.lengths.tolist(),
        "verdicts": ",".join(traced.verdicts),
        "claims": [[*astuple(claim), verdict] for claim, verdict in traced.claims],
        "pages": pages,
    }


def of_tallies(evidence: Evidence) -> Stage[list[dict[str, Any]]]:
    """Every kind at every temperature."""
    rows: list[dict[str, Any]] = []
    index, checker = evidence.sources
    for heat in dreams.TEMPERATURES:
        for kind in dreams.KINDS:
            yield Progress("temperatures", len(rows), len(dreams.KINDS) * len(dreams.TEMPERATURES))
            tally = dreams.last(dreams.tallies(evidence.checkpoint, index, checker, kind, heat, dreams.EACH))
            rows.append(
                {"kind": kind, "heat": heat, "dreams": tally.dreams, "verdicts": dict(tally.verdicts)}
            )
            rows[-1] |= {"matches": tally.matches.tolist(), "parsed": tally.parsed}
    return rows


def of_numbers(evidence: Evidence) -> Stage[list[dict[str, Any]]]:
    """A number for every product at temperature 1, and on how many pages its own number stands."""
    world, counts, rows = evidence.world, pages_per_fact(evidence.pages), []
    products = world.of_kind("product")
    for done, one in enumerate(dream_numbers(evidence.checkpoint, world, products, Policy(), evidence.seed)):
        if done % 50 == 0:
            yield Progress("numbers", done, len(products))
        fact = world.fact(products[done].id, "number")
        rows.append({"product": one.product, "written": one.written, "pages": counts[fact.id]})
    return rows


def of_exam(evidence: Evidence) -> Stage[list[dict[str, Any]]]:
    yield Progress("exam", 0, 1)
    return [asdict(point) for point in by_exposure(evidence.exam)]


def mothers(evidence: Evidence) -> list[list[int]]:
    """Three people whose mother is stated on very many pages, on about HALF_KNOWN, and on one."""
    counts = pages_per_fact(evidence.pages)
    read = [(counts[f.id], f.id) for f in evidence.world.facts if f.attribute == "mother" and counts[f.id]]
    half = min(read, key=lambda pair: (abs(pair[0] - HALF_KNOWN), pair[1]))
    return [[fact, pages] for pages, fact in (max(read), half, min(read))]


def pages_about(evidence: Evidence) -> dict[str, dict[str, int]]:
    """On how many training pages each subject of a dream is what the page is about."""
    found: dict[str, dict[str, int]] = {}
    for kind in dreams.ABOUT:
        names = [*dreams.subjects(evidence.world, kind).values()]
        names += dreams.subjects(evidence.world, kind, place=1).values()
        for name in names:
            entity = evidence.world.by_name.get(name)
            n = sum(
                p.split == "train" and entity is not None and p.subject == entity.id for p in evidence.pages
            )
            found.setdefault(kind, {})[name] = n
    return found


# ---- reading it ----


def load(tokenizer: Tokenizer) -> Recording:
    """The recording that came with the course, read anew when the file has changed. LabError if it is not there."""
    path = assets() / FILE
    if not path.is_file():
        raise LabError("There is no recording of dreams. Make one: llmlab record dreams")
    return _load(path, path.stat().st_mtime_ns, tokenizer)


@lru_cache(maxsize=2)
def _load(path: Path, changed: int, tokenizer: Tokenizer) -> Recording:
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        return Recording(
            made["model"],
            {k: {t: np.array(c) for t, c in texts.items()} for k, texts in made["chance"].items()},
            {(r["kind"], r["about"], r["heat"], r["seed"]): _dream(r, tokenizer) for r in made["dreams"]},
            {r["about"]: _dream(r, tokenizer) for r in made["riddle"]},
            made["tallies"],
            made["numbers"],
            [Exposure(**point) for point in made["exam"]],
            [(fact, pages) for fact, pages in made["mothers"]],
            made["about"],
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise LabError(
            f"{path} is no whole recording ({error}). Make it again: llmlab record dreams"
        ) from None


def _dream(row: dict[str, Any], words: Tokenizer) -> Dream:
    ids, lengths = row["ids"], np.array(row["lengths"], np.int32)
    texts = [words.token_bytes(token).decode("utf-8", errors="replace") for token in ids]
    claims = [(Claim(*claim), verdict) for *claim, verdict in row["claims"]]
    traced = Trace(ids, texts, lengths, covering(lengths), row["verdicts"].split(","), claims)
    pages = {}
    for first, length, n, kind, page, before, after in row["pages"]:
        said = words.decode(ids[first : first + length])
        pages[first, length] = (n, [Source(kind, page, before, said, after)])
    return Dream(traced, pages)
