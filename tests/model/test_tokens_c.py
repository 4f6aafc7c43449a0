"""tokens.c: tiktoken's tokens, in C."""

import struct
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmlab.model import flat, native, zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT
from llmlab.text.tokenizer import SPECIAL
from tests.model.conftest import ROOT, TOKENIZER, WIDE, exported, ids_of, in_python, run

TRICKY = (
    *(name.encode() for name in SPECIAL),
    *b"'s 'S 'll 'Ll 're 'vE 'x ' '' \r\n \n\n \r \t a _ - aaaa ferry 1984".split(b" "),
    *"'ſ é É ß 東 ½ ٣ Ⅷ ² — … 👩‍🚀 🇩🇪 🏽 e\u0301 \u200d \ufeff \ufffd".encode().split(b" "),
    *"\U00010000 \U000e0001 \U0010ffff \u00a0 \u3000 \u2028 \x85 \x1c \x0b \x00".encode().split(b" "),
    *(b"\xff", b"\x80", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xf0\x9f\x98", b"\xe0\x80"),
    *(b" ", b"  ", b"   ", b"\n  ", b" \n", b" the"),
)  # fmt: skip
TYPED = st.lists(
    st.sampled_from(TRICKY) | st.binary(max_size=4) | st.text(max_size=4).map(str.encode), max_size=25
)


@settings(max_examples=300)
@given(TYPED.map(b"".join))
@example(b"".join(TRICKY))
def test_encode_equals_tiktoken(program, wide, typed):
    ids = ids_of(program, wide, "-n", 0, prompt=typed)
    assert ids == in_python(typed)
    assert not set(ids[1:]) & set(TOKENIZER.special.values())


def test_every_kind_of_letter_is_known(program, wide):
    """Each place in Unicode where the kind of letter changes, from both sides."""
    places = [start & 0xFFFFFF for (start,) in struct.iter_unpack("<I", flat.letter_kinds())]
    letters = [chr(code) for place in places for code in (place - 1, place) if code > 0]
    typed = "".join(f"{letter} {letter}" for letter in letters if not 0xD800 <= ord(letter) < 0xE000).encode()
    assert ids_of(program, wide, "-n", 0, prompt=typed) == in_python(typed)


def test_the_tokens_of_the_course_model_on_the_courses_own_files(program, tmp_path):
    made = zoo.load("course")
    config = replace(WIDE, vocab_size=made.tokenizer.vocab_size)
    _, file = exported(Checkpoint(GPT(config), config, made.tokenizer, {}), tmp_path)
    for path in (ROOT / "docs" / "decisions.md", ROOT / "lessons" / "02_next_token.py", native.SOURCES[0]):
        text = path.read_text(encoding="utf-8")
        assert ids_of(program, file, "-n", 0, prompt=text.encode())[1:] == made.tokenizer.encode(text)


@pytest.mark.parametrize(
    "typed", ["a" * 130_001, "aé" * 26_000, "a" * 40_000 + "\n" + "a" * 40_000, "\n" * 55_000, " " * 55_000 + "x"],
    ids=["one word", "no merges", "cut at a line's end", "lines", "blanks"],
)  # fmt: skip
def test_a_very_long_text_is_cut_where_python_cuts_it(program, wide, typed):
    done = run(program, wide, "--ids", "-n", 0, prompt=typed.encode())
    expected = in_python(typed.encode())
    if len(expected) < 65_536:
        assert list(map(int, done.stdout.split())) == expected
    else:
        assert f"has {len(expected) - 1} tokens".encode() in done.stderr


@settings(max_examples=60)
@given(TYPED.map(b"".join))
def test_decode_is_the_inverse_and_commands_no_terminal(program, wide, typed):
    whole = typed.decode("utf-8", errors="replace")
    printable = "".join(
        letter for letter in whole if letter in "\n\t" or unicodedata.category(letter) != "Cc"
    )
    assert run(program, wide, "-n", 0, prompt=typed).stdout == f"{printable}\n".encode()
