"""Put on PYTHONPATH, it writes down every connection that a program and its children try."""

import os
import sys

_TELLING = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")


def _write_down(line: str) -> None:
    descriptor = os.open(os.environ["QUIET_RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    # an address that is a path belongs to a socket of this machine, such as the screen's
    if event in _TELLING and not isinstance(arguments[-1], str | bytes):
        _write_down(f"{event} {arguments[1:] if event != 'socket.getaddrinfo' else arguments}")


_write_down("started " + " ".join(sys.orig_argv[1:4]))
sys.addaudithook(_hear)
