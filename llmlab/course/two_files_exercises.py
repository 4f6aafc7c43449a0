"""Lesson 01, its exercises and its quiz. The right answers are computed from the model and from the talk's numbers."""

from llmlab.course.exercises import Answer, Exercise, Option, Question
from llmlab.course.sandbox import results
from llmlab.course.two_files import TALK_BYTES
from llmlab.model.checkpoint import Checkpoint

BANDWIDTH = 100 * 10**9  # bytes a second, of the exercise's laptop


def exercises(checkpoint: Checkpoint) -> list[Exercise]:
    """Five exercises about files, bytes and speed."""
    return [FOUR_BITS, layer(checkpoint), FASTEST, LINEAR, FLIPPED]


def near(x: float, y: float, share: float = 0.03) -> bool:
    return abs(x - y) <= share * abs(y)


# ---- bytes ----


def check_four_bits(given: Answer) -> str | None:
    x, parameters = float(given), TALK_BYTES / 2 / 1e9
    if near(x, parameters / 2):
        return None
    if near(x, 4 * parameters):
        return "That would be 4 bytes for each. A byte has 8 bits."
    if near(x, parameters):
        return "That is one byte, 8 bits, for each. Here it is 4 bits."
    if near(x, parameters / 4):
        return (
            "Halved once too often: 140 GB is 16 bits for each parameter, and 4 bits are a quarter of that."
        )
    return "How many bits has each parameter in the file of 140 GB? And how many of them are left?"


FOUR_BITS = Exercise(
    id="four_bits", title="Smaller numbers", difficulty=1, minutes=2,
    question="The talk's 140 GB are 70 billion parameters of two bytes each. People also publish such models with each "
    "parameter rounded to **4 bits**. How many **GB** is the file then, roughly?",
    field="number", check=check_four_bits,
    hints=("Two bytes are 16 bits.", "70 billion times 4 bits; then divide by 8 to get bytes."),
    solution=TALK_BYTES / 4 / 1e9,
    because="70 billion × 4 bits = 35 GB, a quarter. What is rounded so coarsely says slightly other things; but it "
    "fits into the memory of a good desktop computer.",
)  # fmt: skip


def layer(checkpoint: Checkpoint) -> Exercise:
    """How many weights one layer has, from the shapes in the map."""
    c = checkpoint.config
    kv = c.n_kv_head * c.head_dim
    attention, mlp, norms = 2 * c.n_embd * (c.n_embd + kv), 3 * c.n_embd * c.n_hidden, 2 * c.n_embd
    answer = attention + mlp + norms

    def check(given: Answer) -> str | None:
        x = float(given)
        mistakes = {
            attention + mlp: "The seven matrices are right. Two thin pieces are missing: the norms.",
            2 * answer: "Those are its bytes. A weight has two of them.",
            attention: "That is attention alone; the MLP has three matrices more.",
            mlp: "That is the MLP alone; attention has four matrices more.",
            answer * c.n_layer: "That is all layers together. One of them is asked for.",
        }
        if x == answer:
            return None
        return mistakes.get(
            x, "Point at each piece of one layer: multiply the two numbers of its shape, then add all pieces."
        )

    return Exercise(
        id="layer", title="One layer", difficulty=2, minutes=5,
        question="Use the map of model.bin. How many **weights** (numbers, not bytes) has **layer 0**?",
        field="number", check=check,
        hints=("There are nine pieces: four matrices of attention, three of the MLP, and two norms.",
               "A shape (a, b) is a × b weights; a shape (a) is a weights. The table (key T) lists all of them."),
        solution=float(answer),
        because=f"Attention {attention:,}, MLP {mlp:,}, norms {norms:,}: {answer:,} in all, times {c.n_layer} layers. "
        "Most of a model is such matrices.",
    )  # fmt: skip


# ---- speed ----


def check_fastest(given: Answer) -> str | None:
    x, right = float(given), BANDWIDTH / TALK_BYTES
    if near(x, right):
        return None
    if near(x, 1 / right, 0.01):
        return "That is how many seconds one token takes. How many tokens is that in a second?"
    if near(x, BANDWIDTH / 70e9, 0.01):
        return "You divided by the number of parameters. Each of them has two bytes."
    if x > 10:
        return "That is too fast: 140 GB have to go through a pipe of 100 GB a second, for every token."
    return "How many times can 140 GB be read in one second, at 100 GB a second?"


FASTEST = Exercise(
    id="fastest", title="The speed limit", difficulty=2, minutes=3,
    question="A computer has room for the talk's 140 GB, and reads **100 GB a second** from memory. For each token all "
    "weights are read once. At most how many **tokens a second** can it write? (Two digits are enough.)",
    field="number", check=check_fastest,
    hints=("First ask how long one token takes.", "140 / 100 = 1.4 seconds for a token. Now turn it round."),
    solution=round(BANDWIDTH / TALK_BYTES, 2),
    because="100 / 140 = 0.71 tokens a second, however fast the processor computes. That is why people round weights "
    "to fewer bits, and why GPUs with faster memory are in demand.",
)  # fmt: skip


# ---- code ----

CASES: tuple[tuple[list[float], list[float]], ...] = (
    ([1, 2, 3, 4, 5, 6], [1, 10, 100]),
    ([1, 2, 3, 4, 5, 6], [1, 10]),
    ([2, 0, 0, 2], [3, 4]),
    ([5, 7], [2, 3]),
)


def linear(w: list[float], x: list[float]) -> list[float]:
    """out (n_out) = w (n_out, n_in), stored row by row, times x (n_in)."""
    return [sum(w[o + i] * x[i] for i in range(len(x))) for o in range(0, len(w), len(x))]


def check_linear(code: Answer) -> str | None:
    """Run the student's function on small matrices."""
    found = results(str(code), [f"linear({w!r}, {x!r})" for w, x in CASES])
    for (w, x), got in zip(CASES, found, strict=True):
        right = linear(w, x)
        if got != right:
            seen = f"`linear({w}, {x})` gave `{got}`, and it should be `{right}`."
            return f"{seen} {likely(w, x, got, right)}"
    return None


def likely(w: list[float], x: list[float], got: object, right: list[float]) -> str:
    """The mistake that such a result speaks of."""
    n_out = len(right)
    columns = [sum(w[i * n_out + o] * x[i] for i in range(len(x))) for o in range(n_out)]
    if got is None:
        return "Did you forget `return`?"
    if not isinstance(got, list):
        return "A list should come back: one number for each row."
    if got == columns:
        return "You went down the columns: element (o, i) stands at o * n_in + i, not at i * n_out + o."
    if len(got) == len(w):
        return "The products of a row must be added up to one number."
    if len(got) != n_out:
        return "There is one number for each row, and there are `len(w) // len(x)` rows."
    return "Row o begins at place `o * len(x)`."


LINEAR = Exercise(
    id="linear", title="Nearly all of the work", difficulty=3, minutes=8,
    question="Write `linear`, in plain Python: `w` is a matrix as it lies in model.bin, one long list, row after row; "
    "`x` is a list of `n_in` numbers, and each row has as many. Return a list with one number a row: the sum of the "
    "row's numbers times those of `x`.",
    field="code", check=check_linear,
    starter="def linear(w, x):\n    ...",
    hints=("How many rows are there? `len(w) // len(x)`.",
           "Row o is `w[o * n_in : (o + 1) * n_in]`. Go through it together with x."),
    solution="def linear(w, x):\n    n_in, out = len(x), []\n    for start in range(0, len(w), n_in):\n"
    "        total = 0\n"
    "        for i in range(n_in):\n            total += w[start + i] * x[i]\n"
    "        out.append(total)\n    return out",
    because="This is `linear` of engine.c, for one token. run.c does it seven times in each layer and once at the end; "
    "all else is small beside it.",
)  # fmt: skip

# ---- choice ----

REFUSED = "The program refuses the file in one sentence"
MISTAKES = {
    "One fact becomes wrong, and the rest stays right": "No fact has a byte of its own. If the program read on, one "
    "weight would be slightly off, and every text would change a little or not at all.",
    "Nothing: one byte among millions does not matter": "For the text you would mostly be right. But the file carries "
    "a checksum of all its bytes, and the program looks at it first.",
    "The program crashes": "It could, if it believed what it reads. It checks before it computes.",
}
FLIPPED = Exercise(
    id="flipped", title="One wrong byte", difficulty=1, minutes=2,
    question="On the way to a friend, one byte in the middle of model.bin is changed. What happens when the friend "
    "starts run.c with it?",
    field=(next(iter(MISTAKES)), REFUSED, *list(MISTAKES)[1:]),
    check=lambda given: None if given == REFUSED else MISTAKES.get(str(given), "Choose one of the four."),
    hints=("Look at the header in the map: what does it hold besides the network's shape?",
           "A checksum is a number computed from all bytes."),
    solution=REFUSED,
    because="It says that model.bin is damaged. The header holds a checksum (CRC-32) of everything behind it, which "
    "finds accidents. It is no protection against malice: who changes the file on purpose computes the sum anew.",
)  # fmt: skip

QUIZ = (
    Question(
        "where",
        "Where is what the model knows about the Isles?",
        (
            Option("In a database inside model.bin, one entry for each fact.",
                   "The map shows it all: letters of tokens, and matrices. There is no entry that you could look up."),
            Option("In the weights: all of them together, and no one place in particular.",
                   "Training moved all of them a little, page after page. How they work together is lesson 06.",
                   right=True),
            Option("In run.c.",
                   "run.c would say other things with another model.bin, and nothing at all without one."),
        ),
    ),
    Question(
        "net",
        "You ask a model on your own laptop, in flight mode, what happened today. What can it do?",
        (
            Option("Look it up: a language model is connected to the internet.",
                   "You have seen it write with the network taken away. Products add a browser around the model; that "
                   "is lesson 12."),
            Option("Nothing: without a network it does not run.",
                   "It runs: two files are all it needs."),
            Option("Write something that fits, from pages that it read before its training ended.",
                   "It always writes what could come next. Nothing in the two files is from today.", right=True),
        ),
    ),
    Question(
        "slow",
        "Why does a model ten times as large write about ten times more slowly on the same machine?",
        (
            Option("For each token every weight must be read and multiplied once.",
                   "So the bytes of the weights, and the speed of the memory that holds them, set the pace.",
                   right=True),
            Option("Its texts are better, and good texts take longer.",
                   "The program does not know whether a text is good. Each token costs the same work."),
            Option("It has to search a larger file for the right sentence.",
                   "There is no search and no sentence in the file: all of it is used, each time."),
        ),
    ),
)  # fmt: skip
