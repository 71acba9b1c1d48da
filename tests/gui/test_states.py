"""What is said and kept in the states between: empty, loading, adding, after a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src.config import LibraryPaths
from src.gui.app import file_chooser
from src.gui.core.session import Session
from src.gui.core.wording import capital, listed
from src.gui.detail.detail_panel import DetailPanel, Origin
from src.gui.dialogs.settings_dialog import after_restart, as_number
from src.gui.library.library_panel import count_of_media
from src.gui.search.results import EMPTY, NO_WORDS, STILL_ADDING, ResultsView
from src.settings import Settings
from tests.direct_thread import DirectThread


class Results(ResultsView):
    def __init__(self, jobs: int = 0, empty: bool = False) -> None:
        self._session: Any = SimpleNamespace(jobs=[None] * jobs)
        self._is_empty = empty


def test_other_words_are_only_asked_for_when_words_are_the_reason() -> None:
    assert Results().why_none(NO_WORDS) == NO_WORDS
    assert Results(empty=True).why_none(NO_WORDS) == EMPTY
    assert Results(jobs=1, empty=True).why_none(NO_WORDS) == STILL_ADDING


def test_media_are_counted_one_way() -> None:
    assert count_of_media(26, 5) == "21 media files, 5 failed"
    assert count_of_media(1, 0) == "1 media file"


@pytest.fixture
def session(tmp_path: Path) -> Session:
    main_thread: Any = DirectThread()
    never: Any = None
    session = Session(main_thread, never, never)
    library: Any = SimpleNamespace(
        settings=Settings(),
        paths=LibraryPaths(tmp_path),
        media_suffixes=lambda: ([".jpg"], [".mp4"]),
    )
    session._library = library
    return session


def test_how_the_window_was_used_is_kept(session: Session, tmp_path: Path) -> None:
    session.keep(media_order="name", thumbnail_width=240)
    session.keep(recent_searches=("red",))
    kept = Settings.load(session.library.paths.settings)
    assert (kept.media_order, kept.thumbnail_width, kept.recent_searches) == ("name", 240, ("red",))


def test_what_can_not_be_kept_is_no_error(session: Session, tmp_path: Path) -> None:
    session.library.paths.settings.mkdir()
    session.keep(media_order="name")
    assert session.library.settings.media_order == "name"


def test_files_are_chosen_where_the_last_were(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, object]] = []
    photo = tmp_path / "photos" / "a.jpg"
    photo.parent.mkdir()

    def ask(_root: object, _wish: str, start: object, kinds: Any) -> list[Path]:
        asked.append((start, [name for name, _ in kinds]))
        return [photo]

    monkeypatch.setattr(file_chooser.desktop, "ask_for_files", ask)
    root: Any = None
    for wish in ("media", "image"):
        assert file_chooser.ask_in_last_folder(root, session, wish) == [photo]
    assert asked == [
        (None, ["Photos and videos", "Photos", "Videos"]),
        (photo.parent, ["Images"]),
    ]


def test_settings_that_wait_for_a_restart_are_named() -> None:
    before = Settings()
    assert after_restart(before, replace(before, frames_per_second=2.0)) == []
    changed = after_restart(before, replace(before, appearance="light", widget_scaling=1.5))
    assert capital(listed(changed)) == "Appearance and interface scale"


@pytest.mark.parametrize(
    ("text", "number"), [(" 0,5 ", 0.5), ("5 %", 5.0), ("many", None), ("-1", None), ("nan", None)]
)
def test_numbers_are_read_as_people_write_them(text: str, number: float | None) -> None:
    assert as_number(text, 0, 100) == number


class Detail(DetailPanel):
    """The detail view without its widgets."""

    def __init__(self, origin: Origin) -> None:
        self.shown: list[str] = []
        self._origin, self._asked = origin, 0
        browse = SimpleNamespace(
            sampled_frames=lambda media: [SimpleNamespace(segment_id=f"frame of {media}")]
        )
        library = SimpleNamespace(browse=browse)
        self._session: Any = SimpleNamespace(library=library, main_thread=DirectThread())
        self.masks: Any = SimpleNamespace(lets_go=lambda then: True)

    def show_segment(self, segment_id: str) -> None:
        self.shown.append(segment_id)


def test_from_a_photo_of_the_library_one_goes_on_to_the_next() -> None:
    detail = Detail(Origin("Library", photos=[7, 3, 9], place=0))
    for step in (1, 1, 1, -1):  # the third is the last
        detail.go(step)
    assert detail.shown == ["frame of 3", "frame of 9", "frame of 3"]


class Fitting(DetailPanel):
    """The detail view of a video, in a window of a height, with and without the strip of a job."""

    def __init__(self, panel_height: int) -> None:
        self.heights: list[int] = []
        image = SimpleNamespace(shape=(720, 1280, 3))
        media = SimpleNamespace(kind="video")
        self._view: Any = SimpleNamespace(image_rgb=image, media=media)
        self.strips: Any = SimpleNamespace(needed_height=lambda view: 150 + 120)
        self._middle: Any = SimpleNamespace(
            winfo_width=lambda: 680,
            winfo_height=lambda: panel_height - 104,
            winfo_rooty=lambda: 89,
        )
        self.picture: Any = SimpleNamespace(configure=lambda height: self.heights.append(height))
        self.theme: Any = SimpleNamespace(px=lambda length: length)

    def winfo_rooty(self) -> int:
        return 0

    def winfo_toplevel(self) -> Any:
        return SimpleNamespace(winfo_height=lambda: 736)


def test_the_strip_of_a_job_comes_and_goes_and_the_picture_stays() -> None:
    heights = []
    for panel_height in (736, 736 - 72):
        fitting = Fitting(panel_height)
        fitting._fit_picture()
        heights += fitting.heights
    assert heights[0] == heights[1] > 120
