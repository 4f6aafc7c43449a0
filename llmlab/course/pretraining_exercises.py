"""Lesson 04, its exercises and its quiz. Right answers are computed from the models and the recorded run."""

import math

from llmlab.course.exercises import Answer, Exercise, Option, Question
from llmlab.course.pretraining import BEST, pages
from llmlab.course.pretraining_measured import costs, dearest_fact, facts_of
from llmlab.course.sandbox import results
from llmlab.report.cost import A100_PEAK, DAY, HOUR, plan

VOCABULARY = 8192
PLAN = plan(
    "the exercise", 7e9, 1e12, 4e12, devices=256, peak=A100_PEAK, utilisation=0.4, dollars_per_hour=2.0
)


def exercises() -> list[Exercise]:
    """Five exercises about loss, bits, facts and money."""
    return [FIRST_LOSS, TWICE, BITS, missing(), BILL]


def near(given: float, right: float, share: float = 0.02) -> bool:
    return abs(given - right) <= share * abs(right)


# ---- the first loss ----


def check_first_loss(given: Answer) -> str | None:
    x, right = float(given), math.log(VOCABULARY)
    if near(x, right, 0.01):
        return None
    if near(x, math.log2(VOCABULARY), 0.01):
        return "That is the same surprise in bits. The chart counts in nats: take the natural logarithm."
    if near(x, math.log10(VOCABULARY), 0.01):
        return "That is the logarithm to the base of ten. Nats are natural logarithms."
    if near(x, VOCABULARY):
        return "That is the number of tokens. The loss is the logarithm of it."
    return "Each of the tokens has the probability 1/8,192, and the loss is minus the logarithm of that."


FIRST_LOSS = Exercise(
    id="first_loss", title="The loss before the first step", difficulty=1, minutes=2,
    question=f"A new model has a vocabulary of {VOCABULARY:,} tokens, and its weights are random. With which loss, in "
    "**nats a token**, does its curve begin?",
    field="number", check=check_first_loss,
    hints=("Where does the curve at the top begin, and how many tokens does that vocabulary have?",
           "It has learned nothing, so all tokens are equally likely to it: p = 1/V."),
    solution=round(math.log(VOCABULARY), 2),
    because="ln 8,192 = 9.01. If a real run begins far above its ln V, something is wrong with the start of the "
    "weights: it is the first thing that people look at.",
)  # fmt: skip

# ---- a bit ----


def check_twice(given: Answer) -> str | None:
    x = float(given)
    if x == 3:
        return None
    if x in (8, 1 / 8):
        return "That is the factor between the probabilities. How often do you halve to get there?"
    if x == 5:
        return "That is all that the token costs now. How much less is it than before?"
    if x == 8 * 3:
        return "Do not multiply: bits are the powers of two in a factor."
    return "Write both probabilities as powers of one half, and compare the exponents."


TWICE = Exercise(
    id="twice", title="What a fact saves", difficulty=1, minutes=2,
    question="Before a model had read where somebody lives, it gave the name of the town 1/256. Now it gives 1/32. How "
    "many **bits** does it save each time that a page says so?",
    field="number", check=check_twice,
    hints=("A token of probability p costs −log2 p bits.", "1/256 is eight halvings. And 1/32?"),
    solution=3.0,
    because="8 bits before, 5 now. A bit is a factor of two in probability. So a model that gets a name from one in a "
    "million to nearly certain has saved 20 bits, and it can only do so by knowing the name.",
)  # fmt: skip

# ---- code ----

CASES: tuple[tuple[list[float], float], ...] = (
    ([0.5], 1.0),
    ([0.25, 0.5], 3.0),
    ([1.0, 1.0], 0.0),
    ([0.125, 0.125, 0.5, 1.0], 7.0),
    ([], 0.0),
)


def check_bits(code: Answer) -> str | None:
    """Run the student's function and hold it against sums that can be done in the head."""
    found = results(str(code), [f"bits({case!r})" for case, _ in CASES])
    for (case, right), got in zip(CASES, found, strict=True):
        if not isinstance(got, int | float) or not math.isclose(got, right, abs_tol=1e-6):
            return f"`bits({case})` gave `{got}`, and {right:g} is right. {likely_bits(case, right, got)}"
    return None


def likely_bits(case: list[float], right: float, got: object) -> str:
    """The mistake that such a result speaks of."""
    if got is None:
        return "Did you forget `return`?"
    if not isinstance(got, int | float):
        return "A number should come back."
    if math.isclose(got, -right, abs_tol=1e-6):
        return "The logarithm of a probability is negative: turn its sign."
    if math.isclose(got, right * math.log(2), abs_tol=1e-6):
        return "Those are nats. Bits are logarithms to the base of two: `math.log2`."
    if case and math.isclose(got, right / len(case), abs_tol=1e-6):
        return "That is the mean. What the whole text costs is the sum."
    return "Each token costs −log2 of its probability; the text costs the sum."


BITS = Exercise(
    id="bits", title="What a text costs", difficulty=2, minutes=4,
    question="Write `bits`: it gets the probabilities that a model gave to the tokens that really came, and returns "
    "how many bits an arithmetic coder would need for the text. Plain Python; `math` is there.",
    field="code", check=check_bits,
    starter="import math\n\ndef bits(probabilities):\n    ...",
    hints=("One token of probability p costs −log2 p bits.", "Probabilities multiply along a text, so their "
           "logarithms are added. An empty text costs nothing."),
    solution="import math\n\ndef bits(probabilities):\n    return sum(-math.log2(p) for p in probabilities)",
    because="This is the loss: its mean, times ln 2, is the number on the curve. Training makes a text cheap, and "
    "nothing else.",
)  # fmt: skip

# ---- the missing fact ----


def missing() -> Exercise:
    """Of the facts on the page at the top, the one that would have saved most bits."""
    name, page = next(iter(pages().items()))
    (each, _), found = costs(name, BEST), facts_of(name)
    order = sorted(range(len(found)), key=lambda place: -each[place])[:4]
    said = {place: page.text[found[place].start : found[place].end] for place in order}
    right = said[order[0]]
    untrained = costs(name, "untrained")[0]
    _, bits = dearest_fact(name)

    def check(given: Answer) -> str | None:
        if given == right:
            return None
        place = next((place for place, words in said.items() if words == given), None)
        if place is None:
            return "Choose one of the four."
        if untrained[place] == max(untrained[p] for p in said):
            return (
                f"It is the longest, so it was dear before any reading. To the course model “{given}” costs only "
                f"{each[place]:.1f} bits."
            )
        return f"“{given}” costs the course model {each[place]:.1f} bits. Another one costs more."

    return Exercise(
        id="missing", title="The fact that is missing", difficulty=2, minutes=3,
        question=f"Look at the table of facts on the page about {name}. Which of these four does the **course** model "
        "know least? Knowing it would have saved most bits.",
        field=tuple(said[place] for place in sorted(order)), check=check,
        hints=("The column “bits, course” says what each value costs the model that has read most.",
               "The more bits are left, the less it knew."),
        solution=right,
        because=f"“{right}” still costs {bits:.1f} bits. What is not in the weights must be sent: the packed file is "
        "the list of everything that the model did not know.",
    )  # fmt: skip


# ---- the bill ----


def check_bill(given: Answer) -> str | None:
    x, right = float(given), PLAN.seconds / DAY
    if near(x, right):
        return None
    if near(x, right * 0.4):
        return "That would be at the full peak rate. Only 40% of it is reached, so it takes longer."
    if near(x, right / 3):
        return "Forward costs 2 operations for each parameter and token; the way back costs 4 more. Take 6."
    if near(x, PLAN.seconds / HOUR):
        return "Those are hours."
    if near(x, right * 256):
        return "That is one GPU alone. There are 256."
    return (
        "Operations: 6 × parameters × tokens. Divide by GPUs × peak × share in use, then by 86,400 seconds."
    )


BILL = Exercise(
    id="bill", title="How many days?", difficulty=3, minutes=5,
    question="A model of 7 billion parameters is to read 1,000 billion tokens. You rent 256 GPUs of 312 TFLOP/s each, "
    "and reach 40% of that. How many **days** does it take?",
    field="number", check=check_bill,
    hints=("Put the numbers into the calculator, or multiply 6 × 7e9 × 1e12 first.",
           "256 GPUs at 40% of 312e12 make about 3.2e16 operations a second."),
    solution=round(PLAN.seconds / DAY, 1),
    because=f"4.2 × 10²² operations at 3.2 × 10¹⁶ a second are {PLAN.seconds / DAY:.1f} days. At $2 for a GPU and hour "
    f"that is about ${PLAN.dollars / 1e3:,.0f} thousand. Paid once: afterwards the file can be copied.",
)  # fmt: skip

QUIZ = (
    Question(
        "facts",
        "Nobody asked the model to learn who is whose mother. Why does it know such things at all?",
        (
            Option("Facts were put into a table inside the model.",
                   "There is no table. There are weights, and a rule that makes the next token likelier."),
            Option("Knowing them makes the next token cheaper, and training rewards exactly that.",
                   "On a page that says who somebody's mother is, the name costs many bits to whoever does not know "
                   "it. The pressure to save them is all that there is.", right=True),
            Option("It copies the page on which the fact stands.",
                   "The page is gone after training; the file is smaller than the text. What was useful for "
                   "predicting is left."),
        ),
    ),
    Question(
        "zip",
        "In which sense is a language model a zip of the internet?",
        (
            Option("Unzip it, and every page comes back, byte for byte.",
                   "That works only together with the corrections, which the arithmetic coder writes down. The "
                   "weights alone give something that is like a page."),
            Option("In none: it holds words, not pages.",
                   "It holds enough to make unread pages many times smaller. That knowledge came from the pages."),
            Option("It keeps the pattern of the text in a much smaller file, and loses the rest.",
                   "Lossy, like a photograph that is saved too small: the whole is there, and details are made up.",
                   right=True),
        ),
    ),
    Question(
        "floor",
        "The curve has become flat. Does the model now know everything?",
        (
            Option("Yes: a flat curve means that nothing is left to learn.",
                   "The step size was lowered on purpose at the end, and that alone makes a curve flat."),
            Option("No. Part of the loss can never go away, and part only with more reading or more weights.",
                   "What the writer decided by a throw of dice nobody can foresee. Above that floor there are facts, "
                   "and each costs reading.", right=True),
            Option("No: with the loss at zero it will know everything.",
                   "Zero would mean that each page could be foreseen word for word. Text is not like that."),
        ),
    ),
)  # fmt: skip
