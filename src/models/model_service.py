"""The models of this machine, as a person meets them: listed, fetched, measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from src.events import Event
from src.model_records import ModelOffer, ModelRow
from src.models import model_registry
from src.models.download import Download
from src.models.model_manager import ModelManager
from src.models.model_table import measure, model_table
from src.models.network import has_route

# A good start on a laptop: words that people use, and outlines of whole things, by the first of
# these that needs nothing which is not here.
OFFERED_CLIP, OFFERED_SAMS = "ViT-B-32-laion2b", ("sam2.1_hiera_tiny", "vit_b")


class ModelService:
    """What the window and the command line ask about models beside using them."""

    def __init__(self, manager: ModelManager) -> None:
        self._manager = manager

    @property
    def folder(self) -> Path:
        """Where weights lie, and where a person can drop them."""
        return self._manager.models_folder

    def rows(self) -> list[ModelRow]:
        """List what is here, best first for each kind, then what can be downloaded."""
        return model_table(self._manager)

    def offer(self) -> ModelOffer | None:
        """Return what a person can fetch who has only the bundled models.

        Returns:
            None where other weights are here, or the machine has no network.
        """
        if not all(file.bundled for file in self._manager.available()):
            return None
        sams = (model_registry.entry(name) for name in OFFERED_SAMS)
        entries = [model_registry.entry(OFFERED_CLIP), next(sam for sam in sams if not sam.needs)]
        if not all(has_route(entry.source) for entry in entries):
            return None
        hosts = dict.fromkeys(urlsplit(entry.source).hostname or "" for entry in entries)
        names = tuple(entry.name for entry in entries)
        return ModelOffer(names, sum(entry.about for entry in entries), tuple(hosts))

    def download(self, name: str) -> Iterator[Event]:
        """Fetch a model of the registry; goes on with what an earlier run has left.

        Yields:
            Downloading and Progress("check"), and ModelFetched once it is in its place.

        Raises:
            QueryError: no model of the registry is called so.
            DownloadError: it can't be had, and why.
        """
        yield from Download(model_registry.entry(name), self.folder).run()

    def measure(self, row: ModelRow, go_on: Callable[[], bool] = lambda: True) -> ModelRow:
        """Run a model that is here on noise, and remember how fast it was.

        That takes seconds, minutes for a large one.

        Args:
            go_on: asked again and again; once it says no, the row comes back as it was.

        Raises:
            CheckpointError: the weights can't be used, or the speed can't be kept.
        """
        return measure(self._manager, row, go_on)
