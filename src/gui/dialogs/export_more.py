"""The export options that are rarely needed, behind a button that opens and closes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from src.errors import QueryError
from src.gui.core.wording import as_sentence
from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, label
from src.gui.widgets.inputs import Check, Entry
from src.gui.widgets.menu_button import MenuButton
from src.gui.widgets.text_box import TextBox
from src.records import ImageForm
from src.search.recipe import (
    ClassRule,
    Labels,
    Recipe,
    Several,
    classes_text,
    parse_classes,
)

FORMS: dict[ImageForm, str] = {
    "frames": "Whole images",
    "crops": "Crops",
    "blurred": "Crops, background blurred",
    "cutouts": "Cut-outs, transparent",
}
LABELS: dict[str, Labels] = {
    "From anyone": "all",
    "From people only": "people",
    "From people, accepted together too": "accepted",
    "From models only": "models",
    "From people where available": "people first",
}
SEVERAL: dict[str, Several] = {
    "Keep all classes": "all",
    "Keep the most confident": "surest",
    "Skip the segment": "none",
}
CLASSES_HINT = "One per line, as in: car, truck -> vehicle"
_ROOM = 344


class MoreOptions(ctk.CTkFrame):
    """The button, and below it what it opens.

    Attributes:
        options_place: where the options of the format go.
        rules: classes that are made of several tags, or have another name.
        problem: what is wrong with what was typed; empty while all can be used.
    """

    def __init__(
        self,
        master: Any,
        theme: Theme,
        on_change: Callable[[], object],
        on_layout: Callable[[], object],
        edge: int,
    ) -> None:
        """Draw it closed, as a recipe is by default.

        Args:
            on_layout: called after it has become higher or lower.
            edge: the margin left and right of it.
        """
        super().__init__(master, fg_color="transparent")
        self.theme, self._edge = theme, edge
        self._on_change, self._on_layout = on_change, on_layout
        self.rules: tuple[ClassRule, ...] = ()
        self._most: int | None = None
        self._problems: dict[str, str] = {}
        self.is_open = self._is_showing = False
        self.button = Button(
            self, theme, "More options", self.flip, kind="link", icon_name="right", height=28
        )
        self.button.pack(anchor="w", padx=max(0, edge - RING - 8))
        self._body = ctk.CTkFrame(self, fg_color="transparent")
        self.options_place = ctk.CTkFrame(self._body, fg_color="transparent", height=0)
        self.options_place.pack(fill="x")
        self._forms: Sequence[ImageForm] = ()
        self._form_block = ctk.CTkFrame(self._body, fg_color="transparent")
        self._form_block.pack(fill="x")
        self.form = self._menu(self._form_block, "Images", list(FORMS.values()))
        self.labels = self._menu(self._body, "Labels", list(LABELS))
        self._build_classes()
        self.several = self._menu(self._body, "Segments with several classes", list(SEVERAL))
        self._build_most()
        self.reviewed = self._check("Only images that were looked at for every class", False)
        self.background = self._check("Include images confirmed to be empty", True)

    def offer_forms(self, forms: Sequence[ImageForm]) -> None:
        """Offer what the images of a format can be, and choose the usual one."""
        self._forms = forms
        self.form.offer([FORMS[each] for each in forms])
        self.form.show(FORMS[forms[0]])
        self._show_forms()

    @property
    def image_form(self) -> ImageForm:
        """What the images will be."""
        return next(each for each in self._forms if FORMS[each] == self.form.value)

    @property
    def problem(self) -> str:
        return next(iter(self._problems.values()), "")

    def put_in(self, recipe: Recipe) -> Recipe:
        """Add what is chosen here to a recipe, but for the classes."""
        return replace(
            recipe,
            images=None if self.image_form == self._forms[0] else self.image_form,
            labels=LABELS[self.labels.value],
            several=SEVERAL[self.several.value],
            background=self.background.value,
            only_reviewed=self.reviewed.value,
            most_per_class=self._most,
        )

    def show(self, recipe: Recipe) -> None:
        """Show what a recipe says; the format has to be offered before. Calls nothing."""
        self._is_showing = True
        if recipe.images is not None and recipe.images in self._forms:
            self.form.show(FORMS[recipe.images])
        self.labels.show(_name_of(LABELS, recipe.labels))
        self.several.show(_name_of(SEVERAL, recipe.several))
        self.reviewed.set(recipe.only_reviewed)
        self.background.set(recipe.background)
        self._most = recipe.most_per_class
        self.most.set("" if self._most is None else str(self._most))
        self.rules = tuple(rule for rule in recipe.classes if rule.tags != (rule.name,))
        self.classes.set(classes_text(self.rules))
        for name in ("classes", "most"):
            self._say(name, "")
        self._is_showing = False
        is_unusual = self.rules or self.put_in(Recipe()) != Recipe()
        if is_unusual and not self.is_open:
            self.flip()

    def flip(self) -> None:
        """Open it, or close it."""
        self.is_open = not self.is_open
        if self.is_open:
            self._body.pack(fill="x", pady=(4, 0))
        else:
            self._body.pack_forget()
        self.button.set_icon("down" if self.is_open else "right")
        self._on_layout()

    # -- building

    def _caption(self, master: Any, text: str, gap: int = 12) -> None:
        label(master, self.theme, text, size=SMALL, colour=self.theme.colours.text_2).pack(
            anchor="w", padx=self._edge, pady=(gap, 0)
        )

    def _menu(self, master: Any, caption: str, names: list[str]) -> MenuButton:
        self._caption(master, caption)
        menu = MenuButton(master, self.theme, names, lambda _: self._on_change(), width=_ROOM)
        menu.pack(fill="x", padx=self._edge - RING, pady=(4, 0))
        return menu

    def _check(self, text: str, value: bool) -> Check:
        check = Check(self._body, self.theme, text, value, lambda _: self._on_change())
        check.pack(anchor="w", padx=max(0, self._edge - RING), pady=(8, 0))
        return check

    def _build_classes(self) -> None:
        self._caption(self._body, "Merge or rename classes")
        self.classes = TextBox(self._body, self.theme, self._classes_typed)
        self.classes.pack(fill="x", padx=self._edge, pady=(8, 0))
        self._classes_hint = self._hint(CLASSES_HINT)

    def _build_most(self) -> None:
        self._caption(self._body, "Most per class")
        self.most = Entry(self._body, self.theme, "No limit", height=32, on_change=self._most_typed)
        self.most.pack(fill="x", padx=self._edge, pady=(8, 0))
        self._most_hint = self._hint("")

    def _hint(self, text: str) -> ctk.CTkLabel:
        """Return what is said below a field, which is shown where there is anything to say."""
        hint = label(
            self._body,
            self.theme,
            text,
            size=SMALL,
            colour=self.theme.colours.text_2,
            justify="left",
            wraplength=320,
        )
        if text:
            hint.pack(anchor="w", padx=self._edge, pady=(4, 0))
        return hint

    # -- what is typed

    def _classes_typed(self) -> None:
        try:
            self.rules = parse_classes(self.classes.text)
        except QueryError as exc:
            self._say("classes", as_sentence(str(exc)))
        else:
            self._say("classes", "")
        self._on_change()

    def _most_typed(self, text: str) -> None:
        if self._is_showing:
            return
        text = text.strip().replace(",", "")
        is_number = text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0
        if is_number or not text:
            self._most = int(text) if text else None
        self._say("most", "" if is_number or not text else "Enter a whole number, 1 or more.")
        self._on_change()

    def _say(self, name: str, problem: str) -> None:
        """Show what is wrong with a field, or nothing."""
        c = self.theme.colours
        fields: dict[str, tuple[TextBox | Entry, ctk.CTkLabel, str]] = {
            "classes": (self.classes, self._classes_hint, CLASSES_HINT),
            "most": (self.most, self._most_hint, ""),
        }
        field, hint, usual = fields[name]
        self._problems.pop(name, None)
        if problem:
            self._problems[name] = problem
        field.set_error(bool(problem))
        hint.configure(text=problem or usual, text_color=c.error if problem else c.text_2)
        if problem or usual:
            hint.pack(anchor="w", padx=self._edge, pady=(4, 0), after=field)
        else:
            hint.pack_forget()

    def _show_forms(self) -> None:
        if len(self._forms) > 1:
            self._form_block.pack(fill="x", after=self.options_place)
        else:
            self._form_block.pack_forget()


def _name_of(choices: dict[str, Any], value: object) -> str:
    return next(name for name, meant in choices.items() if meant == value)
