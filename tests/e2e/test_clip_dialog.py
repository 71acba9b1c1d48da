"""The dialog that saves a clip, over an empty window, with a real video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from src.database.metadata_db import MetadataDatabase
from src.gui.dialogs.clip_dialog import ALL_TRACKS, THESE_TRACKS, ClipDialog
from src.track_records import ClipMasks
from tests.datasets.tracked_video import add_tracked_video
from tests.e2e.desktop import Screen
from tests.e2e.empty_window import empty_window
from tests.e2e.test_export_formats import texts
from tests.video_clips.numbered_video import frames_of


@pytest.fixture
def dialog(
    screen: Screen,
    monkeypatch: pytest.MonkeyPatch,
    metadata: MetadataDatabase,
    tmp_path: Path,
) -> Iterator[ClipDialog]:
    monkeypatch.setenv("DISPLAY", screen.display)
    monkeypatch.setenv("HOME", str(tmp_path))
    media_id = add_tracked_video(metadata, tmp_path / "media")
    metadata.close()
    with empty_window(metadata) as window:
        media = window.session.library.browse.media_cards([media_id])[media_id].media
        dialog = ClipDialog(
            window.overlay, window.session, media, (0.4, 1.2), lambda: None, print, (1, 2), "dog"
        )
        window.overlay.root.update()
        yield dialog


def test_a_clip_is_saved_with_what_is_chosen(dialog: ClipDialog, tmp_path: Path) -> None:
    shown = texts(dialog._dialog)
    assert {"0:00.40–0:01.20 of film.mp4, 0.80 s", "All “dog”"} <= shown
    assert dialog.entry.text == str(tmp_path / "film 0.4-1.2 s.mp4")
    assert dialog.masks == ClipMasks(label="dog")
    dialog.which.choose(THESE_TRACKS)
    assert dialog.masks == ClipMasks((1, 2))
    dialog.which.choose(ALL_TRACKS)
    assert dialog.masks == ClipMasks()
    dialog._start()
    dialog._session.jobs.run()
    dialog._dialog.update()
    assert {"Clip saved, 20 frames", "Show in folder", "Close"} <= texts(dialog._dialog)
    assert frames_of(tmp_path / "film 0.4-1.2 s.mp4")[0].std() > 10


def test_a_file_that_is_there_is_not_replaced(dialog: ClipDialog, tmp_path: Path) -> None:
    (tmp_path / "mine.mp4").write_text("mine")
    dialog.entry.set(str(tmp_path / "mine.mp4"))
    dialog._changed()
    dialog._dialog.update()
    assert "There is a file of this name already. Choose another name." in texts(dialog._dialog)
    assert not dialog._footer._export.enabled
    dialog._start()
    assert not dialog._session.jobs.waiting and (tmp_path / "mine.mp4").read_text() == "mine"


def test_without_masks_nothing_is_drawn(dialog: ClipDialog, tmp_path: Path) -> None:
    dialog.draws.set(False)
    dialog._draws_changed(False)
    dialog._dialog.update()
    assert dialog.masks is None and not dialog.which.winfo_ismapped()
    dialog._start()
    dialog._session.jobs.run()
    assert frames_of(tmp_path / "film 0.4-1.2 s.mp4")[0].std() < 2
