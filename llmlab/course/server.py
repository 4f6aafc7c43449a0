"""Serving the course: all lessons from one process, to this machine only.

marimo runs each student's session as a thread of this process, so the models are in memory once. What stands here
is what marimo leaves to us: listening on 127.0.0.1, refusing requests that another site makes in a student's
browser (Host and Origin, on HTTP and on WebSocket), and telling the browser to load nothing from anywhere else.

Read next: home.py, the first page that is served.
"""

import os
import socket
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from llmlab.course import browser
from llmlab.course.lessons import HOME, Lesson, available
from llmlab.errors import LabError

ADDRESS = "127.0.0.1"
PORT = 8420
# The page may run what the course sends (marimo and the widgets need inline code and workers), and ask nobody else.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "connect-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'"
)

Scope = dict
Receive = Callable[[], Awaitable[dict]]
Send = Callable[[dict], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class OnlyThisMachine:
    """ASGI middleware: a request must name this server as its host and, if it has one, as its origin.

    Without it a page on the internet could talk to the course through the student's browser, by a plain request
    or by a name that it points at 127.0.0.1 (DNS rebinding).
    """

    def __init__(self, app: App, port: int) -> None:
        self.app = app
        self.hosts = {f"{name}:{port}" for name in (ADDRESS, "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif self._allowed(scope["headers"]):
            await self.app(scope, receive, _with_policy(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send(
                {"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]}
            )
            await send(
                {"type": "http.response.body", "body": b"This course answers only to its own pages.\n"}
            )

    def _allowed(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        values = {
            name: [v.decode("latin-1") for n, v in headers if n == name] for name in (b"host", b"origin")
        }
        origins = {f"http://{host}" for host in self.hosts}
        return (
            len(values[b"host"]) == 1
            and values[b"host"][0].lower() in self.hosts
            and all(origin.lower() in origins for origin in values[b"origin"])
        )


def _with_policy(send: Send) -> Send:
    async def send_with_policy(message: dict) -> None:
        if message["type"] == "http.response.start":
            extra = [(b"content-security-policy", POLICY.encode()), (b"x-content-type-options", b"nosniff")]
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return send_with_policy


def course_app(port: int) -> App:
    """The whole course as one ASGI app: the front page at /, each lesson at its own path, the engine. Sends no code."""
    import marimo

    from llmlab.course import from_memory, page_engine
    from llmlab.course.page import for_head

    # asset_url "": all lessons fetch marimo's files from /assets/, and a browser has them after the first page
    builder = marimo.create_asgi_app(quiet=True, include_code=False, html_head=for_head(), asset_url="")
    for lesson in available():
        builder = builder.with_app(path=lesson.url.rstrip("/"), root=str(lesson.file))
    app = builder.with_app(path="/", root=str(HOME)).build()
    return OnlyThisMachine(from_memory.hand_out(page_engine.hand_out(app)), port)


def listen(port: int | None) -> socket.socket:
    """A socket on this machine. Without a port: ours if it is free, else any that is."""
    wanted = (PORT, 0) if port is None else (port,)
    for number in wanted:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there the option would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((ADDRESS, number))
            listener.listen(128)
            return listener
        except (OSError, OverflowError):
            listener.close()
    raise LabError(
        f"Port {port} cannot be used (another program may hold it). Leave out --port, and a free one is found."
    )


def serve(port: int | None = None, open_browser: bool = True) -> None:
    """Serve until Ctrl-C. Prints the address as soon as pages can be asked for."""
    # Read when numpy and torch are loaded. Models as small as these lose more by threads that wait for each other
    # than they gain, and the browser needs the other cores at the same time. Trainings are given their own number.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import uvicorn

    listener = listen(port)
    number = listener.getsockname()[1]
    config = uvicorn.Config(
        course_app(number), log_level="warning", lifespan="off", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    url = f"http://{ADDRESS}:{number}/"
    print(f"LLM Lab is open at {url}   (Ctrl-C closes it)", flush=True)
    threading.Thread(target=_warm_up, daemon=True).start()
    if open_browser and browser.can_open():
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    server.run(sockets=[listener])


def _warm_up() -> None:
    """Load what every lesson needs while the student still looks at the front page."""
    from llmlab.model import flat  # brings torch

    flat.letter_kinds()  # a part of the weights' file for the page


def edit(lesson: Lesson, port: int | None = None) -> int:
    """Open one lesson in marimo's editor, behind a password that is part of the address it prints."""
    with listen(port) as free:
        number = free.getsockname()[1]
    headless = [] if browser.can_open() else ["--headless"]
    return subprocess.call([*edit_command(lesson.file, number), *headless])


def edit_command(file: Path, port: int) -> list[str]:
    """marimo's own editor. Who may edit may run any code, hence the password (a new one each time)."""
    marimo = [sys.executable, "-m", "marimo", "edit", str(file)]
    return [*marimo, "--host", ADDRESS, "--port", str(port), "--token", "--skip-update-check"]
