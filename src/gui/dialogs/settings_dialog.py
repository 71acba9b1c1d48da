"""The settings, each with a short explanation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from src.chroma_address import ChromaAddress
from src.gui.core.wording import as_sentence, capital, listed
from src.gui.dialogs.cluster_choice import ClusterChoice
from src.gui.dialogs.server_entry import ServerEntry, Try
from src.gui.theme.theme import SMALL, TITLE
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, IconButton, label, rule
from src.gui.widgets.inputs import Entry
from src.gui.widgets.menu_button import MenuButton
from src.gui.widgets.overlay import Overlay
from src.gui.widgets.scrolled import Scrolled
from src.settings import Settings

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
_PAGES = {"The first": False, "All": True}

_AFTER_RESTART = {
    "points_per_side": "points per side",
    "batch_size": "batch size",
    "device": "device",
    "appearance": "appearance",
    "widget_scaling": "interface scale",
}
LARGEST_BATCH = 4096
_INDEX, _KEPT_HERE = "Search index", "Chroma server; if empty, the library's folder"
_CLUSTER = "Process on a cluster"
_FOLDERS = "Folders on the cluster"
_HOW_FOLDERS = "Where they have other names, one per line: HERE=THERE"
# Of a window that is too low for all rows: what is left free over and under the dialog.
_AROUND = 16
_RIGHT = 256  # the width of what is chosen


class SettingsDialog:
    """Saved when Save is pressed; where something waits for a restart, that is offered."""

    def __init__(
        self,
        overlay: Overlay,
        settings: Settings,
        library: str,
        index_server: str | None,
        uses_cluster: bool,
        on_save: Callable[[Settings, bool, Callable[[], None]], None],
        on_folder: Callable[[], None],
        on_restart: Callable[[], None],
        on_test: Try,
        on_test_cluster: Try,
    ) -> None:
        """Open it.

        Args:
            index_server, uses_cluster: the Chroma server in use, and whether the cluster of the
                settings is; what this user has not named is not.
            on_save: keeps settings, is told whether the user has chosen where media is processed,
                and says when that is done.
            on_test, on_test_cluster: ask a Chroma server and a cluster whether they answer.
        """
        self.overlay, self.theme = overlay, overlay.theme
        self._settings, self._on_save, self._on_restart = settings, on_save, on_restart
        self._dialog = dialog = overlay.open(640, on_sized=self._fit)
        theme = self.theme
        head = ctk.CTkFrame(dialog, fg_color="transparent")
        head.grid(row=0, column=0, sticky="ew", padx=(32, 20), pady=(12, 4))
        label(head, theme, "Settings", size=TITLE, weight="medium").pack(side="left")
        IconButton(head, theme, "close", overlay.close_hint, self.close).pack(side="right")
        self._scrolled = Scrolled(dialog, theme, theme.colours.sidebar, (32, 28))
        self._scrolled.grid(row=1, column=0, sticky="ew", padx=1)
        self._table = ctk.CTkFrame(self._scrolled, fg_color="transparent")
        self._table.pack(fill="x")
        self._table.grid_columnconfigure(0, weight=1)
        self._row = 0
        self._to_be_seen: ctk.CTkFrame | None = None  # once it is known where all is
        self._rows: dict[str, int] = {}
        self._hints: dict[str, ctk.CTkLabel] = {}
        s = settings
        self.rate = self._menu("Frames read from videos", "", _RATES, s.frames_per_second)
        self.alike = self._menu("Skip similar frames", "", _ALIKE, s.duplicate_distance)
        self.pages = self._menu("Pages read from TIFF files", "", _PAGES, s.all_pages)
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
        self._line(_CLUSTER, " ")
        self._line(_FOLDERS, _HOW_FOLDERS)
        self.cluster = ClusterChoice(
            self._table,
            theme,
            s.cluster,
            s.cluster_roots,
            uses_cluster or s.cluster is None,
            on_test_cluster,
            lambda said, is_wrong: self._say(_CLUSTER, said, is_wrong),
            lambda said, is_wrong: self._say(_FOLDERS, said or _HOW_FOLDERS, is_wrong),
            self._ask_for_folders,
            _RIGHT,
        )
        self.cluster.frame.grid(row=self._row - 1, column=1, sticky="ew")
        self.cluster.show()
        kept = _KEPT_HERE
        if s.chroma_server != index_server:
            kept = f"This library names {s.chroma_server}. To allow it, type it here"
        self._line(_INDEX, kept)
        self.server = ServerEntry(
            self._table,
            theme,
            "http://HOST:8000",
            index_server,
            on_test,
            lambda said, is_wrong: self._say(_INDEX, said or kept, is_wrong),
        )
        self.server.grid(row=self._row, column=1, sticky="ew")
        self._line("Library folder", library)
        Button(self._table, theme, "Open another…", on_folder, height=28).grid(
            row=self._row, column=1, sticky="e"
        )
        rule(dialog, theme).grid(row=2, column=0, sticky="ew", padx=1, pady=(theme.px(12), 0))
        self._foot = ctk.CTkFrame(dialog, fg_color="transparent")
        self._foot.grid(row=3, column=0, sticky="ew", padx=(32, 28), pady=12)
        self._build_foot(("Save", self._save), ("Cancel", self.close))

    def _build_foot(
        self, main: tuple[str, Callable[[], object]], other: tuple[str, Callable[[], object]]
    ) -> None:
        theme = self.theme
        for part in self._foot.winfo_children():
            part.destroy()
        Button(self._foot, theme, main[0], main[1], kind="main", height=36).pack(side="right")
        Button(self._foot, theme, other[0], other[1], height=36).pack(side="right")
        self._note = label(
            self._foot,
            theme,
            "",
            size=SMALL,
            colour=theme.colours.text_2,
            justify="left",
            wraplength=330,
        )
        self._note.pack(side="left")

    def say_whether_device_lacks(self, lacks: bool) -> None:
        """Show that the device wished for is not there; this is known after the dialog opens."""
        if lacks and self.overlay.holds(self._dialog):
            self._hints["Device"].configure(text="Not available on this machine; the CPU is used")

    def see_cluster(self) -> None:
        """Have the row of the cluster in sight when the dialog comes, however low the window."""
        self._to_be_seen = self.cluster.frame

    def _say(self, row: str, sentence: str, is_wrong: bool) -> None:
        """Show what is known of what a row asks for, in the place of its explanation."""
        c = self.theme.colours
        self._hints[row].configure(text=sentence, text_color=c.error if is_wrong else c.text_2)
        self._fit()

    def _ask_for_folders(self, asks: bool) -> None:
        """Show the row of folders on the workers, or hide it."""
        words, row = self._hints[_FOLDERS].master, self._rows[_FOLDERS]
        if asks:
            words.grid()
            self.cluster.folders.grid(row=row, column=1, sticky="ew", padx=4, pady=4)
        else:
            words.grid_remove()
            self.cluster.folders.grid_remove()
        self._table.grid_rowconfigure(row, minsize=self.theme.px(44) if asks else 0)
        self._fit()
        if self.overlay.undrawn is not self._dialog:  # a person has chosen
            self._scrolled.see(words if asks else self._hints[_CLUSTER].master)

    def _fit(self) -> None:
        """Let the rows scroll where the window is too low for all of them."""
        if not self.overlay.holds(self._dialog):
            return
        self._dialog.update_idletasks()
        others = self._dialog.winfo_reqheight() - self._scrolled.master.master.winfo_reqheight()
        around = 2 * self.theme.px(_AROUND)
        self._scrolled.fit(self.overlay.root.winfo_height() - around - others)
        if self._to_be_seen is not None:
            self._scrolled.show_from(self._to_be_seen)
            self._to_be_seen = None

    def close(self) -> None:
        self.overlay.close(self._dialog)

    def _line(self, name: str, hint: str) -> None:
        theme = self.theme
        self._row += 1
        self._rows[name] = self._row
        words = ctk.CTkFrame(self._table, fg_color="transparent")
        words.grid(row=self._row, column=0, sticky="w", pady=4)
        self._table.grid_rowconfigure(self._row, minsize=theme.px(44))
        label(words, theme, name).pack(anchor="w")
        if hint:
            self._hints[name] = label(
                words,
                theme,
                hint,
                size=SMALL,
                colour=theme.colours.text_2,
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
            self._table,
            self.theme,
            list(known),
            lambda _: None,
            width=_RIGHT,
            height=28,
            value=chosen,
        )
        menu.grid(row=self._row, column=1, sticky="e")
        return menu, known

    def _number(self, name: str, hint: str, value: str) -> Entry:
        self._line(name, hint)
        entry = Entry(self._table, self.theme, "", height=32)
        entry.set(value)
        entry.grid(row=self._row, column=1, sticky="ew", padx=4)
        return entry

    def _save(self) -> None:
        share = as_number(self.least.text, 0, 100)
        batch = as_number(self.batch.text, 1, LARGEST_BATCH)
        self.least.set_error(share is None or share == 100)
        self.batch.set_error(batch is None or batch != int(batch))
        if share is None or share == 100:
            self._say_wrong("The minimum segment size must be a number from 0 to under 100.")
            return
        if batch is None or batch != int(batch):
            self._say_wrong(f"The batch size must be a whole number from 1 to {LARGEST_BATCH:,}.")
            return
        server = self.server.address
        try:
            server = None if server is None else str(ChromaAddress.parse(server))
        except ValueError as exc:
            self.server.show_wrong(as_sentence(str(exc)))
            return
        processed = self.cluster.read()
        if processed is None:
            return
        settings = replace(
            self._settings,
            chroma_server=server,
            cluster=processed[0],
            cluster_roots=processed[1],
            frames_per_second=_chosen(self.rate),
            duplicate_distance=_chosen(self.alike),
            all_pages=_chosen(self.pages),
            min_segment_share=share / 100,
            points_per_side=_chosen(self.grid),
            batch_size=int(batch),
            device=_chosen(self.device),
            appearance=_chosen(self.appearance),
            widget_scaling=_chosen(self.scaling),
        )
        self._on_save(settings, self.cluster.is_made, lambda: self._saved(settings))

    def _say_wrong(self, sentence: str) -> None:
        self._note.configure(text=sentence, text_color=self.theme.colours.error)

    def _saved(self, settings: Settings) -> None:
        """Close, or offer a restart where a change needs one."""
        names = after_restart(self._settings, settings)
        if not self.overlay.holds(self._dialog):
            return
        if not names:
            self.close()
            return
        self._build_foot(("Restart now", self._restart), ("Later", self.close))
        verb = "takes" if len(names) == 1 else "take"
        self._note.configure(text=f"Saved. {capital(listed(names))} {verb} effect after a restart.")

    def _restart(self) -> None:
        self.close()
        self._on_restart()


def after_restart(before: Settings, after: Settings) -> list[str]:
    """List the settings that were changed and take effect after a restart."""
    changed = (
        name for key, name in _AFTER_RESTART.items() if getattr(before, key) != getattr(after, key)
    )
    return list(changed)


def as_number(text: str, least: float, most: float) -> float | None:
    """Read a number with a point or a comma; None where it is none, or out of range."""
    try:
        number = float(text.strip().rstrip("%").replace(",", "."))
    except ValueError:
        return None
    return number if least <= number <= most else None


def _chosen(menu: tuple[MenuButton, dict[str, Any]]) -> Any:
    button, choices = menu
    return choices[button.value]
