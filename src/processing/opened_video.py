"""A video file opened by libav, and where in it a frame is: packets are read, none is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from src.processing.ffmpeg_process import DEMUXERS, MAX_PIXELS, PROTOCOLS
from src.processing.video_seek import (
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
)

try:
    import av
except ImportError:  # videos are read through where it is not installed
    av = None  # type: ignore[assignment]

# A frame comes so many packets after one that is shown later, at most, in every codec.
REORDERED = 16
# How often an earlier place to begin is looked for, each time twice as far back.
LOOKS = 12
# A deinterlacer looks at a frame on each side; one more for the decoder's own start.
LEAD_FRAMES = 3


class UntrustedError(Exception):
    """It can't be shown that seeking gives the frames of reading through."""


@dataclass(frozen=True)
class Place:
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


class OpenedFile:
    """A file opened with its film chosen, and with the limits that ffmpeg has here."""

    def __init__(self, path: str, stream_index: int) -> None:
        self._path, self._stream_index = path, stream_index
        self.open()

    def open(self) -> None:
        """Open it, or open it anew: then it is read from its beginning."""
        if av is None:
            raise UntrustedError("the package av is not installed")
        options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": DEMUXERS}
        self.container = av.open(f"file:{self._path}", container_options=options)
        self.stream: Any = self.container.streams[self._stream_index]
        if self.stream.type != "video":
            raise UntrustedError("its film is not where it was found before")
        self.codec: Any = self.stream.codec_context
        self.codec.options = {"max_pixels": str(MAX_PIXELS)}

    def close(self) -> None:
        """Let go of the file."""
        self.container.close()

    def packets(self) -> Iterator[Any]:
        """Yield the packets of the film from here on, without the empty one at the end."""
        for packet in self.container.demux(self.stream):
            if packet.size:
                if packet.pts is None:
                    raise UntrustedError("some frames have no time")
                yield packet

    def seek(self, tick: int) -> None:
        """Go to where the container leads for a tick."""
        self.container.seek(tick, stream=self.stream, backward=True)


class Places:
    """Finds frames in a file, and the keyframes from which they can be decoded exactly.

    Attributes:
        clock: how long a tick is, in seconds.
        start_s: what ffmpeg takes for the time zero.
    """

    def __init__(self, file: OpenedFile, needs_lead: bool) -> None:
        """Look at a file.

        Args:
            needs_lead: whether frames before one are needed to make it whole.

        Raises:
            UntrustedError: its frames have to be read through.
        """
        self._file, self._lead = file, LEAD_FRAMES if needs_lead else 0
        film = file.stream
        # its own objects go where the file is opened anew
        self.clock, self.shape = film.time_base, film.sample_aspect_ratio
        self._first = -(1 << 62) if film.start_time is None else int(film.start_time)
        self._codec = file.codec.name
        self._units = length_bytes(self._codec, file.codec.extradata or b"")
        self.ticks_per_s = float(1 / self.clock)
        started = file.container.start_time
        self.start_s = 0.0 if started is None else started / 1e6
        self._listed: set[ListedPacket] | None = None
        self._check_container()

    def duration_s(self) -> float | None:
        """Return how long the container says that it is."""
        container = self._file.container
        if container.duration is None:
            return None
        # Matroska counts what is before the start
        late_s = max(0.0, self.start_s) if "matroska" in container.format.name else 0.0
        return float(container.duration / 1e6 - late_s)

    def at(self, time_s: float) -> Place:
        """Find the frame that is shown at a moment; see `of`."""
        return self.of(last_tick(time_s, self.start_s, self.ticks_per_s))

    def of(self, tick: int) -> Place:
        """Find the frame that is shown at a tick, and where to begin to decode it."""
        tick = max(tick, self._first)
        back, step = tick, max(1, int(self.ticks_per_s))
        lead = self._lead
        for _ in range(LOOKS):
            if back <= self._first:
                break
            self._file.seek(back)
            place, met = self._read_place(tick, back, lead)
            if place is not None:
                return place
            back = min(back, tick if met is None else met) - step
            step *= 2
        self._file.close()
        self._file.open()
        place, _ = self._read_place(tick, 0, 0, from_beginning=True)
        if place is None:
            raise UntrustedError("no frame is found")
        return place

    def _read_place(
        self, tick: int, back: int, lead: int, from_beginning: bool = False
    ) -> tuple[Place | None, int | None]:
        """Read packets until a tick is passed; also the first one's time."""
        met: int | None = None
        later = 0
        times: list[int] = []
        starts: list[int] = []
        for packet in self._file.packets():
            if met is None:
                met = packet.pts
            if self._listed is not None and _listed(packet) not in self._listed:
                raise UntrustedError("after a seek other times come than when it is read through")
            may_begin = packet.is_keyframe and packet.pts <= tick and not from_beginning
            if may_begin and begins_anew(self._codec, bytes(packet), self._units):
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
            return (None if shown is None else Place(None, 0, shown, times)), met
        if shown is None:
            return None, met
        before = times.index(shown)
        for start in reversed(starts):
            if start in times and start <= shown and before - times.index(start) >= lead:
                return Place(start, back, shown, times[times.index(start) :]), met
        return None, met

    def after(self, place: Place) -> int | None:
        """Return the time of the frame after that of a place; None at the end."""
        after = [pts for pts in place.times if pts > place.shown]
        seen: list[int] = list(after)
        if place.start is None:
            self._file.close()
            self._file.open()
        else:
            self._file.seek(place.seek)
        for packet in self._file.packets():
            if packet.pts > place.shown and not packet.is_discard:
                seen.append(packet.pts)
            if len(seen) > REORDERED + len(after):
                break
        return min(seen, default=None)

    def _check_container(self) -> None:
        names = self._file.container.format.name.split(",")
        if not is_known(self._codec):
            raise UntrustedError("it is not known where its frames can be begun with")
        if any(name in TIMED for name in names):
            return
        if not any(name in LISTED for name in names):
            raise UntrustedError("its container doesn't say when each frame is shown")
        has_b_frames = self._file.codec.has_b_frames
        if "avi" in names and self._codec not in INTRA and (has_b_frames or self._codec != MPEG4):
            raise UntrustedError("its container has the order of decoding alone")
        packets = [_listed(packet) for packet in self._file.packets()]
        if not is_orderly(packets, self.ticks_per_s):
            raise UntrustedError("the times of its frames are not in order")
        self._listed = set(packets)


def _listed(packet: Any) -> ListedPacket:
    return ListedPacket(packet.pts, packet.dts, packet.size)
