"""The labels at the panel's left, with their colours, counts and keys."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from PIL import Image

from src.gui.core.known_labels import KEYS
from src.gui.label.row_entry import RowEntry, Suggest
from src.gui.theme.icons import icon_image
from src.gui.theme.pictures import ring_mask, rounded_mask
from src.gui.theme.theme import NORMAL, RADIUS, RADIUS_SMALL, SMALL, Theme, shorten
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.gui.widgets.key_bindings import bind_key
from src.label_records import Label
from src.search.completion import Suggestion

WIDTH = 216
NEW, HEADING, COUNTED = "New label", "Labels", "segments"
_HEAD, _ROW, _FOOT = 52, 40, 16
_SIDE, _INSIDE, _SWATCH, _KEY = 12, 12, 12, 18
_DRAG_PX = 6  # the pointer moves so far before a press becomes a drag


@dataclass(frozen=True)
class LabelListActions:
    """What the list asks for; names are those of labels.

    Attributes:
        choose, point_to: choose a label, by a key or by a click.
        menu: opens the context menu, at a place on the screen.
        move: gives a label another place.
        rename, add: get the name that was typed.
        merge: gets a label, and the name of the one that it becomes a part of.
        suggest: what may be meant by what is typed so far.
    """

    choose: Callable[[str], object]
    point_to: Callable[[str], object]
    menu: Callable[[str, int, int], object]
    move: Callable[[str, int], object]
    rename: Callable[[str, str], object]
    remove: Callable[[str], object]
    add: Callable[[str], object]
    merge: Callable[[str, str], object]
    suggest: Suggest


class LabelList(DrawnCanvas):
    """Arrows choose, Alt with them moves, F2 renames, Delete removes; a drag moves, too."""

    def __init__(self, master: Any, theme: Theme, actions: LabelListActions) -> None:
        super().__init__(master, bg=theme.colours.window, width=theme.px(WIDTH), takefocus=1)
        self.theme, self._actions = theme, actions
        self.labels: Sequence[Label] = ()
        self.chosen = ""
        self._first, self._hover = 0, -1
        self._pressed: tuple[int, int] | None = None  # the row, and the height of the pointer
        self._dragged_to: int | None = None
        self.entry = RowEntry(self, theme)
        bind = self.bind
        for event in ("<Configure>", "<FocusIn>", "<FocusOut>"):
            bind(event, lambda _: self.refresh(), "+")
        for event in ("<Motion>", "<Enter>"):
            bind(event, lambda e: self._point(self.row_at(e.y)))
        bind("<Leave>", lambda _: self._point(-1))
        bind("<Button-1>", self._press)
        bind("<B1-Motion>", self._drag)
        bind("<ButtonRelease-1>", self._release)
        bind("<Double-Button-1>", lambda e: self.start_renaming(self._name_at(e.y)))
        bind("<Button-2>" if is_on_aqua(self) else "<Button-3>", self._right_click)
        bind("<Button-4>", lambda _: self._scroll(-1))
        bind("<Button-5>", lambda _: self._scroll(1))
        bind("<MouseWheel>", lambda e: self._scroll(-1 if e.delta > 0 else 1))
        for key, step in (("Up", -1), ("Down", 1), ("Home", -9999), ("End", 9999)):
            bind_key(bind, f"<{key}>", partial(self._step, step))
        for key, step in (("Alt-Up", -1), ("Alt-Down", 1)):
            bind_key(bind, f"<{key}>", partial(self._move, step))
        for key in ("Menu", "Shift-F10"):
            bind_key(bind, f"<{key}>", lambda _: self._menu_by_key())
        bind_key(bind, "<F2>", lambda _: self.start_renaming(self.chosen))
        bind_key(bind, "<Delete>", lambda _: self._remove())

    def show(self, labels: Sequence[Label], chosen: str) -> None:
        """Show labels; the chosen one is in sight."""
        moved = chosen != self.chosen
        self.labels, self.chosen = tuple(labels), chosen
        if moved and (place := self._place(chosen)) >= 0:
            self._first = min(max(self._first, place - self._fitting + 1), place)
        self._scroll(0)

    @property
    def in_sight(self) -> Sequence[Label]:
        """The labels that there is room for now."""
        return self.labels[self._first : self._first + self._fitting]

    def box(self, name: str) -> tuple[int, int, int, int]:
        """Return where a row, or that of a new label, lies on the Canvas: left, top, size."""
        row = len(self.in_sight) if name == NEW else self._place(name) - self._first
        px = self.theme.px
        return px(_SIDE), px(_HEAD + row * _ROW), self.winfo_width() - px(2 * _SIDE), px(_ROW)

    # -- a name is typed in the place of a row

    def start_adding(self, text: str = "", wrong: str = "") -> None:
        """Ask for the name of a new label, below the others."""
        self._first = max(0, len(self.labels) - self._fitting)
        self.refresh()
        actions = self._actions
        self.entry.open(self.box(NEW), text, actions.add, wrong, suggest=actions.suggest)

    def start_renaming(self, name: str, text: str = "", wrong: str = "") -> None:
        """Ask for another name of a label, in its place."""
        if self._place(name) >= 0:
            save = partial(self._actions.rename, name)
            self.entry.open(self.box(name), text or name, save, wrong)

    def start_merging(self, name: str, text: str = "", wrong: str = "") -> None:
        """Ask in its place for the label that a label becomes a part of."""
        if self._place(name) >= 0:
            merge = partial(self._actions.merge, name)
            self.entry.open(
                self.box(name), text, merge, wrong, "Merge into", partial(self._others, name)
            )

    def _others(self, name: str, typed: str) -> Sequence[Suggestion]:
        """Suggest the other labels: nothing can be merged into a model's tag."""
        suggested = self._actions.suggest(typed)
        return [each for each in suggested if each.kind == "label" and each.text != name]

    # -- pointer

    def row_at(self, y: int) -> int:
        """Return the row at a height; that behind the last is for a new label; -1 for none."""
        row = (y - self.theme.px(_HEAD)) // self.theme.px(_ROW)
        return row if 0 <= row <= len(self.in_sight) else -1

    def _name_at(self, y: int) -> str:
        row = self.row_at(y)
        return self.in_sight[row].name if 0 <= row < len(self.in_sight) else ""

    def _point(self, row: int) -> None:
        if row != self._hover:
            self._hover = row
            self.configure(cursor="hand2" if row >= 0 else "")
            self.refresh()

    def _press(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self._pressed, self._dragged_to = (self.row_at(event.y), event.y), None

    def _drag(self, event: tkinter.Event[tkinter.Misc]) -> None:
        row, y = self._pressed or (-1, 0)
        if 0 <= row < len(self.in_sight) and abs(event.y - y) > self.theme.px(_DRAG_PX):
            at = (event.y - self.theme.px(_HEAD) + self.theme.px(_ROW) // 2) // self.theme.px(_ROW)
            self._dragged_to = min(max(0, at), len(self.in_sight))
            self.refresh()

    def _release(self, event: tkinter.Event[tkinter.Misc]) -> None:
        row, _ = self._pressed or (-1, 0)
        to, self._pressed, self._dragged_to = self._dragged_to, None, None
        self.refresh()
        if to is not None:
            place = self._first + (to - 1 if to > row else to)
            if place != self._first + row:
                self._actions.move(self.in_sight[row].name, place)
        elif row >= 0 and row == self.row_at(event.y):
            if row == len(self.in_sight):
                self.start_adding()
            else:
                self._actions.point_to(self.in_sight[row].name)

    def _right_click(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if name := self._name_at(event.y):
            self._actions.menu(name, event.x_root, event.y_root)

    # -- keys

    def _place(self, name: str) -> int:
        return next((n for n, label in enumerate(self.labels) if label.name == name), -1)

    def _step(self, step: int, _event: object) -> str:
        if self.labels:
            place = min(max(0, self._place(self.chosen) + step), len(self.labels) - 1)
            self._actions.choose(self.labels[place].name)
        return "break"

    def _move(self, step: int, _event: object) -> str:
        place = self._place(self.chosen) + step
        if self.chosen and 0 <= place < len(self.labels):
            self._actions.move(self.chosen, place)
        return "break"

    def _menu_by_key(self) -> str:
        if self._place(self.chosen) >= 0:
            left, top, _, height = self.box(self.chosen)
            x, y = self.winfo_rootx() + left, self.winfo_rooty() + top + height
            self._actions.menu(self.chosen, x, y)
        return "break"

    def _remove(self) -> str:
        if self.chosen:
            self._actions.remove(self.chosen)
        return "break"

    def _scroll(self, rows: int) -> None:
        most = max(0, len(self.labels) - self._fitting)
        self._first = min(max(0, self._first + rows), most)
        self.refresh()

    # -- drawing

    @property
    def _fitting(self) -> int:
        """How many labels there is room for, above the row for a new one."""
        px = self.theme.px
        return max(1, (self.winfo_height() - px(_HEAD + _FOOT)) // px(_ROW) - 1)

    def _draw(self) -> None:
        if self.winfo_width() <= 1:  # it is not on the screen yet
            return
        self.erase()
        c, px, width = self.theme.colours, self.theme.px, self.winfo_width()
        if width < px(_SIDE * 2 + _INSIDE):  # it was never on the screen
            return
        small = self.theme.canvas_font(self, SMALL)
        head, left, right = px(32), px(_SIDE + _INSIDE), width - px(_SIDE + _INSIDE)
        self.create_text(left, head, text=HEADING, anchor="w", font=small, fill=c.text_2)
        if self.labels:
            self.create_text(right, head, text=COUNTED, anchor="e", font=small, fill=c.text_2)
        for row, label in enumerate(self.in_sight):
            self._draw_row(row, label)
        self._draw_new()
        if self._dragged_to is not None:
            y = px(_HEAD + self._dragged_to * _ROW)
            self.create_line(px(_SIDE), y, width - px(_SIDE), y, fill=c.accent, width=px(2))
        if len(self.labels) > self._fitting:
            high = px(_ROW * self._fitting)
            top = px(_HEAD) + high * self._first // len(self.labels)
            bottom = top + high * self._fitting // len(self.labels)
            bar = width - px(6), top, width - px(3), bottom
            self.create_rectangle(*bar, fill=c.strong_border, width=0)

    def _ground(self, row: int, name: str) -> Image.Image:
        """Return what lies behind a row."""
        c, (_, _, width, height) = self.theme.colours, self.box(name or NEW)
        ground = Image.new("RGB", (width, height), c.window)
        is_chosen = bool(name) and name == self.chosen
        fill = c.raised if is_chosen else c.card if row == self._hover else c.window
        ground.paste(fill, (0, 0), rounded_mask(ground.size, self.theme.px(RADIUS)))
        if is_chosen and self.focus_get() is self and self.theme.shows_focus:
            ring = ring_mask(ground.size, self.theme.px(RADIUS), 2 * self.theme.scale)
            ground.paste(c.accent, (0, 0), ring)
        return ground

    def _draw_row(self, row: int, label: Label) -> None:
        c, px = self.theme.colours, self.theme.px
        left, top, width, height = self.box(label.name)
        ground, middle = self._ground(row, label.name), height // 2
        side = px(_SWATCH)
        place = px(_INSIDE), middle - side // 2
        ground.paste(label.colour, place, rounded_mask((side, side), px(3)))
        key = self._first + row + 1
        right = width - px(_INSIDE)
        if key <= KEYS:
            box = px(_KEY), px(_KEY)
            at = right - box[0], middle - box[1] // 2
            ground.paste(c.strong_border, at, ring_mask(box, px(RADIUS_SMALL), self.theme.scale))
        self.put(left, top, ground)
        is_chosen = label.name == self.chosen
        small = self.theme.canvas_font(self, SMALL)
        font = self.theme.canvas_font(self, NORMAL, "medium" if is_chosen else "regular")
        y = top + middle
        if key <= KEYS:
            x = left + right - px(_KEY) // 2
            self.create_text(x, y, text=str(key), font=small, fill=c.text_2)
        right = left + right - px(_KEY + 8)
        count = f"{label.segments + label.accepted_together:,}"
        self.create_text(right, y, text=count, anchor="e", font=small, fill=c.text_2)
        x = left + px(_INSIDE + _SWATCH + 12)
        name = shorten(label.name, font, right - small.measure(count) - px(8) - x)
        ink = c.text if is_chosen else c.text_2
        self.create_text(x, y, text=name, anchor="w", font=font, fill=ink)

    def _draw_new(self) -> None:
        c, px = self.theme.colours, self.theme.px
        left, top, _, height = self.box(NEW)
        self.put(left, top, self._ground(len(self.in_sight), ""))
        self.put(
            left + px(_INSIDE - 3), top + height // 2, icon_image("plus", c.accent, px(18)), "w"
        )
        x = left + px(_INSIDE + _SWATCH + 12)
        font = self.theme.canvas_font(self, NORMAL)
        self.create_text(x, top + height // 2, text=NEW, anchor="w", font=font, fill=c.accent)


def is_on_aqua(widget: tkinter.Misc) -> bool:
    """Return whether the right button is the second one, as on macOS."""
    return bool(widget.tk.call("tk", "windowingsystem") == "aqua")
