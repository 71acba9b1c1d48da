"""The address of a Chroma server, as a person writes it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
_PORTS = {"http": 8000, "https": 443}  # where the address names none


@dataclass(frozen=True)
class ChromaAddress:
    """Where a Chroma server answers.

    Attributes:
        is_secure: by TLS.
    """

    host: str
    port: int
    is_secure: bool = False

    @classmethod
    def parse(cls, text: str) -> ChromaAddress:
        """Read an address such as "http://studio:8000".

        Raises:
            ValueError: it is none, with a sentence that says what one looks like.
        """
        try:
            parts = urlsplit(text.strip())
            host, port = parts.hostname or "", parts.port
        except ValueError:
            parts, host, port = urlsplit(""), "", None
        rest = parts.path.strip("/") or parts.query or parts.fragment
        if parts.scheme not in _PORTS or rest or not _is_host(host) or port == 0:
            raise ValueError(
                f'"{text}" is no address of a Chroma server; write http://HOST:8000, or https://'
            )
        if parts.username is not None or parts.password is not None:
            raise ValueError(
                "the address of a Chroma server is kept in the library's settings, where no "
                "password belongs; docs/scale.md says where a token goes"
            )
        return cls(host, port or _PORTS[parts.scheme], parts.scheme == "https")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.is_secure else ''}://{host}:{self.port}"


def is_chroma_address(value: object) -> bool:
    """Return whether a value is an address that `parse` reads."""
    if not isinstance(value, str):
        return False
    try:
        ChromaAddress.parse(value)
    except ValueError:
        return False
    return True


def _is_host(name: str) -> bool:
    if ":" not in name:
        return _HOST.fullmatch(name) is not None
    try:
        ipaddress.IPv6Address(name)
    except ValueError:
        return False
    return True
