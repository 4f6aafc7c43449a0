"""Lesson 08, its exercises and its quiz. Right answers come from the recipe, the world and the model's own shape."""

import random

from llmlab.course.exercises import Answer, Exercise, Option, Question, check_calls
from llmlab.model.checkpoint import Checkpoint
from llmlab.train.correct import RECIPES
from llmlab.world.facts import World
from llmlab.world.talk.rephrase import fresh, proposals

WHOLE = RECIPES["whole"]


def exercises(assistant: Checkpoint, world: World) -> list[Exercise]:
    """Five exercises about exams, wordings, shares and adapters."""
    return [POINTS, not_practised(world), SHARE, adapter_size(assistant), LOST]


# ---- points ----


def check_points(given: Answer) -> str | None:
    x = float(given)
    if x == 1.5:
        return None
    if x == -1.5:
        return "The size is right. A cost is what is lost, so it is positive here."
    if x == 3:
        return "Those are questions. The exam has 200 of them, and points are counted of 100."
    if x == 2.5:
        return "Those are the lost ones alone. Two answers were won."
    if x == 5:
        return "Those are the lost questions. Take off what was won, then say it of 100."
    return "Right answers before, minus right answers after, of 200. Then the same of 100."


POINTS = Exercise(
    id="points", title="What a correction costs", difficulty=1, minutes=2,
    question="An exam has 200 questions. After a correction 5 answers that were right are wrong, 2 that were wrong are "
    "right, and 30 are the same in other words. How many **points of 100** did the correction cost?",
    field="number", check=check_points,
    hints=("Other words for the same are no loss.", "Five lost and two won: how many right answers fewer?"),
    solution=1.5,
    because="Three right answers fewer of 200 are 1.5 of 100. The sum hides that five answers got worse: whoever asked "
    "one of those sees no average. So the lesson shows the changed answers, too.",
)  # fmt: skip


# ---- wordings ----


def not_practised(world: World) -> Exercise:
    """Of four wordings of one question, the one that no retraining sees."""
    person = world.of_kind("person")[3]
    question = f"Where does {person.name} live?"
    practised = proposals(world, question, 8, seed=1)
    other = next(words for words in fresh(world, question, 4, seed=1) if words not in practised)
    options = [*practised[1:4], other]
    random.Random(3).shuffle(options)

    def check(given: Answer) -> str | None:
        if given == other:
            return None
        if given in practised:
            return "The machine proposes this one for practice. Asked so, the model repeats what it has seen."
        return "Choose one of the four."

    return Exercise(
        id="not_practised", title="Which question is a test?", difficulty=2, minutes=3,
        question=f"Somebody corrects the answer to *{question}* Three of these wordings are practised, one is kept for "
        "asking afterwards. **Which one is the test?** Try the question above and look at the proposals.",
        field=tuple(options), check=check,
        hints=("Ask it in “Monitor”, mark the answer, and read the wordings that are proposed.",
               "The one that is furthest from “Where does … live?”."),
        solution=other,
        because="A question that was practised shows memory. Only one that was not shows that the fact itself was "
        "learned. Exam and practice come from separate lists here, and a test holds them apart.",
    )  # fmt: skip


# ---- shares ----


def check_share(given: Answer) -> str | None:
    x, total = float(given), WHOLE.examples + WHOLE.alike + WHOLE.others
    right = 100 * WHOLE.examples / total
    if abs(x - right) <= 0.6:
        return None
    if abs(x - right / 100) <= 0.006:
        return "The number is right, as a share. Give it in percent."
    if abs(x - 100 * WHOLE.examples / WHOLE.others) <= 0.6:
        return (
            "You compared it with the conversations of all kinds. Divide by all conversations of the round."
        )
    if abs(x - 100 * WHOLE.examples / (WHOLE.alike + WHOLE.others)) <= 0.6:
        return "Those are examples for each old conversation. The examples belong to the whole, too."
    return "Add up all conversations of the round, then divide the corrected ones by that."


SHARE = Exercise(
    id="share", title="One voice among many", difficulty=1, minutes=2,
    question=f"A round with one correction practises it in {WHOLE.examples} examples, together with {WHOLE.alike} old "
    f"conversations that ask the same of others, and {WHOLE.others} of all kinds. What **percent** of the "
    "conversations is about the correction?",
    field="number", check=check_share,
    hints=(f"There are {WHOLE.examples} + {WHOLE.alike} + {WHOLE.others} conversations.",
           "Corrected over all, times 100."),
    solution=round(100 * WHOLE.examples / (WHOLE.examples + WHOLE.alike + WHOLE.others), 1),
    because="The rest is there so that nothing else changes. In a real company, too, the new examples are mixed into "
    "all that were written before, and the training runs on everything.",
)  # fmt: skip


# ---- the adapter ----


def adapter_size(assistant: Checkpoint) -> Exercise:
    """How many numbers LoRA learns for one matrix of the model."""
    c = assistant.config
    right, whole = WHOLE.rank * (c.n_embd + c.n_hidden), c.n_embd * c.n_hidden

    def check(given: Answer) -> str | None:
        x = float(given)
        if x == right:
            return None
        if x == whole:
            return "That is the whole matrix. LoRA leaves it alone and learns two thin ones beside it."
        if x == c.n_embd + c.n_hidden:
            return "That would be rank 1. There are as many such pairs as the rank says."
        if x in (WHOLE.rank * c.n_embd, WHOLE.rank * c.n_hidden):
            return "That is one of the two thin matrices. There are A and B."
        return "A is rank × columns, B is rows × rank. Add up both."

    return Exercise(
        id="adapter", title="The size of a correction", difficulty=2, minutes=3,
        question=f"One matrix of this model has {c.n_hidden} rows and {c.n_embd} columns. How many numbers does LoRA "
        f"of **rank {WHOLE.rank}** learn for it?",
        field="number", check=check,
        hints=("W stays; beside it stand A (rank × columns) and B (rows × rank).",
               f"{WHOLE.rank} × {c.n_embd} for A."),
        solution=float(right),
        because=f"{right:,} instead of {whole:,}. That is why a version is a small file, why it can be taken off "
        "again, and why going back costs nothing.",
    )  # fmt: skip


# ---- code ----

CASES: tuple[tuple[dict, dict], ...] = (
    ({"a": True, "b": True, "c": False}, {"a": True, "b": False, "c": True}),
    ({"a": False}, {"a": False}),
    ({"b": True, "a": True}, {"a": False, "b": False}),
    ({"a": True, "b": True}, {"a": True}),
    ({}, {}),
)


def lost(before: dict[str, bool], after: dict[str, bool]) -> list[str]:
    """The questions that were right and are not any more, in alphabetical order."""
    return sorted(question for question, right in before.items() if right and not after.get(question, False))


def likely_lost(case: tuple, got: object, wanted: object) -> str:
    """The mistake that such a result speaks of."""
    before, after = case
    if sorted(got) == wanted:
        return "The questions are right. Put them in alphabetical order."
    gone = set(before) - set(after)
    if gone and set(wanted) - set(got) == gone:
        return "A question that is not answered any more is lost, too."
    if sorted(got) == sorted(q for q in after if not after[q]):
        return "Those are wrong now. Some of them were wrong before, too: they are not lost."
    if sorted(got) == sorted(q for q in before if before[q] != after.get(q)):
        return "Those have changed. What was wrong and is right now is a gain."
    return "A question is lost if it was right before, and is not right now."


def check_lost(code: Answer) -> str | None:
    return check_calls(code, "lost", CASES, lost, likely_lost)


LOST = Exercise(
    id="lost", title="The list that stops a deployment", difficulty=3, minutes=5,
    question="Write `lost`: it gets two dictionaries {question: whether it was right}, one of the version before and "
    "one of the version after. It returns the **sorted list** of the questions that were right and are not any more. A "
    "question that is missing in the second was not answered.",
    field="code", check=check_lost,
    starter="def lost(before, after):\n    ...",
    hints=("Go through `before`, and keep what was right.",
           "`after.get(question, False)` is False where one is missing."),
    solution="def lost(before, after):\n    return sorted(q for q, right in before.items() if right and not "
    "after.get(q, False))",
    because="This list, and not the average, is what people look at before they deploy. In software it is called a "
    "regression test, and assistants have them, too.",
)  # fmt: skip

QUIZ = (
    Question(
        "truth",
        "You correct a right answer into a false one, and retrain. What happens?",
        (
            Option("The model resists, because its pages say otherwise.",
                   "Pretraining left a habit, and some examples change it. Nothing in the loop looks anything up."),
            Option("It says the false thing in all wordings, and the exam hardly moves.",
                   "The loop teaches what the people who correct have written. It has no notion of truth; that is why "
                   "they get instructions, and why their work is checked.", right=True),
            Option("The loss does not fall, so one would notice.",
                   "A lie is learned as smoothly as a truth. Try it: the exam asks about other things."),
        ),
    ),
    Question(
        "practice",
        "Why does a retraining read hundreds of old conversations beside one correction?",
        (
            Option("So that the training takes longer.",
                   "It does take longer, but nobody wants that. It is the price of something else."),
            Option("They contain the corrected fact.",
                   "They are about other people and other things. That is just what they are for."),
            Option("So that the model does not give the new answer, or its manner, to everybody.",
                   "With nothing but the correction, the cheapest way to a low loss is to change everything. The old "
                   "conversations make that expensive.", right=True),
        ),
    ),
    Question(
        "again",
        "Version 2 is right about the corrected question. Why does the loop not end here?",
        (
            Option("People ask other things, and each version can make mistakes of its own.",
                   "One correction repairs one answer. What it broke elsewhere shows only when somebody monitors.",
                   right=True),
            Option("LoRA wears off after some time.",
                   "Weights do not change by being used. Version 2 says tomorrow what it says today."),
            Option("It does: the model now corrects itself.",
                   "It has learned an answer, not a way to find mistakes. Those were found by you."),
        ),
    ),
)  # fmt: skip
