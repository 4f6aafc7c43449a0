"""The prefix tree behind the blocks: every place's tokens and the rest make 1, at every temperature."""

import numpy as np
import pytest

from llmlab.show.tree import TEMPERATURES, Tree, roads

V = 50
VOCABULARY = [f" w{i}" for i in range(V)]


def ask(ids: list[int]) -> np.ndarray:
    """Scores that depend on all tokens before."""
    return np.random.default_rng([len(ids), *ids]).normal(0, 2, V).astype(np.float32)


def softmax(z: np.ndarray, temperature: float) -> np.ndarray:
    e = np.exp((z - z.max()).astype(np.float64) / temperature)
    return e / e.sum()


def way(tree, i: int) -> list[int]:
    """The ids from the prompt to the i-th road (counted from 1)."""
    ids = []
    while i:
        ids.insert(0, tree.roads[i - 1].id)
        i = tree.roads[i - 1].parent
    return ids


def test_shown_and_hidden_tokens_share_out_the_whole_probability():
    tree = roads(ask, [3, 1], VOCABULARY, depth=3, width=5, least=0.01)
    assert len(tree.rest) > 5
    for place, rest in tree.rest.items():
        scores = ask([3, 1, *way(tree, place)])
        kids = [r for r in tree.roads if r.parent == place]
        for step, temperature in enumerate(TEMPERATURES):
            logs = np.array([r.score / temperature for r in kids] + [rest[step]])
            shares = softmax(logs, 1)
            exact = softmax(scores, temperature)[[r.id for r in kids]]
            np.testing.assert_allclose(shares[:-1], exact, rtol=1e-6)
            assert shares[-1] == pytest.approx(1 - exact.sum(), abs=1e-6)


def test_the_likely_roads_are_asked_first():
    tree = roads(ask, [0], VOCABULARY, depth=3, width=4, least=0.0, most=6)
    assert len(tree.rest) == 6
    probability = {0: 1.0}
    for i, road in enumerate(tree.roads, start=1):
        probability[i] = probability[road.parent] * softmax(ask([0, *way(tree, road.parent)]), 1)[road.id]
    short = [i for i in probability if len(way(tree, i)) < 3]
    assert sorted(tree.rest) == sorted(sorted(short, key=lambda i: -probability[i])[:6])


def test_the_true_road_is_always_shown():
    unlikely = int(np.argsort(ask([0]))[0])
    tree = roads(ask, [0], VOCABULARY, width=3, truth=[unlikely, 7])
    marked = [r for r in tree.roads if r.truth]
    assert [r.id for r in marked][:1] == [unlikely]
    assert all(
        way(tree, tree.roads.index(r) + 1) == [unlikely, 7][: len(way(tree, tree.roads.index(r) + 1))]
        for r in marked
    )


def test_a_verdict_holds_further_along():
    tree = roads(ask, [0], VOCABULARY, width=3, least=0, verdict=lambda ids: "false" if len(ids) == 1 else "")
    assert {r.verdict for r in tree.roads} == {"false"} and len({r.parent for r in tree.roads}) > 3


def test_the_reply_carries_the_same_numbers():
    tree = roads(ask, [0], VOCABULARY, width=3)
    reply, (scores, rest) = tree.reply()
    np.testing.assert_allclose(np.frombuffer(scores, "<f4"), [r.score for r in tree.roads], rtol=1e-6)
    assert np.frombuffer(rest, "<f4").reshape(len(reply["asked"]), len(TEMPERATURES)).shape[0] == len(
        tree.rest
    )


def test_another_tree_can_be_written_into_the_widget():
    widget = Tree(roads(ask, [0], VOCABULARY), prompt="one")
    widget.show(roads(ask, [5], VOCABULARY), "two")
    assert widget.ids == [5] and widget.text == widget.prompt == "two" and widget.path == []
