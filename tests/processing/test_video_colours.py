"""Films whose colours, transparency or fields need more than a plain decoding."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from src.processing.ffmpeg_log import VideoFacts
from src.processing.ffmpeg_process import find_ffmpeg
from src.processing.video_filters import FrameReading
from src.processing.video_processor import VideoProcessor
from src.processing.video_streams import VideoStream
from src.records import Frame
from tests.conftest import MakeVideo
from tests.processing.test_tone_mapping import encoded

HDR = "color_primaries=bt2020:colorspace=bt2020nc:color_trc"
# Codecs that keep their tags in the stream or in the container, and need no library.
CONTAINERS = {
    "pq.mkv": ("ffv1", "yuv420p10le"),
    "pq.mov": ("prores_ks", "yuv422p10le"),
    "pq.mp4": ("mpeg4", "yuv420p"),
}

RED = (230, 20, 20)


def red(transfer: int, primaries: int = 9) -> np.ndarray:
    """Encode the disc's red: (3,) float."""
    return encoded(np.array(RED) / 255, transfer, primaries)


def frames_of(path: Path, rate: float = 1.0) -> list[Frame]:
    found = VideoProcessor(rate, -1).sampled(path, VideoFacts())
    return [frame for frame, _ in found]


def encode(path: Path, pixels: np.ndarray, *options: str) -> Path:
    """Make a film of ten equal frames of (H, W, 3 or 4) pixels, uint8 or uint16."""
    program = find_ffmpeg()
    assert program is not None
    channels = "rgb" if pixels.shape[2] == 3 else "rgba"
    form = channels + ("24" if channels == "rgb" else "")
    if pixels.dtype == np.uint16:
        form = channels + ("48le" if channels == "rgb" else "64le")
    height, width = pixels.shape[:2]
    command = [program, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", form]
    command += ["-s", f"{width}x{height}", "-r", "10", "-i", "pipe:0"]
    command += ["-threads", "1", *options, f"file:{path}"]  # the same file on any machine
    subprocess.run(command, input=pixels.tobytes() * 10, check=True, timeout=60)
    return path


def tagged(form: str, matrix: str, span: str, tags: str) -> tuple[str, ...]:
    """Options that bring pixels to a format, and then say of them what tags say, true or not."""
    scale = f"scale=out_color_matrix={matrix}:out_range={span}"
    return "-vf", f"{scale},format={form},setparams=range={span}:{tags}"


def one_colour(code: np.ndarray, size_wh: tuple[int, int] = (96, 64)) -> np.ndarray:
    return np.broadcast_to(
        np.rint(code * 65535).astype(np.uint16), (size_wh[1], size_wh[0], 3)
    ).copy()


def assert_colour(frame: Frame, x: int, y: int, colour: tuple[int, ...], within: int = 6) -> None:
    np.testing.assert_allclose(frame.image_rgb[y, x].astype(int), colour, atol=within)


@pytest.mark.parametrize(("transfer", "name"), [(16, "smpte2084"), (18, "arib-std-b67")])
@pytest.mark.parametrize("container", CONTAINERS)
def test_hdr_is_brought_to_srgb(tmp_path: Path, container: str, transfer: int, name: str) -> None:
    codec, form = CONTAINERS[container]
    options = (*tagged(form, "bt2020", "tv", f"{HDR}={name}"), "-c:v", codec, "-q:v", "1")
    path = encode(tmp_path / container, one_colour(red(transfer)), *options)
    frame = frames_of(path)[0]
    assert frame.image_rgb.dtype == np.uint8
    # 8 bits of video are too few for PQ, which is what that film is for
    assert_colour(frame, 48, 32, RED, within=20 if codec == "mpeg4" else 6)


def test_hdr_in_full_range_is_brought_to_srgb(tmp_path: Path) -> None:
    options = (*tagged("yuv420p10le", "bt2020", "pc", f"{HDR}=smpte2084"), "-c:v", "ffv1")
    path = encode(tmp_path / "full.mkv", one_colour(red(16)), *options)
    assert_colour(frames_of(path)[0], 48, 32, RED)


def test_hdr_can_be_transparent(tmp_path: Path) -> None:
    pixels = np.full((64, 96, 4), 65535, np.uint16)
    pixels[..., :3] = one_colour(red(16))
    pixels[:, 48:, 3] = 0
    options = tagged("yuva444p10le", "bt2020", "tv", f"{HDR}=smpte2084")
    options += ("-c:v", "prores_ks", "-profile:v", "4444")
    frame = frames_of(encode(tmp_path / "title.mov", pixels, *options))[0]
    assert_colour(frame, 20, 32, RED)
    assert_colour(frame, 76, 32, (255, 255, 255))


def test_a_wide_gamut_of_ordinary_range_is_brought_to_srgb(tmp_path: Path) -> None:
    tags = "color_primaries=smpte432:color_trc=bt709:colorspace=bt709"
    options = (*tagged("yuv420p10le", "bt709", "tv", tags), "-c:v", "ffv1")
    path = encode(tmp_path / "p3.mkv", one_colour(red(1, 12)), *options)
    assert_colour(frames_of(path)[0], 48, 32, RED)


@pytest.mark.parametrize(
    ("size_wh", "matrix", "tag"),
    [
        ((1280, 96), "bt709", "unknown"),
        ((720, 96), "bt601", "unknown"),
        ((1280, 96), "bt601", "smpte170m"),
        ((320, 240), "bt709", "bt709"),
    ],
)
@pytest.mark.parametrize("span", ["tv", "pc"])
def test_the_matrix_is_the_one_named_or_that_of_the_size(
    tmp_path: Path, size_wh: tuple[int, int], matrix: str, tag: str, span: str
) -> None:
    green = (20, 200, 40)
    tags = f"colorspace={tag}:color_primaries=unknown:color_trc=unknown"
    options = (*tagged("yuv420p", matrix, span, tags), "-c:v", "ffv1")
    path = encode(tmp_path / "green.mkv", one_colour(np.array(green) / 255, size_wh), *options)
    assert_colour(frames_of(path)[0], 48, 32, green)


ALPHA_CODECS = {
    "qtrle.mov": ("-c:v", "qtrle"),
    "png.mov": ("-c:v", "png"),
    "prores.mov": ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"),
    "ffv1.mkv": ("-c:v", "ffv1", "-pix_fmt", "yuva420p"),
    "planar.mkv": ("-c:v", "ffv1", "-pix_fmt", "gbrap"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-pix_fmt", "yuva420p"),
    "vp8.webm": (
        "-c:v", "libvpx", "-deadline", "realtime", "-auto-alt-ref", "0", "-pix_fmt", "yuva420p",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALPHA_CODECS)
def test_transparent_film_is_laid_over_white(tmp_path: Path, name: str) -> None:
    pixels = np.empty((64, 96, 4), np.uint8)
    pixels[...] = (230, 20, 20, 255)
    pixels[:32, 48:, 3] = 0
    pixels[32:, 48:, 3] = 128
    frame = frames_of(encode(tmp_path / name, pixels, *ALPHA_CODECS[name]))[0]
    assert_colour(frame, 20, 32, RED)
    assert_colour(frame, 76, 12, (255, 255, 255))
    assert_colour(frame, 76, 52, (242, 137, 137))


def test_alpha_that_was_never_set_hides_nothing(tmp_path: Path) -> None:
    pixels = np.zeros((64, 96, 4), np.uint8)
    pixels[:, 48:, :3] = RED
    film = encode(tmp_path / "screen.avi", pixels, "-c:v", "rawvideo", "-pix_fmt", "bgra")
    frame = frames_of(film)[0]
    assert_colour(frame, 76, 32, RED)
    assert_colour(frame, 20, 32, (0, 0, 0))
    pixels[..., :3] = 0
    nothing = encode(tmp_path / "fade in.mov", pixels, "-c:v", "qtrle")
    assert_colour(frames_of(nothing)[0], 20, 32, (255, 255, 255))


BAR = "[0:v][1:v]overlay=x=t*75:shortest=1"


def moving_bar(path: Path, *options: str, after: str = "") -> Path:
    """A white bar that moves through a black picture, 100 fields or frames of it in two seconds."""
    program = find_ffmpeg()
    assert program is not None
    inputs = []
    for colour, width in (("black", 160), ("white", 30)):
        inputs += ["-f", "lavfi", "-i", f"color=c={colour}:size={width}x96:rate=50:duration=2"]
    command = [program, "-v", "error", "-y", *inputs, "-filter_complex", BAR + after]
    subprocess.run([*command, "-threads", "1", *options, f"file:{path}"], check=True, timeout=60)
    return path


def combing(frame: Frame) -> float:
    """How much a row differs from the mean of its neighbours, at most, 0 to 255."""
    grey = frame.image_rgb[8:-8].mean(axis=2)
    return float(np.abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2).max())


FIELDS = ",tinterlace=mode=interleave_top,setfield=tff"
INTERLACED = ("-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-q:v", "2")


def test_interlaced_frames_are_made_whole(tmp_path: Path) -> None:
    path = moving_bar(tmp_path / "fields.mkv", *INTERLACED, after=FIELDS)
    frames = frames_of(path, rate=5)
    assert [frame.frame_index for frame in frames] == list(range(0, 50, 5))
    assert [frame.timestamp_s for frame in frames] == pytest.approx(
        [count / 5 for count in range(10)], abs=0.002
    )
    assert max(combing(frame) for frame in frames[1:]) < 80
    assert len(frames_of(path, rate=1000)) == 50  # the last is not lost


def test_only_frames_marked_so_are_deinterlaced(tmp_path: Path) -> None:
    path = moving_bar(
        tmp_path / "combed.mkv", "-c:v", "mpeg2video", "-q:v", "2",
        after=",tinterlace=mode=interleave_top,setfield=prog",
    )  # fmt: skip
    assert max(combing(frame) for frame in frames_of(path, rate=5)) > 150


def test_numbers_go_on_where_an_interlaced_picture_changes_its_size(
    make_video: MakeVideo, tmp_path: Path
) -> None:
    options = ("-c:v", "libx264", "-flags", "+ilme+ildct", "-vf")
    parts = [
        make_video(f"{width}.ts", 3, *options, f"scale={width}:240,setsar=1,setfield=tff")
        for width in (320, 160)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = frames_of(joined)
    assert [frame.size_wh for frame in frames] == [(320, 240)] * 3 + [(160, 240)] * 3
    assert [frame.frame_index for frame in frames] == [0, 10, 20, 30, 40, 50]


def test_a_decoder_that_is_not_there_is_not_asked_for() -> None:
    stream = VideoStream(3, "vp9", "yuv420p", (96, 64), has_hidden_alpha=True)
    assert FrameReading.of(stream).input_options("/no/such/program") == []
