"""Datasets out of a library; a part of MediaLibrary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path

import numpy as np

from src.database.clip_in_use import clip_in_use
from src.database.segment_store import IMPORTED_ONLY
from src.datasets.export import Export
from src.datasets.known_plans import KnownPlans
from src.datasets.preview import preview_of
from src.datasets.recipes import SavedRecipes
from src.datasets.registry import export_format, export_formats
from src.datasets.saved_crops import save_crops
from src.events import Event
from src.export_records import ExportFormatInfo, ExportPreview, ExportSample
from src.options import options_of
from src.search.recipe import Recipe
from src.tagging import Tagging
from src.track_records import ClipMasks


class Exporting(Tagging):
    """The verbs on datasets."""

    @staticmethod
    def export_formats() -> tuple[ExportFormatInfo, ...]:
        """List the formats that a dataset can be written in, the one by default first."""
        return tuple(
            ExportFormatInfo(
                each.key,
                each.label,
                each.summary,
                options_of(each.options),
                each.forms,
                each.is_for_training,
            )
            for each in export_formats()
        )

    @cached_property
    def _plans(self) -> KnownPlans:
        return KnownPlans(self.metadata)

    @property
    def recipes(self) -> SavedRecipes:
        """The recipes of datasets that have a name."""
        return SavedRecipes(self.metadata)

    def export(
        self,
        folder: Path | str,
        recipe: Recipe | str | None = None,
        title: str = "",
        update: bool = False,
    ) -> Iterator[Event]:
        """Write a dataset; see Export, and `export_formats` for what there is to choose.

        Before a split, duplicates are searched for where media were added since the last search.

        Args:
            folder: a new or empty one; with `update` one that has a dataset.
            recipe: or the name of one; everything as folders of crops when None.
            title: of the dataset; the recipe's name, or the library's, when it is empty.
            update: whether there is a dataset in the folder already, of which only what has
                changed is made anew.

        Raises:
            ExportError: there is something there already, or it can't be written.
            OptionError: there is no such format or option, or an option can't have this value.
            QueryError: there is no such recipe.
        """
        from src.dataset_images import DatasetImages

        if isinstance(recipe, str):
            title, recipe = title or recipe, self.recipes.get(recipe)
        recipe = recipe or Recipe()
        can_look = not (self.metadata.connection.is_read_only or self.duplicates.is_current())
        if recipe.split and can_look:
            # copies that were cropped or made brighter are found by a look at the pixels alone
            yield from self.duplicates.find()
        with closing(DatasetImages(self.metadata, self.settings)) as images:
            yield from Export(
                self.metadata,
                Path(folder),
                images,
                recipe,
                self._made_with(),
                title,
                update,
            ).run()

    def _made_with(self) -> dict[str, object]:
        sams = self.metadata.connection.read().execute(
            "SELECT DISTINCT sam FROM frames WHERE sam IS NOT NULL AND sam != ? ORDER BY sam",
            (IMPORTED_ONLY,),
        )
        return {
            "library": self.paths.root.name,
            "models": {
                "clip": clip_in_use(self.metadata),
                "segmentation": [row["sam"] for row in sams],
            },
            "settings": {"blur_kernel": self.settings.blur_kernel},
        }

    def export_preview(
        self, recipe: Recipe | None = None, wanted: Callable[[], bool] = lambda: True
    ) -> ExportPreview:
        """Count what an export would write; see preview_of and KnownPlans.plan."""
        return preview_of(self.metadata, self._plans.plan(recipe or Recipe(), wanted))

    def export_samples(
        self, recipe: Recipe, number: int, wanted: Callable[[], bool] = lambda: True
    ) -> Iterator[ExportSample]:
        """Show some images that an export would write; see samples_of_plan."""
        from src.dataset_images import DatasetImages
        from src.datasets.samples import samples_of_plan

        plan = self._plans.plan(recipe, wanted)
        with closing(DatasetImages(self.metadata, self.settings)) as images:
            yield from samples_of_plan(plan, images, self._read_small, number)

    def written_samples(
        self,
        folder: Path | str,
        format_key: str,
        number: int,
        wanted: Callable[[], bool] = lambda: True,
    ) -> Iterator[ExportSample]:
        """Show some images of a dataset, read from it; see samples_of_dataset."""
        from src.datasets.samples import samples_of_dataset

        chosen = export_format(format_key)
        yield from samples_of_dataset(Path(folder), chosen, self._read_small, number, wanted)

    def _read_small(self, content: bytes) -> np.ndarray:
        from src.datasets.samples import SAMPLE_SIDE

        return self.browse.read_image(content, SAMPLE_SIDE)

    def save_clip(
        self,
        media_file_id: int,
        begin_s: float,
        end_s: float,
        file: Path | str,
        masks: ClipMasks | None = None,
        replace: bool = False,
    ) -> Iterator[Event]:
        """Save a range of a video as an MP4 file; see src.video_clips.clip_job.Clip.

        Args:
            end_s: the frame that is shown then is not in it.
            masks: what is drawn into it; None draws nothing.
            replace: whether a file that is there already may go.

        Raises:
            ExportError: there is a file already, nothing that could be drawn, no such range, or it
                can't be written.
            MediaReadError: the video can't be read.
        """
        from src.video_clips.clip_job import Clip

        yield from Clip(
            self.metadata,
            media_file_id,
            begin_s,
            end_s,
            Path(file),
            masks,
            replace,
        ).run()

    def save_crops(self, segment_ids: Sequence[str], folder: Path | str) -> list[Path]:
        """Copy the crops of segments into a folder; see src.datasets.saved_crops.

        Raises:
            ExportError: there is none of these segments, a crop can't be read, or a copy written.
        """
        return save_crops(self.metadata, segment_ids, Path(folder))
