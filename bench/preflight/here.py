"""Whether an address leads to this machine itself."""

from __future__ import annotations

import socket
from contextlib import suppress

import psutil


def is_here(host: str) -> bool:
    """True for a name, a number or a socket's folder of this machine, and for one that is not known: it may be."""
    if not host or host.startswith(("/", "@")):
        return True
    ours = {address.address.partition("%")[0] for each in psutil.net_if_addrs().values() for address in each}
    with suppress(OSError, UnicodeError):
        found = {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None)}
        return any(each in ours or each.startswith("127.") or each == "::1" for each in found)
    return True
