"""Who answers the widgets: a model, and the counts of its training set.

A widget asks for the scores of a text (static/asking.js); this file reads the text with the model of the zoo and,
where the index of the training set is there, adds how often each token followed in the crawl. The widget does not
know who answers: the next engine will sit in the page.

Read next: show/asking.py, the form of question and answer.
"""

from collections.abc import Callable
from dataclasses import dataclass

from llmlab.generate.engine import encode_prompt, logits
from llmlab.measure.index import Index
from llmlab.model.checkpoint import Checkpoint
from llmlab.show.asking import Reply, logits_reply
from llmlab.show.tree import roads
from llmlab.world.facts import Fact, World

LEAST_COUNTED = 5  # the outline shows the longest end of the text that the crawl has so often
Verdict = Callable[[list[int]], str]


@dataclass(frozen=True)
class Answers:
    """Answers "logits" and "tree" requests. `index` is None until the training set is in the cache."""

    checkpoint: Checkpoint
    index: Index | None = None
    verdict: Verdict | None = None
    truth: tuple[int, ...] = ()

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
        if self.index is None:
            return {}, ""
        found = self.index.followers(text, LEAST_COUNTED)
        words = self.checkpoint.tokenizer.decode(text[len(text) - found.length :]).strip()
        after = f"after “{words}”" if found.length else "of all tokens"
        counts = dict(zip(found.tokens.tolist(), found.counts.tolist(), strict=True))
        return counts, f"{found.total:,} places in the crawl {after}"

    def tree(self, ids: list[int], depth: int = 3):
        """The likely roads on from `ids`."""
        tokenizer = self.checkpoint.tokenizer
        return roads(
            lambda way: logits(self.checkpoint, way)[-1],
            ids,
            [tokenizer.token_bytes(i) for i in range(tokenizer.vocab_size)],
            depth=depth,
            verdict=self.verdict,
            truth=self.truth,
            special=set(tokenizer.special.values()),
        )


def judge(checkpoint: Checkpoint, world: World, fact: Fact) -> Verdict:
    """A verdict on continuations of a question for `fact`: does the name that was begun exist, and is it the one?

    The continuation is true once it says the fact's value, false once it says another value that the world has for
    this attribute, and about nothing once no value begins so. Before that it is not decided ("").
    """
    values = {f.value for f in world.facts if f.attribute == fact.attribute}

    def verdict(continuation: list[int]) -> str:
        said = checkpoint.tokenizer.decode(continuation).lstrip()
        for article in ("a ", "an ", "the "):
            said = said.removeprefix(article)
        if said.startswith(fact.value):
            return "true"
        if not said or any(value.startswith(said) for value in values | {"a", "an", "the"}):
            return ""
        return "false" if any(said.startswith(value) for value in values) else "nothing"

    return verdict
