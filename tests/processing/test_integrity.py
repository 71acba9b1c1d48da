"""verify and its repair: each kind of damage is named, and mended where it can be."""

from __future__ import annotations

import functools
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.config import LibraryPaths
from src.errors import ExportError
from src.events import ProblemFound
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.model_manager import ModelManager
from src.settings import Settings
from tests.conftest import MakeVideo
from tests.remembered_videos import LOSSLESS

SETTINGS = Settings(points_per_side=4)


@pytest.fixture(scope="module")
def shared_models() -> ModelManager:
    return LoadedOnce(device="cpu", points_per_side=SETTINGS.points_per_side)


class LoadedOnce(ModelManager):
    """Models that all libraries of these tests share."""

    @functools.cache  # noqa: B019 - it lives as long as the tests
    def load_clip(self, checkpoint_path: Path | str | None = None) -> ClipEncoder:
        return super().load_clip(checkpoint_path)


@pytest.fixture(scope="module")
def base(
    tmp_path_factory: pytest.TempPathFactory, shared_models: ModelManager, scene_files: list[Path]
) -> Path:
    """A folder with two photos and their library; each test gets a copy."""
    folder = tmp_path_factory.mktemp("base")
    media = [Path(shutil.copy(path, folder / path.name)) for path in scene_files[:2]]
    with MediaLibrary(LibraryPaths(folder / "library"), shared_models, SETTINGS) as library:
        for _ in library.add(media):
            pass
    return folder


@pytest.fixture
def library(
    paths: LibraryPaths,
    shared_models: ModelManager,
    base: Path,
    tmp_path: Path,
) -> Iterator[MediaLibrary]:
    shutil.copytree(base, tmp_path, dirs_exist_ok=True)
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        for media in library.metadata.all_media():
            library.metadata.update_media(media.id, path=tmp_path / media.path.name)
        yield library


def problems(library: MediaLibrary, repair: bool = False) -> list[ProblemFound]:
    return [event for event in library.verify(repair) if isinstance(event, ProblemFound)]


def mended_whole(library: MediaLibrary, *words: str) -> None:
    """Have a damage found and named, then mended, and then be gone."""
    found = problems(library)
    assert found and not any(problem.mended for problem in found)
    for word in words:
        assert any(word in problem.what for problem in found), found
    repaired = problems(library, repair=True)
    assert repaired and all(problem.mended for problem in repaired), repaired
    assert problems(library) == []
    ids = [s.id for s in library.metadata.segments_where()]
    assert library.similar(ids[-1], 1).hits[0].score == pytest.approx(1, abs=1e-4)


def crops(library: MediaLibrary) -> dict[Path, bytes]:
    found = library.paths.extracted_segments.rglob("*.jpg")
    return {path: path.read_bytes() for path in sorted(found)}


def test_a_sound_library_has_no_problems(library: MediaLibrary) -> None:
    assert problems(library) == []


@pytest.mark.parametrize("damage", ["one", "all", "folder", "half", "empty", "random"])
def test_crops_are_made_again(library: MediaLibrary, damage: str) -> None:
    before = crops(library)
    first = next(iter(before))
    if damage == "one":
        first.unlink()
    elif damage == "all":
        for path in before:
            path.unlink()
    elif damage == "folder":
        shutil.rmtree(library.paths.extracted_segments)
    elif damage == "half":
        first.write_bytes(before[first][: len(before[first]) // 2])
    elif damage == "empty":
        first.write_bytes(b"")
    else:
        first.write_bytes(np.random.default_rng(0).bytes(5000))
    mended_whole(library, "missing or damaged")
    assert crops(library) == before


def test_crops_whose_media_file_is_gone_or_another_are_listed(library: MediaLibrary) -> None:
    media = library.metadata.all_media()
    for path in crops(library):
        path.unlink()
    media[0].path.unlink()
    Image.fromarray(np.zeros((90, 90, 3), np.uint8)).save(media[1].path)
    left = [problem for problem in problems(library, repair=True) if not problem.mended]
    assert len(left) == 1 + library.metadata.counts()["segments"]
    assert crops(library) == {}  # none was cut from another picture


def test_crops_of_a_video_sampled_otherwise_today_are_made_again(
    paths: LibraryPaths, shared_models: ModelManager, make_video: MakeVideo
) -> None:
    video = make_video("video.mp4", 3, *LOSSLESS)
    then = replace(SETTINGS, frames_per_second=1.5, duplicate_distance=-1)
    with MediaLibrary(paths, shared_models, then) as library:
        for _ in library.add([video]):
            pass
        before = crops(library)
    today = replace(SETTINGS, duplicate_distance=64, frames_per_video=2)
    with MediaLibrary(paths, shared_models, today) as library:
        assert library.metadata.counts()["frames"] > 3
        for path in before:
            path.unlink()
        mended_whole(library, "missing or damaged")
        assert crops(library) == before


@pytest.mark.parametrize("how", ["..", "absolute", "linked folder", "linked file"])
def test_no_crop_outside_of_the_library_is_touched(
    library: MediaLibrary, tmp_path: Path, how: str
) -> None:
    """A stranger's library may name any file as a crop: it is neither deleted nor copied."""
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "crop.jpg"
    secret.write_bytes(next(iter(crops(library))).read_bytes())
    link = library.paths.extracted_segments / "link"
    stored = {
        "..": "extracted_segments/../../secrets/crop.jpg",
        "absolute": str(secret),
        "linked folder": "extracted_segments/link/crop.jpg",
        "linked file": "extracted_segments/link",
    }[how]
    if "linked" in how:
        link.symlink_to(secret if how == "linked file" else secret.parent)
    with library.metadata.connection.write() as db:
        media_file_id = db.execute("SELECT min(media_file_id) FROM frames").fetchone()[0]
        db.execute("UPDATE segments SET crop_path = ?", (stored,))
    with pytest.raises(ExportError):
        list(library.export(tmp_path / "dataset"))
    assert not (tmp_path / "dataset").exists()
    library.remove([media_file_id])
    assert secret.exists()
    assert all(problem.mended or str(link) in problem.what for problem in problems(library, True))
    assert [problem.what for problem in problems(library)] == (
        [f"{link}: was not made by this program, and stays"] if "linked" in how else []
    )
    list(library.export(tmp_path / "dataset"))
    assert secret.exists() and link.is_symlink() == ("linked" in how)


def test_crops_of_no_segment_are_removed(library: MediaLibrary) -> None:
    before = crops(library)
    first = next(iter(before))
    first.with_name(f"{0:024x}.jpg").write_bytes(b"x")
    first.with_name(f".{first.name}.77.tmp").write_bytes(b"x")
    mended_whole(library, "belongs to no segment")
    assert crops(library) == before


def test_files_that_somebody_put_among_the_crops_are_named_and_stay(library: MediaLibrary) -> None:
    before = crops(library)
    mine = [
        library.paths.extracted_segments / "holiday.jpg",
        library.paths.extracted_segments / "mine" / "letter.txt",
        next(iter(before)).with_name("copy of a crop.jpg"),
    ]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    for repair in (False, True):
        found = problems(library, repair)
        assert {problem.what.split(":")[0] for problem in found} == {str(path) for path in mine}
        assert not any(problem.mended for problem in found)
    assert [path.read_text() for path in mine] == ["mine"] * 3


VALUES = {"zero": 0.0, "NaN": np.nan, "infinite": np.inf, "long": 3.0}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_vectors_that_mean_nothing_are_made_again(library: MediaLibrary, value: float) -> None:
    content = np.full(512, value, "<f4").tobytes()
    with library.metadata.connection.write() as db:
        db.execute("UPDATE embeddings SET vector = ? WHERE id IN (1, 3)", (content,))
    mended_whole(library, "its embedding is zero, not finite")


def test_vectors_of_another_dimension_are_made_again(library: MediaLibrary) -> None:
    with library.metadata.connection.write() as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("UPDATE embeddings SET vector = ? WHERE id = 2", (bytes(1024),))
        db.execute("PRAGMA ignore_check_constraints = OFF")
    found = problems(library, repair=True)
    assert any("of another length" in problem.what for problem in found)
    assert all("CHECK" in problem.what for problem in found if not problem.mended)
    assert problems(library) == []


def test_segments_without_embeddings_get_them(library: MediaLibrary) -> None:
    with library.metadata.connection.write() as db:
        db.execute("DELETE FROM embeddings WHERE id IN (2, 4)")
    mended_whole(library, "its embedding is missing")


@pytest.mark.parametrize("damage", ["deleted", "emptied", "random"])
def test_chroma_is_made_again_while_searches_stay_exact(library: MediaLibrary, damage: str) -> None:
    library.index.close()
    chroma = library.paths.chroma_db
    if damage == "emptied":
        for path in chroma.iterdir():
            path.unlink() if path.is_file() else shutil.rmtree(path)
    elif damage == "random":
        for path in chroma.rglob("*"):
            if path.is_file():
                path.write_bytes(np.random.default_rng(1).bytes(4096))
    else:
        shutil.rmtree(chroma)
    segment = library.metadata.segments_where()[0].id
    assert library.similar(segment, 1).hits[0].segment.id == segment
    mended_whole(library, "index:")


@pytest.mark.parametrize("what", ["a file", "a folder", "a link"])
def test_what_came_into_the_place_of_the_index_stays_and_costs_no_search(
    library: MediaLibrary, tmp_path: Path, what: str
) -> None:
    library.index.close()
    chroma, theirs = library.paths.chroma_db, tmp_path / "theirs"
    shutil.rmtree(chroma)
    (theirs / "0123456789ab").mkdir(parents=True)
    (theirs / "0123456789ab" / "letter.txt").write_text("mine")
    if what == "a file":
        chroma.write_text("mine")
    elif what == "a folder":
        shutil.copytree(theirs, chroma)
    else:
        chroma.symlink_to(theirs)
    segment = library.metadata.segments_where()[0].id
    assert library.similar(segment, 1).hits[0].segment.id == segment
    found = problems(library, repair=True)
    assert [problem.what.split(":")[0] for problem in found] == ["index"] and not found[0].mended
    assert library.similar(segment, 1).hits[0].segment.id == segment
    kept = chroma if what == "a file" else chroma / "0123456789ab" / "letter.txt"
    assert kept.read_text() == "mine" and (theirs / "0123456789ab" / "letter.txt").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root to be nobody")
def test_chroma_of_another_owner_costs_the_index_and_no_search(
    base: Path, shared_models: ModelManager
) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders let nobody in
        paths = LibraryPaths(Path(name) / "library")
        shutil.copytree(base / "library", paths.root)
        with MediaLibrary(paths, shared_models, SETTINGS) as library:
            _as_nobody(library, Path(name))
            assert all(problem.mended for problem in problems(library, repair=True))
            assert problems(library) == []


def _as_nobody(library: MediaLibrary, folder: Path) -> None:
    segment = library.metadata.segments_where()[0].id
    chroma = library.paths.chroma_db
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    chroma.chmod(0o700)
    library.paths.root.chmod(0o1777)  # sticky: what is another's can't even be renamed
    os.seteuid(65534)
    try:
        assert library.similar(segment, 1).hits[0].segment.id == segment
        found = [problem.what for problem in problems(library, repair=True)]
        left = [what for what in found if "can't be reached" not in what]  # the photos are root's
        assert left and all(what.startswith("index:") for what in left)
        assert library.similar(segment, 1).hits[0].segment.id == segment
        assert library.index.failure is not None and str(chroma) in library.index.failure
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("known", [True, False], ids=["with its hash", "of an older library"])
def test_a_crop_that_only_looks_whole_is_cut_again(library: MediaLibrary, known: bool) -> None:
    before = crops(library)
    first = next(iter(before))
    changed = bytearray(before[first])
    changed[len(changed) // 2] ^= 16
    if known:
        first.write_bytes(changed)
        mended_whole(library, f"{first}: a crop of ")
        assert crops(library) == before
        return
    with library.metadata.connection.write() as db:
        db.execute("UPDATE segments SET crop_hash = NULL")
    assert problems(library) == []  # nobody can tell
    assert set(library.metadata.crop_hashes().values()) == {None}
    assert problems(library, repair=True) == []  # but from now on
    hashes = library.metadata.crop_hashes()
    assert None not in hashes.values()
    first.write_bytes(changed)
    mended_whole(library, f"{first}: a crop of ")
    assert library.metadata.crop_hashes() == hashes


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")
@pytest.mark.parametrize("what", ["pipe", "folder", "zero", "large"])
def test_what_is_no_crop_file_is_not_read_for_one(library: MediaLibrary, what: str) -> None:
    first = next(iter(crops(library)))
    first.unlink()
    if what == "pipe":
        os.mkfifo(first)
    elif what == "folder":
        first.mkdir()
    elif what == "zero":
        first.symlink_to("/dev/zero")
    else:
        with first.open("wb") as stream:
            stream.truncate(1 << 34)
    found = [problem.what for problem in problems(library)]
    assert [f"{first}: a crop of" in what for what in found] == [True], found


def test_a_damaged_row_is_listed_and_then_mended(library: MediaLibrary) -> None:
    database = library.paths.metadata_db
    with sqlite3.connect(database) as db:  # another program: no checksum follows
        db.execute("UPDATE segments SET area = area + 1 WHERE kind = 'object'")
        changed = db.execute("SELECT changes()").fetchone()[0]
    found = problems(library)
    listed = [each for each in found if "of segments: it is not what was stored" in each.what]
    assert len(listed) == changed
    mended_whole(library, "checksum differs")


def test_an_index_that_lacks_a_row_is_made_again(library: MediaLibrary) -> None:
    with sqlite3.connect(library.paths.metadata_db) as db:
        db.execute("PRAGMA writable_schema = ON")
        sql = "SELECT sql FROM sqlite_master WHERE name = 'segments_by_frame'"
        (whole,) = db.execute(sql).fetchone()
        for partial in (f"{whole} WHERE rowid > 2", whole):
            db.execute(
                "UPDATE sqlite_master SET sql = ? WHERE name = 'segments_by_frame'", (partial,)
            )
            version = db.execute("PRAGMA schema_version").fetchone()[0]
            db.execute(f"PRAGMA schema_version = {version + 1}")
            if partial != whole:
                db.commit()
                with sqlite3.connect(library.paths.metadata_db) as other:
                    other.execute("REINDEX segments_by_frame")
                other.close()
        db.commit()
    db.close()
    mended_whole(library, "missing from index segments_by_frame")
