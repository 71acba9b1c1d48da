"""The attributes of a dataset's classes: those of the labels that each class is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from src.database.label_attributes import merged_attribute
from src.database.label_table import LabelTable
from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import casefold_key
from src.datasets.annotations import ClassAttributes
from src.label_records import LabelAttribute

Values = tuple[tuple[str, str | float], ...]
ValuesOf = Mapping[tuple[str, str], Values]  # by segment and class


class DatasetAttributes:
    """Looks up what classes and segments have."""

    def __init__(self, metadata: MetadataDatabase, class_of: Mapping[str, str]) -> None:
        """Prepare it.

        Args:
            class_of: the class that each tag becomes, by the folded name of the tag.
        """
        self._table = LabelTable(metadata.connection, metadata.rows)
        self._class_of = class_of

    @cached_property
    def of_classes(self) -> ClassAttributes:
        """The attributes of each class that has any; one with the choices of all its labels."""
        found: dict[str, dict[str, LabelAttribute]] = {}
        for label in self._table.labels():
            name = self._class_of.get(casefold_key(label.name))
            if name is not None and label.attributes:
                of_class = found.setdefault(name, {})
                for each in label.attributes:
                    of_class[each.name] = merged_attribute(of_class.get(each.name, each), each)
        return {name: tuple(of_class.values()) for name, of_class in found.items()}

    def values(self, segment_ids: Sequence[str]) -> ValuesOf:
        """Look up the values of segments."""
        found: dict[tuple[str, str], dict[str, str | float]] = {}
        values = self._table.attribute_values(segment_ids) if self.of_classes else {}
        for segment_id, of_labels in values.items():
            for label, some in of_labels.items():
                name = self._class_of.get(casefold_key(label))
                if name is not None:
                    found.setdefault((segment_id, name), {}).update(some)
        return {key: tuple(sorted(some.items())) for key, some in found.items()}
