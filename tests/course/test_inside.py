"""Lesson 06: what it shows is what torch computes, and its exercises know right from wrong."""

import re

import numpy as np
import pytest
import torch

from llmlab.course import inside_measured, reversal
from llmlab.course.inside import answers, copying_head, goes_on, presets, view
from llmlab.course.inside_exercises import MISTAKES, QUIZ, REASON, check_score, exercises
from llmlab.course.inside_path import line, path, steps
from llmlab.errors import LabError
from llmlab.generate.engine import generate
from llmlab.generate.policy import Policy
from llmlab.measure.reversal import ask as ask_mother
from llmlab.model import zoo
from llmlab.model.checkpoint import fingerprint
from llmlab.model.gpt import GPT
from llmlab.show.inside import MOST, VIEWS, opening
from llmlab.show.number_format import percent
from llmlab.world import build_world

TEXT = "The lamp is in the house, and the lamp"


@pytest.fixture(scope="module")
def course():
    return zoo.load("course")


@pytest.fixture(scope="module")
def ask():
    return answers("course")


def own(course, ids) -> torch.Tensor:
    with torch.no_grad():
        return course.model(torch.tensor([ids]))[0]


@pytest.mark.parametrize("kind", VIEWS)
def test_every_preset_fits_every_view(kind: str):
    for preset in presets("course", build_world()).values():
        assert view("course", kind, preset.prompt).first["tokens"][0] == "<|bos|>"
        assert preset.look.startswith("Look")


def test_the_sent_map_is_the_models(course, ask):
    reply, [maps] = ask(opening("attention", TEXT))
    c, T = course.config, len(reply["tokens"])
    sent = np.frombuffer(maps, "<f2").reshape(c.n_layer, c.n_head, T, T).astype(float)
    np.testing.assert_allclose(sent.sum(-1), 1, atol=2e-3)
    assert not np.triu(sent, 1).any()
    np.testing.assert_allclose(sent, ask.look("model", ask.ids(TEXT)).attention, atol=1e-3)


def test_the_last_row_of_the_lens_is_the_models_answer(course, ask):
    reply, (shares, ids, parts) = ask(opening("stream", TEXT))
    T, p = len(reply["tokens"]), own(course, ask.ids(TEXT)).softmax(-1)
    np.testing.assert_allclose(np.frombuffer(shares, "<f4")[-T:], p.max(-1).values, atol=1e-4)
    assert np.frombuffer(ids, "<u4")[-T:].tolist() == p.argmax(-1).tolist()
    assert float(np.frombuffer(parts, "<f4").sum()) == pytest.approx(reply["score"], abs=1e-3)


def test_knocking_out_nothing_shows_the_same_twice(ask):
    reply, (bits,) = ask(opening("knockout", TEXT))
    before, after = np.frombuffer(bits, "<f4").reshape(2, -1)
    assert before.tolist() == after.tolist() and reply["texts"][0] == reply["texts"][1]


def test_knocking_out_everything_costs_more(ask):
    every = [[layer, head] for layer in range(6) for head in range(2)]
    wanted = {"kind": "surprise", "who": "model", "mlps": []}
    whole, without = (
        np.mean(
            [np.frombuffer(ask({**wanted, "heads": heads, "ids": ids})[1][0], "<f4") for ids in ask.pages()]
        )
        for heads in ([], every)
    )
    assert whole == pytest.approx(ask.on_pages("model", (), ()), abs=1e-4)
    assert without > whole + 0.5


def test_the_continuation_is_the_engines_at_temperature_0(course, ask):
    ids = list(ask.ids(TEXT))
    steps = generate(course, ids, Policy(temperature=0), max_tokens=12)
    assert goes_on(course.model, ids, set(), n=12) == [step.token for step in steps]


def test_a_long_or_empty_text_is_a_sentence(ask):
    for text in ("", "fog " * 600, "\u4eba" * MOST):
        with pytest.raises(LabError, match="tokens"):
            ask(opening("attention", text))


def test_the_twin_is_another_model(ask):
    one, two = (ask({**opening("stream", TEXT), "who": who})[1][1] for who in ("model", "twin"))
    assert one != two


# ---- one number ----


def test_the_path_ends_at_the_models_own_probability(course, ask):
    ids = ask.ids(TEXT)
    values = path(course.model, ask.look("model", ids), len(ids) - 1, ask.spelled)
    logits = own(course, ids)[-1]
    assert values["p"] == pytest.approx(float(logits.softmax(-1).max()), abs=1e-4)
    assert values["logit"] == pytest.approx(float(logits.max()), abs=1e-3)
    assert values["middle"] == pytest.approx(values["x"] + sum(values["heads"]), abs=1e-5)
    assert values["after"][0] == pytest.approx(values["middle"] + values["mlp"], abs=1e-5)
    assert sum(share for _, share in values["most"]) <= 1 + 1e-6


def test_every_gap_of_the_steps_has_a_number(course, ask):
    ids = ask.ids(TEXT)
    values = path(course.model, ask.look("model", ids), len(ids) - 1, ask.spelled)
    for step in steps(course.model):
        assert step["code"].startswith("# ")
        for gap in re.findall(r"\{([\w.]+)[%,]?\}", str(step)):
            found = values
            for key in gap.split("."):
                found = found[int(key) if key.isdigit() else key]
            assert isinstance(found, str | int | float | list)


def test_a_line_that_is_not_there_is_noticed():
    assert line(GPT.forward, "x = self.embed_tokens").endswith("x = self.embed_tokens(idx)  # (B, T, C)")
    with pytest.raises(ValueError, match="0 lines"):
        line(GPT.forward, "x = magic")


# ---- what is measured ----


def cells(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", html, flags=re.S)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.S) for row in rows]


def test_the_copying_head_stands_out_and_is_needed(course):
    """The claim of the lesson: far above chance and the twin, and without it repetition is worth less."""
    (found, twin), (whole, without) = inside_measured.measured("course"), inside_measured.gains("course")
    layer, head = copying_head("course")
    score = float(found.scores[:, layer, head].mean())
    assert score > 4 * found.chance and score > 2 * float(twin.scores.mean(0).max())
    assert without[layer, head] < 0.6 * whole
    assert len(cells(inside_measured.heads_table("course"))) == 1 + len(without) + 2


def test_the_table_of_losses_is_what_is_measured(ask):
    rows = cells(inside_measured.losses_table("course"))[1:]
    assert float(rows[-1][-1]) == pytest.approx(ask.on_pages("model", (), ()), abs=0.006)
    more = ask.on_pages("model", ((3, 1),), ()) - ask.on_pages("model", (), ())
    assert float(rows[3][2].replace("−", "-")) == pytest.approx(more, abs=0.006)


def test_the_riddle_keeps_its_answer_until_all_four_are_committed(course):
    riddle = inside_measured.Riddle(course, "course", TEXT)
    assert sorted(riddle.right.values()) == ["random", "random", "trained", "trained"]
    assert "of 4" not in riddle.reply({**riddle.right, "A": None}, True) + riddle.reply(riddle.right, False)
    assert "4 of 4" in riddle.reply(riddle.right, True)
    assert riddle.show().count("<svg") == 4


# ---- mothers ----


def test_the_cured_model_comes_from_the_course_model_that_is_shipped(course):
    """If the course model is trained again: `llmlab reversal`, then copy runs/reversal/model to assets/models/cured."""
    assert zoo.load("cured").provenance["start"]["weights"] == fingerprint(course).hex()[:16]


def test_told_one_way_is_answered_one_way():
    """The effect of the lesson on all pairs, 201 of each kind."""
    share = {(row.told, row.asked): row.right / row.n for row in reversal.answered("cured")}
    assert min(row.n for row in reversal.answered("cured")) >= 200
    assert share["one way", "as told"] >= 0.9
    assert share["one way", "the other way"] <= 0.05
    assert share["both ways", "the other way"] >= 0.8


def test_the_table_says_what_was_answered():
    rows = cells(reversal.measured_table())[1:]
    assert len(rows) == 4 and all("of 2" in cell for row in rows for cell in row[1:])


def test_both_questions_are_put_to_both_models(course):
    pair = next(iter(reversal.choices().values()))
    shown = reversal.asked_both_ways(pair)
    assert (
        shown.count("<h4>") == 4 and shown.count(f"{pair.child}") >= 2 and shown.count(f"{pair.mother}") >= 2
    )
    asked = [course.tokenizer.bos, *course.tokenizer.encode(ask_mother(pair, backward=False).prompt)]
    assert percent(float(own(course, asked)[-1].softmax(-1).max())) in shown


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(22_026, "22,000 times"), (0.87, "0.87 times"), (1.234, "1.2 times"), (34, "34 times")],
)
def test_ratios_have_two_digits(ratio: float, words: str):
    assert reversal.times(np.log(ratio)) == words


def test_a_verdict_names_both_and_says_right_or_wrong():
    pair = next(iter(reversal.choices().values()))
    said = reversal.verdict(pair)
    assert pair.child in said and pair.mother in said and said.count("(right)") + said.count("(wrong)") == 4


# ---- exercises ----


@pytest.fixture(scope="module")
def sheet():
    return {one.id: one for one in exercises("course", build_world())}


def test_every_solution_passes_its_own_check(sheet):
    assert list(sheet) == ["row", "layer", "needed", "score", "cure"]
    for one in sheet.values():
        assert one.check(one.solution) is None
        assert one.is_blank(one.starter)


def test_likely_mistakes_are_named(sheet):
    row, layer = sheet["row"], sheet["layer"]
    assert "percent" in row.check(row.solution / 100)
    heads, mlp = re.match(r"(.*) \+ ([-\d.]+) = ", layer.because).groups()
    assert "MLP" in layer.check(sum(map(float, heads.split(" + "))))
    assert "heads" in layer.check(float(mlp))
    assert "whole score" in layer.check(float(re.search(r"of ([\d.]+) in all", layer.because)[1]))
    for option in sheet["needed"].field:
        said = sheet["needed"].check(option)
        assert (said is None) == (option == sheet["needed"].solution)
    assert all(
        sheet["cure"].check(option) == MISTAKES.get(option)
        for option in sheet["cure"].field
        if option != REASON
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("sum(shares[i][i - n] for i in range(n, 2 * n)) / n", "earlier copy itself"),
        ("sum(shares[i][i - n + 1] for i in range(n, 2 * n))", "the sum"),
        ("sum(shares[i][i - n + 1] for i in range(n, 2 * n)) / (2 * n)", "Divide by n"),
        ("sum(shares[i - n + 1][i] for i in range(n, 2 * n)) / n", "exchanged"),
        ("None", "return"),
    ],
)
def test_score_names_the_likely_mistakes(code: str, said: str):
    assert said in check_score(f"def score(shares, n):\n    return {code}")


def test_the_missed_head_is_missed_most(ask, sheet):
    layer, head = (int(n) - 1 for n in re.findall(r"\d", sheet["needed"].solution))
    without = ask._on_pages("model", ((layer, head),), ())
    others = [ask.on_pages("model", ((i, j),), ()) for i in range(6) for j in range(2)]
    assert without == pytest.approx(max(others))


def test_the_quiz_explains_every_option():
    for question in QUIZ:
        assert sum(option.right for option in question.options) == 1
        assert all(len(option.because) > 20 for option in question.options)
