"""Asks for rankings in another thread, one at a time; only the newest question is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from src.gui.core.session import Session
from src.label_records import LabelRanking, RankingOrder
from src.records import SearchHit

# Some screens of cards; more come with the next ranking.
LIMIT = 200


@dataclass(frozen=True)
class Wanted:
    """What is to be ranked.

    Attributes:
        seeds: segments that are examples, while there are no answers; without any, the label's
            name is searched for.
        from_start: whether the list is to begin anew, or what was looked at stays.
    """

    label: str
    seeds: tuple[str, ...] = ()
    order: RankingOrder = "best"
    from_start: bool = True
    limit: int = LIMIT


@dataclass(frozen=True)
class Ranked:
    """A ranking.

    Attributes:
        best: the hits that may be accepted together, all that are offered.
    """

    wanted: Wanted
    ranking: LabelRanking
    best: tuple[SearchHit, ...]


class RankRequests:
    """The newest question waits while an older one is computed, whose answer is dropped."""

    def __init__(
        self,
        session: Session,
        ranked: Callable[[Ranked], None],
        failed: Callable[[Wanted, Exception], None],
    ) -> None:
        self._session, self._ranked, self._failed = session, ranked, failed
        self._running: Wanted | None = None
        self._next: Wanted | None = None

    @property
    def is_busy(self) -> bool:
        return self._running is not None

    def ask(self, wanted: Wanted) -> None:
        """Rank; a question that has not begun yet is replaced by this one."""
        before = self._next or self._running
        if before is not None and before.label == wanted.label and before.from_start:
            # its list was never shown, so there is nothing that could stay
            wanted = replace(wanted, from_start=True)
        self._next = wanted
        if self._running is None:
            self._begin()

    def _begin(self) -> None:
        wanted, self._next = self._next, None
        if wanted is None:
            return
        self._running = wanted
        labels = self._session.library.labels

        def rank() -> Ranked:
            ranker = labels.ranking(wanted.label)
            ranking = ranker.rank(wanted.seeds, None, wanted.order, wanted.limit)
            best, most = ranking.candidates, ranking.acceptable
            if most and (wanted.order != "best" or most > len(best)):
                best = ranker.rank(wanted.seeds, None, "best", most).candidates
            return Ranked(wanted, ranking, best[:most])

        def ranked(found: Ranked) -> None:
            if self._ended():
                self._ranked(found)

        def failed(exc: Exception) -> None:
            if self._ended():
                self._failed(wanted, exc)

        self._session.main_thread.run(rank, ranked, failed, is_search=True)

    def _ended(self) -> bool:
        """Begin what waits; returns whether what has ended is still wanted."""
        is_newest = self._next is None
        self._running = None
        self._begin()
        return is_newest
