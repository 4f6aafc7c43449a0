"""marimo's own scripts and styles, from memory: a page asks for three hundred small files before it shows anything.

From the disk, through worker threads, they cost a second of this process, which the lesson's cells want at the same
time. All lessons ask for them at one address, /assets/, so a browser fetches them with the first page and keeps them:
their names change with what is in them.
"""

import mimetypes
from functools import cache
from pathlib import Path

from starlette.responses import Response

from llmlab.course.page_engine import KEEP, App, Receive, Scope, Send

PREFIX = "/assets/"


@cache
def files() -> dict[str, Path]:
    """The files that may be asked for, by name."""
    import marimo

    folder = Path(marimo.__file__).parent / "_static" / "assets"
    return {file.name: file for file in folder.iterdir() if file.is_file()}


@cache
def content(name: str) -> Response:
    """A file as it is sent, read once. KeyError where there is none of this name."""
    # Windows may have another idea of what a script is
    kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
    body = files()[name].read_bytes()
    return Response(body, headers={**KEEP, "content-type": kind or "application/octet-stream"})


def hand_out(app: App) -> App:
    """The same app, which also answers under PREFIX."""

    async def with_files(scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].removeprefix(PREFIX) if scope["type"] == "http" else None
        ours = name is not None and scope["method"] == "GET" and name in files()
        await (content(name) if ours else app)(scope, receive, send)

    return with_files
