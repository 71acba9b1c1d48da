"""Search hits as the cards of a grid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from pathlib import Path

from src.counting import counted, from_to, place_in_file
from src.gui.cards.card_view import CardView
from src.gui.core.match_words import mark_of
from src.records import SearchHit


class HitCards:
    """A grid's source of search hits."""

    def __init__(
        self, hits: Sequence[SearchHit], is_missing: Callable[[Path], bool] = lambda _: False
    ) -> None:
        self.hits, self._is_missing = tuple(hits), is_missing

    def __len__(self) -> int:
        return len(self.hits)

    def views(self, first: int, last: int) -> list[CardView]:
        return [self._view(hit) for hit in self.hits[first:last]]

    def _view(self, hit: SearchHit) -> CardView:
        segment = hit.segment
        page = segment.frame_index
        facts = place_in_file(page, segment.timestamp_s, has_pages=page > 0) or "Photo"
        if segment.kind == "frame":
            facts += " · whole image"
        if hit.moment is not None or hit.alike:
            facts += f" · {seen_in(hit)}"
        is_missing = self._is_missing(segment.media_path)
        return CardView(
            segment.id,
            segment.crop_path,
            segment.media_path.name,
            f"Missing · {facts}" if is_missing else facts,
            "error" if is_missing else "text_2",
            score=hit.score,
            strength=None if mark_of(hit) else hit.strength,
            mark=mark_of(hit),
            alike=len(hit.alike),
            action="similar",
        )


def seen_in(hit: SearchHit) -> str:
    """Write when the thing of a hit is seen in its video, or how often there is one like it."""
    every = each_of([hit])
    ranges = [moment_of(each) for each in every]
    known = [each for each in ranges if each is not None]
    if len(known) < len(every) or len({each.segment.media_file_id for each in every}) > 1:
        return f"+{len(hit.alike):,} alike"
    begin, end = min(each[0] for each in known), max(each[1] for each in known)
    return f"seen {from_to(begin, end)}"


def moment_of(hit: SearchHit) -> tuple[float, float] | None:
    """Return when what a hit shows is seen: the range of its track, else its frame's moment."""
    if hit.moment is not None:
        return hit.moment
    at_s = hit.segment.timestamp_s
    return None if at_s is None else (at_s, at_s)


def each_of(hits: Iterable[SearchHit]) -> list[SearchHit]:
    """List hits with those that they stand for."""
    return [each for hit in hits for each in hit.with_alike]


def count_strong(hits: Sequence[SearchHit]) -> int:
    """Count the hits above the line; they come first."""
    return sum(1 for _ in takewhile(lambda hit: hit.is_strong, hits))


def in_files(hits: Iterable[SearchHit], word: str = "media file") -> str:
    """Write in how many files hits are: in 3 media files."""
    found = {hit.segment.media_file_id for hit in each_of(hits) if not hit.is_example}
    return f"in {counted(len(found), word)}"
