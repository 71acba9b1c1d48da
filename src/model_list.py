"""The models of this machine as a person meets them, for a library that may use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from src.errors import MediaLibraryError
from src.events import Event
from src.model_records import ModelOffer, ModelRow
from src.settings import Device

if TYPE_CHECKING:
    from src.models.model_manager import ModelManager
    from src.models.model_service import ModelService


class ModelList:
    """Lists, fetches and measures models; MediaLibrary.model_list.

    The first call loads torch, which takes seconds.
    """

    def __init__(self, models: Callable[[], ModelManager]) -> None:
        """List what a manager knows.

        Args:
            models: gives the manager of this moment; may be slow.
        """
        self._models = models

    @property
    def _service(self) -> ModelService:
        from src.models.model_service import ModelService

        return ModelService(self._models())

    @property
    def folder(self) -> Path:
        """Where weights lie, and where a person can drop them."""
        return self._service.folder

    @property
    def problems(self) -> Sequence[MediaLibraryError]:
        """Which files of weights were tried and can't be used, and why."""
        return self._models().problems

    def rows(self) -> list[ModelRow]:
        """List what is here, best first for each kind, then what can be downloaded."""
        return self._service.rows()

    def offer(self) -> ModelOffer | None:
        """Return what a person can fetch who has only the bundled models; None: nothing."""
        return self._service.offer()

    def download(self, name: str) -> Iterator[Event]:
        """Fetch a model; see ModelService.download.

        Raises:
            QueryError: no model that can be had is called so.
            DownloadError: it can't be had, and why.
        """
        yield from self._service.download(name)

    def measure(self, row: ModelRow, go_on: Callable[[], bool] = lambda: True) -> ModelRow:
        """Run a model that is here on noise, and remember how fast it was.

        Args:
            go_on: asked again and again; once it says no, the row comes back as it was.

        Raises:
            CheckpointError: the weights can't be used, or the speed can't be kept.
        """
        return self._service.measure(row, go_on)

    def lacks(self, device: Device) -> bool:
        """Return whether a device that the settings name is not on this machine."""
        return self._models().lacks(device)
