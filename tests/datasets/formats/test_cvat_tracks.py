"""CVAT's tracks of videos: keyframes, what is between them, and what is wrong with some."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src.datasets.annotations import AnnotatedVideo, Annotation
from src.datasets.formats.cvat import CvatImport
from src.models.mask_rle import decode_rle
from src.options import NoOptions

SIZE = (96, 64)
META = """<meta><task><id>7</id><size>50</size><mode>interpolation</mode><stop_frame>49</stop_frame>
<labels><label><name>dog</name><attributes><attribute><name>age</name><mutable>True</mutable>
<input_type>number</input_type></attribute></attributes></label></labels>
<original_size><width>96</width><height>64</height></original_size><source>film.mp4</source>
</task></meta>"""


def box(frame: int, x: float, more: str = "", inside: str = "") -> str:
    edges = f'xtl="{x:.2f}" ytl="10.00" xbr="{x + 20:.2f}" ybr="30.00"'
    return f'<box frame="{frame}" {more or KEY} {edges} z_order="0">{inside}</box>'


KEY = 'keyframe="1" outside="0" occluded="0"'
OUTSIDE = 'keyframe="1" outside="1" occluded="0"'
OCCLUDED = 'keyframe="1" outside="0" occluded="1"'


def a_track(*shapes: str, more: str = 'source="manual"') -> str:
    return f'<track id="3" label="dog" {more}>{"".join(shapes)}</track>'


def read(folder: Path, *tracks: str, meta: str = META) -> tuple[list[AnnotatedVideo], list[str]]:
    folder.mkdir(exist_ok=True)
    text = f"<annotations><version>1.1</version>{meta}{''.join(tracks)}</annotations>"
    (folder / "annotations.xml").write_text(text, encoding="utf-8")
    skipped: list[str] = []
    importer = CvatImport()
    assert importer.detect(folder)
    found = list(importer.read(folder, NoOptions(), lambda _, reason: skipped.append(reason)))
    return [each for each in found if isinstance(each, AnnotatedVideo)], skipped


def seen(folder: Path, *shapes: str, frames: int = 60) -> dict[int, Annotation]:
    (video,), skipped = read(folder, a_track(*shapes))
    assert not skipped and video.size_wh == SIZE
    ((name, track),) = video.tracks
    assert name == "track 3 (dog)"
    found = {frame: track.at(frame) for frame in range(frames)}
    return {frame: each for frame, each in found.items() if each is not None}


def test_a_box_moves_from_keyframe_to_keyframe_and_stays_to_the_end(tmp_path: Path) -> None:
    found = seen(tmp_path, box(10, 0), box(20, 40))
    assert list(found) == [*range(10, 50)]
    assert [found[frame].bbox_xywh for frame in (10, 15, 20, 49)] == [
        (0, 10, 20, 20),
        (20, 10, 20, 20),
        (40, 10, 20, 20),
        (40, 10, 20, 20),
    ]
    assert {(each.label, each.source, each.track_id) for each in found.values()} == {
        ("dog", "human", 1)
    }


def test_outside_it_is_not_seen_up_to_the_next_keyframe(tmp_path: Path) -> None:
    found = seen(tmp_path, box(0, 0), box(10, 20, OUTSIDE), box(20, 60), box(30, 60, OUTSIDE))
    assert list(found) == [*range(10), *range(20, 30)]
    # up to there it moves, as CVAT shows it
    assert found[5].bbox_xywh == (10, 10, 20, 20) and found[25].bbox_xywh == (60, 10, 20, 20)


def test_occluded_and_attributes_are_those_of_the_keyframe_before(tmp_path: Path) -> None:
    age = '<attribute name="age">4</attribute>'
    found = seen(tmp_path, box(0, 0), box(10, 0, OCCLUDED, age), box(20, 0))
    assert found[9].attributes == found[20].attributes == ()
    assert found[10].attributes == found[19].attributes == (("age", 4.0), ("occluded", "true"))


def test_boxes_that_cvat_put_between_keyframes_are_reckoned_anew(tmp_path: Path) -> None:
    between = box(5, 90, 'keyframe="0" outside="0" occluded="0"')
    found = seen(tmp_path, box(0, 0), between, box(10, 40))
    assert found[5].bbox_xywh == (20, 10, 20, 20)


def test_polygons_move_where_they_have_as_many_points_and_masks_stay(tmp_path: Path) -> None:
    def polygon(frame: int, points: str) -> str:
        return f'<polygon frame="{frame}" {KEY} points="{points}"/>'

    found = seen(
        tmp_path,
        polygon(0, "0,0;20,0;20,20;0,20"),
        polygon(10, "40,0;60,0;60,20;40,20"),
        polygon(20, "0,0;20,0;20,10;20,20;0,20"),
        f'<mask frame="30" {KEY} rle="0, 4" left="5" top="6" width="2" height="2"/>',
        f'<mask frame="40" {KEY} rle="0, 4" left="50" top="6" width="2" height="2"/>',
    )
    assert [found[frame].bbox_xywh for frame in (5, 15, 20, 25, 35, 45)] == [
        (20, 0, 20, 20),
        (40, 0, 20, 20),
        (0, 0, 20, 20),
        (0, 0, 20, 20),
        (5, 6, 2, 2),
        (50, 6, 2, 2),
    ]
    mask = found[5].mask_rle
    assert mask is not None and np.count_nonzero(decode_rle(mask, SIZE)) == 400


def test_polygons_that_cvat_put_between_keyframes_are_taken(tmp_path: Path) -> None:
    between = KEY.replace('keyframe="1"', 'keyframe="0"')
    found = seen(
        tmp_path,
        f'<polygon frame="0" {KEY} points="0,0;20,0;20,20;0,20"/>',
        f'<polygon frame="5" {between} points="30,0;50,0;50,20;30,20"/>',
        f'<polygon frame="10" {KEY} points="40,0;60,0;60,10;60,20;40,20"/>',
    )
    assert [found[frame].bbox_xywh for frame in (0, 5, 10)] == [
        (0, 0, 20, 20),
        (30, 0, 20, 20),
        (40, 0, 20, 20),
    ]


def test_an_ellipse_turns_the_shorter_way(tmp_path: Path) -> None:
    def ellipse(frame: int, degrees: int) -> str:
        where = f'cx="48" cy="32" rx="20" ry="4" rotation="{degrees}"'
        return f'<ellipse frame="{frame}" {KEY} {where}/>'

    found = seen(tmp_path, ellipse(0, 350), ellipse(10, 10))
    assert found[5].bbox_xywh is not None and found[5].bbox_xywh[3] <= 9  # level, not upright


def test_the_videos_of_a_project_are_told_apart(tmp_path: Path) -> None:
    def task(number: int) -> str:
        return (
            f"<task><id>{number}</id><source>{number}.mp4</source>"
            "<original_size><width>96</width><height>64</height></original_size></task>"
        )

    meta = f"<meta><project><tasks>{task(1)}{task(2)}</tasks></project></meta>"
    some = [a_track(box(0, 0), more=f'task_id="{number}"') for number in (1, 2, 1)]
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "2.mp4").write_bytes(b"beside it")
    videos, skipped = read(tmp_path / "d", *some, a_track(box(0, 0)), meta=meta)
    assert [(each.video.name, each.media, len(each.tracks)) for each in videos] == [
        ("1.mp4", "1.mp4", 2),
        ("2.mp4", None, 1),
    ]
    assert skipped == ["a track is of no video that the file names with its size"]


def test_tracks_of_two_files_on_one_video_are_told_apart(tmp_path: Path) -> None:
    """As of a task whose jobs were exported one by one."""
    read(tmp_path / "d", a_track(box(0, 0)))
    (tmp_path / "d" / "annotations.xml").rename(tmp_path / "d" / "first.xml")
    videos, skipped = read(tmp_path / "d", a_track(box(0, 40)))
    shapes = [track.at(0) for video in videos for _, track in video.tracks]
    assert not skipped and [each and each.track_id for each in shapes] == [1, 2]


@pytest.mark.parametrize(
    ("track", "why"),
    [
        ("<track id='0' label='dog'/>", "a track has no shapes"),
        (a_track(box(0, 0)).replace('label="dog"', ""), "a track has no label"),
        (a_track(box(-1, 0)), "a track has a shape in frame -1"),
        (a_track(box(0, 0), more='source="auto"'), "a model's track is left out"),
        ("<track id='0' label='dog'><box frame='x'/></track>", "a track has a shape of no frame"),
    ],
)
def test_a_broken_track_costs_itself(tmp_path: Path, track: str, why: str) -> None:
    videos, skipped = read(tmp_path, track, a_track(box(0, 0)))
    assert [len(each.tracks) for each in videos] == [1] and skipped == [why]


def test_a_broken_shape_is_found_where_it_is_looked_at(tmp_path: Path) -> None:
    (video,), _ = read(tmp_path, a_track(box(0, 0), box(10, 0).replace('xtl="0.00"', 'xtl="?"')))
    ((_, track),) = video.tracks
    for frame in (5, 10):
        with pytest.raises(ValueError, match="box has an edge that is not a number"):
            track.at(frame)


def test_a_video_without_a_size_is_none(tmp_path: Path) -> None:
    videos, skipped = read(tmp_path, a_track(box(0, 0)), meta=META.replace("96", "0"))
    assert not videos and skipped == [
        "the video 'film.mp4' has no size that a video may have",
        "a track is of no video that the file names with its size",
    ]
