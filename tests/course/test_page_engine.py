"""The files of the engine in the page: named after what is in them, handed out by our server only."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from llmlab.course import page_engine
from llmlab.course.page_engine import PREFIX, Shelf, engine_for, hand_out
from llmlab.course.server import OnlyThisMachine
from llmlab.model import flat, native
from tests.show.engine_page import lively

PORT = 8420


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """A shelf of our own, so that no other check finds addresses on it."""
    monkeypatch.setattr(page_engine, "shelf", Shelf())
    yield page_engine.shelf


async def rest(scope, receive, send) -> None:
    """The app behind it."""
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"the course"})


def get(app, path: str, host: str = f"127.0.0.1:{PORT}") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request, without a socket."""
    sent: list[dict] = []

    async def ask() -> None:
        async def receive() -> dict:
            return {"type": "http.request"}

        async def send(message: dict) -> None:
            sent.append(message)

        headers = [(b"host", host.encode())]
        await app({"type": "http", "method": "GET", "path": path, "headers": headers}, receive, send)

    with ThreadPoolExecutor(1) as pool:  # a browser test of the same process may have a loop in this thread
        pool.submit(asyncio.run, ask()).result()
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


def test_without_our_server_there_is_no_address(shelf):
    assert engine_for(lively()) == {}


def test_the_addresses_lead_to_the_program_and_the_weights(shelf):
    app, made = OnlyThisMachine(hand_out(rest), PORT), lively()
    found = engine_for(made)
    status, headers, content = get(app, found["program"])
    assert (status, headers["content-type"]) == (200, "application/wasm")
    assert content == native.WASM.read_bytes() and "immutable" in headers["cache-control"]
    status, headers, content = get(app, found["weights"])
    assert status == 200 and content == flat.pack(made)
    assert "immutable" in headers["cache-control"] and headers["x-content-type-options"] == "nosniff"
    assert get(app, "/")[0] == 299 and get(app, "/02_next_token/")[2] == b"the course"


def test_a_model_that_was_trained_again_has_another_address(shelf):
    hand_out(rest)
    assert engine_for(lively(1)) == engine_for(lively(1)) != engine_for(lively(2))


@pytest.mark.parametrize("path", ["", "0123456789abcdef.bin", "../server.py", "engine.c", "%2e%2e/x"])
def test_nothing_else_is_handed_out(shelf, path: str):
    app = hand_out(rest)
    engine_for(lively())
    assert get(app, PREFIX + path)[0] == 404


def test_another_site_gets_nothing(shelf):
    app = OnlyThisMachine(hand_out(rest), PORT)
    assert get(app, engine_for(lively())["weights"], host="evil.example")[0] == 403


def test_models_that_nobody_looks_at_make_room(shelf, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(page_engine, "KEPT", 2)
    names = [shelf.offer(lively(seed)) for seed in (1, 2, 1, 3)]
    assert [shelf.content(name) is None for name in names] == [False, True, False, False]
