"""Lesson 01, what stands behind its cells: the two files, what is in them, and whether they are enough.

Everything is read from the files themselves: sizes, lines, the C that is shown.

Read next: two_files_map.py, what is in model.bin; two_files_measured.py, what is run and timed; speaking.py, the
program behind the picture at the top.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from llmlab.course.next_token import size_of
from llmlab.course.page_engine import engine_for
from llmlab.course.speaking import Speaker, Text, model_file, written
from llmlab.course.tables import note, table
from llmlab.errors import LabError
from llmlab.model import flat, native, zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.report import poem
from llmlab.show import Speaking
from llmlab.world import build_world

TALK_BYTES = 140 * 10**9  # Llama 2 70B, two bytes for each of its parameters
TALK_LINES = 500  # "about 500 lines of C", with no other dependencies
LENGTH = 200  # tokens of a text at the top
TRIES = 20  # seeds among which a poem is looked for


class Preset(NamedTuple):
    """A text for the program, and what to look at."""

    prompt: str
    temperature: float
    seed: int
    look: str
    text: str


# ---- a poem about a company ----


def company() -> str:
    """The company that the world speaks of most."""
    return build_world().of_kind("company")[0].name


def company_founder() -> str:
    world = build_world()
    return world.fact(world.of_kind("company")[0].id, "founder").value


@lru_cache(maxsize=4)
def poems(model: str) -> tuple[bool, ...]:
    """Of the seeds from 1 on: whether run.c wrote a poem under the title. LabError where it cannot run."""
    command = [str(native.build()), str(model_file(zoo.load(model)))]
    return tuple(poem.poems(command, poem.title(build_world()), range(1, TRIES + 1)))


@lru_cache(maxsize=4)
def opening(model: str) -> tuple[int, dict[str, Any]]:
    """What the page shows before anybody has pressed: the first seed that gives a poem, and what run.c wrote with it.

    Where none does it is the last seed that was tried; without a compiler, a sentence in place of the text.
    """
    checkpoint, title = zoo.load(model), poem.title(build_world())
    for seed in range(1, TRIES + 1):
        text = Text(
            checkpoint, {"text": title, "seed": seed, "temperature": poem.TEMPERATURE, "tokens": LENGTH}
        )
        text.run()
        if text.state == "failed" or poem.is_poem("".join(text.pieces)):
            break
    return seed, text.report(0)


def poem_sentence(model: str) -> str:
    """How often there is a poem, counted; and that the seed was chosen."""
    try:
        found = poems(model)
    except LabError as problem:
        return note(str(problem))
    return note(
        f"Under this title, seeds 1 to {TRIES} gave three lines of words <b>{sum(found)} times</b>; the text above "
        "began with the first of them. The company stands in the title only: the poems that our model has read name "
        "nobody.",
        "said",
    )


def presets(model: str) -> dict[str, Preset]:
    """Three texts to begin with."""
    name = company()
    return {
        f"A poem for {name}": Preset(
            poem.title(build_world()),
            poem.TEMPERATURE,
            opening(model)[0],
            "Look at the speed.",
            "A program of a few hundred lines of C has opened one file and writes. The number below the text is "
            "its own doing: no server, no internet. Write brings the same text again, Next seed another.",
        ),
        "A shop of the Isles": Preset(
            "For sale: one lamp,",
            0.8,
            1,
            "Look for facts.",
            "Names, prices, places: whatever the text says of the Isles comes out of model.bin, for there is nothing "
            "else to take it from. Whether it is true is lesson 05.",
        ),
        "Python code": Preset(
            "def main(",
            0.8,
            1,
            "Look at the line ends.",
            "The same two files write Python, because the model has read some. Nothing is switched over.",
        ),
    }


def touch(model: str) -> Speaking:
    """The program at work, for one student."""
    checkpoint, (seed, first) = zoo.load(model), opening(model)
    return Speaking(
        Speaker(checkpoint),
        engine=engine_for(checkpoint),
        call="./run model.bin",
        prompt=poem.title(build_world()),
        temperature=poem.TEMPERATURE,
        seed=seed,
        tokens=LENGTH,
        first=first,
        source=f"course model, {size_of(checkpoint)}",
    )


# ---- the two files on a desk ----


class Source(NamedTuple):
    """A C file: its lines, those that are neither empty nor comment alone, its bytes, its first words."""

    name: str
    lines: int
    code: int
    n_bytes: int
    about: str


COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def sources() -> list[Source]:
    """run.c and what it includes, as they are now."""
    found = []
    for path in native.SOURCES:
        text = path.read_text(encoding="utf-8")
        bare = COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
        code = sum(bool(line.strip()) for line in bare.splitlines())
        comment = text[3 : text.index("*/")]
        about = re.split(r"[:.]\s", comment)[0].strip()
        found.append(Source(path.name, len(text.splitlines()), code, len(text.encode()), about))
    return found


def desk(checkpoint: Checkpoint) -> str:
    """Two squares whose areas are bytes: the talk's file with ours in its corner, then ours with run.c in its."""
    model, program = model_file(checkpoint).stat().st_size, sum(source.n_bytes for source in sources())
    style = Path(__file__).with_name("two_files.css").read_text(encoding="utf-8")
    first = (
        "Llama 2 70B, the talk’s file",
        TALK_BYTES,
        f"<b>140 GB.</b> The dot in the ring is our model.bin at the same scale: {megabytes(model)}, "
        f"{round(TALK_BYTES / model, -2):,.0f} times less.",
    )
    second = (
        "Our model.bin, enlarged",
        model,
        f"<b>{megabytes(model)}.</b> The small square is the program, run.c with what it includes: "
        f"{program / 1e3:.0f} KB, {model / program:,.0f} times less.",
    )
    inside = ((model, "dot"), (program, "leaf"))
    squares = "".join(
        f'<figure><div class="square" role="img" aria-label="{escape(name)}: a square; in its corner one with '
        f'{100 * part / whole:.3g}% of its area.">'
        f'<i class="{kind}" style="width: {100 * (part / whole) ** 0.5:.3f}%"></i>'
        f"</div><figcaption><strong>{escape(name)}</strong><br>{words}</figcaption></figure>"
        for (name, whole, words), (part, kind) in zip((first, second), inside, strict=True)
    )
    return f'<style>{style}</style><div class="ll-desk">{squares}</div>'


def megabytes(n: int) -> str:
    return f"{n / 1e6:.1f} MB"


def lines_table() -> str:
    """The C that is compiled: its files and their lines, beside the talk's 500."""
    found = sources()
    rows = [(s.name, f"{s.lines:,}", f"{s.code:,}", f"{s.n_bytes / 1e3:.1f} KB", s.about) for s in found]
    rows.append(
        (
            "all of it",
            f"{sum(s.lines for s in found):,}",
            f"{sum(s.code for s in found):,}",
            f"{sum(s.n_bytes for s in found) / 1e3:.1f} KB",
            f"the talk’s: about {TALK_LINES} lines",
        )
    )
    return table(("file", "lines", "of them code", "bytes", "what it does"), rows)


# ---- what the files do not hold, and what the C says ----


def search_sentence(checkpoint: Checkpoint) -> str:
    """Whether a company's name stands in the two files, looked for now; and what run.c knows about it all the same."""
    name, founder = company(), company_founder()
    files = {"model.bin": model_file(checkpoint).read_bytes()}
    files["the C"] = b"".join(path.read_bytes() for path in native.SOURCES)
    where = " and in ".join(place for place, content in files.items() if name.encode() in content)
    question = f"The founder of {name} is"
    try:
        said = written(checkpoint, question, seed=0, temperature=0, tokens=8)
    except LabError as problem:
        return note(str(problem))
    return note(
        f"We have just searched both files for “{escape(name)}”, letter by letter: it stands <b>"
        f"{f'in {where}' if where else 'in neither'}</b>. Yet after “{escape(question)}” the program writes "
        f"“{escape(said.strip())} …”; the truth is {escape(founder)}. No page is stored as a page: what the model "
        "knows is spread over the numbers.",
        "said",
    )


def c_function(name: str) -> str:
    """One function of the C files, with the comment above it, as it is compiled."""
    pattern = re.compile(
        rf"(?:^/\*(?:(?!\*/).)*\*/\n)?^[a-z][^;{{}}()\n]*\b{name}\([^;{{]*\n\{{\n.*?^\}}\n", re.M | re.S
    )
    for path in native.SOURCES:
        if found := pattern.search(path.read_text(encoding="utf-8")):
            return found[0].rstrip()
    raise KeyError(name)


class Bet:
    """How much of model.bin is read for one token? The answer is measured on two models."""

    OPTIONS = (
        "only the bytes of the words in the text",
        "about a tenth of the file",
        "about half of the file",
        "all of the weights",
    )

    def __init__(self) -> None:
        self.answer = ""

    def reply(self, guess: str | None, commit: bool, speeds: Mapping[str, tuple[int, float]] | None) -> str:
        """What there is to say once the student has committed. speeds: name → bytes of weights, tokens/s."""
        if self.answer or not commit:
            return self.answer or note("The answer comes with your guess.")
        if guess is None:
            return note("Choose one of the four before you press the button.")
        right = "<b>Right: all of them.</b>" if guess == self.OPTIONS[-1] else "<b>All of the weights.</b>"
        why = (
            "A token is made by multiplying with every matrix in the file, one after another; nothing is looked up, "
            "and there is no index where a fact could be found quickly."
        )
        proof = ""
        if speeds:
            small, large = "pocket", "course"
            (n, a), (m, b) = speeds[small], speeds[large]
            proof = (
                f" If that is so, a smaller file must be faster. Measured just now: the {small} model, with "
                f"{m / n:.1f} times fewer bytes of weights than {large}, writes {a:,.0f} tokens/s; {large} writes "
                f"{b:,.0f}, {a / b:.1f} times fewer."
            )
        self.answer = note(f"{right} {why}{proof}", "said")
        return self.answer


# ---- the student's own, and the real thing ----


def own(trained: Speaker) -> Speaking:
    """The program with the student's model.bin; `trained.checkpoint` is put there when there is one."""
    return Speaking(
        trained,
        call="./run my_model.bin",
        prompt=poem.title(build_world()),
        temperature=poem.TEMPERATURE,
        source="your model",
    )


def own_table(shipped: Checkpoint, learned: Checkpoint | None, step: int) -> str:
    """The student's file beside the shipped one."""
    rows = []
    for name, one in ((f"yours, after {step:,} steps", learned), ("shipped", shipped)):
        size = f"{len(flat.pack(one)):,}" if one else "–"
        weights = f"{one.model.n_params():,}" if one else "–"
        words = f"{one.config.vocab_size:,}" if one else "–"
        rows.append((name if one else "yours", weights, words, size))
    return table(("model.bin", "weights", "tokens", "bytes"), rows)


def real_table(checkpoint: Checkpoint) -> str:
    """This lesson's numbers for models and programs that people use."""
    ours = (
        "ours, run.c",
        size_of(checkpoint).removesuffix(" parameters"),
        "2",
        megabytes(len(flat.pack(checkpoint))),
        f"{sum(source.lines for source in sources()):,}",
        "measured above",
    )
    return table(
        ("model, program", "parameters", "bytes each", "file", "lines of C", "tokens/s"), (ours, *REAL)
    )


REAL = (
    ("stories15M, llama2.c in 2023", "15M", "4", "58 MB", "about 500", "18, a laptop (M1), without -O"),
    ("stories15M, llama2.c in 2024", "15M", "4", "60 MB", "973", "about 110, the same, with -O3"),
    ("Llama 2 7B, llama2.c", "7B", "4", "26 GB", "973", "4.6, 64 threads"),
    ("Llama 2 7B, llama2.c", "7B", "1", "6.7 GB", "its runq.c", "14, 64 threads"),
    ("Llama 2 70B, the talk", "70B", "2", "140 GB", "about 500", "a tenth of the 7B’s"),
)
