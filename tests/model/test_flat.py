"""model.bin: written whole or not at all; and a file, however broken, ends in a sentence."""

import os
import random
import struct
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from llmlab import cli
from llmlab.errors import LabError
from llmlab.model import checkpoint, flat, native
from tests.model.conftest import CONFIG, TOKENIZER, WIDE, expect_a_sentence, exported, lively, run

# ---- writing


def test_export_writes_the_file_and_says_what_to_do(small, tmp_path, capsys):
    checkpoint.save(tmp_path / "m", small[0].model, TOKENIZER, {})
    cli.export(out=tmp_path / "out", to="flat", model=str(tmp_path / "m"), dtype="fp32")
    assert (tmp_path / "out" / "model.bin").read_bytes() == small[1].read_bytes()
    assert f"{small[1].stat().st_size:,} bytes" in (said := capsys.readouterr().out) and "-lm" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model.bin"]


def test_what_cannot_be_exported_is_one_sentence(small, tmp_path, monkeypatch):
    with pytest.raises(LabError, match="no dtype 'fp8'"):
        flat.write(tmp_path / "model.bin", small[0], "fp8")
    large = lively(CONFIG)
    large.model.norm.weight.fill_(1e5)
    with pytest.raises(LabError, match=r"norm.weight .* --dtype fp32"):
        flat.write(tmp_path / "model.bin", large)

    def no_room(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(LabError, match="No space left"):
        flat.write(tmp_path / "model.bin", small[0])
    assert list(tmp_path.iterdir()) == []


# ---- broken files


def signed(content: bytes | bytearray) -> bytes:
    """With the checksum that belongs to it."""
    return bytes(content[:12]) + struct.pack("<I", zlib.crc32(content[16:])) + bytes(content[16:])


def test_damage_is_seen_wherever_it_is(program, small, tmp_path):
    whole, chance, file = small[1].read_bytes(), random.Random(6), tmp_path / "damaged.bin"
    for k in range(200):
        content = bytearray(whole)
        if k % 2:
            content = content[: chance.randrange(len(content))]
        else:
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        file.write_bytes(content)
        expect_a_sentence(run(program, file))


V_AT = 16 + 36 + 16 + len(flat.letter_kinds())  # where the lengths of the tokens begin
BYTES_AT = V_AT + 4 * CONFIG.vocab_size


@pytest.mark.parametrize(
    ("at", "value", "says"),
    [
        (0, b"GGUF", "is not a model.bin"),
        (8, 2, "another version"),
        (16, 2**31, "a network that cannot be"),
        (20, 0, "a network that cannot be"),
        (28, 3, "a network that cannot be"),  # 3 query heads on 2 pairs of keys and values
        (44, 0x7FC00000, "a network that cannot be"),  # a rotary base that is no number
        (52, 8, "a network that cannot be"),  # 8 bits a weight
        (40, 41, "is cut short"),
        (40, 39, "something behind its end"),
        (56, 2**32 - 1, "a vocabulary that cannot be"),
        (68, 1, "a table of letters that cannot be"),
        (72, 7 << 24 | 1, "a table of letters that cannot be"),
        (V_AT, 0, "a vocabulary that cannot be"),
        (V_AT + 4 * 300, 2**32 - 1, "a vocabulary that cannot be"),
        (BYTES_AT, b"B", "a vocabulary that cannot be"),  # token 0 is not byte 0
        (-4, 0x7F800000, "not finite"),
    ],
)
def test_a_file_that_lies_is_refused(program, small, tmp_path, at, value, says):
    content = bytearray(small[1].read_bytes())
    field = value if isinstance(value, bytes) else struct.pack("<I", value)
    content[at if at >= 0 else len(content) + at :][: len(field)]
    start = at % len(content)
    content[start : start + len(field)] = field
    (tmp_path / "lie.bin").write_bytes(signed(content))
    expect_a_sentence(run(program, tmp_path / "lie.bin"), says)


def test_two_equal_tokens_are_refused(program, small, tmp_path):
    pieces = [TOKENIZER.token_bytes(token) for token in range(CONFIG.vocab_size)]
    first, second = [token for token, piece in enumerate(pieces) if len(piece) == 2][:2]
    pieces[second] = pieces[first]
    content = small[1].read_bytes()
    letters = b"".join(pieces)
    content = content[:BYTES_AT] + letters + content[BYTES_AT + len(letters) :]
    (tmp_path / "twice.bin").write_bytes(signed(content))
    expect_a_sentence(run(program, tmp_path / "twice.bin"), "a vocabulary that cannot be")


def test_a_model_that_wants_too_much_memory_is_refused(program, tmp_path):
    _, file = exported(lively(replace(WIDE, n_embd=512)), tmp_path, "fp16")
    expect_a_sentence(run(program, file), "more than 1 GiB")


def test_ten_thousand_broken_files_under_the_address_sanitizer(program, tmp_path):
    """In one process; what the engine takes in spite of all, it must be able to use."""
    config = replace(CONFIG, block_size=16, n_layer=1, n_embd=8, n_hidden=8)
    _, file = exported(lively(config), tmp_path)
    flags = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    source, fuzz = Path(__file__).with_name("fuzz_engine.c"), tmp_path / "fuzz"
    if why := native.compile_c(native.compiler(), flags, source, fuzz):
        pytest.skip(f"no AddressSanitizer: {why}")
    limits = os.environ | {"ASAN_OPTIONS": "max_allocation_size_mb=1100", "LC_ALL": "C"}
    done = subprocess.run([fuzz, file, "10000", "8"], capture_output=True, text=True, timeout=300, env=limits)
    assert done.returncode == 0, done.stderr[-3000:]
    taken, *complaints = done.stdout.splitlines()
    assert int(taken.split()[0]) > 200, "hardly a file came through: the fuzzer tests nothing"
    assert len(complaints) >= 8, done.stdout
