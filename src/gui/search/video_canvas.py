"""Videos one below the other, each with a bar on which the results of a search are marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from PIL import Image, ImageTk

from src.counting import counted, from_to, moment
from src.gui.core.thumbnails import Thumbnails
from src.gui.search.video_rows import (
    Mark,
    VideoRows,
    beside,
    best_of,
    length_of,
    mark_at,
    marks_of,
    strong_of,
)
from src.gui.theme.pictures import rounded_mask
from src.gui.theme.theme import LEFT, NORMAL, RADIUS_SMALL, RIGHT, SMALL, Theme, shorten
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.gui.widgets.hover_card import HoverCard
from src.gui.widgets.key_bindings import bind_key
from src.records import SearchHit
from src.track_records import VideoMoment, VideoMoments

PITCH = 68
_POSTER_WH, _BAR = (80, 45), 30
_BETWEEN, _NAME, _REACH, _CARD_AWAY = 16, 168, 4, 8
_WHEEL_PX = 80
_MARKED = "marked"  # the ring round the mark that is pointed at
_ROW = "row"  # of all that is drawn of videos
# what is opened: the video's row, and the place among its results, or a time in seconds
Open = Callable[[int, int | float], object]


class VideoCanvas(DrawnCanvas):
    """Arrows go from video to video and from result to result, Enter opens; so does a click.

    As much is drawn as is seen, however many videos there are.
    """

    def __init__(
        self,
        master: Any,
        theme: Theme,
        thumbnails: Thumbnails,
        on_open: Open,
        on_scroll: Callable[[], object],
    ) -> None:
        """Make it, with no video.

        Args:
            on_open: gets the row of a video, and a result's place (int) or a time (float).
            on_scroll: called when other rows are seen.
        """
        super().__init__(master, bg=theme.colours.window, takefocus=1)
        self.theme, self._thumbnails = theme, thumbnails
        self._on_open, self._on_scroll = on_open, on_scroll
        self.videos: Sequence[VideoMoments] = ()
        self._hits: Mapping[str, SearchHit] = {}
        self.offset, self._has_line = 0, False
        self._bars: dict[int, Image.Image] = {}  # of the rows that are drawn
        self._drawn: dict[int, list[ImageTk.PhotoImage]] = {}  # rows that are, with their pictures
        self.focused: tuple[int, int] | None = None  # a row, and a place among its results
        self._pointed: tuple[int, Mark] | None = None
        self._pointer_x: int | None = None  # where it is, while it points at a mark
        self._card = HoverCard(self, theme, thumbnails)
        self._bind_pointer()
        self._bind_keys()

    def show(
        self,
        videos: Sequence[VideoMoments],
        hits: Mapping[str, SearchHit],
        has_line: bool,
        keep_place: bool,
    ) -> None:
        """Show videos.

        Args:
            hits: those of the search, by the ids of their segments, for their crops.
            has_line: whether weaker hits are told from strong ones.
        """
        self._has_line = has_line
        self._bars.clear()
        focus = None if self.focused is None else self._key_of(*self.focused)
        self.videos, self._hits = tuple(videos), hits
        self.focused, self._pointed = None, None
        if not keep_place:
            self.offset = 0
        elif focus is not None:
            self.focused = self._place_of(*focus)
        self.scroll_to(self.offset)
        self.refresh()

    def _key_of(self, row: int, place: int) -> tuple[int, str]:
        video = self.videos[row]
        return video.media.id, video.moments[place].segment_id

    def _place_of(self, media_file_id: int, segment_id: str) -> tuple[int, int] | None:
        for row, video in enumerate(self.videos):
            if video.media.id == media_file_id:
                ids = [each.segment_id for each in video.moments]
                return row, ids.index(segment_id) if segment_id in ids else best_of(video)
        return None

    # -- geometry, in device pixels

    @property
    def rows(self) -> VideoRows:
        return VideoRows(len(self.videos), self.theme.px(PITCH), max(1, self.winfo_height()))

    def bar_box(self, row: int) -> tuple[int, int, int, int]:
        """Return where the bar of a video lies on the Canvas: left, top, width, height."""
        px = self.theme.px
        left = px(LEFT + _POSTER_WH[0] + _NAME + 2 * _BETWEEN)
        top = row * px(PITCH) - self.offset + (px(PITCH) - px(_BAR)) // 2
        return left, top, max(1, self.winfo_width() - left - px(RIGHT)), px(_BAR)

    def marks(self, row: int) -> list[Mark]:
        """Return the marks of a video, in pixels of its bar."""
        _, _, width, height = self.bar_box(row)
        return marks_of(self.videos[row], (width, height), self.theme.scale)

    def _mark_under(self, x: int, y: int) -> tuple[int, Mark] | None:
        row = self.rows.row_at(y, self.offset)
        if row is None:
            return None
        left, top, _, _ = self.bar_box(row)
        mark = mark_at(self.marks(row), x - left, y - top, self.theme.px(_REACH))
        return None if mark is None else (row, mark)

    def scroll_to(self, offset: float) -> None:
        """Scroll to a place, as far as there are rows."""
        before, self.offset = self.offset, self.rows.kept(offset)
        self._point(None)
        if self.offset != before:
            self.move(_ROW, 0, before - self.offset)
            self._draw_missing()
        self._on_scroll()

    # -- pointer

    def _bind_pointer(self) -> None:
        px = self.theme.px(_WHEEL_PX)
        bind = self.bind
        bind("<Configure>", lambda _: self._resized())
        for event in ("<FocusIn>", "<FocusOut>"):
            bind(event, lambda _: self.refresh())
        for event in ("<Motion>", "<Enter>"):
            bind(event, lambda event: self._move(event.x, event.y))
        bind("<Leave>", lambda _: self._point(None))
        bind("<Button-1>", lambda _: self.focus_set())
        bind("<ButtonRelease-1>", lambda event: self._click(event.x, event.y))
        bind("<Button-4>", lambda _: self.scroll_to(self.offset - px))
        bind("<Button-5>", lambda _: self.scroll_to(self.offset + px))
        bind_key(
            bind,
            "<MouseWheel>",
            lambda event: self.scroll_to(self.offset - px * (1 if event.delta > 0 else -1)),
        )

    def _resized(self) -> None:
        self._bars.clear()
        self.scroll_to(self.offset)
        self.refresh()

    def _move(self, x: int, y: int) -> None:
        self.configure(
            cursor="" if self.rows.row_at(y, self.offset) is None or not self.videos else "hand2"
        )
        under = self._mark_under(x, y)
        self._pointer_x = None if under is None else x
        self._point(under)

    def _point(self, at: tuple[int, Mark] | None) -> None:
        """Show the crop of the result that is pointed at."""
        if at is None:
            self._pointer_x = None
        if at != self._pointed:
            self._pointed = at
            self._draw_pointed()

    def _click(self, x: int, y: int) -> None:
        row = self.rows.row_at(y, self.offset)
        if row is None:
            return
        if (under := self._mark_under(x, y)) is not None:
            self._open(row, under[1].place)
            return
        left, top, width, height = self.bar_box(row)
        if left <= x < left + width and top <= y < top + height:
            self.focused = row, best_of(self.videos[row])
            self._on_open(row, (x - left) / width * length_of(self.videos[row]))
        else:
            self._open(row, best_of(self.videos[row]))

    def _open(self, row: int, place: int) -> None:
        self.focused = row, place
        self.refresh()
        self._on_open(row, place)

    # -- keys

    def _bind_keys(self) -> None:
        for key, rows in (("Up", -1), ("Down", 1)):
            bind_key(self.bind, f"<{key}>", partial(self._go_rows, rows))
        for key in ("Prior", "Next"):
            bind_key(self.bind, f"<{key}>", partial(self._go_page, 1 if key == "Next" else -1))
        for key in ("Home", "End"):
            bind_key(
                self.bind,
                f"<{key}>",
                partial(self._go_rows, 1 << 30 if key == "End" else -(1 << 30)),
            )
        for key, step in (("Left", -1), ("Right", 1)):
            bind_key(self.bind, f"<{key}>", partial(self._go_along, step))
        self.bind("<<TraverseIn>>", lambda _: self.take_keys())
        for key in ("Return", "KP_Enter", "space"):
            bind_key(self.bind, f"<{key}>", lambda _: self._open_focused())

    def take_keys(self) -> None:
        """Take the keyboard, at the first row that is seen where it was at none."""
        if self.focused is None and self.videos:
            row = self.rows.seen(self.offset).start
            self.focused = row, best_of(self.videos[row])
        self.focus_set()
        self.refresh()

    def _go_page(self, pages: int, event: object) -> str:
        return self._go_rows(pages * max(1, self.winfo_height() // self.theme.px(PITCH)), event)

    def _go_rows(self, rows: int, _event: object) -> str:
        if self.videos:
            row = 0 if self.focused is None else self.focused[0] + rows
            row = min(max(0, row), len(self.videos) - 1)
            self._focus(row, best_of(self.videos[row]))
        return "break"

    def _go_along(self, step: int, _event: object) -> str:
        if self.videos:
            if self.focused is None:
                self._focus(0, best_of(self.videos[0]))
            else:
                row, place = self.focused
                self._focus(row, beside(self.videos[row], place, step))
        return "break"

    def _focus(self, row: int, place: int) -> None:
        self.theme.shows_focus = True  # the window does not hear of keys that are answered here
        self.focused = row, place
        self.scroll_to(self.rows.showing(row, self.offset))
        self._draw_pointed()

    def _open_focused(self) -> str:
        self.theme.shows_focus = True
        if self.focused is not None:
            self._open(*self.focused)
        return "break"

    # -- drawing

    def _draw(self) -> None:
        self.erase()
        self._drawn.clear()
        if self.winfo_width() > 1:
            self._draw_missing()

    def _draw_missing(self) -> None:
        """Draw the rows that are seen and not drawn, and drop those that are out of sight."""
        px, seen = self.theme.px, self.rows.seen(self.offset)
        size = px(_POSTER_WH[0]), px(_POSTER_WH[1])
        for row in [each for each in self._drawn if each not in seen]:
            self.delete(f"{_ROW}{row}")
            del self._drawn[row]
            self._bars.pop(row, None)
        posters = [self.videos[row].poster for row in seen]
        self._thumbnails.want(self, [(each, size) for each in posters if each is not None])
        for row in seen:
            if row not in self._drawn:
                items = self._draw_row(row, self.videos[row], size)
                for item in items:
                    self.itemconfigure(item, tags=(_ROW, f"{_ROW}{row}"))
                self._drawn[row], self._photos = self._photos, []
        self._draw_pointed()

    def _draw_row(self, row: int, video: VideoMoments, size: tuple[int, int]) -> list[int]:
        theme, px, c = self.theme, self.theme.px, self.theme.colours
        top = row * px(PITCH) - self.offset
        middle = top + px(PITCH) // 2
        left = px(LEFT)
        picture = None if video.poster is None else self._thumbnails.get(video.poster, size)
        poster = Image.new("RGB", size, c.card) if picture is None else picture.copy()
        poster.putalpha(rounded_mask(size, px(RADIUS_SMALL)))
        items = [self.put(left, middle, poster, anchor="w")]
        left += size[0] + px(_BETWEEN)
        for text, y, font_size, ink, tail in (
            (video.media.path.name, middle - px(10), NORMAL, c.text, 9),
            (_facts(video, self._has_line), middle + px(10), SMALL, c.text_2, 0),
        ):
            font = theme.canvas_font(self, font_size)
            words = shorten(text, font, px(_NAME), tail)
            items.append(self.create_text(left, y, text=words, anchor="w", font=font, fill=ink))
        bar_left, bar_top, width, height = self.bar_box(row)
        if row not in self._bars:
            self._bars[row] = self._bar(row, (width, height))
        return [*items, self.put(bar_left, bar_top, self._bars[row])]

    def _bar(self, row: int, size: tuple[int, int]) -> Image.Image:
        """Draw the bar of a video: weaker results grey, strong ones in the accent."""
        c, px = self.theme.colours, self.theme.px
        inside = Image.new("RGB", size, c.card)
        for mark in self.marks(row):
            box = mark.left, mark.top, mark.right, mark.bottom
            inside.paste(c.accent if mark.is_strong else c.strong_border, box)
            if mark.right < size[0]:  # neighbours stay two
                inside.paste(c.card, (mark.right - 1, mark.top, mark.right, mark.bottom))
        bar = Image.new("RGB", size, c.window)
        bar.paste(inside, (0, 0), rounded_mask(size, px(RADIUS_SMALL)))
        return bar

    def _draw_pointed(self) -> None:
        """Draw a ring round the mark that is pointed at, or has the keyboard, and show its crop."""
        self._card.hide()
        self.delete(_MARKED)
        has_keys = self.focus_get() is self and self.theme.shows_focus
        if self._pointed is not None:
            self._draw_ring(*self._pointed)
            self._show_crop(*self._pointed)
        elif has_keys and self.focused is not None and self.focused[0] < len(self.videos):
            row, place = self.focused
            mark = next(each for each in self.marks(row) if each.place == place)
            self._draw_ring(row, mark)
            if row in self.rows.seen(self.offset):
                self._show_crop(row, mark)

    def _draw_ring(self, row: int, mark: Mark) -> None:
        px, (left, top, _, _) = self.theme.px, self.bar_box(row)
        box = (
            left + mark.left - px(2),
            top + mark.top - px(2),
            left + mark.right + px(1),
            top + mark.bottom + px(1),
        )
        self.create_rectangle(
            *box, outline=self.theme.colours.text, width=max(1, px(2)), tags=_MARKED
        )

    def _show_crop(self, row: int, mark: Mark) -> None:
        what = self.videos[row].moments[mark.place]
        hit = self._hits.get(what.segment_id)
        if hit is None:
            return
        left, top, _, height = self.bar_box(row)
        x = left + mark.left if self._pointer_x is None else self._pointer_x
        # beside the bar, of which something else may be pointed at next
        away = self._card.height // 2 + self.theme.px(_CARD_AWAY)
        below = top + height + away
        fits = below + self._card.height // 2 < self.winfo_height()
        words = from_to(what.begin_s, what.end_s), _worth(what, hit)
        self._card.show(hit.segment.crop_path, words, x, below if fits else top - away)


def _facts(video: VideoMoments, has_line: bool) -> str:
    length, strong = video.media.duration_s, strong_of(video)
    words = [] if length is None else [moment(length)]
    if not has_line:
        return " · ".join([*words, counted(len(video.moments), "moment")])
    found = counted(strong, "moment") if strong else counted(len(video.moments), "weaker moment")
    return " · ".join([*words, found])


def _worth(what: VideoMoment, hit: SearchHit) -> str:
    if hit.tagged_so:
        return "Tagged by you"
    if hit.strength is not None:
        return f"{hit.strength:.0%} match"
    return "" if what.score is None else f"{what.score:.2f}"
