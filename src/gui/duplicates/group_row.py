"""One group of near-duplicates: its pictures side by side, and what can be done with it."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import dataclass

from PIL import ImageTk

from src.gui.cards.card_view import MARGIN, CardFlags, CardPainter, CardSize, CardView
from src.gui.core.thumbnails import Thumbnails
from src.gui.duplicates.wording import facts_of, title_of, word_of
from src.gui.theme.theme import NORMAL, SMALL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, label
from src.gui.widgets.key_bindings import bind_key
from src.records import DuplicateFile, DuplicateGroup

GAP, WISH = 16, 168
_TEXT = 64  # three lines below a picture
_HEAD, _PAD = 48, 8
HEIGHT = 8 + _HEAD + WISH * 3 // 4 + _TEXT + 2 * MARGIN + _PAD


@dataclass(frozen=True)
class RowActions:
    """What a row calls, each with its group."""

    hide_others: Callable[[DuplicateGroup], None]
    keep_all: Callable[[DuplicateGroup], None]
    keep_apart: Callable[[DuplicateGroup], None]
    trash_others: Callable[[DuplicateGroup], None]
    undo: Callable[[DuplicateGroup], None]
    choose: Callable[[DuplicateGroup, DuplicateFile], None]
    open: Callable[[DuplicateFile], None]


class GroupRow(ctk.CTkFrame):
    """A row of the list; it is made once and shows one group after another."""

    def __init__(
        self,
        master: tkinter.Misc,
        theme: Theme,
        painter: CardPainter,
        thumbnails: Thumbnails,
        actions: RowActions,
    ) -> None:
        c = theme.colours
        super().__init__(
            master, fg_color=c.card, corner_radius=8, border_width=1, border_color=c.border
        )
        self.theme, self._thumbnails, self._actions = theme, thumbnails, actions
        self._painter = CardPainter(theme, painter.sprites, c.card)
        self.group: DuplicateGroup | None = None
        self._kept: int | None = None
        self._first = 0  # of the files, where not all of them fit side by side
        self._photos: list[ImageTk.PhotoImage] = []
        self._build_head()
        self.canvas = tkinter.Canvas(self, bg=c.card, highlightthickness=0, bd=0, takefocus=1)
        self.canvas.pack(fill="both", expand=True, padx=theme.px(8), pady=(0, theme.px(_PAD)))
        self.canvas.bind("<Configure>", lambda _: self.draw())
        self.canvas.bind("<Button-1>", self._pressed)
        self.canvas.bind("<Double-Button-1>", self._opened)
        bind_key(self.canvas.bind, "<Left>", lambda _: self._step(-1))
        bind_key(self.canvas.bind, "<Right>", lambda _: self._step(1))
        bind_key(self.canvas.bind, "<Return>", lambda _: self._open_kept())
        for event in ("<FocusIn>", "<FocusOut>"):
            self.canvas.bind(event, lambda _: self.draw())

    def _build_head(self) -> None:
        theme = self.theme
        head = ctk.CTkFrame(self, fg_color="transparent", height=_HEAD)
        head.pack(fill="x", padx=(16, 12 - RING), pady=(2, 0))
        head.pack_propagate(False)
        self._title = label(head, theme, "", weight="medium")
        self._title.pack(side="left")

        def button(text: str, act: Callable[[DuplicateGroup], None], kind: str) -> Button:
            return Button(head, theme, text, lambda: self._do(act), kind=kind, height=32)  # type: ignore[arg-type]

        actions = self._actions
        self._to_decide = [
            button("Hide others", actions.hide_others, "plain"),
            button("Keep all", actions.keep_all, "quiet"),
            button("Not duplicates", actions.keep_apart, "quiet"),
            button("Move others to trash", actions.trash_others, "quiet"),
        ]
        self._decided = [button("Undo", actions.undo, "quiet")]

    @property
    def buttons(self) -> list[Button]:
        """All that a person decides with."""
        return [*self._to_decide, *self._decided]

    def _do(self, act: Callable[[DuplicateGroup], None]) -> None:
        if self.group is not None:
            act(self.group)

    # -- what is shown

    def show(self, group: DuplicateGroup | None, kept: int | None) -> None:
        """Show a group.

        Args:
            kept: the media file that stays when the others are hidden or moved to the trash.
        """
        if group is None or self.group is None or group.id != self.group.id:
            self._first = 0
        self.group, self._kept = group, kept
        is_open = group is not None and group.verdict == "open"
        self._title.configure(text="" if group is None else title_of(group))
        buttons = self._to_decide if is_open else self._decided
        for button in (*self._to_decide, *self._decided):
            if button not in buttons:
                button.pack_forget()
        if group is not None and not buttons[0].winfo_manager():
            for button in reversed(buttons):
                button.pack(side="right")
        self.draw()

    def rest(self) -> None:
        """Show nothing until it is needed again: its pictures need not be read."""
        self.group = None
        self._thumbnails.want(self, [])

    def _columns(self) -> int:
        width = self.canvas.winfo_width() - 2 * self.theme.px(MARGIN)
        return max(1, (width + self.theme.px(GAP)) // self.theme.px(WISH + GAP))

    def _size(self) -> CardSize:
        px = self.theme.px
        return CardSize((px(WISH), px(WISH * 3 // 4)), px(_TEXT), px(MARGIN))

    def _seen(self) -> list[tuple[int, DuplicateFile]]:
        """Return the files that are shown, each with its place on the row."""
        files = () if self.group is None else self.group.files
        return list(enumerate(files[self._first : self._first + self._columns()]))

    def draw(self) -> None:
        """Draw the pictures and what is known of them."""
        size, canvas, seen = self._size(), self.canvas, self._seen()
        canvas.delete("all")
        self._thumbnails.want(
            self, [(file.poster, size.thumb_wh) for _, file in seen if file.poster is not None]
        )
        while len(self._photos) < len(seen):
            self._photos.append(ImageTk.PhotoImage("RGB", size.slot_wh))
        for place, file in seen:
            self._draw_card(place, file, size)
        files = 0 if self.group is None else len(self.group.files)
        left = files - self._first - len(seen)
        if (left > 0 or self._first) and canvas.winfo_width() > 1:
            words = f"{left:,} more" if left > 0 else "Back to the first"
            canvas.create_text(
                canvas.winfo_width() - self.theme.px(8),
                canvas.winfo_height() - self.theme.px(10),
                text=words,
                anchor="e",
                fill=self.theme.colours.accent,
                font=self.theme.canvas_font(self, SMALL),
                tags="more",
            )

    def _draw_card(self, place: int, file: DuplicateFile, size: CardSize) -> None:
        theme, c, canvas = self.theme, self.theme.colours, self.canvas
        is_kept = self._is_kept(file)
        word = "" if self.group is None else word_of(self.group, file)
        view = CardView(
            file.media.id,
            file.poster,
            file.media.path.name,
            "",
            state="waiting" if file.is_hidden else "ready",
        )
        has_focus = canvas.focus_get() is canvas and theme.shows_focus
        flags = CardFlags(selected=is_kept, focus=is_kept and has_focus)
        picture = None
        if file.poster is not None:
            picture = self._thumbnails.get(file.poster, size.thumb_wh)
        image = self._painter.paint(view, flags, picture, size)
        if word:
            stamp = self._painter.sprites.word(word)
            corner = size.margin + size.thumb_wh[0], size.margin + size.thumb_wh[1]
            reach = theme.px(8)
            at = corner[0] - stamp.width - reach, corner[1] - stamp.height - reach
            image.paste(stamp, at, stamp)
        photo = self._photos[place]
        photo.paste(image)
        left = place * theme.px(WISH + GAP)
        canvas.create_image(left, 0, image=photo, anchor="nw")
        x, y = left + size.margin, size.margin + size.thumb_wh[1]
        first, second = facts_of(file)
        name = file.media.path.name
        lines = ((name, NORMAL, c.text), (first, SMALL, c.text_2), (second, SMALL, c.text_2))
        for number, (text, text_size, colour) in enumerate(lines):
            font = theme.canvas_font(self, text_size)
            canvas.create_text(
                x,
                y + theme.px(18 + 17 * number),
                text=shorten(text, font, size.thumb_wh[0]),
                anchor="w",
                font=font,
                fill=colour,
            )

    def _is_kept(self, file: DuplicateFile) -> bool:
        is_open = self.group is not None and self.group.verdict == "open"
        return is_open and file.media.id == self._kept

    # -- pointer and keys

    def file_at(self, x: int, y: int) -> DuplicateFile | None:
        """Return the file whose picture or words lie at a place on the Canvas."""
        size, step = self._size(), self.theme.px(WISH + GAP)
        if not 0 <= y < size.slot_wh[1]:
            return None
        for place, file in self._seen():
            if 0 <= x - place * step - size.margin <= size.thumb_wh[0]:
                return file
        return None

    def _pressed(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self.theme.shows_focus = False
        self.canvas.focus_set()
        if self._is_over_more(event.x, event.y):
            self._turn_over()
        elif (file := self.file_at(event.x, event.y)) is not None and self.group is not None:
            self._actions.choose(self.group, file)

    def _is_over_more(self, x: int, y: int) -> bool:
        box = self.canvas.bbox("more")
        reach = self.theme.px(8)
        return bool(box) and box[0] - reach <= x and box[1] - reach <= y

    def _turn_over(self) -> None:
        assert self.group is not None
        further = self._first + self._columns()
        self._first = further if further < len(self.group.files) else 0
        self.draw()

    def _opened(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if (file := self.file_at(event.x, event.y)) is not None:
            self._actions.open(file)

    def _open_kept(self) -> None:
        for file in () if self.group is None else self.group.files:
            if file.media.id == self._kept:
                self._actions.open(file)

    def _step(self, step: int) -> None:
        """Choose the next file, or the one before."""
        if self.group is None or self.group.verdict != "open":
            return
        self.theme.shows_focus = True
        ids = [file.media.id for file in self.group.files]
        place = ids.index(self._kept) if self._kept in ids else 0
        place = min(max(0, place + step), len(ids) - 1)
        if not self._first <= place < self._first + self._columns():
            self._first = place // self._columns() * self._columns()
        self._actions.choose(self.group, self.group.files[place])
