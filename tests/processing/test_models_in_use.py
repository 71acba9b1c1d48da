"""From one CLIP to another while the library is searched and filled."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch

from src.config import LibraryPaths
from src.database import vector_db
from src.database.clip_in_use import clip_in_use
from src.errors import DatabaseError, EmbeddingError
from src.events import Event, FrameStored, JobDone, ProblemFound, Progress
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.processing import reembed, retag
from src.processing.segment_pipeline import FrameResult, SegmentPipeline
from src.records import Frame, SearchResult
from src.settings import Settings
from tests.two_clips import NEW, OLD, TwoClips

SETTINGS = Settings(points_per_side=4, clip_model=OLD)
QUERY = "a red circle"
# Crops are stored as JPEGs, so an embedding of one is not quite that of the segment itself.
NEAR = 0.05

E = TypeVar("E", bound=Event)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a switch take several steps in a small library, and searches ask the index."""
    monkeypatch.setattr(reembed, "BATCH", 4)
    monkeypatch.setattr(retag, "BATCH", 4)
    monkeypatch.setattr(vector_db, "EXACT_UP_TO", 5)


@pytest.fixture
def clips(clip: ClipEncoder, mask_generator: MaskGenerator) -> TwoClips:
    return TwoClips(clip, mask_generator)


@pytest.fixture(scope="module")
def base(
    tmp_path_factory: pytest.TempPathFactory,
    clip: ClipEncoder,
    mask_generator: MaskGenerator,
    scene_files: list[Path],
) -> Path:
    """Two scenes taken in with the old CLIP, to be copied."""
    root = tmp_path_factory.mktemp("base") / "library"
    with MediaLibrary(LibraryPaths(root), TwoClips(clip, mask_generator), SETTINGS) as library:
        for _ in library.add(scene_files[:2]):
            pass
    return root


@pytest.fixture
def library(base: Path, paths: LibraryPaths, clips: TwoClips) -> Iterator[MediaLibrary]:
    """Two scenes taken in with the old CLIP; the new one is wanted."""
    shutil.copytree(base, paths.root)
    with MediaLibrary(paths, clips, SETTINGS) as library:
        library.choose_models(NEW, None)
        yield library


def name_of(model: str, clips: TwoClips) -> str:
    return clips.clips[model].name


def of_kind(events: list[Event], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def embedded(library: MediaLibrary) -> dict[str, set[str]]:
    """Which segments each model has embedded."""
    found: dict[str, set[str]] = {}
    for name, segment_id in library.metadata.connection.read().execute(
        "SELECT m.name, e.segment_id FROM embeddings e JOIN models m ON m.id = e.model_id"
    ):
        found.setdefault(name, set()).add(segment_id)
    return found


def scores(found: SearchResult) -> np.ndarray:
    return np.array([hit.score for hit in found])


def test_the_old_clip_serves_until_the_new_one_is_whole(
    library: MediaLibrary, clips: TwoClips
) -> None:
    old, new = name_of(OLD, clips), name_of(NEW, clips)
    before = library.search(QUERY, n_results=8)
    total = library.stats().segments
    coverage = library.coverage()
    assert coverage is not None and (coverage.done, coverage.total) == (0, total)
    assert (coverage.label, coverage.name, coverage.label_in_use) == (
        "other CLIP",
        new,
        "starter CLIP",
    )
    job = library.switch_clip()
    for done in (4, 8):
        assert next(job) == Progress("embed", done, total)
        assert library.clip.name == old
        np.testing.assert_allclose(scores(library.search(QUERY, n_results=8)), scores(before))
    job.close()  # type: ignore[attr-defined]
    coverage = library.coverage()
    assert coverage is not None and (coverage.done, library.clip.name) == (8, old)

    events = list(library.switch_clip())
    assert of_kind(events, Progress)[0] == Progress("embed", 12, total)  # it goes on
    assert any(event.doing == "index" for event in of_kind(events, Progress))
    assert events[-1] == JobDone(segments=total)
    assert library.coverage() is None
    assert (library.clip.name, clip_in_use(library.metadata)) == (new, new)
    assert library.index.problems() == [] and library.index.pending() == 0
    np.testing.assert_allclose(
        scores(library.search(QUERY, n_results=8)), scores(before), atol=NEAR
    )
    assert list(library.verify()) == []


def close_in_the_middle(library: MediaLibrary) -> None:
    """Close a library while another CLIP is on its way."""
    job = library.switch_clip()
    next(job)
    job.close()  # type: ignore[attr-defined]
    library.close()


def test_opened_again_in_the_middle_the_old_clip_still_serves(
    library: MediaLibrary, paths: LibraryPaths, clips: TwoClips
) -> None:
    close_in_the_middle(library)
    with MediaLibrary(paths, clips) as again:  # the choice was saved
        assert again.clip.name == name_of(OLD, clips)
        assert len(again.search(QUERY, n_results=8)) == 8
        for _ in again.switch_clip():
            pass
        assert again.clip.name == name_of(NEW, clips)
    with MediaLibrary(paths, clips) as again:
        assert again.clip.name == name_of(NEW, clips) and again.coverage() is None


def test_a_library_of_before_knows_its_clip_by_what_it_embedded(
    library: MediaLibrary, paths: LibraryPaths, clips: TwoClips
) -> None:
    with library.metadata.connection.write() as db:
        db.execute("DELETE FROM info WHERE key = 'clip in use'")
    library.close()
    with MediaLibrary(paths, clips) as again:
        assert again.clip.name == name_of(OLD, clips)
        assert len(again.search(QUERY, n_results=8)) == 8


def test_what_is_taken_in_meanwhile_is_not_missed(
    library: MediaLibrary, clips: TwoClips, scene_files: list[Path]
) -> None:
    """An ingest and a switch in turns, whichever way they fall between each other."""
    adding, switching = library.add(scene_files[2:]), library.switch_clip()
    next(switching)
    while not isinstance(next(adding), FrameStored):
        pass
    events = list(switching)  # scene 2 came when the list of segments was made already
    new = name_of(NEW, clips)
    everything = {s.id for s in library.metadata.segments_where()}
    assert isinstance(events[-1], JobDone) and embedded(library)[new] == everything
    rest = list(adding)
    assert of_kind(rest, FrameStored)  # scene 3 is embedded by the new one alone
    everything = {s.id for s in library.metadata.segments_where()}
    assert embedded(library)[new] == everything
    assert embedded(library)[name_of(OLD, clips)] < everything
    assert library.coverage() is None and library.index.pending() == 0
    assert library.index.problems() == []


def test_a_segment_embedded_before_and_stored_after_the_change_has_the_new_embedding(
    library: MediaLibrary,
    clips: TwoClips,
    scene_files: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process, embed_again = SegmentPipeline.process, SegmentPipeline.embed_again
    used: list[str] = []

    def process_then_change(self: SegmentPipeline, frame: Frame, *kept: Any) -> FrameResult:
        made = process(self, frame, *kept)
        used.append(made.clip)
        for _ in library.switch_clip():
            pass
        return made

    def noted(self: SegmentPipeline, result: FrameResult) -> FrameResult:
        made = embed_again(self, result)
        used.append(made.clip)
        return made

    monkeypatch.setattr(SegmentPipeline, "process", process_then_change)
    monkeypatch.setattr(SegmentPipeline, "embed_again", noted)
    events = list(library.add([scene_files[2]]))
    assert used == [name_of(OLD, clips), name_of(NEW, clips)]
    assert len(of_kind(events, FrameStored)) == 1
    assert library.coverage() is None
    found = library.search(image=scene_files[2], n_results=1)[0]
    assert found.segment.media_path == scene_files[2] and found.score > 1 - NEAR


def test_searches_beside_a_switch_are_of_one_model(
    library: MediaLibrary, clips: TwoClips, scene_files: list[Path]
) -> None:
    wanted = scores(library.search(QUERY, n_results=8))
    like = scores(library.search(QUERY, scene_files[0], n_results=8))
    over, answers, errors = threading.Event(), [0, 0, 0], list[BaseException]()

    def search(number: int) -> None:
        try:
            while not over.is_set():
                found = scores(library.search(QUERY, n_results=8))
                np.testing.assert_allclose(found, wanted, atol=NEAR)
                found = scores(library.search(QUERY, scene_files[0], n_results=8))
                np.testing.assert_allclose(found, like, atol=NEAR)
                answers[number] += 1
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=search, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for choice in (NEW, OLD, NEW):
            library.choose_models(choice, None)
            for _ in library.switch_clip():
                pass
            assert library.clip.name == name_of(choice, clips)
            seen = list(answers)
            while not errors and any(a == b for a, b in zip(answers, seen, strict=True)):
                over.wait(0.01)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert errors == []
    assert library.index.problems() == []


def test_back_to_a_clip_that_is_whole_takes_no_time(
    library: MediaLibrary, clips: TwoClips, scene_files: list[Path]
) -> None:
    for _ in library.switch_clip():
        pass
    library.choose_models(OLD, None)
    assert library.clip.name == name_of(OLD, clips) and library.coverage() is None
    for _ in library.add([scene_files[2]]):
        pass
    library.choose_models(NEW, None)  # which lacks the new scene
    assert library.clip.name == name_of(OLD, clips)
    for _ in library.switch_clip():
        pass
    assert library.clip.name == name_of(NEW, clips)
    assert library.index.problems() == []


def test_a_change_of_mind_on_the_way_leaves_the_old_clip(
    library: MediaLibrary, clips: TwoClips
) -> None:
    job = library.switch_clip()
    next(job)
    library.choose_models(OLD, None)
    assert isinstance(list(job)[-1], JobDone)
    assert library.clip.name == name_of(OLD, clips) and library.coverage() is None


def test_without_the_old_weights_the_new_clip_serves_what_it_has(
    library: MediaLibrary, paths: LibraryPaths, clips: TwoClips
) -> None:
    close_in_the_middle(library)
    clips.gone.add(name_of(OLD, clips))
    with MediaLibrary(paths, clips) as again:
        assert again.clip.name == name_of(NEW, clips)
        assert len(again.search(QUERY, n_results=99)) == 4
        coverage = again.coverage()
        assert coverage is not None and coverage.label_in_use == coverage.label == "other CLIP"
        for _ in again.add([]):  # what has no embedding gets one
            pass
        assert again.coverage() is None
        assert len(again.search(QUERY, n_results=99)) == again.stats().segments


def test_a_crop_that_is_gone_holds_nothing_up(library: MediaLibrary, clips: TwoClips) -> None:
    segment = library.metadata.segments_where()[0]
    segment.crop_path.unlink()
    (problem,) = of_kind(list(library.switch_clip()), ProblemFound)
    assert "verify --repair" in problem.what
    assert library.clip.name == name_of(NEW, clips)
    coverage = library.coverage()
    assert coverage is not None and coverage.done == coverage.total - 1
    for _ in library.verify(repair=True):
        pass
    assert library.coverage() is None


def test_a_clip_that_fails_leaves_the_old_one(library: MediaLibrary, clips: TwoClips) -> None:
    projection = clips.clips[NEW].model.visual.attnpool.c_proj.weight
    sound = projection.detach().clone()
    job = library.switch_clip()
    next(job)
    with torch.no_grad():
        projection.fill_(float("nan"))
    with pytest.raises(EmbeddingError, match="not finite"):
        list(job)
    assert library.clip.name == name_of(OLD, clips)
    assert len(library.search(QUERY, n_results=8)) == 8
    with torch.no_grad():
        projection.copy_(sound)
    events = list(library.switch_clip())
    assert events[0] == Progress("embed", 8, library.stats().segments)  # it goes on
    assert library.clip.name == name_of(NEW, clips)


def test_two_changes_at_once_are_refused(library: MediaLibrary) -> None:
    job = library.switch_clip()
    next(job)
    with pytest.raises(DatabaseError, match="being changed already"):
        next(library.switch_clip())
    job.close()  # type: ignore[attr-defined]
    assert isinstance(list(library.switch_clip())[-1], JobDone)


def test_beside_a_writer_a_reader_takes_the_clip_in_use(
    library: MediaLibrary, paths: LibraryPaths, clips: TwoClips
) -> None:
    with MediaLibrary(paths, clips, read_only=True) as reader:
        assert reader.clip.name == name_of(OLD, clips)
        assert len(reader.search(QUERY, n_results=8)) == 8
        with pytest.raises(DatabaseError, match="reading only"):
            next(reader.switch_clip())
        with pytest.raises(DatabaseError, match="reading only"):
            reader.choose_models(OLD, None)


def test_automatic_tags_are_given_again_and_those_of_people_stay(
    library: MediaLibrary, clips: TwoClips, tmp_path: Path, scene_files: list[Path]
) -> None:
    words = tmp_path / "words.txt"
    words.write_text("thing: a thing\n")  # a word alone is sure
    clips.vocabularies[name_of(NEW, clips)] = words
    ids = library.metadata.segment_ids()
    library.add_tag(ids[0], "thing")
    library.add_tag(ids[1], "mine")

    def tags() -> dict[str, set[tuple[str, str]]]:
        found = library.metadata.tags_of(library.metadata.segment_ids())
        return {name: {(tag.name, tag.source) for tag in some} for name, some in found.items()}

    before = tags()
    assert not any(("thing", "auto") in some for some in before.values())
    assert any(source == "auto" for some in before.values() for _, source in some)
    job = library.switch_clip()
    for event in job:
        assert library.clip.name == name_of(OLD, clips) or library.coverage() is None
        if isinstance(event, Progress) and event.doing == "retag":
            assert 0 < event.done < len(ids)
            break
    job.close()  # type: ignore[attr-defined]
    assert library.clip.name == name_of(NEW, clips)
    events = list(library.add([scene_files[2]]))  # the next job goes on
    assert Progress("retag", len(ids), len(ids)) in events
    thing: set[tuple[str, str]] = {("thing", "auto")}
    for name, some in tags().items():
        wanted = {ids[0]: {("thing", "human")}, ids[1]: {("mine", "human")} | thing}
        assert some == wanted.get(name, thing)
    assert len(tags()) == library.stats().segments
    assert not [e for e in of_kind(list(library.switch_clip()), Progress) if e.doing == "retag"]
    library.add_tag(ids[2], "late")
    library.choose_models(OLD, None)  # lacks what came since
    for _ in library.switch_clip():
        pass
    before = tags()
    library.choose_models(NEW, None)  # whole: takes over at once, and its tags come by a job
    assert library.clip.name == name_of(NEW, clips)
    assert tags() == before and library.tags_wait()
    job = library.switch_clip()
    first = next(event for event in job if isinstance(event, Progress) and event.doing == "retag")
    assert 0 < first.done < len(before)
    job.close()  # type: ignore[attr-defined]
    assert library.tags_wait()
    for _ in library.switch_clip():
        pass
    assert not library.tags_wait()
    assert tags()[ids[2]] == {("late", "human")} | thing and tags()[ids[3]] == thing
