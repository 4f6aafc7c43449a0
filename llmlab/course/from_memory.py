"""marimo's own scripts and styles, from memory: a page asks for three hundred small files before it shows anything.

From the disk, through worker threads, they cost a second of this process, which the lesson's cells want at the same
time. All lessons ask for them at one address, /assets/, so a browser fetches them with the first page and keeps them:
their names change with what is in them.
"""

import mimetypes
from collections.abc import Awaitable, Callable
from functools import cache, lru_cache
from pathlib import Path

PREFIX = "/assets/"
KEEP = (b"cache-control", b"public, max-age=31536000, immutable")

Scope = dict
Receive = Callable[[], Awaitable[dict]]
Send = Callable[[dict], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@lru_cache(maxsize=1)
def files() -> dict[str, Path]:
    """The files that may be asked for, by name."""
    import marimo

    folder = Path(marimo.__file__).parent / "_static" / "assets"
    return {file.name: file for file in folder.iterdir() if file.is_file()}


@cache
def content(name: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """A file, and the headers that it travels with. KeyError where there is none of this name."""
    body, kind = files()[name].read_bytes(), mimetypes.guess_type(name)[0] or "application/octet-stream"
    kind = "text/javascript" if name.endswith(".js") else kind  # Windows may have another idea
    return body, [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), KEEP]


def hand_out(app: App) -> App:
    """The same app, which also answers under PREFIX."""

    async def with_files(scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].removeprefix(PREFIX) if scope["type"] == "http" else None
        if name is None or scope["method"] != "GET" or name not in files():
            await app(scope, receive, send)
            return
        body, headers = content(name)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return with_files
