"""What the map is coloured by: a tag, or how strong a hit of the last search each point is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src.gui.map.colours import OTHER, colours_for, rgb
from src.gui.map.legend import Row
from src.gui.theme.theme import Palette
from src.search.map_picture import colours_of_groups, colours_of_strength

if TYPE_CHECKING:
    from src.search.map_tags import MapTags


@dataclass(frozen=True)
class Colouring:
    """The colours of a map's points, and what they mean.

    Attributes:
        title: of the legend.
        colours: (N, 3) uint8 RGB.
        rows: of the legend.
        members: of each row, (N,) bool, which points it counts.
    """

    title: str
    colours: np.ndarray
    rows: Sequence[Row]
    members: Sequence[np.ndarray]

    def shown(self, alone: int | None) -> np.ndarray:
        """Return which points are not faint where a row is shown alone: (N,) bool."""
        if alone is None or alone >= len(self.members):
            return np.ones(len(self.colours), bool)
        return self.members[alone]

    def with_row_alone(self, alone: int | None) -> np.ndarray:
        """Return the colours where a row is shown alone: all it counts have its colour."""
        if alone is None or alone >= len(self.members) or self.title != TAGS:
            return self.colours
        colours = self.colours.copy()
        colours[self.members[alone]] = rgb(self.rows[alone].colour)
        return colours


TAGS = "Tags"


def by_tags(tags: MapTags) -> Colouring:
    """Colour each point by the surest of the most frequent tags."""
    palette = colours_for(tags.names)
    colours = colours_of_groups(tags.groups, [rgb(each) for each in palette], rgb(OTHER))
    named = zip(palette, tags.names, tags.counts, strict=True)
    rows = [Row(colour, name, count) for colour, name, count in named]
    members = [tags.has[:, column] for column in range(len(rows))]
    if tags.others:
        rows.append(Row(OTHER, "other" if rows else "no tags", tags.others))
        members.append(tags.groups < 0)
    return Colouring(TAGS, colours, rows, members)


def by_strength(strengths: np.ndarray, palette: Palette) -> Colouring:
    """Colour each point by how strong a hit it is."""
    colours = colours_of_strength(strengths, rgb(palette.strong_border), rgb(palette.accent))
    strong = strengths >= 0.5
    rows = [
        Row(palette.accent, "strong hits", int(strong.sum())),
        Row(palette.strong_border, "weaker", int((~strong).sum())),
    ]
    return Colouring("Match", colours, rows, [strong, ~strong])
