"""Lesson 03, its exercises and its quiz. The right answers are computed from the vocabulary that is touched."""

from llmlab.course.exercises import Answer, Exercise, Option, Question, check_calls
from llmlab.model.checkpoint import Checkpoint
from llmlab.text.bpe import encode, merge, train_bpe
from llmlab.text.tokenizer import Tokenizer

CANDIDATES = "lighthouse harbour lantern kettle herring ferry letter winter people little water house".split()
TINY = "banana bandana"
MOST_LETTERS, LEAST_TOKENS = 10, 20


def exercises(checkpoint: Checkpoint) -> list[Exercise]:
    """Five exercises about this vocabulary."""
    words = checkpoint.tokenizer
    return [born(words), by_hand(), dear(words), MERGE, SWAPPED]


# ---- with the slider ----


def last_made(words: Tokenizer) -> str:
    """Of some words, the one that became a single token last (with the blank before it)."""
    made = {word: ids[0] for word in CANDIDATES if len(ids := words.encode(f" {word}")) == 1}
    assert made, "none of the words is one token"
    return max(made, key=lambda word: made[word])


def born(words: Tokenizer) -> Exercise:
    """The merge at which a word becomes one token."""
    word = last_made(words)
    token = words.encode(f" {word}")[0]
    number = token - 255
    left, right = (words.token_bytes(part).decode() for part in words.merges[number - 1])

    def check(given: Answer) -> str | None:
        x = float(given)
        if x == number:
            return None
        if x == token:
            return (
                "That is the token's own number. The first 256 numbers are the bytes; count the merges only."
            )
        if x == number - 1:
            return "One more: after that many merges it is still two pieces."
        if x > len(words.merges):
            return f"There are only {len(words.merges):,} merges."
        return (
            "Read the text, choose “the crawl”, and move the slider step by step until the word is one piece."
        )

    return Exercise(
        id="born", title="When a word is born", difficulty=1, minutes=3,
        question=f"Let the picture at the top read *the {word}*, with the merges of the crawl. At which merge do the "
        f"blank and **{word}** become **one token**?",
        field="number", check=check,
        hints=("Move the slider to its end, then back with the left arrow key, until the word breaks.",
               "Press the token: the line below the slider says at which merge it was made."),
        solution=float(number),
        because=f"Merge {number:,} of {len(words.merges):,} joins “{left}” and “{right}”. Early merges make "
        "pieces that stand everywhere; whole words come later, the rarer the later.",
    )  # fmt: skip


# ---- by hand ----


def by_hand() -> Exercise:
    """Two merges of a text of two words."""
    steps = list(train_bpe([TINY], 256 + 2))
    pairs = [(step.left, step.right) for step in steps]
    answer = len(encode(TINY, pairs))
    after_one = len(encode(TINY, pairs[:1]))
    first, second = (step.bytes.decode() for step in steps)

    def check(given: Answer) -> str | None:
        x = float(given)
        if x == answer:
            return None
        if x == len(TINY):
            return "That is the number of bytes, before any merge."
        if x == after_one:
            return "That is after one merge. Count the pairs again, with the new token, and merge once more."
        if x == len(TINY) - 2:
            return "A merge joins *every* place where the pair stands, and not only the first."
        return "Write the letters with gaps between them, count each pair of neighbours, join the most frequent one."

    return Exercise(
        id="by_hand", title="Two merges on paper", difficulty=2, minutes=5,
        question=f"The text is *{TINY}*: {len(TINY)} bytes, and the blank belongs to the second word. Learn **two** "
        "merges from it, on paper. Of how many tokens does it consist then?",
        field="number", check=check,
        hints=(f"The pair that stands there most often makes “{first}”. Where does it stand?",
               "After the first merge, two pairs are equally frequent; here both lead to the same number. Do not "
               "merge across the blank: it begins a word."),
        solution=float(answer),
        because=f"“{first}” stands there {steps[0].count} times: {after_one} tokens are left. Then “{second}”, "
        f"{steps[1].count} times: {answer}. Type the text at the top and choose “this text alone” to see it.",
    )  # fmt: skip


# ---- a text that costs ----


def dear(words: Tokenizer) -> Exercise:
    """A short text of many tokens."""

    def check(given: Answer) -> str | None:
        text = str(given).strip()
        n = len(words.encode(text))
        if len(text) > MOST_LETTERS:
            return f"It has {len(text)} letters. At most {MOST_LETTERS} are allowed."
        if n >= LEAST_TOKENS:
            return None
        if text.isascii():
            return (
                f"{len(text)} letters, {n} tokens. Each of your letters is one byte, so it can never be more than "
                "one token. Which letters have several bytes?"
            )
        return f"{len(text)} letters, {n} tokens: more than with plain letters, but not yet {LEAST_TOKENS}."

    return Exercise(
        id="dear", title="An expensive text", difficulty=2, minutes=3,
        question=f"Write a text of at most {MOST_LETTERS} letters that takes at least **{LEAST_TOKENS} tokens** of the "
        "course's vocabulary.",
        field="text", check=check,
        hints=("A token is never smaller than a byte. So you need letters of two bytes or more.",
               "Try the samples above the picture. Which of them has more tokens than letters?"),
        solution="人人生而自由，在",
        because="Letters beyond the Latin ones have two to four bytes, and the crawl has no merge for them: each byte "
        "stays a token. Who writes in such letters pays more for the same sentence, and fills the context sooner.",
    )  # fmt: skip


# ---- code ----

LISTS: tuple[tuple[list[int], tuple[int, int], int], ...] = (
    ([98, 97, 110, 97, 110, 97], (97, 110), 256),
    ([97, 97, 97], (97, 97), 256),
    ([1, 2, 3], (3, 1), 300),
    ([5, 6], (5, 6), 257),
    ([], (1, 2), 256),
)


def check_merge(code: Answer) -> str | None:
    """The student's function beside the package's."""
    return check_calls(code, "merge", LISTS, merge, likely)


def likely(case: tuple[list[int], tuple[int, int], int], got: list, right: list[int]) -> str:
    """The mistake that such a list speaks of."""
    tokens, pair, _ = case
    if tokens and got == tokens:
        return "Nothing was merged."
    if len(set(tokens)) == 1 and pair[0] == pair[1]:
        return "Of three equal tokens, the first two are merged and the third one is left over."
    if got == right[:-1]:
        return "The last token is missing: it has no neighbour on its right, but it stays."
    if len(got) > len(right):
        return "After a merge, jump over both tokens of the pair."
    return "Each token that is not part of the pair stays, in its order."


MERGE = Exercise(
    id="merge", title="Write the merge", difficulty=3, minutes=7,
    question="Write `merge`: it gets a list of tokens, a pair, and the number of the new token. From left to right, "
    "each place where the pair stands becomes the new token. Plain Python, no libraries.",
    field="code", check=check_merge,
    starter="def merge(tokens, pair, new):\n    ...",
    hints=("Go through the list with an index that you move yourself: by two after a merge, else by one.",
           "Look at `tokens[at]` and, only if `at + 1 < len(tokens)`, at the one after it."),
    solution="def merge(tokens, pair, new):\n    merged, at = [], 0\n    while at < len(tokens):\n"
    "        if at + 1 < len(tokens) and tokens[at] == pair[0] and tokens[at + 1] == pair[1]:\n"
    "            merged.append(new)\n            at += 2\n        else:\n            merged.append(tokens[at])\n"
    "            at += 1\n    return merged",
    because="The same on all five lists as the package's own. All of BPE is this function and a count of pairs; the "
    "rest of `bpe.py` only sees to it that nothing is counted twice.",
)  # fmt: skip

# ---- choice ----

REASON = "A different and senseless text: each number now stands for another piece"
MISTAKES = {
    "The same text, because the weights are the same": "The weights choose numbers. What a number stands for is "
    "written in the vocabulary, and that is another one now.",
    "The same text with some spelling mistakes": "A neighbouring number is no neighbouring word: the numbers are the "
    "order of learning, so the pieces behind them have nothing in common.",
    "Nothing: the model refuses numbers that it does not know": "It knows all of them: the vocabularies have the same "
    "size. A model cannot notice that the pieces behind its numbers were exchanged.",
}
SWAPPED = Exercise(
    id="swapped", title="The exchanged vocabulary", difficulty=1, minutes=2,
    question="Somebody learns another vocabulary of the same size from other pages, and puts it beside our model's "
    "weights in place of its own. Then the model writes at temperature 0. What comes out?",
    field=(next(iter(MISTAKES)), REASON, *list(MISTAKES)[1:]),
    check=lambda given: None if given == REASON else MISTAKES.get(str(given), "Choose one of the four."),
    hints=("What do the weights give scores to: to words, or to numbers?",
           "Token 1,000 is the piece that merge 745 made. Of which pages?"),
    solution=REASON,
    because="A model and its vocabulary are one thing in two files. The weights were learned for exactly these "
    "numbers, so a vocabulary cannot be changed afterwards without learning again.",
)  # fmt: skip

QUIZ = (
    Question(
        "letters",
        "Why does a model that writes well miscount the letters of a word?",
        (
            Option("The word reaches it as one or two numbers, and the letters are not in a number.",
                   "What it knows of spelling it must have learned from texts that speak about spelling.", right=True),
            Option("It reads too fast.",
                   "It takes the same time for every token. The letters are not there to be read."),
            Option("It has learned the alphabet from too few pages.",
                   "It may have seen each letter a million times, but inside of tokens, where they are not visible."),
        ),
    ),
    Question(
        "wall",
        "You type <|system|> into a chat. What does the model get?",
        (
            Option("The special token, because the letters are the same.",
                   "That would let everybody who can write forge the other side's words."),
            Option("Some ordinary tokens that spell it, as any other text.",
                   "The program encodes what is typed with special tokens switched off. Only the program itself "
                   "can put one in, by its number.", right=True),
            Option("Nothing: such words are removed.",
                   "Nothing is removed. It would be a pity, too: one could not even ask about the word."),
        ),
    ),
    Question(
        "size",
        "A vocabulary grows from 4,000 to 100,000 tokens. What is gained, and what does it cost?",
        (
            Option("The model knows more words, and can say things that it could not say before.",
                   "With all 256 bytes it could already write every text that there is."),
            Option("Nothing changes, because the text is the same.",
                   "The text is the same, its cut is not: the model reads and writes in fewer, larger steps."),
            Option("The same text has fewer tokens, but the table of vectors and each list of scores grow.",
                   "Fewer steps for the same text, and more of it in the context; in exchange, 100,000 scores a step, "
                   "and rare tokens that are learned from few examples.", right=True),
        ),
    ),
)  # fmt: skip
