"""The recipes of datasets that the library keeps: chosen, saved under a name, and deleted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from src.errors import is_of_a_person
from src.gui.core.session import Session
from src.gui.core.wording import as_sentence
from src.gui.theme.theme import Theme, shorten
from src.gui.widgets.menu_button import MenuButton
from src.gui.widgets.name_dropdown import NameDropdown
from src.gui.widgets.popup import show_menu
from src.search.recipe import Recipe, recipe_to_json

NO_RECIPE, SAVE_AS = "No recipe", "Save as recipe…"
_WIDTH = 240


class RecipeMenu(MenuButton):
    """Says which recipe was chosen, and whether it has been changed since.

    Attributes:
        name: of the recipe that was chosen; empty for none.
    """

    def __init__(
        self,
        master: Any,
        theme: Theme,
        session: Session,
        current: Callable[[], Recipe],
        on_choose: Callable[[Recipe], object],
        ask: Callable[[str, str, str, Callable[[], None]], None],
    ) -> None:
        """Make it; the recipes of the library come soon after.

        Args:
            current: what is chosen in the dialog.
            on_choose: shows a recipe in the dialog.
            ask: asks before a recipe is deleted: title, sentence, what the button says, and what
                it does.
        """
        super().__init__(master, theme, [NO_RECIPE], lambda _: None, width=_WIDTH)
        self._session, self._current, self._on_choose = session, current, on_choose
        self._ask = ask
        self.name, self._saved = "", ""
        self._recipes: tuple[str, ...] = ()
        self._dropdown: NameDropdown | None = None
        self._list()

    @property
    def recipes(self) -> tuple[str, ...]:
        """The names there are."""
        return self._recipes

    def show_name(self) -> None:
        """Show the name of the recipe, and whether the dialog shows something else by now."""
        if not self.name:
            self.show(NO_RECIPE)
            return
        is_changed = recipe_to_json(self._current()) != self._saved
        sign = " (changed)" if is_changed else ""
        font = self.theme.canvas_font(self)
        room = self.theme.px(self._room) - font.measure(sign)
        self.show(shorten(self.name, font, room, tail=0) + sign)

    def pick(self, name: str) -> None:
        """Show a recipe of the library in the dialog."""
        library = self._session.library

        def found(recipe: Recipe) -> None:
            if self.winfo_exists():
                self._on_choose(recipe)
                # as it is shown: options that it leaves out are at their defaults
                self.name, self._saved = name, recipe_to_json(self._current())
                self.show_name()

        self._session.main_thread.run(
            lambda: library.recipes.get(name), found, fails="Couldn't open the recipe"
        )

    def save_as(self) -> None:
        """Ask for a name, and keep what the dialog shows under it."""
        recipe, library = self._current(), self._session.library

        def saved(name: str) -> None:
            if self.winfo_exists():
                dropdown.close()
                self.name, self._saved = name, recipe_to_json(recipe)
                self._list()

        def failed(exc: Exception) -> None:
            if not is_of_a_person(exc) or not dropdown.winfo_exists():
                raise exc  # to the window's error handler
            dropdown.say_wrong(as_sentence(str(exc)))

        def save(name: str) -> None:
            def work() -> str:
                library.recipes.save(name, recipe)
                return name

            self._session.main_thread.run(work, saved, failed, "Couldn't save the recipe")

        self._dropdown = dropdown = NameDropdown(
            self,
            self.theme,
            "Name of the recipe",
            self.name,
            save,
            hint="All choices but the folder and the current results are kept in the library.",
        )

    def delete(self) -> None:
        """Delete the recipe that was chosen; what the dialog shows stays as it is."""
        name, library = self.name, self._session.library

        def deleted(_: object) -> None:
            if self.winfo_exists():
                self.name = ""
                self._list()

        def forget() -> None:
            self._session.main_thread.run(
                lambda: library.recipes.forget(name), deleted, fails="Couldn't delete the recipe"
            )

        self._ask(f"Delete the recipe “{name}”?", "Datasets made with it stay.", "Delete", forget)

    def _list(self) -> None:
        library = self._session.library

        def listed(names: tuple[str, ...]) -> None:
            if self.winfo_exists():
                self._recipes = names
                self.show_name()

        self._session.main_thread.run(lambda: library.recipes.names(), listed)

    def _open(self) -> None:
        entries: list[tuple[str, Callable[[], object]]] = [
            (name, partial(self.pick, name)) for name in self._recipes
        ]
        chosen = self._recipes.index(self.name) if self.name in self._recipes else -1
        may_keep = not self._session.read_only
        if may_keep:
            entries.append((SAVE_AS, lambda: self.after_idle(self.save_as)))
        if self.name and may_keep:
            entries.append((f"Delete “{self.name}”…", self.delete))
        body, gap = self._body, self.theme.px(4)
        show_menu(
            self,
            self.theme,
            entries,
            body.winfo_rootx(),
            body.winfo_rooty() + body.winfo_height() + gap,
            width=body.winfo_width(),
            above=body.winfo_rooty() - gap,
            chosen=chosen,
        )
