"""The rows of lesson 03: what a token costs, and what it hides from the model.

Each is measured by the function that the lesson itself calls.
"""

from collections.abc import Iterator
from itertools import islice

from llmlab.measure import digits, samples, spelling
from llmlab.model.checkpoint import Checkpoint
from llmlab.report.figure import Figure, mean, share
from llmlab.text.bpe import encode
from llmlab.text.segmentation import bytes_per_token

PAGES, LETTERS = 50, 120  # encoded twice


def of_the_tokens(checkpoint: Checkpoint) -> Iterator[Figure]:
    yield from _costs(checkpoint)
    yield from _spelling(checkpoint)
    yield from _digits(checkpoint)


def _costs(checkpoint: Checkpoint) -> Iterator[Figure]:
    """That our merges are tiktoken's, and what each of the lesson's texts pays."""
    words = checkpoint.tokenizer
    pages = [page.text[:LETTERS] for page in islice(samples.held_out(), PAGES)]
    same = sum(encode(text, words.merges) == words.encode(text) for text in pages)
    yield share("tokens.same_as_tiktoken", same, len(pages), "1", samples.SEED)
    texts = samples.kinds()
    for name, value in bytes_per_token(texts.items(), words.encode).items():
        id = f"tokens.bytes_per_token.{name.lower().replace(' ', '_')}"
        yield Figure(id, value, len(texts[name].encode("utf-8")), None, None, samples.SEED, "reported")


def _spelling(checkpoint: Checkpoint) -> Iterator[Figure]:
    """The same letters in other tokens; the letters in a vector."""
    whole, bytewise = spelling.surprises(checkpoint)
    ends = spelling.PLACES[0], spelling.PLACES[-1]
    first, last = ((bytewise - whole)[:, start - 1 : end].mean(1).tolist() for start, end in ends)
    yield mean("tokens.respelled.first_bits", first, "above 0", samples.SEED)
    half = f"below {sum(first) / len(first) / 2:.2f}, half of the first"
    yield mean("tokens.respelled.last_bits", last, half, samples.SEED)
    words, found = spelling.probes(checkpoint)
    for name, (right, constant) in found.items():
        goal = f"reported; always the same answer {constant / len(words):.3f}"
        yield share(f"tokens.vector_knows.{name}", right, len(words), goal)


def _digits(checkpoint: Checkpoint) -> Iterator[Figure]:
    """How numbers fall apart by three rules, and what our model makes of sums."""
    for rule, split in digits.SPLITS.items():
        found, goal = digits.cuts_of(split), "1" if rule == "ours" else "above 1"
        for name, value in (("ways_to_cut", found.ways), ("tokens_for_a_7", found.sevens)):
            yield Figure(
                f"tokens.digits.{rule}.{name}", value, len(digits.NUMBERS), None, None, samples.SEED, goal
            )
    yield share("tokens.sums", digits.sums_right(checkpoint), digits.SUMS, "reported", digits.SUMS_SEED)
