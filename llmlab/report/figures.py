"""`llmlab figures`: every effect that a lesson or the README claims, measured now.

One row a figure: value, number of cases, a 95% interval where it is a share, the seed, and the goal that the
course set itself. docs/figures.md says in words what each row means.
"""

import lzma
import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from functools import cached_property

from llmlab.errors import LabError
from llmlab.generate.engine import generate, generate_many
from llmlab.generate.policy import Policy
from llmlab.measure import chance
from llmlab.measure.claims import PROSE, Checker, Pattern, patterns
from llmlab.measure.compress import pack, unpack
from llmlab.measure.dreams import Trace, shares, trace
from llmlab.measure.exam import Result, by_exposure, pages_per_fact, questions, sit
from llmlab.measure.index import Index, build_index
from llmlab.measure.numbers import Dreamt, catalogue, dream_numbers
from llmlab.measure.surprise import articles, bits_by_kind
from llmlab.model import zoo
from llmlab.pipeline import finish, tokens, world
from llmlab.report import dreams, exports, inside, poem, pretraining, prose, run_c
from llmlab.report.figure import Figure, share
from llmlab.report.next_token import WORD, of_the_next_token
from llmlab.report.rivals import rivals
from llmlab.report.tokens import of_the_tokens
from llmlab.train.evaluate import evaluate
from llmlab.world.corpus import CorpusFolder
from llmlab.world.crawl import Page
from llmlab.world.facts import World
from llmlab.world.genesis import build_world
from llmlab.world.grammar import load
from llmlab.world.kinds import KINDS
from llmlab.world.realtext import Document

PYTHON = ("python", "reference")
PROMPTS = 100  # for run.c
OPENING = 6  # tokens: enough to say what kind of page it is, too few to give much away


class Evidence:
    """What the figures are measured on: the corpus, the tokens, the model; each made once, when first asked for."""

    def __init__(
        self, model: str = "course", size: str = "course", quick: bool = False, seed: int = 0
    ) -> None:
        self.model_name, self.size, self.quick, self.seed = model, size, quick, seed

    @cached_property
    def corpus(self) -> CorpusFolder:
        return finish(world(self.size))

    @cached_property
    def documents(self) -> list[Page | Document]:
        """Everything that a model may read, or that is held out."""
        return list(self.corpus.documents())

    @cached_property
    def pages(self) -> list[Page]:
        """Those of the documents that are pages of the world."""
        return [document for document in self.documents if isinstance(document, Page)]

    @cached_property
    def world(self) -> World:
        return build_world(self.size)

    @cached_property
    def checkpoint(self):
        return zoo.load(self.model_name)

    @cached_property
    def tokens(self):
        config = self.checkpoint.config
        return finish(tokens(self.corpus, self.checkpoint.tokenizer, config.block_size))

    @cached_property
    def exam(self) -> list[Result]:
        asked = questions(self.world, pages_per_fact(self.pages), 60 if self.quick else 300, self.seed)
        return list(sit(self.checkpoint, asked))

    @cached_property
    def sources(self) -> tuple[Index, Checker]:
        """What a dream is held against: the training text, and the world."""
        return build_index(self.tokens.train), Checker(self.world)

    @cached_property
    def dreams(self) -> list[Trace]:
        """Pages dreamt from nothing at temperature 1, traced."""
        n = 40 if self.quick else 200
        rows = generate_many(self.checkpoint, "", n, Policy(), self.seed, max_tokens=400)
        return [trace(row, self.checkpoint.tokenizer, *self.sources) for row in rows]

    @cached_property
    def dreams_by_kind(self) -> dict[str, list[Trace]]:
        """Dreams that begin as held-out pages of each kind begin (their first tokens), traced with that beginning."""
        words, n = self.checkpoint.tokenizer, 5 if self.quick else 20
        found: dict[str, list[Trace]] = {}
        for kind in PROSE:
            openings = [p.text for p in self.pages if p.split == "valid" and p.kind == kind][:n]
            for i, text in enumerate(openings):
                start = words.encode(text)[:OPENING]
                steps = generate(
                    self.checkpoint, [words.bos, *start], Policy(), self.seed + i, max_tokens=250
                )
                dream = [*start, *(step.token for step in steps)]
                found.setdefault(kind, []).append(trace(dream, words, *self.sources))
        return found

    @cached_property
    def vocabulary(self) -> set[str]:
        """Every word of the training text."""
        texts = (d.text for d in self.documents if d.split == "train")
        return {word for text in texts for word in WORD.findall(text)}


def figures(evidence: Evidence) -> Iterator[Figure]:
    """Every row, as soon as it is measured."""
    yield from of_the_world(evidence)
    yield from of_the_base(evidence)
    yield from of_the_next_token(
        evidence.checkpoint,
        evidence.sources[0],
        evidence.tokens.valid,
        evidence.vocabulary,
        evidence.quick,
        evidence.seed,
    )
    yield from of_the_archive(evidence)
    yield from of_pretraining(evidence)
    yield from of_the_dreams(evidence)
    yield from of_matches(evidence)
    yield from of_temperatures(evidence)
    yield from of_numbers(evidence)
    yield from of_exposure(evidence)
    yield from of_the_engine_in_c(evidence)
    yield from of_the_exports(evidence)
    yield from of_the_poem(evidence)
    yield from of_the_inside(evidence)
    yield from of_the_tokens(evidence.checkpoint)


def of_the_inside(evidence: Evidence) -> Iterator[Figure]:
    """Lesson 06: the head that copies; who is whose mother, in both directions."""
    for id, value, n, low, high, goal in inside.of_the_heads(evidence.checkpoint, 40, evidence.seed):
        yield Figure(id, value, n, low, high, evidence.seed, goal)
    cured = zoo.load("cured")
    for id, right, n, goal in inside.of_the_reversal(evidence.checkpoint, cured, evidence.world):
        yield share(id, right, n, goal, evidence.seed)


def of_the_world(evidence: Evidence) -> Iterator[Figure]:
    alive = prose.measure(prose.sample(evidence.pages, every=7))
    row = lambda id, value, n, goal: Figure(id, value, n, None, None, evidence.corpus.seed, goal)  # noqa: E731
    yield row("world.gzip_ratio", alive.gzip, alive.n_bytes, "at most 3.5")
    yield row("world.xz_ratio", alive.xz, alive.n_bytes, "at most 8")
    yield row("world.distinct_8grams", alive.distinct_8grams, alive.n_bytes, "at least 0.88")
    yield row("world.sentence_forms", sum(len(load(k).forms()) for k in KINDS), len(KINDS), "at least 1,200")
    false, claims = false_statements(evidence, 4_000 if evidence.quick else 20_000)
    yield share("world.false_statements", false, claims, "0", evidence.corpus.seed)


def explicit(pattern: Pattern) -> bool:
    """A sentence that names whom it speaks about, so that reading it cannot go wrong over a "she"."""
    named = {slot.letter for slot in pattern.slots if not slot.path}
    return all(slot.letter in named for slot in pattern.slots)


def false_statements(evidence: Evidence, pages: int) -> tuple[int, int]:
    """(false, all) claims that an independent reading finds on true pages: sentences that name their subject."""
    checker = Checker(evidence.world, tuple(p for p in patterns() if explicit(p)))
    false = claims = 0
    for page in evidence.pages:
        if page.id >= pages:
            break
        if page.kind in PROSE:
            found = checker.claims(page.text)
            claims += len(found)
            false += sum(claim.verdict != "true" for claim in found)
    return false, claims


def of_the_base(evidence: Evidence) -> Iterator[Figure]:
    """Bits per byte of held-out text, each kind beside the compressors and the writer; then the fact exam."""
    bits = evaluate(evidence.checkpoint.model, evidence.tokens.valid)
    held_out = rivals(evidence.documents)
    seed = evidence.checkpoint.provenance.get("config", {}).get("seed", 0)
    groups = {"world": [k for k in bits if k in KINDS], "python": [k for k in bits if k in PYTHON]}
    groups |= {kind: [kind] for kind in sorted(groups["world"])}
    for name, kinds in groups.items():
        n_bytes = sum(held_out[k].n_bytes for k in kinds)
        mean = sum(bits[k] * held_out[k].n_bytes for k in kinds) / n_bytes
        goal = "below xz; " + ", ".join(
            f"{rival} {8 * sum(getattr(held_out[k], rival) for k in kinds) / n_bytes:.3f}"
            for rival in ("gzip", "xz", "writer")
            if all(getattr(held_out[k], rival) for k in kinds)
        )
        yield Figure(f"base.bits_per_byte.{name}", mean, n_bytes, None, None, seed, goal)
    for id, low, high, goal in (("seen50", 50, 10**9, "at least 0.90"), ("seen1", 1, 1, "reported")):
        here = [r.right for r in evidence.exam if low <= r.question.pages <= high]
        yield share(f"base.exam.{id}", sum(here), len(here), goal, evidence.seed)


def of_the_archive(evidence: Evidence) -> Iterator[Figure]:
    """Held-out pages as one file: packed with the model, unpacked, compared, and its bytes counted."""
    data = held_out_file(evidence, 4_000 if evidence.quick else 40_000)
    packed = pack(evidence.checkpoint, data)
    if unpack(evidence.checkpoint, packed) != data:
        raise RuntimeError("What was packed did not come back.")
    for id, archive in (("model", packed), ("xz", lzma.compress(data, preset=9))):
        goal = "below xz; the same bytes come back" if id == "model" else "reported"
        bits = 8 * len(archive) / len(data)
        yield Figure(f"compression.{id}_bits_per_byte", bits, len(data), None, None, evidence.seed, goal)


def of_pretraining(evidence: Evidence) -> Iterator[Figure]:
    """What facts on unread pages cost with more and more reading; and which kind of token costs most in the end."""
    pocket = zoo.load("pocket")
    texts = articles(evidence.world, evidence.pages, pocket)[: 20 if evidence.quick else None]
    row = lambda id, value, n, goal: Figure(f"pretraining.{id}", value, n, None, None, evidence.seed, goal)  # noqa: E731
    reading = {"untrained": zoo.newborn(pocket), "pocket": pocket, "course": evidence.checkpoint}
    for name, checkpoint in reading.items():
        bits, n = pretraining.mean_fact_bits(checkpoint, texts)
        yield row(f"fact_bits.{name}", bits, n, "untrained above pocket above course")
    found = pretraining.recorded()
    marks = {**asdict(found.levels), "writer": found.writer}
    n = marks.pop("n")
    for name, nats in marks.items():  # of the loss chart, in nats a token of `pocket`
        yield row(f"mark.{name}", nats, n, "recorded; uniform above unigram above bigram above writer")
    archives = {name: getattr(found.crawl, name) for name in ("gzip", "xz", "zstd")}
    for name, n_bytes in archives.items():
        if n_bytes:
            yield row(
                f"crawl_factor.{name}",
                found.crawl.n_bytes / n_bytes,
                found.crawl.n_bytes,
                "recorded; reported",
            )
    for kind, bits in bits_by_kind(evidence.checkpoint, texts).items():
        yield row(f"token_bits.{kind.replace(' ', '_')}", bits, len(texts), "facts above all others")


def held_out_file(evidence: Evidence, n_bytes: int) -> bytes:
    """Held-out pages of the world in random order, an empty line between them, until there are `n_bytes`."""
    return "\n\n".join(held_out_pages(evidence)).encode("utf-8")[:n_bytes]


def held_out_pages(evidence: Evidence) -> list[str]:
    """The text of each held-out page of the world, in an order that the seed decides."""
    pages = [d.text for d in evidence.documents if d.split == "valid" and d.kind in KINDS]
    random.Random(evidence.seed).shuffle(pages)
    return pages


def of_the_dreams(evidence: Evidence) -> Iterator[Figure]:
    counts = shares(evidence.dreams)
    for verdict, count in counts.items():
        yield share(f"dreams.{verdict}", count, sum(counts.values()), "reported", evidence.seed)
    words = [word for dream in evidence.dreams for word in WORD.findall("".join(dream.tokens))]
    strange = sum(word not in evidence.vocabulary for word in words)
    yield share("dreams.strange_words", strange, len(words), "reported", evidence.seed)
    for kind, traces in evidence.dreams_by_kind.items():
        counts = shares(traces)
        right, claims = counts["copied"] + counts["true"], sum(counts.values())
        if claims:  # a poem may state nothing
            yield share(f"dreams.right.{kind}", right, claims, "reported", evidence.seed)


def of_matches(evidence: Evidence) -> Iterator[Figure]:
    """How long the matches of texts are that nobody can have copied, and from which length on we say "copied"."""
    n_tokens = 2_000 if evidence.quick else dreams.CHANCE_TOKENS
    for kind in dreams.KINDS:
        found = dreams.by_chance(
            evidence.checkpoint, evidence.sources[0], evidence.tokens.valid, kind, evidence.size, n_tokens
        )
        n = int(found["another world"].sum())
        least = chance.threshold(found["another world"])
        yield Figure(f"dreams.copied_from.{kind}", least, n, None, None, evidence.seed, "tokens; reported")
        chance_words = chance.threshold(found["shuffled"])
        yield Figure(
            f"dreams.chance_words.{kind}", chance_words, n, None, None, evidence.seed, "tokens; reported"
        )


def of_temperatures(evidence: Evidence) -> Iterator[Figure]:
    """The verdicts on claims in listings and articles at each temperature, and the code that Python can read."""
    each = 2 if evidence.quick else dreams.EACH
    for heat in dreams.TEMPERATURES:
        counts: Counter[str] = Counter()
        for kind in dreams.ABOUT:
            steps = dreams.tallies(evidence.checkpoint, *evidence.sources, kind, heat, each, evidence.seed)
            counts += dreams.last(steps).verdicts
        right = counts["copied"] + counts["true"]
        yield share(f"dreams.right_at.{heat}", right, counts.total(), "reported", evidence.seed)
        for verdict in ("copied", "true", "false", "nothing"):
            yield share(
                f"dreams.{verdict}_at.{heat}", counts[verdict], counts.total(), "reported", evidence.seed
            )
        code = dreams.last(
            dreams.tallies(evidence.checkpoint, *evidence.sources, "python", heat, each, evidence.seed)
        )
        yield share(f"dreams.parses_at.{heat}", code.parsed, code.dreams, "reported", evidence.seed)


def of_numbers(evidence: Evidence) -> Iterator[Figure]:
    """Catalogue numbers dreamt at temperature 1, one a product: what they look like, and what they are."""
    products = evidence.world.of_kind("product")[:: 8 if evidence.quick else 1]
    found = list(dream_numbers(evidence.checkpoint, evidence.world, products, Policy(), evidence.seed))
    own = [Dreamt(name, number, name) for number, name in catalogue(evidence.world).items()]
    rows = {
        "isbn_valid_and_real": [one.has_form and one.is_real for one in found],
        "isbn_form": [one.has_form for one in found],
        "isbn_check_digit": [one.has_check_digit for one in found],
        "isbn_in_catalogue": [bool(one.owner) for one in found],
        "isbn_check_digit.catalogue": [one.has_check_digit for one in own],
    }
    for id, said in rows.items():
        yield share(f"dreams.{id}", sum(said), len(said), "reported", evidence.seed)


def of_exposure(evidence: Evidence) -> Iterator[Figure]:
    """The fact exam for facts on 50 pages or more, then for each degree of exposure."""
    points = by_exposure(evidence.exam)
    often = [p for p in points if p.low >= 50]
    yield share(
        "exam.exposure_50",
        sum(p.right for p in often),
        sum(p.n for p in often),
        "at least 0.90",
        evidence.seed,
    )
    for p in points:
        yield share(f"exam.exposure.{p.low}", p.right, p.n, "reported", evidence.seed)


def of_the_engine_in_c(evidence: Evidence) -> Iterator[Figure]:
    """Greedy text of run.c beside torch's, after the first words of held-out pages. No rows without a C compiler."""
    prompts = [run_c.first_words(text) for text in held_out_pages(evidence)[:PROMPTS]]
    try:
        with run_c.engine(evidence.checkpoint) as command:
            yield from beside_torch(evidence, "run_c.", command, prompts)
            yield from beside_torch(evidence, "run_c.int8.", [*command, "--int8"], prompts)
    except LabError as error:
        run_c.leave_out("run_c.*", error)


def beside_torch(evidence: Evidence, row: str, command: list[str], prompts: list[str]) -> Iterator[Figure]:
    """Texts that are the same from end to end, and the scores after every token of run.c's texts."""
    made, seed = evidence.checkpoint, evidence.seed
    texts = [run_c.greedy(command, prompt) for prompt in prompts]
    same = sum(run_c.continues_as_torch(made, p, ids) for p, (ids, _) in zip(prompts, texts, strict=True))
    found = [run_c.from_torch(made, ids, scores) for ids, scores in texts]
    places, likeliest = sum(d.places for d in found), sum(d.same_choice for d in found)
    rms = math.sqrt(sum(d.mean_square * d.places for d in found) / places)
    exact = "int8" not in row
    yield share(f"{row}same_tokens", same, len(texts), "1" if exact else "reported", seed)
    yield share(f"{row}same_choice", likeliest, places, "1" if exact else "reported", seed)
    goal = "at most 0.001" if exact else "reported"
    yield Figure(f"{row}logits.largest", max(d.largest for d in found), places, None, None, seed, goal)
    yield Figure(f"{row}logits.rms", rms, places, None, None, seed, "reported")


def of_the_exports(evidence: Evidence) -> Iterator[Figure]:
    """Greedy text of other people's programs on our exported files beside torch's. No row without their packages."""
    prompts = [run_c.first_words(text) for text in held_out_pages(evidence)[:PROMPTS]]
    for to, reader in exports.READERS.items():
        id = f"export.{to}_same_text"
        try:
            same = exports.same_texts(to, reader, evidence.checkpoint, prompts)
        except LabError as error:
            run_c.leave_out(id, error)
            continue
        yield share(id, same, len(prompts), "1", evidence.seed)


def of_the_poem(evidence: Evidence) -> Iterator[Figure]:
    """Poems of run.c about a company, in their outer form. No row without a C compiler."""
    id, n = "run_c.poem", 20 if evidence.quick else 100
    try:
        with run_c.engine(evidence.checkpoint) as command:
            found = list(poem.poems(command, poem.title(evidence.world), range(1, n + 1)))
    except LabError as error:
        run_c.leave_out(id, error)
        return
    yield share(id, sum(found), n, "reported", 1)
