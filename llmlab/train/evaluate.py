"""How well a model predicts pages that it has never seen: bits per byte, for each kind of page.

A model that gives probability p to what comes next could, with arithmetic coding, write it down in -log2 p bits.
Summed over a page and divided by the page's bytes this says how far the model compresses text, and compares with
gzip, and with models of any other vocabulary.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

from llmlab.model.gpt import GPT
from llmlab.text.packing import TokenFile

TOKENS_AT_ONCE = 8192


@torch.inference_mode()
def evaluate(model: GPT, file: TokenFile, documents: int | None = None, seed: int = 0) -> dict[str, float]:
    """Bits per byte of each page kind in `file`, and of everything as "all".

    Each document stands alone behind <|bos|>; that it ends (the next <|bos|>) is predicted and paid for too.
    `documents`: look at a random choice of so many only. A document longer than the context is read up to there.
    Each kind's bits are divided by the bytes of just the tokens read, so padding and cuts leak nothing.
    """
    chosen = np.arange(len(file))
    if documents is not None and documents < len(chosen):
        chosen = np.random.default_rng(seed).choice(chosen, documents, replace=False)
    chosen = sorted(chosen.tolist(), key=lambda d: file.start[d + 1] - file.start[d])  # equals side by side
    nats, n_bytes = np.zeros(len(file.kinds)), np.zeros(len(file.kinds))
    for group in _groups(chosen, file, model.config.block_size):
        loss, share = _losses(model, file, group)
        np.add.at(nats, file.kind[group], loss)
        np.add.at(n_bytes, file.kind[group], file.n_bytes[group] * share)
    kinds = {name: i for i, name in enumerate(file.kinds) if n_bytes[i]}
    bits = {name: float(nats[i] / math.log(2) / n_bytes[i]) for name, i in sorted(kinds.items())}
    return bits | ({"all": float(nats.sum() / math.log(2) / n_bytes.sum())} if kinds else {})


def _groups(documents: list[int], file: TokenFile, longest: int):
    """Documents of similar length, as many at once as make TOKENS_AT_ONCE tokens with their padding."""
    group: list[int] = []
    for document in documents:
        length = min(len(file.document(document)), longest)
        if group and length * (len(group) + 1) > TOKENS_AT_ONCE:
            yield group
            group = []
        group.append(document)
    if group:
        yield group


def _losses(model: GPT, file: TokenFile, group: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Each document's surprise in nats, and the share of its bytes that was read (1, unless it is too long)."""
    place = model.embed_tokens.weight.device
    texts = [file.document(document).astype(np.int64) for document in group]
    width = min(max(map(len, texts)), model.config.block_size)
    ids = np.full((len(group), width + 1), -100, dtype=np.int64)  # -100: cross_entropy skips such a target
    for row, text in zip(ids, texts, strict=True):
        row[: len(text) + 1] = [*text, text[0]][: width + 1]  # text[0] is <|bos|>
    x = torch.from_numpy(ids[:, :-1].clip(min=0)).to(place)
    y = torch.from_numpy(ids[:, 1:]).to(place)
    loss = F.cross_entropy(model(x).float().transpose(1, 2), y, reduction="none").sum(1)
    share = np.array([min(1.0, width / len(text)) for text in texts])
    return loss.double().cpu().numpy(), share
