"""What ffmpeg does to a stream's frames, and what is left to do: upright 8-bit sRGB comes out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from src.processing.ffmpeg_log import DEINTERLACED, SAMPLED, SOURCE
from src.processing.ffmpeg_process import has_decoder
from src.processing.tone_mapping import BT2020, needs_mapping, to_sdr
from src.processing.video_streams import VideoStream

# Pixels are made square up to this; a header can claim that each is as wide as a wall.
MAX_SAR = 8
# On discs and in broadcasts these mix interlaced frames with others, so that the first frames say
# nothing of the rest.
MAY_MIX = ("mpeg2video", "vc1")
# Native decoders leave out the transparency that WebM keeps beside the pictures.
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
# Pixel formats of luminance and two differences of colour.
HAS_MATRIX = re.compile(r"yuv|yuy|yvy|uyv|ayuv|vuy|nv\d|p\d{3}|y\d{3}|xv")
# What BT.709 calls high definition begins above what BT.601 is for.
SD_WIDTH, SD_HEIGHT = 1024, 576


@dataclass(frozen=True)
class FrameReading:
    """How the sampled frames of a stream are read.

    Attributes:
        stream: the one that is read; None where nothing is known of it.
        is_deep: whether ffmpeg gives 16 bits for each colour, for a conversion here.
        has_alpha: whether it gives alpha as well.
    """

    stream: VideoStream | None = None
    is_deep: bool = False
    has_alpha: bool = False

    @staticmethod
    def of(stream: VideoStream | None) -> FrameReading:
        """Decide how a stream is read."""
        if stream is None:
            return FrameReading()
        deep = needs_mapping(stream.transfer, stream.primaries)
        return FrameReading(stream, deep, stream.has_alpha)

    def input_options(self, program: str) -> list[str]:
        """Return the options that go before the file."""
        stream = self.stream
        if stream is None or not stream.has_hidden_alpha:
            return []
        decoder = ALPHA_DECODERS[stream.codec]
        return [f"-c:{stream.index}", decoder] if has_decoder(program, decoder) else []

    def output_options(self, select: str) -> list[str]:
        """Return the options that go after the file: raw frames come out of the pipe.

        Args:
            select: which of them, an expression of ffmpeg's; see sampled and numbered.
        """
        filters = [f"showinfo@{SOURCE}=checksum=0"]
        if self.deinterlaces():
            # It gives each frame when the next has come, so the frames are counted behind it too;
            # where the size of the pictures changes, ffmpeg loses the one that it holds.
            filters.append("bwdif=mode=send_frame:deint=interlaced")
            filters.append(f"showinfo@{DEINTERLACED}=checksum=0")
        matrix = self.matrix()
        filters += [
            f"select='{select}'",
            f"scale=w='max(1,round(iw*clip(sar,1/{MAX_SAR},{MAX_SAR})))':h=ih"
            + (f":in_color_matrix={matrix}" if matrix else ""),
            "setsar=1",
            f"showinfo@{SAMPLED}=checksum=0",
        ]
        return [
            "-map", "0:V:0" if self.stream is None else f"0:{self.stream.index}",
            "-vf", ",".join(filters), "-fps_mode", "passthrough",
            # each frame in its own size, which showinfo says, also where that changes
            "-noautoscale", "-f", "rawvideo", "-c:v", "rawvideo",
            "-pix_fmt", self.pixel_format(), "pipe:1",
        ]  # fmt: skip

    def bytes_of(self, size_wh: tuple[int, int]) -> int:
        """Return the number of bytes of a frame as ffmpeg gives it."""
        return size_wh[0] * size_wh[1] * (4 if self.has_alpha else 3) * (2 if self.is_deep else 1)

    def to_rgb(self, content: bytes, size_wh: tuple[int, int]) -> np.ndarray:
        """Turn what ffmpeg gives of a frame into (H, W, 3) uint8 sRGB, over white."""
        width, height = size_wh
        kind = np.dtype("<u2") if self.is_deep else np.dtype(np.uint8)
        pixels = np.frombuffer(content, kind).reshape(height, width, -1)
        rgb = pixels[..., :3]
        if self.is_deep:
            assert self.stream is not None
            rgb = to_sdr(rgb, self.stream.transfer, self.stream.primaries)
        if self.has_alpha:
            rgb = _over_white(rgb, pixels[..., 3])
        return rgb

    def pixel_format(self) -> str:
        """Return ffmpeg's name for what comes out."""
        if self.is_deep:
            return "rgba64le" if self.has_alpha else "rgb48le"
        return "rgba" if self.has_alpha else "rgb24"

    def deinterlaces(self) -> bool:
        """Return whether frames marked as interlaced are made whole."""
        stream = self.stream
        return stream is not None and (stream.is_interlaced or stream.codec in MAY_MIX)

    def matrix(self) -> str | None:
        """Return the matrix of a stream that names none: by the size, as players do."""
        stream = self.stream
        if stream is None or stream.matrix or not HAS_MATRIX.match(stream.pixel_format):
            return None
        if stream.primaries == BT2020:
            return "bt2020"
        width, height = stream.size_wh
        is_hd = width > SD_WIDTH or height > SD_HEIGHT
        return "bt709" if is_hd else None


def sampled(frames_per_second: float, from_s: float | None = None) -> str:
    """Select of each 1/frames_per_second of a second the first frame.

    Args:
        from_s: leave out all before; then the first one that is selected may not be the first of
            its part.
    """
    rate = frames_per_second
    expression = f"isnan(prev_selected_t)+gt(floor(t*{rate}),floor(prev_selected_t*{rate}))"
    return expression if from_s is None else f"gte(t,{from_s:.6f})*({expression})"


def sampled_from(frames_per_second: float, part: int) -> str:
    """Select the same from a part on, and the very first frame that comes, whichever it is of.

    Args:
        part: its number; of the first one the first frame may have been missed.
    """
    at, last = (f"floor({t}*{frames_per_second})" for t in ("t", "prev_selected_t"))
    return f"isnan(prev_selected_t)+gte({at},{part})*gt({at},{last})"


def numbered(frame_indexes: Sequence[int]) -> str:
    """Select frames by their places, in ascending order; it takes few steps for each frame."""
    if len(frame_indexes) == 1:
        return f"eq(n,{frame_indexes[0]})"
    middle = len(frame_indexes) // 2
    before, after = numbered(frame_indexes[:middle]), numbered(frame_indexes[middle:])
    return f"if(lt(n,{frame_indexes[middle]}),{before},{after})"


def at_moments(times_s: Sequence[float]) -> str:
    """Select frames by when they are shown, in ascending order, and perhaps others beside them.

    A time that ffmpeg said has six digits.
    """
    if len(times_s) == 1:
        near_s = 0.001 + 1e-5 * abs(times_s[0])
        return f"between(t,{times_s[0] - near_s:.6f},{times_s[0] + near_s:.6f})"
    middle = len(times_s) // 2
    before, after = at_moments(times_s[:middle]), at_moments(times_s[middle:])
    return f"if(lt(t,{(times_s[middle - 1] + times_s[middle]) / 2:.6f}),{before},{after})"


def _over_white(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lay (H, W, 3) uint8 colours over white by (H, W) alpha, uint8 or uint16."""
    if not alpha.any() and (rgb != rgb[0, 0]).any():
        return np.ascontiguousarray(rgb)  # a picture whose alpha was never set
    share = (alpha / np.float32(np.iinfo(alpha.dtype).max))[..., None]
    return np.rint(255 - (255 - rgb.astype(np.float32)) * share).astype(np.uint8)
