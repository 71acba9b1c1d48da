"""When things are seen in videos: results along them, and beside a frame; in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src.gui.cards.card_view import CardPainter
from src.gui.core.known_labels import KnownLabels
from src.gui.core.session import Listeners
from src.gui.detail.track_block import JOIN, TAKE_OUT, TrackActions, TrackBlock
from src.gui.panel.panel import PanelContext
from src.gui.search.along_videos import NO_VIDEO
from src.gui.search.chosen_hits import HitActions
from src.gui.search.results import ResultsView
from src.gui.search.results_line import ALONG, CARDS
from src.gui.theme.pictures import CardSprites
from src.gui.theme.theme import DARK, Theme
from src.records import SearchHit, SearchResult, SegmentKind
from src.track_records import Track, TrackSegment, VideoMoments
from tests.gui.label.test_rank_list import segment
from tests.gui.label.waiting_thread import WaitingThread
from tests.gui.search.test_video_rows import video


class Desk:
    """The results, with work in other threads that a test lets be done."""

    def __init__(self, root: Any, theme: Theme) -> None:
        self.root, self.videos = root, list[VideoMoments]()
        self.thread, self.asked_for = WaitingThread(), list[int]()
        self.opened: list[tuple[int, float, str]] = []
        session: Any = SimpleNamespace(
            read_only=False,
            only_to_write=lambda *_: None,
            main_thread=self.thread,
            signals=Listeners(),
            library=SimpleNamespace(
                tracks=SimpleNamespace(moments=self._moments),
                browse=SimpleNamespace(is_empty=lambda: False),
            ),
            is_open=True,
            is_closing=False,
            jobs=[],
            missing=SimpleNamespace(has=lambda _: False),
        )
        thumbnails: Any = SimpleNamespace(want=lambda *_: None, get=self._thumbnail)
        self.thumbnails: set[Path] = set()
        painter = CardPainter(theme, CardSprites(DARK, 1.0, ""), DARK.window)
        context = PanelContext(root, theme, session, thumbnails, painter, KnownLabels(session))
        nothing: Any = lambda *_: None  # noqa: E731
        self.results = ResultsView(
            root,
            context,
            HitActions(*[nothing] * 6, open_timeline=lambda *at: self.opened.append(at)),
        )
        self.results.place(x=0, y=0, relwidth=1.0, relheight=1.0)

    def _moments(self, hits: Sequence[SearchHit]) -> list[VideoMoments]:
        known = {hit.segment.id for hit in hits}
        return [each for each in self.videos if each.moments[0].segment_id in known]

    def _thumbnail(self, path: Path, _size: object) -> None:
        self.thumbnails.add(path)

    def search(self, hits: Sequence[SearchHit], line: float | None = None) -> None:
        """Show hits; more are given the further somebody asks."""

        def request(limit: int) -> SearchResult:
            self.asked_for.append(limit)
            shown = tuple(hits[:limit])
            return SearchResult(shown, line=line, strong=None if line is None else 1)

        self.results.ask(request, self.results.show)
        self.settle()

    def look(self, way: str) -> None:
        self.results.line.ways.choose(way)
        self.settle()

    def settle(self) -> None:
        """Let all work in other threads be done, and the window be drawn."""
        self.root.update()
        while self.thread.waiting:
            self.thread.finish()
            self.root.update()

    def press(self, *keys: str) -> None:
        canvas = self.results.along.canvas
        canvas.focus_force()
        self.root.update()
        for key in keys:
            canvas.event_generate(f"<KeyPress-{key}>")
        self.root.update()

    def click(self, row: int, share: float) -> None:
        """Click on the bar of a video, at a share of its width."""
        canvas = self.results.along.canvas
        left, top, width, height = canvas.bar_box(row)
        at = {"x": left + round(share * width), "y": top + height // 2}
        for event in ("<Motion>", "<Button-1>", "<ButtonRelease-1>"):
            canvas.event_generate(event, **at)
        self.root.update()

    @property
    def said(self) -> str:
        line = self.results.line
        return f"{line._count.cget('text')} | {line._where.cget('text')}"


def hit(segment_id: str, media_file_id: int, at_s: float | None) -> SearchHit:
    """Make a strong hit; one without a time is in a photo."""
    found = replace(segment(segment_id), media_file_id=media_file_id, timestamp_s=at_s)
    return SearchHit(found, 0.5, strength=0.9)


@pytest.fixture
def desk(empty_window: Any) -> Iterator[Desk]:
    empty_window.geometry("1040x700")
    desk = Desk(empty_window, Theme(DARK, 1.0))
    yield desk
    desk.results.destroy()


def two_videos(desk: Desk) -> list[SearchHit]:
    desk.videos = [
        video((1, 3, 0.9, True), (6, 8, 0.2, False), number=1),
        video((5, 5, 0.7, True), number=2),
    ]
    return [hit("1-0", 1, 2.0), hit("1-1", 1, 6.5), hit("2-0", 2, 5.0), hit("p", 3, None)]


def test_a_row_for_each_video_and_photos_in_words(desk: Desk) -> None:
    desk.search(two_videos(desk))
    assert desk.results.grid_view.winfo_viewable() and not desk.results.along.winfo_viewable()
    desk.look(ALONG)
    assert desk.results.along.winfo_viewable() and not desk.results.grid_view.winfo_viewable()
    assert desk.said == "3 moments | in 2 videos · 1 result in 1 photo"
    desk.search(two_videos(desk), line=0.3)
    assert desk.said == "2 strong moments | in 2 videos · 1 weaker · 1 result in 1 photo"
    desk.search(two_videos(desk))
    desk.look(CARDS)
    assert desk.results.grid_view.winfo_viewable() and desk.said.startswith("4 results")


def test_a_click_opens_the_timeline_at_a_result_or_at_the_time_between(desk: Desk) -> None:
    desk.search(two_videos(desk))
    desk.look(ALONG)
    desk.click(0, 0.7)  # the weaker one, from 6 to 8 of 10 seconds; its hit is at 6.5
    desk.click(1, 0.5)
    assert desk.opened == [(1, 6.5, "1-1"), (2, 5.0, "2-0")]
    desk.click(0, 0.4)
    media_file_id, at_s, segment_id = desk.opened[-1]
    assert (media_file_id, segment_id) == (1, "1-0") and at_s == pytest.approx(4.0, abs=0.05)


def test_the_keyboard_goes_along_videos_and_opens(desk: Desk) -> None:
    desk.search(two_videos(desk))
    desk.look(ALONG)
    desk.press("Down", "Return", "Right", "Return", "Right", "Return", "Down", "space")
    assert [each[2] for each in desk.opened] == ["1-0", "1-1", "1-1", "2-0"]
    desk.search(two_videos(desk), line=0.3)
    desk.press("Home", "Right", "Return")  # the other one is weaker
    assert desk.opened[-1][2] == "1-0"
    desk.press("Home", "Return")
    assert desk.opened[-1][2] == "1-0"
    canvas = desk.results.along.canvas
    for is_back in (True, False):  # to the moment that was opened, and not at each later visit
        desk.root.focus_force()
        desk.results.along.return_keys()
        desk.root.update()
        assert (desk.root.focus_get() is canvas) is is_back


def test_the_result_with_the_keyboard_has_a_ring_and_its_crop(desk: Desk) -> None:
    desk.search(two_videos(desk))
    desk.look(ALONG)
    canvas, rings = desk.results.along.canvas, list[tuple[float, ...]]()
    canvas.theme.shows_focus = False  # as the window says after a click
    for key in ("Down", "Down", "Up"):
        desk.press(key)
        (ring,) = canvas.find_withtag("marked")
        rings.append(tuple(canvas.coords(ring)))
        assert canvas.find_withtag("hover")
    assert rings[0] == rings[2] != rings[1]
    left, top, _, height = canvas.bar_box(1)
    assert rings[1][0] > left and top - 3 <= rings[1][1] < rings[1][3] <= top + height + 3


def test_where_no_result_is_in_a_video_it_says_so(desk: Desk) -> None:
    desk.search([hit("p", 3, None), hit("q", 4, None)])
    desk.look(ALONG)
    along = desk.results.along
    assert along._none.winfo_viewable() and along._none.cget("text") == NO_VIDEO
    assert desk.said == "2 results in 2 photos | "
    desk.search(two_videos(desk))  # the way to look stays
    assert not along._none.winfo_viewable() and desk.said.startswith("3 moments | in 2 videos")


def test_of_two_thousand_videos_only_those_in_sight_are_drawn(desk: Desk) -> None:
    desk.videos = [video((1, 3, 0.9, True), number=n) for n in range(2000)]
    desk.search([hit(f"{n}-0", n, 2.0) for n in range(2000)])
    desk.thumbnails.clear()
    desk.look(ALONG)
    canvas = desk.results.along.canvas
    assert len(canvas.videos) == 100 and len(desk.thumbnails) < 15
    desk.press(*["End"] * 6)
    for _ in range(6):  # each end that is seen asks for more
        desk.press("End")
        desk.settle()
    assert len(canvas.videos) == 2000 and max(desk.asked_for) == 3200
    desk.thumbnails.clear()
    desk.press("Home")
    assert 0 < len(desk.thumbnails) < 15 and len(canvas.find_all()) < 15 * 5


def test_weak_results_are_not_asked_for_without_an_end(desk: Desk) -> None:
    desk.videos = [video((1, 3, 0.9, True), number=n) for n in range(500)]
    weak = [replace(hit(f"{n}-0", n, 2.0), strength=0.2) for n in range(500)]
    desk.search([hit("0-0", 0, 2.0), *weak[1:]], line=0.3)
    desk.look(ALONG)
    desk.press("End")
    desk.settle()
    assert desk.asked_for == [100]


def test_a_new_search_while_one_is_looked_up_is_not_overtaken(desk: Desk) -> None:
    desk.search(two_videos(desk))
    desk.results.line.ways.choose(ALONG)
    desk.results.say("Nothing.")  # before the answer is there
    desk.settle()
    assert not desk.results.along.videos and not desk.results.along.winfo_viewable()


def track_of(*ids: str) -> Track:
    segments = tuple(
        TrackSegment(each, n, 3.4 + n, 4.4 + n, (0, 0, 8, 8), Path("crop.jpg"))
        for n, each in enumerate(ids)
    )
    return Track(7, 1, 3.4, 9.7, "linked", segments)


@dataclass
class Beside:
    """The block at the side of a frame, with work in other threads that a test lets be done."""

    block: TrackBlock
    thread: WaitingThread
    done: list[tuple[object, ...]]
    tracks: dict[str, Track]

    def show(self, segment_id: str, at_s: float | None, kind: SegmentKind = "object") -> None:
        shown = replace(segment(segment_id), timestamp_s=at_s, kind=kind)
        self.block.show(shown)
        self.thread.finish()


@pytest.fixture
def beside(empty_window: Any) -> Iterator[Beside]:
    thread, done, tracks = WaitingThread(), list[tuple[object, ...]](), dict[str, Track]()
    library = SimpleNamespace(tracks=SimpleNamespace(track_of=tracks.get))
    session: Any = SimpleNamespace(
        main_thread=thread, library=library, only_to_write=lambda *_: None
    )
    actions = TrackActions(
        lambda segment: done.append(("timeline", segment.id)),
        lambda *what: done.append(("split", *what)),
        lambda what: done.append(("take out", what)),
    )
    block = TrackBlock(empty_window, Theme(DARK, 1.0), session, actions)
    yield Beside(block, thread, done, tracks)
    block.destroy()


def test_beside_a_segment_it_says_when_its_track_is_seen(beside: Beside) -> None:
    beside.tracks |= dict.fromkeys("abc", track_of(*"abc"))
    beside.show("b", 4.4)
    assert beside.block.said == "Seen 0:03.4–0:09.7 · 3 frames" and beside.block.is_for_video
    beside.show("d", 4.4)
    assert beside.block.said == "" and beside.block.is_for_video
    beside.show("p", None)
    assert not beside.block.is_for_video


def test_what_can_be_done_with_a_track(beside: Beside) -> None:
    beside.tracks |= dict.fromkeys("abc", track_of(*"abc"))
    beside.show("b", 4.4)
    for _, act in beside.block.entries():
        act()
    beside.block.timeline.invoke()
    assert beside.done == [
        ("split", 7, "b"),
        ("take out", "b"),
        ("timeline", "b"),
        ("timeline", "b"),
    ]
    beside.show("a", 3.4)  # nothing lies before it
    assert [name for name, _ in beside.block.entries()] == [TAKE_OUT, JOIN]
    beside.show("whole", 3.4, "frame")
    assert beside.block.entries() == []


def test_the_track_of_a_segment_that_was_left_meanwhile_is_not_shown(beside: Beside) -> None:
    beside.tracks |= dict.fromkeys("abc", track_of(*"abc"))
    beside.block.show(replace(segment("b"), timestamp_s=4.4))
    beside.block.show(replace(segment("p"), timestamp_s=None))
    beside.thread.finish()
    assert beside.block.said == "" and beside.block.track is None
