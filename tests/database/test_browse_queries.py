"""What the window lists."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.database import browse_queries, giving_up, media_facts
from src.database.browse_queries import BrowseQueries
from src.database.media_facts import MediaFacts
from src.database.metadata_db import MetadataDatabase
from src.errors import GivenUp
from src.records import Tag
from src.search.filter_text import parse_filter
from src.search.leaves import segment_filter
from tests.conftest import MODEL, add_frame_of_qualities, add_media_with, new_segments, unit_vectors


@pytest.fixture
def queries(metadata: MetadataDatabase) -> BrowseQueries:
    return BrowseQueries(metadata)


def names(queries: BrowseQueries, order: str) -> list[str]:
    ids = queries.media_ids(order)  # type: ignore[arg-type]
    cards = queries.media_cards(ids)
    return [cards[media_id].media.path.name for media_id in ids]


def test_orders(queries: BrowseQueries, metadata: MetadataDatabase) -> None:
    for number, name in enumerate(["IMG_10.jpg", "img_9.jpg", "b.jpg"]):
        media_id = add_media_with(metadata, unit_vectors(number + 1), name)
        metadata.update_media(media_id, added_at=100.0 + number, modified_at_ns=10**18)
    early = metadata.media_by_path(Path("/photos/b.jpg"))
    assert early is not None
    metadata.update_media(early.id, captured_at="1999-12-31T23:59:59")
    assert names(queries, "added") == ["b.jpg", "img_9.jpg", "IMG_10.jpg"]
    assert names(queries, "name") == ["b.jpg", "img_9.jpg", "IMG_10.jpg"]
    assert names(queries, "segments") == ["b.jpg", "img_9.jpg", "IMG_10.jpg"]
    assert names(queries, "captured") == ["IMG_10.jpg", "img_9.jpg", "b.jpg"]


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two hours ahead of UTC in summer."""
    if not hasattr(time, "tzset"):
        pytest.skip("the clock of this system can't be set so")
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_berlin")
def test_times_of_photos_videos_and_files_are_put_in_one_order(
    queries: BrowseQueries, metadata: MetadataDatabase
) -> None:
    at_noon_utc = 1622548800  # 14:00 in Berlin
    for name, captured_at, modified_at_s in (
        ("photo at 13.jpg", "2021-06-01T13:00:00", 10**9),
        ("video at 13:30.mp4", "2021-06-01T11:30:00.000000Z", 10**9),
        ("file at 14.jpg", None, at_noon_utc),
        ("photo at 14:30.jpg", "2021-06-01T14:30:00", 10**9),
        ("video at 15.mp4", "2021-06-01T13:00:00Z", 10**9),
        ("photo at 13:15 from Tokyo.jpg", "2021-06-01T20:15:00+09:00", 10**9),
        ("photo at 13:15:01 from New York.jpg", "2021-06-01T07:15:01.25-04:00", 10**9),
        ("photo at 13:15:00.5.jpg", "2021-06-01T13:15:00.5", 10**9),
        ("day at 0.jpg", "2021-06-01", 10**9),
    ):
        media_id = metadata.add_media(Path(name), "image", 1, modified_at_s * 10**9)
        metadata.update_media(media_id, captured_at=captured_at)
    hours = [
        re.sub(r".* at | from .*|\.[a-z]\w+$", "", name) for name in names(queries, "captured")
    ]
    assert hours == ["15", "14:30", "14", "13:30", "13:15:01", "13:15:00.5", "13:15", "13", "0"]


@pytest.mark.usefixtures("in_berlin")
def test_a_photo_and_a_film_of_one_moment_are_neighbours(
    queries: BrowseQueries, metadata: MetadataDatabase
) -> None:
    for name, captured_at in (
        ("evening before.jpg", "2020-01-01T18:04:00"),
        ("film.mov", "2020-01-01T18:04:05Z"),
        ("photo.jpg", "2020-01-02T03:04:05.5+09:00"),
        ("morning here.jpg", "2020-01-02T03:04:05"),
    ):
        media_id = metadata.add_media(Path(name), "image", 1, 10**18)
        metadata.update_media(media_id, captured_at=captured_at)
    assert names(queries, "captured") == [
        "morning here.jpg", "photo.jpg", "film.mov", "evening before.jpg"
    ]  # fmt: skip


def test_the_order_of_instants_is_the_same_in_every_zone_of_the_machine(
    queries: BrowseQueries, metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not hasattr(time, "tzset"):
        pytest.skip("the clock of this system can't be set so")
    instants = {  # of one day, the newest first
        "d.mov": "2021-06-01T12:00:00Z",
        "c.jpg": "2021-06-01T20:15:00+09:00",
        "b.jpg": "2021-06-01T07:14:00-04:00",
        "a.mov": "2021-06-01T11:00:00Z",
    }
    for name, captured_at in {**instants, "clock.jpg": "2021-06-01T11:30:00"}.items():
        media_id = metadata.add_media(Path(name), "image", 1, 10**18)
        metadata.update_media(media_id, captured_at=captured_at)
    # a camera's clock that says no zone is this machine's: the library stays as it is, and is read
    # from another zone
    places = {"UTC0": 1, "JST-9": 4, "EST5": 0, "IST-5:30": 4}
    try:
        for zone, place in places.items():
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            expected = list(instants)
            expected.insert(place, "clock.jpg")
            assert names(queries, "captured") == expected, zone
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "captured_at", ["SatTJun", "0000-00-00T00:00:00", "2021-06-01Tnoon", "9999-99-99T00:00:00Z", ""]
)
def test_what_is_no_date_is_not_taken_for_the_newest(
    queries: BrowseQueries, metadata: MetadataDatabase, captured_at: str
) -> None:
    for year, date in ((2020, captured_at), (2019, None), (2021, None)):
        moment = (year - 1970) * 365 * 24 * 3600 * 10**9
        media_id = metadata.add_media(Path(f"{year}.jpg"), "image", 1, moment)
        metadata.update_media(media_id, captured_at=date)
    assert names(queries, "captured") == ["2021.jpg", "2020.jpg", "2019.jpg"]


def test_what_was_added_together_keeps_its_order(
    queries: BrowseQueries, metadata: MetadataDatabase
) -> None:
    for name in ("b.jpg", "a.jpg"):
        metadata.add_media(Path(name), "image", 1, 1, added_at=5.0)
    metadata.add_media(Path("later.jpg"), "image", 1, 1, added_at=6.0)
    assert names(queries, "added") == ["later.jpg", "b.jpg", "a.jpg"]


def test_waiting_and_failed_files_are_listed_too(
    queries: BrowseQueries, metadata: MetadataDatabase
) -> None:
    waiting = metadata.add_media(Path("/w.jpg"), "image", 1, 1)
    failed = metadata.add_media(Path("/f.jpg"), "image", 1, 1)
    metadata.update_media(failed, status="failed", error="the file is empty")
    cards = queries.media_cards([waiting, failed, 999])
    assert set(cards) == {waiting, failed}
    assert cards[waiting].poster is None and cards[waiting].segments == 0
    assert cards[failed].media.error == "the file is empty"


def test_a_video_has_its_first_frame_as_poster_and_lists_its_frames(
    queries: BrowseQueries, metadata: MetadataDatabase
) -> None:
    media_id = metadata.add_media(Path("/v.mp4"), "video", 1, 1)
    for index in (30, 0):
        segments = new_segments(unit_vectors(2, seed=index), prefix=f"f{index}-")
        whole = [
            type(new)(
                new.id,
                type(new.segment)(
                    "frame", (0, 0, 9, 9), 81, None, None, None, new.segment.crop_rgb
                ),
                new.crop_path,
                new.embedding,
            )
            for new in segments[:1]
        ]
        metadata.store_frame(media_id, index, index / 30, (100, 100), [*whole, segments[1]], MODEL)
    card = queries.media_cards([media_id])[media_id]
    assert card.segments == 4
    assert card.poster == metadata.paths.root / "extracted_segments/f0-00000.jpg"
    frames = queries.sampled_frames(media_id)
    assert [(frame.frame_index, frame.timestamp_s) for frame in frames] == [(0, 0.0), (30, 1.0)]
    other = metadata.add_media(Path("/b.jpg"), "image", 1, 1)
    whole_ids = ["f0-00000", "f30-00000"]
    assert queries.whole_frames([other, media_id, 999]) == whole_ids
    of_frame = queries.segments_of_frame("f30-00001")
    assert [segment.id for segment in of_frame] == ["f30-00000", "f30-00001"]
    assert of_frame[0].kind == "frame"


def test_nothing_is_stored_for_a_media_file_that_was_removed(
    queries: BrowseQueries, metadata: MetadataDatabase
) -> None:
    media_id = metadata.add_media(Path("/a.jpg"), "image", 1, 1)
    metadata.remove_media(media_id)
    stored = metadata.store_frame(
        media_id, 0, None, (100, 100), new_segments(unit_vectors(2)), MODEL
    )
    assert not stored
    assert metadata.counts()["segments"] == 0


def test_the_range_of_mask_quality(queries: BrowseQueries, metadata: MetadataDatabase) -> None:
    assert queries.quality_range() is None
    add_frame_of_qualities(metadata, [None])
    assert queries.quality_range() is None  # a whole frame has none
    add_frame_of_qualities(metadata, [None, 0.5, 0.97, 0.7], "b.jpg")
    assert queries.quality_range() == (0.5, 0.97)


def test_the_range_of_mask_quality_is_looked_for_once_until_something_changes(
    queries: BrowseQueries, metadata: MetadataDatabase
) -> None:
    add_frame_of_qualities(metadata, [None, 0.5, 0.97])
    asked: list[str] = []
    metadata.connection.read().set_trace_callback(asked.append)
    for _ in range(3):
        assert queries.quality_range() == (0.5, 0.97)
    assert len([sql for sql in asked if "FROM segments" in sql]) == 1
    for media in metadata.all_media():
        metadata.remove_media(media.id)
    assert queries.quality_range() is None


def test_what_failed_is_counted_apart_and_photos_are_kept_in_their_order(
    queries: BrowseQueries, metadata: MetadataDatabase
) -> None:
    assert queries.is_empty()
    photos = [
        add_media_with(metadata, unit_vectors(1, seed=number), f"{number}.jpg")
        for number in range(3)
    ]
    for photo in photos:
        metadata.update_media(photo, status="done")
    video = metadata.add_media(Path("/films/a.mp4"), "video", 0, 0, 1.0)
    failed = metadata.add_media(Path("/photos/cut.jpg"), "image", 0, 0, 1.0)
    metadata.update_media(video, status="done")
    metadata.update_media(failed, status="failed", error="the file is empty")
    listed = [failed, photos[2], video, photos[0], photos[1]]
    assert queries.photos(listed) == [photos[2], photos[0], photos[1]]
    assert queries.failed_media() == 1 and not queries.is_empty()


def test_names_are_in_the_order_of_their_letters_and_numbers(
    queries: BrowseQueries, metadata: MetadataDatabase
) -> None:
    ordered = ["0.jpg", "a0.jpg", "A00b.jpg", "a2.jpg", "a\u0663.jpg", "a010.jpg", "a0100.jpg"]
    ordered += ["a.jpg", "ab.jpg", "b.jpg", "9.jpg", "10.jpg"]
    for name in sorted(ordered):
        metadata.add_media(Path("/photos") / name, "image", 10, 10)
    assert names(queries, "name") == ordered


def test_a_count_is_known_until_the_library_changes_and_can_be_given_up(
    metadata: MetadataDatabase, queries: BrowseQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_up, "ASK_EVERY_STEPS", 10)
    add_frame_of_qualities(metadata, [None, 0.5, 0.9])
    where = segment_filter(min_predicted_iou=0.6)
    with pytest.raises(GivenUp):
        queries.count_where(where, lambda: False)
    assert queries.count_where(where) == 2
    assert queries.count_where(where, lambda: False) == 2  # it is known
    add_frame_of_qualities(metadata, [0.7], "b.jpg")
    assert queries.count_where(where) == 3


@pytest.mark.parametrize(("at_once", "listed"), [(1, 1), (50, 5), (50, 2000)])
def test_what_a_filter_leaves_is_found_media_by_media(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch, at_once: int, listed: int
) -> None:
    monkeypatch.setattr(browse_queries, "MEDIA_AT_ONCE", at_once)
    monkeypatch.setattr(browse_queries, "MOST_LISTED", listed)
    for number in range(7):
        add_media_with(metadata, unit_vectors(6, seed=number), f"{number}.jpg")
    queries = BrowseQueries(metadata)
    with metadata.connection.write():
        for number in (0, 3, 4):
            metadata.add_tags(f"{number}.jpg-00004", [Tag("dog", 0.9, "auto")], "vocabulary")
            metadata.add_tags(f"{number}.jpg-00002", [Tag("dog", 0.9, "auto")], "vocabulary")
    where = segment_filter(tags=("dog",))
    every = [f"{number}.jpg-0000{segment}" for number in (4, 3, 0) for segment in (2, 4)]
    for n in (1, 3, 6, 100):
        found = [segment.id for segment in queries.segments_in_order(where, n)]
        assert found == every[:n]
    assert queries.count_where(where) == 6


@pytest.fixture
def of_three(queries: BrowseQueries, metadata: MetadataDatabase) -> BrowseQueries:
    """Files 1 to 60 of three folders, cameras and years; every fifth has no segment yet."""
    for number in range(1, 61):
        folder = ("/photos/rome", "/photos/rome/2020", "/films")[number % 3]
        path, kind = Path(folder) / f"IMG_{number}.jpg", ("image", "video")[number % 3 == 2]
        media_id = metadata.add_media(path, kind, 10, 10)  # type: ignore[arg-type]
        metadata.update_media(
            media_id,
            captured_at=(None, f"202{number % 3}-05-{1 + number % 28:02}T10:00:00")[number % 4 > 0],
            camera_make=("Canon", None, "NIKON CORPORATION")[number % 3],
            camera_model=("Canon EOS 5D", None, "D70")[number % 3],
        )
        if number % 5:
            segments = new_segments(unit_vectors(number % 4 + 1), prefix=f"{number}-")
            metadata.store_frame(media_id, 0, None, (100, 100), segments, MODEL)
            if number % 7 == 0:
                metadata.add_tags(segments[-1].id, [Tag("dog", 0.9, "auto")], "vocabulary")
    return queries


FILTERS = [
    "tag:dog",
    "kind:video",
    "in:rome not tag:dog",
    "camera:canon after:2020",
    "segment:1-00000",
    "in:/films",
]


@pytest.mark.parametrize("way", ["few", "many", "each"])
@pytest.mark.parametrize("text", FILTERS)
def test_media_files_are_those_of_which_a_filter_leaves_a_segment(
    of_three: BrowseQueries, text: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_facts, "FEW", 0 if way == "few" else 10**6)
    if way == "each":  # so that each file is asked about by itself
        monkeypatch.setattr(media_facts, "MOST_STEPS", 1)
        monkeypatch.setattr(media_facts, "STEPS_A_SEGMENT", 0)
    where, metadata = parse_filter(text), of_three.metadata
    left = {segment.media_file_id for segment in metadata.segments_where(where)}
    assert 0 < len(left) < 49
    for order in ("added", "captured", "name", "segments"):
        every = of_three.media_ids(order)  # type: ignore[arg-type]
        expected = [each for each in every if each in left]
        assert of_three.media_ids(order, where) == expected  # type: ignore[arg-type]
        named = of_three.media_ids(order, where, "img_1")  # type: ignore[arg-type]
        assert named == [each for each in expected if str(each).startswith("1")]
    days = dict[str | None, int]()
    for card in of_three.media_cards(list(left)).values():
        day = card.media.captured_at[:10] if card.media.captured_at else None
        days[day] = days.get(day, 0) + 1
    assert MediaFacts(metadata).captured_days(where) == days


def test_names_are_looked_into_in_whichever_case(
    of_three: BrowseQueries, metadata: MetadataDatabase
) -> None:
    assert len(of_three.media_ids("added", name="IMG")) == 60
    assert of_three.media_ids("name", name="g_2") == [2, *range(20, 30)]
    assert of_three.media_ids("name", name="rome") == []  # which is a folder
    metadata.add_media(Path("/films/ÉTÉ.mp4"), "video", 1, 1)
    assert of_three.media_ids("name", name="été") == [61]


def test_folders_cameras_and_times_are_counted(of_three: BrowseQueries) -> None:
    facts = MediaFacts(of_three.metadata)
    assert facts.folders() == {"/films": 20, "/photos/rome": 20, "/photos/rome/2020": 20}
    assert facts.cameras() == {"Canon EOS 5D": 20, "NIKON CORPORATION D70": 20}
    days = facts.captured_days()
    assert sum(days.values()) == 60 and days[None] == 15
    known = sorted(day for day in days if day)
    assert facts.captured_between() == (known[0], known[-1])


@pytest.mark.parametrize("text", ["tag:dog", "tag:dog>=0.95", "tag:dog,cat", "tag:none"])
def test_a_count_is_of_the_segments_a_filter_leaves(of_three: BrowseQueries, text: str) -> None:
    """A segment with two of the tags counts once, and a name of two tags is that of both."""
    metadata = of_three.metadata
    for number, segment_id in enumerate(metadata.segment_ids()):
        names = ("dog", "Dog", "cat")[: number % 4]
        metadata.add_tags(segment_id, [Tag(name, 0.9, "auto") for name in names], "vocabulary")
    where = parse_filter(text)
    assert of_three.count_where(where) == len(metadata.segments_where(where))


def test_which_media_files_a_filter_leaves_is_known_until_the_library_changes(
    of_three: BrowseQueries,
) -> None:
    where, metadata = parse_filter("tag:dog"), of_three.metadata
    first, asked = of_three.media_ids("added", where), list[str]()
    metadata.connection.read().set_trace_callback(asked.append)
    assert sorted(of_three.media_ids("name", where)) == sorted(first)
    assert of_three.media_ids("added", where, "img_7") == [7]
    assert not [sql for sql in asked if "FROM segments" in sql or "segment_tags" in sql]
    assert of_three.media_ids("added", parse_filter("kind:video")) != first
    metadata.remove_media(first[0])
    assert of_three.media_ids("added", where) == first[1:]
