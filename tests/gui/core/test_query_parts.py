"""How a query is divided between the words of its entry and chips."""

from __future__ import annotations

from pathlib import Path

from src.gui.core.query_parts import Chip, QueryParts, has_ids, split
from src.search.leaves import KindIs, MediaKindIs
from src.search.query import ImageFile, Like, Query, Words
from src.search.query_text import parse_query

CROP = Path("crops/7.jpg")


def named(segment_id: str) -> tuple[str, Path | None]:
    return f"{segment_id}.png", CROP


def file_name(media_file_id: int) -> str:
    return {1: "dog.mp4"}.get(media_file_id, "")


def test_words_stay_in_the_entry_and_all_else_is_a_chip() -> None:
    text = 'white truck -striped 2:like:"night.jpg" kind:object media:video'
    words, parts = split(parse_query(text))
    assert words == "white truck"
    assert parts.chips(named, file_name) == [
        Chip("striped", "−"),
        Chip("like night.jpg", "+", "× 2", Path("night.jpg")),
        Chip("kind:object"),
        Chip("kind:video"),
    ]
    assert parts.query(words) == parse_query(text)
    assert len(parts) == 4 and parts


def test_what_is_typed_is_added_once() -> None:
    parts = QueryParts((Like("7"),), filter=KindIs(("object",)))
    words, more = parts.joined(parse_query("red like:segment:7 kind:object -blue"))
    assert words == "red"
    assert more == QueryParts((Like("7"), Words("blue", weight=-1)), (), KindIs(("object",)))


def test_a_chip_is_removed_turned_weighed_and_taken_apart() -> None:
    parts = QueryParts(
        (Words("blue", weight=-1), ImageFile(Path("a.jpg"))),
        filter=KindIs(("object",)) & MediaKindIs(("video",)),
    )
    assert parts.without(0).terms == (ImageFile(Path("a.jpg")),)
    assert parts.without(2).filter == MediaKindIs(("video",))
    assert parts.without(2).without(2).conditions == ()
    assert parts.turned(0).terms[0].weight == 1
    assert parts.weighing(0, 2).terms[0].weight == -2
    assert [parts.written(place) for place in range(4)] == [
        "-blue",
        'like:"a.jpg"',
        "kind:object",
        "kind:video",
    ]
    assert parts.term(1) == ImageFile(Path("a.jpg")) and parts.term(2) is None


def test_what_is_to_be_in_the_same_frame_is_a_chip_of_its_own() -> None:
    words, parts = split(parse_query('"a dog" with "a ball" kind:object'))
    assert words == "a dog"
    assert parts.chips(named, file_name) == [Chip("with a ball"), Chip("kind:object")]
    assert parts.query("a dog") == parse_query('"a dog" with "a ball" kind:object')
    assert parts.written(0).startswith("with") and parts.without(0).beside == ()


def test_a_segment_shows_its_crop_and_its_file() -> None:
    assert QueryParts((Like("7"),)).chips(named, file_name) == [Chip("like 7.png", "+", "", CROP)]
    assert not QueryParts()


def test_a_list_of_segments_is_a_number_on_its_chip_and_not_remembered() -> None:
    query = parse_query("red segment:1,2,3")
    (chip,) = split(query)[1].chips(named, file_name)
    assert chip == Chip("3 segments")
    assert has_ids(query) and has_ids(Query((Like("7"),))) and not has_ids(parse_query("red"))
    assert has_ids(parse_query("red file:1 at:1..2")) and has_ids(parse_query("track:3"))


def test_a_range_of_a_video_is_its_name_and_its_times() -> None:
    (file, at) = split(parse_query("file:1 at:4.004..6.507"))[1].chips(named, file_name)
    assert (file, at) == (Chip("dog.mp4"), Chip("0:04.0–0:06.5"))
    open_end, unknown, several = split(parse_query("at:1:00.. file:2 file:1,2"))[1].chips(
        named, file_name
    )
    assert (unknown, several) == (Chip("file:2"), Chip("2 media files"))
    assert open_end.text.startswith("at")
