"""The engine in the page, measured in a real browser: does it say the same as torch, and how fast is it?

The Worker, the script and the weights are those of the lessons; only the page around them is empty.

Read next: report/run_c.py, the same questions for the same C in a terminal.
"""

import base64
import statistics
from collections.abc import Callable, Iterator
from typing import Any

from llmlab.course.timing import chromium
from llmlab.errors import LabError
from llmlab.model import flat, native
from llmlab.model.checkpoint import Checkpoint
from llmlab.report import run_c
from llmlab.report.bench import Row
from llmlab.report.figures import PROMPTS, Evidence, Figure, held_out_pages, share
from llmlab.show.bundle import script

PROMPT = 60  # tokens in a prompt whose reading is timed
READ = 20  # such prompts
WRITTEN = 1_000  # tokens whose writing is timed
PLACE = "1 CPU core, Chromium"

ASK = """async (request) => {
  const from = performance.now(), { buffers, ...reply } = await window.engine.ask(request);
  const base64 = (buffer) => {
    const bytes = new Uint8Array(buffer), parts = [];
    for (let at = 0; at < bytes.length; at += 8192) parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
    return btoa(parts.join(""));
  };
  return { ms: performance.now() - from, reply, buffers: buffers.map(base64) };
}"""
Asked = tuple[dict[str, Any], list[bytes], float]  # the reply, its buffers, and how many milliseconds it took


def address(content: bytes) -> str:
    """A file as an address of its own, for a page without a server."""
    return "data:application/octet-stream;base64," + base64.b64encode(content).decode()


def engine_on(page: Any, checkpoint: Checkpoint) -> Callable[[dict[str, Any]], Asked]:
    """Start the engine with this model on a Playwright page. What comes back asks it a question."""
    page.add_script_tag(content=script("core.js", "asking.js", "engine.js"))
    files = {"program": address(native.WASM.read_bytes()), "weights": address(flat.pack(checkpoint))}
    page.evaluate("async (files) => { window.engine = await pageEngine(files); }", files)

    def ask(request: dict[str, Any]) -> Asked:
        said = page.evaluate(ASK, request)
        return said["reply"], [base64.b64decode(buffer) for buffer in said["buffers"]], said["ms"]

    return ask


def figures(evidence: Evidence) -> Iterator[Figure]:
    """`page.same_tokens`: greedy text of the page beside torch's, after the first words of held-out pages."""
    id = "page.same_tokens"
    try:
        with chromium() as browser:
            ask = engine_on(browser.new_page(), evidence.checkpoint)
            prompts = [run_c.first_words(text) for text in held_out_pages(evidence)[:PROMPTS]]
            same = sum(same_tokens(ask, evidence.checkpoint, prompt) for prompt in prompts)
    except LabError as error:
        run_c.leave_out(id, error)
        return
    yield share(id, same, len(prompts), "1", evidence.seed)


def same_tokens(ask: Callable[[dict], Asked], checkpoint: Checkpoint, prompt: str) -> bool:
    """Whether the page reads the prompt as the tokenizer does, and continues it greedily as torch would."""
    reply, _, _ = ask({"kind": "greedy", "text": prompt, "tokens": run_c.NEW})
    return run_c.continues_as_torch(checkpoint, prompt, reply["ids"])


def bench(checkpoint: Checkpoint) -> Iterator[Row]:
    """How fast the page writes, and how long it reads a prompt, Worker and messages included."""
    with chromium() as browser:
        ask = engine_on(browser.new_page(), checkpoint)
        ask(
            {"kind": "greedy", "text": "The", "tokens": 30}
        )  # the browser compiles what runs often a second time
        yield Row("page.course.tokens_per_s", tokens_per_s(ask, checkpoint), "tokens/s", 600, PLACE)
        yield Row("page.prompt_60.ms", prompt_ms(ask, checkpoint), "ms", 50, PLACE)


def tokens_per_s(ask: Callable[[dict], Asked], checkpoint: Checkpoint) -> float:
    """Tokens a second over texts that begin with one ordinary token each, until there are WRITTEN."""
    made = ms = 0.0
    for token in range(256, checkpoint.config.vocab_size - len(checkpoint.tokenizer.special)):
        reply, _, took = ask({"kind": "greedy", "ids": [checkpoint.tokenizer.bos, token], "tokens": 400})
        made, ms = made + len(reply["ids"]) - 2, ms + took
        if made >= WRITTEN:
            return made / ms * 1_000
    raise RuntimeError("The texts of this model all end at once.")


def prompt_ms(ask: Callable[[dict], Asked], checkpoint: Checkpoint) -> float:
    """The median time from asking to having the scores after a prompt of PROMPT tokens, each of them a new one."""
    bos, ordinary = checkpoint.tokenizer.bos, checkpoint.config.vocab_size - len(checkpoint.tokenizer.special)
    prompts = [
        [bos, *((n * 7919 + place * 31) % ordinary for place in range(1, PROMPT))] for n in range(1, READ + 1)
    ]
    return statistics.median(ask({"kind": "logits", "ids": ids})[2] for ids in prompts)
