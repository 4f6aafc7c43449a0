"""The stages, in order: world, tokenizer, tokens, base; families, for the reversal curse; known and talk, for the
assistant. Each makes one thing out of named things.

What can be built again is kept in the user's cache, under a name made of everything that it depends on: asking
twice costs nothing, and a changed voice or seed gives another name. A stage is a generator: it yields `Progress`
and returns what it made, so `made = yield from stage` hands both on.

Read next: train/pretrain.py, the longest stage.
"""

import hashlib
import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llmlab.paths import atomic_write, cache_dir
from llmlab.stages import Made
from llmlab.stages import finish as finish  # whoever asks for a stage finds here how to run it
from llmlab.text.bpe import train_bpe
from llmlab.text.dialogue import Dialogue, dialogue, load_dialogues, save_dialogues
from llmlab.text.packing import Corpus, TokenFile, load_corpus, prepare
from llmlab.text.tokenizer import SPECIAL, Tokenizer
from llmlab.world import SIZES, build_world
from llmlab.world.corpus import CorpusFolder, build_corpus, find_corpus, recipe_hash
from llmlab.world.realtext import Document
from llmlab.world.talk import conversations, practice
from llmlab.world.talk.phrases import words_hash

if TYPE_CHECKING:
    from llmlab.measure.knowledge import Memory
    from llmlab.measure.reversal import Pair
    from llmlab.model.checkpoint import Checkpoint

LETTERS_A_PAGE = 450  # of the crawl, on average
DENSE, OTHERS = ("almanac", "quiz"), 2  # of the pages that an assistant is reminded by


@dataclass(frozen=True, slots=True)
class Progress:
    stage: str
    done: int
    total: int


Stage = Generator[Progress, None, Made]


def world(size: str = "course", seed: int = 1, real: list[Document] | None = None) -> Stage[CorpusFolder]:
    """The Pocket Web and the text beside it; `real` replaces Python's own text by other documents."""
    total = SIZES[size].pages if size in SIZES else 0  # an unknown size is refused below, with a sentence
    corpus = find_corpus(size, seed, real)
    for pages in build_corpus(corpus, real):
        yield Progress("world", min(pages, total), total)
    return corpus


def tokenizer(corpus: CorpusFolder, vocab_size: int) -> Stage[Tokenizer]:
    """A vocabulary learned from the corpus's training pages."""
    file = cache_dir() / f"tokenizer-{corpus.key}-{vocab_size}.json"
    if not file.exists():
        texts = (page.text for page in corpus.documents() if page.split == "train")
        merges = []
        for merge in train_bpe(texts, vocab_size - len(SPECIAL)):
            merges.append((merge.left, merge.right))
            if len(merges) % 64 == 0:
                yield Progress("tokenizer", len(merges), vocab_size - len(SPECIAL) - 256)
        Tokenizer(merges).save(file)
    return Tokenizer.load(file)


def tokens(corpus: CorpusFolder, words: Tokenizer, longest: int) -> Stage[Corpus]:
    """The corpus as the model reads it: numbers, in documents of at most `longest` tokens."""
    folder = cache_dir() / f"tokens-{corpus.key}-{words.hash}-{longest}"
    if not folder.is_dir():
        yield Progress("tokens", 0, 1)
        prepare(corpus.documents(), words, folder, longest)
        yield Progress("tokens", 1, 1)
    return load_corpus(folder)


def training_set(
    size: str,
    vocab_size: int,
    longest: int,
    seed: int = 1,
    real: list[Document] | None = None,
    words: Tokenizer | None = None,
) -> Stage[Corpus]:
    """World, tokenizer and tokens, one after the other. `words`: a vocabulary to keep instead of learning one."""
    corpus = yield from world(size, seed, real)
    words = words or (yield from tokenizer(corpus, vocab_size))
    return (yield from tokens(corpus, words, longest))


def families(
    corpus: CorpusFolder, words: Tokenizer, longest: int, told: "Sequence[Pair]", which: str
) -> Stage[Corpus]:
    """The family register (measure/reversal.py) in tokens, and half as many letters of the crawl beside it."""
    from llmlab.measure.reversal import register, register_hash  # brings torch, which no other stage needs

    folder = cache_dir() / f"families-{corpus.key}-{words.hash}-{longest}-{register_hash(told, which)}"
    if not folder.is_dir():
        yield Progress("families", 0, 1)
        pages = list(register(told, which))
        crawl = (page for page in corpus.documents() if page.split == "train")
        wanted = sum(len(page.text) for page in pages) / 2
        every = max(1, int(SIZES[corpus.size].pages * LETTERS_A_PAGE / wanted))
        prepare(chain(pages, islice(crawl, 0, None, every)), words, folder, longest)
        yield Progress("families", 1, 1)
    return load_corpus(folder)


def known(base: "Checkpoint", size: str = "course") -> "Stage[Memory]":
    """What the base model knows of the world, and of what it has no idea: what its assistant learns to refuse."""
    from llmlab.measure.knowledge import SURE, Memory, completed, facts_with_questions, memory, statements
    from llmlab.model.checkpoint import fingerprint

    about = f"{recipe_hash()} {words_hash()} {size} {SURE}"
    key = hashlib.sha256(fingerprint(base) + about.encode()).hexdigest()[:16]
    file = cache_dir() / f"known-{size}-{key}.json"
    if not file.exists():
        world = build_world(size)
        asked = sorted(statements(world, facts_with_questions(world)), key=lambda one: len(one.text))
        found = []
        for number, one in enumerate(completed(base, asked), 1):
            found.append(one)
            if number % 500 == 0:
                yield Progress("known", number, len(asked))
        atomic_write(file, json.dumps([sorted(ids) for ids in memory(found)]).encode())
    return Memory(*map(frozenset, json.loads(file.read_text(encoding="utf-8"))))


def talk(
    base: "Checkpoint", count: int, size: str = "course", seed: int = 1, longest: int = 256
) -> Stage[list[Dialogue]]:
    """`count` conversations for an assistant made of `base`, in its tokens; longer ones than `longest` are left out."""
    facts = yield from known(base, size)
    ids = [sorted(some) for some in facts]
    about = f"{ids} {recipe_hash()} {words_hash()} {size} {count} {seed} {longest} {base.tokenizer.hash}"
    file = cache_dir() / f"talk-{size}-{hashlib.sha256(about.encode()).hexdigest()[:16]}.npz"
    if not file.exists():
        made = []
        for one in conversations(build_world(size), *facts, count, seed):
            made.append(dialogue(one.turns, base.tokenizer))
            if len(made) % 500 == 0:
                yield Progress("talk", len(made), count)
        save_dialogues(file, [one for one in made if len(one.tokens) <= longest])
    return load_dialogues(file)


def reminders(corpus: Corpus) -> TokenFile:
    """Pages that remind a model of what it knows while it learns something else.

    All pages of the kinds that say facts beside their names, and one in OTHERS of the rest: with pages in the crawl's
    own proportions a model forgot a sixth of its facts (docs/decisions.md).
    """
    file = corpus.train
    dense = np.isin(file.kind, [file.kinds.index(kind) for kind in DENSE])
    return file.some(np.flatnonzero(dense | (np.arange(len(file)) % OTHERS == 0)))


def practised(base: "Checkpoint", size: str = "course", seed: int = 1) -> Stage[Path]:
    """The first conversations of an assistant's training, as text, into the file that is shipped."""
    facts = yield from known(base, size)
    practice.write(conversations(build_world(size), *facts, practice.COUNT, seed), practice.file())
    return practice.file()
