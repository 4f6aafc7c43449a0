"""Lesson 06, measured: which heads copy, what is lost without each part, and the same for the random twin.

Read next: reversal.py, what the model knows in one direction only.
"""

from functools import lru_cache
from html import escape
from math import log

import torch

from llmlab.course.inside import PAGE, PROSE, answers, copying_head
from llmlab.course.page import caption
from llmlab.course.tables import note, table
from llmlab.measure.copying import Copying, best_head, copying, gain, repeated
from llmlab.measure.inside import knock_out, look
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.show.number_format import percent

TEXTS = 12  # of random tokens


# ---- copying heads ----


@lru_cache(maxsize=4)
def measured(model: str) -> tuple[Copying, Copying]:
    """The model's heads and its twin's, on the same random texts."""
    minds, bos = answers(model).minds, zoo.load(model).tokenizer.bos
    return copying(minds["model"], bos, TEXTS), copying(minds["twin"], bos, TEXTS)


@lru_cache(maxsize=4)
def gains(model: str) -> tuple[float, dict[tuple[int, int], float]]:
    """Nats that repetition is worth to the whole model, and to the model without each of its heads."""
    checkpoint = zoo.load(model)
    texts = repeated(checkpoint.model, checkpoint.tokenizer.bos, TEXTS, seed=0)
    worth = lambda mind: float(gain(mind, texts).mean())  # noqa: E731
    layers, heads = range(checkpoint.config.n_layer), range(checkpoint.config.n_head)
    without = {(i, j): worth(knock_out(checkpoint.model, [(i, j)])) for i in layers for j in heads}
    return worth(checkpoint.model), without


def heads_table(model: str) -> str:
    """Every head: how much it looks one back, how much one past the earlier copy, and what is lost without it."""
    (own, twin), (whole, without) = measured(model), gains(model)
    rows = []
    for (layer, head), left in without.items():
        looks = [found[:, layer, head].mean() for found in (own.before, own.scores, twin.scores)]
        name = f"layer {layer + 1}, head {head + 1}"
        rows.append((name, *(percent(float(share)) for share in looks), bits(left)))
    rows.append(("looking everywhere alike", *(percent(own.chance),) * 3, ""))
    rows.append(("nothing knocked out", "", "", "", bits(whole)))
    return table(
        ("head", "looks at the token before", "looks one past the copy", "the twin’s head does",
         "bits gained by repetition, without it"), rows,
    )  # fmt: skip


def heads(model: str) -> str:
    """The table of the heads, and what it says."""
    return heads_table(model) + caption("Look for the two numbers that stand out.", heads_sentence(model))


def bits(nats: float) -> str:
    return f"{nats / log(2):.2f}".replace("-", "−")


def heads_sentence(model: str) -> str:
    """What the table says about the two heads that stand out, from its own numbers."""
    (own, twin), (whole, without) = measured(model), gains(model)
    copier, teller = best_head(own.scores), best_head(own.before)
    named = lambda at: f"head {at[1] + 1} of layer {at[0] + 1}"  # noqa: E731
    score, back = (
        float(found[:, i, j].mean()) for found, (i, j) in ((own.scores, copier), (own.before, teller))
    )
    best = float(twin.scores.mean(0).max())
    needed = sorted(without, key=without.__getitem__)[:2]
    both = "these two" if set(needed) == {copier, teller} else "others: " + " and ".join(map(named, needed))
    return (
        f"{named(copier).capitalize()} lays {percent(score)} of its attention on the one token that must come next, "
        f"{score / own.chance:.0f} times chance; the best head of the twin {percent(best)}. "
        f"{named(teller).capitalize()} "
        f"looks at the token before with {percent(back)}. Repetition is worth {bits(whole)} bits a token to the "
        f"whole "
        f"model; the two heads without which least of it is left are {both}."
    )


# ---- what is lost without each part ----


@lru_cache(maxsize=4)
def losses_table(model: str) -> str:
    """By how much the surprise of held-out pages grows without each head, each MLP, and each whole layer."""
    ask, config = answers(model), zoo.load(model).config
    heads, whole = range(config.n_head), ask.on_pages("model", (), ())
    rows = []
    for layer in range(config.n_layer):
        one_by_one = [(((layer, head),), ()) for head in heads]
        together = (tuple((layer, head) for head in heads), (layer,))
        missing = [*one_by_one, ((), (layer,)), together]
        cells = (ask.on_pages("model", *out) - whole for out in missing)
        rows.append((f"layer {layer + 1}", *(f"{x:+.2f}".replace("-", "−") for x in cells)))
    rows.append(("nothing is missing", *("",) * (config.n_head + 1), f"{whole:.2f}"))
    names = [f"without head {head + 1}" for head in heads]
    return table(("bits a token more", *names, "without its MLP", "without all of it"), rows)


def losses(model: str) -> str:
    """The table of what is lost, and how to read it."""
    return losses_table(model) + caption(
        "Look at the smallest numbers and at the largest one.",
        f"The surprise of {len(PROSE)} pages that the model never read, {PAGE} tokens each, grows by so many "
        f"bits a token. "
        "A small number does not make a part useless: on other pages, or together with a second one, it may be "
        "missed.",
    )


# ---- the guess ----


class Riddle:
    """Four maps of one text without their names: which are the trained model's, and which its twin's?"""

    options = ("trained", "random")

    def __init__(self, checkpoint: Checkpoint, model: str, prompt: str) -> None:
        ask = answers(model)
        ids = ask.ids(prompt)
        own, twin = (look(ask.minds[who], ids).attention for who in ("model", "twin"))
        copier, last = copying_head(model), checkpoint.config.n_layer - 1
        flat = best_head(-own.amax(-1).mean(-1)[None])  # of the trained heads the one that decides least
        sharp = best_head(twin.amax(-1).mean(-1)[None])  # of the random ones the one that decides most
        chosen = {"A": (twin, sharp), "B": (own, flat), "C": (twin, (last, copier[1])), "D": (own, copier)}
        self.right = {letter: "trained" if maps is own else "random" for letter, (maps, _) in chosen.items()}
        self.where = {letter: f"layer {i + 1}, head {j + 1}" for letter, (_, (i, j)) in chosen.items()}
        self.maps = {x: map_picture(maps[i, j], f"Map {x}") for x, (maps, (i, j)) in chosen.items()}
        self.answer = ""

    def show(self) -> str:
        """The maps beside each other, four or two in a row."""
        names = "font: 600 var(--ll-text-3)/1.6 var(--ll-font-ui)"
        cells = "".join(f'<div><div style="{names}">{x}</div>{svg}</div>' for x, svg in self.maps.items())
        grid = "display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1.5rem; "
        "max-width: 66rem"
        return f'<div style="{grid}">{cells}</div>'

    def reply(self, guess: dict[str, str | None], commit: bool) -> str:
        """What there is to say to a guess {"A": "random", …}, once all four are committed."""
        if self.answer or not commit:
            return self.answer or note("The answer comes with your guess.")
        if not all(guess.values()):
            return note("All four maps need an answer before you press the button.")
        right = sum(guess[letter] == answer for letter, answer in self.right.items())
        parts = "; ".join(
            f"{letter} is {answer}, {self.where[letter]}" for letter, answer in self.right.items()
        )
        self.answer = note(
            f"<b>{right} of 4.</b> {parts}. Two of four is what a coin gets. A pattern that one can describe is "
            f"not yet "
            "something that was learned: ask what the same picture shows where nothing was.",
            "said",
        )
        return self.answer


def map_picture(shares: torch.Tensor, name: str) -> str:
    """An attention map (T, T) as SVG, in the depths of blue of the page."""
    edges = torch.tensor([0.001, 0.01, 0.05, 0.2, 0.5, 0.9])
    T = len(shares)
    cells = "".join(
        f'<rect x="{column}" y="{row}" width=".94" height=".94" '
        f'style="fill: var(--ll-p-{int((shares[row, column] >= edges).sum())})"/>'
        for row in range(T)
        for column in range(row + 1)
    )
    peak = percent(float(shares.amax(-1)[1:].mean()))
    alt = f"{name}: an attention map of {T} tokens; on average a token takes {peak} from one place."
    about = f'viewBox="0 0 {T} {T}" role="img" aria-label="{escape(alt)}"'
    return f'<svg {about} style="width: 100%; max-width: 15rem">{cells}</svg>'
