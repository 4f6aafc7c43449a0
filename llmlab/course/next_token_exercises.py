"""Lesson 02, its exercises and its quiz. The right answers are computed from the model that the student touches."""

import math
from bisect import bisect_left, bisect_right

import torch

from llmlab.course.exercises import Answer, Exercise, Option, Question, check_calls
from llmlab.course.next_token import RECIPE, TALK, spell
from llmlab.generate.engine import next_scores
from llmlab.generate.policy import heat, keep_top_k, keep_top_p
from llmlab.model.checkpoint import Checkpoint
from llmlab.show.number_format import percent


def exercises(checkpoint: Checkpoint) -> list[Exercise]:
    """Five exercises about this model."""
    return [road(checkpoint), nucleus(checkpoint), certain(checkpoint), TOP_K, CIRCLES]


def words(checkpoint: Checkpoint, scores: torch.Tensor) -> list[tuple[int, str, int]]:
    """(rank from 1, token as text, id) of the tokens that are a whole word as one reads it, best first."""
    ranked = [(i, checkpoint.tokenizer.decode([i])) for i in scores.argsort(descending=True).tolist()[:200]]
    return [
        (rank, spell(t), i)
        for rank, (i, t) in enumerate(ranked, 1)
        if t[:1] == " " and t[1:].isalpha() and len(t) > 3
    ]


def road(checkpoint: Checkpoint) -> Exercise:
    """The probability of two tokens, one after the other."""
    one, p, two, q = fork(checkpoint, TALK)
    answer = round(100 * p * q, 2)

    def check(given: Answer) -> str | None:
        x = float(given)
        if near(x, 100 * p * q):
            return None
        if near(x, 100 * (p + q)):
            return (
                "That is the sum. The second token is drawn only where the first one was: a part of a part."
            )
        if near(x, p * q):
            return "The number is right, as a share. Give it in percent: 0.05 is 5."
        if near(x, 100 * p) or near(x, 100 * q):
            return "That is one of the two bars. The road needs both."
        return "Take the first token in the picture, read the second bar, and multiply the two. Is the temperature 1?"

    return Exercise(
        id="road", title="A road of two tokens", difficulty=1, minutes=3,
        question=f"Let the model read *{TALK}* at temperature 1, with nothing cut. What is the probability in percent "
        f"that it goes on with **{one}** and then with **{two}**?",
        field="number", check=check,
        hints=("Find the first token among the bars, note its number, and press it: now the second bar is there.",
               "Of the texts that took the first road, a share takes the second: a part of a part."),
        solution=answer,
        because=f"{percent(p)} × {percent(q)} = {answer:g}%. Each further token multiplies again, so every single long "
        "text is unlikely, also the likeliest one.",
    )  # fmt: skip


def fork(checkpoint: Checkpoint, prompt: str) -> tuple[str, float, str, float]:
    """A word that may follow, and the best token after it, with their probabilities; neither is near certain."""
    found = None
    shares = next_scores(checkpoint, prompt).softmax(-1)
    for _, one, token in words(checkpoint, shares)[:8]:
        second = next_scores(checkpoint, prompt + checkpoint.tokenizer.decode([token])).softmax(-1)
        p, q = float(shares[token]), float(second.max())
        found = one, p, spell(checkpoint.tokenizer.decode([int(second.argmax())])), q
        if p < 0.9 and 0.1 < q < 0.9:  # both bars are needed
            break
    assert found is not None, "no word among the two hundred best tokens"
    return found


def nucleus(checkpoint: Checkpoint) -> Exercise:
    """The smallest top p for which a token survives."""
    scores = next_scores(checkpoint, RECIPE).double()
    rank, name, token = next(word for word in words(checkpoint, scores) if word[0] >= 4)
    ranked = scores.softmax(-1).sort(descending=True).values
    ahead, own = float(ranked[: rank - 1].sum()), float(ranked[rank - 1])
    stays = lambda p: bool(torch.isfinite(keep_top_p(scores, p / 100)[token]))  # noqa: E731
    answer = 1 + bisect_left(range(1, 101), True, key=stays)  # where it stays, it stays at all larger ones

    def check(given: Answer) -> str | None:
        x = float(given)
        if 0 < x < 1:
            return "Give it in percent, as the slider does: 0.35 is 35."
        if abs(x - answer) < 0.5:
            return None
        if abs(x - math.ceil(100 * (ahead + own))) < 0.5:
            return "At that value it stays, but also at a smaller one: the token that crosses the line is kept, too."
        if x == rank:
            return "That is its place in the ranking. Top p counts probability, not places."
        if x > answer:
            return f"It stays at {x:g}%, but also at a smaller value. Move the slider further down."
        return f"At {x:g}% it is cut: the tokens ahead of it reach that much without it."

    return Exercise(
        id="nucleus", title="Just inside", difficulty=2, minutes=4,
        question=f"Let the model read *{RECIPE}* at temperature 1. You cut with **top p** alone. Which is the smallest "
        f"whole percentage at which **{name}** can still be drawn?",
        field="number", check=check,
        hints=("Move “Keep the top p” until the black line stands right above the token, then one step back.",
               "Add up the bars *ahead* of the token. The token that takes the sum over the line is kept."),
        solution=answer,
        because=f"The {rank - 1} tokens ahead of it have {100 * ahead:.2f}% together. As soon as p is more than "
        "that, the next one is needed to reach p, and it is kept.",
    )  # fmt: skip


def certain(checkpoint: Checkpoint) -> Exercise:
    """The highest temperature at which the uncertainty stays under a bound."""
    scores = next_scores(checkpoint, RECIPE).double()
    most = bits(scores, 1.0)
    bound = max(0.5, math.floor(most / 2))
    limit = "1 bit" if bound == 1 else f"{bound:g} bits"
    answer = (
        bisect_right(range(1, 201), bound, key=lambda t: bits(scores, t / 100)) / 100
    )  # hotter, more bits

    def check(given: Answer) -> str | None:
        x = float(given)
        if abs(x - answer) < 0.0151:
            return None
        if not 0 < x <= 2:
            return "A temperature of the slider lies between 0 and 2."
        if x > answer:
            return f"At {x:.2f} the uncertainty is {bits(scores, x):.2f} bits: more than {bound:g}. Go lower."
        return f"At {x:.2f} it is {bits(scores, x):.2f} bits: low enough, but a higher temperature is, too."

    return Exercise(
        id="certain", title="Half as unsure", difficulty=2, minutes=3,
        question=f"Let the model read *{RECIPE}*, with nothing cut. At temperature 1 its uncertainty is {most:.2f} "
        f"bits. Which is the highest temperature at which it is at most **{limit}**? Two decimals.",
        field="number", check=check,
        hints=("The uncertainty stands under the bars, and it moves with the slider.",
               "Lower temperature, higher bars, fewer bits. The arrow keys move the slider by one hundredth."),
        solution=answer,
        because=f"At {answer:.2f} the uncertainty is {bits(scores, answer):.2f} bits: as unsure as a choice among "
        f"{2 ** bits(scores, answer):.1f} equal tokens. At 1 it was among {2**most:.0f}.",
    )  # fmt: skip


def bits(scores: torch.Tensor, temperature: float) -> float:
    """Entropy of the next token at a temperature."""
    return float(torch.special.entr(heat(scores, temperature).softmax(-1)).sum()) / math.log(2)


def near(given: float, right: float) -> bool:
    """Whether somebody who multiplied rounded numbers could mean this."""
    return abs(given - right) <= max(0.06 * abs(right), 0.02)


# ---- code ----

LISTS: tuple[tuple[list[float], int], ...] = (
    ([2.0, 0.5, 3.0, -1.0], 2),
    ([0.0, -2.0, -1.0], 1),
    ([1.0, 2.0, 2.0, 2.0, 0.0], 2),
    ([1.0, 4.0], 7),
)


def check_top_k(code: Answer) -> str | None:
    """The student's function beside the package's."""
    ours = lambda scores, k: keep_top_k(torch.tensor(scores), k).tolist()  # noqa: E731
    return check_calls(code, "keep_top_k", LISTS, ours, likely)


def likely(case: tuple[list[float], int], got: list, _: list[float]) -> str:
    """The mistake that such a list speaks of."""
    scores, k = case
    if len(got) != len(scores):
        return "The list must keep its length: a token's place in it is its name."
    if k > len(scores):
        return "Where k is larger than the list, everything stays."
    if sum(x != -math.inf for x in got) != sum(x >= sorted(scores)[-k] for x in scores):
        return "Count what is left: tokens with the same score as the k-th stay, too."
    return "Each score that stays keeps its value and its place."


TOP_K = Exercise(
    id="top_k", title="Write top k", difficulty=3, minutes=6,
    question='Write `keep_top_k`: it gets a list of scores and a number k. The k best scores stay where they are, all '
    'others become `float("-inf")`. Scores equal to the k-th stay, too. Plain Python, no libraries.',
    field="code", check=check_top_k,
    starter='def keep_top_k(scores, k):\n    ...',
    hints=("Which is the smallest score that may stay? Sort a copy, best first, and look at place k − 1.",
           "Then go through the list once: `s if s >= least else float(\"-inf\")`. What if k is larger than the list?"),
    solution='def keep_top_k(scores, k):\n    least = sorted(scores, reverse=True)[min(k, len(scores)) - 1]\n'
    '    return [s if s >= least else float("-inf") for s in scores]',
    because="The same on all four lists as the package's own, which does it for 4,096 scores at once. A score of −∞ "
    "has the probability e^−∞ = 0, so the rest fills the 100% again by itself.",
)  # fmt: skip

# ---- choice ----

REASON = "The text so far decides everything: the same text, the same best token"
MISTAKES = {
    "The seed is always the same at temperature 0": "A seed decides draws. At 0 nothing is drawn, so every seed gives "
    "the same text.",
    "The model remembers what it said to others": "It remembers nothing: the weights do not change while it writes.",
    "At 0 the model has fewer words to choose from, so it runs out of them": "All tokens keep their scores. Only the "
    "best is taken, and which one that is changes with every new word.",
}
CIRCLES = Exercise(
    id="circles", title="Why temperature 0 repeats", difficulty=1, minutes=2,
    question="At temperature 0 every student who begins with the same words gets the same text. And a long text at 0 "
    "often ends in a circle: the same sentence again and again. Which one reason explains both?",
    field=("The seed is always the same at temperature 0", REASON, *list(MISTAKES)[1:]),
    check=lambda given: None if given == REASON else MISTAKES.get(str(given), "Choose one of the four."),
    hints=("What can still differ between two runs, when nothing is drawn?",
           "In a circle, the last words are those of a round ago. What does the model see, and what does it do?"),
    solution=REASON,
    because="Without a draw the next token is a function of the text. Once the end of the text is much like it was a "
    "round ago, the best token is the same as a round ago. A little chance breaks the circle.",
)  # fmt: skip

QUIZ = (
    Question(
        "meaning",
        "The model gives a token 60%. What does the number say?",
        (
            Option("Of many texts that begin so, the model expects 6 in 10 to go on with this token.",
                   "That is all it says: an expectation about texts, learned from texts.", right=True),
            Option("With 60% the sentence will be true.",
                   "The model learned what is written, and was never told what is true. Where false things are often "
                   "written, they are likely."),
            Option("The model understood 60% of the sentence.",
                   "All scores are computed from the whole text. There is no part that it did not use."),
        ),
    ),
    Question(
        "adaptive",
        "Top p is at 90%. How many tokens can be drawn?",
        (
            Option("It depends on the text: one where the model is sure, hundreds where it is not.",
                   "Top p counts probability, so the number of tokens follows the model's doubt.", right=True),
            Option("90% of the vocabulary.", "The percentage is of the probability, and most tokens have nearly none."),
            Option("Always the same number, which p sets.", "That would be top k, with its fixed number of places."),
        ),
    ),
    Question(
        "truth",
        "A false answer has 70%, the true one 30%. You lower the temperature. What happens?",
        (
            Option("The false answer becomes more likely still.",
                   "A low temperature favours what is likely. It knows nothing about what is true.", right=True),
            Option("The true answer wins, because the model becomes more careful.",
                   "“Low temperature” sounds careful. But the scores are only divided, and the order stays."),
            Option("Nothing, because temperature changes the style and not the content.",
                   "Style and content come out of the same numbers. There is no separate place for facts."),
        ),
    ),
)  # fmt: skip
