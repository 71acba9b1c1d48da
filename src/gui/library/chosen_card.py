"""What can be done with one media file of the library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from src.records import MediaCard


@dataclass(frozen=True)
class LibraryActions:
    add_files: Callable[[], None]
    add_folder: Callable[[], None]
    import_dataset: Callable[[], None]
    samples: Callable[[], None]
    open: Callable[[MediaCard], None]
    remove: Callable[[Sequence[int]], None]
    remove_missing: Callable[[], None]
    retry: Callable[[Sequence[Path]], None]
    go_on: Callable[[], None]
    show_failure: Callable[[MediaCard], None]
    show_in_folder: Callable[[Path], None]
    copy_image: Callable[[Path], None]
    open_another: Callable[[], None]
    open_to_read: Callable[[], None]


class ChosenCard:
    """The card whose menu is open, with what its entries do."""

    def __init__(
        self,
        card: MediaCard,
        is_stopped: bool,
        is_missing: bool,
        actions: LibraryActions,
        label: Callable[[], None] = lambda: None,
    ) -> None:
        """Choose a card.

        Args:
            is_stopped: whether its file waits since a person stopped adding it.
            is_missing: whether its file is not where it was.
            label: asks for the name of a label for it.
        """
        self.card, self._actions, self.label = card, actions, label
        self.is_stopped, self.is_missing = is_stopped, is_missing

    @property
    def has_failed(self) -> bool:
        return self.card.media.status == "failed"

    @property
    def can_open(self) -> bool:
        """Whether a frame of it is stored."""
        return not self.has_failed and self.card.poster is not None

    def open(self) -> None:
        """Show it, or why it could not be added."""
        if self.has_failed:
            self._actions.show_failure(self.card)
        elif self.can_open:
            self._actions.open(self.card)

    def retry(self) -> None:
        self._actions.retry([self.card.media.path])

    def show_in_folder(self) -> None:
        self._actions.show_in_folder(self.card.media.path)

    def copy_image(self) -> None:
        """Put its first frame on the clipboard."""
        if self.card.poster is not None:
            self._actions.copy_image(self.card.poster)

    def remove(self) -> None:
        self._actions.remove([self.card.media.id])

    def remove_all_missing(self) -> None:
        self._actions.remove_missing()
