"""A poem about a company of the Isles, as in the talk: how often does run.c write one under the title?

The world's poems have 5, 7 and 5 syllables and a title; some titles end in a person's name. A company's name stands in
its place here, so no such title was read. Only the outer form is counted, not the syllables and not the taste.

Read before: run_c.py. Read next: ../course/two_files.py, which shows one.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from llmlab.report import run_c
from llmlab.world.facts import World

TITLE = "Four small poems from {}\n\n"
TEMPERATURE, TOP_P = 0.5, 0.95
TOKENS = 40
LINE = re.compile(r"[^\n\d:]+")


def title(world: World) -> str:
    """The title with the company that the world speaks of most."""
    return TITLE.format(world.of_kind("company")[0].name)


def is_poem(text: str) -> bool:
    """Whether a text begins with three short lines of words, and nothing else stands in its first paragraph."""
    lines = text.split("\n\n")[0].rstrip("\n").split("\n")
    return len(lines) == 3 and all(LINE.fullmatch(line) and 3 <= len(line.split()) <= 9 for line in lines)


def poems(command: Sequence[str], prompt: str, seeds: Iterable[int]) -> Iterator[bool]:
    """For each seed, whether run.c wrote a poem."""
    for seed in seeds:
        options = ("-t", TEMPERATURE, "--top-p", TOP_P, "-n", TOKENS, "-s", seed)
        text = run_c.run(command, *options, prompt=prompt).stdout.decode("utf-8", "replace")
        yield is_poem(text.removeprefix(prompt))
