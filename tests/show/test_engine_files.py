"""Files that are damaged or foreign, given to the engine in the page: a sentence each, and never a crash."""

import base64
import os
import subprocess
from pathlib import Path

import pytest

from llmlab.errors import LabError
from llmlab.model import flat, native
from llmlab.show.bundle import worker
from tests.show.engine_page import lively

pytestmark = pytest.mark.browser
ROUNDS, SEED = 10_000, 8
FUZZ = Path(__file__).parents[1] / "model" / "fuzz_page.c"

# The page's own loader on one broken file after another; what it takes must be usable.
SPOIL = """async ([program, fuzz, file, rounds, seed]) => {
  const bytes = (b64) => Uint8Array.from(atob(b64), (letter) => letter.charCodeAt(0));
  const broken = (await WebAssembly.instantiate(bytes(fuzz))).instance.exports, whole = bytes(file);
  const memory = () => new Uint8Array(broken.memory.buffer);
  await start(bytes(program));
  memory().set(whole, broken.whole_file());
  broken.begin(seed);
  const said = {};
  let taken = 0;
  for (let made = 0; made < rounds; made++) {
    const size = broken.next(whole.length), at = broken.broken_file();
    try {
      openModel(memory().slice(at, at + size));
    } catch (problem) {
      if (problem instanceof WebAssembly.RuntimeError) throw problem;
      said[problem.message] = (said[problem.message] ?? 0) + 1;
      continue;
    }
    taken++;
    const ids = encode("It's 1984, \\u20ac \\n\\t so!").slice(0, model.room);
    const first = likeliest(read(ids, true).slice(0, model.V));
    if (read(ids).length !== model.V || first >= model.V) throw new Error("not usable");
    if (model.tokens.some((token) => token.length < 1)) throw new Error("an empty token");
  }
  return { taken, said };
}"""


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture(scope="module")
def spoiler(tmp_path_factory) -> bytes:
    """fuzz_engine.c's way to break files, for the browser."""
    program = tmp_path_factory.mktemp("fuzz") / "fuzz.wasm"
    try:
        native.build_wasm()
    except LabError as error:
        if os.environ.get("CI"):
            pytest.fail(f"NO ZIG: {error}")
        pytest.skip(f"NO ZIG: {error}")
    assert native.compile_c([*native.ZIG, "cc"], native.FOR_THE_PAGE, FUZZ, program) is None
    return program.read_bytes()


@pytest.fixture
def loader(browser):
    """A page with the Worker's script in it, so that its loader can be called."""
    page = browser.new_page()
    page.add_script_tag(content=worker())
    yield page
    page.close()


def test_thousands_of_broken_files_end_in_a_sentence_or_can_be_used(loader, spoiler, tmp_path):
    """The files of test_flat's sanitizer run, made by the same code.

    About each of them the page says what the engine says that was compiled for this machine.
    """
    file = flat.pack(lively(block_size=16, n_layer=1, n_embd=8, n_hidden=8), "fp32")
    done = loader.evaluate(SPOIL, [*map(b64, (native.WASM.read_bytes(), spoiler, file)), ROUNDS, SEED])
    assert done["taken"] > ROUNDS / 50, "hardly a file came through: the fuzzer tests nothing"
    assert len(done["said"]) >= 6
    no_bos = done["said"].pop(
        "The model of this page has no token <|bos|> to begin with.", 0
    )  # run.c asks later
    (tmp_path / "model.bin").write_bytes(file)
    native_says = said_by_c(tmp_path, ROUNDS)
    assert native_says.pop("taken") == done["taken"] + no_bos
    assert {f"The model of this page {wrong}.": times for wrong, times in native_says.items()} == done["said"]


def said_by_c(folder: Path, rounds: int) -> dict[str, int]:
    """What the same engine, compiled for this machine, says about the same files: each complaint and how often."""
    program = folder / "fuzz"
    assert native.compile_c(native.compiler(), ("-O1",), FUZZ.with_name("fuzz_engine.c"), program) is None
    done = subprocess.run(
        [program, folder / "model.bin", str(rounds), str(SEED)], capture_output=True, text=True
    )
    assert done.returncode == 0
    lines = (line.split(" ", 1) for line in done.stdout.splitlines())
    return {what: int(times) for times, what in lines}


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"\0asm\1\0\0\0" * 20, b"LLMLAB\r\n", bytes(100_000)], ids=len
)
def test_a_foreign_file_is_a_sentence(loader, content):
    said = loader.evaluate(
        """async ([program, file]) => {
          const bytes = (b64) => Uint8Array.from(atob(b64), (letter) => letter.charCodeAt(0));
          await start(bytes(program));
          try { openModel(bytes(file)); } catch (problem) { return problem.message; }
        }""",
        [b64(native.WASM.read_bytes()), b64(content)],
    )
    assert said == "The model of this page is not a model.bin of this course."


def test_a_program_that_is_none_is_a_sentence(loader):
    said = loader.evaluate("start(new Uint8Array(9)).then(() => '', (problem) => problem.message)")
    assert said == "This browser cannot run the engine in the page."
