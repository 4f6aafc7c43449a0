"""Lesson 04, measured: which facts would have saved which bits, and a page as an archive.

Everything is computed when the lesson is opened; only what needs the whole crawl is read from the recorded file
(report/pretraining.py).

Read next: pretraining_cost.py, the bill.
"""

from functools import lru_cache
from html import escape
from typing import ClassVar

import numpy as np

from llmlab.course.next_token import size_of
from llmlab.course.pretraining import BEST, MODEL, article, encyclopedia, pages
from llmlab.course.tables import Length, lengths, note, table
from llmlab.errors import LabError
from llmlab.measure.compress import Size, compare, pack, unpack
from llmlab.measure.surprise import (
    KINDS,
    Stated,
    articles,
    bits_by_kind,
    fact_bits,
    stated,
    text_bits,
    token_starts,
    tokens_of,
)
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.report.pretraining import recorded
from llmlab.show import TokenText
from llmlab.show.number_format import percent
from llmlab.train.pretrain import tokens_read
from llmlab.world import build_world

ARTICLES = 16  # held-out pages for the table of kinds
NEARLY = 0.1  # bits: a difference that 16 pages do not settle
LONGEST = 1500  # bytes that are packed while one waits

# ---- which facts would have saved which bits ----


@lru_cache(maxsize=8)
def facts_of(name: str) -> tuple[Stated, ...]:
    """The facts that one of `pages` states, with their places."""
    return tuple(stated(build_world(), pages()[name]))


@lru_cache(maxsize=1)
def readers() -> dict[str, Checkpoint]:
    """The same page is read before any reading, after the pocket run, and by the model that has read most."""
    pocket = zoo.load(MODEL)
    return {"untrained": zoo.newborn(pocket), MODEL: pocket, BEST: zoo.load(BEST)}


@lru_cache(maxsize=32)
def costs(name: str, reader: str) -> tuple[list[float], float]:
    """Bits of each fact's value on a page, and of the whole page, to one of `readers`."""
    return fact_bits(readers()[reader], article(pages()[name]), facts_of(name))


def coloured(name: str, reader: str) -> TokenText:
    """A page coloured by probability, with a line under each value of a fact."""
    one, text = readers()[reader], article(pages()[name])
    words = one.tokenizer
    ids = words.encode(text)
    bits, starts = text_bits(one, text), token_starts(words, ids)
    verdict, details = [""] * len(ids), [{} for _ in ids]
    for fact, cost in zip(facts_of(name), costs(name, reader)[0], strict=True):
        for place in tokens_of(text, starts, fact.start, fact.end):
            verdict[place] = "true"
            details[place] = {"a fact": fact.fact.attribute, "all its tokens": f"{cost:.1f} bits"}
    total = bits.sum()
    return TokenText(
        [words.decode([i]) for i in ids],
        probability=np.exp2(-bits),
        verdict=verdict,
        details=details,
        alt=f"The page to the {reader} model: {total:.0f} bits in all, {total / len(ids):.1f} a token.",
    )


def facts_table(name: str) -> str:
    """Each fact that the page states, and what saying it costs each reader."""
    world, found = build_world(), facts_of(name)
    columns = [costs(name, reader) for reader in readers()]
    rows = []
    for place, one in enumerate(found):
        about = f"{world.entities[one.fact.subject].name}: {one.fact.attribute}"
        said = pages()[name].text[one.start : one.end]
        rows.append((about, f"“{said}”", *(f"{each[place]:.1f}" for each, _ in columns)))
    sums = [(sum(each), whole - sum(each)) for each, whole in columns]
    rows.append(("all facts together", "", *(f"{facts:,.0f}" for facts, _ in sums)))
    rows.append(("everything else on the page", "", *(f"{rest:,.0f}" for _, rest in sums)))
    return table(("fact", "as the page says it", *(f"bits, {reader}" for reader in readers())), rows)


def dearest_fact(name: str) -> tuple[Stated, float]:
    """The fact that the model which has read most lacks most, and its bits."""
    each, _ = costs(name, BEST)
    place = int(np.argmax(each))
    return facts_of(name)[place], each[place]


def facts_sentence(name: str) -> str:
    """What the table says, from its own numbers."""
    one, bits = dearest_fact(name)
    (before, _), (after, whole) = costs(name, "untrained"), costs(name, BEST)
    said = pages()[name].text[one.start : one.end]
    return (
        f"Reading has brought the {len(after)} facts from {sum(before):.0f} bits to {sum(after):.0f} for the {BEST} "
        f"model: what is gone is in its weights now. The whole page still costs it {whole:.0f} bits, and facts are "
        f"{percent(sum(after) / whole)} of that. Knowing “{said}” would have saved the most: {bits:.1f} bits. A bit is "
        "saved each time that the truth becomes twice as likely to the model."
    )


@lru_cache(maxsize=2)
def kinds_of_tokens() -> tuple[dict[str, dict[str, float]], int]:
    """Mean bits a token by kind, for each kept moment of the run and for the model that has read most; n pages."""
    stops, world = zoo.on_the_way(MODEL), build_world()
    texts = articles(world, encyclopedia(), stops[0])[:ARTICLES]
    found = {
        f"{tokens_read(one):,} tokens" if one.provenance["step"] else "nothing": bits_by_kind(one, texts)
        for one in stops
    }
    return found | {f"{BEST} model": bits_by_kind(zoo.load(BEST), texts)}, len(texts)


def kinds_table() -> str:
    """Bits a token by kind of token and by how much was read, as lengths."""
    found, _ = kinds_of_tokens()
    most = max(max(bits.values()) for bits in found.values())
    rows = [
        (kind, [Length(f"{bits[kind]:.1f}", bits[kind] / most) for bits in found.values()]) for kind in KINDS
    ]
    return lengths(("bits a token, after reading", *found), rows)


def kinds_sentence() -> str:
    """What the table says, from its own numbers."""
    found, n = kinds_of_tokens()
    *_, pocket, best = found.values()
    order = sorted(KINDS, key=lambda kind: best[kind])
    behind = ", ".join(kind for kind in sorted(KINDS, key=lambda kind: -pocket[kind])[:2])
    end = (
        "With much more reading the facts are left behind alone"
        if order[-1] == "facts"
        else f"With much more reading the dearest are {order[-1]}"
    )
    return (
        f"Mean over {n} held-out articles of the encyclopedia. At the end of the pocket run two kinds are far behind "
        f"the others: {behind}. Other words are mostly the choice of a phrase, and phrases come back on thousands of "
        f"pages. {end}: {best['facts']:.2f} bits against {best['other words']:.2f}. A fact is on few pages. The last "
        "column is another model with another vocabulary, so compare its rows with each other."
    )


class Guess:
    """The bet of the lesson: which kind of token will cost most in the end?"""

    options: ClassVar = {
        "The rest of a word that has begun": "the rest of a word",
        "Commas, full stops and blanks": "marks and blanks",
        "Small words: the, of, in": "small words",
        "Names, dates and other facts": "facts",
    }

    def __init__(self) -> None:
        self.answer = ""

    def reply(self, first: str | None, last: str | None, commit: bool) -> str:
        """What there is to say once both are chosen and the button was pressed."""
        if self.answer or not commit:
            return self.answer or note("The measurement comes with your guess.")
        if not first or not last:
            return note("Choose both before you press the button.")
        found, n = kinds_of_tokens()
        best = found[f"{BEST} model"]
        order = sorted(self.options.values(), key=lambda kind: best[kind])
        as_good = best[self.options[first]] - best[order[0]] < NEARLY  # two kinds may be nearly the same
        right = as_good + (self.options[last] == order[-1])
        bits = "; ".join(f"{kind}: {best[kind]:.2f}" for kind in order)
        self.answer = note(
            f"<b>{right} of 2.</b> On {n} pages that no model has read, a token of each kind costs the model that has "
            f"read most so many bits: {bits}. Before any reading each cost about {found['nothing'][order[0]]:.0f}.",
            "said",
        )
        return self.answer


# ---- a page as an archive ----


@lru_cache(maxsize=64)
def archived(text: str, model: str) -> tuple[bytes, tuple[Size, ...]]:
    """A text packed by a model, unpacked again, and its size beside others'. LabError if other bytes come back."""
    data, one = text.encode("utf-8"), zoo.load(model)
    packed = pack(one, data)
    if unpack(one, packed) != data:
        raise LabError("Other bytes came back than went in. Please report this text.")
    return packed, tuple(compare(data, packed, zoo.n_bytes(model)))


def archive_picture(text: str, model: str) -> str:
    """The sizes as bars, then the packed file itself; LabError's sentence for a text that is too long or empty."""
    if not 0 < len(text.encode("utf-8")) <= LONGEST:
        return note(f"Give a text of 1 to {LONGEST:,} bytes.")
    packed, sizes = archived(text, model)
    full = sizes[0].n_bytes
    names = {
        "text": "the text",
        "model": f"{model} model",
        "model, itself counted": "with the model itself",
    }
    rows = [
        (
            names.get(size.name, size.name),
            [Length(f"{size.n_bytes:,} bytes, {size.bits_per_byte:,.2f} bits a byte", size.n_bytes / full)],
        )
        for size in sizes
    ]
    code = escape(packed.hex(" "))
    return (
        lengths(("written as", "bytes"), rows)
        + f'<p class="ll-caption">Unpacked again: the same {full:,} bytes. This is the packed file, all of it:</p>'
        + f'<div class="ll-small"><code style="overflow-wrap: anywhere">{code}</code></div>'
    )


def archive_sentence(text: str, model: str) -> str:
    """The factor, and from which length of text on the model itself would be paid for."""
    packed, sizes = archived(text, model)
    by_name = {size.name: size for size in sizes}
    rate, xz = by_name["model"].bits_per_byte, by_name["xz -9"].bits_per_byte
    even = (
        f"If more such text followed at these rates, the model would be paid for after "
        f"{8 * zoo.n_bytes(model) / (xz - rate) / 1e6:.1f} MB."
        if rate < xz
        else "On such a text the model is worse than xz, so it is never paid for."
    )
    return (
        f"{by_name['text'].n_bytes:,} bytes became {len(packed):,}, of which 20 are the file’s head. But who unpacks "
        f"needs the model, too: {zoo.n_bytes(model):,} bytes. {even}"
    )


def crawl_table() -> str:
    """All training text as one archive, recorded: the compressors, the model with its corrections, the model alone."""
    crawl = recorded().crawl
    rest = crawl.n_bytes * crawl.model_bits_per_byte / 8
    ways = {
        "gzip -9": crawl.gzip,
        "xz -9": crawl.xz,
        **({"zstd -19": crawl.zstd} if crawl.zstd else {}),
        f"{BEST} model with its corrections": crawl.model_bytes + rest,
        f"{BEST} model alone, lossy": crawl.model_bytes,
    }
    rows = [("the training text", [Length(f"{crawl.n_bytes / 1e6:.1f} MB", 1.0)])]
    rows += [
        (name, [Length(f"{n / 1e6:.1f} MB, a factor of {crawl.n_bytes / n:.1f}", n / crawl.n_bytes)])
        for name, n in ways.items()
    ]
    return lengths(("recorded", "size"), rows)


def crawl_sentence() -> str:
    """Who wins when all is counted, from the numbers of the table."""
    crawl = recorded().crawl
    whole = crawl.model_bytes + crawl.n_bytes * crawl.model_bits_per_byte / 8
    best = min(crawl.xz, crawl.zstd or crawl.xz)
    verdict = "smaller than the best of the others" if whole < best else "larger than the best of the others"
    return (
        f"Lossless, with the model counted, ours is {verdict}: {whole / 1e6:.1f} MB against {best / 1e6:.1f} MB. Only "
        f"who throws the corrections away and keeps the weights alone gets a factor of "
        f"{crawl.n_bytes / crawl.model_bytes:.1f}, and can no longer say which byte was which."
    )


def about() -> str:
    """Whose numbers the page shows."""
    return f"live, {MODEL} and {BEST} models, {size_of(zoo.load(MODEL))} and {size_of(zoo.load(BEST))}"
