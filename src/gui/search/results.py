"""Hits of a search as cards: what both search panels ask for and show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from src.counting import counted
from src.errors import MediaLibraryError, is_of_a_person
from src.events import Event, FrameStored
from src.gui.cards.card_grid import WISH, CardGrid
from src.gui.cards.card_view import CardActions
from src.gui.core.job_state import JobState
from src.gui.core.wording import as_sentence
from src.gui.panel.panel import PanelContext
from src.gui.search.hit_cards import HitCards, count_strong, in_files
from src.gui.search.results_line import ResultsLine
from src.gui.search.weaker_band import HEIGHT, WeakerBand
from src.gui.theme.theme import LEFT, RIGHT
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import label
from src.records import SearchHit, SearchResult
from src.search.filters import Filter
from src.search.leaves import segment_filter
from src.worker import JobEnded

MODELS_FAILED = "The models couldn't be loaded, so there is no search. See Models for the reason."
NO_WORDS = "Nothing found. Try other words, or add more photos and videos."
STILL_ADDING = "Nothing found yet. Files are still being added."
EMPTY = "Your library is empty. Add photos or videos to search them."
# Gets what the person wants to have left out, and how many cards are wanted.
SearchRequest = Callable[[Filter, int], SearchResult]
# A page: more than a person sees at once, and found as fast as ten. Scrolled to its end, twice as
# many are asked for.
PAGE = 100
NOTHING = SearchResult(())


@dataclass(frozen=True)
class Visit:
    """A search with its answer and how far a person had got in it, to return to."""

    request: SearchRequest
    show: Callable[[SearchResult], None]
    result: SearchResult
    limit: int
    is_unfolded: bool
    scrolled: int
    changes: int


class ResultsView(ctk.CTkFrame):
    """A line with their number, and the cards; or a sentence when there are none.

    Hits that are likely chance are folded away under a line. A newer request makes the answer to
    an older one void. The last one is asked again when the person asks for better or for worse
    masks, when the end of the cards is reached, and when the library changed since.
    """

    def __init__(
        self,
        master: Any,
        context: PanelContext,
        on_open: Callable[[Sequence[SearchHit], int], None],
        on_similar: Callable[[SearchHit], None],
        margins: tuple[int, int] = (LEFT, RIGHT),
        wish: int = WISH,
    ) -> None:
        theme, session = context.theme, context.session
        super().__init__(master, fg_color=theme.colours.window, corner_radius=0)
        self.theme, self._session = theme, session
        self.hits = HitCards(())
        self.result = NOTHING
        self._group: SearchHit | None = None  # the one whose like are shown alone
        self._like = ""  # what goes on the line that counts hits
        self._is_unfolded = self._is_loading = False
        self._limit = PAGE
        self._scrolled = 0  # where the cards were when a group was opened
        self._asked = self._changes = 0
        self._request: tuple[SearchRequest, Callable[[SearchResult], None]] | None = None
        self._is_stale = self._keeps_place = self._is_empty = False
        self.line = ResultsLine(
            self, theme, margins, self._ask_again, self.refresh, self.leave_group
        )
        self.quality = self.line.quality
        self._can_choose = False
        self.grid_view = CardGrid(
            self,
            theme,
            context.painter,
            context.thumbnails,
            CardActions(
                lambda place: on_open(self.hits.hits, place),
                lambda place: on_similar(self.hits.hits[place]),
                group=self._open_group,
                end_seen=self._show_more,
            ),
            kind="hit",
            margins=margins,
            wish=wish,
        )
        self.band = WeakerBand(
            self.grid_view.canvas, theme, context.thumbnails, self._fold_or_unfold
        )
        self.grid_view.set_band(self.band, theme.px(HEIGHT))
        self._sentence = label(self, theme, "", colour=theme.colours.text_2, justify="center")
        self._shows_grid = False
        self.say("")
        session.signals.content_changed.append(self._content_changed)
        session.signals.job_ended.append(self._job_ended)
        session.signals.missing_changed.append(self.grid_view.refresh)
        session.signals.job_event.append(self._job_event)

    def refresh_thumbnails(self) -> None:
        self.grid_view.refresh()
        self.band.refresh()

    # -- asking

    @property
    def masks(self) -> Filter:
        """Which masks are good enough for the person."""
        return segment_filter(min_predicted_iou=self.quality.least)

    def ask(
        self,
        request: SearchRequest,
        show: Callable[[SearchResult], None],
        arrived: Callable[[], None] | None = None,
    ) -> None:
        """Search in another thread, and show the answer here.

        Args:
            show: gets the answer, now and whenever the same is asked again.
            arrived: called once, before the first answer is shown.
        """
        self._request, self._limit = (request, show), PAGE
        self._is_unfolded, self._group = False, None
        self._ask(request, show, arrived, failed=partial(self._failed, request))

    def _ask(
        self,
        request: SearchRequest,
        show: Callable[[SearchResult], None],
        arrived: Callable[[], None] | None = None,
        keep_place: bool = False,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self._is_stale = False
        self.line.offer_again(False)
        self._asked += 1
        asked, library, where = self._asked, self._session.library, self.masks
        limit = self._limit
        self._is_loading = True

        def answered(found: tuple[SearchResult, tuple[float, float] | None, bool]) -> None:
            if asked == self._asked:
                self._is_loading = False
                result, qualities, self._is_empty = found
                self._can_choose = self.quality.offer(qualities)
                if arrived is not None:
                    arrived()
                self._keeps_place = keep_place
                show(result)

        self._session.main_thread.run(
            lambda: (
                request(where, limit),
                library.browse.quality_range(),
                library.browse.is_empty(),
            ),
            answered,
            failed,
            "Couldn't search",
        )

    def forget(self) -> None:
        """Cancel the request; an answer that is still to come is not shown."""
        self._asked += 1
        self._request = None
        self.line.offer_again(False)
        self._can_choose = False

    def _ask_again(self) -> None:
        if self._request is not None:
            request, show = self._request
            self._ask(request, show, failed=partial(self._failed, request))

    def _failed(self, request: SearchRequest, exc: Exception) -> None:
        """Show in place what can't be searched for; anything else goes to the error handler."""
        if not is_of_a_person(exc):
            raise exc
        if self._request is not None and self._request[0] is request:
            self.forget()
            self.say(as_sentence(str(exc)))

    def refresh(self) -> None:
        """Search again where the library changed, now that the panel comes to the front."""
        if self._is_stale:
            self._ask_more()

    def _ask_more(self) -> None:
        """Ask the same again, with the cards staying where they are."""
        request = self._request
        if request is None:
            return

        def failed(exc: Exception) -> None:
            if not isinstance(exc, MediaLibraryError):
                raise exc
            if self._request is request:  # shown in place: no person has asked just now
                self.forget()
                self.say(str(exc))

        self._ask(*request, keep_place=True, failed=failed)

    def _show_more(self) -> None:
        """Ask for more hits, once the last of those that are there is seen."""
        may_be_more = len(self.result.hits) >= self._limit and self._group is None
        if may_be_more and not self._is_folded and not self._is_loading:
            self._limit *= 2
            self._ask_more()

    def _content_changed(self) -> None:
        self._is_stale = True
        self._changes += 1
        if self.winfo_viewable():
            self.refresh()

    def _job_ended(self, job: JobState, _ended: JobEnded) -> None:
        """Keep the hits that are on the screen, until the panel is shown again."""
        if job.kind in ("add", "segment", "switch"):
            self._is_stale = True
            self._changes += 1

    def _job_event(self, _job: JobState, event: Event) -> None:
        if isinstance(event, FrameStored) and self._request is not None:
            self._is_stale = True
            self.line.offer_again(True)

    # -- going back

    def visit(self) -> Visit | None:
        """Return what is shown, for `return_to`; None where no search is."""
        if self._request is None:
            return None
        scrolled = self._scrolled if self._group is not None else self.grid_view.place
        return Visit(
            *self._request, self.result, self._limit, self._is_unfolded, scrolled, self._changes
        )

    def return_to(self, visit: Visit) -> None:
        """Show an earlier search as it was; where the library changed since, it is asked again."""
        self._asked += 1
        self._request, self._limit = (visit.request, visit.show), visit.limit
        self._is_unfolded, self._group, self._is_loading = visit.is_unfolded, None, False
        self._keeps_place = False
        self.line.offer_again(False)
        visit.show(visit.result)
        self.grid_view.scroll_to(visit.scrolled)
        if visit.changes != self._changes:
            self._ask_more()

    # -- showing

    @property
    def _strong(self) -> int:
        """How many of the cards lie above the line."""
        return count_strong(self.result.hits)

    @property
    def _is_folded(self) -> bool:
        """Whether there are cards below the line that are not shown."""
        result = self.result
        return result.line is not None and not self._is_unfolded and self._strong < len(result.hits)

    def show(self, result: SearchResult, like: str = "", none: str = NO_WORDS) -> None:
        """Show hits, best first, in one step.

        Args:
            like: what goes on the line that counts them.
            none: what to say where there are none, and nothing else explains it.
        """
        self.result, self._like = result, like
        if not result.hits:
            self.say(self.why_none(none))
            return
        if self._group is not None:  # it may have changed, or be gone
            key = self._group.segment.id
            self._group = next(
                (hit for hit in result.hits if hit.segment.id == key and hit.alike), None
            )
        self._sentence.place_forget()
        if not self._shows_grid:
            self.grid_view.pack(fill="both", expand=True)
            self._shows_grid = True
        self._show_cards(self._keeps_place)
        self._place_quality()

    def _show_cards(self, keep_place: bool) -> None:
        """Show the cards that are to be seen now, and count them."""
        result, is_missing = self.result, self._session.missing.has
        split: int | None = None
        if self._group is not None:
            alone = replace(self._group, alike=())
            self.hits = HitCards((alone, *self._group.alike), is_missing)
            self.line.say(f"{len(self.hits):,} alike", [in_files(self.hits.hits)], in_group=True)
        else:
            strong = self._strong
            hits = result.hits[:strong] if self._is_folded else result.hits
            if result.line is not None and strong < len(result.hits):
                split = strong
                weakest = result.hits[strong:]
                self.band.show(
                    counted((result.total or 0) - (result.strong or 0), "weaker hit"),
                    _and_lower(weakest[0]),
                    [hit.segment.crop_path for hit in weakest[:10] if hit.segment.crop_path],
                    self._is_unfolded,
                )
            self.hits = HitCards(hits, is_missing)
            self._count_hits(strong)
        self.grid_view.show(self.hits, keep_place, split)

    def _count_hits(self, strong: int) -> None:
        result, like = self.result, self._like
        if result.line is None:
            shown = len(result.hits)
            found = (
                f"{shown:,}+ results" if result.has_more else counted_of(shown, total_of(result))
            )
            wheres = [f"{in_files(result.hits, word)}{like}" for word in ("media file", "file")]
        elif not result.strong:
            found, wheres = "No strong hits", [like.removeprefix(", ")]
        else:
            found = counted(result.strong, "strong hit")
            weaker = f"{(result.total or 0) - result.strong:,} weaker"
            rest = f"{like} · {weaker}"
            # of some that are not here yet it is not known in which files they are
            knows_files = strong < len(result.hits) or len(result.hits) < self._limit
            files = in_files(result.hits[:strong], "file") if knows_files else ""
            wheres = [f"{files}{rest}".removeprefix(" · "), weaker]
        self.line.say(found, wheres)

    def count(self, count: Callable[[Callable[[], bool]], int]) -> None:
        """Count behind the window how many there are in all, and show it with the hits.

        Args:
            count: gets what says whether the number is still wanted.
        """
        asked, session, result = self._asked, self._session, self.result

        def wanted() -> bool:
            return asked == self._asked and not session.is_closing

        def counted_all(total: int) -> None:
            if wanted() and self.result is result and self._group is None:
                self.line.say(counted_of(len(result.hits), total), [in_files(result.hits)])

        session.main_thread.run(lambda: count(wanted), counted_all, fails="Couldn't count")

    def _fold_or_unfold(self) -> None:
        self._is_unfolded = not self._is_unfolded
        self._show_cards(keep_place=True)

    def _open_group(self, place: int) -> None:
        """Show one by one what a card stands for."""
        self._scrolled = self.grid_view.place
        self._group = self.hits.hits[place]
        self._show_cards(keep_place=False)

    def leave_group(self) -> bool:
        """Return to all results; returns whether a group was shown."""
        if self._group is None:
            return False
        self._group = None
        self._show_cards(keep_place=False)
        self.grid_view.scroll_to(self._scrolled)
        return True

    def why_none(self, none: str) -> str:
        """Return why nothing was found: what keeps hits away comes before the request itself."""
        if self._session.jobs:
            return STILL_ADDING
        if self._is_empty:
            return EMPTY
        if self.quality.least:
            return "Nothing found at this mask quality. Move the slider to the left to see more."
        return none

    def say(self, sentence: str) -> None:
        """Show a sentence in place of cards."""
        self.result, self._group = NOTHING, None
        self.hits = HitCards(())
        self.grid_view.show(self.hits)
        self.line.say("")
        if self._shows_grid:
            self.grid_view.pack_forget()
            self._shows_grid = False
        self._sentence.configure(text=sentence)
        self._sentence.place(relx=0.5, rely=0.42, anchor="center")
        self._place_quality()

    def _place_quality(self) -> None:
        """Offer the choice of masks beside hits, and where it may be why there are none."""
        has_hits = bool(len(self.result.hits))
        self.line.offer_quality(self._can_choose and bool(has_hits or self.quality.least))


def _and_lower(hit: SearchHit) -> str:
    return "" if hit.strength is None else f"{hit.strength:.0%} and lower"


def total_of(result: SearchResult) -> int | None:
    """How many hits there are in all, where that is known."""
    return result.left_by_filter if result.total is None else result.total


def counted_of(shown: int, total: int | None) -> str:
    """Count the hits that are shown, and how many there are in all where that is known."""
    more = total is not None and total > shown
    return f"{shown:,} of {total:,} results" if more else counted(shown, "result")
