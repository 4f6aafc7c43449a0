"""A sample of what the assistant learned from, shipped with it: to be read, and to be practised again.

All of its conversations can be written anew from the seed, but that takes the base model and some minutes; the loop of
lesson 08 wants a few hundred of them at once. `llmlab record practice` writes the file.
"""

import gzip
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from llmlab.errors import LabError
from llmlab.paths import assets, atomic_write
from llmlab.world.talk.conversation import Conversation, exchange

COUNT = 6_000  # conversations in the sample


def file() -> Path:
    return assets() / "recorded" / "practice.jsonl.gz"


def write(conversations: Iterable[Conversation], path: Path) -> None:
    """One conversation a line: its kind, what was said by turns, the facts."""
    lines = (json.dumps([one.kind, [turn.text for turn in one.turns], one.facts]) for one in conversations)
    atomic_write(path, gzip.compress("\n".join(lines).encode(), mtime=0))


@lru_cache(maxsize=1)
def read() -> tuple[Conversation, ...]:
    """The sample. LabError if it is missing or not whole."""
    path = file()
    try:
        rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
        return tuple(exchange(kind, *said, facts=tuple(facts)) for kind, said, facts in rows)
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise LabError(
            f"{path} is missing or not whole ({error}). Make it again: llmlab record practice"
        ) from None
