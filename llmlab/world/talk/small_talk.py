"""Greetings, questions about the assistant itself, and terms of the Isles.

Read next: mix.py.
"""

from functools import lru_cache

from llmlab.world.draft import Draft
from llmlab.world.grammar import read_rules
from llmlab.world.talk.conversation import Conversation, exchange
from llmlab.world.talk.phrases import FOLDER, grammar, say

NAME = "name: "
NO_TOPIC = ("corrected", "meant", "list")  # rules of smalltalk.txt that belong to conversations about facts


@lru_cache(maxsize=1)
def topics() -> tuple[str, ...]:
    """What people talk about when they talk about nothing."""
    own = (
        rule.removesuffix(" tell") for rule in read_rules(FOLDER / "smalltalk.txt") if rule.endswith(" tell")
    )
    return tuple(topic for topic in own if topic not in NO_TOPIC and f"{topic} ask" in grammar().rules)


@lru_cache(maxsize=1)
def terms() -> dict[str, tuple[str, ...]]:
    """{a term of the Isles, as it stands in a question: its explanations}."""
    found = {}
    for lines in read_rules(FOLDER / "terms.txt").values():
        head, *explanations = (line for _, line in lines)
        found[head.removeprefix(NAME)] = tuple(explanations)
    return found


def small_talk(draft: Draft, wording: str = "ask") -> Conversation:
    """One remark and its answer; at times two, one after the other."""
    said: list[str] = []
    for topic in [draft.pick(topics()) for _ in range(1 + (draft.below(4) == 0))]:
        said += [say(draft, f"{topic} {wording}"), say(draft, f"{topic} tell")]
    return exchange("small_talk", *said)


def explain(draft: Draft, wording: str = "ask") -> Conversation:
    """What a term of the Isles means."""
    term = draft.pick(tuple(terms()))
    return exchange("explain", say(draft, f"explain {wording}", term=term), draft.pick(terms()[term]))
