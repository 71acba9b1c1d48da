"""What an export would write, counted for the dialog."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from src.export_records import ExportPreview
from src.search.recipe import ClassRule, Recipe, with_other_tags

if TYPE_CHECKING:
    from src.library import MediaLibrary


@dataclass(frozen=True)
class Asked:
    """What a person has chosen.

    Attributes:
        recipe: without classes.
        rules: classes that are made of several tags, or have another name.
        ticked: classes that alone are exported; None for all of them.
    """

    recipe: Recipe
    rules: tuple[ClassRule, ...] = ()
    ticked: tuple[str, ...] | None = None

    def everything(self, tags: tuple[str, ...]) -> Recipe:
        """Return the recipe with all classes, ticked or not."""
        classes = with_other_tags(self.rules, tags) if self.rules else ()
        return replace(self.recipe, classes=classes)

    def with_classes(self, tags: tuple[str, ...]) -> Recipe:
        """Return the recipe with its classes.

        Args:
            tags: all that there are.
        """
        everything = self.everything(tags)
        if self.ticked is None:
            return everything
        known = {rule.name: rule for rule in everything.classes}
        classes = (known.get(name, ClassRule(name, (name,))) for name in self.ticked)
        return replace(everything, classes=tuple(classes))


@dataclass(frozen=True)
class Counted:
    """What was counted.

    Attributes:
        preview: of what would be written.
        everything: of all classes, ticked or not; without a split.
        tags: all that there are.
    """

    preview: ExportPreview
    everything: ExportPreview
    tags: tuple[str, ...]


def ticked_again(
    ticked: Iterable[str], before: Sequence[ClassRule], after: Sequence[ClassRule]
) -> set[str]:
    """Return the classes that are ticked once others are merged.

    Args:
        before, after: classes that are made of several tags, or have another name.
    """
    tags_of = {rule.name: rule.tags for rule in before}
    class_of = {tag.casefold(): rule.name for rule in after for tag in rule.tags}
    tags = (tag for name in ticked for tag in tags_of.get(name, (name,)))
    return {class_of.get(tag.casefold(), tag) for tag in tags}


def count(library: MediaLibrary, asked: Asked, wanted: Callable[[], bool]) -> Counted:
    """Count what would be written, and what could be.

    Args:
        wanted: whether somebody still waits for it; asked now and then.

    Raises:
        GivenUp: it is not wanted any more.
    """
    recipe = asked.recipe
    if asked.ticked is None and not asked.rules:
        preview = library.export_preview(recipe, wanted)
        return Counted(preview, preview, _tags_of(preview))
    # without the work of dealing out, which is done for what is written alone
    unsplit = replace(asked, recipe=replace(recipe, split=""))
    everything = library.export_preview(unsplit.recipe, wanted)
    tags = _tags_of(everything)
    if asked.rules:
        everything = library.export_preview(unsplit.everything(tags), wanted)
    if asked.ticked == ():  # a recipe without classes has them all
        return Counted(ExportPreview({}, {}, 0, 0), everything, tags)
    return Counted(library.export_preview(asked.with_classes(tags), wanted), everything, tags)


def _tags_of(preview: ExportPreview) -> tuple[str, ...]:
    return tuple(sorted(preview.written.keys() | preview.left_out.keys()))
