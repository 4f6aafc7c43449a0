"""run.c for a widget: a child process writes, a thread reads along, the widget asks what is new.

    answer = Speaker(checkpoint)
    answer({"kind": "speak", "text": "The ferry", "temperature": 0.5, "seed": 1, "tokens": 100})
    answer({"kind": "more", "seen": 0})      # again and again, until its "state" is "done"
    answer({"kind": "stop"})

The program prints the number of each token as soon as it has chosen it (`--ids`), and it runs without a network where
the system can take it away. Nothing here waits: what takes time happens in the thread.

Read next: show/speaking.py, the widget; plug.py, the network; ../model/native.py, who compiles.
"""

import codecs
import os
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from llmlab.course.plug import without_network
from llmlab.errors import LabError
from llmlab.generate.engine import encode_prompt
from llmlab.model import flat, native
from llmlab.model.checkpoint import Checkpoint, fingerprint
from llmlab.model.gpt import GPT
from llmlab.paths import cache_dir
from llmlab.show.asking import Reply
from llmlab.show.speaking import TOP_P

ALONE = 20.0  # s without a question after which a text is ended
NO_TEXT = {"state": "stopped", "pieces": [], "ids": [], "seconds": 0.0, "error": ""}
KEPT = 16  # model files in the cache
NOTHING = "There is no model yet. Train one with the button above, then press Write."
DAMAGED = "The program ended unexpectedly."


known: WeakKeyDictionary[GPT, tuple[str, int]] = WeakKeyDictionary()  # model → name and size of its file


def model_file(checkpoint: Checkpoint) -> Path:
    """This model's model.bin (fp16) in the user's cache, written if it is not there or not whole."""
    if checkpoint.model not in known:
        name = f"model-{fingerprint(checkpoint).hex()[:16]}.bin"
        known[checkpoint.model] = name, len(flat.pack(checkpoint, "fp16"))
    name, size = known[checkpoint.model]
    file = cache_dir() / "native" / name
    if not file.exists() or file.stat().st_size != size:
        flat.write(file, checkpoint, "fp16")
        written_before = sorted(file.parent.glob("model-*.bin"), key=lambda one: one.stat().st_mtime)
        for old in written_before[:-KEPT]:  # a student's training makes one at each save
            old.unlink(missing_ok=True)
    return file


def command(program: Path, file: Path, request: Mapping[str, Any]) -> list[str]:
    """How the program is called for one text; the prompt comes by the standard input, whatever bytes it has."""
    temperature, tokens = float(request["temperature"]), int(request["tokens"])
    options = ["-t", f"{temperature:g}", "--top-p", f"{TOP_P:g}", "-n", str(tokens)]
    return [str(program), str(file), "-p", "-", *options, "-s", str(int(request["seed"])), "--ids"]


class Text:
    """A text while it is written. `pieces` are its new tokens' letters; `state` ends as done, stopped, failed."""

    def __init__(self, checkpoint: Checkpoint, request: Mapping[str, Any]) -> None:
        self.checkpoint, self.request = checkpoint, request
        self.prompt = str(request["text"]).encode("utf-8", errors="replace").decode("utf-8")
        self.given = 0  # tokens of the prompt, <|bos|> included
        self.pieces: list[str] = []
        self.ids: list[int] = []
        self.state, self.error = "compiling", ""
        self.seconds = 0.0  # since the prompt's last token
        self.asked = time.monotonic()
        self.child: subprocess.Popen[bytes] | None = None
        self.stopping = threading.Event()

    def run(self) -> None:
        """Compile if need be, start the program, read along to its end. Called in a thread of its own."""
        try:
            self.given = len(encode_prompt(self.checkpoint, self.prompt))
            program, file = native.build(), model_file(self.checkpoint)
            self.state = "running"
            call = [*without_network(), *command(program, file, self.request)]
            with subprocess.Popen(
                call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as child:
                self.child = child
                self._read(child)
        except LabError as error:
            self.state, self.error = "failed", str(error)
        except OSError as error:
            self.state, self.error = "failed", f"run.c could not be started ({error.strerror or error})."

    def _read(self, child: subprocess.Popen[bytes]) -> None:
        letters = codecs.getincrementaldecoder("utf-8")("replace")
        try:
            child.stdin.write(self.prompt.encode("utf-8"))
            child.stdin.close()
        except BrokenPipeError:
            pass  # it has ended before it read all, and says why
        begun, rest, count = time.perf_counter(), b"", 0
        while chunk := os.read(child.stdout.fileno(), 4096):
            *numbers, rest = (rest + chunk).split(b" ")
            for number in map(int, numbers):
                count += 1
                if count > self.given:
                    self.ids.append(number)
                    self.pieces.append(letters.decode(self.checkpoint.tokenizer.token_bytes(number)))
            if count <= self.given:
                begun = time.perf_counter()
            self.seconds = time.perf_counter() - begun
            if self.stopping.is_set() or time.monotonic() - self.asked > ALONE:
                child.kill()
        said = child.stderr.read().decode("utf-8", errors="replace").strip()
        status = child.wait()
        if self.stopping.is_set() or status < 0:
            self.state = "stopped"
        elif status == 0:
            self.state = "done"
        else:
            self.state, self.error = (
                "failed",
                said.splitlines()[-1].removeprefix("run: ") if said else DAMAGED,
            )

    def report(self, seen: int) -> dict[str, Any]:
        """How it stands, and what is new since the first `seen` tokens."""
        self.asked, state = (
            time.monotonic(),
            self.state,
        )  # the state first: all that was before it is in the pieces
        pieces = self.pieces[seen:]
        ids = self.ids[seen : seen + len(pieces)]
        return {"state": state, "pieces": pieces, "ids": ids, "seconds": self.seconds, "error": self.error}


class Speaker:
    """Answers a `Speaking` widget: one student, one model, one text at a time."""

    def __init__(self, checkpoint: Checkpoint | None = None) -> None:
        self.checkpoint = checkpoint  # another one may be put here at any time
        self.text: Text | None = None

    def __call__(self, request: dict[str, Any]) -> Reply:
        if request["kind"] == "speak":
            self.stop()
            if self.checkpoint is None:
                raise LabError(NOTHING)
            self.text = Text(self.checkpoint, request)
            threading.Thread(target=self.text.run, name="run.c", daemon=True).start()
        elif request["kind"] == "stop":
            self.stop()
        return (self.text.report(int(request.get("seen", 0))) if self.text else NO_TEXT), []

    def stop(self) -> None:
        if self.text is not None:
            self.text.stopping.set()
            if self.text.child is not None:
                self.text.child.kill()


def written(checkpoint: Checkpoint, text: str, seed: int, temperature: float, tokens: int) -> str:
    """A text of run.c from beginning to end, without the prompt. LabError where it cannot be had."""
    one = Text(checkpoint, {"text": text, "seed": seed, "temperature": temperature, "tokens": tokens})
    one.run()
    if one.state != "done":
        raise LabError(one.error or DAMAGED)
    return "".join(one.pieces)
