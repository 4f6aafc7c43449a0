"""Lesson 06, one number followed all the way down: from a token's vector to the probability of the next token.

Each step shows the line of torch that makes it, cut out of the package's source, and says what happens in a sentence
with gaps (static/path.js fills them). `path` makes the numbers of a text with the same functions; a test holds the
last one to the model's own answer. The engine in the page makes them, too, for what a student types.

Read next: ../model/gpt.py, where the lines stand.
"""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from llmlab.generate.engine import choose
from llmlab.measure.inside import Inside
from llmlab.model.gpt import GPT, MLP, Attention, Block, RMSNorm, attend, attention

Step = dict[str, Any]


def line(function: Callable, beginning: str) -> str:
    """The one line of a function that begins so, as it stands there. ValueError if there is no such line."""
    found = [row.strip() for row in inspect.getsource(function).splitlines()]
    found = [row for row in found if row.startswith(beginning)]
    if len(found) != 1:
        raise ValueError(f"{function.__qualname__} has {len(found)} lines that begin with {beginning!r}.")
    file = "/".join(Path(inspect.getsourcefile(function)).parts[-2:])
    return f"# {file}, {function.__qualname__}\n{found[0]}"


@torch.no_grad()
def path(
    model: GPT, seen: Inside, place: int, spelled: Callable[[Sequence[int]], list[str]]
) -> dict[str, Any]:
    """The numbers of one channel of the stream at `place`: of the one that adds most to the likeliest token's score."""
    words, T, D = model.embed_tokens.weight, len(seen.ids), model.config.head_dim
    logits = seen.logits[place]
    token = int(logits.argmax())
    end = model.norm(seen.stream[-1])[place]  # (C,)
    c = int((end * words[token]).argmax())

    block, x = model.layers[0], seen.stream[0, place]
    normed = block.input_layernorm(seen.stream[0])  # (T, C)
    q, k, v = block.self_attn.heads(normed[None], model.cos[:T], model.sin[:T])
    k, v = block.self_attn.shared(k, v)
    weights = attention(q, k)[0, 0, place]  # (T,): the first head
    ranked = weights[: place + 1].argsort(descending=True, stable=True)[:3].tolist()
    looked, heads = ranked[0], seen.heads[0, :, place, c]
    numbers = {
        "x": x[c], "neighbours": x[max(0, c - 1) : c + 3],
        "size": x.pow(2).mean().sqrt(), "weight": block.input_layernorm.weight[c], "normed": normed[place, c],
        "query": q[0, 0, place, :3], "key": k[0, 0, looked, :3], "score": q[0, 0, place] @ k[0, 0, looked] * D**-0.5,
        "share": weights[looked], "value": v[0, 0, looked, 0], "found": (weights @ v[0, 0])[0],
        "heads": heads, "wrote": heads.sum(), "middle": x[c] + heads.sum(), "mlp": seen.mlps[0, place, c],
        "after": seen.stream[1:, place, c],
        "last_size": seen.stream[-1, place].pow(2).mean().sqrt(), "last_weight": model.norm.weight[c],
        "end": end[c], "partner": words[token, c], "gives": end[c] * words[token, c],
        "logit": logits[token], "p": logits.softmax(-1)[token],
    }  # fmt: skip
    here, next_word, other = spelled([seen.ids[place], token, seen.ids[looked]])
    most = [[spelled([seen.ids[j]])[0], float(weights[j])] for j in ranked]
    said = {
        "here": here,
        "id": seen.ids[place],
        "next": next_word,
        "looked": other,
        "channel": c + 1,
        "most": most,
    }
    return said | {name: value.tolist() for name, value in numbers.items()}


def step(name: str, code: str, before: str, after: str, said: str, **rows: str) -> Step:
    """A step: what it is called, its line, the number before and after, and what stands beside them."""
    named = [[what.replace("_", " "), gap] for what, gap in rows.items()]
    return {"name": name, "code": code, "before": before, "after": after, "said": said, "rows": named}


def steps(model: GPT) -> list[Step]:
    """The steps of this model's numbers; {…} are gaps for those of `path`."""
    size, L, V = model.config.n_embd, model.config.n_layer, model.config.vocab_size
    D, H, heads = model.config.head_dim, model.config.n_hidden, range(model.config.n_head)
    return [
        step(
            "Embedding", line(GPT.forward, "x = self.embed_tokens"), "token {id,}", "{x}",
            f"“{{here}}” is a number of the vocabulary, and the number of a row of the table. The row has {size} "
            "numbers. We follow number {channel,}: at the end it will speak loudest for “{next}”.",
            its_neighbours="{neighbours}",
        ),
        step(
            "Norm", line(RMSNorm.forward, "return F.rms_norm"), "{x}", "{normed}",
            "All numbers of the vector are divided by their common size, and each is multiplied by a weight of "
            "its own.",
            size_of_the_vector="{size}", weight="{weight}",
        ),
        step(
            "Query and key", line(attention, "scores = (q"), "{normed}", "{score}",
            f"Together with all others it makes a query of {D} numbers. The query meets the key of each earlier "
            "token; with that of “{looked}” it has the largest product of head 1.",
            query_begins="{query}", key_begins="{key}",
        ),
        step(
            "Attention", line(attention, "return scores.softmax"), "{score}", "{share%}",
            "The products become shares that make 100%. So “{here}” takes this much from “{looked}”.",
            **{f"{{most.{i}.0}}": f"{{most.{i}.1%}}" for i in range(3)},
        ),
        step(
            "Values", line(attend, "return attention(q, k, mask) @ v"), "{share%}", "{found}",
            f"Each token has a value, {D} numbers for each head. They are added up, each with its share; this is "
            "the first number of the sum.",
            value_of_the_strongest="{value}",
        ),
        step(
            "Output of the heads", line(Attention.forward, "return self.o_proj"), "{found}", "{wrote}",
            f"A last matrix turns what all heads of the layer found into {size} numbers again. This one goes to "
            "our place.",
            **{f"head {h + 1} writes": f"{{heads.{h}}}" for h in heads},
        ),
        step(
            "Added to the stream", line(Block.forward, "x = x + self.self_attn"), "{x}", "{middle}",
            "Nothing is replaced: what the heads wrote is added to the number that was there.", added="{wrote}",
        ),
        step(
            "MLP", line(MLP.forward, "return self.down_proj"), "{middle}", "{mlp}",
            f"Now the token thinks alone: {H} numbers are made of the {size}, half of them open and close the "
            "others, and all are turned back.",
        ),
        step(
            "Added again", line(Block.forward, "return x + self.mlp"), "{middle}", "{after.0}",
            "The end of layer 1.", added="{mlp}",
        ),
        step(
            f"Layers 2 to {L}", line(GPT.forward, "x = block(x"), "{after.0}", f"{{after.{L - 1}}}",
            "The same again, with other weights.",
            **{f"after layer {layer}": f"{{after.{layer - 1}}}" for layer in range(2, L + 1)},
        ),
        step(
            "Last norm", line(RMSNorm.forward, "return F.rms_norm"), f"{{after.{L - 1}}}", "{end}",
            "The whole vector is brought to one size once more.",
            size_of_the_vector="{last_size}", weight="{last_weight}",
        ),
        step(
            "Score", line(GPT.forward, "return F.linear"), "{end}", "{logit}",
            "The vector meets the vector of each token of the vocabulary. With that of “{next}” our number gives "
            f"{{gives}}; {size} such products make the score.",
            our_number="{end}", times_its_partner="{partner}", gives="{gives}",
        ),
        step(
            "Probability", line(choose, "probs, kept ="), "{logit}", "{p%}",
            f"All {V:,} scores become probabilities. This is what the model believes that “{{next}}” comes "
            f"next. {model.n_params():,} weights were used on the way, and each of them once for each token.",
        ),
    ]  # fmt: skip
