"""Lesson 06, one number followed all the way down: from a token's vector to the probability of the next token.

Each step shows the line of torch that makes it, cut out of the package's source, and the numbers of this text. The
numbers are made by the same functions; a test holds the last one to the model's own answer.

Read next: ../model/gpt.py, where the lines stand.
"""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llmlab.generate.engine import choose
from llmlab.measure.inside import Inside
from llmlab.model.gpt import GPT, MLP, Attention, Block, RMSNorm, attend, attention
from llmlab.show.number_format import percent

Step = dict[str, Any]


def line(function: Callable, beginning: str) -> str:
    """The one line of a function that begins so, as it stands there. ValueError if there is no such line."""
    found = [row.strip() for row in inspect.getsource(function).splitlines()]
    found = [row for row in found if row.startswith(beginning)]
    if len(found) != 1:
        raise ValueError(f"{function.__qualname__} has {len(found)} lines that begin with {beginning!r}.")
    file = "/".join(Path(inspect.getsourcefile(function)).parts[-2:])
    return f"# {file}, {function.__qualname__}\n{found[0]}"


def number(x: Tensor | float) -> str:
    return f"{float(x):.3f}".replace("-", "−")


@torch.no_grad()
def path(model: GPT, seen: Inside, place: int, spelled: Callable[[Sequence[int]], list[str]]) -> list[Step]:
    """The steps of one channel of the stream at `place`: of the one that adds most to the likeliest token's score."""
    words, T, D = model.embed_tokens.weight, len(seen.ids), model.config.head_dim
    token = int(seen.logits[place].argmax())
    end = model.norm(seen.stream[-1])[place]  # (C,)
    c = int((end * words[token]).argmax())
    names = [f"“{word.strip() or word}”" for word in spelled(seen.ids)]
    here, next_word = names[place], f"“{spelled([token])[0].strip()}”"

    block = model.layers[0]
    x = seen.stream[0, place]
    normed = block.input_layernorm(seen.stream[0])  # (T, C)
    q, k, v = block.self_attn.heads(normed[None], model.cos[:T], model.sin[:T])
    k, v = block.self_attn.shared(k, v)
    weights = attention(q, k)[0, 0, place]  # (T,): the first head
    looked = int(weights[: place + 1].argmax())
    score = q[0, 0, place] @ k[0, 0, looked] * D**-0.5
    found = (weights @ v[0, 0])[0]
    wrote, middle = seen.heads[0, :, place, c].sum(), x[c] + seen.heads[0, :, place, c].sum()
    share = end[c] * words[token, c]
    p = seen.logits[place].softmax(-1)[token]
    n_layer = model.config.n_layer

    def step(name: str, code: str, before: Any, after: Any, said: str, **rows: Any) -> Step:
        told = [(what.replace("_", " "), value) for what, value in rows.items()]
        text = lambda value: value if isinstance(value, str) else number(value)  # noqa: E731
        return {
            "name": name, "code": code, "before": text(before), "after": text(after), "said": said,
            "rows": [(what, text(value)) for what, value in told],
        }  # fmt: skip

    return [
        step(
            "Embedding", line(GPT.forward, "x = self.embed_tokens"), f"token {seen.ids[place]:,}", x[c],
            f"{here} is a number of the vocabulary, and the number of a row of the table. The row has {len(x)} "
            f"numbers. We follow number {c + 1}: at the end it will speak loudest for {next_word}.",
            its_neighbours=", ".join(map(number, x[max(0, c - 1) : c + 3])),
        ),
        step(
            "Norm", line(RMSNorm.forward, "return F.rms_norm"), x[c], normed[place, c],
            "All numbers of the vector are divided by their common size, and each is multiplied by a weight of "
            "its own.",
            size_of_the_vector=x.pow(2).mean().sqrt(), weight=block.input_layernorm.weight[c],
        ),
        step(
            "Query and key", line(attention, "scores = (q"), normed[place, c], score,
            f"Together with all others it makes a query of {D} numbers. The query meets the key of each earlier "
            f"token; with that of {names[looked]} it has the largest product of head 1.",
            query_begins=", ".join(map(number, q[0, 0, place, :3])),
            key_begins=", ".join(map(number, k[0, 0, looked, :3])),
        ),
        step(
            "Attention", line(attention, "return scores.softmax"), score, percent(float(weights[looked])),
            f"The products become shares that make 100%. So {here} takes this much from {names[looked]}.",
            **{names[j].strip("“”"): percent(float(weights[j])) for j in weights.topk(min(3, place + 1)).indices},
        ),
        step(
            "Values", line(attend, "return attention(q, k) @ v"), percent(float(weights[looked])), found,
            f"Each token has a value, {D} numbers for each head. They are added up, each with its share; this is the "
            "first number of the sum.",
            value_of_the_strongest=v[0, 0, looked, 0],
        ),
        step(
            "Output of the heads", line(Attention.forward, "return self.o_proj"), found, wrote,
            f"A last matrix turns what all heads of the layer found into {len(x)} numbers again. This one goes "
            f"to our "
            "place.",
            **{f"head {h + 1} writes": seen.heads[0, h, place, c] for h in range(model.config.n_head)},
        ),
        step(
            "Added to the stream", line(Block.forward, "x = x + self.self_attn"), x[c], middle,
            "Nothing is replaced: what the heads wrote is added to the number that was there.", added=wrote,
        ),
        step(
            "MLP", line(MLP.forward, "return self.down_proj"), middle, seen.mlps[0, place, c],
            f"Now the token thinks alone: {model.config.n_hidden} numbers are made of the {len(x)}, half of "
            f"them open "
            "and close the others, and all are turned back.",
        ),
        step(
            "Added again", line(Block.forward, "return x + self.mlp"), middle, seen.stream[1, place, c],
            "The end of layer 1.", added=seen.mlps[0, place, c],
        ),
        step(
            f"Layers 2 to {n_layer}", line(GPT.forward, "x = block(x"), seen.stream[1, place, c],
            seen.stream[-1, place, c], "The same again, with other weights.",
            **{f"after layer {layer}": seen.stream[layer, place, c] for layer in range(2, n_layer + 1)},
        ),
        step(
            "Last norm", line(RMSNorm.forward, "return F.rms_norm"), seen.stream[-1, place, c], end[c],
            "The whole vector is brought to one size once more.",
            size_of_the_vector=seen.stream[-1, place].pow(2).mean().sqrt(), weight=model.norm.weight[c],
        ),
        step(
            "Score", line(GPT.forward, "return F.linear"), end[c], seen.logits[place, token],
            f"The vector meets the vector of each token of the vocabulary. With that of {next_word} our number gives "
            f"{number(share)}; {len(x)} such products make the score.",
            our_number=end[c], times_its_partner=words[token, c], gives=share,
        ),
        step(
            "Probability", line(choose, "probs, kept ="), seen.logits[place, token], percent(float(p)),
            f"All {len(words):,} scores become probabilities. This is what the model believes that {next_word} comes "
            f"next. {model.n_params():,} weights were used on the way, and each of them once for each token.",
        ),
    ]  # fmt: skip
