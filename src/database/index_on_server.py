"""What the index's child process does where a Chroma server keeps the index."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from src.chroma_address import ChromaAddress

# A token is no setting: it comes from the environment alone, and is in no file or log of ours. The
# address stands before it, since a library may name another server: "http://studio:8000 TOKEN".
TOKEN = "MEDIA_LIBRARY_CHROMA_TOKEN"
CERTIFICATES = "MEDIA_LIBRARY_CHROMA_CA"
# Where Chroma sends a token: "AUTHORIZATION" or "X_CHROMA_TOKEN".
TOKEN_HEADER = "MEDIA_LIBRARY_CHROMA_TOKEN_HEADER"
_REFUSED = (401, 403)


class AwayError(Exception):
    """The server can't be reached, refuses us, or is no Chroma server; the index may be sound."""


class ServerDatabase:
    """A database of a Chroma server, with one collection.

    Every error that says nothing about the index itself becomes an AwayError.
    """

    def __init__(self, server: ChromaAddress, name: str) -> None:
        self._server, self._name = server, name

    def reach(self) -> None:
        """See that the server answers, and takes our token.

        Raises:
            AwayError: it does not.
        """
        self.reached(lambda: self._admin().list_databases(limit=1))

    def make(self) -> None:
        """Make the database; one that is there stays."""
        from chromadb.errors import UniqueConstraintError

        def make() -> None:
            try:
                self._admin().create_database(self._name)
            except UniqueConstraintError:
                pass

        self.reached(make)

    def drop(self) -> None:
        """Remove the database and all that is in it.

        Raises:
            AwayError: the server can't be reached.
        """
        self.reached(lambda: self._admin().delete_database(self._name))

    def client(self) -> Any:
        """Connect to the database.

        Raises:
            AwayError: the server can't be reached, or is none.
            LookupError: the database is gone.
        """
        from chromadb import HttpClient
        from chromadb.errors import NotFoundError

        def connect() -> Any:
            try:
                self._admin().get_database(self._name)
            except NotFoundError as exc:
                raise LookupError("its database is gone from the server") from exc
            return HttpClient(
                host=self._server.host,
                port=self._server.port,
                ssl=self._server.is_secure,
                settings=self._settings(),
                database=self._name,
            )

        return self.reached(connect)

    def reached(self, ask: Callable[[], Any]) -> Any:
        """Ask the server something.

        Raises:
            AwayError: it can't be reached, refuses the token, or is no Chroma server.
        """
        import httpx
        from chromadb.errors import (
            AuthorizationError,
            ChromaAuthError,
            ChromaError,
            InternalError,
            QuotaError,
            RateLimitError,
            VersionMismatchError,
        )

        of_server = (InternalError, QuotaError, RateLimitError, VersionMismatchError)
        try:
            return ask()
        except (ChromaAuthError, AuthorizationError) as exc:
            raise AwayError(self._refused()) from exc
        except of_server as exc:
            raise AwayError(f"{self._server} can't do it now ({exc})") from exc
        except (ChromaError, LookupError, AwayError):
            raise  # about what is in it, or known already
        except httpx.TransportError as exc:
            # what the system calls the error by number says nothing to a person
            why = re.sub(r"\[Errno -?\d+\] ", "", str(exc)) or type(exc).__name__
            raise AwayError(f"{self._server} can't be reached ({why})") from exc
        except Exception as exc:  # an answer that Chroma's client can't read
            status = exc if isinstance(exc, httpx.HTTPStatusError) else exc.__context__
            if isinstance(status, httpx.HTTPStatusError) and (
                status.response.status_code in _REFUSED
            ):
                raise AwayError(self._refused()) from exc
            raise AwayError(
                f"{self._server} can't be reached, or runs no Chroma that is understood here "
                f"({exc})"
            ) from exc

    def _refused(self) -> str:
        what = "refuses the token" if self._token else "asks for a token"
        return f'{self._server} {what}; set {TOKEN} to "{self._server} TOKEN"'

    @property
    def _token(self) -> str | None:
        address, _, token = os.environ.get(TOKEN, "").partition(" ")
        try:
            is_for_this = ChromaAddress.parse(address) == self._server
        except ValueError:
            return None
        return token.strip() or None if is_for_this else None

    def _admin(self) -> Any:
        from chromadb import AdminClient

        return AdminClient(self._settings("chromadb.api.fastapi.FastAPI"))

    def _settings(self, api: str | None = None) -> Any:
        from chromadb.config import Settings

        given: dict[str, Any] = {}
        if api is not None:
            given |= {
                "chroma_api_impl": api,
                "chroma_server_host": self._server.host,
                "chroma_server_http_port": self._server.port,
                "chroma_server_ssl_enabled": self._server.is_secure,
            }
        if certificates := os.environ.get(CERTIFICATES):
            given["chroma_server_ssl_verify"] = certificates
        if token := self._token:
            given |= {
                "chroma_client_auth_provider": "chromadb.auth.token_authn.TokenAuthClientProvider",
                "chroma_client_auth_credentials": token,
            }
            if header := os.environ.get(TOKEN_HEADER):
                given["chroma_auth_token_transport_header"] = header
        # Settings reads a .env from the working directory; ours is not Chroma's to read.
        return Settings(_env_file=None, anonymized_telemetry=False, **given)
