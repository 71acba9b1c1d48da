"""How right tracks are, on drawn videos whose truth is known: python -m tests.benchmarks.tracks

Each kind of video (tests/benchmarks/drawn_videos.py) is drawn from each seed, written as H.264,
sampled as the program samples it at one and at five frames a second, cut by the bundled SAM and
embedded by the bundled CLIP, then linked; beside it a plain linker by IoU. A seed takes a quarter
of an hour of one core; --cache keeps what was cut for the next time. The weights of
src/tracks/likeness.py were fitted to seed 1: report others.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from src.tracks.linker import link
from tests.benchmarks.drawn_videos import KINDS
from tests.benchmarks.page import put_table
from tests.benchmarks.track_material import RATES, Material, material, models
from tests.benchmarks.track_scores import TrackScores, idf1, plain_iou_linker, score

MARKS = ("<!-- tracks -->", "<!-- /tracks -->")


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101])
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--write", action="store_true", help="put the tables into the page")
    given = parser.parse_args(argv)
    with models() as pipeline:
        videos = [
            material(kind, seed, pipeline, given.cache)
            for seed in given.seeds
            for kind in given.kinds
        ]
    rows = [
        "| videos, IDF1 over: drawn things that SAM found (true masks; all that was drawn) |"
        " 1 a second | plain IoU | 5 a second | plain IoU |",
        "| --- | --- | --- | --- | --- |",
    ]
    scores: dict[tuple[str, float], list[TrackScores]] = {}
    linking = 0.0
    for rate in RATES:
        before = time.process_time()
        scores["ours", rate] = [score(video, rate, link) for video in videos]
        linking += time.process_time() - before
        scores["plain", rate] = [score(video, rate, plain_iou_linker) for video in videos]
    kinds = [kind for kind in KINDS if any(video.kind == kind for video in videos)]
    for kind in [*kinds, None]:
        cells = [
            _cell(
                [
                    each
                    for video, each in zip(videos, scores[who, rate], strict=True)
                    if kind in (None, video.kind)
                ]
            )
            for rate in RATES
            for who in ("ours", "plain")
        ]
        name = "**all**" if kind is None else kind
        rows.append(f"| {name} | {' | '.join(cells)} |")
    table = "\n".join(rows)
    print(table)
    print(_said(videos, scores, linking))
    if given.write:
        put_table(MARKS, f"{table}\n\n{_said(videos, scores, linking)}")


def _cell(scores: Sequence[TrackScores]) -> str:
    found = idf1([each.found for each in scores])
    ideal, drawn = idf1([each.ideal for each in scores]), idf1([each.drawn for each in scores])
    return f"{found:.2f} ({ideal:.2f}; {drawn:.2f})"


def _said(
    videos: Sequence[Material],
    scores: dict[tuple[str, float], list[TrackScores]],
    linking: float,
) -> str:
    recalls = [
        sum(each.recall[0] for each in scores["ours", rate])
        / sum(each.recall[1] for each in scores["ours", rate])
        for rate in RATES
    ]
    cutting = sum(frame.cpu_s for video in videos for frame in video.frames.values())
    # both sets of masks were linked, and at both rates
    linked = sum(len(kept) for video in videos for kept in video.sampled.values()) * 2
    frames = sum(len(video.frames) for video in videos)
    share = (linking / linked) / (cutting / frames)
    seeds = ", ".join(str(seed) for seed in sorted({video.seed for video in videos}))
    return (
        f"{len(videos)} videos of 10 seconds (seed {seeds}). SAM found "
        f"{' and '.join(f'{recall:.0%}' for recall in recalls)} of the things, frame by frame. "
        f"Linking and scoring took {linking / linked * 1000:.0f} ms of the processor a frame, "
        f"{share:.1%} of the {cutting / frames:.2f} s that cutting and embedding took."
    )


if __name__ == "__main__":
    main()
