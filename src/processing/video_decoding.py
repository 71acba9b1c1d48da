"""A video held open: any frame of it, exactly, and the frames after that. Runs in a child."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from src.processing.frame_decoder import FrameDecoder, filter_graph
from src.processing.opened_video import OpenedFile, Place, Places, UntrustedError
from src.processing.video_filters import MAX_SAR
from src.processing.video_seek import upright

try:
    import av
except ImportError:  # videos are read through where it is not installed
    av = None  # type: ignore[assignment]

# What is kept of frames at the size of the window: two or three seconds of film.
KEPT_BYTES = 192 << 20
Size = tuple[int, int]


@dataclass(frozen=True)
class DecodedFrame:
    """A frame at the size asked for, in the pixel format of its FrameReading."""

    timestamp_s: float
    pts: int
    content: bytes = field(repr=False)


class PlayedVideo:
    """A video file of which frames are asked."""

    def __init__(
        self, path: str, stream: int, pixel_format: str, deinterlaces: bool, matrix: str | None
    ) -> None:
        """Open it.

        Args:
            path: absolute.
            stream: the film's index in the file.
            pixel_format: the one to convert to.
            deinterlaces: whether frames marked as interlaced are made whole.
            matrix: of colours, where the film names none; see FrameReading.

        Raises:
            UntrustedError: its frames have to be read through.
        """
        if av is None:
            raise UntrustedError("the package av is not installed")
        av.logging.set_level(None)
        self._pixel_format, self._matrix = pixel_format, matrix
        self._places = Places(OpenedFile(path, stream), deinterlaces)
        self._kept: OrderedDict[tuple[int, Size], DecodedFrame] = OrderedDict()
        self._kept_bytes = 0
        self._scalers: dict[tuple[object, ...], Any] = {}
        self._ahead: Generator[None] | None = None
        self._decoder = FrameDecoder(path, stream, deinterlaces)
        self._second = FrameDecoder(path, stream, deinterlaces)
        self._decoder.go(Place(None, 0, 0, []), None)
        first = self._decoder.next()
        if first is None:
            raise UntrustedError("it has no frame")
        self._turn = self._turn_of(first)
        self._size_wh = self._display_size(first)

    def facts(self) -> dict[str, Any]:
        """Return its duration and size."""
        return {"duration_s": self._places.duration_s(), "size_wh": self._size_wh}

    # -- frames

    def frame_at(self, time_s: float, size_wh: Size) -> DecodedFrame | None:
        """Return the frame that is shown at a moment; see VideoPlayer.frame_at."""
        return self._frame_of(self._places.at(time_s), size_wh)

    def step(self, time_s: float, frames: int, size_wh: Size) -> DecodedFrame | None:
        """Return a frame so many before or after the one at a moment; the last there is."""
        place = self._places.at(time_s)
        for _ in range(abs(frames)):
            if frames < 0:
                earlier = place.shown - 1
                if earlier < self._places.of(earlier).shown:
                    break
                place = self._places.of(earlier)
            else:
                after = self._places.after(place)
                if after is None:
                    break
                place = self._places.of(after)
        return self._frame_of(place, size_wh)

    def begin(self, time_s: float, size_wh: Size) -> DecodedFrame | None:
        """Return the frame at a moment, with those after it to come from `next`."""
        self._ahead = None
        place = self._places.at(time_s)
        kept = self._kept.get((place.shown, size_wh))
        if kept is not None and self._decoder.last == place.shown:
            return kept
        return self._converted(self._decoder.frame_of(place), size_wh)

    def next(self, size_wh: Size) -> DecodedFrame | None:
        """Return the frame after the one given last; None at the end."""
        last = self._decoder.last
        while (frame := self._decoder.next()) is not None:
            if last is None or frame.pts > last:
                return self._converted(frame, size_wh)
        return None

    def prepare(self, time_s: float, size_wh: Size) -> None:
        """Begin to decode what is around a moment, in calls of decode_ahead."""
        self._ahead = self._around(self._places.at(time_s), size_wh)

    def decode_ahead(self) -> bool:
        """Decode one frame that may be asked for; False where there is nothing to do."""
        if self._ahead is None:
            return False
        try:
            next(self._ahead)
        except Exception:  # also StopIteration: who asks for a frame is told what is wrong there
            self._ahead = None
        return self._ahead is not None

    def _frame_of(self, place: Place, size_wh: Size) -> DecodedFrame | None:
        kept = self._kept.get((place.shown, size_wh))
        if kept is not None:
            self._kept.move_to_end((place.shown, size_wh))
            return kept
        frame = self._converted(self._decoder.frame_of(place), size_wh)
        self._ahead = self._around(place, size_wh)
        return frame

    def _around(self, place: Place, size_wh: Size) -> Generator[None]:
        """Keep the frame of a place, then those from its keyframe up to the next one."""
        if (place.shown, size_wh) not in self._kept:
            self._converted(self._decoder.frame_of(place), size_wh)
            yield
        if all((pts, size_wh) in self._kept for pts in place.times if pts <= place.shown):
            return
        decoder = self._second
        frame_bytes = max(1, len(self._kept[place.shown, size_wh].content))
        most = max(2, KEPT_BYTES // frame_bytes // 3)
        first = place.times[max(0, len(place.times) - most)] if place.times else place.shown
        decoder.go(Place(place.start, place.seek, first, []), None)
        count = 0
        while (frame := decoder.next()) is not None and count < most:
            if frame.pts > place.shown and frame.key_frame:
                return
            if frame.pts >= first:
                count += 1
                if (frame.pts, size_wh) not in self._kept:
                    self._converted(frame, size_wh)
            yield

    # -- pictures

    def _turn_of(self, frame: Any) -> tuple[bool, bool, bool]:
        matrix = None
        for data in frame.side_data:
            if data.type.name == "DISPLAYMATRIX":
                matrix = struct.unpack("=9i", bytes(data))
        turn = upright(matrix)
        if turn is None:
            raise UntrustedError("it is turned by a part of a quarter")
        return turn

    def _display_size(self, frame: Any) -> Size:
        sar = self._places.shape
        width, height = frame.width, frame.height
        shape = 1.0 if not sar else float(sar)
        if self._turn[0]:
            width, height, shape = height, width, 1 / shape
        return max(1, round(width * min(max(shape, 1 / MAX_SAR), MAX_SAR))), height

    def _converted(self, frame: Any, size_wh: Size) -> DecodedFrame:
        key = (frame.width, frame.height, frame.format.name, frame.colorspace, size_wh)
        if key not in self._scalers:
            self._scalers.clear()
            self._scalers[key] = self._scaler(frame, size_wh)
        scaler = self._scalers[key]
        scaler.push(frame)
        content = np.ascontiguousarray(scaler.pull().to_ndarray()).tobytes()
        found = DecodedFrame(
            frame.pts / self._places.ticks_per_s - self._places.start_s, frame.pts, content
        )
        self._keep(found, size_wh)
        return found

    def _scaler(self, frame: Any, size_wh: Size) -> Any:
        """Make what turns and scales frames like one, in the order in which ffmpeg does it."""
        swaps, turns_x, turns_y = self._turn
        turns = {"transpose=dir=cclock_flip": swaps, "hflip": turns_x, "vflip": turns_y}
        width, height = (frame.height, frame.width) if swaps else (frame.width, frame.height)
        shrinks = size_wh[0] < width and size_wh[1] < height
        how = "bilinear" if shrinks else "bicubic"  # the latter as in reading through
        matrix = f":in_color_matrix={self._matrix}" if self._matrix else ""
        return filter_graph(
            frame,
            self._places.clock,
            *(turn for turn, is_asked in turns.items() if is_asked),
            f"scale=w={size_wh[0]}:h={size_wh[1]}:flags={how}{matrix}",
            f"format=pix_fmts={self._pixel_format}",
        )

    def _keep(self, frame: DecodedFrame, size_wh: Size) -> None:
        before = self._kept.pop((frame.pts, size_wh), None)
        self._kept_bytes += len(frame.content) - (0 if before is None else len(before.content))
        self._kept[frame.pts, size_wh] = frame
        while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= len(oldest.content)
