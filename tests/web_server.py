"""A server of one file that behaves, or misbehaves as networks do."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """Serves `content` at any path; `misdeed` names what it does wrong.

    "falls silent" sends a quarter and then nothing, until `goes_on` is set; then it hangs up.
    """

    daemon_threads = True
    block_on_close = False
    content = b""
    misdeed = ""
    tag = '"one"'
    resets = 0
    announced: str | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.goes_on = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""

    @classmethod
    @contextmanager
    def running(cls, content: bytes) -> Iterator[Server]:
        """Serve until the block ends."""
        with cls() as server:
            server.content = content
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            try:
                yield server
            finally:
                server.goes_on.set()
                server.shutdown()
                thread.join()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/model"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        server = self.server
        server.asked.append(dict(self.headers))
        server.paths.append(self.path)
        if server.misdeed == "no answer":
            server.goes_on.wait()
        if server.misdeed in ("404", "403", "503"):
            return self.send_error(int(server.misdeed))
        if server.misdeed == "html":
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"<html>log in</html>")
            return None
        if server.announced and self.path == "/model":
            self.send_response(302)
            self.send_header("X-Linked-Etag", f'"{server.announced}"')
            self.send_header("Location", "/cdn")
            self.end_headers()
            return None
        start, body = 0, server.content
        wanted = self.headers.get("Range")
        honours = server.misdeed != "ignores range" and self.headers.get("If-Range") == server.tag
        if wanted and honours:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return None
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("ETag", server.tag)
        if server.misdeed != "no length":
            claim = 10**16 if server.misdeed == "claims much" else len(body) - start
            self.send_header("Content-Length", str(claim))
        self.end_headers()
        if server.misdeed == "falls silent":
            self.wfile.write(body[start : start + len(body) // 4])
            self.wfile.flush()
            server.goes_on.wait()
            self.close_connection = True
            return None
        if server.resets:
            server.resets -= 1
            self.wfile.write(body[start : start + len(body) // 4])
            self.wfile.flush()
            if server.misdeed != "hangs up":  # no linger: a reset, what is on its way is lost
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            return None
        extra = b"more" * 1000 if server.misdeed == "sends more" else b""
        self.wfile.write(body[start:] + extra)
        return None
