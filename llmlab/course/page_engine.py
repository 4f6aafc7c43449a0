"""The engine in the page, from this side: its program and a model's weights, handed out by the course's own server.

A lesson asks `engine_for(checkpoint)` and gives the answer to a widget as its `engine`. In the course this is two
addresses of this server, which the browser fetches once and keeps: their names change with what is in them. Elsewhere
(marimo's own server, Jupyter) nobody hands the files out, the answer is empty, and Python answers the widget: it runs
on the student's machine there anyway, and 7 MB in each notebook's messages would help nobody.

Read next: model/page.c, the program; show/static/engine.js, who fetches it.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import lru_cache
from threading import Lock

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from llmlab.model import flat, native
from llmlab.model.checkpoint import Checkpoint, fingerprint

PREFIX = "/engine/"
KEPT = 8  # models whose weights can be asked for at the same time
KEEP = {"cache-control": "public, max-age=31536000, immutable"}

Scope = dict
Receive = Callable[[], Awaitable[dict]]
Send = Callable[[dict], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Shelf:
    """The files that can be fetched, by name: the program, and the models that lessons have asked for."""

    def __init__(self) -> None:
        self.open = False  # whether a server hands them out
        self.models: OrderedDict[str, Checkpoint | bytes] = OrderedDict()
        self.lock, self.packing = Lock(), Lock()

    def offer(self, checkpoint: Checkpoint) -> str:
        """The name under which this model's weights can be fetched."""
        name = f"{hashlib.sha256(bytes([flat.VERSION]) + fingerprint(checkpoint)).hexdigest()[:16]}.bin"
        with self.lock:
            self.models.setdefault(name, checkpoint)
            self.models.move_to_end(name)
            while len(self.models) > KEPT:
                self.models.popitem(last=False)
        return name

    def content(self, name: str) -> bytes | None:
        """The content of a file; None if it was never offered, or is not any more."""
        if name == program_name():
            return native.WASM.read_bytes()
        with (
            self.packing
        ):  # when first asked for, and once, however many ask; nobody who only offers waits for it
            found = self.models.get(name)
            if isinstance(found, Checkpoint):
                found = flat.pack(found, "fp16")
                with self.lock:
                    self.models[name] = found
            return found


shelf = Shelf()


@lru_cache(maxsize=1)
def program_name() -> str:
    return f"{hashlib.sha256(native.WASM.read_bytes()).hexdigest()[:16]}.wasm"


def engine_for(checkpoint: Checkpoint) -> dict[str, str]:
    """Where the page finds an engine with this model: a widget's `engine`. Empty where nobody hands it out."""
    if not shelf.open:
        return {}
    return {"program": PREFIX + program_name(), "weights": PREFIX + shelf.offer(checkpoint)}


def hand_out(app: App) -> App:
    """The same app, which also answers under PREFIX. From now on, lessons of this process get addresses."""
    shelf.open = True

    async def with_engine(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await app(scope, receive, send)
            return
        content = await run_in_threadpool(shelf.content, scope["path"].removeprefix(PREFIX))
        kind = "application/wasm" if scope["path"].endswith(".wasm") else "application/octet-stream"
        missing = PlainTextResponse("There is no such file. Reload the lesson.\n", 404)
        response = Response(content, media_type=kind, headers=KEEP) if content else missing
        await response(scope, receive, send)

    return with_engine
