"""A video held open: any frame of it, exactly, and the frames after that. Runs in a child."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from src.child_processes import cores
from src.processing.ffmpeg_process import DEMUXERS, MAX_PIXELS, PROTOCOLS
from src.processing.video_filters import MAX_SAR
from src.processing.video_seek import (
    CAN_SKIP,
    INTRA,
    LISTED,
    MPEG4,
    TIMED,
    ListedPacket,
    begins_anew,
    is_known,
    is_orderly,
    last_tick,
    length_bytes,
    shown_at,
    upright,
)

try:
    import av
except ImportError:  # videos are read through where it is not installed
    av = None  # type: ignore[assignment]

# What is kept of frames at the size of the window: two or three seconds of film.
KEPT_BYTES = 192 << 20
# A deinterlacer looks at a frame on each side; one more for the decoder's own start.
LEAD_FRAMES = 3
# A frame comes so many packets after one that is shown later, at most, in every codec.
REORDERED = 16
# So many packets may lie between where a seek leads and the keyframe that it is to lead to.
MOST_PASSED = 3000
# How often an earlier place to begin is looked for, each time twice as far back.
LOOKS = 12
Size = tuple[int, int]


class UntrustedError(Exception):
    """It can't be shown that seeking gives the frames of reading through."""


@dataclass(frozen=True)
class DecodedFrame:
    """A frame at the size asked for, in the pixel format of its FrameReading."""

    timestamp_s: float
    pts: int
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class _Place:
    """Where a frame is, in ticks of the stream's clock.

    Attributes:
        start: of the keyframe to begin with; None for the beginning of the file.
        seek: where a seek leads to that keyframe.
        shown: of the frame itself.
        times: of the frames from the start to a little after it, ascending.
    """

    start: int | None
    seek: int
    shown: int
    times: list[int]


class _File:
    """A file opened with its film chosen, and with the limits that ffmpeg has here."""

    def __init__(self, path: str, stream_index: int) -> None:
        self._path, self._stream_index = path, stream_index
        self.open()

    def open(self) -> None:
        options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": DEMUXERS}
        self.container = av.open(f"file:{self._path}", container_options=options)
        self.stream = self.container.streams[self._stream_index]
        if self.stream.type != "video":
            raise UntrustedError("its film is not where it was found before")
        self.codec = self.stream.codec_context
        self.codec.options = {"max_pixels": str(MAX_PIXELS)}

    def close(self) -> None:
        self.container.close()

    def packets(self) -> Iterator[Any]:
        """Give the film's packets from here on, the empty one at the end not among them."""
        for packet in self.container.demux(self.stream):
            if packet.size:
                if packet.pts is None:
                    raise UntrustedError("some frames have no time")
                yield packet

    def seek(self, tick: int) -> None:
        self.container.seek(tick, stream=self.stream, backward=True)


class _Decoder:
    """Gives frames from a keyframe on, in the order of time."""

    def __init__(self, path: str, stream_index: int, deinterlaces: bool) -> None:
        self._file = _File(path, stream_index)
        self._deinterlaces = deinterlaces
        self._skips = self._file.codec.name in CAN_SKIP and not deinterlaces
        codec = self._file.codec
        codec.thread_type, codec.thread_count = "AUTO", min(cores(), 4)
        self._frames: Generator[Any] | None = None
        self._skip_until: int | None = None
        self._begun: int | None = None
        self.last: int | None = None  # of the frame given last, or of the one begun with

    def go(self, place: _Place, skip_until: int | None) -> None:
        """Have frames come from a place, unless they come to it soon anyway."""
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

    def skipped(self) -> bool:
        """Return whether frames may have been left out on the way."""
        return self._skip_until is not None

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
                graph = _graph(
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


def _graph(frame: Any, clock: Any, *filters: str) -> Any:
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
        self._pixel_format, self._deinterlaces, self._matrix = pixel_format, deinterlaces, matrix
        self._look = _File(path, stream)
        film = self._look.stream
        # its own objects go where the file is opened anew
        self._clock, self._shape = film.time_base, film.sample_aspect_ratio
        self._first = -(1 << 62) if film.start_time is None else int(film.start_time)
        self._codec = self._look.codec.name
        self._units = length_bytes(self._codec, self._look.codec.extradata or b"")
        self._ticks_per_s = float(1 / self._clock)
        started = self._look.container.start_time
        self._start_s = 0.0 if started is None else started / 1e6
        self._kept: OrderedDict[tuple[int, Size], DecodedFrame] = OrderedDict()
        self._kept_bytes = 0
        self._scalers: dict[tuple[object, ...], Any] = {}
        self._ahead: Generator[None] | None = None
        self._listed: set[ListedPacket] | None = None
        self._check_container()
        self._decoder = _Decoder(path, stream, deinterlaces)
        self._second = _Decoder(path, stream, deinterlaces)
        self._decoder.go(_Place(None, 0, 0, []), None)
        first = self._decoder.next()
        if first is None:
            raise UntrustedError("it has no frame")
        self._turn = self._turn_of(first)
        self._size_wh = self._display_size(first)

    def facts(self) -> dict[str, Any]:
        """Say how long and how large it is."""
        container = self._look.container
        duration_s = None if container.duration is None else container.duration / 1e6
        if duration_s is not None and "matroska" in container.format.name:
            duration_s -= max(0.0, self._start_s)  # it counts what is before the start
        return {
            "duration_s": duration_s,
            "size_wh": self._size_wh,
        }

    # -- frames

    def frame_at(self, time_s: float, size_wh: Size) -> DecodedFrame | None:
        """Return the frame that is shown at a moment; see VideoPlayer.frame_at."""
        return self._frame_of(self._place(self._tick(time_s)), size_wh)

    def step(self, time_s: float, frames: int, size_wh: Size) -> DecodedFrame | None:
        """Return a frame so many before or after the one at a moment; the last there is."""
        place = self._place(self._tick(time_s))
        for _ in range(abs(frames)):
            if frames < 0:
                earlier = place.shown - 1
                if earlier < self._place(earlier).shown:
                    break
                place = self._place(earlier)
            else:
                after = self._after(place)
                if after is None:
                    break
                place = self._place(after)
        return self._frame_of(place, size_wh)

    def begin(self, time_s: float, size_wh: Size) -> DecodedFrame | None:
        """Return the frame at a moment, with those after it to come from `next`."""
        self._ahead = None
        place = self._place(self._tick(time_s))
        kept = self._kept.get((place.shown, size_wh))
        if kept is not None and self._decoder.last == place.shown:
            return kept
        return self._converted(self._decode(self._decoder, place), size_wh)

    def next(self, size_wh: Size) -> DecodedFrame | None:
        """Return the frame after the one given last; None at the end."""
        last = self._decoder.last
        while (frame := self._decoder.next()) is not None:
            if last is None or frame.pts > last:
                return self._converted(frame, size_wh)
        return None

    def prepare(self, time_s: float, size_wh: Size) -> None:
        """Begin to decode what is around a moment, in calls of decode_ahead."""
        self._ahead = self._around(self._place(self._tick(time_s)), size_wh)

    def decode_ahead(self) -> bool:
        """Decode one frame that may be asked for; False where there is nothing to do."""
        if self._ahead is None:
            return False
        try:
            next(self._ahead)
        except Exception:  # also StopIteration: who asks for a frame is told what is wrong there
            self._ahead = None
        return self._ahead is not None

    def _frame_of(self, place: _Place, size_wh: Size) -> DecodedFrame | None:
        kept = self._kept.get((place.shown, size_wh))
        if kept is not None:
            self._kept.move_to_end((place.shown, size_wh))
            return kept
        frame = self._converted(self._decode(self._decoder, place), size_wh)
        self._ahead = self._around(place, size_wh)
        return frame

    def _around(self, place: _Place, size_wh: Size) -> Generator[None]:
        """Keep the frame of a place, then those from its keyframe up to the next one."""
        if (place.shown, size_wh) not in self._kept:
            self._converted(self._decode(self._decoder, place), size_wh)
            yield
        if all((pts, size_wh) in self._kept for pts in place.times if pts <= place.shown):
            return
        decoder = self._second
        frame_bytes = max(1, len(self._kept[place.shown, size_wh].content))
        most = max(2, KEPT_BYTES // frame_bytes // 3)
        first = place.times[max(0, len(place.times) - most)] if place.times else place.shown
        decoder.go(_Place(place.start, place.seek, first, []), None)
        count = 0
        while (frame := decoder.next()) is not None and count < most:
            if frame.pts > place.shown and frame.key_frame:
                return
            if frame.pts >= first:
                count += 1
                if (frame.pts, size_wh) not in self._kept:
                    self._converted(frame, size_wh)
            yield

    def _decode(self, decoder: _Decoder, place: _Place) -> Any:
        for skips in (True, False):
            before = None
            decoder.go(place, place.shown if skips else None)
            while (frame := decoder.next()) is not None and frame.pts < place.shown:
                before = frame
            if frame is not None and frame.pts == place.shown:
                return frame
            if before is not None and not decoder.skipped():
                return before  # its packet shows nothing of its own
            decoder.last = None  # once more, with every frame
        raise UntrustedError("a frame that is listed does not come")

    # -- places

    def _tick(self, time_s: float) -> int:
        return last_tick(time_s, self._start_s, self._ticks_per_s)

    def _place(self, tick: int) -> _Place:
        """Find the frame that is shown at a tick, and where to begin to decode it."""
        tick = max(tick, self._first)
        back, step = tick, max(1, int(self._ticks_per_s))
        lead = LEAD_FRAMES if self._deinterlaces else 0
        for _ in range(LOOKS):
            if back <= self._first:
                break
            self._look.seek(back)
            place, met = self._read_place(tick, back, lead)
            if place is not None:
                return place
            back = min(back, tick if met is None else met) - step
            step *= 2
        self._look.close()
        self._look.open()
        place, _ = self._read_place(tick, 0, 0, from_beginning=True)
        if place is None:
            raise UntrustedError("no frame is found")
        return place

    def _read_place(
        self, tick: int, back: int, lead: int, from_beginning: bool = False
    ) -> tuple[_Place | None, int | None]:
        """Read packets until a tick is passed; also the first one's time."""
        met: int | None = None
        later = 0
        times: list[int] = []
        starts: list[int] = []
        for packet in self._look.packets():
            if met is None:
                met = packet.pts
            if self._listed is not None and _listed(packet) not in self._listed:
                raise UntrustedError("after a seek other times come than when it is read through")
            if packet.is_keyframe and packet.pts <= tick and not from_beginning:
                if begins_anew(self._codec, bytes(packet), self._units):
                    starts.append(packet.pts)
            if (starts or from_beginning) and not packet.is_discard:
                times.append(packet.pts)
            later += packet.pts > tick
            if later > REORDERED:
                break
        times.sort()
        shown = shown_at(times, tick)
        if from_beginning:
            shown = times[0] if shown is None and times else shown
            return (None if shown is None else _Place(None, 0, shown, times)), met
        if shown is None:
            return None, met
        before = times.index(shown)
        for start in reversed(starts):
            if start <= shown and before - times.index(start) >= lead if start in times else False:
                return _Place(start, back, shown, times[times.index(start) :]), met
        return None, met

    def _after(self, place: _Place) -> int | None:
        """Return the time of the frame after that of a place; None at the end."""
        after = [pts for pts in place.times if pts > place.shown]
        seen: list[int] = list(after)
        if place.start is None:
            self._look.close()
            self._look.open()
        else:
            self._look.seek(place.seek)
        for packet in self._look.packets():
            if packet.pts > place.shown and not packet.is_discard:
                seen.append(packet.pts)
            if len(seen) > REORDERED + len(after):
                break
        return min(seen, default=None)

    def _check_container(self) -> None:
        names = self._look.container.format.name.split(",")
        if not is_known(self._codec):
            raise UntrustedError("it is not known where its frames can be begun with")
        if any(name in TIMED for name in names):
            return
        if not any(name in LISTED for name in names):
            raise UntrustedError("its container doesn't say when each frame is shown")
        has_b_frames = self._look.codec.has_b_frames
        if "avi" in names and self._codec not in INTRA and (has_b_frames or self._codec != MPEG4):
            raise UntrustedError("its container has the order of decoding alone")
        packets = [_listed(packet) for packet in self._look.packets()]
        if not is_orderly(packets, self._ticks_per_s):
            raise UntrustedError("the times of its frames are not in order")
        self._listed = set(packets)

    # -- pictures

    def _turn_of(self, frame: Any) -> tuple[bool, bool, bool]:
        matrix = None
        for data in frame.side_data:
            if data.type.name == "DISPLAYMATRIX":
                matrix = struct.unpack("<9i" if struct.pack("=i", 1)[0] else ">9i", bytes(data))
        turn = upright(matrix)
        if turn is None:
            raise UntrustedError("it is turned by a part of a quarter")
        return turn

    def _display_size(self, frame: Any) -> Size:
        sar = self._shape
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
        found = DecodedFrame(frame.pts / self._ticks_per_s - self._start_s, frame.pts, content)
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
        return _graph(
            frame,
            self._clock,
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


def _listed(packet: Any) -> ListedPacket:
    return ListedPacket(packet.pts, packet.dts, packet.size)
