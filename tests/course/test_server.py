"""The course's server: this machine only, no code sent, one process for everything."""

import http.client
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from llmlab.course import from_memory, server
from llmlab.course.lessons import HOME, available
from llmlab.course.timing import served
from llmlab.errors import LabError


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A course of our own, as a student starts it."""
    with served() as (address, _):
        yield int(address.rstrip("/").rpartition(":")[2])


def ask(port: int, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def test_home_and_every_lesson_are_served(port: int):
    for path in ["/", *(lesson.url for lesson in available())]:
        assert ask(port, path).status == 200, path


def test_all_pages_ask_for_the_same_files_and_a_browser_keeps_them(port: int):
    named = []
    for path in ["/", *(lesson.url for lesson in available())]:
        page = ask(port, path).read().decode("utf-8")
        own = re.findall(r'(?:src|href)="([^"]*/assets/[^"]+)"', page)
        assert own and all(name.startswith("/assets/") for name in own), path
        named.append(set(own))
    assert all(own == named[0] for own in named)
    for name in named[0]:
        answer = ask(port, name)
        assert answer.status == 200 and "immutable" in answer.getheader("cache-control")
        assert answer.read() == from_memory.files()[name.rpartition("/")[2]].read_bytes()
    script = next(name for name in named[0] if name.endswith(".js"))
    assert ask(port, script).getheader("content-type") == "text/javascript"


@pytest.mark.parametrize(
    "name", ["no-such-file.js", "../index.html", "%2e%2e/index.html", "", "x/../../index.html"]
)
def test_no_other_file_is_handed_out(port: int, name: str):
    answer = ask(port, f"/assets/{name}")
    assert answer.status in (404, 405) or b"<marimo-filename" in answer.read()  # the front page, at most


def test_a_lesson_without_its_last_slash_is_found(port: int):
    for lesson in available():
        assert ask(port, lesson.url.rstrip("/")).status in (301, 307, 308)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:1", "", "127.0.0.1.evil.example"])
def test_another_host_is_refused(port: int, host: str):
    assert ask(port, "/", Host=host).status == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
def test_another_origin_is_refused(port: int, origin: str):
    assert ask(port, "/", Origin=origin).status == 403


@pytest.mark.parametrize("origin", ["http://127.0.0.1", "http://localhost"])
def test_our_own_origin_is_served(port: int, origin: str):
    assert ask(port, "/", Origin=f"{origin}:{port}", Host=f"localhost:{port}").status == 200


def handshake(port: int, origin: str) -> int:
    """The status that a WebSocket's opening request gets."""
    headers = {
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": origin,
    }  # fmt: skip
    return ask(port, "/ws?session_id=s_123456", **headers).status


def test_a_websocket_from_another_site_is_refused(port: int):
    assert handshake(port, "https://evil.example") == 403
    assert handshake(port, f"http://127.0.0.1:{port}") == 101


def test_no_code_is_sent(port: int):
    page = ask(port, "/").read().decode("utf-8")
    assert "device_sentence()" in HOME.read_text(encoding="utf-8")
    assert "device_sentence()" not in page


def test_pages_may_load_nothing_from_elsewhere(port: int):
    policy = ask(port, "/").getheader("content-security-policy")
    assert "default-src 'self'" in policy and "http" not in policy


def test_only_this_machine_is_listened_to():
    with server.listen(None) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_port_in_use_is_a_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(LabError, match="cannot be used"):
            server.listen(taken.getsockname()[1])


def test_without_a_port_a_free_one_is_found(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(server, "PORT", taken.getsockname()[1])
        with server.listen(None) as found:
            assert found.getsockname()[1] != taken.getsockname()[1]


def test_the_editor_asks_for_a_password():
    """The command behind `llmlab course --edit`, answered without its password."""
    with server.listen(None) as free:
        number = free.getsockname()[1]
    command = server.edit_command(HOME, number)
    process = subprocess.Popen([*command, "--headless"], stdout=subprocess.PIPE, text=True, encoding="utf-8")
    try:
        said = threading.Thread(target=process.stdout.read, daemon=True)
        said.start()
        for _ in range(100):
            try:
                answer = ask(number, "/")
                break
            except OSError:
                said.join(0.2)
        assert answer.status in (302, 303, 307, 401)
    finally:
        process.terminate()
        process.wait(10)


def test_how_many_threads_count_is_said_before_anybody_has_looked():
    """numpy and torch read it once, when they are loaded; what prepares the counts needs no torch at all."""
    loaded = "import sys; print([name for name in ('numpy', 'torch') if name in sys.modules])"
    for module, expected in (("llmlab.course.server", "[]"), ("llmlab.course.work", "['numpy']")):
        said = subprocess.run(
            [sys.executable, "-c", f"import {module}; {loaded}"], capture_output=True, text=True, check=True
        )
        assert said.stdout.strip() == expected
