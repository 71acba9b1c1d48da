"""The results of a search along their videos, in the place of cards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from src.counting import counted
from src.gui.core.session import Session
from src.gui.core.thumbnails import Thumbnails
from src.gui.search.hit_cards import each_of, in_files
from src.gui.search.video_canvas import VideoCanvas
from src.gui.search.video_rows import best_of, strong_of
from src.gui.theme.theme import Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import label
from src.gui.widgets.scrolled import scrollbar
from src.records import SearchHit
from src.track_records import VideoMoments

NO_VIDEO = "None of these results is in a video. Choose Cards to see them."
# What opens the timeline: a video, the moment in seconds, and the segment to be marked there.
OpenTimeline = Callable[[int, float, str], object]


class AlongVideos(ctk.CTkFrame):
    """A row for each video with results; how many are in photos is said in words."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        thumbnails: Thumbnails,
        session: Session,
        on_open: OpenTimeline,
        say: Callable[[str, Sequence[str]], None],
        on_end: Callable[[], object],
    ) -> None:
        """Make it, with nothing to show.

        Args:
            say: shows how many there are, and where, the longest wording first.
            on_end: called once the last row is seen.
        """
        super().__init__(master, fg_color=theme.colours.window, corner_radius=0)
        self.theme, self._session = theme, session
        self._on_open, self._say, self._on_end = on_open, say, on_end
        self._asked = 0
        self._hits: Sequence[SearchHit] = ()
        self._was_opened = False  # one of the moments, so that the keyboard returns to it
        self.canvas = VideoCanvas(self, theme, thumbnails, self._open, self._scrolled)
        self.canvas.pack(fill="both", expand=True)
        self._bar = scrollbar(self, theme, self._scroll_command)
        self._none = label(self, theme, NO_VIDEO, colour=theme.colours.text_2, justify="center")

    @property
    def videos(self) -> Sequence[VideoMoments]:
        return self.canvas.videos

    def show(self, hits: Sequence[SearchHit], has_line: bool, keep_place: bool) -> None:
        """Show hits, best first, once it is known where in their videos they lie.

        Args:
            has_line: whether weaker hits are told from strong ones; else all are marked alike.
        """
        self._asked += 1
        asked, library, self._hits = self._asked, self._session.library, hits

        def found(videos: list[VideoMoments]) -> None:
            if asked == self._asked:
                self._show(ordered(videos, has_line), has_line, keep_place)

        self._session.main_thread.run(
            lambda: library.tracks.moments(hits), found, fails="Couldn't show results along videos"
        )

    def forget(self) -> None:
        """Show nothing, and not what is still to come."""
        self._asked += 1
        self._hits = ()
        self._none.place_forget()
        self.canvas.show((), {}, False, False)

    def return_keys(self) -> None:
        """Return the keyboard focus to the moment that was opened, on the way back from it."""
        if self._was_opened:
            self._was_opened = False
            self.canvas.take_keys()

    def _show(self, videos: Sequence[VideoMoments], has_line: bool, keep_place: bool) -> None:
        hits = {each.segment.id: each for each in each_of(self._hits)}
        self.canvas.show(videos, hits, has_line, keep_place)
        if videos:
            self._none.place_forget()
        else:
            self._none.place(relx=0.5, rely=0.42, anchor="center")
        self._say(*summary(videos, self._hits, has_line))

    def _open(self, row: int, at: int | float) -> None:
        """Open a video at one of its results, or at a time of its own."""
        self._was_opened = True
        video = self.videos[row]
        if isinstance(at, int):
            what = video.moments[at]
            hits = {each.segment.id: each.segment for each in each_of(self._hits)}
            segment = hits.get(what.segment_id)
            at_s = None if segment is None else segment.timestamp_s
            moment_s = what.begin_s if at_s is None else at_s
            self._on_open(video.media.id, moment_s, what.segment_id)
        else:
            self._on_open(video.media.id, at, video.moments[best_of(video)].segment_id)

    def _scrolled(self) -> None:
        rows, offset = self.canvas.rows, self.canvas.offset
        if rows.bottom and self.canvas.winfo_height() > 1:  # it is as high once it is seen
            content = rows.bottom + rows.height
            self._bar.set(offset / content, (offset + rows.height) / content)
            self._bar.place(relx=1.0, x=-6, rely=0.0, relheight=1.0, anchor="ne")
        else:
            self._bar.place_forget()
        if self.videos and offset == rows.bottom:
            self._on_end()

    def _scroll_command(self, verb: str, amount: str, unit: str = "") -> None:
        rows = self.canvas.rows
        if verb == "moveto":
            self.canvas.scroll_to(float(amount) * (rows.bottom + rows.height))
        else:
            self.canvas.scroll_to(self.canvas.offset + float(amount) * rows.height * 0.9)


def ordered(videos: Sequence[VideoMoments], has_line: bool) -> list[VideoMoments]:
    """Put the video with the best result first; where no line is drawn every result is strong."""
    if not has_line:
        videos = [
            replace(each, moments=tuple(replace(one, is_strong=True) for one in each.moments))
            for each in videos
        ]
    return sorted(videos, key=lambda each: -(each.moments[best_of(each)].score or 0.0))


def summary(
    videos: Sequence[VideoMoments], hits: Sequence[SearchHit], has_line: bool
) -> tuple[str, tuple[str, ...]]:
    """Write how many results are along videos, and how many are in photos: the longest first."""
    along = sum(len(video.moments) for video in videos)
    found_here = (hit for hit in each_of(hits) if not hit.is_example)
    photos = [hit for hit in found_here if hit.segment.timestamp_s is None]
    in_photos = f"{counted(len(photos), 'result')} {in_files(photos, 'photo')}" if photos else ""
    if not videos:
        return in_photos, ("",)
    shown = [each for each in videos if strong_of(each)]  # of all where no line is drawn
    strong = sum(map(strong_of, shown))
    found = counted(strong, "strong moment" if has_line else "moment")
    if not strong:
        found = "No strong moments"
    where = f"in {counted(len(shown), 'video')}" if shown else ""
    weaker = f"{along - strong:,} weaker" if along > strong else ""
    rests = in_photos, f"{len(photos):,} in photos" if photos else "", ""
    return found, tuple(" · ".join(filter(None, (where, weaker, rest))) for rest in rests)
