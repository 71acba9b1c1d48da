"""Several media files at once: selected, labelled as wholes, removed from the library."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from src.gui.cards.card_grid import CardGrid
from src.gui.library.media_cards import MediaCards
from src.gui.panel.bulk_labels import BulkLabels
from src.gui.panel.panel import PanelContext
from src.gui.panel.selection_bar import SelectionActions, SelectionBar, SelectionButton
from src.gui.theme.toolkit import ctk

_HEIGHT = 48


class MediaSelection:
    """Shows a bar in the header, in the place of `others`, while some cards are selected.

    A label goes to the frames of each file as wholes: to the one of a photo, to all of a video.
    """

    def __init__(
        self,
        header: ctk.CTkFrame,
        context: PanelContext,
        media: MediaCards,
        grid: CardGrid,
        on_remove: Callable[[], None],
        others: Callable[[bool], None],
    ) -> None:
        """Prepare it.

        Args:
            others: shows what else lies in the header, or hides it.
        """
        self._context, self._media, self._grid, self._others = context, media, grid, others
        self.labelling = BulkLabels(
            context.session, context.labels, self._find, self._say, self._labelled, "frame"
        )
        self.bar = SelectionBar(
            header,
            context.theme,
            context.labels,
            SelectionActions(
                self.labelling.give,
                self.labelling.give_key,
                self.labelling.undo,
                lambda: grid.select(frozenset()),
                grid.canvas.focus_set,
                self._hide,
            ),
            [SelectionButton("Remove from library", on_remove, "trash", "Remove", True)],
            _HEIGHT,
        )
        self.labelling.bind_cards(grid)
        self._ids: list[int] = []

    @property
    def ids(self) -> list[int]:
        """The media files that are selected."""
        ids = self._media.ids
        return [ids[place] for place in sorted(self._grid.selection) if place < len(ids)]

    def changed(self, places: frozenset[int]) -> None:
        """Show or hide the bar, now that other cards are selected."""
        ids = self.ids
        is_another, self._ids = ids != self._ids, ids
        if not places:
            self._hide()
            return
        self._show()
        self.bar.show(f"{len(places):,} selected")
        if is_another:
            self.bar.say("", can_undo=False)

    def keep(self, media_ids: list[int]) -> None:
        """List other media files; those that were selected stay so as far as they are there."""
        before, said = set(self._ids), self.bar.said
        focused = self._grid.focused
        focus = (
            self._media.ids[focused] if focused is not None and focused < len(self._media) else None
        )
        self._media.ids = media_ids
        places = {key: place for place, key in enumerate(media_ids)}
        if focus in places:
            self._grid.focused = places[focus]
        kept = frozenset(places[key] for key in before if key in places)
        self._ids = [key for key in media_ids if key in before]
        self._grid.select(kept)
        if before and not kept and said:
            self._say(said, False)

    def ask_for_label(self, place: int | None) -> None:
        """Wait for the name of a label for what is selected, or for a card that is not."""
        if place is not None and place not in self._grid.selection:
            self._grid.select(frozenset({place}))
        if self._grid.selection:
            self.bar.entry.focus_field()

    def _show(self) -> None:
        self._others(False)
        if not self.bar.winfo_manager():
            self.bar.pack(side="left", fill="x", expand=True, padx=(16, 0))

    def _hide(self) -> None:
        self.bar.pack_forget()
        self._others(True)

    # -- labels

    def _find(self) -> Callable[[], Sequence[str]] | None:
        ids, browse = self.ids, self._context.session.library.browse
        return (lambda: browse.whole_frames(ids)) if ids else None

    def _say(self, text: str, can_undo: bool) -> None:
        self._show()
        if not self._grid.selection:
            self.bar.show_nothing_selected()
        self.bar.say(text, can_undo)

    def _labelled(self) -> None:
        self.bar.entry.set("")
        self._grid.canvas.focus_set()
