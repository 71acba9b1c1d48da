"""What a person looks at: frames with their segments, thumbnails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.config import LibraryPaths
from src.database.disk_use import DiskUse
from src.errors import MediaReadError, QueryError
from src.library import MediaLibrary
from src.models.mask_rle import decode_rle
from src.processing.thumbnails import thumbnail
from src.search.leaves import segment_filter
from src.settings import Settings


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, scene_files: list[Path]) -> MediaLibrary:
    folder = tmp_path_factory.mktemp("looking")
    opened = MediaLibrary(LibraryPaths(folder), settings=Settings(points_per_side=10))
    for _ in opened.add(scene_files[:2]):
        pass
    return opened


@pytest.fixture
def a_segment(library: MediaLibrary) -> str:
    """One that SAM cut."""
    hits = library.search("something red", n_results=50)
    return next(hit.segment.id for hit in hits if hit.segment.kind == "object")


def test_a_segment_is_shown_in_its_frame(library: MediaLibrary, a_segment: str) -> None:
    view = library.browse.frame_view(a_segment)
    ids = [segment.id for segment in view.segments]
    assert view.segments[0].kind == "frame" and a_segment in ids
    areas = [segment.area for segment in view.segments]
    assert areas == sorted(areas, reverse=True)
    assert view.image_rgb.shape == (240, 320, 3)
    assert view.masks.shape == (len(ids), 240, 320)
    assert view.masks[0].all()
    segment = view.segments[ids.index(a_segment)]
    assert segment.mask_rle is not None
    whole = decode_rle(segment.mask_rle, segment.frame_wh)
    np.testing.assert_array_equal(view.masks[ids.index(a_segment)], whole)


def test_a_frame_knows_what_lies_in_what(library: MediaLibrary, a_segment: str) -> None:
    view = library.browse.frame_view(a_segment)
    assert view.parent(0) is None
    for number in range(1, len(view.segments)):
        parent = view.parent(number)
        assert parent is not None and number in view.parts(parent)
        assert view.segments[parent].area > view.segments[number].area
    assert sum(len(view.parts(number)) for number in range(len(view.segments))) == (
        len(view.segments) - 1
    )
    assert view.parts(0) == sorted(view.parts(0))  # largest first, as they stand


def test_outlines_run_along_the_mask(library: MediaLibrary, a_segment: str) -> None:
    view = library.browse.frame_view(a_segment)
    number = [segment.id for segment in view.segments].index(a_segment)
    x, y, w, h = view.segments[number].bbox_xywh
    points = np.concatenate(view.outlines[number])
    assert points[:, 0].min() == pytest.approx(x, abs=1.0)
    assert points[:, 0].max() == pytest.approx(x + w, abs=1.0)
    assert points[:, 1].min() == pytest.approx(y, abs=1.0)
    assert points[:, 1].max() == pytest.approx(y + h, abs=1.0)
    assert view.outlines[0] == ()


def test_a_segment_that_is_gone_is_said_to_be(library: MediaLibrary) -> None:
    with pytest.raises(QueryError, match="no longer"):
        library.browse.frame_view("0" * 24)
    with pytest.raises(QueryError, match="no longer"):
        library.similar("0" * 24)
    with pytest.raises(QueryError, match="no longer"):
        library.add_tag("0" * 24, "never given")
    reader = library.metadata.connection.read()
    assert not reader.execute("SELECT 1 FROM tags WHERE name = 'never given'").fetchall()


def test_the_most_similar_segment_is_the_segment_itself(
    library: MediaLibrary, a_segment: str
) -> None:
    found = library.similar(a_segment, 3)
    assert found[0].segment.id == a_segment
    assert found[0].score == pytest.approx(1.0, abs=1e-4)


def test_every_search_can_leave_out_worse_masks(
    library: MediaLibrary, a_segment: str, scene_files: list[Path]
) -> None:
    lowest, highest = library.browse.quality_range() or (0, 0)
    assert 0 < lowest < highest
    middle = (lowest + highest) / 2
    where = segment_filter(min_predicted_iou=middle)
    for every, good in (
        (library.search("red", n_results=999), library.search("red", n_results=999, where=where)),
        (
            library.search(image=scene_files[0], n_results=999),
            library.search(image=scene_files[0], n_results=999, where=where),
        ),
        (library.similar(a_segment, 999), library.similar(a_segment, 999, where)),
    ):
        wanted = [
            hit.segment.id
            for hit in every
            if hit.segment.predicted_iou is None or hit.segment.predicted_iou >= middle
        ]
        assert [hit.segment.id for hit in good] == wanted
        assert 0 < len(wanted) < len(every)


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_a_tag_needs_a_name_of_some_length(
    library: MediaLibrary, a_segment: str, name: str
) -> None:
    with pytest.raises(QueryError, match=r"a tag (needs a name|has at most 80 characters)"):
        library.add_tag(a_segment, name)


def test_several_segments_are_tagged_in_one_act_or_not_at_all(
    library: MediaLibrary, a_segment: str
) -> None:
    both = [hit.segment.id for hit in library.search("red", n_results=2)]
    with pytest.raises(QueryError, match="no longer in the library"):
        library.label([*both, "0" * 24], "in one act")
    assert "in one act" not in library.tag_counts()
    batch = library.label(both, "in one act")
    assert library.tag_counts()["in one act"] == 2
    assert library.undo(batch) == 2 and not library.tag_counts().get("in one act")


def test_tags_of_a_person_come_and_go(library: MediaLibrary, a_segment: str) -> None:
    library.add_tag(a_segment, "  my   own ")
    tags = library.browse.frame_view(a_segment).tags[a_segment]
    assert ("my own", 1.0, "human") in [(t.name, t.confidence, t.source) for t in tags]
    assert library.tag_counts()["my own"] == 1
    library.remove_tag(a_segment, "my own")
    assert "my own" not in library.tag_counts()


def test_a_tag_is_found_and_removed_however_it_is_typed(
    library: MediaLibrary, a_segment: str
) -> None:
    library.add_tag(a_segment, "Grand Cafe\u0301")
    try:
        assert library.tag_counts()["Grand Caf\u00e9"] == 1
        for typed in ("grand caf\u00e9", "GRAND CAFE\u0301"):
            hit = library.search(typed)[0]
            assert (hit.score, hit.tagged_so) == (1.0, True)
    finally:
        library.remove_tag(a_segment, "grand cafe\u0301")
    assert "Grand Caf\u00e9" not in library.tag_counts()


NO_TEXT = "caf\udce9"  # as an argument in another encoding comes in


def test_words_that_are_no_text_are_refused(
    library: MediaLibrary, a_segment: str, scene_files: list[Path]
) -> None:
    for asks in (
        lambda: library.search(NO_TEXT),
        lambda: library.search(NO_TEXT, scene_files[0]),
        lambda: library.add_tag(a_segment, NO_TEXT),
        lambda: library.remove_tag(a_segment, NO_TEXT),
    ):
        with pytest.raises(QueryError, match="no character"):
            asks()


def test_part_of_an_image_outside_it_is_refused(library: MediaLibrary) -> None:
    image = np.zeros((10, 10, 3), np.uint8)
    with pytest.raises(QueryError, match="outside"):
        library.search(image=image, box_xywh=(20, 20, 5, 5))
    assert len(library.search(image=image, box_xywh=(0, 0, 5, 5), n_results=2)) == 2


def test_words_that_say_nothing_leave_an_image_as_it_is(
    library: MediaLibrary, scene_files: list[Path]
) -> None:
    alone = library.search(image=scene_files[0])
    for text in ("a photo of the lorry", "something like this"):
        assert library.search(text, scene_files[0]).hits == alone.hits
    assert library.search("lorry", scene_files[0]).unknown_words == ("lorry",)
    red = library.search("a red lorry", scene_files[0])
    assert red.hits != alone.hits and red.known_words == ("red",)


def test_what_is_removed_leaves_nothing_but_the_own_file(
    tmp_path: Path, scene_files: list[Path]
) -> None:
    with MediaLibrary(LibraryPaths(tmp_path), settings=Settings(points_per_side=6)) as library:
        for _ in library.add(scene_files[:2]):
            pass
        (gone, kept) = library.metadata.all_media()
        library.remove([gone.id])
        assert gone.path.is_file()
        assert [media.path for media in library.metadata.all_media()] == [kept.path]
        left = set(library.paths.extracted_segments.rglob("*.jpg"))
        assert left == {tmp_path / crop for crop in library.metadata.crop_paths()}
        assert all(hit.segment.media_path == kept.path for hit in library.search("red"))
        assert [event for event in library.verify() if type(event).__name__ == "ProblemFound"] == [
            event for event in library.verify() if "index" in getattr(event, "what", "")
        ]


def test_a_file_removed_while_it_is_taken_in_is_let_go(
    tmp_path: Path, scene_files: list[Path]
) -> None:
    with MediaLibrary(LibraryPaths(tmp_path), settings=Settings(points_per_side=6)) as library:
        said = []
        for event in library.add(scene_files[:2]):
            said.append(type(event).__name__)
            if said == ["JobStarted", "FileStarted"]:
                library.remove([library.metadata.all_media()[0].id])
        assert said[-1] == "JobDone"
        assert [media.path for media in library.metadata.all_media()] == [scene_files[1]]


def test_opening_a_library_and_looking_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from src.library import MediaLibrary;"
        "from src.config import LibraryPaths; import src.gui.main_window;"
        f"library = MediaLibrary(LibraryPaths(Path({str(tmp_path)!r})));"
        "library.browse.media_ids('added'); library.stats(name_models=False);"
        "heavy = {'torch', 'chromadb', 'open_clip', 'cv2'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_thumbnails_are_small_and_kept_for_large_files(tmp_path: Path) -> None:
    source, library = tmp_path / "large.jpg", LibraryPaths(tmp_path)
    noise = np.random.default_rng(0).integers(0, 255, (900, 1600, 3), np.uint8)
    Image.fromarray(noise).save(source)
    first = thumbnail(source, library, 10**9)
    assert first.shape == (288, 512, 3)
    (kept,) = library.thumbnails.rglob("*.jpg")
    Image.new("RGB", (512, 288), "red").save(kept)
    assert thumbnail(source, library, 10**9)[0, 0, 0] > 200  # it came from the cache
    kept.write_bytes(b"no picture")
    assert thumbnail(source, library, 10**9).shape == first.shape
    os.utime(source, ns=(1, 1))
    Image.new("RGB", (512, 288), "red").save(kept)
    assert thumbnail(source, library, 10**9)[0, 0, 0] < 200  # a changed file is read again


def test_a_small_file_needs_no_cache(tmp_path: Path) -> None:
    source = tmp_path / "small.png"
    Image.new("RGB", (40, 30), "blue").save(source)
    assert thumbnail(source, LibraryPaths(tmp_path), 10**9).shape == (30, 40, 3)
    assert not LibraryPaths(tmp_path).thumbnails.exists()


def test_a_thumbnail_of_nothing_is_a_read_error(tmp_path: Path) -> None:
    with pytest.raises(MediaReadError):
        thumbnail(tmp_path / "missing.jpg", LibraryPaths(tmp_path), 10**9)


def test_what_a_person_tagged_is_found_by_the_very_words(
    library: MediaLibrary, a_segment: str
) -> None:
    assert library.search("grandma's teapot").unknown_words
    library.add_tag(a_segment, "Grandma's teapot")
    try:
        found = library.search("grandma's  teapot")
        assert [(hit.segment.id, hit.score) for hit in found] == [(a_segment, 1.0)]
        assert found.unknown_words == ()
        library.add_tag(a_segment, "red")
        reds = library.search("red", n_results=3)
        assert (reds[0].segment.id, reds[0].score, len(reds)) == (a_segment, 1.0, 3)
        assert len({hit.segment.id for hit in reds}) == 3
        assert [hit.tagged_so for hit in reds] == [True, False, False]
    finally:
        library.remove_tag(a_segment, "Grandma's teapot")
        library.remove_tag(a_segment, "red")


def test_backups_count_to_what_is_on_disk(paths: LibraryPaths) -> None:
    for _ in range(2):  # the second one writes the day's backup
        MediaLibrary(paths).close()
    before = DiskUse(paths).bytes()
    (backup,) = (paths.root / "backups").glob("*.db")
    size = backup.stat().st_size
    backup.unlink()
    assert DiskUse(paths).bytes() == before - size
