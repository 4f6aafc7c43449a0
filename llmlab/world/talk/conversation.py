"""A conversation: who said what, in turns. Nothing here knows how a model is told who speaks."""

from dataclasses import dataclass

USER, ASSISTANT = "user", "assistant"


@dataclass(frozen=True, slots=True)
class Turn:
    speaker: str  # USER or ASSISTANT
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns, a user's and an assistant's by turns; `kind` names what it exercises, `facts` what it states."""

    kind: str
    turns: tuple[Turn, ...]
    facts: tuple[int, ...] = ()

    @property
    def question(self) -> str:
        """The last thing that the user said."""
        return self.turns[-2].text

    @property
    def answer(self) -> str:
        """The answer to it."""
        return self.turns[-1].text


def exchange(kind: str, *texts: str, facts: tuple[int, ...] = ()) -> Conversation:
    """A conversation out of what was said, the user first."""
    speakers = (USER, ASSISTANT)
    turns = tuple(Turn(speakers[number % 2], text) for number, text in enumerate(texts))
    return Conversation(kind, turns, facts)
