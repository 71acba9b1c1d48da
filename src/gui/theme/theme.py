"""Colours, fonts, distances and the scale, each named once."""

from __future__ import annotations

import os
import sys
import tkinter
import tkinter.font
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from src.gui.theme.toolkit import ctk


@dataclass(frozen=True)
class Palette:
    """Colours by what they are for. Photos are the only bright thing; one accent acts or finds."""

    window: str = "#161618"
    sidebar: str = "#1C1C1F"  # also strips and dialogs
    card: str = "#232327"  # also entries
    raised: str = "#2D2D32"  # buttons, the row you are on
    hover: str = "#38383E"  # also tracks
    pressed: str = "#26262A"
    disabled: str = "#232327"  # a button that can't be pressed; in light white would stand out
    border: str = "#36363C"
    strong_border: str = "#53535C"  # also scrollbars
    control: str = "#36363C"  # outlines of buttons and menus; light needs a stronger one
    text: str = "#EDEDEF"
    text_2: str = "#B2B2BA"
    hint: str = "#96969F"  # also disabled
    accent: str = "#7AB0FF"
    accent_hover: str = "#9CC4FF"
    accent_pressed: str = "#5B96EE"
    on_accent: str = "#0B1A33"
    selection: str = "#1E2E48"  # also the Add button
    selection_hover: str = "#263A5A"
    selection_pressed: str = "#16243A"
    drop_zone: str = "#19191C"
    success: str = "#5CC98B"
    success_fill: str = "#1B3127"
    warn: str = "#E6B450"
    warn_fill: str = "#352C1B"
    error: str = "#F58084"
    error_fill: str = "#3A2225"


DARK = Palette()
LIGHT = Palette(
    window="#F7F7F8",
    sidebar="#EFEFF1",
    card="#FFFFFF",
    raised="#E4E4E8",
    hover="#D8D8DD",
    pressed="#EAEAED",
    disabled="#EFEFF1",
    border="#C9C9D0",
    strong_border="#808089",
    control="#808089",
    text="#1B1B1E",
    text_2="#4C4C55",
    hint="#5C5C64",
    accent="#1F62C8",
    accent_hover="#2B73DE",
    accent_pressed="#174C9E",
    on_accent="#FFFFFF",
    selection="#DCE8FB",
    selection_hover="#CADCF8",
    selection_pressed="#E6EFFC",
    drop_zone="#F2F2F4",
    success="#1B7F49",
    success_fill="#DDF2E6",
    warn="#8A5A00",
    warn_fill="#FBF0D6",
    error="#A81F26",
    error_fill="#FBE3E4",
)

SIDEBAR = 240
HEADER = 64
STRIP = 72
LEFT, RIGHT = 24, 32  # margins; the scrollbar lives in the right one and moves nothing
SIDE_PANEL = 320
DIALOG = 768
LEAST_WH = (960, 600)
FIRST_WH = (1280, 800)
RADIUS = 8
RADIUS_SMALL, RADIUS_LARGE = 4, 12

SMALL, NORMAL, TITLE = 12, 14, 20
Weight = Literal["regular", "medium"]

_SYSTEM_FONTS, _FONTS = Path("/etc/fonts/fonts.conf"), Path(__file__).with_name("fonts.conf")
_REGULAR_BY_RULE = (
    sys.platform == "linux" and "FONTCONFIG_FILE" not in os.environ and _SYSTEM_FONTS.is_file()
)
_FALLBACKS = ("Segoe UI", "SF Pro Text", "Helvetica Neue", "Noto Sans", "DejaVu Sans", "Arial")


def use_own_font_rules() -> None:
    """Let fontconfig read fonts.conf, before Tk is started; see there."""
    if _REGULAR_BY_RULE:
        os.environ["FONTCONFIG_FILE"] = str(_FONTS)


class Theme:
    """What a window looks like: its palette, fonts and scale."""

    def __init__(self, palette: Palette, scale: float) -> None:
        """Set colours and scale, before the first widget is made.

        Args:
            scale: device pixels of a pixel of the design.
        """
        self.colours = palette
        self.scale = scale
        self._family = "Roboto Text" if _REGULAR_BY_RULE else "Roboto"
        self._medium: str | None = "Roboto Medium"
        self.shows_focus = True  # whether the last input was a key, not the pointer
        self._widget_fonts: dict[tuple[int, str], ctk.CTkFont] = {}
        self._canvas_fonts: dict[tuple[int, str], tkinter.font.Font] = {}

    def find_fonts(self, root: tkinter.Misc) -> None:
        """Choose Roboto where it is, else a font of the system."""
        families = set(tkinter.font.families(root))
        if "Roboto" not in families:
            self._family = next((name for name in _FALLBACKS if name in families), "TkDefaultFont")
            self._medium = None

    def px(self, length: float) -> int:
        """Turn pixels of the design into device pixels, for a Canvas or a picture."""
        return round(length * self.scale)

    def font(self, size: int = NORMAL, weight: Weight = "regular") -> ctk.CTkFont:
        """Return a font for a CustomTkinter widget, which scales it itself."""
        key = (size, weight)
        if key not in self._widget_fonts:
            family, style = self._face(weight)
            self._widget_fonts[key] = ctk.CTkFont(family, size, style)
        return self._widget_fonts[key]

    def canvas_font(
        self, root: tkinter.Misc, size: int = NORMAL, weight: Weight = "regular"
    ) -> tkinter.font.Font:
        """Return a font for text on a Canvas, scaled."""
        key = (size, weight)
        if key not in self._canvas_fonts:
            family, style = self._face(weight)
            self._canvas_fonts[key] = tkinter.font.Font(
                root, None, None, False, family=family, size=-self.px(size), weight=style
            )
        return self._canvas_fonts[key]

    def _face(self, weight: Weight) -> tuple[str, Literal["normal", "bold"]]:
        if weight == "regular":
            return self._family, "normal"
        return (self._medium, "normal") if self._medium else (self._family, "bold")


def shorten(text: str, font: tkinter.font.Font, width_px: int, tail: int = 9) -> str:
    """Shorten a text to fit: a long name loses its middle and keeps its ending.

    Args:
        tail: characters of the ending that stay; 0 for a sentence, which loses its end.
    """
    if font.measure(text) <= width_px:
        return text
    low, high = 0, len(text)
    while low < high:  # the most characters that fit
        middle = (low + high + 1) // 2
        if font.measure(_without_middle(text, middle, tail)) <= width_px:
            low = middle
        else:
            high = middle - 1
    return _without_middle(text, low, tail)


def _without_middle(text: str, kept: int, tail: int) -> str:
    tail = min(kept // 2, tail)
    return text[: kept - tail].rstrip() + "…" + (text[-tail:] if tail else "")
