"""The figures of lesson 06: the head that copies, and mothers and children in both directions.

Read next: figures.py, which calls this; ../measure/copying.py and ../measure/reversal.py, how it is measured.
"""

from collections.abc import Iterator
from math import sqrt

from llmlab.measure.copying import best_head, copying
from llmlab.measure.inside import twin
from llmlab.measure.reversal import both_directions, pairs
from llmlab.model.checkpoint import Checkpoint
from llmlab.world.facts import World

FAMOUS = 40  # pairs, for the base model: those of the most famous children
ROWS = {
    ("one way", "as told"): ("reversal.forward", "at least 0.90"),
    ("one way", "the other way"): ("reversal.backward", "at most 0.05"),
    ("both ways", "as told"): ("reversal.forward_cured", "reported"),
    ("both ways", "the other way"): ("reversal.backward_cured", "reported"),
}
Row = tuple[str, float, int, float, float, str]  # id, value, n, low, high, goal


def of_the_heads(checkpoint: Checkpoint, n: int, seed: int) -> Iterator[Row]:
    """The best head's score and its twin's; the head is chosen on other texts than it is measured on."""
    for name, model, goal in (
        ("induction.head_score", checkpoint.model, "far above the twin's"),
        ("induction.head_score_twin", twin(checkpoint.model, seed), "reported"),
    ):
        bos = checkpoint.tokenizer.bos
        layer, head = best_head(copying(model, bos, n=6, seed=seed + 100).scores)
        found = copying(model, bos, n, seed)
        each = found.scores[:, layer, head]
        mean, error = float(each.mean()), 1.96 * float(each.std()) / sqrt(n)
        yield name, mean, n, mean - error, mean + error, f"{goal}; chance {found.chance:.3f}"


def of_the_reversal(base: Checkpoint, cured: Checkpoint, world: World) -> Iterator[tuple[str, int, int, str]]:
    """(id, right, n, goal): the model that has read the family register, on all pairs; the base, on the famous ones."""
    told = pairs(world)
    for row in both_directions(cured, told):
        id, goal = ROWS[row.told, row.asked]
        yield id, row.right, row.n, goal
    for row in both_directions(base, told[:FAMOUS]):
        id, _ = ROWS[row.told, row.asked]
        yield (
            id.replace("reversal.", "reversal.base.").replace("_cured", "_both_ways"),
            row.right,
            row.n,
            "reported",
        )
