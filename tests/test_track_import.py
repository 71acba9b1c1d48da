"""Tracks that were exported, or drawn in CVAT, come into a library that has their video."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import main
from src.config import LibraryPaths
from src.dataset_events import AnnotationSkipped, LabelsImported, LabelUnmatched
from src.events import Event
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.search.recipe import Recipe
from src.settings import NO_SAM, Settings
from tests.two_clips import OLD, TwoClips
from tests.video_clips.numbered_video import make_video

STEP, SAMPLED = 5, 10  # frames of the video from one that is sampled to the next
SETTINGS = Settings(clip_model=OLD, sam_model=NO_SAM, frames_per_second=5, duplicate_distance=-1)
CVAT = """<annotations><version>1.1</version><meta><task><id>1</id><stop_frame>49</stop_frame>
<original_size><width>96</width><height>64</height></original_size><source>film.mp4</source></task>
</meta>
<track id="0" label="dog" source="manual">
<box frame="0" keyframe="1" outside="0" occluded="0" xtl="4" ytl="8" xbr="20" ybr="20"/>
<box frame="45" keyframe="1" outside="0" occluded="0" xtl="58" ytl="8" xbr="74" ybr="20"/>
</track>
<track id="1" label="cat" source="manual">
<box frame="3" keyframe="1" outside="0" occluded="0" xtl="70" ytl="40" xbr="80" ybr="54"/>
<box frame="28" keyframe="1" outside="1" occluded="0" xtl="70" ytl="40" xbr="80" ybr="54"/>
</track>
<track id="2" label="mouse" source="manual">
<box frame="6" keyframe="1" outside="0" occluded="0" xtl="1" ytl="40" xbr="8" ybr="54"/>
<box frame="9" keyframe="1" outside="1" occluded="0" xtl="1" ytl="40" xbr="8" ybr="54"/>
</track>
</annotations>"""

Open = Callable[[Path], MediaLibrary]


@pytest.fixture(scope="module")
def open_library(clip: ClipEncoder) -> Iterator[Open]:
    opened: list[MediaLibrary] = []

    def open_it(root: Path) -> MediaLibrary:
        opened.append(MediaLibrary(LibraryPaths(root), TwoClips(clip, None), SETTINGS))
        return opened[-1]

    yield open_it
    for library in opened:
        library.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the video, and one with what was drawn in CVAT."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "films").mkdir()
    make_video(folder / "films" / "film.mp4")
    (folder / "cvat").mkdir()
    (folder / "cvat" / "annotations.xml").write_text(CVAT, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def drawn(folder: Path, open_library: Open) -> tuple[MediaLibrary, list[Event]]:
    """A library with the tracks of CVAT."""
    library = with_video(open_library, folder, folder / "first")
    return library, list(library.import_dataset(folder / "cvat"))


def with_video(open_library: Open, folder: Path, root: Path) -> MediaLibrary:
    library = open_library(root)
    list(library.add([folder / "films"]))
    return library


def outcome_of(events: list[Event]) -> LabelsImported:
    (outcome,) = [each for each in events if isinstance(each, LabelsImported)]
    return outcome


def imported(library: MediaLibrary, dataset: Path) -> LabelsImported:
    return outcome_of(list(library.import_dataset(dataset)))


def tracks_of(library: MediaLibrary) -> dict[str, tuple[list[int], str, list[tuple[int, ...]]]]:
    """By their label: the frames of the one track that has it, whose it is, and the boxes."""
    (media_id,) = [each.id for each in library.metadata.all_media() if each.kind == "video"]
    found = {}
    for track in library.tracks.timeline(media_id).tracks:
        (label,) = {tag.name for tag in track.tags if tag.source in ("human", "imported")}
        assert label not in found
        frames = [each.frame_index for each in track.segments]
        found[label] = frames, track.origin, [each.bbox_xywh for each in track.segments]
    return found


def test_tracks_of_cvat_come_on_the_frames_that_are_sampled(
    drawn: tuple[MediaLibrary, list[Event]],
) -> None:
    library, events = drawn
    assert replace(outcome_of(events), batch="") == LabelsImported(
        "", 15, 0, 0, 0, 0, 15, skipped=1, tracks=2
    )
    (skipped,) = [each for each in events if isinstance(each, AnnotationSkipped)]
    assert skipped.path.name == "film.mp4" and "track 2 (mouse): no frame" in skipped.reason
    assert tracks_of(library) == {
        "dog": (
            [STEP * number for number in range(SAMPLED)],
            "human",
            [(4 + 6 * number, 8, 16, 12) for number in range(SAMPLED)],
        ),
        "cat": ([5, 10, 15, 20, 25], "human", [(70, 40, 10, 14)] * 5),
    }
    assert list(library.verify()) == []


@pytest.mark.parametrize("key", ["coco", "mot"])
def test_what_was_exported_comes_back_and_is_exported_again(
    drawn: tuple[MediaLibrary, list[Event]],
    open_library: Open,
    folder: Path,
    tmp_path: Path,
    key: str,
) -> None:
    library, _ = drawn
    first, second, recipe = tmp_path / "a", tmp_path / "b", Recipe(labels="people", format=key)
    list(library.export(first, recipe))
    assert replace(imported(library, first), batch="") == LabelsImported(
        "", 0, 15, 0, 0, known_tracks=2
    )
    other = with_video(open_library, folder, tmp_path / "other")
    outcome = imported(other, first)
    assert replace(outcome, batch="") == LabelsImported("", 15, 0, 0, 0, 0, 15, tracks=2)
    assert tracks_of(other) == tracks_of(library)
    again = imported(other, first)
    assert (again.added, again.known, again.segments) == (0, 15, 0)
    assert (again.tracks, again.known_tracks) == (0, 2)
    list(other.export(second, recipe))
    files = {each.relative_to(first) for each in first.rglob("*") if each.is_file()}
    assert files == {each.relative_to(second) for each in second.rglob("*") if each.is_file()}
    for file in files:
        if file.suffix in (".txt", ".ini", ".json") and "manifest" not in file.name:
            assert said_in(first / file) == said_in(second / file), file
    other.undo(outcome.batch)
    (media_id,) = [each.id for each in other.metadata.all_media()]
    assert not other.tracks.timeline(media_id).tracks
    assert imported(other, first).tracks == 2


def said_in(file: Path) -> object:
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".json":
        return text
    said = json.loads(text)
    said.pop("info", None)
    return said


def test_without_the_video_tracks_are_left_out_and_come_later(
    drawn: tuple[MediaLibrary, list[Event]],
    open_library: Open,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    list(drawn[0].export(tmp_path / "d", Recipe(labels="people", format="coco")))
    other = open_library(tmp_path / "other")
    outcome = imported(other, tmp_path / "d")
    assert (outcome.files, outcome.tracks, outcome.lost_tracks) == (10, 0, 2)
    list(other.add([folder / "films"]))
    outcome = imported(other, tmp_path / "d")
    assert (outcome.tracks, outcome.lost_tracks) == (2, 0)
    assert tracks_of(other) == tracks_of(drawn[0])


def test_a_video_that_the_library_has_not_is_named(
    open_library: Open, folder: Path, tmp_path: Path
) -> None:
    other = open_library(tmp_path / "other")
    events = list(other.import_dataset(folder / "cvat"))
    reasons = [each.reason for each in events if isinstance(each, AnnotationSkipped)]
    assert len(reasons) == 3 and all(
        "the library has no such video; add it, then import again" in each for each in reasons
    )
    assert not [each for each in events if isinstance(each, LabelUnmatched)]


def test_the_command_says_how_many_tracks_came(
    drawn: tuple[MediaLibrary, list[Event]],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost = LabelsImported("b", 15, 0, 0, 0, tracks=2, known_tracks=1, lost_tracks=1)
    monkeypatch.setattr(MediaLibrary, "import_dataset", lambda *_: iter([lost]))
    root = tmp_path / "empty"
    assert main.main(["--library", str(root), "import", str(folder / "cvat")]) == 0
    said = capsys.readouterr()
    assert "2 tracks added, 1 there already, 1 left out" in said.out
    assert "then import again" in said.err and "import --undo b" in said.err


def test_the_command_says_that_tracks_are_taken_back(
    open_library: Open, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = with_video(open_library, folder, tmp_path / "other")
    labels = imported(library, folder / "cvat")
    before = tracks_of(library)
    (media_id,) = [each.id for each in library.metadata.all_media()]
    found = library.tracks.timeline(media_id).tracks
    library.tracks.take_out([each.segment_id for track in found for each in track.segments], "b")
    library.tracks.undo(labels.batch)
    library.tracks.undo("b")
    library.tracks.redo(labels.batch)
    assert tracks_of(library) == before
    library.close()

    def said(batch: str) -> str:
        assert main.main(["--library", str(library.paths.root), "import", "--undo", batch]) == 0
        return capsys.readouterr().out

    assert said(labels.batch) == "15 labels and 2 tracks taken back\n"
    assert said(labels.batch) == "0 changes taken back\n"
