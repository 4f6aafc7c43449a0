"""The tokenizer: text to numbers and back.

The merges that bpe.py learned, run by tiktoken (the library that does it for GPT-4), and ten special tokens that
structure a conversation. Special tokens are put in by *programs*, by their number. Text that a person, a page
or a tool wrote is never parsed into them: typing "<|end|>" gives the pieces `<`, `|`, `end`, `|`, `>`. Without
that wall every text box would be a way to forge the other side's words.

Read next: packing.py, which turns a corpus into rows of tokens.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import tiktoken

from llmlab.errors import LabError
from llmlab.paths import atomic_write
from llmlab.text.bpe import SPLIT, train_bpe

SPECIAL = (
    "<|bos|>",  # a document begins (and the one before it has ended)
    "<|user|>",
    "<|assistant|>",
    "<|system|>",
    "<|end|>",  # a turn of the conversation ends
    "<|browser|>",
    "<|calculator|>",
    "<|python|>",
    "<|draw|>",
    "<|result|>",  # what a tool answered
)
LONGEST_PIECE = (
    50_000  # characters given to tiktoken at once; its splitter runs out of stack on very long runs
)


class Tokenizer:
    """A vocabulary: 256 bytes, then one token a merge, then the ten special tokens."""

    def __init__(self, merges: Sequence[tuple[int, int]]):
        self.merges = [tuple(pair) for pair in merges]
        pieces = [bytes([byte]) for byte in range(256)]
        for left, right in self.merges:
            pieces.append(pieces[left] + pieces[right])
        self.special = {name: len(pieces) + place for place, name in enumerate(SPECIAL)}
        self.vocab_size = len(pieces) + len(SPECIAL)
        self._bytes = pieces + [name.encode() for name in SPECIAL]
        self._encoding = tiktoken.Encoding(
            name="llmlab",
            pat_str=SPLIT,
            mergeable_ranks={piece: rank for rank, piece in enumerate(pieces)},
            special_tokens=self.special,
            explicit_n_vocab=self.vocab_size,
        )

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int) -> "Tokenizer":
        """Learn a vocabulary of `vocab_size` tokens, the special ones included (fewer if the text is short)."""
        if vocab_size < 256 + len(SPECIAL):
            raise LabError(f"A vocabulary needs at least {256 + len(SPECIAL)} tokens. Ask for more.")
        return cls([(step.left, step.right) for step in train_bpe(texts, vocab_size - len(SPECIAL))])

    @property
    def bos(self) -> int:
        """The token that begins every document."""
        return self.special["<|bos|>"]

    def encode(self, text: str) -> list[int]:
        """Text to tokens. No text, whatever it says, gives a special token."""
        if len(text) <= LONGEST_PIECE:
            return self._encoding.encode_ordinary(text)
        return [token for piece in _pieces(text) for token in self._encoding.encode_ordinary(piece)]

    def encode_many(self, texts: Sequence[str]) -> list[list[int]]:
        """Many texts at once, on all cores."""
        if any(len(text) > LONGEST_PIECE for text in texts):
            return [self.encode(text) for text in texts]
        return self._encoding.encode_ordinary_batch(list(texts))

    def decode(self, ids: Iterable[int]) -> str:
        """Tokens to text. Bytes that are no UTF-8 (half a letter) become the replacement character."""
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", errors="replace")

    def token_bytes(self, token: int) -> bytes:
        """The bytes that one token stands for; for a special token, its name."""
        if not 0 <= token < self.vocab_size:
            raise LabError(f"There is no token {token}: the vocabulary has {self.vocab_size}.")
        return self._bytes[token]

    @property
    def vocabulary(self) -> list[bytes]:
        """The bytes of all tokens, in order of their ids."""
        return [self.token_bytes(token) for token in range(self.vocab_size)]

    @cached_property
    def hash(self) -> str:
        """A name for this vocabulary: equal hashes mean equal tokens."""
        return hashlib.sha256(self._json().encode()).hexdigest()[:16]

    def _json(self) -> str:
        content = {"format": "llmlab-bpe-1", "split": SPLIT, "special": SPECIAL, "merges": self.merges}
        return json.dumps(content, separators=(",", ":"))

    def save(self, path: Path | str) -> None:
        """Write the vocabulary as one JSON file."""
        atomic_write(path, self._json().encode())

    @classmethod
    def load(cls, path: Path | str) -> "Tokenizer":
        """Read what `save` wrote. LabError if it is missing, cut short, or of another kind."""
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            known = (content["format"], content["split"], tuple(content["special"]))
            if known != ("llmlab-bpe-1", SPLIT, SPECIAL):
                raise ValueError("another format")
            return cls([(int(left), int(right)) for left, right in content["merges"]])
        except FileNotFoundError:
            raise LabError(f"There is no tokenizer at {path}. Train one, or give the right folder.") from None
        except (ValueError, KeyError, TypeError, IndexError, UnicodeDecodeError) as error:
            raise LabError(f"{path} is not a tokenizer of this course ({error}). Copy it again.") from None


def _pieces(text: str) -> Iterable[str]:
    """Cut a very long text, at a line's end where there is one."""
    start = 0
    while start < len(text):
        end = start + LONGEST_PIECE
        if end < len(text):
            end = text.rfind("\n", start + LONGEST_PIECE // 2, end) + 1 or end
        yield text[start:end]
        start = end
