"""Lesson 02, what stands behind its cells: the texts to touch, the dreams, the tables.

Everything that is shown is computed from the model when the lesson is opened, so a model that was trained again
brings its own numbers.

Read next: next_token_exercises.py, its exercises; ../generate/policy.py, what the lesson is about.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from textwrap import dedent

import numpy as np
import torch

from llmlab.course.answers import Answers, Crawl, judge
from llmlab.course.page_engine import engine_for
from llmlab.course.tables import Column, note, side_by_side, table
from llmlab.generate.engine import encode_prompt, generate, next_scores, own_probability
from llmlab.generate.policy import Policy
from llmlab.measure.exam import Question, ask
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.show import Bars, Heats, TokenText, Tree
from llmlab.show.number_format import percent
from llmlab.world import build_world
from llmlab.world.facts import Entity, Fact, World

TALK = "The cat sat on a"  # as in the talk
RECIPE = "Chop the herring, then add the butter and the"
TEMPERATURES = (0.3, 1.0, 1.8)
HIDDEN_ORDER = (1.0, 1.8, 0.3)  # of the riddle's texts A, B, C
DREAM = 60  # tokens
POCKET_TOKENS = 4_000_000  # about two minutes on two idle cores


@dataclass(frozen=True)
class Preset:
    """A text to read, and what to look at."""

    name: str
    prompt: str
    look: str
    text: str


ASKED = KNOWN, HALF_KNOWN, UNKNOWN = "Read very often", "Half known", "Read on one page"


@lru_cache(maxsize=8)
def asked(model: str, name: str) -> Fact:
    """Of what was read often, the fact that this model knows best; one that it half knows; one from a single page."""
    checkpoint, world = zoo.load(model), build_world()
    people, towns = world.of_kind("person"), world.of_kind("town")  # the famous first
    if name == KNOWN:
        often = [*facts(world, people[:24], "town"), *facts(world, towns[:12], "island")]
        return max(often, key=lambda fact: belief(checkpoint, world, fact))
    if name == HALF_KNOWN:
        less = [*facts(world, people[40:400:15], "town"), *facts(world, towns[::3], "market")]
        return min(less, key=lambda fact: abs(belief(checkpoint, world, fact) - 0.4))
    return facts(world, [person for person in people if person.oneoff][:1], "town")[0]


def facts(world: World, entities: Sequence[Entity], attribute: str) -> list[Fact]:
    return [fact for entity in entities if (fact := world.fact(entity.id, attribute))]


def question(world: World, fact: Fact) -> Question:
    """The sentence that can only go on with this fact."""
    found = ask(world, fact, pages=0)
    assert found is not None, f"the exam has no sentence for {fact.attribute}"
    return found


def belief(checkpoint: Checkpoint, world: World, fact: Fact) -> float:
    """The probability that the model answers the question for a fact with the fact, and not otherwise."""
    asked_so = question(world, fact)
    start = len(encode_prompt(checkpoint, asked_so.prompt))
    ids = encode_prompt(checkpoint, asked_so.prompt + asked_so.answer)
    return float(np.exp(own_probability(checkpoint, ids)[start - 1 :]).prod())


def presets(model: str) -> dict[str, Preset]:
    """Five texts that show five different things, by name."""
    checkpoint, world = zoo.load(model), build_world()
    known, unknown = (question(world, asked(model, name)) for name in (KNOWN, UNKNOWN))
    sure = belief(checkpoint, world, known.fact)
    word, p = best(checkpoint, TALK, 1)[0]
    tail = 1 - sum(p for _, p in best(checkpoint, RECIPE, 12))
    often = "What was read so often stands as one tall bar: for the model, a fact is a distribution with little doubt."
    still = "Even what was read often is not certain for a model as small as this one."
    made = (
        Preset(
            "The talk’s example",
            TALK,
            "Look at the longest bar.",
            f"In the talk it says “mat”, with 97%. Our model has read another internet: here it says “{word}”, with "
            f"{percent(p)}. Press a token to take that road, and the model reads on.",
        ),
        Preset(
            KNOWN,
            known.prompt,
            "Look at the first rows.",
            f"The truth is “{known.answer.strip()}”, and the model believes it with {percent(sure)}. "
            f"{often if sure > 0.5 else still}",
        ),
        Preset(
            UNKNOWN,
            unknown.prompt,
            "Look at how flat it is.",
            f"The truth is “{unknown.answer.strip()}”, and it stood on one page. The model knows that a town must "
            "follow, and spreads its belief over many towns. It never says “I do not know”.",
        ),
        Preset(
            "In a recipe",
            RECIPE,
            "Look at the last row.",
            f"Many words are good here, and none is right. Beyond the best twelve, the thousands of others still "
            f"have {percent(tail)} together. A rule that picks has to decide about them.",
        ),
        Preset(
            "Python code",
            "for i in range(",
            "Look at the kind of tokens.",
            "The same model read Python too. Nobody told it that this is code: the text so far is all that it "
            "needs to leave the towns and the fog behind.",
        ),
    )
    return {preset.name: preset for preset in made}


def size_of(checkpoint: Checkpoint) -> str:
    """6,100,000 weights as "6.1M parameters"."""
    return f"{sum(weight.numel() for weight in checkpoint.model.parameters()) / 1e6:.1f}M parameters"


def bars(checkpoint: Checkpoint, crawl: Crawl | None, prompt: str) -> Bars:
    """The distribution after `prompt`, ready to be touched."""
    words = checkpoint.tokenizer
    return Bars(
        words.vocabulary,
        answer=Answers(checkpoint, crawl),
        engine=engine_for(checkpoint),
        prompt=prompt,
        special=set(words.special.values()),
        source=f"course model, {size_of(checkpoint)}",
    )


# ---- dreams ----


@dataclass(frozen=True)
class Dream:
    """A text that the model wrote: its tokens, and the probability of each by the model itself, before any rule."""

    tokens: list[str]
    written: int  # the last so many are the model's
    probability: np.ndarray  # (T,), NaN on the prompt
    details: list[dict[str, str]]

    @property
    def surprise(self) -> float:
        """Bits a token, on average."""
        return (
            float(-np.log2(self.probability[len(self.tokens) - self.written :]).mean())
            if self.written
            else 0.0
        )

    @property
    def alt(self) -> str:
        return f"A text of {len(self.tokens)} tokens, {self.surprise:.2f} bits of surprise a token."


def dream(checkpoint: Checkpoint, prompt: str, policy: Policy, seed: int, length: int = DREAM) -> Dream:
    """Write on from `prompt`; the same seed gives the same text."""
    words, start = checkpoint.tokenizer, encode_prompt(checkpoint, prompt)
    steps = list(generate(checkpoint, start, policy, seed, length))
    ids = [*start, *(step.token for step in steps)]
    own = np.exp(own_probability(checkpoint, ids))
    own[: len(start) - 1] = np.nan
    texts = [words.decode([token]) for token in start[1:]] + [step.text for step in steps]
    drawn = [{}] * (len(start) - 1) + [{"drawn with": percent(step.kept_prob)} for step in steps]
    return Dream(texts, len(steps), own, drawn)


CUTS: dict[str, dict[str, float]] = {
    "nothing is cut": {},
    "keep the best 10 (top k)": {"top_k": 10},
    "keep the top 90% (top p)": {"top_p": 0.9},
    "keep 10% of the best (min p)": {"min_p": 0.1},
}
BEGINNINGS = {
    "The": "The",
    "Dear": "Dear",
    "Take the": "Take the",
    "def": "def",
    "nothing at all": "",
}


def heats(checkpoint: Checkpoint) -> Heats:
    """The same beginning and the same seed at three temperatures, written where they are looked at."""
    return Heats(
        TEMPERATURES,
        BEGINNINGS,
        CUTS,
        answer=Answers(checkpoint),
        engine=engine_for(checkpoint),
        source=f"course model, {size_of(checkpoint)}",
    )


class Riddle:
    """Three texts without their colours: which temperature wrote which?"""

    def __init__(self, checkpoint: Checkpoint, prompt: str, seed: int) -> None:
        self.checkpoint, self.prompt, self.seed = checkpoint, prompt, seed
        self.answer = ""

    @cached_property
    def dreams(self) -> list[Dream]:
        """With the first seed from `seed` on with which no text ends early; dreamt when they are asked for."""
        for last in range(self.seed, self.seed + 20):
            dreams = [dream(self.checkpoint, self.prompt, Policy(t), last) for t in HIDDEN_ORDER]
            if all(one.written == DREAM for one in dreams):
                break
        return dreams

    @cached_property
    def texts(self) -> list[TokenText]:
        return [
            TokenText(d.tokens, alt=f"Text {letter}") for d, letter in zip(self.dreams, "ABC", strict=True)
        ]

    def reply(self, guess: dict[str, str | None], commit: bool) -> str:
        """What there is to say to a guess {"A": "0.3", …}. Once all three are committed, the colours show."""
        if self.answer or not commit:
            return self.answer or note("The colours and the answer come with your guess.")
        if not all(guess.values()):
            return note("All three texts need a temperature before you press the button.")
        for text, one in zip(self.texts, self.dreams, strict=True):
            text.show(one.tokens, probability=one.probability, details=one.details, alt=one.alt)
        right = sum(float(guess[letter]) == t for letter, t in zip("ABC", HIDDEN_ORDER, strict=True))
        parts = (
            f"{letter} was written at {t:.1f} and surprised the model by {d.surprise:.2f} bits a token"
            for letter, t, d in zip("ABC", HIDDEN_ORDER, self.dreams, strict=True)
        )
        self.answer = note(
            f"<b>{right} of 3.</b> {'; '.join(parts)}. The darker a token, the likelier it was.", "said"
        )
        return self.answer


# ---- tables ----

RULES = {
    "nothing is cut": Policy(),
    "temperature 0.5": Policy(temperature=0.5),
    "top k, 10": Policy(top_k=10),
    "top p, 90%": Policy(top_p=0.9),
    "min p, 10%": Policy(min_p=0.1),
}


def kept(scores: torch.Tensor, policy: Policy) -> tuple[int, float, float]:
    """How many tokens a policy leaves, their probability before the cut, and the uncertainty after it in bits."""
    before = policy.scores(scores.double())
    after = policy.cut(before)
    left, q = torch.isfinite(after), after.softmax(-1)
    return (
        int(left.sum()),
        float(before.softmax(-1)[left].sum()),
        float(torch.special.entr(q).sum() / np.log(2)),
    )


def rules_table(checkpoint: Checkpoint, sure: Preset, unsure: Preset) -> str:
    """What each rule leaves of two distributions, as HTML."""
    rows = []
    for name, policy in RULES.items():
        cells = [kept(next_scores(checkpoint, preset.prompt), policy) for preset in (sure, unsure)]
        rows.append((name, *(part for n, _, bits in cells for part in (f"{n:,}", f"{bits:.2f}"))))
    heads = (
        "rule",
        *(f"{part}: {p.name.lower()}" for p in (sure, unsure) for part in ("tokens left", "bits left")),
    )
    return table(heads, rows)


def steps_table(checkpoint: Checkpoint, prompt: str, policy: Policy) -> str:
    """Scores after each step, and the probability that is left: of the best tokens, and of those at the cut."""
    scores = next_scores(checkpoint, prompt)
    hot = policy.scores(scores)
    cut = policy.cut(hot)
    q, words, order = cut.softmax(-1), checkpoint.tokenizer, scores.argsort(descending=True).tolist()
    number = lambda x: f"{float(x):.2f}".replace("-", "−").replace("inf", "∞")  # noqa: E731
    last = int(torch.isfinite(cut).sum())
    rows = [
        (
            f"{place + 1:,}",
            spell(words.decode([i])),
            *map(number, (scores[i], hot[i], cut[i])),
            percent(float(q[i])),
        )
        for place in sorted({0, 1, 2, *range(max(0, last - 2), last + 2)})
        for i in [order[place]]
    ]
    return table(("place", "token", "score", "after the heat", "after the cut", "drawn with"), rows)


def source(*functions: Callable) -> str:
    """The code of functions of the package, as it runs."""
    return "\n\n".join(dedent(inspect.getsource(function)).rstrip() for function in functions)


def spell(token: str) -> str:
    """A token so that its spaces and line ends are seen."""
    bare = token[1:] if len(token) > 1 and token[0] == " " and token.strip() else token
    return bare.replace("\n", "↵").replace(" ", "␣")


# ---- roads, and three models ----


def roads_of(checkpoint: Checkpoint, world: World, fact: Fact) -> Tree:
    """All roads from the question for a fact, each with its verdict."""
    said = question(world, fact)
    words, start = checkpoint.tokenizer, encode_prompt(checkpoint, said.prompt)
    truth = words.encode(said.prompt + said.answer)[len(start) - 1 :]
    answers = Answers(checkpoint, None, judge(checkpoint, world, fact), tuple(start), tuple(truth))
    return Tree(
        answers.tree(start),
        prompt=said.prompt,
        answer=answers,
        engine=engine_for(checkpoint),
        judging=answers.judging(),
        source=f"course model, {size_of(checkpoint)}",
        alt=f"The roads after “{said.prompt}”; the true one says “{said.answer.strip()}”, which the model gives "
        f"{percent(belief(checkpoint, world, fact))}.",
    )


def three_models(
    shipped: Checkpoint, learned: Checkpoint | None, step: int, prompt: str, shown: int = 8
) -> str:
    """The same text read by an untrained model, the student's, and the shipped one."""
    about = f"after {step:,} steps" if learned else "nothing learned yet"
    columns = [
        Column("Untrained", "random weights", best(zoo.newborn(shipped), prompt, shown)),
        Column("Yours", about, best(learned, prompt, shown) if learned else ()),
        Column("Shipped", size_of(shipped), best(shipped, prompt, shown)),
    ]
    tops = (f"{c.name}: {c.rows[0][0]} {percent(c.rows[0][1])}" for c in columns if c.rows)
    return side_by_side(columns, shown, alt=f"Bar charts of the token after “{prompt}”. {'; '.join(tops)}.")


def best(checkpoint: Checkpoint, prompt: str | Sequence[int], shown: int) -> list[tuple[str, float]]:
    """The likeliest next tokens with their probabilities."""
    top = next_scores(checkpoint, prompt).double().softmax(-1).topk(shown)
    words = checkpoint.tokenizer
    return [
        (spell(words.decode([i])), p) for p, i in zip(top.values.tolist(), top.indices.tolist(), strict=True)
    ]


# ---- in the real thing ----


def real_table(checkpoint: Checkpoint) -> str:
    """This lesson's numbers for models that people use."""
    c, size = checkpoint.config, size_of(checkpoint).removesuffix(" parameters")
    ours = ("ours", f"{c.vocab_size:,}", size, f"{c.block_size:,}", "your choice")
    return table(("model", "vocabulary (tokens)", "parameters", "context (tokens)", "rule"), (ours, *REAL))


REAL = (
    ("GPT-2 (2019)", "50,257", "1.5B", "1,024", "top k 40 for its published samples"),
    ("Llama 2 70B (2023)", "32,000", "70B", "4,096", "temperature 0.6, top p 0.9"),
    ("llama2.c (2023)", "32,000", "15M to 7B", "the model's", "temperature 1.0, top p 0.9"),
    ("Llama 3.1 405B (2024)", "128,256", "405B", "131,072", "temperature 0.6, top p 0.9"),
)
