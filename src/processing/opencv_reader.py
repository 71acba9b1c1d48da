"""Video frames by OpenCV: `python -m src.processing.opencv_reader FILE FRAMES_PER_SECOND`.

It stands in for ffmpeg where none starts, in a process of its own as that is, and says what it
does in ffmpeg's own form: the RGB of frames on standard output, and on standard error the duration
and a line of showinfo for each frame of the source and for each that is sampled. It takes the
first stream, and colours as OpenCV gives them: HDR, interlaced and transparent film need ffmpeg.
"""

from __future__ import annotations

import sys

import cv2

from src.processing.ffmpeg_log import SAMPLED, SOURCE


def main() -> None:
    path, frames_per_second = sys.argv[1], float(sys.argv[2])
    # by FFmpeg alone: another of OpenCV's readers takes a % in a name for a series of images
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG)
    rate = capture.get(cv2.CAP_PROP_FPS)
    if rate > 0 and capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0:
        seconds = capture.get(cv2.CAP_PROP_FRAME_COUNT) / rate
        minutes, seconds = divmod(seconds, 60)
        print(
            f"[info]   Duration: {int(minutes // 60)}:{int(minutes % 60):02}:{seconds:05.2f}",
            file=sys.stderr,
        )
    last_slot, frame_index = None, -1
    while capture.grab():
        frame_index += 1
        timestamp_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        _show(SOURCE, frame_index, timestamp_s)
        slot = int(timestamp_s * frames_per_second)
        if last_slot is not None and slot <= last_slot:
            continue
        done, bgr = capture.retrieve()
        if done:
            last_slot = slot
            height, width = bgr.shape[:2]
            _show(SAMPLED, frame_index, timestamp_s, (width, height))
            sys.stdout.buffer.write(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).data)


def _show(
    which: str, frame_index: int, timestamp_s: float, size_wh: tuple[int, int] = (0, 0)
) -> None:
    print(
        f"[showinfo@{which} @ 0] [info] n: {frame_index} pts: 0 pts_time: {timestamp_s}"
        f" s:{size_wh[0]}x{size_wh[1]}",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    main()
