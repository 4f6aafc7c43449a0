"""Lesson 02: what it shows is what the model and the policy give, and its exercises know right from wrong."""

import math
from functools import lru_cache

import numpy as np
import pytest
import torch

from llmlab.course import next_token
from llmlab.course.answers import judge
from llmlab.course.next_token import (
    Riddle,
    belief,
    best,
    dream,
    kept,
    rules_table,
)
from llmlab.course.next_token_exercises import (
    LISTS,
    MISTAKES,
    QUIZ,
    REASON,
    RECIPE,
    TALK,
    check_top_k,
    exercises,
)
from llmlab.generate.engine import generate
from llmlab.generate.policy import Policy
from llmlab.measure.exam import ask
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.world import build_world


@pytest.fixture(scope="module")
def course() -> Checkpoint:
    return zoo.load("course")


@lru_cache
def probabilities(text: str) -> np.ndarray:
    """The next token's distribution by torch's own road: model/gpt.py, softmax in numpy."""
    checkpoint = zoo.load("course")
    ids = [checkpoint.tokenizer.bos, *checkpoint.tokenizer.encode(text)]
    with torch.no_grad():
        z = checkpoint.model(torch.tensor([ids]))[0, -1].double().numpy()
    p = np.exp(z - z.max())
    return p / p.sum()


def test_bars_beside_each_other_are_the_models_own(course: Checkpoint):
    p = probabilities(TALK)
    found = best(course, TALK, 8)
    assert [x for _, x in found] == pytest.approx(sorted(p, reverse=True)[:8], rel=1e-3)
    assert found[0][0] == course.tokenizer.decode([int(p.argmax())]).strip()


def test_an_untrained_model_is_nearly_indifferent(course: Checkpoint):
    assert best(zoo.newborn(course), TALK, 1)[0][1] < 0.05


def test_belief_is_the_product_along_the_answer(course: Checkpoint):
    world = build_world()
    fact = world.fact(world.of_kind("person")[0].id, "town")
    question = ask(world, fact, 0)
    text, product = question.prompt, 1.0
    for token in course.tokenizer.encode(question.prompt + question.answer)[
        len(course.tokenizer.encode(text)) :
    ]:
        product *= probabilities(text)[token]
        text += course.tokenizer.decode([token])
    assert text == question.prompt + question.answer
    assert belief(course, world, fact) == pytest.approx(product, rel=1e-3)


def test_presets_are_five_and_fit_into_the_context(course: Checkpoint):
    made = next_token.presets("course")
    assert len(made) == 5
    assert all(not p.prompt.endswith(" ") and p.look.startswith("Look at") for p in made.values())


def test_facts_are_chosen_by_what_the_model_knows(course: Checkpoint):
    world = build_world()
    chosen = {name: next_token.asked("course", name) for name in next_token.ASKED}
    towns = [world.fact(person.id, "town") for person in world.of_kind("person")[:10]]
    assert belief(course, world, chosen[next_token.KNOWN]) >= max(
        belief(course, world, fact) for fact in towns
    )
    assert world.entities[chosen[next_token.UNKNOWN].subject].oneoff


def test_roads_hold_the_truth_and_judge_it(course: Checkpoint):
    world, fact = build_world(), next_token.asked("course", next_token.KNOWN)
    verdict = judge(course, world, fact)
    encode = course.tokenizer.encode
    another = next(f.value for f in world.facts if f.attribute == fact.attribute and f.value != fact.value)
    assert verdict(encode(f" {fact.value}")) == "true"
    assert verdict(encode(f" {another}")) == "false"
    assert verdict(encode(" Xylophoneville")) == "nothing"
    assert verdict(encode(" this house")) == ""
    tree = next_token.roads_of(course, world, fact)
    structure, _ = tree._answer({"kind": "tree", "ids": [*tree.ids, *encode(f" {fact.value}")]})
    assert set(structure["verdicts"]) == {"true"}  # said is said, whatever follows
    structure, _ = tree._answer({"kind": "tree", "ids": [*tree.ids, *encode(f" {another}")]})
    assert set(structure["verdicts"]) == {"false"} and not structure["truth"]
    assert tree.first["truth"]
    assert fact.value in tree.alt


def test_a_dream_shows_what_the_model_itself_thinks_of_each_token(course: Checkpoint):
    """Whatever the temperature and the cut: the colours are the model's, by torch."""
    policy = Policy(temperature=1.8, top_p=0.5)
    one = dream(course, "The", policy, seed=5, length=12)
    start = [course.tokenizer.bos, *course.tokenizer.encode("The")]
    ids = [*start, *(step.token for step in generate(course, start, policy, 5, 12))]
    with torch.no_grad():
        p = course.model(torch.tensor([ids]))[0].softmax(-1)
    assert np.isnan(one.probability[: len(start) - 1]).all()
    theirs = [float(p[i - 1, ids[i]]) for i in range(len(start), len(ids))]
    assert one.probability[len(start) - 1 :] == pytest.approx(theirs, rel=1e-3)
    assert one.surprise == pytest.approx(-np.log2(theirs).mean(), rel=1e-3)


def test_the_same_seed_gives_the_same_dream_and_heat_gives_surprise(course: Checkpoint):
    runs = [dream(course, "The", Policy(t), seed=5) for t in (0.3, 0.3, 1.8)]
    assert runs[0].tokens == runs[1].tokens
    cold, hot = (
        np.mean([dream(course, "The", Policy(t), seed).surprise for seed in range(4)]) for t in (0.3, 1.8)
    )
    assert hot > cold + 1


def test_a_text_is_the_same_however_few_tokens_are_asked_for_at_a_time(course: Checkpoint):
    """And each token's numbers are torch's: the model's own, and after the rule."""
    answer, chances = (
        next_token.heats(course)._answer,
        torch.rand(12, generator=torch.manual_seed(1)).tolist(),
    )
    policy = {"temperature": 1.8, "top_p": 0.9}
    whole, _ = answer({"kind": "write", "text": "The", "policy": policy, "chances": chances})
    steps, ids = [], [course.tokenizer.bos, *course.tokenizer.encode("The")]
    for at in range(0, 12, 5):
        part, _ = answer({"kind": "write", "ids": ids, "policy": policy, "chances": chances[at : at + 5]})
        steps, ids = [*steps, *part["steps"]], part["ids"]
    assert ids == whole["ids"] and [step["id"] for step in steps] == [step["id"] for step in whole["steps"]]
    before = ids[: -len(steps)]
    for step in whole["steps"]:
        with torch.no_grad():
            z = course.model(torch.tensor([before]))[0, -1].double()
        p, q = z.softmax(-1), Policy(**policy).cut(z / 1.8).softmax(-1)
        assert step["p"] == pytest.approx(float(p[step["id"]]), rel=1e-3)
        assert step["drawn"] == pytest.approx(float(q[step["id"]]), rel=5e-3)
        assert step["before"] == int((p > p[step["id"]]).sum())
        likelier = p.sort(descending=True).values[: min(3, step["before"])].tolist()
        assert [one["p"] for one in step["likelier"]] == pytest.approx(likelier, rel=1e-3)
        before = [*before, step["id"]]


def test_the_riddle_keeps_its_colours_until_all_three_are_committed(course: Checkpoint):
    riddle = Riddle(course, "The", seed=3)
    right = {"A": "1.0", "B": "1.8", "C": "0.3"}
    assert all(not text.probability for text in riddle.texts)
    riddle.reply({**right, "C": None}, commit=True)
    riddle.reply(right, commit=False)
    assert all(not text.probability for text in riddle.texts)
    assert "3 of 3" in riddle.reply(right, commit=True)
    assert all(text.probability for text in riddle.texts)
    assert "3 of 3" in riddle.reply(
        {"A": "0.3", "B": "0.3", "C": "0.3"}, commit=True
    )  # committed is committed


def test_kept_counts_what_the_rules_leave(course: Checkpoint):
    p = np.sort(probabilities(RECIPE))[::-1]
    scores = next_token.next_scores(course, RECIPE)
    assert kept(scores, Policy(top_k=10))[0] == 10
    assert kept(scores, Policy(top_p=0.9))[0] == int(np.searchsorted(p.cumsum(), 0.9)) + 1
    assert kept(scores, Policy(min_p=0.1))[0] == int((p >= 0.1 * p[0]).sum())
    assert kept(scores, Policy())[2] == pytest.approx(-(p * np.log2(p)).sum(), rel=1e-3)


def test_a_models_words_are_text_and_never_markup(course: Checkpoint):
    made = next_token.three_models(course, None, 0, "<b>&")
    assert "<b>" not in made.replace('<b class="', "")
    assert "&lt;b&gt;&amp;" in made
    assert "<script" not in rules_table(course, *list(next_token.presets("course").values())[:2])


# ---- exercises ----


def exercise(name: str):
    return next(one for one in exercises(zoo.load("course")) if one.id == name)


@pytest.mark.parametrize("name", ["road", "nucleus", "certain", "top_k", "circles"])
def test_every_solution_passes_its_own_check(name: str):
    one = exercise(name)
    assert one.check(one.solution) is None
    assert one.is_blank(one.starter)


def test_road_names_the_likely_mistakes():
    one = exercise("road")
    first, second = (float(part.split("%")[0]) for part in one.because.split(" × ", 1))
    assert one.check(first * second / 100) is None  # from the rounded numbers on the screen
    assert "sum" in one.check(first + second)
    assert "share" in one.check(one.solution / 100)
    assert "one of the two" in one.check(first)


def test_nucleus_is_where_the_tokens_ahead_reach_p():
    one = exercise("nucleus")
    p = np.sort(probabilities(RECIPE))[::-1].cumsum()
    ahead = [math.floor(100 * mass) + 1 for mass in p[:60]]
    assert one.solution in ahead
    assert "smaller" in one.check(min(100, one.solution + 15))
    assert "cut" in one.check(1)
    assert "percent" in one.check(one.solution / 100)


def test_certain_is_the_highest_temperature_under_the_bound():
    one = exercise("certain")
    z = np.log(probabilities(RECIPE))

    def bits(t: float) -> float:
        p = np.exp(z / t - (z / t).max())
        p /= p.sum()
        return float(-(p[p > 0] * np.log2(p[p > 0])).sum())

    bound = float(one.question.split("at most **")[1].split(" ")[0])
    assert bits(one.solution) <= bound + 1e-6 < bits(one.solution + 0.011)
    assert "Go lower" in one.check(min(2.0, one.solution + 0.1))
    assert "higher temperature" in one.check(one.solution - 0.1)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def keep_top_k(scores, k):\n    sorted(scores)", "return"),
        ("def keep_top_k(scores, k):\n    return sorted(scores)[-k:]", "length"),
        (
            "def keep_top_k(scores, k):\n    best = sorted(range(len(scores)), key=lambda i: -scores[i])[:k]\n"
            "    return [s if i in best else float('-inf') for i, s in enumerate(scores)]",
            "same score as the k-th",
        ),
        (
            "def keep_top_k(scores, k):\n    least = sorted(scores, reverse=True)[k - 1]\n"
            "    return [s if s >= least else float('-inf') for s in scores]",
            "IndexError",
        ),
    ],
)
def test_top_k_names_the_likely_mistakes(code: str, said: str):
    from llmlab.course.sandbox import CodeError

    try:
        mistake = check_top_k(code)
    except CodeError as error:
        mistake = str(error)
    assert mistake is not None
    assert said in mistake


def test_top_k_lists_hold_a_tie_and_a_k_that_is_too_large():
    assert any(k > len(scores) for scores, k in LISTS)
    assert any(sorted(scores)[-k] == sorted(scores)[-k - 1] for scores, k in LISTS if k < len(scores))


def test_circles_explains_each_wrong_choice():
    one = exercise("circles")
    assert set(one.field) == {REASON, *MISTAKES}
    assert all(one.check(choice) == MISTAKES[choice] for choice in MISTAKES)


def test_each_question_has_one_right_option_and_explains_all():
    for question in QUIZ:
        assert sum(option.right for option in question.options) == 1
        assert all(option.because for option in question.options)
