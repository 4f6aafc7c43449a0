"""The rows of lesson 02: the model beside what can be counted, and what temperature does to words.

Read next: ../measure/index.py, what can be counted; ../generate/policy.py, the rules.
"""

import re
from collections.abc import Collection, Iterator

import numpy as np

from llmlab.generate.engine import generate_many, next_scores
from llmlab.generate.policy import Policy
from llmlab.measure.index import Index
from llmlab.model.checkpoint import Checkpoint
from llmlab.report.figure import Figure, mean, share
from llmlab.text.packing import TokenFile

READ = 100  # times that a beginning was read, for what followed it to be a distribution
LONGEST = 12  # tokens of a beginning
HEATS = (0.3, 1.0, 1.8)  # of the lesson's guess
BEGINNING, LENGTH = "The", 60  # tokens
WORD = re.compile(r"[^\W\d_]+")


def of_the_next_token(
    checkpoint: Checkpoint, index: Index, valid: TokenFile, words: Collection[str], quick: bool, seed: int
) -> Iterator[Figure]:
    """`next_token.agrees_with_counts`, and for each of HEATS `next_token.real_words_at.T`.

    valid: held-out documents, whose beginnings are asked about. words: those of the training text.
    """
    agreed = [shared for shared, _ in beside_counts(checkpoint, index, valid, 60 if quick else 300, seed)]
    yield mean("next_token.agrees_with_counts", agreed, "reported; 1 would be the same", seed)
    for heat in HEATS:
        rows = generate_many(
            checkpoint, BEGINNING, 20 if quick else 100, Policy(heat), seed, max_tokens=LENGTH
        )
        said = [word for row in rows for word in WORD.findall(checkpoint.tokenizer.decode(row))]
        real = sum(word in words for word in said)
        goal = "reported; falls as the temperature rises"
        yield share(f"next_token.real_words_at.{heat}", real, len(said), goal, seed)


def beside_counts(
    checkpoint: Checkpoint, index: Index, valid: TokenFile, n: int, seed: int
) -> Iterator[tuple[float, int]]:
    """For n beginnings of held-out pages that stood in the crawl READ times and more: the probability that the model
    and the counts give to the same tokens (1: the same distribution, 0: nothing in common), and how often it stood."""
    chance, found = np.random.default_rng(seed), 0
    for number in chance.permutation(len(valid)):
        document = valid.document(int(number))
        beginning = document[: int(chance.integers(2, LONGEST + 1))].tolist()
        counted = index.followers(beginning)
        if counted.length < len(beginning) or counted.total < READ:
            continue
        p = next_scores(checkpoint, beginning).softmax(-1).numpy()
        q = np.zeros_like(p)
        q[counted.tokens] = counted.counts / counted.total
        yield float(np.minimum(p, q).sum()), counted.total
        found += 1
        if found == n:
            return
