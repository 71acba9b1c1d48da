"""Whether this machine has a network, without a word to anyone: no connection is opened."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

# An address that is reserved for documentation (RFC 5737): 192.0.2.1.
_ANYWHERE = "192.0.2.1"
_HERE = ("localhost", "127.0.0.1", "::1")
# Of each line of Linux's tables of routes: where the destination and its length stand.
_ROUTES_4, _ROUTES_6 = Path("/proc/net/route"), Path("/proc/net/ipv6_route")
_WAIT_S = 5


def has_route(address: str) -> bool:
    """Return whether there is a route on which a web address could be reached.

    No name is looked up: a machine with any way out has one to every name.
    """
    if (urlsplit(address).hostname or "") in _HERE:
        return True
    if sys.platform == "win32":
        index = ctypes.c_ulong()
        number = int.from_bytes(bytes(map(int, _ANYWHERE.split("."))), sys.byteorder)
        found: int = ctypes.windll.iphlpapi.GetBestInterface(number, ctypes.byref(index))
        return found == 0
    if sys.platform == "darwin":
        try:
            asked = subprocess.run(
                ["/sbin/route", "-n", "get", _ANYWHERE], capture_output=True, timeout=_WAIT_S
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return asked.returncode == 0
    return _has_default_route()


def _has_default_route() -> bool:
    """Return whether Linux has a route to everywhere, in either version of IP."""
    for table, destination, length, interface in (
        (_ROUTES_4, 1, 7, 0),  # the mask of everywhere is 0 as well
        (_ROUTES_6, 0, 1, 9),
    ):
        try:
            lines = [line.split() for line in table.read_text().splitlines()]
        except OSError:
            continue  # no such system, or one without this version
        for parts in lines:
            if len(parts) <= max(destination, length, interface) or parts[interface] == "lo":
                continue
            if not parts[destination].strip("0") and not parts[length].strip("0"):
                return True
    return False
