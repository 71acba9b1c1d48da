"""Plans of datasets that are kept while nothing in the library changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from src.database.metadata_db import MetadataDatabase
from src.datasets.plan import DatasetPlan
from src.datasets.registry import export_format
from src.options import build_options
from src.search.recipe import Recipe, checked_recipe, recipe_to_json

# The dialog counts with all classes and with those that are chosen, and draws images of these.
_MOST_KEPT = 4


class KnownPlans:
    """Plans recipes, and gives the same plan again until something is written to the library."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self._metadata = metadata
        self._lock = Lock()
        self._version = -1
        self._plans = OrderedDict[str, DatasetPlan]()

    def plan(self, recipe: Recipe, wanted: Callable[[], bool] = lambda: True) -> DatasetPlan:
        """Give the plan of a recipe.

        Args:
            wanted: whether somebody still waits for it; asked now and then.

        Raises:
            GivenUp: it is not wanted any more.
            ExportError: the format has no such images.
            OptionError: there is no such format or option, or an option can't have this value.
        """
        chosen = export_format(recipe.format)
        build_options(chosen.options, recipe.options)
        recipe = checked_recipe(recipe)
        key, version = recipe_to_json(recipe), self._metadata.connection.version()
        with self._lock:
            if version != self._version:
                self._version = version
                self._plans.clear()
            elif key in self._plans:
                self._plans.move_to_end(key)
                return self._plans[key]
        plan = DatasetPlan(self._metadata, recipe, chosen, wanted=wanted)
        with self._lock:
            if version == self._version:
                self._plans[key] = plan
                while len(self._plans) > _MOST_KEPT:
                    self._plans.popitem(last=False)
        return plan
