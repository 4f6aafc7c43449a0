"""One token after another: read the text, choose what comes next, add it, again.

The records say everything about each choice, so that a dream viewer, a chat, a tool loop and a test can all be
fed by the same generator.

Read next: measure/dreams.py, which asks where the words came from.
"""

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch

from llmlab.errors import LabError
from llmlab.generate.policy import Policy, draw
from llmlab.generate.reader import reader_for
from llmlab.model.checkpoint import Checkpoint
from llmlab.text.tokenizer import Tokenizer

SHOWN = 10  # candidates in a record


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token that could have come next: its probability before the cuts, and after them (0 if it was cut)."""

    token: int
    text: str
    prob: float
    kept: float


@dataclass(frozen=True, slots=True)
class Step:
    """One chosen token. `prob` before the cuts, `kept_prob` the probability that it was drawn with."""

    token: int
    text: str  # may be empty while a letter of several bytes is not complete
    prob: float
    kept_prob: float
    entropy: float  # bits, before the cuts
    top: tuple[Candidate, ...]


def encode_prompt(checkpoint: Checkpoint, prompt: str | Sequence[int]) -> list[int]:
    """The tokens that the model reads first: <|bos|>, then the text, in which nothing is ever special.

    A list of tokens is taken as it is. LabError where the text does not fit into the context.
    """
    if not isinstance(prompt, str):
        ids = list(prompt)
    else:
        # a token stands for at most some dozen letters: a megabyte need not be encoded to know that it is too long
        room = checkpoint.config.block_size
        known_too_long = len(prompt) > 64 * room
        ids = [
            checkpoint.tokenizer.bos,
            *([0] * room if known_too_long else checkpoint.tokenizer.encode(prompt)),
        ]
    if len(ids) >= checkpoint.config.block_size:
        raise LabError(
            f"This text has more than {checkpoint.config.block_size - 2} tokens, and the model reads no more at a "
            "time. Shorten it."
        )
    return ids


def logits(checkpoint: Checkpoint, ids: Sequence[int]) -> np.ndarray:
    """Scores (T, V) for what could follow each of the tokens ids (T,)."""
    return reader_for(checkpoint.model).read(np.array([ids], dtype=np.int64))[0]


def next_scores(checkpoint: Checkpoint, prompt: str | Sequence[int]) -> torch.Tensor:
    """Logits (V,) for the token after `prompt`."""
    return torch.from_numpy(logits(checkpoint, encode_prompt(checkpoint, prompt))[-1])


def own_probability(checkpoint: Checkpoint, ids: Sequence[int]) -> np.ndarray:
    """How likely the model finds each token of a text: log-probabilities (T - 1,) of ids[1:]."""
    scores = torch.from_numpy(logits(checkpoint, ids)[:-1]).double().log_softmax(-1)
    return scores[range(len(ids) - 1), ids[1:]].numpy()


def generate(
    checkpoint: Checkpoint,
    prompt: str | Sequence[int] = "",
    policy: Policy | None = None,
    seed: int = 0,
    max_tokens: int = 200,
    stop: Sequence[str] = ("<|bos|>", "<|end|>"),
) -> Iterator[Step]:
    """Continue `prompt` token by token, until a stop token, `max_tokens`, or the end of the context.

    The same seed gives the same text. Tokens of `stop` end the text and are not in it.
    """
    policy = policy or Policy()
    ids = encode_prompt(checkpoint, prompt)
    tokenizer, reader = checkpoint.tokenizer, reader_for(checkpoint.model)
    ends = {tokenizer.special[name] for name in stop}
    chance = torch.Generator().manual_seed(seed)
    letters = codecs.getincrementaldecoder("utf-8")("replace")
    scores = reader.read(np.array([ids], dtype=np.int64))[0, -1]
    for _ in range(min(max_tokens, checkpoint.config.block_size - len(ids))):
        step = choose(tokenizer, torch.from_numpy(scores), ids, policy, chance, letters)
        if step.token in ends:
            return
        yield step
        ids.append(step.token)
        if reader.length < checkpoint.config.block_size:
            scores = reader.read(np.array([[step.token]], dtype=np.int64))[0, -1]


def choose(tokenizer: Tokenizer, scores, ids, policy: Policy, chance, letters) -> Step:
    """Draw one token from logits (V,) and say everything about the choice."""
    before = policy.scores(scores, ids)
    after = policy.cut(before)
    probs, kept = before.softmax(-1), after.softmax(-1)
    token = draw(after, chance)
    best = probs.topk(min(SHOWN, len(probs)))
    top = tuple(
        Candidate(t, tokenizer.decode([t]), p, float(kept[t]))
        for p, t in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    )
    entropy = float(torch.special.entr(probs).sum()) / float(np.log(2))
    text = letters.decode(tokenizer.token_bytes(token))
    return Step(token, text, float(probs[token]), float(kept[token]), entropy, top)


def generate_many(
    checkpoint: Checkpoint,
    prompt: str | Sequence[int],
    n: int,
    policy: Policy | None = None,
    seed: int = 0,
    max_tokens: int = 200,
    stop: Sequence[str] = ("<|bos|>", "<|end|>"),
) -> list[list[int]]:
    """n continuations of one prompt, read side by side; row i draws with the seed `seed` + i, as `generate` would.

    Returns the new tokens of each, without the stop token.
    """
    policy = policy or Policy()
    start = encode_prompt(checkpoint, prompt)
    ends = {checkpoint.tokenizer.special[name] for name in stop}
    chances = [torch.Generator().manual_seed(seed + i) for i in range(n)]
    reader = reader_for(checkpoint.model, batch=n)
    rows: list[list[int]] = [[] for _ in range(n)]
    running = [True] * n
    scores = reader.read(np.array([start] * n, dtype=np.int64))[:, -1]
    for _ in range(min(max_tokens, checkpoint.config.block_size - len(start))):
        column = np.zeros((n, 1), dtype=np.int64)
        for i in (i for i in range(n) if running[i]):
            kept = policy.cut(policy.scores(torch.from_numpy(scores[i]), start + rows[i]))
            token = draw(kept, chances[i])
            running[i] = token not in ends
            if running[i]:
                rows[i].append(token)
                column[i] = token
        if not any(running) or reader.length == checkpoint.config.block_size:
            break
        scores = reader.read(column)[:, -1]
    return rows


def answers(
    checkpoint: Checkpoint,
    prompts: Sequence[Sequence[int]],
    max_tokens: int = 120,
    stop: str = "<|end|>",
    at_once: int = 64,
) -> list[list[int]]:
    """The likeliest continuation of each of many prompts (lists of tokens), with the stop token where it came.

    Prompts of one length are read side by side; the texts are those that `generate` gives at temperature 0.
    """
    end, longest = checkpoint.tokenizer.special[stop], checkpoint.config.block_size
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    made: list[list[int]] = [[] for _ in prompts]
    for _, same in groupby(order, key=lambda i: len(prompts[i])):
        waiting = list(same)
        for start in range(0, len(waiting), at_once):
            group = waiting[start : start + at_once]
            reader = reader_for(checkpoint.model, batch=len(group))
            column = np.array([prompts[i] for i in group], dtype=np.int64)
            for _ in range(min(max_tokens, longest - column.shape[1])):
                column = reader.read(column)[:, -1].argmax(-1)[:, None]
                for i, token in zip(group, column[:, 0].tolist(), strict=True):
                    if not made[i] or made[i][-1] != end:
                        made[i].append(token)
                if reader.length == longest or all(made[i][-1] == end for i in group):
                    break
    return made
