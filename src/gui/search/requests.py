"""What results are asked for: now, page by page, and again when the library has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from src.errors import MediaLibraryError, is_of_a_person
from src.events import Event, FrameStored
from src.gui.core.job_state import JobState
from src.gui.core.session import Session
from src.gui.core.wording import as_sentence
from src.records import SearchResult
from src.stopping import stopped_by
from src.worker import JobEnded

# Gets how many cards are wanted.
SearchRequest = Callable[[int], SearchResult]
Show = Callable[[SearchResult], None]
# More than a person sees at once, and found as fast as ten. Scrolled to its end, twice as many are
# asked for.
PAGE = 100


@dataclass(frozen=True)
class Answer:
    """What the library gave.

    Attributes:
        is_empty: whether there is nothing at all in it.
        keeps_place: whether it is the same search as before.
    """

    result: SearchResult
    is_empty: bool
    keeps_place: bool


@dataclass(frozen=True)
class Asked:
    """A search, how many cards of it are wanted, and how often the library had changed before."""

    request: SearchRequest
    show: Show
    limit: int
    changes: int


class SearchRequests:
    """Asks in another thread; a newer request makes the answer to an older one void."""

    def __init__(
        self,
        session: Session,
        answered: Callable[[Answer], None],
        refused: Callable[[str], None],
        offer_again: Callable[[bool], None],
        is_seen: Callable[[], bool],
    ) -> None:
        """Prepare to ask.

        Args:
            answered: called before the answer is shown.
            refused: called with why a search can't be answered.
            offer_again: called when there is more to find than before, and when there is not.
            is_seen: whether the results are on the screen now.
        """
        self._session, self._answered = session, answered
        self._refused, self._offer_again, self._is_seen = refused, offer_again, is_seen
        self.limit = PAGE
        self.number = 0  # of the last request
        self._current: tuple[SearchRequest, Show] | None = None
        self._changes = 0
        self._is_stale = self._is_loading = False
        session.signals.content_changed.append(self._content_changed)
        session.signals.job_ended.append(self._job_ended)
        session.signals.job_event.append(self._job_event)

    def ask(self, request: SearchRequest, show: Show, arrived: Callable[[], None] | None) -> None:
        """Ask for the first page; see ResultsView.ask."""
        self._current, self.limit = (request, show), PAGE
        self._ask(arrived=arrived, failed=partial(self._failed, request))

    def ask_for_more(self) -> None:
        """Ask for twice as many cards, once the last of those that are there is seen."""
        if not self._is_loading and self._current is not None:
            self.limit *= 2
            self._ask_quietly()

    def refresh(self) -> None:
        """Ask again where the library changed."""
        if self._is_stale:
            self._ask_quietly()

    def forget(self) -> None:
        """Cancel the request; an answer that is still to come is not shown."""
        self.number += 1
        self._current = None
        self._is_loading = False
        self._offer_again(False)

    def asked(self) -> Asked | None:
        """Return what was asked last, for `return_to`."""
        return None if self._current is None else Asked(*self._current, self.limit, self._changes)

    def return_to(self, asked: Asked) -> None:
        """Go on with an earlier request, whose answer is shown; an old one is asked again."""
        self.forget()
        self._current, self.limit = (asked.request, asked.show), asked.limit
        if asked.changes != self._changes:
            self._ask_quietly()

    def _ask_quietly(self) -> None:
        """Ask the same again; no person has asked just now, so all that fails is shown in place."""
        current = self._current
        if current is None:
            return

        def failed(exc: Exception) -> None:
            if not isinstance(exc, MediaLibraryError):
                raise exc
            if self._current is current:
                self.forget()
                self._refused(str(exc))

        self._ask(failed=failed, keeps_place=True)

    def _ask(
        self,
        failed: Callable[[Exception], None],
        arrived: Callable[[], None] | None = None,
        keeps_place: bool = False,
    ) -> None:
        assert self._current is not None
        request, show = self._current
        self._is_stale, self._is_loading = False, True
        self._offer_again(False)
        self.number += 1
        number, library, limit = self.number, self._session.library, self.limit

        def answered(answer: Answer) -> None:
            if number == self.number:
                self._is_loading = False
                self._answered(answer)
                if arrived is not None:
                    arrived()
                show(answer.result)

        def is_wanted() -> bool:
            return number == self.number and not self._session.is_closing

        def search() -> Answer:
            with stopped_by(is_wanted):
                return Answer(request(limit), library.browse.is_empty(), keeps_place)

        self._session.main_thread.run(search, answered, failed, "Couldn't search", is_search=True)

    def _failed(self, request: SearchRequest, exc: Exception) -> None:
        """Show in place what can't be searched for; anything else goes to the error handler."""
        if not is_of_a_person(exc):
            raise exc
        if self._current is not None and self._current[0] is request:
            self.forget()
            self._refused(as_sentence(str(exc)))

    # -- the library changes

    def _content_changed(self) -> None:
        self._is_stale = True
        self._changes += 1
        if self._session.read_only:  # another program did it: what is looked at stays
            self._offer_again(self._current is not None)
        elif self._is_seen():
            self.refresh()

    def _job_ended(self, job: JobState, _ended: JobEnded) -> None:
        """Keep the hits that are on the screen, until the panel is shown again."""
        if job.kind in ("add", "segment", "switch"):
            self._is_stale = True
            self._changes += 1

    def _job_event(self, _job: JobState, event: Event) -> None:
        if isinstance(event, FrameStored) and self._current is not None:
            self._is_stale = True
            self._offer_again(True)
