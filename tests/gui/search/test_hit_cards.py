"""What cards of search hits say of when their things are seen."""

from __future__ import annotations

from dataclasses import replace

from src.gui.search.hit_cards import HitCards, seen_in
from src.records import SearchHit
from tests.gui.label.test_rank_list import segment


def hit(at_s: float | None, moment: tuple[float, float] | None = None, media: int = 1) -> SearchHit:
    found = replace(segment(f"{media} at {at_s}"), timestamp_s=at_s, media_file_id=media)
    return SearchHit(found, 0.5, moment=moment)


def test_a_hit_says_the_range_of_its_track() -> None:
    (view,) = HitCards([hit(5.5, (3.4, 9.7))]).views(0, 1)
    assert view.facts == "0:05.5 · seen 0:03.4–0:09.7" and view.alike == 0


def test_hits_alike_that_are_in_no_track_are_counted_in() -> None:
    alike = (hit(2.0), hit(12.25))
    assert seen_in(replace(hit(5.5, (3.4, 9.7)), alike=alike)) == "seen 0:02.0–0:12.2"
    assert seen_in(replace(hit(5.5), alike=(hit(5.5),))) == "seen 0:05.5"


def test_without_a_time_or_in_several_files_they_are_counted() -> None:
    assert seen_in(replace(hit(None), alike=(hit(None),))) == "+1 alike"
    assert seen_in(replace(hit(1.0, (1.0, 2.0)), alike=(hit(1.0, media=2),))) == "+1 alike"
