"""Fetching a model: resumed after a break, verified, and moved into place only when whole."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator, Sequence
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from src.counting import megabytes
from src.errors import CheckpointError, DownloadError
from src.events import Downloading, Event, ModelFetched, Progress
from src.models.checkpoints import PART, bytes_here
from src.models.model_registry import RegistryEntry
from src.models.web_stream import WAIT_S, WebStream

SPARE_DISK = 64 << 20  # left free, for the library itself
EVENT_EVERY_S = 0.1
WAITING = Progress("connect", 0, 0)


class _BrokenOffError(Exception):
    """The connection ended early; another attempt goes on from there."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never out of https, and keeps the SHA-256 the Hub announces."""

    def __init__(self) -> None:
        self.sha256: str | None = None

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urlsplit(req.full_url).scheme == "https" != urlsplit(newurl).scheme:
            fp.close()
            raise DownloadError(
                f"{urlsplit(req.full_url).hostname} leads to {newurl}, which is not encrypted; "
                "nothing was fetched. Try another network"
            )
        self.sha256 = self.sha256 or _announced_sha256(headers)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


class Download:
    """One model on its way into the models folder.

    What has come lies in `<name>.part`, beside it `<name>.part.tag` says which version of the
    file it is of. Closing the generator stops; both stay, and the next run goes on from there.
    """

    def __init__(
        self, entry: RegistryEntry, folder: Path, pauses_s: Sequence[float] = (1, 2, 4, 8)
    ) -> None:
        """Prepare; nothing is fetched before `run` is iterated.

        Args:
            pauses_s: waits before each new attempt when one brought nothing.
        """
        self.entry = entry
        self.place = folder / entry.file_name
        self.part = folder / (entry.file_name + PART)
        self.tag = folder / (entry.file_name + PART + ".tag")
        self.pauses_s = pauses_s
        self.total = entry.size
        self.sha256 = entry.sha256
        self.source = entry.source
        self.host = urlsplit(self.source).hostname

    def run(self) -> Generator[Event, None, None]:
        """Fetch, verify, move into place.

        While nothing comes there is WAITING, or the last Downloading again, several times a
        second, so that stopping need not wait for a silent server.

        Raises:
            DownloadError: it can't be had, and why; the models folder is as it was.
        """
        try:
            self.part.parent.mkdir(parents=True, exist_ok=True)
            if self.entry.size is None or self._have() != self.entry.size:
                yield from self._fetch()
            yield from self._verify()
            os.replace(self.part, self.place)
            self.tag.unlink(missing_ok=True)
        except OSError as exc:
            raise self._disk_error(exc) from exc
        yield ModelFetched(self.entry.name, self.place)

    def _fetch(self) -> Generator[Event, None, None]:
        failures, begun = 0, False
        while True:
            before = self._have()
            try:
                yield from self._attempt()
                return
            except (_BrokenOffError, urllib.error.URLError) as exc:
                self._raise_if_final(exc, begun)
                begun = True
                failures = 0 if self._have() > before else failures + 1
                if failures >= len(self.pauses_s):
                    raise DownloadError(
                        f"the connection to {self.host} keeps breaking off ({_why(exc)}); "
                        "what has arrived is kept; start the download again to continue"
                    ) from exc
                until = time.monotonic() + self.pauses_s[failures]
                while (left := until - time.monotonic()) > 0:
                    yield WAITING
                    time.sleep(min(left, WAIT_S))

    def _attempt(self) -> Generator[Event, None, None]:
        request = urllib.request.Request(self.source, headers={"User-Agent": "main.py"})
        have, tag = self._have(), self._read_tag()
        if have and tag:
            request.add_header("Range", f"bytes={have}-")
            request.add_header("If-Range", tag)
        redirects = _Redirects()
        stream = WebStream(request, redirects)
        coming = stream.wait()
        try:
            while (response := _next(coming)) is None:
                yield WAITING
            start = self._begin(response, have)
            self._expect(redirects, response.headers)
            yield from self._receive(coming, start)
        except urllib.error.HTTPError as exc:
            exc.close()
            if exc.code != 416:
                raise
            if exc.headers.get("Content-Range") != f"bytes */{have}":
                # what lies here is not the start of what lies there
                self._drop()
                raise _BrokenOffError("starts anew") from exc
            # all of it had come, and was being checked; where no SHA-256 is known, the tag that
            # was sent along says that it is the same file still
            self._expect(redirects, exc.headers)
        finally:
            stream.leave()

    def _expect(self, redirects: _Redirects, headers: Message) -> None:
        """Keep the SHA-256 that is known, or else the one announced on the way."""
        self.sha256 = self.entry.sha256 or redirects.sha256 or _announced_sha256(headers)

    def _begin(self, response: Any, have: int) -> int:
        """Read what the server promises, refuse what can't be the model; gives the first byte."""
        if response.headers.get_content_type() in ("text/html", "application/xhtml+xml"):
            raise DownloadError(
                f"{self.host} answered with a web page in place of {self.entry.file_name}: this "
                "network may want you to log in first. Open a browser, log in, and try again"
            )
        start, total = 0, None
        length = response.headers.get("Content-Length")
        if response.status == 206:
            found = re.fullmatch(
                r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", "")
            )
            if found is None or int(found[1]) != have:
                self._drop()
                raise _BrokenOffError("the server sent another part than the one asked for")
            start, total = have, int(found[2])
        elif length is not None and length.isdecimal():
            total = int(length)
        if self.entry.size is not None and total not in (None, self.entry.size):
            raise DownloadError(
                f"{self.host} offers {total:,} bytes for {self.entry.file_name}, and the right "
                f"file has {self.entry.size:,}; nothing was kept"
            )
        self.total = total or self.entry.size
        if self.total is None:
            raise DownloadError(
                f"{self.host} does not say how large {self.entry.file_name} is, so it was not "
                "fetched; try again later"
            )
        free = shutil.disk_usage(self.part.parent).free
        if free < self.total - start + SPARE_DISK:
            raise DownloadError(
                f"{self.part.parent}: {self.entry.file_name} needs {megabytes(self.total - start)}"
                f" and {megabytes(free)} are free; make room, then start the download again"
            )
        if start == 0:
            self._drop()
            tag = response.headers.get("ETag", "")
            tag = response.headers.get("Last-Modified", "") if tag[:2] in ("", "W/") else tag
            self.tag.write_text(tag, encoding="utf-8")
        return start

    def _receive(self, coming: Iterator[Any], done: int) -> Generator[Event, None, None]:
        assert self.total is not None
        first, began = done, time.monotonic()
        reported = began - 1
        with self.part.open("ab", buffering=0) as file:
            while done < self.total:
                block = _next(coming)
                if block == b"":
                    raise _BrokenOffError("the server stopped in the middle")
                if block is not None:
                    block = block[: self.total - done]
                    file.write(block)
                    done += len(block)
                now = time.monotonic()
                if block is None or now - reported >= EVENT_EVERY_S or done == self.total:
                    reported = now
                    yield self._how_far(done, done - first, max(now - began, 1e-6))

    def _how_far(self, done: int, came: int, spent_s: float) -> Event:
        assert self.total is not None
        if not came:
            return WAITING
        speed = came / spent_s
        return Downloading(self.entry.name, done, self.total, speed, (self.total - done) / speed)

    def _verify(self) -> Generator[Event, None, None]:
        digest, done, size = hashlib.sha256(), 0, self._have()
        with self.part.open("rb") as file:
            while block := file.read(16 << 20):
                digest.update(block)
                done += len(block)
                yield Progress("check", done, size)
        if self.sha256 is not None and digest.hexdigest() != self.sha256:
            self._drop()
            raise DownloadError(
                f"{self.entry.file_name} was damaged on the way (its SHA-256 differs) and was "
                "deleted; start the download again"
            )
        try:
            self.entry.check(self.part)
        except CheckpointError as exc:
            self._drop()
            raise DownloadError(
                f"what {self.host} sent is not {self.entry.file_name} ({exc.reason}); "
                "it was deleted"
            ) from exc

    def _raise_if_final(self, exc: Exception, begun: bool) -> None:
        """Turn what no further attempt can mend into a sentence."""
        if isinstance(exc, urllib.error.HTTPError):
            if exc.code >= 500:
                return
            gone = exc.code in (404, 410)
            raise DownloadError(
                f"{self.source}: "
                + ("the file is no longer there" if gone else f"refused ({exc.code} {exc.reason})")
                + f"; get it elsewhere and put it into {self.place.parent} as {self.place.name}"
            ) from exc
        if isinstance(exc, urllib.error.URLError):
            if isinstance(exc.reason, ssl.SSLCertVerificationError):
                raise DownloadError(
                    f"{self.host} could not prove who it is ({exc.reason.verify_message}); "
                    "check the clock of this machine, or try another network"
                ) from exc
            if not begun and not isinstance(exc.reason, TimeoutError):
                raise DownloadError(
                    f"{self.host} can't be reached ({_why(exc)}); check your connection, or put "
                    f"{self.place.name} into {self.place.parent} yourself"
                ) from exc

    def _disk_error(self, exc: OSError) -> DownloadError:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            return DownloadError(
                f"{self.part.parent}: the disk is full; make room, then start the download "
                "again to go on"
            )
        return DownloadError(f"{self.part}: can't be written ({exc.strerror or exc})")

    def _have(self) -> int:
        return bytes_here(self.part)

    def _read_tag(self) -> str:
        return self.tag.read_text(encoding="utf-8") if self.tag.exists() else ""

    def _drop(self) -> None:
        self.part.unlink(missing_ok=True)
        self.tag.unlink(missing_ok=True)


def _announced_sha256(headers: Message) -> str | None:
    tag = headers.get("X-Linked-Etag", "").strip('"').lower()
    return tag if re.fullmatch(r"[0-9a-f]{64}", tag) else None


def _next(coming: Iterator[Any]) -> Any:
    """Return what comes next over the network; its errors are kept apart from those of the disk."""
    try:
        return next(coming)
    except urllib.error.URLError:
        raise
    except (http.client.HTTPException, OSError) as exc:
        raise _BrokenOffError(_why(exc)) from exc


def _why(exc: BaseException) -> str:
    reason = getattr(exc, "reason", exc)
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
