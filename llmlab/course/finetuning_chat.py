"""Lesson 07, the chat: the assistant answers token by token, can be stopped, and shows what it really reads.

marimo gives the whole conversation back with each message, so nothing is remembered here: two students, or two tabs,
cannot mix. What the model writes is text: marimo would read it as Markdown, so each sign that means something there is
escaped, and taken back when the conversation is read again.

Read next: ../generate/chat.py, the transcript that is read anew each time.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import marimo as mo

from llmlab.course.finetuning import ASSISTANT, special, spelled
from llmlab.errors import LabError
from llmlab.generate.chat import Chat, Said, first_read
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.show import TokenText
from llmlab.text.dialogue import parts

PACE = 0.03  # s a token: the model is faster than the eye, and a stop button wants something to stop
SIGNS = re.compile(
    r"([!-/:-@\[-`{-~])"
)  # every sign that Markdown may read, and that a backslash makes plain
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
HARD_BREAK, FIXED_SPACE = "\\\n", "\u00a0"


def as_markdown(text: str) -> str:
    """A text as Markdown that shows exactly this text: no markup, no links, every line end and space kept."""
    plain = SIGNS.sub(r"\\\1", text)
    plain = re.sub(r"(?<=[ \n]) |^ ", FIXED_SPACE, plain)
    return plain.replace("\n", HARD_BREAK)


def as_text(markdown: str) -> str:
    """What `as_markdown` was made of."""
    return ESCAPED.sub(r"\1", markdown.replace(HARD_BREAK, "\n").replace(FIXED_SPACE, " "))


def transcript(messages: Sequence[Any]) -> list[Said]:
    """marimo's messages as turns, a user's and an assistant's by turns; what was never answered is left out."""
    turns: list[Said] = []
    for message in messages:
        said = words_of(message)
        if message.role == "assistant":
            said = as_text(said)
        if not said.strip():
            continue
        if turns and turns[-1].speaker == message.role:  # a question that was stopped before its first word
            turns.pop()
        turns.append(Said(message.role, said))
    return turns


def words_of(message: Any) -> str:
    """The text of one of marimo's messages, which stands in its content or in its parts."""
    if isinstance(message.content, str) and message.content:
        return message.content
    texts = (
        part.get("text", "") if isinstance(part, dict) else getattr(part, "text", "")
        for part in message.parts or ()
    )
    return "".join(texts)


class Talker:
    """Answers the messages of one `mo.ui.chat`."""

    def __init__(self, checkpoint: Checkpoint, pace: float = PACE) -> None:
        self.checkpoint, self.pace = checkpoint, pace

    async def __call__(self, messages: list[Any], config: Any = None) -> AsyncIterator[str]:
        """The answer, a piece at a time, as Markdown that shows plain text."""
        turns = transcript(messages)
        if not turns or turns[-1].speaker != "user":
            yield as_markdown("(There is nothing to answer yet. Write a question.)")
            return
        talk, shown, text = Chat(self.checkpoint), 0, ""
        talk.turns = turns[:-1]
        steps = talk.answer(turns[-1].text)
        try:
            for step in steps:
                text += step.text
                ready = as_markdown(text.lstrip())
                if ready[shown:]:
                    yield ready[shown:]
                    shown = len(ready)
                await asyncio.sleep(self.pace)  # here a stop arrives
        except LabError as problem:
            yield as_markdown(f"({problem})")
        finally:
            steps.close()


class Room(mo.ui.chat):
    """marimo's chat, which hears a stop while it answers.

    marimo 0.25 waits for the end of an answer before it looks at the next message of the page. The stop would come too
    late, and the whole answer would be kept instead of the half that was seen; so it is given beside, as a task.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.answering: set[asyncio.Task] = set()  # asyncio itself holds no task

    async def _send_prompt(self, args: Any) -> None:
        task = asyncio.create_task(super()._send_prompt(args))
        self.answering.add(task)
        task.add_done_callback(self.answering.discard)


def chat(prompts: Sequence[str]) -> mo.ui.chat:
    """The chat with the shipped assistant, and some messages to begin with."""
    return Room(Talker(zoo.load(ASSISTANT)), prompts=list(prompts), max_height=420)


def raw(messages: Sequence[Any]) -> TokenText:
    """The conversation as the model read it for its last answer: one text, with its special tokens.

    Of a long talk the oldest turns are missing, as they were for the model.
    """
    checkpoint, turns = zoo.load(ASSISTANT), transcript(messages)
    asked = turns[:-1] if turns and turns[-1].speaker == "assistant" else turns
    with suppress(LabError):  # a message that is too long was not read at all; it is shown
        turns = turns[first_read(asked, checkpoint) :] if asked else turns
    ids: list[int] = []
    authors: list[str] = []
    speakers = ["system", *(turn.speaker for turn in turns)]
    if turns:
        for (some, _), speaker in zip(parts(turns, checkpoint.tokenizer), speakers, strict=True):
            ids += some
            authors += [speaker if speaker != "system" else ""] * len(some)
    return TokenText(
        spelled(ids, checkpoint),
        author=authors,
        special=special(ids, checkpoint),
        lines=6,
        empty="Nothing has been said yet.",
        alt="The conversation in tokens, as the model reads it",
    )
