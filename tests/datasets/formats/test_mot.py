"""MOT text: what MOTChallenge's layout says, and what motmetrics reads."""

from __future__ import annotations

import configparser
from dataclasses import replace
from pathlib import Path

import pytest

from src.datasets.annotations import Annotation, MediaFrame, PlannedImage
from src.datasets.formats.coco import Coco
from src.datasets.formats.mot import Mot, MotImport
from src.datasets.formats.tables import TABLE_FORMATS
from src.options import NoOptions
from src.records import Split
from tests.datasets.formats.drawn_masks import SIZE
from tests.datasets.formats.planned import HandPlan, image_of, read_back, write, written_files

CLASSES = ("cat", "a, b: c # 'd'")


def frame_of(
    video: int, at_s: float, *annotations: Annotation, split: Split | None = None
) -> PlannedImage:
    image = image_of(f"video {video} {at_s:09.3f}s", *annotations, split=split)
    frame = MediaFrame(
        video,
        Path(f"/media/{video}.mp4"),
        f"films/{video}.mp4",
        "00",
        round(at_s * 25),
        at_s,
        SIZE,
        f"video {video}",
    )
    return replace(image, frame=frame)


def box(x: int, track_id: int | None, label: str = "cat") -> Annotation:
    return Annotation(label, (x, 2, 10, 8), track_id=track_id)


def two_videos() -> HandPlan:
    return HandPlan(
        (
            frame_of(1, 0.0, box(3, 1), box(20, 2, CLASSES[1]), split="train"),
            frame_of(1, 0.5, split="train"),
            frame_of(1, 1.0, box(5, 1), split="train"),
            frame_of(1, 1.5, box(22, 2, CLASSES[1]), box(7, 1), split="train"),
            frame_of(4, 2.0, box(0, 3), split="val"),
        ),
        CLASSES,
        splits=("train", "val"),
    )


def test_the_layout_is_that_of_motchallenge(tmp_path: Path) -> None:
    write(Mot(), two_videos(), tmp_path / "d")
    assert written_files(tmp_path / "d") == [
        "train/video 1/gt/gt.txt",
        "train/video 1/gt/labels.txt",
        "train/video 1/img1/000001.jpg",
        "train/video 1/img1/000002.jpg",
        "train/video 1/img1/000003.jpg",
        "train/video 1/img1/000004.jpg",
        "train/video 1/seqinfo.ini",
        "val/video 4/gt/gt.txt",
        "val/video 4/gt/labels.txt",
        "val/video 4/img1/000001.jpg",
        "val/video 4/seqinfo.ini",
    ]
    folder = tmp_path / "d" / "train" / "video 1"
    assert (folder / "gt" / "gt.txt").read_text() == (
        "1,1,4,3,10,8,1,1,1\n"
        "1,2,21,3,10,8,1,2,1\n"
        "3,1,6,3,10,8,1,1,1\n"
        "4,2,23,3,10,8,1,2,1\n"
        "4,1,8,3,10,8,1,1,1\n"
    )
    assert (folder / "gt" / "labels.txt").read_text() == "cat\na, b: c # 'd'\n"
    about = configparser.ConfigParser()
    about.read(folder / "seqinfo.ini")
    assert dict(about["Sequence"]) == {
        "name": "video 1",
        "imdir": "img1",
        "framerate": "2",
        "seqlength": "4",
        "imwidth": str(SIZE[0]),
        "imheight": str(SIZE[1]),
        "imext": ".jpg",
    }


def test_motmetrics_reads_the_same_tracks(tmp_path: Path) -> None:
    motmetrics = pytest.importorskip("motmetrics")
    write(Mot(), two_videos(), tmp_path / "d")
    read = motmetrics.io.loadtxt(
        tmp_path / "d" / "train" / "video 1" / "gt" / "gt.txt", fmt="mot15-2D"
    )
    found = {place: (row.X, row.Y, row.Width, row.Height) for place, row in read.iterrows()}
    assert found == {
        (1, 1): (3, 2, 10, 8),
        (1, 2): (20, 2, 10, 8),
        (3, 1): (5, 2, 10, 8),
        (4, 1): (7, 2, 10, 8),
        (4, 2): (22, 2, 10, 8),
    }


@pytest.mark.parametrize(
    ("times_s", "rate"),
    [((0, 1, 2, 5), "1"), ((0, 0.2, 0.4), "5"), ((0, 2, 4), "0.5"), ((0,), "1"), ((0, 0), "1")],
)
def test_the_rate_is_that_of_most_frames(
    tmp_path: Path, times_s: tuple[float, ...], rate: str
) -> None:
    frames = [
        replace(frame_of(1, at_s, box(0, 1)), stem=f"{number}")
        for number, at_s in enumerate(times_s)
    ]
    write(Mot(), HandPlan(tuple(frames), CLASSES), tmp_path / "d")
    assert f"frameRate={rate}\n" in (tmp_path / "d" / "video 1" / "seqinfo.ini").read_text()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("gt/gt.txt", "4,2,23", "5,2,23"),
        ("gt/gt.txt", ",1,2,1", ",1,3,1"),
        ("gt/gt.txt", "4,1,8,3,10,8,1,1,1", "4,1,8,3,10"),
        ("gt/gt.txt", "23", "x"),
        ("gt/gt.txt", "4,2,23", "4.5,2,23"),
        ("gt/gt.txt", "4,2,23", "4,2.5,23"),
        ("seqinfo.ini", "frames=0 ", "frames=-1 "),
        ("seqinfo.ini", "frames=0 ", f"frames={'9' * 30} "),
        ("seqinfo.ini", "seqLength=4", "seqLength=5"),
        ("seqinfo.ini", "imWidth", "width"),
        ("seqinfo.ini", "[Sequence]", ""),
    ],
)
def test_damage_is_seen(tmp_path: Path, file: str, old: str, new: str) -> None:
    write(Mot(), two_videos(), tmp_path / "d")
    path = tmp_path / "d" / "train" / "video 1" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError):
        read_back(Mot(), tmp_path / "d")


def test_an_annotation_without_a_track_is_left_out(tmp_path: Path) -> None:
    plan = HandPlan((frame_of(1, 0.0, box(3, 1), box(9, None)),), CLASSES)
    write(Mot(), plan, tmp_path / "d")
    (image,) = read_back(Mot(), tmp_path / "d").values()
    assert image.annotations == (box(3, 1),)


def test_what_has_no_number_of_a_track_is_in_none(tmp_path: Path) -> None:
    write(Mot(), two_videos(), tmp_path / "d")
    boxes = tmp_path / "d" / "val" / "video 4" / "gt" / "gt.txt"
    boxes.write_text("1,-1,4,3,10,8,1,1,1\n1,0,24,3,10,8,1,1,1\n")
    read = MotImport().read(boxes.parents[1], NoOptions(), lambda *_: None)
    assert [each.track_id for image in read for each in image.annotations] == [None, 0]


def test_a_video_of_many_frames_comes_back(tmp_path: Path) -> None:
    write(Mot(), two_videos(), tmp_path / "d")
    about = tmp_path / "d" / "train" / "video 1" / "seqinfo.ini"
    many = " ".join(str(10**6 + number) for number in range(200_000))
    about.write_text(about.read_text().replace("frames=0 ", f"frames={many} "))
    skipped: list[str] = []
    read = MotImport().read(about, NoOptions(), lambda _, reason: skipped.append(reason))
    assert not list(read)
    assert skipped == ["it names 200003 frames of its video, and not 4"]


@pytest.mark.parametrize("table", TABLE_FORMATS, ids=lambda table: table.key)
def test_tables_say_the_track(tmp_path: Path, table: object) -> None:
    plan = HandPlan((frame_of(1, 0.0, box(3, 7), box(9, None)),), CLASSES)
    write(table, plan, tmp_path / "d")  # type: ignore[arg-type]
    (image,) = read_back(table, tmp_path / "d").values()  # type: ignore[arg-type]
    assert [each.track_id for each in image.annotations] == [7, None]


def test_coco_has_videos_and_tracks(tmp_path: Path) -> None:
    import json

    write(Coco(), two_videos(), tmp_path / "d")
    said = json.loads((tmp_path / "d" / "annotations" / "instances_train.json").read_text())
    assert said["videos"] == [{"id": 1, "name": "films/1.mp4", "width": SIZE[0], "height": SIZE[1]}]
    assert [(each["video_id"], each["frame_id"]) for each in said["images"]] == [
        (1, 0),
        (1, 1),
        (1, 2),
        (1, 3),
    ]
    tracks = [
        (each["image_id"], each["video_id"], each["track_id"], each["instance_id"])
        for each in said["annotations"]
    ]
    assert tracks == [(1, 1, 1, 1), (1, 1, 2, 2), (3, 1, 1, 1), (4, 1, 2, 2), (4, 1, 1, 1)]
    back = read_back(Coco(), tmp_path / "d")["images/train/video 1 00001.500s.jpg"]
    assert [each.track_id for each in back.annotations] == [2, 1]
