"""A chat: a text that two write by turns, and the model reads it from the beginning each time.

The model remembers nothing. What looks like memory is the transcript, which is given to it again before each answer;
what no longer fits into its context is left out, the oldest turns first.

Read next: ../text/dialogue.py, how the transcript becomes tokens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmlab.errors import LabError
from llmlab.generate.engine import Step, generate
from llmlab.generate.policy import Policy
from llmlab.model.checkpoint import Checkpoint
from llmlab.text.dialogue import prompt_tokens

ROOM = 128  # tokens kept free for the answer
LONGEST = 20_000  # characters of a message that are looked at; more fits into no context


@dataclass(frozen=True, slots=True)
class Said:
    speaker: str  # "user" or "assistant"
    text: str


class Chat:
    """One conversation of one person with a model. Not for two threads at once."""

    def __init__(self, checkpoint: Checkpoint, policy: Policy | None = None, seed: int = 0) -> None:
        self.checkpoint, self.policy, self.seed = checkpoint, policy or Policy(temperature=0), seed
        self.turns: list[Said] = []
        self.forgotten = 0  # turns that are no longer read

    def answer(self, message: str) -> Iterator[Step]:
        """The assistant's next turn, token by token. Whoever stops listening keeps what was said so far.

        LabError if the message alone is too long for the model.
        """
        prompt = self.prompt(message)
        self.turns.append(Said("user", message))
        parts: list[str] = []
        try:
            for step in generate(
                self.checkpoint,
                prompt,
                self.policy,
                self.seed + len(self.turns),
                ROOM,
                ("<|end|>", "<|bos|>"),
            ):
                parts.append(step.text)
                yield step
        finally:
            self.turns.append(Said("assistant", "".join(parts)))

    def prompt(self, message: str) -> list[int]:
        """What the model reads before it answers: as many of the last turns as leave ROOM for the answer."""
        turns = [*self.turns, Said("user", message[:LONGEST])]
        self.forgotten = first_read(turns, self.checkpoint)
        return prompt_tokens(turns[self.forgotten :], self.checkpoint.tokenizer)


def first_read(turns: Sequence[Said], checkpoint: Checkpoint) -> int:
    """The first of the turns that the model still reads before it answers the last, a user's. LabError if none fits."""
    room = checkpoint.config.block_size - ROOM
    for first in range(0, len(turns), 2):  # a question goes with its answer
        if len(prompt_tokens(turns[first:], checkpoint.tokenizer)) <= room:
            return first
    raise LabError(
        f"This message has more than {room} tokens, and the model reads no more at a time. Shorten it."
    )
