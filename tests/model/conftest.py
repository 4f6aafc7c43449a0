"""What the checks of the engine in C share: two small networks as model.bin, the program, and a way to ask it."""

import os
import subprocess
from pathlib import Path

import pytest
import torch

from llmlab.errors import LabError
from llmlab.model import flat, native
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.text.tokenizer import Tokenizer

TEXT = (
    "It's the goat's ferry, we'll see: 1984 grüße, 東京 <|end|>\n\n\tdef f(x):\r\n    return  x\n" + "a" * 64
)
LETTERS = "asl'ſé東1½ \n\r\t\u3000-…🏽"


def crossing(learned: Tokenizer) -> Tokenizer:
    """A vocabulary that would merge any two of LETTERS: only the split keeps them apart, so its borders show.

    One that was learned has no token across a border; with it, two pieces taken for one would go unnoticed.
    """
    known = {learned.token_bytes(token) for token in range(learned.vocab_size)}
    lasts, firsts = ({letter.encode()[end] for letter in LETTERS} for end in (-1, 0))
    pairs = [(last, first) for last in sorted(lasts) for first in sorted(firsts)]
    return Tokenizer([*learned.merges, *(pair for pair in pairs if bytes(pair) not in known)])


TOKENIZER = crossing(Tokenizer.train([TEXT * 9, "a ferry on the sea "], 400))
CONFIG = GPTConfig(TOKENIZER.vocab_size, 64, n_layer=2, n_head=4, n_kv_head=2, n_embd=48, n_hidden=40)
WIDE = GPTConfig(TOKENIZER.vocab_size, 65_536, n_layer=1, n_head=1, n_kv_head=1, n_embd=2, n_hidden=1)
ROOT = Path(__file__).resolve().parents[2]


def lively(config: GPTConfig, seed: int = 1) -> Checkpoint:
    """A network in which every weight matters."""
    model, draw = GPT(config, seed), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=draw) * 0.2)
    return Checkpoint(model.requires_grad_(False).eval(), config, TOKENIZER, {})


@pytest.fixture(scope="session")
def program() -> Path:
    try:
        return native.build()
    except LabError as error:
        sentence = f"NO COMPILER: {error}"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> tuple[Checkpoint, Path]:
    """A small network with shared keys and values, and its file."""
    return exported(lively(CONFIG), tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def wide(tmp_path_factory) -> Path:
    """A network of almost nothing, with room for a long text."""
    return exported(lively(WIDE), tmp_path_factory.mktemp("wide"))[1]


def exported(made: Checkpoint, folder: Path, dtype: str = "fp32") -> tuple[Checkpoint, Path]:
    flat.write(folder / "model.bin", made, dtype)
    return made, folder / "model.bin"


def run(program: Path, model: Path, *options: object, prompt: bytes = b"") -> subprocess.CompletedProcess:
    command = [str(program), str(model), "-p", "-", *map(str, options)]
    return subprocess.run(command, input=prompt, capture_output=True, timeout=60)


def ids_of(program: Path, model: Path, *options: object, prompt: bytes = b"") -> list[int]:
    done = run(program, model, "--ids", *options, prompt=prompt)
    assert done.returncode == 0, done.stderr
    return [int(number) for number in done.stdout.split()]


def in_python(typed: bytes) -> list[int]:
    return [TOKENIZER.bos, *TOKENIZER.encode(typed.decode("utf-8", errors="replace"))]


def expect_a_sentence(done: subprocess.CompletedProcess, says: str = "") -> None:
    said = done.stderr.decode()
    assert done.returncode == 2 and done.stdout == b"", (done.returncode, said)
    assert said.startswith("run: ") and said.count("\n") == 1 and says in said, said
