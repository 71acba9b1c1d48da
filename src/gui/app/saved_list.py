"""The searches that a person has saved, as rows in the sidebar."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from PIL import Image, ImageTk

from src.gui.theme.icons import icon_image
from src.gui.theme.pictures import ring_mask, rounded_mask
from src.gui.theme.theme import NORMAL, RADIUS, SMALL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.inputs import Entry
from src.gui.widgets.key_bindings import bind_key

_HEAD, _ROW = 32, 36
_ICON, _INSIDE, _TEXT = 20, 12, 40  # from the left edge of a row
HEADING = "Saved searches"


class SavedList(tkinter.Frame):
    """A heading and a row for each search; what there is no room for is scrolled to.

    Arrows move, Enter searches, the menu key and Shift F10 open the menu, F2 renames and Delete
    removes.
    """

    def __init__(
        self,
        master: Any,
        theme: Theme,
        run: Callable[[str], object],
        menu: Callable[[str, int, int], object],
        rename: Callable[[str, str], object],
        remove: Callable[[str], object],
    ) -> None:
        """Make it, empty; all that it calls get the name of a search.

        Args:
            menu: opens the context menu, at a place on the screen.
            rename: gets the new name as well.
        """
        c = theme.colours
        super().__init__(master, bg=c.sidebar)
        self.theme = theme
        self._run, self._menu, self._rename, self._remove = run, menu, rename, remove
        self.names: list[str] = []
        self._counts: Mapping[str, int] = {}
        self._first = self._at = 0
        self._hover = -1
        self._entry: Entry | None = None
        self._drawn: tuple[object, ...] = ()
        self._photo: ImageTk.PhotoImage | None = None
        # as high as the rows in it may become; the sidebar gives what it has left
        self.canvas = tkinter.Canvas(
            self, bg=c.sidebar, width=1, height=1, highlightthickness=0, bd=0, takefocus=1
        )
        self.canvas.pack(fill="both", expand=True)
        self._wrong = tkinter.Label(
            self,
            bg=c.sidebar,
            fg=c.error,
            justify="left",
            wraplength=theme.px(200),
            font=theme.canvas_font(self, SMALL),
        )
        bind = self.canvas.bind
        for event in ("<Configure>", "<FocusIn>", "<FocusOut>"):
            bind(event, lambda _: self._draw())
        for event in ("<Motion>", "<Enter>"):
            bind(event, lambda e: self._point(self._place(e.y)))
        bind("<Leave>", lambda _: self._point(-1))
        bind("<ButtonRelease-1>", lambda e: self._press(self._place(e.y)))
        bind("<Button-3>", lambda e: self._open_menu(self._place(e.y), e.x_root, e.y_root))
        bind("<Button-4>", lambda _: self._scroll(-1))
        bind("<Button-5>", lambda _: self._scroll(1))
        bind("<MouseWheel>", lambda e: self._scroll(-1 if e.delta > 0 else 1))
        for key, step in (("Up", -1), ("Down", 1), ("Home", -999), ("End", 999)):
            bind_key(bind, f"<{key}>", partial(self._step, step))
        for key in ("Return", "KP_Enter", "space"):
            bind_key(bind, f"<{key}>", lambda _: self._press(self._at))
        for key in ("Menu", "Shift-F10"):
            bind_key(bind, f"<{key}>", lambda _: self._menu_by_key())
        bind_key(bind, "<F2>", lambda _: self.start_renaming(self.names[self._at]))
        bind_key(bind, "<Delete>", lambda _: self._remove_focused())

    def show(self, names: Sequence[str], counts: Mapping[str, int]) -> None:
        """Show searches by name, with how much they find where that is known."""
        self.names, self._counts = list(names), dict(counts)
        self._at = min(self._at, max(0, len(names) - 1))
        self._scroll(0)

    def box(self, name: str) -> tuple[int, int, int, int]:
        """Return where a row lies on the screen: left, top, width, height."""
        px, canvas = self.theme.px, self.canvas
        top = px(_HEAD) + (self.names.index(name) - self._first) * px(_ROW)
        return canvas.winfo_rootx(), canvas.winfo_rooty() + top, canvas.winfo_width(), px(_ROW)

    @property
    def names_in_sight(self) -> list[str]:
        """The searches that there is room for now."""
        return self.names[self._first : self._first + self._fitting]

    @property
    def texts(self) -> list[str]:
        """What is to be read, from above."""
        found = [HEADING]
        for name in self.names_in_sight:
            found += [name, f"{self._counts[name]:,}"] if name in self._counts else [name]
        return found

    def start_renaming(self, name: str, text: str = "", wrong: str = "") -> None:
        """Show an entry in the place of a row: Enter keeps the new name, Escape the old one.

        Args:
            text: what stands in it; the name it has when empty.
            wrong: why it can't have that name.
        """
        self._end_renaming()
        self._look_at(self.names.index(name))
        _, top, width, _ = self.box(name)
        entry = Entry(
            self, self.theme, "Name", height=32, on_enter=lambda new: self._renamed(name, new)
        )
        self._entry = entry
        entry.set(text or name)
        bind_key(entry.field.bind, "<Escape>", lambda _: self._end_renaming())
        entry.field.bind("<FocusOut>", lambda _: self.after_idle(self._end_renaming), add="+")
        scale = ctk.ScalingTracker.get_widget_scaling(entry)
        entry.configure(width=width / scale)
        entry.place(x=0, y=(top - self.canvas.winfo_rooty()) / scale)
        if wrong:
            entry.set_error(True)
            self._wrong.configure(text=wrong)
            self._wrong.place(x=0, y=top - self.canvas.winfo_rooty() + self.theme.px(_ROW))
            self._wrong.lift()
        entry.focus_field()

    # -- what a person does

    def _renamed(self, name: str, new: str) -> None:
        self._end_renaming()
        if new.strip() and new.strip() != name:
            self._rename(name, new.strip())

    def _end_renaming(self) -> str:
        entry, self._entry = self._entry, None
        self._wrong.place_forget()
        if entry is not None:
            had_focus = f"{self.focus_get()}.".startswith(f"{entry}.")
            entry.destroy()
            if had_focus:
                self.canvas.focus_set()
        return "break"

    def _place(self, y: int) -> int:
        """Return the row at a height; -1 where there is none."""
        row = (y - self.theme.px(_HEAD)) // self.theme.px(_ROW)
        place = self._first + row
        return place if 0 <= row < self._fitting and place < len(self.names) else -1

    def _point(self, place: int) -> None:
        if place != self._hover:
            self._hover = place
            self.canvas.configure(cursor="hand2" if place >= 0 else "")
            self._draw()

    def _press(self, place: int) -> str:
        if 0 <= place < len(self.names):
            self._at = place
            self._run(self.names[place])
        return "break"

    def _open_menu(self, place: int, x: int, y: int) -> None:
        if place >= 0:
            self._at = place
            self.canvas.focus_set()
            self._menu(self.names[place], x, y)

    def _menu_by_key(self) -> str:
        left, top, _, height = self.box(self.names[self._at])
        self._menu(self.names[self._at], left + self.theme.px(_TEXT), top + height)
        return "break"

    def _remove_focused(self) -> str:
        self._remove(self.names[self._at])
        return "break"

    def _step(self, step: int, _event: object) -> str:
        self._look_at(min(max(0, self._at + step), len(self.names) - 1))
        return "break"

    def _look_at(self, place: int) -> None:
        self._at = place
        self._first = min(max(self._first, place - self._fitting + 1), place)
        self._scroll(0)

    def _scroll(self, rows: int) -> None:
        most = max(0, len(self.names) - self._fitting)
        self._first = min(max(0, self._first + rows), most)
        self._draw()

    # -- drawing

    @property
    def _fitting(self) -> int:
        """How many rows there is room for."""
        px = self.theme.px
        return max(1, (self.canvas.winfo_height() - px(_HEAD)) // px(_ROW))

    def _draw(self) -> None:
        canvas, c, px = self.canvas, self.theme.colours, self.theme.px
        width, height = canvas.winfo_width(), canvas.winfo_height()
        if width <= 1:
            return
        focused = self._at if self.focus_get() is canvas and self.theme.shows_focus else -1
        now = tuple(self.names), tuple(self._counts.items()), self._first, self._hover
        if (now, focused, width, height) == self._drawn:
            return
        self._drawn = now, focused, width, height
        canvas.delete("all")
        ground = Image.new("RGB", (width, height), c.sidebar)
        ground.paste(c.border, (0, 0, width, max(1, round(self.theme.scale))))
        font, small = self.theme.canvas_font(canvas, NORMAL), self.theme.canvas_font(canvas, SMALL)
        canvas.create_text(
            px(_INSIDE), px(_HEAD - 12), text=HEADING, anchor="w", font=small, fill=c.text_2
        )
        sign = icon_image("bookmark", c.text_2, px(_ICON))
        for row in range(min(self._fitting, len(self.names) - self._first)):
            place, top = self._first + row, px(_HEAD) + row * px(_ROW)
            size = width, px(_ROW)
            if place == self._hover:
                ground.paste(c.card, (0, top), rounded_mask(size, px(RADIUS)))
            if place == focused:
                ground.paste(c.accent, (0, top), ring_mask(size, px(RADIUS), 2 * self.theme.scale))
            middle = top + size[1] // 2
            ground.paste(sign, (px(_INSIDE - 2), middle - sign.height // 2), sign)
            right = width - px(_INSIDE)
            name = self.names[place]
            if name in self._counts:
                count = f"{self._counts[name]:,}"
                canvas.create_text(right, middle, text=count, anchor="e", font=small, fill=c.text_2)
                right -= small.measure(count) + px(8)
            text = shorten(name, font, right - px(_TEXT))
            canvas.create_text(px(_TEXT), middle, text=text, anchor="w", font=font, fill=c.text_2)
        if len(self.names) > self._fitting:
            rows = px(_ROW) * self._fitting
            top = px(_HEAD) + rows * self._first // len(self.names)
            thumb = width - px(3), top, width, top + rows * self._fitting // len(self.names)
            ground.paste(c.strong_border, thumb)
        self._photo = ImageTk.PhotoImage(ground)
        canvas.tag_lower(canvas.create_image(0, 0, image=self._photo, anchor="nw"))
