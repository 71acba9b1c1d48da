"""Lines over the hits: words that the model does not know, a server that is away, larger models."""

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
        away: Callable[[], object | None] = lambda: None,
    ) -> None:
        """Make them, hidden.

        Args:
            on_models: shows the models, and how far their downloads are.
            hits: gives the widget that they lie above.
            away: says why the Chroma server can't be told what is new, while it can't.
        """
        self._on_models, self._hits, self._away = on_models, hits, away
        self._said = Notice(master, theme)
        self._offer = OfferNotice(master, theme, work, on_models, self._place)
        self._offer.want(False)

    def show(self, unknown: str) -> None:
        """Show what the model does not know; "" where it knows all, so that the offer may come."""
        away = self._away()
        if unknown:
            self._said.say(unknown, "warn", ("Get larger models", self._on_models))
        elif away is not None:
            self._said.say(f"{away}.", "info")
        if unknown or away is not None:
            self._place(self._said)
        else:
            self._said.pack_forget()
        self._offer.want(not unknown and away is None)

    def _place(self, notice: Notice) -> None:
        notice.pack(fill="x", padx=(LEFT, RIGHT), pady=(0, 4), before=self._hits())
