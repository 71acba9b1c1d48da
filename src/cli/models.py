"""`main.py models`: the table, a download, and the choice of what is used."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

from src.cli.report import ProgressLine, coverage_in_words, note, one_line, print_json
from src.config import LibraryPaths
from src.counting import megabytes
from src.database.lock import LibraryLock
from src.errors import CheckpointError, DatabaseError, ModelNotLoadedError, QueryError
from src.events import ModelFetched
from src.library import MediaLibrary
from src.model_records import ModelRow
from src.models.model_manager import ModelManager
from src.models.model_service import ModelService
from src.settings import NO_SAM, STARTER, Settings


def list_models(
    manager: ModelManager, probe: bool, as_json: bool, library: MediaLibrary | None = None
) -> None:
    """Print the table, after a measurement of what is here when `probe` asks for it.

    Args:
        library: says what is in use, and how far another CLIP is on its way.
    """
    coverage = None
    if library is not None:
        manager = library.models
        try:
            coverage = library.coverage()
        except ModelNotLoadedError as exc:
            note(str(exc))
    service = ModelService(manager)
    rows = service.rows()
    if probe:
        rows = [_measured(service, row) for row in rows]
    for row in rows:
        if as_json:
            print_json(dataclasses.asdict(row))
        else:
            state = f"{row.state}, in use" if row.in_use else row.state
            size, licence = megabytes(row.bytes), row.licence or ""
            print(
                f"{row.kind:5}{one_line(row.name):24} {size:>11}  {licence:11} "
                f"{_speed(row):>16}  {state:19} {row.purpose}".rstrip()
            )
    if coverage is not None:
        note(coverage_in_words(coverage))
    if not as_json:
        lacks = (
            ", as the device in the settings is not available"
            if manager.lacks(manager.wished_device)
            else ""
        )
        folder = one_line(manager.models_folder)
        print(f"models run on: {manager.device}{lacks}; put your own model files in {folder}")


def download_model(manager: ModelManager, name: str) -> None:
    """Fetch a model of the registry into the models folder."""
    progress = ProgressLine()
    try:
        for event in ModelService(manager).download(name):
            progress.show(event)
            if isinstance(event, ModelFetched):
                progress.close()
                print(one_line(event.path))
    finally:
        progress.close()


def use_models(paths: LibraryPaths, names: Sequence[str]) -> None:
    """Make a library use models by name, from now on.

    Args:
        names: "auto" for the best that are here, "starter" for the bundled ones, "none" to do
            without SAM, or a model's name in the table; a kind that none names stays as it is.

    Raises:
        QueryError: there is no such model here.
        CheckpointError: its file can't be used.
        DatabaseError: there is no folder to keep the choice in.
        LibraryLockedError: another process has the library open, and the settings with it.
    """
    if not os.path.isdir(paths.root):
        raise DatabaseError(
            f"{paths.root}: there is no such folder; name the library's folder with --library, or "
            "make it first"
        )
    paths.create()
    lock = LibraryLock(paths.lock)
    try:
        settings = Settings.load(paths.settings)
        manager = ModelManager.of(settings)
        rows = ModelService(manager).rows()
        before = settings
        for name in names:
            settings = _with(settings, name, rows)
        _check_usable(manager, before, settings, rows)
        settings.save(paths.settings)
    finally:
        lock.release()
    for kind, choice in (("CLIP", settings.clip_model), ("SAM", settings.sam_model)):
        print(f"{kind:5}{one_line(choice or 'the best available')}")


def _check_usable(
    manager: ModelManager, before: Settings, after: Settings, rows: Sequence[ModelRow]
) -> None:
    """Load what is newly chosen, so that no file is chosen that can't be used.

    Raises:
        CheckpointError: one can't be; it says why.
    """
    for row in rows:
        if row.path is None or row.state == "bundled":
            continue
        if row.kind == "clip" and row.choice == after.clip_model != before.clip_model:
            manager.load_clip(row.path)
        elif row.kind == "sam" and row.choice == after.sam_model != before.sam_model:
            manager.load_sam(row.path)


def _with(settings: Settings, name: str, rows: Sequence[ModelRow]) -> Settings:
    """Change settings so that the model of a name is used."""
    if name == "auto":
        return dataclasses.replace(settings, clip_model=None, sam_model=None)
    if name == STARTER:
        return dataclasses.replace(settings, clip_model=STARTER, sam_model=STARTER)
    if name == NO_SAM:
        return dataclasses.replace(settings, sam_model=NO_SAM)
    named = [row for row in rows if name.lower() in (row.name.lower(), (row.choice or "").lower())]
    for row in named:
        if row.choice is not None and row.kind == "clip":
            return dataclasses.replace(settings, clip_model=row.choice)
        if row.choice is not None:
            return dataclasses.replace(settings, sam_model=row.choice)
    if named:
        raise QueryError(f"{name} is not on this machine; `models download {name}` fetches it")
    names = ", ".join(row.name for row in rows if row.choice is not None)
    raise QueryError(
        f'there is no model "{name}" on this machine; there are {names}, and none, starter, auto'
    )


def _measured(service: ModelService, row: ModelRow) -> ModelRow:
    try:
        return service.measure(row)
    except CheckpointError as exc:
        note(f"not measured: {exc}")
        return row


def _speed(row: ModelRow) -> str:
    if row.speed is None:
        return ""
    return f"{row.speed:.1f} images/s" if row.kind == "clip" else f"{row.speed:.1f} s an image"
