"""The table of models, and the speed that is measured."""

from __future__ import annotations

from pathlib import Path

from src.config import STARTER_FOLDER
from src.models.model_manager import ModelManager
from src.models.overview import SPEEDS_FILE, measure, overview


def test_a_measured_speed_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "starter").symlink_to(STARTER_FOLDER)
    manager = ModelManager(tmp_path, device="cpu")
    clip = next(row for row in overview(manager) if row.name == "starter CLIP")
    assert clip.speed is None and clip.preferred and clip.state == "bundled"
    speed = measure(manager, clip).speed
    assert speed is not None and speed > 0
    assert next(r for r in overview(manager) if r.name == "starter CLIP").speed == speed
    (tmp_path / SPEEDS_FILE).write_text("not json")
    assert all(row.speed is None for row in overview(manager))
