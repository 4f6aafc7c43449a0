"""Who answers the widgets: a model, and the counts of its training set.

A widget asks for the scores of a text (static/asking.js); this file reads the text with the model of the zoo and,
where the index of the training set is there, adds how often each token followed in the crawl. Where it is not, a
child process builds it (`Crawl`). The widget does not know who answers: where the engine in the page read the text,
only the counts are asked for here.

Read next: show/asking.py, the form of question and answer; page_engine.py, the other one who answers.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import torch

from llmlab.course import jobs
from llmlab.generate.engine import encode_prompt, logits
from llmlab.generate.policy import Policy
from llmlab.generate.reader import reader_for
from llmlab.measure.index import Index, build_index
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.show.asking import Reply, count_buffers, logits_reply, readable
from llmlab.show.tree import Roads, roads
from llmlab.text.packing import load_corpus
from llmlab.text.tokenizer import Tokenizer
from llmlab.world.facts import Fact, World

LEAST_COUNTED = 5  # the outline shows the longest end of the text that the crawl has so often
PREPARING = 600.0  # s that the index is worked on while nobody looks: everybody will need it
LIKELIER = 3  # of the tokens that the model would rather have seen, so many are named


class Crawl:
    """The index of a model's training set: opened where it is in the cache, built by a child where it is not.

    One for all students of a server. `index` is None until it is there; `look` says how far it is.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        self.index: Index | None = None
        self.differs = False  # whether this machine's crawl is another than the one that the model read
        self.job: jobs.Job | None = None
        self.lock = threading.Lock()

    def prepare(self) -> "Crawl":
        """Begin, unless somebody has."""
        with self.lock:
            if self.index is None and (self.job is None or self.job.state in ("stopped", "failed")):
                self.job = jobs.start("prepare", self.model, patience=PREPARING)
        return self

    def look(self) -> str:
        """How far it is, in a sentence; opens the index as soon as it can be opened."""
        with self.lock:
            if self.index is None and self.job is not None and self.job.poll().state == "done":
                corpus = load_corpus(self.job.records[-1]["folder"])
                read = zoo.load(self.model).provenance.get("data", {}).get("train")
                self.differs, self.index = read != corpus.train.hash, build_index(corpus.train)
            return self._sentence()

    def _sentence(self) -> str:
        if self.index is not None:
            differs = "; some of its pages differ from those that the model read" if self.differs else ""
            return f"The crawl is counted: {len(self.index.file.tokens):,} tokens{differs}."
        if self.job is None:
            return "The crawl is counted in the browser course only."
        if self.job.ended:
            return self.job.error or "The counting was ended. Reload the page to begin again."
        if not self.job.records:
            return "Looking for the crawl …"
        now = self.job.records[-1]
        names = {"world": "pages written", "tokens": "corpora in tokens", "index": "indexes sorted"}
        done = f"{now['done']:,} of {now['total']:,} {names[now['stage']]}"
        return f"Preparing the counts, once, about a minute: {done} …"


@lru_cache(maxsize=4)
def crawl(model: str) -> Crawl:
    """The one crawl of this model in this process."""
    return Crawl(model)


@dataclass(frozen=True)
class Answers:
    """Answers "logits", "counts", "tree" and "write" requests; with the counts of a crawl, as soon as it has them."""

    checkpoint: Checkpoint
    crawl: Crawl | None = None
    verdict: "Judge | None" = None
    question: tuple[int, ...] = ()  # what the verdicts are about: they judge all that follows it
    truth: tuple[int, ...] = ()  # its true continuation

    def __call__(self, request: dict) -> Reply:
        ids = self.ids(request)
        if request["kind"] == "write":
            return self.write(ids, Policy(**request["policy"]), request["chances"])
        if request["kind"] == "tree":
            return self.tree(ids).reply()
        counts, corpus = self.counts(ids[1:])
        if request["kind"] == "counts":
            return {"corpus": corpus}, count_buffers(counts)
        scores = logits(self.checkpoint, ids)[-1]
        return logits_reply(ids, scores, counts, corpus, text=self.checkpoint.tokenizer.decode(ids[1:]))

    def ids(self, request: dict) -> list[int]:
        if "ids" in request:
            return encode_prompt(self.checkpoint, [int(i) for i in request["ids"]])
        return encode_prompt(self.checkpoint, str(request.get("text", "")))

    def counts(self, text: list[int]) -> tuple[dict[int, int], str]:
        """How often each token followed the longest end of the text that the crawl holds often enough."""
        index = self.crawl and self.crawl.index
        if index is None:
            return {}, "counts are not ready yet" if self.crawl else ""
        found = index.followers(text, LEAST_COUNTED)
        words = self.checkpoint.tokenizer.decode(text[len(text) - found.length :]).strip()
        after = f"after “{words}”" if found.length else "of all tokens"
        counts = dict(zip(found.tokens.tolist(), found.counts.tolist(), strict=True))
        return counts, f"{found.total:,} places in the crawl {after}"

    def write(self, ids: list[int], policy: Policy, chances: Sequence[float]) -> Reply:
        """Continue a text, at most one token for each of the chances, as static/writing_worker.js does."""
        words, room = self.checkpoint.tokenizer, self.checkpoint.config.block_size
        ends = {words.special[name] for name in ("<|bos|>", "<|end|>")}
        reader, new, steps, ended = reader_for(self.checkpoint.model), ids, [], False
        for chance in chances:
            scores = reader.read(np.array([new], dtype=np.int64))[0, -1]
            step = chosen(words, torch.from_numpy(scores), policy, chance)
            steps.append(step)
            ids, new = [*ids, step["id"]], [step["id"]]
            ended = step["id"] in ends or len(ids) == room
            if ended:
                break
        return {"ids": ids, "steps": steps, "ended": ended}, []

    def judging(self) -> dict[str, Any]:
        """What the engine in the page needs to judge as `tree` does: the `judging` of show/tree.py."""
        if self.verdict is None:
            return {}
        names = {"value": self.verdict.value, "values": sorted(self.verdict.values)}
        return {**names, "question": list(self.question), "truth": list(self.truth)}

    def tree(self, ids: list[int], depth: int = 3) -> Roads:
        """The likely roads on from `ids`, which may be some way behind the question."""
        tokenizer, verdict = self.checkpoint.tokenizer, self.verdict
        said = ids[len(self.question) :]
        on_the_way = said == list(self.truth[: len(said)])
        return roads(
            lambda way: logits(self.checkpoint, way)[-1],
            ids,
            tokenizer.vocabulary,
            depth=depth,
            verdict=verdict and (lambda way: verdict([*said, *way])),
            truth=self.truth[len(said) :] if on_the_way else (),
            special=set(tokenizer.special.values()),
        )


def chosen(words: Tokenizer, logits: torch.Tensor, policy: Policy, chance: float) -> dict[str, Any]:
    """The token that a number in [0, 1) falls on, and what there is to say about it.

    Tokens lie best first, of equals the first, as in static/policy.js. p: by the model itself; drawn: after the policy;
    before: how many tokens were likelier.
    """
    order = logits.argsort(descending=True, stable=True)
    ranked = logits[order].double()
    kept = policy.cut(policy.scores(ranked))
    p, drawn, last = ranked.softmax(-1), kept.softmax(-1), int(torch.isfinite(kept).sum()) - 1
    before = min(int(torch.searchsorted(drawn.cumsum(-1), chance, right=True)), last)
    named = [
        {"text": readable(words.token_bytes(int(order[i]))), "p": float(p[i])}
        for i in (*range(min(before, LIKELIER)), before)
    ]
    token = int(order[before])
    about = {"id": token, "special": token in words.special.values(), **named[-1]}
    return about | {"drawn": float(drawn[before]), "before": before, "likelier": named[:-1]}


@dataclass(frozen=True)
class Judge:
    """Does the name that a continuation begins exist, and is it the right one? roads.js judges by the same rule.

    The continuation is true once it says `value`, false once it says another of the `values`, and about nothing once
    none of them begins so. Before that it is not decided ("").
    """

    tokenizer: Tokenizer
    value: str
    values: frozenset[str]

    def __call__(self, continuation: list[int]) -> str:
        said = self.tokenizer.decode(continuation).lstrip()
        for article in ("a ", "an ", "the "):
            said = said.removeprefix(article)
        if said.startswith(self.value):
            return "true"
        if not said or said in self.begun or self.value[0].isupper() > said[0].isupper():
            return ""  # "lives in this house" names no town, so it cannot name a wrong one
        return "false" if any(said.startswith(value) for value in self.values) else "nothing"

    @cached_property
    def begun(self) -> frozenset[str]:
        """Everything that could still become one of the values."""
        articles = {"a", "an", "the"}
        return frozenset({v[:n] for v in self.values | articles for n in range(1, len(v))} | articles)


def judge(checkpoint: Checkpoint, world: World, fact: Fact) -> Judge:
    """A verdict on continuations of a question for `fact`: all values of its attribute in this world are names."""
    values = frozenset(f.value for f in world.facts if f.attribute == fact.attribute)
    return Judge(checkpoint.tokenizer, fact.value, values)
