"""Decodes a video from a keyframe on, exactly, or says that it can't."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from src.child_processes import cores
from src.processing.opened_video import OpenedFile, Place, UntrustedError
from src.processing.video_seek import CAN_SKIP

try:
    import av
except ImportError:  # videos are read through where it is not installed
    av = None  # type: ignore[assignment]

# So many packets may lie between where a seek leads and the keyframe that it is to lead to.
MOST_PASSED = 3000


class FrameDecoder:
    """Gives frames from a keyframe on, in the order of time."""

    def __init__(self, path: str, stream_index: int, deinterlaces: bool) -> None:
        self._file = OpenedFile(path, stream_index)
        self._deinterlaces = deinterlaces
        self._skips = self._file.codec.name in CAN_SKIP and not deinterlaces
        codec = self._file.codec
        codec.thread_type, codec.thread_count = "AUTO", min(cores(), 4)
        self._frames: Generator[Any] | None = None
        self._skip_until: int | None = None
        self._begun: int | None = None
        self.last: int | None = None  # of the frame given last, or of the one begun with

    def go(self, place: Place, skip_until: int | None) -> None:
        """Begin to decode at a place, unless decoding is about to reach it."""
        from_start = place.start
        goes_on = (
            self._frames is not None
            and self.last is not None
            and self.last < place.shown
            and (from_start is None or self.last >= from_start or self._begun == from_start)
            and not (from_start is None and self._begun is not None)
        )
        self._skip_until = skip_until if self._skips else None
        if not goes_on:
            self._begin(from_start, place.seek)

    def frame_of(self, place: Place) -> Any:
        """Decode the frame of a place; what no frame is made from is left out on the way."""
        for skips in (True, False):
            before = None
            self.go(place, place.shown if skips else None)
            while (frame := self.next()) is not None and frame.pts < place.shown:
                before = frame
            if frame is not None and frame.pts == place.shown:
                return frame
            if before is not None and self._skip_until is None:
                return before  # its packet shows nothing of its own
            self.last = None  # once more, with every frame
        raise UntrustedError("a frame that is listed does not come")

    def next(self) -> Any | None:
        """Return the next frame; None at the end."""
        if self._frames is None:
            return None
        frame = next(self._frames, None)
        if frame is None:
            self._frames = None
            return None
        self.last = frame.pts
        return frame

    def _begin(self, start: int | None, seek: int) -> None:
        file = self._file
        self.last, self._begun = None, start
        if self._frames is not None:
            self._frames.close()
        if start is None:
            file.close()
            file.open()
            file.codec.thread_type, file.codec.thread_count = "AUTO", min(cores(), 4)
        else:
            file.seek(seek)
        frames = self._decoded(start)
        self._frames = self._deinterlaced(frames) if self._deinterlaces else frames

    def _decoded(self, start: int | None) -> Generator[Any]:
        file = self._file
        began, passed = start is None, 0
        for packet in file.packets():
            if not began:
                if packet.pts == start and packet.is_keyframe:
                    began = True
                else:
                    passed += 1
                    if passed > MOST_PASSED:
                        raise UntrustedError("a keyframe is not found again")
                    continue
            if packet.is_corrupt:
                raise UntrustedError("a part of it is damaged")
            skips = self._skip_until is not None and packet.pts < self._skip_until
            file.codec.skip_frame = "NONREF" if skips else "DEFAULT"
            yield from self._sound(packet.decode())
        yield from self._sound(file.codec.decode(None))

    @staticmethod
    def _sound(frames: list[Any]) -> Iterator[Any]:
        for frame in frames:
            if frame.is_corrupt or frame.pts is None:
                raise UntrustedError("a part of it is damaged")
            yield frame

    def _deinterlaced(self, frames: Generator[Any]) -> Generator[Any]:
        graph: Any = None
        for frame in frames:
            if graph is None:
                graph = filter_graph(
                    frame, self._file.stream.time_base, "bwdif=mode=send_frame:deint=interlaced"
                )
            graph.push(frame)
            yield from self._pulled(graph)
        if graph is not None:
            graph.push(None)
            yield from self._pulled(graph)

    def _pulled(self, graph: Any) -> Iterator[Any]:
        clock = self._file.stream.time_base
        while True:
            try:
                frame = graph.pull()
            except (BlockingIOError, EOFError):
                return
            frame.pts, frame.time_base = round(frame.pts * frame.time_base / clock), clock
            yield frame


def filter_graph(frame: Any, clock: Any, *filters: str) -> Any:
    """Make a chain of ffmpeg's filters for frames like one."""
    graph = av.filter.Graph()
    nodes = [
        graph.add(
            "buffer",
            video_size=f"{frame.width}x{frame.height}",
            pix_fmt=frame.format.name,
            time_base=str(clock),
            pixel_aspect="1/1",
            colorspace=str(int(frame.colorspace)),
            range=str(int(frame.color_range)),
        )
    ]
    for text in filters:
        name, _, options = text.partition("=")
        nodes.append(graph.add(name, options or None))
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    return graph
