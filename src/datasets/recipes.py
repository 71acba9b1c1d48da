"""Recipes of datasets that a person has given a name; they are kept in the library."""

from __future__ import annotations

from src.database.metadata_db import MetadataDatabase
from src.search.named_texts import NamedTexts
from src.search.recipe import Recipe, recipe_from_json, recipe_to_json


class SavedRecipes:
    """See NamedTexts, which also tells what is wrong with a name."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self._texts = NamedTexts(metadata, "recipe")

    def names(self) -> tuple[str, ...]:
        """List their names from A to Z."""
        return tuple(self._texts.all())

    def get(self, name: str) -> Recipe:
        """Find one.

        Raises:
            QueryError: none is called so, or it was made by a newer version.
        """
        return recipe_from_json(self._texts.get(name)[1])

    def save(self, name: str, recipe: Recipe) -> None:
        """Keep a recipe under a name, in the place of what has it now."""
        self._texts.save(name, recipe_to_json(recipe))

    def forget(self, name: str) -> None:
        """Delete one; QueryError where none is called so."""
        self._texts.forget(name)
