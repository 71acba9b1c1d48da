"""The models: what is in use and what that means, what can be fetched, how fast each is here."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from src.gui.models import model_row_view
from src.gui.models.model_line import ModelLine
from src.gui.models.model_row_view import AUTOMATIC, CLIP_ONLY, STARTER_ONLY
from src.gui.models.models_controller import About, ModelsController
from src.gui.panel.panel import Panel, PanelContext
from src.gui.theme.theme import LEFT, RIGHT, SMALL
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, label, panel_header, rule
from src.gui.widgets.menu_button import MenuButton
from src.gui.widgets.notice import Notice
from src.gui.widgets.scrolled import Scrolled
from src.model_records import ModelRow

GROUPS = {
    "clip": "Search model (CLIP)",
    "sam": "Segmentation model (SAM)",
}
NO_SAM_KEY = ("sam", "")


class ModelsPanel(Panel):
    """Opened from the card at the sidebar's foot."""

    def __init__(
        self,
        context: PanelContext,
        work: ModelsController,
        open_folder: Callable[[Path], None],
    ) -> None:
        super().__init__(context)
        theme, self._work = context.theme, work
        self._open_folder = open_folder
        self.lines: dict[tuple[str, str], ModelLine] = {}
        self._build_head()
        self._scrolled = Scrolled(self, theme)  # the Tab key follows the order of creation
        self._build_foot()
        self._scrolled.pack(fill="both", expand=True)
        # above the table, and scrolled away with it
        self._above = ctk.CTkFrame(self._scrolled, fg_color="transparent", height=1)
        self._above.pack(fill="x")
        self._above.grid_columnconfigure(0, weight=1)
        self._notices: dict[About, Notice] = {
            about: Notice(self._above, theme) for about in ("clip", "sam", "kept")
        }
        self._groups: dict[str, ctk.CTkFrame] = {}
        for kind, title in GROUPS.items():
            label(self._scrolled, theme, title, weight="medium").pack(anchor="w", pady=(12, 8))
            card = ctk.CTkFrame(
                self._scrolled,
                fg_color=theme.colours.card,
                corner_radius=8,
                border_width=1,
                border_color=theme.colours.border,
            )
            card.pack(fill="x", pady=(0, 12))
            self._groups[kind] = card
        self._not_used = Notice(self._scrolled, theme, "warn")
        work.changed.append(self._show)

    def shown(self) -> None:
        """The panel comes to the front."""
        if self._session.is_open:
            self._work.refresh()
        self._show()
        tkinter.Misc.focus_set(self)  # Tab continues from here

    # -- building

    def _build_head(self) -> None:
        theme = self.theme
        header = panel_header(self, theme, "Models", ring_below=True)
        header.pack(padx=(LEFT, RIGHT - RING))  # for the ring of the menu
        self.choice = MenuButton(
            header, theme, (AUTOMATIC, STARTER_ONLY, CLIP_ONLY), self._force, width=168
        )
        self.choice.pack(side="right")
        if not self._work.can_choose:
            self.choice.pack_forget()
        self._mode = label(self, theme, "Loading models…", weight="medium", anchor="w")
        self._mode.pack(fill="x", padx=(LEFT, RIGHT))
        self._meaning = label(
            self,
            theme,
            "Your models will appear here in a moment.",
            colour=theme.colours.text_2,
            anchor="w",
            justify="left",
        )
        self._meaning.pack(fill="x", padx=(LEFT, RIGHT), pady=(2, 4))
        self._meaning.bind("<Configure>", lambda event: self._wrap(event.width))

    def _build_foot(self) -> None:
        theme = self.theme
        foot = ctk.CTkFrame(self, fg_color="transparent")
        foot.pack(side="bottom", fill="x", padx=(LEFT, RIGHT - RING), pady=(0, 6))
        rule(self, theme).pack(
            side="bottom", fill="x", padx=(theme.px(LEFT), theme.px(RIGHT)), pady=(0, theme.px(6))
        )
        folder = Button(
            foot, theme, "Open folder", self._open_models, icon_name="folder", height=32
        )
        again = Button(foot, theme, "Rescan", self._work.rescan, icon_name="retry", height=32)
        again.pack(side="right")
        self._session.only_to_write(again)
        folder.pack(side="right")
        self._where = label(
            foot,
            theme,
            "",
            size=SMALL,
            colour=theme.colours.text_2,
            anchor="w",
            justify="left",
        )
        self._where.pack(side="left", fill="x", expand=True)
        self._where.bind(
            "<Configure>",
            lambda event: self._where.configure(wraplength=event.width / theme.scale),
        )

    # -- showing

    def _show(self) -> None:
        rows = self._work.rows
        if not rows or not self.grid_info():  # not on the screen
            return
        title, meaning = model_row_view.mode(rows)
        if self._work.choosing:
            title = f"{title} · Loading a model…"
        self._mode.configure(text=title)
        self._meaning.configure(text=meaning)
        self.choice.show(model_row_view.choice_of(self._work.settings))
        folder = self._session.library.model_list.folder
        self._where.configure(text=f"Put your own model files in\n{folder}")
        self._make_lines(rows)
        for row in rows:
            self.lines[row.kind, row.name].show(self._work.view(row))
        has_sam = any(row.kind == "sam" and row.in_use for row in rows)
        none = model_row_view.view_of_no_sam(not has_sam)
        self.lines[NO_SAM_KEY].show(
            none if self._work.can_choose else model_row_view.to_look_at(none)
        )
        self._show_questions()
        self._show_problems()

    def _show_questions(self) -> None:
        questions = self._work.questions
        if not questions:
            self._above.configure(height=1)  # a frame keeps the height of what was last in it
        for row, (about, notice) in enumerate(self._notices.items()):
            question = questions.get(about)
            if question is None:
                notice.grid_remove()
                continue
            links = [(verb, partial(self._work.answer, about, verb)) for verb in question.verbs]
            notice.say(question.text, question.kind, *links)
            notice.grid(row=row, column=0, sticky="ew", pady=4)

    def _make_lines(self, rows: list[ModelRow]) -> None:
        """Make new lines when other models are listed than before; else they stay."""
        keys = [*((row.kind, row.name) for row in rows), NO_SAM_KEY]
        if keys == list(self.lines):
            return
        for card in self._groups.values():
            for part in card.winfo_children():
                part.destroy()
        self.lines.clear()
        for key in keys:
            kind, name = key
            card = self._groups[kind]
            if card.winfo_children():
                rule(card, self.theme).pack(fill="x", padx=1)
            line = ModelLine(
                card,
                self.theme,
                partial(self._act, kind, name),
                partial(self._measure, kind, name),
            )
            # the square inside must not cover the round corners of the border
            line.pack(fill="x", padx=3, pady=(1 if card.winfo_children()[:-1] else 3, 3))
            self.lines[key] = line

    def _show_problems(self) -> None:
        problems = self._session.library.model_list.problems
        if problems:
            sentences = "\n".join(f"Not used: {problem}" for problem in problems)
            self._not_used.say(sentences, "warn")
            self._not_used.pack(fill="x", pady=(0, 12))
        else:
            self._not_used.pack_forget()

    def _wrap(self, width_px: int) -> None:
        self._meaning.configure(wraplength=width_px / self.theme.scale)

    # -- doing

    def _row(self, kind: str, name: str) -> ModelRow | None:
        return next((r for r in self._work.rows if (r.kind, r.name) == (kind, name)), None)

    def _act(self, kind: str, name: str, verb: model_row_view.Verb) -> None:
        row = self._row(kind, name)
        if row is not None:
            self._work.act(row, verb)
        elif (kind, name) == NO_SAM_KEY:
            self._work.choose(model_row_view.using(self._work.settings, None))

    def _measure(self, kind: str, name: str) -> None:
        row = self._row(kind, name)
        if row is not None:
            self._work.measure(row)

    def _force(self, choice: str) -> None:
        if self._session.is_open:
            self._work.choose(model_row_view.chosen(self._work.settings, choice))

    def _open_models(self) -> None:
        if self._session.is_open:
            library = self._session.library

            def make() -> Path:
                folder = library.model_list.folder
                folder.mkdir(parents=True, exist_ok=True)
                return folder

            # models that are still loading are waited for, and the window must not wait
            self._session.main_thread.run(
                make, self._open_folder, fails="Couldn't open the models folder"
            )
