"""The line that offers larger models to a person who has only the bundled ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.gui.models.models_controller import ModelsController
from src.gui.theme.theme import Theme
from src.gui.widgets.notice import Notice


class OfferNotice(Notice):
    """Shown while there is an offer; its owner decides where."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        work: ModelsController,
        on_models: Callable[[], object],
        place: Callable[[OfferNotice], None],
        can_decline: bool = True,
    ) -> None:
        """Make it.

        Args:
            on_models: shows the models, and how far their downloads are.
            place: puts it where it belongs.
            can_decline: has a link that ends the offer.
        """
        super().__init__(master, theme, "info")
        self._work, self._on_models, self._place = work, on_models, place
        self._wanted, self._can_decline = True, can_decline
        work.changed.append(self._update)

    def want(self, wanted: bool) -> None:
        """Show the offer, if there is one, or hide it."""
        self._wanted = wanted
        self._update()

    def _update(self) -> None:
        offer = self._work.offer if self._wanted else None
        if offer is None:
            self.pack_forget()
            return
        if offer.fetching:
            self.say(offer.text, "info", ("Show progress", self._on_models))
        else:
            decline = [("Not now", self._work.decline_offer)] if self._can_decline else []
            self.say(offer.text, "info", ("Download", self._work.take_offer), *decline)
        if not self.winfo_manager():
            self._place(self)
