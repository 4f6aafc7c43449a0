"""Labels by correction: the model drafts an answer, a checker looks at it, and a person types only what is wrong.

The talk's "reading and correcting is easier than writing", counted in characters. What is not counted is the reading,
which costs time, too, and that a tired person lets a smooth wrong answer pass.

Read next: assistant.py, the checker's verdicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from llmlab.measure.assistant import asked, holds
from llmlab.model.checkpoint import Checkpoint
from llmlab.world.facts import World
from llmlab.world.talk.about_facts import DONT_KNOW
from llmlab.world.talk.conversation import Conversation


@dataclass(frozen=True, slots=True)
class Draft:
    """A question, what the model drafted, and the good answer. `value`: of the fact that is asked for, "" for none.

    `kept`: the checker passes the draft as it is.
    """

    question: str
    draft: str
    good: str
    value: str
    kept: bool

    @property
    def typed(self) -> int:
        """Characters that have to be typed to make the good answer of the draft."""
        return 0 if self.kept else typed(self.draft, self.good)


def typed(before: str, after: str) -> int:
    """Characters of `after` that are not in `before` in this order; taking a piece away counts as one key."""
    changes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return sum((j2 - j1) or 1 for kind, _, _, j1, j2 in changes if kind != "equal")


def passes(answer: str, value: str) -> bool:
    """What the checker lets pass: the fact's value and no doubt about it; "I don't know" where there is none."""
    doubts = DONT_KNOW.casefold() in answer.casefold()
    return not doubts and holds(answer, value) if value else doubts


def drafts(checkpoint: Checkpoint, world: World, questions: Sequence[Conversation]) -> list[Draft]:
    """The model's drafts for questions about one fact each, or about nobody, and what the checker says to them."""
    made = []
    for one, reply in zip(questions, asked(checkpoint, questions), strict=True):
        value = world.facts[one.facts[0]].value if one.facts else ""
        kept = reply.ended and passes(reply.text, value)
        made.append(Draft(one.question, reply.text, one.answer, value, kept))
    return made
