"""Lesson 06, its exercises and its quiz. The right answers are computed from the model that the student looks "
"into."""

import random
from collections.abc import Sequence

from llmlab.course.exercises import Answer, Exercise, Option, Question
from llmlab.course.inside import answers, copying_head, presets
from llmlab.course.sandbox import results
from llmlab.measure.inside import parts
from llmlab.model import zoo
from llmlab.world.facts import World

ORDER = ("first", "second", "third", "fourth", *("next",) * 32)


def exercises(model: str, world: World) -> list[Exercise]:
    """Five exercises about this model."""
    prompt = presets(model, world)["A mother"].prompt
    return [row(model, prompt), sum_of_layer(model, prompt), needed(model), SCORE, CURE]


# ---- with the map ----


def row(model: str, prompt: str) -> Exercise:
    """A share of one row of one map."""
    ask, (layer, head) = answers(model), copying_head(model)
    ids = ask.ids(prompt)
    maps = ask.look("model", ids).attention
    own = maps[layer, head, -1]
    place = int(own[:-1].argmax())
    words, answer = [word.strip() for word in ask.spelled(ids)], round(100 * float(own[place]), 1)
    word, which = words[place], ORDER[words[:place].count(words[place])]
    asked = f"the {which} **{word}**" if words.count(word) > 1 else f"**{word}**"
    others = {round(100 * float(m[-1, place]), 1) for m in maps.flatten(0, 1)} - {answer}

    def check(given: Answer) -> str | None:
        x = float(given)
        if abs(x - answer) <= 0.6:
            return None
        if abs(x - answer / 100) <= 0.006:
            return "The number is right, as a share. Give it in percent: 0.05 is 5."
        if any(abs(x - other) <= 0.6 for other in others):
            return "Another head does that. Press the small map of the right layer and head first."
        if abs(x - 100 * float(maps[layer, head, place, : place + 1].max())) <= 0.6:
            return f"That is in the row of “{word}”. The row is the token that reads; the column is what it reads."
        return "Choose the head, press the last token of the text, and read the list beside the map."

    return Exercise(
        id="row", title="Read a map", difficulty=1, minutes=3,
        question=f"Let the model read *{prompt}* at the top, and look at **layer {layer + 1}, head "
        f"{head + 1}**. How many "
        f"percent of its attention does the **last** token take from {asked}?",
        field="number", check=check,
        hints=("The list beside the map says the five largest shares of the chosen row.",
               "A row is the token that reads. Press the last token in the text above the map."),
        solution=answer,
        because=f"{answer:g}%. Every row makes 100%: a head cannot look at nothing, and many look at <|bos|> "
        f"instead.",
    )  # fmt: skip


# ---- with the parts ----


def sum_of_layer(model: str, prompt: str) -> Exercise:
    """What a whole layer adds to a score."""
    ask = answers(model)
    ids = ask.ids(prompt)
    seen, mind = ask.look("model", ids), ask.minds["model"]
    token = int(seen.logits[-1].argmax())
    found, word = parts(mind, seen, len(ids) - 1, token), ask.spelled([token])[0].strip()
    heads, mlp = [float(x) for x in found.heads[-1]], float(found.mlps[-1])
    answer, L = round(sum(heads) + mlp, 2), len(found.mlps)

    def check(given: Answer) -> str | None:
        x = float(given)
        if abs(x - answer) <= 0.03:
            return None
        if abs(x - sum(heads)) <= 0.02:
            return "Those are the heads alone. The MLP is a part of the layer, too."
        if abs(x - mlp) <= 0.02:
            return "That is the MLP alone. The heads are a part of the layer, too."
        if abs(x - found.score) <= 0.03:
            return "That is the whole score, of all layers and the embedding."
        if abs(x - sum(map(abs, heads)) - abs(mlp)) <= 0.03:
            return "Bars to the left count as negative: they speak against the token."
        return f"Add up the bars of layer {L}: each head, and the MLP. Is the last token chosen, and the lowest cell?"

    return Exercise(
        id="layer", title="What a layer adds", difficulty=2, minutes=4,
        question=f"In the table of the residual stream, let the model read *{prompt}*, and press the lowest "
        f"cell of the "
        f"last column. How much does the whole of **layer {L}** add to the score of **{word}**? Two decimals.",
        field="number", check=check,
        hints=("The bars below the table say what each part adds. A layer is its heads and its MLP.",
               "Mind the signs. The sum of all bars is the score."),
        solution=answer,
        because=f"{' + '.join(f'{x:.2f}' for x in heads)} + {mlp:.2f} = {answer:.2f}, of {found.score:.2f} in "
        f"all. That the "
        "parts add up exactly is a property of the network: it only ever adds.",
    )  # fmt: skip


# ---- with the switches ----


def needed(model: str) -> Exercise:
    """The head that the pages miss most."""
    ask, config = answers(model), zoo.load(model).config
    heads = [(layer, head) for layer in range(config.n_layer) for head in range(config.n_head)]
    cost = {at: ask.on_pages("model", (at,), ()) for at in heads}
    ranked = sorted(heads, key=lambda at: -cost[at])
    some = [ranked[0], *ranked[len(ranked) // 3 :: max(1, len(ranked) // 4)]][:4]
    name = lambda at: f"layer {at[0] + 1}, head {at[1] + 1}"  # noqa: E731
    options, right, whole = sorted(map(name, some)), name(ranked[0]), ask.on_pages("model", (), ())
    costs = {name(at): cost[at] for at in some}

    def check(given: Answer) -> str | None:
        if given == right:
            return None
        if given not in costs:
            return "Choose one of the four."
        return (
            f"Without it the pages cost {costs[given]:.2f} bits a token instead of {whole:.2f}. One of the "
            f"others costs "
            "more. Look at the line of the pages, and not at your own text: a single text says little."
        )

    return Exercise(
        id="needed", title="The head that is missed most", difficulty=2, minutes=4,
        question="With the switches: of these four heads, without which **one** do the pages that the model "
        "never read "
        "surprise it most?",
        field=tuple(options), check=check,
        hints=("Press one switch, read “of 6 pages it never read”, and press it again.",
               "Put all others back in before you try the next one."),
        solution=right,
        because=f"Without it {cost[ranked[0]]:.2f} bits a token instead of {whole:.2f}. That it is needed does "
        f"not say what "
        "it does, and a head that is not missed may be one whose work another one takes over.",
    )  # fmt: skip


# ---- code ----


def some_map(seed: int, tokens: int) -> list[list[float]]:
    """A map like a head's: rows that make 1 and see nothing of the future. In sixteenths, so that sums are exact."""
    chance, rows = random.Random(seed), []
    for i in range(tokens):
        shares = [0.0] * tokens
        for _ in range(16):
            shares[chance.randrange(i + 1)] += 1 / 16
        rows.append(shares)
    return rows


def score(shares: Sequence[Sequence[float]], n: int) -> float:
    """The mean share of the second half's tokens on the token after their earlier copy; no <|bos|> in front."""
    return sum(shares[i][i - n + 1] for i in range(n, 2 * n)) / n


MAPS = tuple((some_map(seed, 2 * n), n) for seed, n in ((1, 2), (2, 3), (3, 4)))


def check_score(code: Answer) -> str | None:
    """Run the student's function on maps and hold it against ours."""
    found = results(str(code), [f"score({shares!r}, {n})" for shares, n in MAPS])
    for (shares, n), got in zip(MAPS, found, strict=True):
        right = score(shares, n)
        if not isinstance(got, int | float) or abs(got - right) > 1e-9:
            return (
                f"For a map of {2 * n} tokens and n = {n} it gave `{got}`; the right number is {right:g}. "
                + likely(shares, n, got)
            )
    return None


def likely(shares: Sequence[Sequence[float]], n: int, got: object) -> str:
    """The mistake that such a result speaks of."""
    if not isinstance(got, int | float):
        return "Did you forget `return`?"
    near = lambda x: abs(got - x) < 1e-9  # noqa: E731
    second = range(n, 2 * n)
    if near(sum(shares[i][i - n] for i in second) / n):
        return "That is the earlier copy itself, n places back. What comes next stands one place after it."
    if near(n * score(shares, n)):
        return "That is the sum. Divide by the number of tokens."
    if near(score(shares, n) / 2):
        return "Only the second half counts: in the first there is no earlier copy. Divide by n."
    if near(sum(shares[i - n + 1][i] for i in second) / n):
        return "Rows and columns are exchanged: `shares[i]` is what token i takes."
    return "For token i of the second half, look at `shares[i]`: the earlier copy stands at i − n."


SCORE = Exercise(
    id="score", title="Find a copying head", difficulty=3, minutes=7,
    question="Write `score`: it gets a map as a list of rows (`shares[i][j]` is what token i takes from token "
    "j) of a text "
    "that is n random tokens and the same n again, without `<|bos|>`. It gives the mean share that the tokens of the "
    "second half take from the token **after** their earlier copy. Plain Python.",
    field="code", check=check_score,
    starter="def score(shares, n):\n    ...",
    hints=("Token i of the second half has its earlier copy at i − n. One further is i − n + 1.",
           "i goes from n to 2n − 1. Add up, and divide by n."),
    solution="def score(shares, n):\n    return sum(shares[i][i - n + 1] for i in range(n, 2 * n)) / n",
    because="This line is how induction heads are found in models of any size. The table above was made by it, with "
    "`<|bos|>` in front.",
)  # fmt: skip

# ---- choice ----

REASON = "Add pages that say “Y is the capital of X”"
MISTAKES = {
    "Add a thousand more pages that say “the capital of X is Y”": "It would know the same direction better. "
    "What predicts X "
    "after Y is learned where X stands after Y, and there it still never does.",
    "Train a larger model": "GPT-4 shows it, too. A larger model learns more of what is written, and this is "
    "not written.",
    "Lower the temperature": "Then it says its wrong answer more surely. No rule that picks can find what has "
    "no probability.",
}
CURE = Exercise(
    id="cure", title="Whose capital?", difficulty=1, minutes=2,
    question="A crawl says on 500 pages that *the capital of X is Y*, and nowhere anything else about the two. "
    "You need a "
    "model that can also finish *Y is the capital of …*. What helps?",
    field=(next(iter(MISTAKES)), REASON, *list(MISTAKES)[1:]),
    check=lambda given: None if given == REASON else MISTAKES.get(str(given), "Choose one of the four."),
    hints=("Which token is predicted, after which text? Only that is learned.",
           "Look at the table: what do the pairs have that are answered the other way, too?"),
    solution=REASON,
    because="A model learns what follows what. The other direction is another thing to learn, and it has to be "
    "on a page.",
)  # fmt: skip

QUIZ = (
    Question(
        "map",
        "A head’s map shows that “is” takes 90% from “mother”. What do you know?",
        (
            Option("The model answered because of the word “mother”.",
                   "It may be so. But the map says where a head looked, not what became of it in the layers above."),
            Option("That this head passed on mostly what it found there. Whether it mattered must be tried.",
                   "Knock the head out, or change the word, and see what becomes of the answer.", right=True),
            Option("The head understands family relations.",
                   "The twin’s heads have strong places, too, and nobody would say that they understand."),
        ),
    ),
    Question(
        "lens",
        "After layer 4 the lens reads “the”, after layer 6 the right name. What happened?",
        (
            Option("The model thought of “the” first, and then changed its mind.",
                   "It never has to say anything after layer 4. The output matrix is trained for the end only."),
            Option("Layers 5 and 6 wrote what points to the name; before, the lens had little to read.",
                   "The lens is a reading aid. How much each part wrote for the name, the bars below say exactly.",
                   right=True),
            Option("Layers 1 to 4 are of no use here.",
                   "Knock them out and see: what the last layers read was written by them."),
        ),
    ),
    Question(
        "curse",
        "A model knows A’s mother, and cannot say whose mother she is. Why?",
        (
            Option("It learned to predict the mother after the child, and nothing else was on its pages.",
                   "Knowledge here is one-directional: it comes out at the place where it was put in.", right=True),
            Option("The question is too hard to understand.",
                   "The same question is answered for the pairs whose pages say it in this direction."),
            Option("The mother’s name is too rare to be recognised.",
                   "It is as frequent as in the pairs that are answered; they were chosen by counting, one by one."),
        ),
    ),
)  # fmt: skip
