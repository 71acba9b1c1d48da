"""The left side of the export dialog: which segments, under which labels, in which format."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from src.errors import OptionError
from src.export_records import ExportFormatInfo
from src.gui.dialogs.export_more import MoreOptions
from src.gui.dialogs.split_choice import SUGGESTED, SplitChoice
from src.gui.theme.theme import SMALL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, label
from src.gui.widgets.inputs import Choice
from src.gui.widgets.mask_quality import EDGE, HINT, ends_of, least_of
from src.gui.widgets.menu_button import MenuButton
from src.gui.widgets.option_form import OptionForm
from src.gui.widgets.slider import Slider
from src.gui.widgets.tooltip import Tooltip
from src.options import OptionValue, checked_values
from src.records import SearchHit
from src.search.filters import EVERYTHING, Filter
from src.search.leaves import segment_filter
from src.search.recipe import Recipe

ALL, BY_TAG, RESULTS = "All segments", "By tag", "Current results"
CONFIDENCE = 0.5  # at first
_QUALITY = re.compile(r"quality>=([\d.]+)")
_SUGGESTED = "/".join(f"{share:g}" for share in SUGGESTED)
_WRAP = 340


class ExportChoices:
    """What is chosen, as a recipe without its classes; those are ticked beside it.

    Attributes:
        format: the menu of formats; there only where there are several.
        options: of the format that is chosen.
    """

    def __init__(
        self,
        master: Any,
        theme: Theme,
        formats: Sequence[ExportFormatInfo],
        hits: Sequence[SearchHit],
        on_change: Callable[[], object],
        on_layout: Callable[[], object],
    ) -> None:
        """Draw it.

        Args:
            hits: what can be exported alone.
            on_change: called after each change, also when what was typed can't be used.
            on_layout: called after it has become higher or lower.
        """
        self.theme, self._master, self._hits = theme, master, hits
        self._on_change, self._on_layout = on_change, on_layout
        self._formats, self.chosen = {each.label: each for each in formats}, formats[0]
        self._where: Filter = EVERYTHING  # of a recipe that was chosen
        self._title = ""  # what that is called, where it has a name
        self._limits: Filter = EVERYTHING  # the same, but for the mask quality
        self._least: float | None = None  # a mask quality that waits for the slider's range
        self._split_is_own = False  # whether a person or a recipe has chosen it
        self._is_showing = False
        self._build_format()
        self._build_what()
        self._build_limits()
        self.split = SplitChoice(master, theme, self._split_changed, EDGE)
        self.split.pack(fill="x", pady=(16, 0))
        self.more = MoreOptions(master, theme, self._changed, on_layout, EDGE)
        self.more.pack(fill="x", pady=(8, 0))
        self.more.offer_forms(self.chosen.forms)
        self.options = self._build_options({})
        self.say_values()

    # -- building

    def _caption(self, text: str) -> None:
        label(self._master, self.theme, text, size=SMALL, colour=self.theme.colours.text_2).pack(
            anchor="w", padx=EDGE
        )

    def _small(self, text: str = "") -> ctk.CTkLabel:
        c = self.theme.colours
        return label(
            self._master,
            self.theme,
            text,
            size=SMALL,
            colour=c.text_2,
            justify="left",
            wraplength=_WRAP,
        )

    def _build_format(self) -> None:
        if len(self._formats) > 1:
            self._caption("Format")
            self.format = MenuButton(
                self._master, self.theme, list(self._formats), self._format_chosen
            )
            self.format.pack(fill="x", padx=EDGE - RING, pady=(4, 0))
            self._summary = self._small(self.chosen.summary)
            self._summary.pack(anchor="w", padx=EDGE, pady=(4, 16))

    def _build_what(self) -> None:
        self._caption("What")
        self.what = Choice(
            self._master, self.theme, (ALL, BY_TAG, RESULTS), lambda _: self._changed()
        )
        self.what.pack(anchor="w", padx=EDGE, pady=(8, 16))
        self.what.set_enabled(RESULTS, bool(self._hits))
        self._only = ctk.CTkFrame(self._master, fg_color="transparent")
        self._only_text = label(
            self._only,
            self.theme,
            "",
            size=SMALL,
            colour=self.theme.colours.text_2,
            justify="left",
            wraplength=_WRAP - 80,
        )
        self._only_text.pack(side="left")
        Button(self._only, self.theme, "Remove", self._drop_filter, kind="link", height=20).pack(
            side="left", padx=(4, 0)
        )

    def _build_limits(self) -> None:
        self.confidence, self._confidence_text = self._slider("Minimum confidence", CONFIDENCE)
        self.quality, self._quality_text = self._slider("Minimum mask quality", 0.0)
        self.quality.set_enabled(False)  # until it is known what the library holds
        Tooltip(self.quality, self.theme, HINT)
        self.left_out = self._small()
        self.left_out.pack(anchor="w", padx=EDGE)

    def _slider(self, name: str, value: float) -> tuple[Slider, ctk.CTkLabel]:
        """Build a slider from 0 to 1 with its name and value."""
        theme = self.theme
        line = ctk.CTkFrame(self._master, fg_color="transparent")
        line.pack(fill="x", padx=EDGE)
        label(line, theme, name, size=SMALL, colour=theme.colours.text_2).pack(side="left")
        text = label(line, theme, "", size=SMALL)
        text.pack(side="right")
        # its value is shown at once, but crops are counted when it rests: that reads each of them
        slider = Slider(
            self._master,
            theme,
            (0.0, 1.0),
            value,
            lambda _: self.say_values(),
            on_rest=self._changed,
            by_wheel=False,
        )
        slider.pack(fill="x", pady=(2, 6))
        return slider, text

    def _build_options(self, values: Mapping[str, OptionValue]) -> OptionForm:
        """Draw the options of the format that is chosen, at their defaults but for some values."""
        options = [
            replace(each, default=values.get(each.name, each.default))
            for each in self.chosen.options
        ]
        form = OptionForm(self.more.options_place, self.theme, options, self._changed, EDGE)
        if options:
            form.pack(fill="x", pady=(8, 0))
        return form

    # -- what is chosen

    @property
    def by_tag(self) -> bool:
        """Whether only classes that are ticked are exported."""
        return self.what.value == BY_TAG

    @property
    def summary_below(self) -> str:
        """What the format writes, where it is not said beside its name."""
        return "" if len(self._formats) > 1 else self.chosen.summary

    @property
    def word(self) -> str:
        """What a file of the dataset is called."""
        return "image" if self.more.image_form == "frames" else "crop"

    @property
    def problem(self) -> str:
        """What is wrong with what was typed; empty while all can be used."""
        if self.options.problem:
            return "Correct the option marked in red first."
        return self.split.problem or self.more.problem

    def recipe(self, with_results: bool = True) -> Recipe:
        """Return what is chosen, without its classes.

        Args:
            with_results: whether the current results, where they are chosen, are in it by name.
        """
        where = self._where
        if with_results and self.what.value == RESULTS:
            where = segment_filter(segment_ids=tuple(hit.segment.id for hit in self._hits))
        least = least_of(self.quality) if self._least is None else self._least
        limits = segment_filter(min_predicted_iou=least)
        recipe = Recipe(
            where=where,
            limits=self._limits & limits if self._limits else limits,
            min_confidence=self.confidence.value,
            split=self.split.text,
            seed=self.split.seed,
            format=self.chosen.key,
            options=self.options.values,
        )
        return self.more.put_in(recipe)

    def show(self, recipe: Recipe) -> None:
        """Show what a recipe says, but for the classes that are ticked. Calls no `on_change`.

        Raises:
            OptionError: its format, or an option of it, is not there any more.
        """
        by_key = {each.key: each for each in self._formats.values()}
        if recipe.format not in by_key:
            raise OptionError(f"there is no format {recipe.format!r} any more")
        values = checked_values(by_key[recipe.format].options, recipe.options)
        self._is_showing = True
        self._use_format(by_key[recipe.format], values)
        self.what.choose(BY_TAG if recipe.classes else ALL)
        self._where, self._title = recipe.where, ""
        found = _QUALITY.fullmatch(str(recipe.limits))
        self._limits = EVERYTHING if found else recipe.limits
        self._set_quality(float(found[1]) if found else 0.0)
        self.confidence.set(recipe.min_confidence)
        self.split.show(recipe.split, recipe.seed)
        self._split_is_own = True
        self.more.show(recipe)
        self.say_values()
        self._show_filter()
        self._is_showing = False
        self._on_layout()

    def limit_to(self, where: Filter, title: str = "") -> None:
        """Choose only what a filter leaves; a person can take it away again.

        No split is proposed: it may all be of one video.

        Args:
            title: what that is, in words; the filter's text where it is empty.
        """
        self._where, self._title = where, title
        self.split.show("", self.split.seed)
        self._split_is_own = True
        self._show_filter()
        self._on_layout()

    def offer_quality(self, lowest_highest: tuple[float, float] | None) -> None:
        """Set the slider's range to what the library holds."""
        ends = ends_of(lowest_highest)
        if ends is not None:
            self.quality.set_ends(ends)
            self.quality.set_enabled(True)
            least, self._least = self._least or 0.0, None
            self._set_quality(least)

    def say_skipped(self, text: str) -> None:
        """Show what is left out, and why; it may take more lines than before."""
        if text != self.left_out.cget("text"):
            self.left_out.configure(text=text)
            self._on_layout()

    def say_values(self) -> None:
        quality = least_of(self.quality)
        self._confidence_text.configure(text=f"{self.confidence.value:.2f}")
        self._quality_text.configure(text=f"{quality:.2f}" if quality else "Any")

    # -- changes

    def _changed(self) -> None:
        if not self._is_showing:
            self._on_change()

    def _split_changed(self) -> None:
        self._split_is_own = True
        self._on_layout()
        self._changed()

    def _format_chosen(self, name: str) -> None:
        self._use_format(self._formats[name])
        self._on_layout()
        self._changed()

    def _use_format(
        self, chosen: ExportFormatInfo, values: Mapping[str, OptionValue] | None = None
    ) -> None:
        self.chosen = chosen
        if len(self._formats) > 1:
            self.format.show(chosen.label)
            self._summary.configure(text=chosen.summary)
        self.options.destroy()
        self.options = self._build_options(values or {})
        # an empty frame keeps the height that it had
        self.more.options_place.configure(height=1)
        self.more.offer_forms(chosen.forms)
        if not self._split_is_own:
            self.split.show(_SUGGESTED if chosen.is_for_training else "", self.split.seed)

    def _set_quality(self, least: float) -> None:
        if not self.quality.enabled:
            self._least = least or None
        low, _ = self.quality.ends
        self.quality.set(max(low, least))
        self.say_values()

    def _drop_filter(self) -> None:
        self._where = self._limits = EVERYTHING
        self._title = ""
        self._show_filter()
        self._on_layout()
        self._changed()

    def _show_filter(self) -> None:
        """Say what else the recipe asks of segments, which has no control of its own."""
        where = self._title or str(self._where)
        text = " ".join(each for each in (where, str(self._limits)) if each)
        font = self.theme.canvas_font(self._only, SMALL)
        room = self.theme.px(2 * (_WRAP - 100))  # two lines: a list of segments has no end
        self._only_text.configure(text=shorten(f"Only {text}", font, room, tail=0))
        if text:
            self._only.pack(fill="x", padx=EDGE, pady=(0, 16), after=self.what)
            self.what.pack_configure(pady=(8, 8))
        else:
            self._only.pack_forget()
            self.what.pack_configure(pady=(8, 16))
