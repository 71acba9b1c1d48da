"""What the library shows of running jobs; without its widgets."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from src.gui.core.job_state import JobState
from src.gui.library.library_panel import LibraryPanel


class Panel(LibraryPanel):
    def __init__(self, busy: tuple[Path, JobState]) -> None:
        self.media: Any = SimpleNamespace(busy=busy)
        self.grid_view: Any = SimpleNamespace(refresh=lambda: None)

    def content_changed(self) -> None:
        pass


def test_the_end_of_an_export_leaves_a_file_that_is_being_read_as_it_is() -> None:
    adding = JobState(kind="add")
    panel = Panel((Path("video.mp4"), adding))
    panel._job_ended(JobState(kind="export"))
    assert panel.media.busy == (Path("video.mp4"), adding)
    panel._job_ended(adding)
    assert panel.media.busy is None
