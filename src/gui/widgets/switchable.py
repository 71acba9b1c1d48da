"""Controls that can be switched off, for a while or for good."""

from __future__ import annotations

from typing import Any

from src.gui.theme.theme import Theme
from src.gui.widgets.tooltip import explain


class Switchable:
    """Part of a widget that has a `theme`, and shows whether it is enabled.

    Attributes:
        enabled: whether it does what it is there for.
    """

    enabled = True
    _is_forbidden = False
    theme: Theme

    def set_enabled(self, enabled: bool) -> None:
        """Switch it on or off; off it stays once it was forbidden."""
        if enabled != self.enabled and not self._is_forbidden:
            self.enabled = enabled
            self._show_enabled()

    def forbid(self: Any, why: str) -> None:
        """Switch it off for good; its tooltip says why."""
        self.set_enabled(False)
        self._is_forbidden = True
        explain(self, self.theme, why)

    def _show_enabled(self) -> None:
        raise NotImplementedError
