"""Whether this machine has a network, without a word to anyone."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

# Addresses that documentation may use, and nobody has (RFC 5737, RFC 3849).
_ANYWHERE = ("192.0.2.1", "2001:db8::1")
_DISCARD = 9  # a port


def has_route(address: str) -> bool:
    """Return whether there is a route on which a web address could be reached.

    A UDP socket is connected, which asks the system for its route and sends nothing. No name is
    looked up: a machine with any way out has one to every name.
    """
    host = urlsplit(address).hostname or ""
    try:
        hosts: tuple[str, ...] = (str(ipaddress.ip_address(host)),)
    except ValueError:
        hosts = ("127.0.0.1", "::1") if host == "localhost" else _ANYWHERE
    return any(_leads_to(each) for each in hosts)


def _leads_to(host: str) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, _DISCARD))
    except OSError:
        return False
    return True
