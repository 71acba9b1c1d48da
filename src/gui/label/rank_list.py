"""The candidates that a person sees, in order: what was looked at stays where it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from src.counting import place_in_file
from src.gui.cards.card_view import Answer, CardView
from src.records import SearchHit


@dataclass(frozen=True)
class Candidate:
    """A segment, and what a person has said of it since it is in the list.

    Attributes:
        given: the label that it was given in place of the one that is asked about.
    """

    hit: SearchHit
    answer: Answer = ""
    given: str = ""

    @property
    def segment_id(self) -> str:
        return self.hit.segment.id


class RankList:
    """A grid's source of candidates.

    A new ranking exchanges what nobody has looked at yet, and nothing else: see `exchange`.
    """

    def __init__(self, is_missing: Callable[[Path], bool] = lambda _: False) -> None:
        self._is_missing = is_missing
        self.candidates: list[Candidate] = []

    def __len__(self) -> int:
        return len(self.candidates)

    def views(self, first: int, last: int) -> list[CardView]:
        return [self._view(candidate) for candidate in self.candidates[first:last]]

    def _view(self, candidate: Candidate) -> CardView:
        segment = candidate.hit.segment
        page = segment.frame_index
        facts = place_in_file(page, segment.timestamp_s, has_pages=page > 0) or "Photo"
        missing = self._is_missing(segment.media_path)
        return CardView(
            segment.id,
            segment.crop_path,
            segment.media_path.name,
            f"Missing · {facts}" if missing else facts,
            action="check",
            answer=candidate.answer,
            word=candidate.given,
        )

    # -- rankings

    def begin(self, hits: Iterable[SearchHit]) -> None:
        """Show a ranking from its start; nothing is answered."""
        self.candidates = [Candidate(hit) for hit in hits]

    def exchange(self, hits: Sequence[SearchHit], keep: int) -> None:
        """Put a new ranking in the place of what was not looked at yet.

        The first cards stay, and so do those further down that are answered already, each in its
        place. The ranking goes into the other places in its order, and on behind them.

        Args:
            hits: without an answer, best first.
            keep: how many cards stay.
        """
        stays = {
            place: candidate
            for place, candidate in enumerate(self.candidates)
            if place < keep or candidate.answer
        }
        kept_ids = {candidate.segment_id for candidate in stays.values()}
        new = [Candidate(hit) for hit in hits if hit.segment.id not in kept_ids]
        merged: list[Candidate] = []
        fresh = iter(new)
        for place in range(len(stays) + len(new)):
            # where the ranking has come to its end, what stays moves up
            candidate = stays.pop(place, None) or next(fresh, None)
            if candidate is not None:
                merged.append(candidate)
        self.candidates = merged + [stays[place] for place in sorted(stays)]

    # -- answers

    def answer(self, segment_ids: Collection[str], answer: Answer, given: str = "") -> None:
        """Note what a person has said of segments, or "" where that is taken back."""
        ids = frozenset(segment_ids)
        self.candidates = [
            replace(each, answer=answer, given=given) if each.segment_id in ids else each
            for each in self.candidates
        ]

    def answers_of(self, segment_ids: Collection[str]) -> dict[str, Candidate]:
        """Return what was said of segments so far, by id; those that are not in it are not."""
        ids = frozenset(segment_ids)
        return {each.segment_id: each for each in self.candidates if each.segment_id in ids}

    def restore(self, before: dict[str, Candidate]) -> None:
        """Put back what had been said of segments."""
        for segment_id, candidate in before.items():
            self.answer([segment_id], candidate.answer, candidate.given)

    def next_open(self, place: int) -> int | None:
        """Return the next card without an answer, after a place; else the first, else None."""
        opened = [n for n, each in enumerate(self.candidates) if not each.answer]
        return next((n for n in opened if n > place), opened[0] if opened else None)

    def count(self, answer: Answer) -> int:
        return sum(each.answer == answer for each in self.candidates)
