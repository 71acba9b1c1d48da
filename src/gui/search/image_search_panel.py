"""Search by example: an image dropped, chosen or pasted, or a part of it, and the hits."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from src.errors import MediaReadError, is_of_a_person
from src.gui.core.wording import as_sentence
from src.gui.panel.panel import PanelContext
from src.gui.search.chosen_hits import HitActions
from src.gui.search.image_query import ImageQuery
from src.gui.search.results import MODELS_FAILED, ResultsView
from src.gui.search.search_panel import SearchPanel
from src.gui.theme.theme import LEFT, RIGHT, SMALL
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, IconButton, icon_label, label, panel_header
from src.gui.widgets.drop_zone import DropZone
from src.search.query import Image, ImageFile, Query

LEFT_COLUMN = 384
NO_IMAGES = "Nothing like this image was found. Add more photos and videos."
_QUERY_SIDE = 2048  # CLIP sees far less; a part of a large photo still has enough pixels


class ImageSearchPanel(SearchPanel):
    """The image at the left, what is like it at the right."""

    drop_sentence = "Drop to search by this image"

    def __init__(
        self,
        context: PanelContext,
        actions: HitActions,
        on_choose: Callable[[], None],
        on_paste: Callable[[], None],
        on_add: Callable[[ImageFile], None],
    ) -> None:
        """Make it, without an image.

        Args:
            on_add: searches by words for an image file or a part of it, too.
        """
        super().__init__(context)
        self._on_add = on_add
        self._path: Path | None = None  # of the image, where it is in a file
        theme, session = context.theme, context.session
        self._waits_for_models = False
        self._asked = 0
        self.name = ""
        self._is_frame = False  # of a video
        panel_header(self, theme, "Search by Image")
        body = ctk.CTkFrame(self, fg_color="transparent", corner_radius=0)
        body.pack(fill="both", expand=True)
        # wider than what is seen, since focus rings need space
        self._column = ctk.CTkFrame(body, fg_color="transparent", width=LEFT_COLUMN + 2 * RING)
        self._column.pack(side="left", fill="y", padx=(LEFT - RING, 0), pady=(0, 20))
        self._column.pack_propagate(False)
        # when an image opens the panel, the column gets its size only after the image
        tkinter.Misc.bind(self._column, "<Configure>", lambda _: self._fit_query(), "+")
        self._build_zone(on_choose, on_paste)
        self._build_query(on_choose, on_paste)
        self.results = ResultsView(
            body,
            context,
            actions,
            margins=(20, RIGHT),
            wish=168,
        )
        self.results.pack(side="left", fill="both", expand=True)
        self.results.say("Similar images will appear here.")
        self._zone.pack(fill="both", expand=True, padx=RING)
        tkinter.Misc.bind(self, "<Configure>", lambda event: self._resized(event.width), "+")
        session.signals.models_ready.append(self._models_ready)
        session.signals.models_failed.append(self._models_failed)

    def take_file(self, path: Path) -> bool:
        """Search for an image that was dropped."""
        self.use_file(path)
        return True

    # -- building

    def _build_zone(self, on_choose: Callable[[], None], on_paste: Callable[[], None]) -> None:
        theme, c = self.theme, self.theme.colours
        self._zone = DropZone(self._column, theme)
        middle = ctk.CTkFrame(self._zone, fg_color=c.drop_zone)
        middle.place(relx=0.5, rely=0.5, anchor="center")
        icon_label(middle, "download", c.text_2, 24).pack(pady=(0, 16))
        label(middle, theme, "Drop an image here").pack(pady=(0, 4))
        label(
            middle, theme, "Then drag on it to search by one part only", size=SMALL, colour=c.text_2
        ).pack(pady=(0, 16))
        row = ctk.CTkFrame(middle, fg_color="transparent")
        row.pack()
        self.choose = Button(row, theme, "Choose image", on_choose, kind="main", icon_name="folder")
        self.choose.pack(side="left")
        Button(row, theme, "Paste", on_paste).pack(side="left")

    def _build_query(self, on_choose: Callable[[], None], on_paste: Callable[[], None]) -> None:
        theme, c = self.theme, self.theme.colours
        self._query = ctk.CTkFrame(self._column, fg_color="transparent")
        card = ctk.CTkFrame(
            self._query, fg_color=c.card, corner_radius=12, border_width=1, border_color=c.border
        )
        card.pack(fill="x", padx=RING)
        facts = ctk.CTkFrame(card, fg_color="transparent", height=32)
        facts.pack(side="bottom", fill="x", padx=(24, 12), pady=(4, 12))
        facts.pack_propagate(False)  # no jump when the button appears
        self._facts = label(facts, theme, "", size=SMALL, colour=c.text_2)
        self._facts.pack(side="left")
        self._whole = Button(
            facts, theme, "Use whole image", self._use_whole, kind="link", height=24
        )
        self.query = ImageQuery(card, theme, self._marked)
        self.query.pack(fill="x", padx=theme.px(24), pady=(theme.px(24), theme.px(4)))
        row = ctk.CTkFrame(self._query, fg_color="transparent")
        row.pack(fill="x", pady=(12, 0))
        Button(row, theme, "Choose image", on_choose, icon_name="folder", width=120).pack(
            side="left", fill="x", expand=True
        )
        Button(row, theme, "Paste", on_paste, icon_name="paste", width=80).pack(
            side="left", fill="x", expand=True
        )
        IconButton(row, theme, "close", "Remove the image", self.clear, kind="plain", side=40).pack(
            side="left"
        )
        self.button = Button(
            self._query, theme, "Search this image", self.search, kind="main", icon_name="search"
        )
        self.button.pack(fill="x")
        self._add = Button(
            self._query, theme, "Add to the search by words", self._add_to_search, kind="quiet"
        )

    # -- the image

    def use_file(self, path: Path) -> None:
        """Read an image file and search for it."""
        self._read(path, path.name)

    def use_pasted(self, content: bytes) -> None:
        """Read an image file's bytes and search for it."""
        self._read(content, "Pasted image")

    def _read(self, source: Path | bytes, name: str) -> None:
        library = self._session.library
        self._asked += 1
        asked = self._asked

        def read() -> tuple[np.ndarray, bool]:
            is_video = isinstance(source, Path) and library.browse.media_kind(source) == "video"
            return library.browse.read_image(source, _QUERY_SIDE), is_video

        def use(found: tuple[np.ndarray, bool]) -> None:
            if asked == self._asked:  # no later image was chosen, and none removed
                self._path = source if isinstance(source, Path) else None
                self.use_image(found[0], name, is_frame=found[1])

        def failed(exc: Exception) -> None:
            if not is_of_a_person(exc):
                raise exc
            if asked == self._asked:
                self.results.forget()
                reason = exc.reason if isinstance(exc, MediaReadError) else str(exc)
                self.results.say(f"{name} can't be opened.\n{as_sentence(reason)}")

        self._session.main_thread.run(read, use, failed)

    def use_image(self, image_rgb: np.ndarray, name: str, is_frame: bool = False) -> None:
        """Search for an image: (H, W, 3) uint8 RGB.

        Args:
            is_frame: it is the first frame of a video.
        """
        self.name, self._is_frame = name, is_frame
        self._zone.pack_forget()
        self._query.pack(fill="both", expand=True)
        if self._path is None:
            self._add.pack_forget()
        else:
            self._add.pack(fill="x")
        self.query.show(image_rgb)
        self._fit_query()
        self.search()

    def clear(self) -> None:
        self._asked += 1
        self.results.forget()
        self._query.pack_forget()
        self._zone.pack(fill="both", expand=True, padx=RING)
        self.query.show(None)
        self.results.say("Similar images will appear here.")

    def search(self) -> None:
        image, part = self.query.image_rgb, self.query.part
        if image is None:
            return
        if not self._session.models_ready:
            self._waits_for_models = True
            self.results.say("The models are still loading. Your search will start in a moment.")
            return
        library = self._session.library
        self.results.ask(
            lambda where, limit: library.find(
                Query((Image(image, part),), where, limit, one_of_each=True)
            ),
            lambda result: self.results.show(result, none=NO_IMAGES),
        )

    def _add_to_search(self) -> None:
        """Search by words for the image, or for the marked part of it, too."""
        path, image, part = self._path, self.query.image_rgb, self.query.part
        if path is None or image is None:
            return
        if part is None:
            self._on_add(ImageFile(path))
            return
        browse = self._session.library.browse

        def measured(full_wide: int) -> None:
            # what is shown may be smaller than the file
            scale = full_wide / image.shape[1]
            x, y, w, h = (round(value * scale) for value in part)
            self._on_add(ImageFile(path, (x, y, w, h)))

        self._session.main_thread.run(
            lambda: browse.read_image(path).shape[1], measured, fails="Couldn't read the image"
        )

    def _models_ready(self) -> None:
        if self._waits_for_models:
            self._waits_for_models = False
            self.search()

    def _models_failed(self) -> None:
        if self._waits_for_models:
            self._waits_for_models = False
            self.results.say(MODELS_FAILED)

    def _use_whole(self) -> None:
        self.query.mark(None)
        self.search()

    def _marked(self) -> None:
        image, part = self.query.image_rgb, self.query.part
        if image is None:
            return
        height, width = image.shape[:2]
        if part is None:
            size = f"{width} × {height}"
            what = "First frame of the video · " if self._is_frame else ""
            self._facts.configure(text=what + size)
            self._whole.pack_forget()
        else:
            self._facts.configure(text=f"Part {part[2]} × {part[3]}")
            if not self._whole.winfo_manager():
                # before the words, so that it is never the button that does not fit
                self._whole.pack(side="right", before=self._facts)
        self.button.set_text("Search this image" if part is None else "Search this part")

    # -- sizes

    def _resized(self, width: int) -> None:
        column = min(LEFT_COLUMN, round(width / self.theme.scale * 0.42))
        self._column.configure(width=column)

    def _fit_query(self) -> None:
        """Make it as high as the image at this width, but leave the buttons on the screen."""
        image = self.query.image_rgb
        if image is not None:
            px = self.theme.px
            width = max(1, self._column.winfo_width() - px(48))
            high = round(image.shape[0] * width / image.shape[1])
            self.query.configure(
                height=min(high, max(px(120), self._column.winfo_height() - px(268)))
            )
