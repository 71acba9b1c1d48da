"""Lines over the hits: words that the model does not know, and the offer of larger models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.gui.models.models_controller import ModelsController
from src.gui.models.offer_notice import OfferNotice
from src.gui.theme.theme import LEFT, RIGHT, Theme
from src.gui.widgets.notice import Notice


class SearchNotices:
    """Shows one of them at a time."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        work: ModelsController,
        on_models: Callable[[], None],
        hits: Callable[[], Any],
    ) -> None:
        """Make them, hidden.

        Args:
            on_models: shows the models, and how far their downloads are.
            hits: gives the widget that they lie above.
        """
        self._on_models, self._hits = on_models, hits
        self._unknown = Notice(master, theme)
        self._offer = OfferNotice(master, theme, work, on_models, self._place)
        self._offer.want(False)

    def show(self, unknown: str) -> None:
        """Show what the model does not know; "" where it knows all, so that the offer may come."""
        if unknown:
            self._unknown.say(unknown, "warn", ("Get larger models", self._on_models))
            self._place(self._unknown)
        else:
            self._unknown.pack_forget()
        self._offer.want(not unknown)

    def _place(self, notice: Notice) -> None:
        notice.pack(fill="x", padx=(LEFT, RIGHT), before=self._hits())
