"""What a person can set, each with a word on what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import customtkinter as ctk

from src.config import Settings
from src.gui.overlay import Overlay
from src.gui.theme import SMALL, TITLE
from src.gui.widgets.controls import Button, IconButton, label, rule
from src.gui.widgets.inputs import Entry
from src.gui.widgets.menu_button import MenuButton

_AS_MODEL, _AS_DESKTOP = "Automatic", "Match system"
_DEVICES = {
    "Automatic": "auto",
    "Processor (CPU)": "cpu",
    "NVIDIA GPU (CUDA)": "cuda",
    "Apple GPU (MPS)": "mps",
}
_LOOKS = {"Dark": "dark", "Light": "light", _AS_DESKTOP: "system"}
_SIZES: dict[str, float | None] = {
    _AS_DESKTOP: None,
    "75 %": 0.75,
    "100 %": 1.0,
    "125 %": 1.25,
    "150 %": 1.5,
    "175 %": 1.75,
    "200 %": 2.0,
}
_GRIDS: dict[str, int | None] = {
    _AS_MODEL: None,
    "8": 8,
    "16": 16,
    "24": 24,
    "32": 32,
    "48": 48,
    "64": 64,
}
_RATES = {
    "1 every 10 seconds": 0.1,
    "1 every 5 seconds": 0.2,
    "1 every 2 seconds": 0.5,
    "1 per second": 1.0,
    "2 per second": 2.0,
    "5 per second": 5.0,
}
_ALIKE = {
    "Off": -1,
    "Identical": 1,
    "Nearly identical": 2,
    "Similar": 5,
    "Loosely similar": 10,
}


class SettingsDialog:
    """Saved when Save is pressed; some of it holds from the next start on."""

    def __init__(
        self,
        overlay: Overlay,
        settings: Settings,
        library: str,
        on_save: Callable[[Settings], None],
        on_folder: Callable[[], None],
    ) -> None:
        self.overlay, self.look = overlay, overlay.look
        self._settings, self._on_save = settings, on_save
        self._dialog = dialog = overlay.open(640)
        look, c = self.look, self.look.colours
        head = ctk.CTkFrame(dialog, fg_color="transparent")
        head.grid(row=0, column=0, sticky="ew", padx=(32, 20), pady=(12, 4))
        label(head, look, "Settings", size=TITLE, weight="medium").pack(side="left")
        IconButton(head, look, "close", "Close (Escape)", self.close).pack(side="right")
        self._table = ctk.CTkFrame(dialog, fg_color="transparent")
        self._table.grid(row=1, column=0, sticky="ew", padx=(32, 28))
        self._table.grid_columnconfigure(0, weight=1)
        self._row = 0
        self._hints: dict[str, ctk.CTkLabel] = {}
        s = settings
        self.rate = self._menu(
            "Video frames", "How often a frame is read", _RATES, s.frames_per_second
        )
        self.alike = self._menu("Skip similar frames", "", _ALIKE, s.duplicate_distance)
        self.least = self._number(
            "Minimum segment size (% of image)", "", f"{100 * s.min_segment_share:g}"
        )
        self.grid = self._menu(
            "Points per side",
            "More points find smaller objects but take longer",
            _GRIDS,
            s.points_per_side,
        )
        self.batch = self._number("Batch size", "Crops per batch", str(s.batch_size))
        self.device = self._menu("Device", "Where the models run", _DEVICES, s.device)
        self.appearance = self._menu("Appearance", "", _LOOKS, s.appearance)
        self.scaling = self._menu("Interface scale", "", _SIZES, s.widget_scaling)
        self._line("Library folder", library)
        Button(self._table, look, "Open another…", on_folder, height=28).grid(
            row=self._row, column=1, sticky="e"
        )
        rule(dialog, look).grid(row=2, column=0, sticky="ew", padx=1, pady=(12, 0))
        foot = ctk.CTkFrame(dialog, fg_color="transparent")
        foot.grid(row=3, column=0, sticky="ew", padx=(32, 28), pady=12)
        Button(foot, look, "Save", self._save, kind="main", height=36).pack(side="right")
        Button(foot, look, "Cancel", self.close, height=36).pack(side="right")
        self._note = label(
            foot,
            look,
            "Device, points, batch, appearance and size\nhold from the next start on.",
            size=SMALL,
            colour=c.text_2,
            justify="left",
        )
        self._note.pack(side="left")

    def say_whether_device_lacks(self, lacks: bool) -> None:
        """Say that the device wished for is not there; this is found out after the dialog came."""
        if lacks and self.overlay.holds(self._dialog):
            self._hints["Device"].configure(text="Not available on this computer; the CPU is used")

    def close(self) -> None:
        self.overlay.close(self._dialog)

    def _line(self, name: str, hint: str) -> None:
        look = self.look
        self._row += 1
        words = ctk.CTkFrame(self._table, fg_color="transparent")
        words.grid(row=self._row, column=0, sticky="w")
        self._table.grid_rowconfigure(self._row, minsize=look.px(44))
        label(words, look, name).pack(anchor="w")
        if hint:
            self._hints[name] = label(
                words,
                look,
                hint,
                size=SMALL,
                colour=look.colours.text_2,
                wraplength=300,
                justify="left",
            )
            self._hints[name].pack(anchor="w")

    def _menu(
        self, name: str, hint: str, choices: dict[str, Any], value: Any
    ) -> tuple[MenuButton, dict[str, Any]]:
        self._line(name, hint)
        known = dict(choices)
        if value not in known.values():
            known[f"{value:g}" if isinstance(value, float) else str(value)] = value
        chosen = next(text for text, meant in known.items() if meant == value)
        menu = MenuButton(
            self._table, self.look, list(known), lambda _: None, width=232, height=28, value=chosen
        )
        menu.grid(row=self._row, column=1, sticky="e")
        return menu, known

    def _number(self, name: str, hint: str, value: str) -> Entry:
        self._line(name, hint)
        entry = Entry(self._table, self.look, "", height=32)
        entry.set(value)
        entry.grid(row=self._row, column=1, sticky="ew", padx=4)
        return entry

    def _save(self) -> None:
        try:
            settings = replace(
                self._settings,
                frames_per_second=_chosen(self.rate),
                duplicate_distance=_chosen(self.alike),
                min_segment_share=float(self.least.text.replace(",", ".")) / 100,
                points_per_side=_chosen(self.grid),
                batch_size=int(self.batch.text),
                device=_chosen(self.device),
                appearance=_chosen(self.appearance),
                widget_scaling=_chosen(self.scaling),
            )
        except ValueError as exc:
            self._note.configure(
                text=f"Not saved: {exc}", text_color=self.look.colours.error, wraplength=330
            )
            return
        self.close()
        self._on_save(settings)


def _chosen(menu: tuple[MenuButton, dict[str, Any]]) -> Any:
    button, choices = menu
    return choices[button.value]
