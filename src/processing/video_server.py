"""The child process that a video is played from: `python -m src.processing.video_server`.

It keeps one file open and decodes what is asked for by libav, in this process: a crash or a
hang costs the player of that file. Requests come on standard input, answers go to standard
output (src/child_processes.py). The parent gone means standard input closed: it leaves at once.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from io import BufferedReader
from typing import IO, Any

from src.child_processes import (
    answers_of_this_process,
    forbid_files,
    limit_memory,
    read_message,
    write_message,
)
from src.processing.ffmpeg_process import MEMORY_BYTES
from src.processing.opened_video import UntrustedError
from src.processing.video_decoding import PlayedVideo


class Server:
    """Answers requests in their order; in between it decodes ahead."""

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers = answers
        self._requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._video: PlayedVideo | None = None

    def put(self, request: dict[str, Any]) -> None:
        """Take a request; any thread may call it."""
        self._requests.put(request)

    def work(self) -> None:
        """Answer requests for good."""
        while True:
            video = self._video
            if self._requests.empty() and video is not None and video.decode_ahead():
                continue
            self._answer(self._requests.get())

    def _answer(self, request: dict[str, Any]) -> None:
        verb = request.pop("verb")
        answer: dict[str, Any]
        content = b""
        try:
            if verb == "open":
                self._video = PlayedVideo(**request)
                answer = self._video.facts()
            else:
                assert self._video is not None
                if verb == "prepare":
                    if self._requests.empty():
                        self._video.prepare(request["time_s"], tuple(request["size_wh"]))
                    return
                size_wh = tuple(request["size_wh"])
                if verb == "at":
                    frame = self._video.frame_at(request["time_s"], size_wh)
                elif verb == "step":
                    frame = self._video.step(request["time_s"], request["frames"], size_wh)
                elif verb == "begin":
                    frame = self._video.begin(request["time_s"], size_wh)
                else:
                    frame = self._video.next(size_wh)
                answer = {"end": True} if frame is None else {"timestamp_s": frame.timestamp_s}
                content = b"" if frame is None else frame.content
        except UntrustedError as exc:
            if verb == "prepare":
                return  # who asks for a frame there is told
            answer = {"untrusted": str(exc)}
        except MemoryError:
            answer = {"untrusted": "it takes more memory than a film may need"}
        except Exception as exc:  # libav raises whatever a wrong byte leads it to
            if verb == "prepare":
                return
            answer = {"untrusted": " ".join(str(exc).split())[:120] or type(exc).__name__}
        write_message(self._answers, answer, content)


def main() -> None:
    answers = answers_of_this_process()
    forbid_files()
    limit_memory(MEMORY_BYTES, for_good=True)
    server = Server(answers)

    def read() -> None:
        assert isinstance(sys.stdin.buffer, BufferedReader)
        while (message := read_message(sys.stdin.buffer)) is not None:
            server.put(message[0])
        os._exit(0)  # nobody waits for what is being decoded

    threading.Thread(target=read, daemon=True).start()
    server.work()


if __name__ == "__main__":
    main()
