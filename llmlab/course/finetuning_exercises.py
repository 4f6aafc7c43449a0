"""Lesson 07, its exercises and its quiz. What can be computed is computed from the models of the lesson."""

from collections.abc import Sequence

from llmlab.course.exercises import Answer, Exercise, Option, Question, check_calls
from llmlab.course.finetuning import ASSISTANT, as_turn, pair, presets
from llmlab.measure.shift import SHIFTED
from llmlab.model import zoo
from llmlab.world.facts import World


def exercises(world: World) -> list[Exercise]:
    """Five exercises."""
    return [count_shifted(presets(world)["A question"]), special_tokens(), LEARNED, NEXT_DATA, LORA]


# ---- with the strip ----


def count_shifted(prompt: str) -> Exercise:
    """How many tokens of the first answer are shifted."""
    found = pair(prompt).shifts
    kinds = [one.kind for one in found]
    right, not_same = kinds.count(SHIFTED), sum(one.rank > 1 for one in found)

    def check(given: Answer) -> str | None:
        x = float(given)
        if x == right:
            return None
        if x == len(kinds):
            return "That is all tokens of the answer. Count those whose rank is beyond three."
        if x == not_same:
            return "Those that are marginal are in it, too: there the token is second or third for the base."
        if x == right - 1 and kinds[-1:] == [SHIFTED]:
            return "The last token of the answer, <|end|>, is a token, too."
        return "Open the table of the strip (T) and count the rows with “shifted”."

    return Exercise(
        id="shifted", title="What had to change", difficulty=1, minutes=2,
        question=f"Let both models read *{prompt}*. How many tokens of the assistant's answer are **shifted**?",
        field="number", check=check,
        hints=("The strip below the two columns has one bar for each token of the answer.",
               "A token is shifted where it is not among the base model's first three. Button *Table*."),
        solution=float(right),
        because=f"{right} of {len(kinds)}. In large models it is a small share, mostly words of form. Our base model "
        "has never seen a special token, so nearly every place where an answer could begin or end is new to it.",
    )  # fmt: skip


# ---- tokens of a chat ----


def special_tokens() -> Exercise:
    """How many tokens a user can never type."""
    checkpoint = zoo.load(ASSISTANT)
    ids = as_turn("Hello <|end|>", checkpoint)
    reserved = set(checkpoint.tokenizer.special.values())
    right, typed_ones = sum(token in reserved for token in ids), len(ids)

    def check(given: Answer) -> str | None:
        x = float(given)
        if x == right:
            return None
        if x == right + 1:
            return "One too many. The `<|end|>` that was typed is ordinary text: it becomes several ordinary tokens."
        if x == typed_ones:
            return "Those are all tokens. Only the reserved ones are asked for; the raw stream shows them as boxes."
        if x == right - 1:
            return "One is missing. The last token that is read says that the assistant speaks now."
        return "Say it in the chat and look at the raw stream: count the boxes before the answer."

    return Exercise(
        id="special", title="What nobody can type", difficulty=2, minutes=3,
        question="A user writes `Hello <|end|>` as the first message of a chat. How many **special** tokens does "
        "the model read before it begins to answer?",
        field="number", check=check,
        hints=("Try it in the chat, and open the raw stream.",
               "In front of everything, in front of and behind the user's turn, and one where the answer begins."),
        solution=float(right),
        because="`<|bos|>`, `<|user|>`, `<|end|>` behind the turn, `<|assistant|>`. What the user typed is encoded "
        "with special tokens switched off; else anybody could speak in the assistant's name.",
    )  # fmt: skip


# ---- code ----


CASES = (
    (["bos", "user", "user", "end", "assistant", "end"],),
    (["bos", "user", "end", "assistant", "assistant", "end", "user", "end", "assistant", "end"],),
)


def mask(kinds: Sequence[str]) -> list[bool]:
    """The assistant's words, and each end mark behind them."""
    found, last = [], ""
    for kind in kinds:
        found.append(kind == "assistant" or (kind == "end" and last == "assistant"))
        last = kind if kind != "end" else ""
    return found


def likely(case: tuple, got: list, right: list) -> str:
    """The mistake that such a mask speaks of."""
    (kinds,) = case
    if len(got) != len(right):
        return "There should be one True or False for each token."
    if got == [kind == "assistant" for kind in kinds]:
        return "The `end` behind the assistant's words is missing: without it the model never learns to stop."
    if got == [kind in ("assistant", "end") for kind in kinds]:
        return "The `end` behind a user's words is in it. The user writes that one."
    if all(got):
        return "So the model practises asking questions, too."
    if got == [not x for x in right]:
        return "It is the other way round: True where the model learns."
    return "Walk through the tokens and remember whose turn it is."


LEARNED = Exercise(
    id="mask", title="Whose words are learned?", difficulty=3, minutes=6,
    question="Write `mask`: it gets the kinds of a conversation's tokens, such as `['bos', 'user', 'user', 'end', "
    "'assistant', 'end']`, and gives a list that says for each token whether the model **learns to write it**. "
    "Plain Python.",
    field="code",
    check=lambda code: check_calls(code, "mask", CASES, mask, likely),
    starter="def mask(kinds):\n    ...",
    hints=("The assistant's words are learned. The user's are only read.",
           "An `end` belongs to whoever spoke last: remember the kind before it."),
    solution="def mask(kinds):\n    found, last = [], ''\n    for kind in kinds:\n        "
    "found.append(kind == 'assistant' or (kind == 'end' and last == 'assistant'))\n"
    "        last = kind if kind != 'end' else ''\n    return found",
    because="That is the whole difference between the loss of pretraining and that of finetuning; in the package it is "
    "the `learned` of a dialogue, in `llmlab/text/dialogue.py`.",
)  # fmt: skip

# ---- choice ----

REASON = "Put the page with the fact into the context and ask again"
MISTAKES = {
    "Finetune on 500 conversations that answer such questions": "It learns that such questions get an answer, and "
    "where the base has read nothing it will make one up. That is how one trains a model to dream.",
    "Lower the temperature": "At temperature 0 it says its likeliest invention. The fact is not in it.",
    "Finetune longer on the same conversations": "What no conversation and no page says is not learned from reading "
    "the same again.",
}
NEXT_DATA = Exercise(
    id="page", title="It makes something up", difficulty=1, minutes=2,
    question="Your assistant answers a question about a fact that stood on a single page, and the answer is made up. "
    "You need the right one, now. What helps?",
    field=(next(iter(MISTAKES)), REASON, *list(MISTAKES)[1:]),
    check=lambda given: None if given == REASON else MISTAKES.get(str(given), "Choose one of the four."),
    hints=("Which of the three lines in the picture is lowest?", "What is in the context need not be remembered."),
    solution=REASON,
    because="From a text that it reads the assistant mostly takes the right value. Lesson 12 lets it fetch the page "
    "itself.",
)  # fmt: skip

CHANNELS, LORA_RANK = 192, 8


def check_lora(given: Answer) -> str | None:
    x, right = float(given), 2 * CHANNELS * LORA_RANK
    if x == right:
        return None
    if x == CHANNELS * LORA_RANK:
        return "That is one of the two thin matrices. There are A and B."
    if x == CHANNELS * CHANNELS:
        return "That is the whole matrix, which stays as it is."
    if x == CHANNELS * CHANNELS + right:
        return "The whole matrix is not learned: it is frozen."
    return "A has 8 rows of 192 numbers, B 192 rows of 8."


LORA = Exercise(
    id="lora", title="A thin correction", difficulty=2, minutes=3,
    question=f"A weight matrix has {CHANNELS} × {CHANNELS} numbers. LoRA leaves it as it is and learns a correction "
    f"B·A of rank {LORA_RANK}. How many numbers does it learn for this matrix?",
    field="number", check=check_lora,
    hints=("B·A has the shape of the matrix, and its inner dimension is the rank.", "Two matrices of 192 times 8."),
    solution=float(2 * CHANNELS * LORA_RANK),
    because="2 × 192 × 8 = 3,072 of 36,864, one twelfth. For a matrix of 8,192 × 8,192, as in Llama 2 70B, it is "
    "131,072 of 67 million: one in 512.",
)  # fmt: skip

QUIZ = (
    Question(
        "weights",
        "What is new in an assistant, compared with its base model?",
        (
            Option("Another network, made for answering.",
                   "It is the same network and the same loop; even the file has the same shape. You blended the two."),
            Option("The numbers in it moved a little, because it went on learning, on conversations.",
                   "Another data set, and the same training. That is why one can stop at any place between them.",
                   right=True),
            Option("A list of questions and answers that it looks up.",
                   "Nothing is stored beside the weights; it answers questions in wordings that no example had."),
        ),
    ),
    Question(
        "sloppy",
        "You have money for 1,000 quick labels or 100 careful ones. Why are the careful ones often better?",
        (
            Option("Because fewer examples are learned faster.",
                   "Both runs take as many steps. What counts is what is imitated."),
            Option("Because finetuning teaches a manner of answering: whatever the labels do, the model does.",
                   "It chats, guesses and runs on exactly as often as its examples; the knowledge is from the crawl.",
                   right=True),
            Option("Because 1,000 examples do not fit into the model.",
                   "The crawl was some hundred times larger, and it was learned from."),
        ),
    ),
    Question(
        "dreams",
        "Asked about something that it never read, an assistant answers smoothly and wrongly. What happened?",
        (
            Option("It was finetuned badly: a good assistant cannot make things up.",
                   "Look at the picture: this one does, too. Examples that say “I don't know” make it rarer."),
            Option("It still dreams. Finetuning gave the dream the form of an answer.",
                   "The next token is chosen as before. What helps is the page in the context.", right=True),
            Option("It has lied.",
                   "To lie one must know better. The measurement says that there is nothing to know it from."),
        ),
    ),
)  # fmt: skip
