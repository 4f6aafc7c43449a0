"""engine.c: torch's numbers and tiktoken's tokens, in C; and a file, however broken, ends in a sentence."""

import os
import random
import struct
import subprocess
import unicodedata
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmlab import cli
from llmlab.errors import LabError
from llmlab.generate.policy import Policy
from llmlab.model import checkpoint, flat, gpt, native, zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.gpt import GPT, GPTConfig
from llmlab.text.tokenizer import SPECIAL, Tokenizer

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


@pytest.fixture(scope="module")
def program() -> Path:
    try:
        return native.build()
    except LabError as error:
        sentence = f"NO COMPILER: {error}"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> tuple[Checkpoint, Path]:
    """A small network with shared keys and values, and its file."""
    return exported(lively(CONFIG), tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
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


# ---- the network


def expect_torchs_logits(program: Path, made: Checkpoint, file: Path) -> None:
    """At each place: the prompt is read at once, what was chosen token by token."""
    prompt, chosen = b"The goat's 19", 0
    for seed in range(6):
        ids = ids_of(program, file, "-s", seed, "-n", 30, prompt=prompt)
        done = run(program, file, "--logits", "-s", seed, "-n", 30, prompt=prompt)
        ours = np.frombuffer(done.stdout, "<f4").reshape(-1, CONFIG.vocab_size)
        np.testing.assert_allclose(ours, made.model(torch.tensor([ids]))[0].numpy(), atol=2e-4)
        chosen += len(ids) - len(in_python(prompt))
    assert chosen > 60


@pytest.mark.parametrize(("dtype", "n_kv_head"), [("fp32", 2), ("fp32", 4), ("fp32", 1), ("fp16", 2)])
def test_logits_equal_torch_whether_read_at_once_or_token_by_token(program, tmp_path, dtype, n_kv_head):
    made, file = exported(lively(replace(CONFIG, n_kv_head=n_kv_head)), tmp_path, dtype)
    for weight in made.model.parameters():
        weight.copy_(weight.to(flat.DTYPES[dtype]))  # what the file holds
    expect_torchs_logits(program, made, file)


def test_the_angles_and_the_norms_are_those_of_the_file(program, tmp_path, monkeypatch):
    for module in (gpt, flat):
        monkeypatch.setattr(module, "ROPE_BASE", 50.0)
        monkeypatch.setattr(module, "NORM_EPS", 0.05)
    expect_torchs_logits(program, *exported(lively(CONFIG), tmp_path))


def expect_greedy(program: Path, made: Checkpoint, file: Path, prompt: bytes, n: int) -> None:
    """Each chosen token is torch's likeliest after all tokens before it."""
    start = len(ids_of(program, file, "-n", 0, prompt=prompt))
    ids = ids_of(program, file, "-t", 0, "-n", n, prompt=prompt)
    likeliest = made.model(torch.tensor([ids]))[0].argmax(-1).tolist()
    assert ids[start:] == likeliest[start - 1 : -1]
    stops = {made.tokenizer.special[name] for name in ("<|bos|>", "<|end|>")}
    assert stops.isdisjoint(ids[start:])
    assert len(ids) == start + n or likeliest[-1] in stops


def test_greedy_tokens_equal_torch_on_100_prompts(program, small):
    chance = random.Random(4)
    for _ in range(100):
        start = chance.randrange(len(TEXT) - 20)
        prompt = TEXT[start : start + chance.randrange(20)].encode()
        expect_greedy(program, *small, prompt, 12)


@pytest.mark.parametrize("prompt", ["", "Maren Holt was", "def add(a, b):\n", "12 + 7 ="])
def test_the_course_model_says_what_it_says_in_torch(program, tmp_path, prompt):
    made, file = exported(
        zoo.load("course"), tmp_path, "fp16"
    )  # the shipped weights are fp16: nothing is lost
    expect_greedy(program, made, file, prompt.encode(), 24)


def test_draws_follow_the_policy(program, tmp_path):
    """A network whose scores are the same after every token draws 4,000 times."""
    config = replace(CONFIG, block_size=4096, n_layer=1, n_head=1, n_kv_head=1, n_embd=2)
    made, scores = lively(config), torch.full((config.vocab_size,), -50.0)
    scores[100:112] = torch.tensor([0.0, -0.1, -0.1, -0.7, -1.0, -1.2, -1.9, -2.0, -2.6, -3.0, -3.3, -4.0])
    with torch.no_grad():
        for name, weight in made.model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weight.zero_()  # nothing is added to the embedding: (0, 1000 + score), normed (0, √2)
        made.model.embed_tokens.weight.copy_(torch.stack([torch.zeros(len(scores)), 1000 + scores], dim=1))
        made.model.norm.weight.fill_(2**-0.5)
    _, file = exported(made, tmp_path)
    drawn = ids_of(program, file, "-t", 0.8, "--top-p", 0.93, "-n", 4000, "-s", 11)[1:]
    policy = Policy(temperature=0.8, top_p=0.93)
    expected = policy.cut(policy.scores(scores)).softmax(-1).numpy()
    counts = np.bincount(drawn, minlength=len(expected))
    assert len(drawn) == 4000 and (counts[expected == 0] == 0).all() and (counts[expected > 0] > 0).all()
    assert (np.abs(counts - 4000 * expected) <= 5 * np.sqrt(4000 * expected * (1 - expected))).all()


def test_a_seed_is_a_text(program, small):
    texts = [run(program, small[1], "-s", seed, prompt=b"ferry").stdout for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_the_text_ends_with_the_context(program, wide, small):
    assert len(ids_of(program, small[1], "-n", 10_000, "-s", 3)) <= CONFIG.block_size
    full = run(program, small[1], "--ids", prompt=b"0" * (CONFIG.block_size - 1))
    assert full.returncode == 2
    assert b"has 63 tokens, and the model reads at most 62" in full.stderr


# ---- the tokenizer

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


# ---- broken files


def expect_a_sentence(done: subprocess.CompletedProcess, says: str = "") -> None:
    said = done.stderr.decode()
    assert done.returncode == 2 and done.stdout == b"", (done.returncode, said)
    assert said.startswith("run: ") and said.count("\n") == 1 and says in said, said


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


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("-t", "-1"), "-t wants a number from 0"),
        (("-t", "warm"), "-t wants"),
        (("--top-p", "0"), "--top-p wants"),
        (("--top-p", "nan"), "--top-p wants"),
        (("-n", "1.5"), "-n wants a whole number"),
        (("-s",), "-s wants"),
        (("--loud",), "don't understand --loud"),
        (("another.bin",), "don't understand another.bin"),
    ],
    ids=str,
)
def test_a_wrong_option_is_one_sentence(program, small, options, says):
    expect_a_sentence(run(program, small[1], *options), says)


def test_a_missing_file_is_one_sentence(program, tmp_path):
    expect_a_sentence(run(program, tmp_path / "none.bin"), "There is no")
    expect_a_sentence(run(program, tmp_path))


def test_ten_thousand_broken_files_under_the_address_sanitizer(program, tmp_path):
    """In one process; what the engine takes in spite of all, it must be able to use."""
    config = replace(CONFIG, block_size=16, n_layer=1, n_embd=8, n_hidden=8)
    _, file = exported(lively(config), tmp_path)
    flags = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    source, fuzz = Path(__file__).with_name("fuzz_engine.c"), tmp_path / "fuzz"
    if why := native.compile_c(native.compiler(), flags, source, fuzz):
        pytest.skip(f"no AddressSanitizer: {why}")
    limits = os.environ | {"ASAN_OPTIONS": "max_allocation_size_mb=1100", "LC_ALL": "C"}
    done = subprocess.run([fuzz, file, "10000", "8"], capture_output=True, text=True, timeout=120, env=limits)
    assert done.returncode == 0, done.stderr[-3000:]
    taken, *complaints = done.stdout.splitlines()
    assert int(taken.split()[0]) > 200, "hardly a file came through: the fuzzer tests nothing"
    assert len(complaints) >= 8, done.stdout


# ---- building and exporting


def test_it_is_plain_c_without_a_warning(program):
    flags = ("-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror")
    for source in (native.SOURCES[-1], Path(__file__).with_name("fuzz_engine.c")):
        done = subprocess.run([*native.compiler(), *flags, source], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_second_build_compiles_nothing(program, monkeypatch):
    monkeypatch.setattr(native, "compile_c", lambda *_: pytest.fail("compiled again"))
    assert native.build() == program


def test_without_a_compiler_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(LabError, match="pip install ziglang"):
        native.build()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    assert native.compiler()[1:] == ["-m", "ziglang", "cc"]


def test_a_compiler_that_fails_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("LLMLAB_CACHE", str(tmp_path))
    (tmp_path / "broken.c").write_text("int main(void) { return nothing; }", encoding="utf-8")
    monkeypatch.setattr(native, "compiler", lambda: ["no-such-compiler"])
    with pytest.raises(LabError, match="could not compile"):
        native.build()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "broken.c"]


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
