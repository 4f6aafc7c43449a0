"""The figures of lesson 06: the head that copies, and mothers and children in both directions.

Read next: figures.py, which calls this; ../measure/copying.py and ../measure/reversal.py, how it is measured.
"""

from collections.abc import Iterator
from math import log, sqrt

from llmlab.measure.copying import best_head, copying, gain, repeated
from llmlab.measure.inside import knock_out, twin
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
    """The head that copies and the one that looks one back, the twin's, and what repetition is worth without them.

    The heads are chosen on other texts than they are measured on.
    """
    model, bos = checkpoint.model, checkpoint.tokenizer.bos
    chosen, own = copying(model, bos, n=6, seed=seed + 100), copying(model, bos, n, seed)
    copier, teller = best_head(chosen.scores), best_head(chosen.before)
    other = twin(model, seed)
    twins, its_copier = (
        copying(other, bos, n, seed),
        best_head(copying(other, bos, n=6, seed=seed + 100).scores),
    )
    texts = repeated(model, bos, n, seed)
    without = {
        name: gain(knock_out(model, [head]), texts) for name, head in (("copier", copier), ("teller", teller))
    }
    of = lambda scores, head: scores[:, head[0], head[1]]  # noqa: E731
    rows = {
        "induction.head_score": (of(own.scores, copier), f"far above the twin's; chance {own.chance:.3f}"),
        "induction.head_score_twin": (of(twins.scores, its_copier), f"reported; chance {own.chance:.3f}"),
        "induction.previous_head_score": (of(own.before, teller), f"reported; chance {own.chance:.3f}"),
        "induction.gain_bits": (own.gain / log(2), "reported"),
        "induction.gain_bits_without_copier": (without["copier"] / log(2), "below the whole model's"),
        "induction.gain_bits_without_previous": (without["teller"] / log(2), "below the whole model's"),
    }
    for name, (each, goal) in rows.items():
        mean, error = float(each.mean()), 1.96 * float(each.std()) / sqrt(n)
        yield name, mean, n, mean - error, mean + error, goal


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
