"""Pulling the plug: a program runs without any network, and we prove that there was none.

Linux can start a program in a network of its own with nothing in it, not even the way to this very machine. Whether
that worked is not taken on trust: a *probe* tries to call the course's own machine, once with the network and once
without. Where the system has no such switch (macOS, Windows, some containers), this file says so, and the student
switches off the network of the whole machine: the course is on it, and goes on.

Read next: speaking.py, which runs the program of this lesson so.
"""

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

PROBE = (
    "import socket, sys\n"
    "try:\n    socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=5)\n"
    "except OSError as error:\n    sys.exit(error.strerror or str(error))\n"
)
PATIENCE = 30.0  # s
NETWORK_HEADERS = frozenset(("sys/socket.h", "netdb.h", "winsock.h", "winsock2.h", "curl/curl.h"))
INCLUDE = re.compile(r"^\s*#\s*include\s*<([^>]+)>", re.MULTILINE)


@cache
def without_network() -> tuple[str, ...]:
    """What to put before a command so that it runs without a network; empty where this system has no way to."""
    command = ("unshare", "--map-root-user", "--net")
    if not sys.platform.startswith("linux") or not shutil.which("unshare"):
        return ()
    try:
        works = subprocess.run([*command, "true"], capture_output=True, timeout=PATIENCE).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return command if works else ()


def probe(before: Sequence[str] = ()) -> str:
    """Call this machine from a child process: "" if it was reached, else why not, in the system's own words."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        command = [*before, sys.executable, "-I", "-S", "-c", PROBE, str(door.getsockname()[1])]
        done = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=PATIENCE
        )
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it failed"])[-1]


def headers(sources: Sequence[Path]) -> list[str]:
    """The libraries that C files ask for, each once: what they include in angle brackets."""
    found = (name for file in sources for name in INCLUDE.findall(file.read_text(encoding="utf-8")))
    return sorted(set(found))
