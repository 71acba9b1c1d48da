"""What can be done with the search hits that a person has chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from src.records import SearchHit


@dataclass(frozen=True)
class HitActions:
    """What results ask of the window.

    Attributes:
        open: shows a hit, which is at a place among others.
        add_term: searches for more (1) or for less (-1) like a hit, beside what is searched for.
        open_timeline: shows a video at a moment in seconds, with a segment that is marked there.
    """

    open: Callable[[Sequence[SearchHit], int], None]
    similar: Callable[[SearchHit], None]
    add_term: Callable[[SearchHit, float], None]
    show_in_folder: Callable[[Path], None]
    save_crops: Callable[[Sequence[SearchHit]], None]
    copy_crop: Callable[[Path], None]
    open_timeline: Callable[[int, float, str], object]


class ChosenHits:
    """The selected hits, or the one that has the focus."""

    def __init__(
        self,
        hits: Sequence[SearchHit],
        actions: HitActions,
        open_one: Callable[[], None],
        label: Callable[[], None],
    ) -> None:
        """Choose hits, one or more.

        Args:
            open_one: shows the one that has the focus.
            label: asks for the name of a label for them all.
        """
        self.hits, self._actions = hits, actions
        self.open, self.label = open_one, label

    @property
    def is_one(self) -> bool:
        return len(self.hits) == 1

    def find_similar(self) -> None:
        self._actions.similar(self.hits[0])

    def add_term(self, weight: float) -> None:
        """Search for more like each of them, or with a weight below 0 for less."""
        for hit in self.hits:
            self._actions.add_term(hit, weight)

    def copy_crop(self) -> None:
        """Put the crop on the clipboard, as an image."""
        self._actions.copy_crop(self.hits[0].segment.crop_path)

    def save_crops(self) -> None:
        self._actions.save_crops(self.hits)

    def show_in_folder(self) -> None:
        self._actions.show_in_folder(self.hits[0].segment.media_path)
