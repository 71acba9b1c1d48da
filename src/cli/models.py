"""`main.py models`: the table, and a download."""

from __future__ import annotations

import dataclasses

from src.cli.report import ProgressLine, megabytes, note, one_line, print_json
from src.errors import CheckpointError
from src.events import ModelFetched
from src.models import catalogue
from src.models.download import Download
from src.models.model_manager import ModelManager
from src.models.overview import measure, overview
from src.records import ModelRow


def list_models(manager: ModelManager, probe: bool, as_json: bool) -> None:
    """Print the table, after a measurement of what is here when `probe` asks for it."""
    rows = overview(manager)
    if probe:
        rows = [_measured(manager, row) for row in rows]
    for row in rows:
        if as_json:
            print_json(dataclasses.asdict(row))
        else:
            size = "" if row.bytes is None else megabytes(row.bytes)
            state = f"{row.state}, used first" if row.preferred else row.state
            print(
                f"{row.kind:5}{one_line(row.name):24} {size:>11}  {row.licence or '':11} "
                f"{_speed(row):>16}  {state:19} {row.purpose}".rstrip()
            )
    if not as_json:
        print(f"models run on: {manager.device}; more go into {one_line(manager.models_folder)}")


def download_model(manager: ModelManager, name: str) -> None:
    """Fetch a model of the catalogue into the models folder."""
    progress = ProgressLine()
    try:
        for event in Download(catalogue.entry(name), manager.models_folder).run():
            progress.show(event)
            if isinstance(event, ModelFetched):
                progress.close()
                print(one_line(event.path))
    finally:
        progress.close()


def _measured(manager: ModelManager, row: ModelRow) -> ModelRow:
    try:
        return measure(manager, row)
    except CheckpointError as exc:
        note(f"not measured: {exc}")
        return row


def _speed(row: ModelRow) -> str:
    if row.speed is None:
        return ""
    return f"{row.speed:.1f} images/s" if row.kind == "clip" else f"{row.speed:.1f} s an image"
