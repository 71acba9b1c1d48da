"""A clip is the range, to the frame, with its sound and nothing else."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from src.database.metadata_db import MetadataDatabase
from src.errors import ExportError, MediaReadError
from src.events import ClipWritten, Event, JobDone, Progress
from src.models.mask_rle import decode_rle
from src.processing.known_copies import KnownCopies
from src.records import Frame, Tag
from src.stopping import StoppedError, stopped_by
from src.track_records import ClipMasks
from src.video_clips import clip_job, encoder, frames, stall_watch
from src.video_clips.clip_job import Clip
from tests.datasets.drawn_library import a_mask, add_file, add_frame
from tests.drawn_tracks import METHOD
from tests.video_clips.numbered_video import (
    RATE,
    TONE_FROM_S,
    WH,
    described,
    frames_of,
    grey_of,
    make_video,
    sound_of,
)

BOXES = ((8, 8, 16, 16), (40, 24, 16, 16))  # of the thing at 0 s and at 1 s


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "grey.mp4")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def added(metadata: MetadataDatabase, video: Path) -> int:
    media_id = add_file(metadata, video, "video", WH)
    metadata.update_media(media_id, duration_s=2.0)
    return media_id


def tracked(metadata: MetadataDatabase, video: Path) -> tuple[int, int]:
    """Add a video with a thing in a track, and another in none; the ids of file and track."""
    media_id = added(metadata, video)
    ids = []
    for at_s, box in enumerate(BOXES):
        masks = [a_mask_of(box), a_mask_of((80, 50, 8, 8))]
        stored = add_frame(metadata, media_id, "grey", masks, at_s * RATE, float(at_s), WH)
        ids.append(stored[1])
        metadata.add_tags(stored[2], [Tag("spot", 1.0, "human")], "human")
    metadata.tracks.replace_linked(media_id, [ids], METHOD)
    track_id = metadata.segments([ids[0]])[ids[0]].track_id
    assert track_id is not None
    return media_id, track_id


def a_mask_of(box: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros((WH[1], WH[0]), bool)
    x, y, w, h = box
    mask[y : y + h, x : x + w] = True
    return mask


def clip(
    metadata: MetadataDatabase,
    media_id: int,
    begin_s: float,
    end_s: float,
    file: Path,
    masks: ClipMasks | None = None,
    replace: bool = False,
) -> Iterator[Event]:
    return Clip(metadata, media_id, begin_s, end_s, file, masks, replace).run()


def greys(file: Path) -> list[int]:
    return [round(float(frame.mean())) for frame in frames_of(file)]


def test_it_begins_and_ends_at_the_exact_frames(
    metadata: MetadataDatabase, video: Path, out: Path
) -> None:
    media_id = added(metadata, video)
    events = list(clip(metadata, media_id, 0.6, 1.6, out / "a.mp4"))
    assert isinstance(events[-2], ClipWritten) and events[-2].frames == 25
    assert isinstance(events[-1], JobDone) and events[-1].written == out / "a.mp4"
    assert [each.done for each in events if isinstance(each, Progress)] == [*range(26)]
    found = greys(out / "a.mp4")
    assert len(found) == 25
    assert np.abs(np.array(found) - [grey_of(each) for each in range(15, 40)]).max() <= 2
    assert [each.name for each in out.iterdir()] == ["a.mp4"]


def test_its_sound_is_that_of_the_range(metadata: MetadataDatabase, video: Path, out: Path) -> None:
    media_id = added(metadata, video)
    list(clip(metadata, media_id, 0.6, 1.6, out / "a.mp4"))
    loud = np.flatnonzero(np.abs(sound_of(out / "a.mp4")) > 0.3) / 48000
    assert abs(loud[0] - (TONE_FROM_S - 0.6)) < 0.02
    assert abs(loud[-1] - 1.0) < 0.05


def test_a_video_without_sound_gives_a_clip_without(
    metadata: MetadataDatabase, tmp_path: Path, out: Path
) -> None:
    media_id = added(metadata, make_video(tmp_path / "mute.mkv", 50, False))
    list(clip(metadata, media_id, 0.2, 0.4, out / "a.mp4"))
    assert len(greys(out / "a.mp4")) == 5 and not sound_of(out / "a.mp4").size
    assert "Audio" not in described(out / "a.mp4")


def test_nothing_of_the_source_is_told_and_the_bytes_are_the_same(
    metadata: MetadataDatabase, video: Path, out: Path
) -> None:
    media_id = added(metadata, video)
    for name in ("a.mp4", "b.mp4"):
        list(clip(metadata, media_id, 0.6, 1.0, out / name))
    content = (out / "a.mp4").read_bytes()
    assert content == (out / "b.mp4").read_bytes()
    for told in (b"secret", b"grey", str(out).encode(), b"Lavf"):
        assert told not in content
    assert "yuv420p(tv, bt709" in described(out / "a.mp4")


def test_a_range_past_the_end_ends_with_the_video(
    metadata: MetadataDatabase, video: Path, out: Path
) -> None:
    list(clip(metadata, added(metadata, video), 1.8, 7.0, out / "a.mp4"))
    assert len(greys(out / "a.mp4")) == 5


# -- masks


def test_masks_move_from_box_to_box(metadata: MetadataDatabase, video: Path, out: Path) -> None:
    media_id, track_id = tracked(metadata, video)
    list(clip(metadata, media_id, 0.0, 1.2, out / "a.mp4", ClipMasks((track_id,))))
    shown = frames_of(out / "a.mp4")
    for at, (x, y) in ((0, (8, 8)), (12, (23, 16)), (25, (40, 24)), (29, (40, 24))):
        grey = np.full((WH[1], WH[0], 3), grey_of(at), int)
        drawn = np.abs(shown[at].astype(int) - grey).max(-1) > 12
        wanted = a_mask_of((x, y, 16, 16))
        shared = (drawn & wanted).sum() / (drawn | wanted).sum()
        assert shared > 0.8, (at, shared)


def test_a_label_is_drawn_where_it_is_in_no_track(
    metadata: MetadataDatabase, video: Path, out: Path
) -> None:
    media_id, _ = tracked(metadata, video)
    list(clip(metadata, media_id, 0.4, 0.6, out / "a.mp4", ClipMasks(label="Spot")))
    frame = frames_of(out / "a.mp4")[2].astype(int)
    drawn = np.abs(frame - grey_of(12)).max(-1) > 12
    assert drawn[50:58, 80:88].mean() > 0.9 and drawn[:40].mean() < 0.01


def test_all_tracks_are_drawn_without_a_choice(
    metadata: MetadataDatabase, video: Path, out: Path
) -> None:
    media_id, _ = tracked(metadata, video)
    list(clip(metadata, media_id, 0.0, 0.1, out / "a.mp4", ClipMasks()))
    drawn = np.abs(frames_of(out / "a.mp4")[0].astype(int) - grey_of(0)).max(-1) > 12
    assert drawn[8:24, 8:24].mean() > 0.9 and drawn[50:58, 80:88].mean() < 0.2


@pytest.mark.parametrize(
    ("masks", "said"),
    [
        (ClipMasks((99,)), "nothing of the track 99"),
        (ClipMasks(label="cat"), 'nothing is labelled "cat"'),
    ],
)
def test_what_is_not_there_is_not_drawn(
    metadata: MetadataDatabase, video: Path, out: Path, masks: ClipMasks, said: str
) -> None:
    media_id, _ = tracked(metadata, video)
    with pytest.raises(ExportError, match=said):
        list(clip(metadata, media_id, 0.0, 0.1, out / "a.mp4", masks))
    assert not list(out.iterdir())


def test_a_mask_at_the_edge_is_cut_there() -> None:
    from src.models.mask_rle import encode_rle
    from src.track_records import TrackSegment
    from src.video_clips.mask_drawing import DrawnThing

    mask = a_mask((50, 30, 14, 18))
    counts = encode_rle(mask)["counts"]
    assert (decode_rle(counts, (64, 48)) == mask).all()
    segments = tuple(
        TrackSegment(str(at_s), at_s, float(at_s), at_s + 1.0, box, Path("a.jpg"))
        for at_s, box in enumerate([(50, 30, 14, 18), (60, 44, 14, 18)])
    )
    thing = DrawnThing(segments, np.array([255, 0, 0], np.uint8), {"0": counts})
    image = np.zeros((48, 64, 3), np.uint8)
    thing.draw(image, 0.9)
    assert image[43:, 60:].any() and not image[:40].any()
    thing.draw(image, 5.0)


# -- what is refused, and what a stop leaves


def test_a_file_that_is_there_stays(metadata: MetadataDatabase, video: Path, out: Path) -> None:
    media_id = added(metadata, video)
    (out / "a.mp4").write_text("mine")
    with pytest.raises(ExportError, match="there is a file of this name already"):
        list(clip(metadata, media_id, 0.0, 0.2, out / "a.mp4"))
    assert (out / "a.mp4").read_text() == "mine"
    list(clip(metadata, media_id, 0.0, 0.2, out / "a.mp4", replace=True))
    assert len(greys(out / "a.mp4")) == 5


def test_a_file_that_comes_meanwhile_stays(
    metadata: MetadataDatabase, video: Path, out: Path
) -> None:
    events = clip(metadata, added(metadata, video), 0.0, 0.4, out / "a.mp4")
    next(events)
    (out / "a.mp4").write_text("mine")
    with pytest.raises(ExportError):
        list(events)
    assert (out / "a.mp4").read_text() == "mine" and len(list(out.iterdir())) == 1


def test_a_clip_takes_no_place_that_was_taken_in_the_last_moment(
    metadata: MetadataDatabase, video: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id = added(metadata, video)
    (out / "a.mp4").write_text("mine")
    monkeypatch.setattr(clip_job.os.path, "lexists", lambda _: False)
    with pytest.raises(ExportError, match="nothing was kept"):
        list(clip(metadata, media_id, 0.0, 0.2, out / "a.mp4"))
    assert (out / "a.mp4").read_text() == "mine"


def test_the_video_itself_is_never_replaced(metadata: MetadataDatabase, video: Path) -> None:
    media_id, content = added(metadata, video), video.read_bytes()
    with pytest.raises(ExportError, match="the video itself"):
        list(clip(metadata, media_id, 0.0, 0.2, video, replace=True))
    other = video.parent / "link.mp4"
    os.link(video, other)
    with pytest.raises(ExportError, match="the video itself"):
        list(clip(metadata, media_id, 0.0, 0.2, other, replace=True))
    assert video.read_bytes() == content


def test_a_cancelled_clip_leaves_nothing(
    metadata: MetadataDatabase, video: Path, out: Path
) -> None:
    events = clip(metadata, added(metadata, video), 0.0, 2.0, out / "a.mp4")
    for event in events:
        if isinstance(event, Progress) and event.done == 10:
            assert len(list(out.iterdir())) == 1
            break
    events.close()  # type: ignore[attr-defined]
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    ("begin_s", "end_s", "name", "said"),
    [
        (1.0, 1.0, "a.mp4", "begins at 0 or later"),
        (-1.0, 1.0, "a.mp4", "begins at 0 or later"),
        (0.0, float("nan"), "a.mp4", "begins at 0 or later"),
        (2.0, 3.0, "a.mp4", "it ends at 2.0 s"),
        (0.0, 1.0, "a.avi", "a name that ends in .mp4"),
        (0.0, 1.0, "no/a.mp4", "there is no such folder"),
    ],
)
def test_what_can_not_be_is_said(
    metadata: MetadataDatabase,
    video: Path,
    out: Path,
    begin_s: float,
    end_s: float,
    name: str,
    said: str,
) -> None:
    with pytest.raises(ExportError, match=said):
        list(clip(metadata, added(metadata, video), begin_s, end_s, out / name))
    assert not list(out.iterdir())


def test_a_library_s_own_folder_takes_none(metadata: MetadataDatabase, video: Path) -> None:
    with pytest.raises(ExportError, match="a library keeps its own files"):
        list(
            clip(
                metadata,
                added(metadata, video),
                0,
                1,
                metadata.paths.root / "extracted_segments" / "a.mp4",
            )
        )


def test_a_video_that_is_gone_or_no_video_is_said(
    metadata: MetadataDatabase, tmp_path: Path, out: Path
) -> None:
    with pytest.raises(ExportError, match="no such video"):
        list(clip(metadata, 12, 0, 1, out / "a.mp4"))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    media_id = added(metadata, broken)
    with pytest.raises(MediaReadError):
        list(clip(metadata, media_id, 0, 1, out / "a.mp4"))
    broken.unlink()
    with pytest.raises(MediaReadError):
        list(clip(metadata, media_id, 0, 1, out / "a.mp4"))
    assert not list(out.iterdir())


def test_a_video_that_changed_since_it_was_added_is_not_cut(
    metadata: MetadataDatabase, video: Path, out: Path
) -> None:
    """Its tracks and masks are of other pictures: as for `sample`, it has to be added again."""
    media_id = added(metadata, video)
    make_video(video, 40)
    with pytest.raises(MediaReadError, match="changed since it was added; add it again"):
        list(clip(metadata, media_id, 0, 1, out / "a.mp4"))
    assert not list(out.iterdir())


def test_a_copy_is_cut_where_the_video_itself_is_gone(
    metadata: MetadataDatabase, video: Path, out: Path
) -> None:
    media_id, copy = added(metadata, video), out.parent / "copy.mp4"
    copy.write_bytes(video.read_bytes())
    stored = metadata.media(media_id)
    assert stored is not None
    KnownCopies(metadata).remember(stored, copy)
    video.unlink()
    list(clip(metadata, media_id, 0, 0.2, out / "a.mp4"))
    assert len(greys(out / "a.mp4")) == 5


@pytest.mark.parametrize("takes_all", [False, True])
def test_an_encoder_that_stands_still_is_ended(
    metadata: MetadataDatabase, out: Path, monkeypatch: pytest.MonkeyPatch, takes_all: bool
) -> None:
    media_id = added(metadata, make_video(out.parent / "mute.mkv", 50, False))
    reads = "cat > /dev/null; " if takes_all else ""
    stands_still(monkeypatch, out.parent, f"{reads}exec sleep 600")
    with pytest.raises(ExportError, match=r"can.t be written .ffmpeg stopped responding"):
        list(clip(metadata, media_id, 0, 1, out / "a.mp4"))
    assert not list(out.iterdir())


def test_who_no_longer_wants_a_clip_waits_for_no_encoder(
    metadata: MetadataDatabase, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id = added(metadata, make_video(out.parent / "mute.mkv", 50, False))
    seen: list[Event] = []
    stands_still(monkeypatch, out.parent, "exec sleep 600", limit_s=600)
    with pytest.raises(StoppedError), stopped_by(lambda: len(seen) < 2):
        for event in clip(metadata, media_id, 0, 1, out / "a.mp4"):
            seen.append(event)
    assert not list(out.iterdir())


def stands_still(
    monkeypatch: pytest.MonkeyPatch, folder: Path, script: str, limit_s: float = 0.4
) -> None:
    """Have a script take an encoder's place."""
    program = folder / "encoder"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(encoder, "find_encoder", lambda _: (str(program), "libx264"))
    monkeypatch.setattr(stall_watch, "STALL_S", limit_s)


def test_a_full_disk_leaves_nothing_and_says_so(
    metadata: MetadataDatabase, video: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id = added(metadata, video)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:  # while the sound is written, and as the clip comes in
        patched.setattr(clip_job, "read_sound", full)
        with pytest.raises(ExportError, match=r"No space left on device.*nothing was kept"):
            list(clip(metadata, media_id, 0, 1, out / "a.mp4"))
    # while the encoder writes
    script = 'for last; do :; done; echo "${last#file:}: No space left on device" >&2; exit 1'
    stands_still(monkeypatch, out.parent, script)
    with pytest.raises(ExportError, match=r"No space left on device.*nothing was kept"):
        list(clip(metadata, media_id, 0, 1, out / "a.mp4"))
    assert not list(out.iterdir())


def test_a_range_far_into_a_video_is_read_from_near_it(
    metadata: MetadataDatabase, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No frame of the first seconds is decoded, and the clip is the same to the frame."""
    video = make_video(tmp_path / "long.mp4", 500)
    media_id = add_file(metadata, video, "video", WH)
    metadata.update_media(media_id, duration_s=20.0)
    for at_s in range(20):
        add_frame(metadata, media_id, "long", [], at_s * RATE, float(at_s), WH)
    read: list[float] = []
    real = frames.read_range

    def counted(*arguments: object) -> Iterator[Frame]:
        for frame in real(*arguments):  # type: ignore[arg-type]
            read.append(frame.timestamp_s or 0.0)
            yield frame

    monkeypatch.setattr(frames, "read_range", counted)
    list(clip(metadata, media_id, 17.48, 18.0, out / "a.mp4"))
    assert greys(out / "a.mp4") == pytest.approx([grey_of(each) for each in range(437, 450)], abs=2)
    assert 14 < min(read) <= 17


KILLED = """
import os, signal, sys
from pathlib import Path
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.video_clips.clip_job import Clip

metadata = MetadataDatabase(LibraryPaths(Path(sys.argv[1])))
for event in Clip(metadata, int(sys.argv[2]), 0.0, 2.0, Path(sys.argv[3])).run():
    if getattr(event, "done", 0) == 10:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_leaves_no_clip_and_the_next_one_clears_up(
    metadata: MetadataDatabase, video: Path, out: Path
) -> None:
    media_id, root = added(metadata, video), metadata.paths.root
    metadata.close()
    words = [sys.executable, "-c", KILLED, str(root), str(media_id), str(out / "a.mp4")]
    assert subprocess.run(words, timeout=120).returncode == -signal.SIGKILL
    assert len(list(out.iterdir())) == 1 and not (out / "a.mp4").exists()
    again = MetadataDatabase(metadata.paths)
    list(clip(again, media_id, 0.0, 0.2, out / "a.mp4"))
    again.close()
    assert [each.name for each in out.iterdir()] == ["a.mp4"]
