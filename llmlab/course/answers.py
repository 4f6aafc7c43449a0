"""Who answers the widgets: a model, and the counts of its training set.

A widget asks for the scores of a text (static/asking.js); this file reads the text with the model of the zoo and,
where the index of the training set is there, adds how often each token followed in the crawl. Where it is not, a
child process builds it (`Crawl`). The widget does not know who answers: the next engine will sit in the page.

Read next: show/asking.py, the form of question and answer.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from llmlab.course import jobs
from llmlab.generate.engine import encode_prompt, logits
from llmlab.measure.index import Index, build_index
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.show.asking import Reply, logits_reply
from llmlab.show.tree import Roads, roads
from llmlab.text.packing import load_corpus
from llmlab.world.facts import Fact, World

LEAST_COUNTED = 5  # the outline shows the longest end of the text that the crawl has so often
PREPARING = 600.0  # s that the index is worked on while nobody looks: everybody will need it
Verdict = Callable[[list[int]], str]


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
    """Answers "logits" and "tree" requests; with the counts of a crawl, as soon as it has them."""

    checkpoint: Checkpoint
    crawl: Crawl | None = None
    verdict: Verdict | None = None
    question: tuple[int, ...] = ()  # what the verdicts are about: they judge all that follows it
    truth: tuple[int, ...] = ()  # its true continuation

    def __call__(self, request: dict) -> Reply:
        ids = self.ids(request)
        if request["kind"] == "tree":
            return self.tree(ids).reply()
        scores = logits(self.checkpoint, ids)[-1]
        counts, corpus = self.counts(ids[1:])
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

    def tree(self, ids: list[int], depth: int = 3) -> Roads:
        """The likely roads on from `ids`, which may be some way behind the question."""
        tokenizer, verdict = self.checkpoint.tokenizer, self.verdict
        said = ids[len(self.question) :]
        on_the_way = said == list(self.truth[: len(said)])
        return roads(
            lambda way: logits(self.checkpoint, way)[-1],
            ids,
            [tokenizer.token_bytes(i) for i in range(tokenizer.vocab_size)],
            depth=depth,
            verdict=verdict and (lambda way: verdict([*said, *way])),
            truth=self.truth[len(said) :] if on_the_way else (),
            special=set(tokenizer.special.values()),
        )


def judge(checkpoint: Checkpoint, world: World, fact: Fact) -> Verdict:
    """A verdict on continuations of a question for `fact`: does the name that was begun exist, and is it the one?

    The continuation is true once it says the fact's value, false once it says another value that the world has for
    this attribute, and about nothing once no value begins so. Before that it is not decided ("").
    """
    values = {f.value for f in world.facts if f.attribute == fact.attribute}
    begun = {value[:n] for value in values | {"a", "an", "the"} for n in range(1, len(value))}

    def verdict(continuation: list[int]) -> str:
        said = checkpoint.tokenizer.decode(continuation).lstrip()
        for article in ("a ", "an ", "the "):
            said = said.removeprefix(article)
        if said.startswith(fact.value):
            return "true"
        if not said or said in begun | {"a", "an", "the"} or fact.value[0].isupper() > said[0].isupper():
            return ""  # "lives in this house" names no town, so it cannot name a wrong one
        return "false" if any(said.startswith(value) for value in values) else "nothing"

    return verdict
