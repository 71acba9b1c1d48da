"""What is shown in place of cards: an invitation, or why there is no library.

One drawing, one sentence, one main button, one other way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.gui.models.models_controller import ModelsController
from src.gui.models.offer_notice import OfferNotice
from src.gui.theme.pictures import empty_drawing
from src.gui.theme.theme import SMALL, TITLE, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, icon_label, label, progress_bar
from src.gui.widgets.drop_zone import DropZone

FORMATS = "JPG, PNG, WebP, TIFF, HEIC · MP4, AVI, MOV, MKV, WebM"


class EmptyState(DropZone):
    """The first thing a person sees."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        add_files: Callable[[], None],
        add_folder: Callable[[], None],
        samples: Callable[[], None],
    ) -> None:
        super().__init__(master, theme)
        c = theme.colours
        middle = ctk.CTkFrame(self, fg_color=c.drop_zone)
        middle.place(relx=0.5, rely=0.5, anchor="center")
        drawing = ctk.CTkImage(empty_drawing(c, 2.0), size=(184, 100))
        ctk.CTkLabel(middle, text="", image=drawing).pack(pady=(0, 24))
        self._title = label(
            middle, theme, "Drop photos or videos here", size=TITLE, weight="medium"
        )
        self._title.pack(pady=(0, 8))
        self._sentence = label(
            middle,
            theme,
            "They are cut into segments that you can search by words or by image.\n"
            "Your files stay where they are and are never changed.",
            colour=c.text_2,
        )
        self._sentence.pack(pady=(0, 20))
        self._buttons = buttons = ctk.CTkFrame(middle, fg_color="transparent")
        buttons.pack(pady=(0, 4))
        self.add_files = Button(
            buttons, theme, "Add files", add_files, kind="main", icon_name="plus"
        )
        self.add_files.pack(side="left")
        self.add_folder = Button(buttons, theme, "Add folder", add_folder, icon_name="folder")
        self.add_folder.pack(side="left")
        self.samples = Button(
            middle, theme, "Try with sample media", samples, kind="link", height=32
        )
        self.samples.pack()
        label(middle, theme, FORMATS, size=SMALL, colour=c.hint).pack(pady=(12, 0))
        # of one size, so that nothing moves when the offer appears
        self._offers = ctk.CTkFrame(middle, fg_color="transparent", width=620, height=84)
        self._offers.pack_propagate(False)
        self._offers.pack(pady=(12, 0))

    def say_nothing_there(self) -> None:
        """Invite to nothing: the library is open for reading only."""
        self._title.configure(text="Nothing is in this library yet")
        self._sentence.configure(
            text="It is open to read only here. What another program adds will appear."
        )
        self._buttons.pack_forget()
        self.samples.pack_forget()

    def offer(self, work: ModelsController, on_models: Callable[[], object]) -> None:
        """Offer larger models below the invitation, while there are only the bundled ones."""
        notice = OfferNotice(
            self._offers,
            self.theme,
            work,
            on_models,
            lambda notice: notice.pack(fill="x"),
            can_decline=False,
        )
        notice.want(True)  # there may be an offer already


class Recovering(ctk.CTkFrame):
    """Shows how far the recovery of a damaged library is."""

    def __init__(self, master: Any, theme: Theme) -> None:
        c = theme.colours
        super().__init__(master, fg_color="transparent", corner_radius=0)
        middle = ctk.CTkFrame(self, fg_color="transparent")
        middle.place(relx=0.5, rely=0.45, anchor="center")
        label(middle, theme, "Recovering your library", size=TITLE, weight="medium").pack(
            pady=(0, 8)
        )
        label(
            middle,
            theme,
            "The database was damaged. All that can be read is kept, and the rest is restored "
            "from a backup.",
            colour=c.text_2,
            wraplength=560,
        ).pack(pady=(0, 20))
        self._bar = progress_bar(middle, theme, width=320)
        self._bar.pack()
        self._bar.set(0)

    def say(self, done: int, total: int) -> None:
        """Show how much has been read, and of how much."""
        self._bar.set(done / total if total else 0)


class NotOpened(ctk.CTkFrame):
    """Shown until the library, or another one, is opened."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        again: Callable[[], None],
        other: Callable[[], None],
        to_read: Callable[[], None] | None = None,
    ) -> None:
        """Make it.

        Args:
            again: tries to open it once more.
            other: asks for another library.
            to_read: opens it to read only; None where that was tried.
        """
        c = theme.colours
        super().__init__(master, fg_color="transparent", corner_radius=0)
        middle = ctk.CTkFrame(self, fg_color="transparent")
        middle.place(relx=0.5, rely=0.45, anchor="center")
        icon_label(middle, "warning", c.warn, 32).pack(pady=(0, 16))
        self._title = label(middle, theme, "", size=TITLE, weight="medium")
        self._title.pack(pady=(0, 8))
        self._sentence = label(middle, theme, "", wraplength=560)
        self._sentence.pack()
        self._details = label(middle, theme, "", size=SMALL, colour=c.text_2, wraplength=560)
        self._details.pack(pady=(8, 20))
        buttons = ctk.CTkFrame(middle, fg_color="transparent")
        buttons.pack()
        Button(buttons, theme, "Retry", again, kind="main", icon_name="retry").pack(side="left")
        if to_read is not None:
            Button(buttons, theme, "Open to read only", to_read).pack(side="left")
        Button(buttons, theme, "Open another library", other, icon_name="folder").pack(side="left")

    def say(self, held: bool, sentence: str, details: str) -> None:
        """Show why.

        Args:
            held: another process has it open, which is no damage.
        """
        title = "This library is already open" if held else "This library can't be opened"
        self._title.configure(text=title)
        self._sentence.configure(text=sentence)
        self._details.configure(text="" if held else details)
