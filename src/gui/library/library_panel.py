"""The library: every media file as a card, also those being read, waiting and failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from src.counting import counted
from src.errors import LibraryLockedError
from src.events import (
    Event,
    FileDone,
    FileFailed,
    FileKnown,
    FilePassedOver,
    FileStarted,
    FrameSkipped,
    FrameStored,
)
from src.gui.cards.card_grid import CardGrid
from src.gui.cards.card_view import CardActions
from src.gui.core.job_state import JobState
from src.gui.core.wording import explained
from src.gui.library.chosen_card import ChosenCard, LibraryActions
from src.gui.library.empty_state import EmptyState, NotOpened, Recovering
from src.gui.library.library_header import HeaderActions, LibraryHeader
from src.gui.library.media_cards import MediaCards
from src.gui.library.media_filter import MediaFilter, NothingFits
from src.gui.library.media_selection import MediaSelection
from src.gui.panel.panel import Panel, PanelContext
from src.gui.theme.theme import LEFT, RIGHT
from src.gui.theme.toolkit import ctk
from src.gui.widgets.notice import Notice
from src.gui.widgets.popup import show_menu
from src.job_kinds import IMPORT
from src.records import MediaFile, MediaOrder
from src.search.filters import EVERYTHING

CARD_MENU = "card"
_RELOAD_MS = 500


@dataclass(frozen=True)
class _Listing:
    """What is listed of the library.

    Attributes:
        ids: of the media files that the filter leaves.
        every: how many there are in all.
        failed: how many of all could not be read.
        hidden: how many copies are hidden.
        stopped: those that wait since a person stopped adding them.
    """

    ids: list[int]
    every: int
    failed: int
    hidden: int
    stopped: list[MediaFile]


class LibraryPanel(Panel):
    """Header, grid, and the empty state in the grid's place."""

    def __init__(
        self,
        context: PanelContext,
        actions: LibraryActions,
        offer_models: Callable[[EmptyState], None],
    ) -> None:
        super().__init__(context)
        theme, session = context.theme, context.session
        self._offer_models = offer_models
        self._actions, self._menu_entries = actions, context.menu
        self.chosen: ChosenCard | None = None  # of the menu that was opened last
        self.media = MediaCards(session)
        self._order: MediaOrder = "added"
        self._reading = self._read_again = False
        self._reload_waits = False
        self._header = LibraryHeader(
            self,
            theme,
            HeaderActions(
                actions.import_dataset,
                self._sorted,
                lambda width: self.grid_view.set_wish(width),
                lambda width: session.keep(thumbnail_width=width),
            ),
        )
        session.only_to_write(self._header.import_dataset)
        self.stopped = Notice(self, theme)
        self.grid_view = CardGrid(
            self,
            theme,
            context.painter,
            context.thumbnails,
            CardActions(self._open, self._retry_card, self._menu, self._selected),
        )
        self.selection = MediaSelection(
            self._header.frame,
            context,
            self.media,
            self.grid_view,
            self.remove_selected,
            self._show_tools,
        )
        # these are made when there is something to filter
        self.filter: MediaFilter | None = None
        self._nothing_fits: NothingFits | None = None
        self._shown: ctk.CTkFrame | None = None
        session.signals.recovering.append(self._show_recovering)
        session.signals.not_opened.append(self._show_not_opened)
        session.signals.opened.append(self._opened)
        session.signals.content_changed.append(self.content_changed)
        session.signals.missing_changed.append(self.grid_view.refresh)
        session.signals.job_event.append(self._job_event)
        session.signals.job_ended.append(lambda job, ended: self._job_ended(job))

    # what most starts never show is made when it is first shown

    @cached_property
    def _empty(self) -> EmptyState:
        actions = self._actions
        empty = EmptyState(self, self.theme, actions.add_files, actions.add_folder, actions.samples)
        self._offer_models(empty)
        if self._session.read_only:
            empty.say_nothing_there()
        return empty

    @cached_property
    def _not_opened(self) -> NotOpened:
        session, actions = self._session, self._actions
        to_read = None if session.read_only else actions.open_to_read
        return NotOpened(self, self.theme, session.open, actions.open_another, to_read)

    @cached_property
    def _recovering(self) -> Recovering:
        return Recovering(self, self.theme)

    def shown(self) -> None:
        self.grid_view.canvas.focus_set()

    @property
    def card_grid(self) -> CardGrid:
        return self.grid_view

    def step_back(self) -> bool:
        """Clear the selection, else show all media files again."""
        if self.grid_view.selection:
            self.grid_view.select(frozenset())
        elif self._is_filtered:
            self._show_all()
            self.grid_view.canvas.focus_set()
        else:
            return False
        return True

    # -- header

    def _selected(self, cards: frozenset[int]) -> None:
        self.selection.changed(cards)

    def _show_tools(self, shown: bool) -> None:
        """Show the order and the size of cards; a selection takes their place."""
        full = len(self.media) > 0 or self._is_filtered
        self._header.show(with_count=shown, with_tools=shown and full)

    def _sorted(self, order: MediaOrder) -> None:
        self._order = order
        self._session.keep(media_order=order)
        self.reload()

    def _opened(self) -> None:
        """Show it as it was at the end of the last session."""
        settings = self._session.library.settings
        self._order = settings.media_order
        self._header.show_choices(self._order, settings.thumbnail_width)
        self.grid_view.set_wish(settings.thumbnail_width)
        self.reload()

    # -- content

    def reload(self) -> None:
        """List the library again, in another thread; the place is kept."""
        if not self._session.is_open:
            return
        if self._reading:
            self._read_again = True
            return
        self._reading = True
        order, browse, stopped = (
            self._order,
            self._session.library.browse,
            self._session.library.stopped,
        )
        where, name = EVERYTHING, ""
        if self.filter is not None:
            where, name = self.filter.where, self.filter.name

        def listing() -> _Listing:
            every = browse.media_ids(order)
            left = browse.media_ids(order, where, name) if where or name else every
            failed, hidden = browse.failed_media(), browse.hidden_media()
            return _Listing(left, len(every), failed, hidden, stopped())

        self._session.main_thread.run(listing, self._listed, self._not_listed)

    def _listed(self, found: _Listing) -> None:
        ids, failed, stopped = found.ids, found.failed, found.stopped
        self._reading = False
        self.media.stopped = frozenset(media.id for media in stopped)
        self._show_stopped(len(stopped))
        if ids != self.media.ids:
            self.selection.keep(ids)
        text = count_of_media(found.every, failed, found.hidden)
        if self._is_filtered:
            text = f"{len(ids):,} of {text}"
        self._header.say(text if found.every else "")
        self._show_filter(found.every > 0)
        self._show(self.grid_view if ids else self._none_left(found.every))
        self._show_tools(not self.selection.bar.winfo_manager())
        self.grid_view.show(self.media, keep_place=True)
        if self._read_again:
            self._read_again = False
            self.reload()

    def _show_stopped(self, count: int) -> None:
        """Offer to continue with what a person stopped, or to remove it."""
        if count and not self._session.read_only:
            self.stopped.say(
                f"Stopped, {counted(count, 'file')} left.",
                "info",
                ("Continue", self._actions.go_on),
                ("Remove them", lambda: self._actions.remove(sorted(self.media.stopped))),
            )
            self.stopped.pack(fill="x", padx=(LEFT, RIGHT), pady=(0, 8), after=self._header.frame)
        else:
            self.stopped.pack_forget()

    def _show_filter(self, shown: bool) -> None:
        """Show the line with the filter, while there is something to filter."""
        if shown and self.filter is None:
            self.filter = MediaFilter(self, self.theme, self._session, self.reload)
        if self.filter is not None and shown != bool(self.filter.winfo_manager()):
            if shown:
                self.filter.pack(fill="x", pady=(0, 4), after=self._header.frame)
            else:
                self.filter.pack_forget()

    def _none_left(self, every: int) -> ctk.CTkFrame:
        """Return what stands in the place of the cards: the library is empty, or nothing fits."""
        if not every:
            return self._empty
        if self._nothing_fits is None:
            self._nothing_fits = NothingFits(self, self.theme, self._show_all)
        return self._nothing_fits

    @property
    def _is_filtered(self) -> bool:
        return self.filter is not None and self.filter.is_set

    def _show_all(self) -> None:
        if self.filter is not None:
            self.filter.clear()

    def _not_listed(self, exc: Exception) -> None:
        self._reading = False
        raise exc

    def _show(self, part: ctk.CTkFrame) -> None:
        if part is not self._shown:
            if self._shown is not None:
                self._shown.pack_forget()
            if part is not self.grid_view:
                part.pack(fill="both", expand=True, padx=(LEFT, RIGHT), pady=(8, 24))
            else:
                part.pack(fill="both", expand=True)
            self._shown = part

    def _show_not_opened(self) -> None:
        exc = self._session.not_opened
        assert exc is not None
        self._not_opened.say(isinstance(exc, LibraryLockedError), *explained(exc))
        self._show(self._not_opened)

    def _show_recovering(self, done: int, total: int) -> None:
        if not self._session.is_open:
            self._recovering.say(done, total)
            self._show(self._recovering)

    def content_changed(self) -> None:
        self.media.forget()
        self.reload()

    # -- a running job

    def _job_event(self, job: JobState, event: Event) -> None:
        if job not in self._session.jobs:
            return  # an export changes nothing here
        if isinstance(event, FileStarted):
            if event.file_number == 1:
                self.reload()  # the job has registered its files
            self._set_busy(event.path, job)
        elif isinstance(event, FrameStored | FrameSkipped):
            if job.file_frames == 1:
                self.media.forget(event.path)  # it has a poster now
            self.grid_view.refresh()
        elif isinstance(event, FileDone | FileFailed | FileKnown | FilePassedOver):
            self.media.forget(event.path)
            self._set_busy(None, job)
            # it may be a second copy; images of a dataset come one by one
            no_card = isinstance(event, FileKnown | FilePassedOver) or job.kind == IMPORT.key
            if no_card and not self._reload_waits:
                self._reload_waits = True
                self.after(_RELOAD_MS, self._reload_waiting)

    def _reload_waiting(self) -> None:
        self._reload_waits = False
        self.reload()

    def _job_ended(self, job: JobState) -> None:
        busy = self.media.busy
        if busy is not None and busy[1] is job:  # not another one, beside which files are read
            self._set_busy(None, None)
        if not job.about.in_background:  # such a one changes nothing that is shown
            self.content_changed()

    def _set_busy(self, path: Path | None, job: JobState | None) -> None:
        self.media.busy = None if path is None or job is None else (path, job)
        self.grid_view.refresh()

    # -- one card

    def _open(self, place: int) -> None:
        if (chosen := self._at(place)) is not None:
            chosen.open()

    def _retry_card(self, place: int) -> None:
        if (chosen := self._at(place)) is not None:
            chosen.retry()

    def ask_for_label(self) -> None:
        self.selection.ask_for_label(self.grid_view.focused)

    def undo(self) -> None:
        self.selection.labelling.undo()

    def redo(self) -> None:
        self.selection.labelling.redo()

    def _at(self, place: int) -> ChosenCard | None:
        card = self.media.card(place)
        if card is None:
            return None
        is_stopped = card.media.id in self.media.stopped
        is_missing = self._session.missing.has(card.media.path)
        return ChosenCard(
            card,
            is_stopped,
            is_missing,
            self._actions,
            lambda: self.selection.ask_for_label(place),
        )

    @property
    def has_keyboard(self) -> bool:
        """Whether keys are for the cards."""
        return self.focus_get() is self.grid_view.canvas

    def remove_selected(self) -> None:
        """Ask to remove what is selected, or else the card that has the focus."""
        places = sorted(self.grid_view.selection)
        if not places and self.grid_view.focused is not None:
            places = [self.grid_view.focused]
        ids = [self.media.ids[place] for place in places if place < len(self.media.ids)]
        if ids:
            self._actions.remove(ids)

    def _menu(self, place: int, x: int, y: int) -> None:
        self.chosen = self._at(place)
        if self.chosen is not None:
            show_menu(self, self.theme, self._menu_entries(CARD_MENU), x, y)


def count_of_media(listed: int, failed: int, hidden: int = 0) -> str:
    """Count as the sidebar does: what could not be read is not in the library.

    Args:
        hidden: copies that are in the library, and not listed.
    """
    text = counted(listed - failed + hidden, "media file")
    text += f", {hidden:,} hidden" if hidden else ""
    return f"{text}, {failed:,} failed" if failed else text
