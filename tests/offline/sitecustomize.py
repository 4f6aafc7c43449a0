"""No network for the checks: sockets reach this machine and nothing else.

conftest.py installs this in the process of pytest, and puts this folder on PYTHONPATH so that every Python it starts
does the same on its own (Python imports a module of this name at start-up).
"""

import ipaddress
import socket
import sys


class NetworkBlocked(OSError):
    """Something wanted to leave this machine."""


def _stays_here(address) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket's path
    host = address[0]
    if host in ("", "localhost", None):
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _guard(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        target = arguments[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        target = (arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0], 0)
    else:
        return
    if target is not None and not _stays_here(target) and target != (socket.gethostname(), 0):
        raise NetworkBlocked(f"the checks run without a network, and something asked for {target}")


sys.addaudithook(_guard)
